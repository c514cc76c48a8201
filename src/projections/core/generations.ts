// Generations: the builds of projected rows that stand beside each other, each in a partition of its own. Which of them a
// register is read from is its checkpoint's word alone; a register only ever goes on to a higher number. Tables are made and
// dropped by functions of the database (migrations/0001-baseline.sql): the service itself owns none.

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database, Queryable } from '../../database/pool.ts'
import { type ProjectionName, VERSIONS } from './versions.ts'

/** The tables of each projection: its checkpoint says which rows of them are live. */
const OWN_TABLES: Record<ProjectionName, readonly string[]> = {
  commitments: ['commitment'],
  periods: ['period'],
  tallies: ['tally'],
}

/** What is built together: tallies sum up periods, so a build of these brings them. */
const BUILT: Record<ProjectionName, readonly ProjectionName[]> = {
  commitments: ['commitments'],
  periods: ['periods', 'tallies'],
  tallies: ['tallies'],
}

/** The first generation: it comes with the tables. */
const FIRST = 0

function isProjection(name: string): name is ProjectionName {
  return name in OWN_TABLES
}

/** The tables of projections, and of those that are built with them. */
export function tablesOf(projections: readonly string[]): string[] {
  const built = projections.filter(isProjection).flatMap((name) => BUILT[name])
  return [...new Set(built)].flatMap((name) => OWN_TABLES[name])
}

/** The name of a table's partition. */
export function partitionName(table: string, generation: number): string {
  if (!Number.isSafeInteger(generation)) throw new RangeError(`no generation: ${generation}`)
  return `${table}_g${generation}`
}

/** Creates the tables of a new generation of projections, not attached and without indexes, and returns its number. */
export async function beginGeneration(db: Queryable, projections: readonly string[]): Promise<number> {
  const { rows } = await sql<{ number: number }>`select nextval('generation_number') as number`.execute(db)
  const generation = rows[0]?.number as number
  for (const table of tablesOf(projections)) await sql`select create_partition(${table}, ${generation})`.execute(db)
  return generation
}

async function isAttached(db: Queryable, table: string, generation: number): Promise<boolean> {
  const { rows } = await sql`select from pg_inherits
    where inhrelid = to_regclass(${partitionName(table, generation)}) and inhparent = to_regclass(${table})`.execute(db)
  return rows.length > 0
}

/** One at a time; attaching builds every key and index that the table has, while readers and writers of others go on. */
async function attachTable(db: Queryable, table: string, generation: number): Promise<void> {
  await sql`lock table only ${sql.table(table)} in share update exclusive mode`.execute(db)
  if (await isAttached(db, table, generation)) return
  await sql`select attach_partition(${table}, ${generation})`.execute(db)
}

/** Builds keys and indexes of a generation's tables and attaches them. What is attached already stays as it is. */
export async function attachGeneration(
  db: Queryable,
  generation: number,
  projections: readonly string[],
): Promise<void> {
  for (const table of tablesOf(projections)) {
    if (db.isTransaction) await attachTable(db, table, generation)
    else await db.transaction().execute((tx) => attachTable(tx, table, generation))
  }
}

/** The register has gone on to a later build or a later size meanwhile: this one is of no use any more. */
export class GenerationOvertakenError extends Error {
  constructor(register: string, projection: string, generation: number) {
    super(`generation ${generation} of ${projection} of ${register} has been overtaken`)
  }
}

export type Live = { generation: number; version: number; size: number; timeZone: string | null }

/**
 * Makes a generation the live one of a register at a size, from this transaction's commit on; again does nothing. Waits
 * for whoever moves the checkpoint. Throws GenerationOvertakenError where the live one is a later build or reaches
 * further: a reader never loses size.
 */
export async function makeLive(
  tx: Queryable,
  register: string,
  projection: string,
  { generation, version, size, timeZone }: Live,
): Promise<void> {
  await sql`
    insert into checkpoint as live (register, projection, version, size, generation, time_zone, moved_at)
    values (${register}, ${projection}, ${version}, ${size}, ${generation}, ${timeZone}, now())
    on conflict (register, projection, version) do update
      set size = excluded.size, generation = excluded.generation, building = null, time_zone = excluded.time_zone,
        stopped_at = null, stopped_because = null, moved_at = excluded.moved_at
      where live.generation < excluded.generation and live.size <= excluded.size`.execute(tx)
  const live = await tx
    .selectFrom('checkpoint')
    .select('generation')
    .where('register', '=', register)
    .where('projection', '=', projection)
    .where('version', '=', version)
    .executeTakeFirstOrThrow()
  if (live.generation !== generation) throw new GenerationOvertakenError(register, projection, generation)
}

/**
 * The generation in which a version of a projection begins a register: where it keeps the others, else one of its own,
 * which is made now. `beside` is the build that it sums up, in whose generation its rows belong.
 */
export async function homeGeneration(
  tx: Queryable,
  register: string,
  { name, version }: { name: string; version: number },
  beside: number | null,
): Promise<number> {
  const [table = ''] = isProjection(name) ? OWN_TABLES[name] : []
  // One at a time: the next one finds what this one makes.
  await sql`lock table only ${sql.table(table)} in share update exclusive mode`.execute(tx)
  const { rows } = await sql<{ own: number | null; others: number | null; here: number | null }>`
    select max(generation) filter (where version = ${version}) as own,
      max(generation) filter (where version <> ${version}) as others,
      max(generation) filter (where register = ${register}) as here
    from checkpoint where projection = ${name}`.execute(tx)
  const { own = null, others = null, here = null } = rows[0] ?? {}
  const isFree = (generation: number | null) => generation !== null && (here === null || generation > here)
  for (const generation of [beside, own, others === null ? FIRST : null]) {
    if (generation !== null && isFree(generation) && (await isAttached(tx, table, generation))) return generation
  }
  const generation = await beginGeneration(tx, [name])
  await attachGeneration(tx, generation, [name])
  return generation
}

/** A generation of a projection: its partitions of all tables of that projection. */
type Build = { projection: ProjectionName; generation: number }

async function attachedBuilds(db: Queryable): Promise<Build[]> {
  const tables = new Map(Object.entries(OWN_TABLES).map(([projection, [table = '']]) => [table, projection]))
  const { rows } = await sql<{ table: string; generation: number }>`
    select parent.relname as table, substring(part.relname from '_g([0-9]+)$')::bigint as generation
    from pg_inherits join pg_class part on part.oid = inhrelid join pg_class parent on parent.oid = inhparent
    where inhparent in (select to_regclass(name) from unnest(${[...tables.keys()]}::text[]) name)
    order by generation, parent.relname`.execute(db)
  // Safe: the tables asked for are the keys.
  return rows.map(({ table, generation }) => ({ projection: tables.get(table) as ProjectionName, generation }))
}

/** Which generation is live for each register; of several versions that are kept up, each has its own. */
async function liveGenerations(
  db: Queryable,
  projection: ProjectionName,
): Promise<{ register: string; generation: number }[]> {
  return db.selectFrom('checkpoint').select(['register', 'generation']).where('projection', '=', projection).execute()
}

/** Whether nobody reads a build, nor ever will: a register goes on to higher numbers only. */
function isPrevious(
  { generation }: Build,
  live: readonly { generation: number }[],
  underWay: ReadonlySet<number> | null,
): boolean {
  // Where nothing is known of what is being built, a number beyond that of any register may be that of a build to come.
  const isOver = underWay ? !underWay.has(generation) : live.every((other) => other.generation > generation)
  return live.length > 0 && isOver && live.every((other) => other.generation !== generation)
}

/** Forgets how far versions before this one's had got, where this one has taken their place. */
async function dropEarlierVersions(db: Queryable, registers: readonly string[] | undefined): Promise<void> {
  for (const [projection, version] of Object.entries(VERSIONS)) {
    await sql`delete from checkpoint earlier using checkpoint own
      where earlier.register = own.register and earlier.projection = own.projection and own.projection = ${projection}
        and own.version = ${version} and own.building is null and earlier.version < own.version
        and own.size >= earlier.size
        ${registers ? sql`and own.register = any(${[...registers]}::text[])` : sql``}`.execute(db)
  }
}

const READERS_LEAVE_MS = 60_000
const LOOK_EVERY_MS = 50

/**
 * Waits until every statement and transaction that began before now has ended: one that has seen an earlier checkpoint may
 * still ask for the rows that it names. False where one does not end.
 */
async function earlierReadersLeft(db: Queryable): Promise<boolean> {
  const readers = async () => {
    const { rows } = await sql<{ reader: string }>`select concat_ws(' ', pid, xact_start, backend_xmin) as reader
      from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
        and backend_xmin is not null and pid <> pg_backend_pid()`.execute(db)
    return rows.map(({ reader }) => reader)
  }
  const earlier = new Set(await readers())
  for (let waited = 0; waited < READERS_LEAVE_MS; waited += LOOK_EVERY_MS) {
    if (!(await readers()).some((reader) => earlier.has(reader))) return true
    await sleep(LOOK_EVERY_MS)
  }
  return false
}

const LOCK_NOT_AVAILABLE = '55P03'
const ATTEMPTS = 50

/** Drops the partitions of a build if `mayDrop` still holds under their lock; does not make readers queue for long. */
async function dropBuild(
  db: Database,
  { projection, generation }: Build,
  mayDrop: (tx: Queryable) => Promise<boolean>,
): Promise<boolean> {
  const attempt = () =>
    db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = '100ms'`.execute(tx)
      const tables = OWN_TABLES[projection]
      await sql`lock table only ${sql.join(tables.map((table) => sql.table(table)))} in access exclusive mode`.execute(
        tx,
      )
      if (!(await mayDrop(tx))) return false
      for (const table of tables) await sql`select drop_partition(${table}, ${generation})`.execute(tx)
      return true
    })
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt()
    } catch (error) {
      // Safe: whatever was thrown may have a code.
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || attempts === ATTEMPTS) throw error
      await sleep(LOOK_EVERY_MS)
    }
  }
}

/** Drops a build that was given up. False where a register is read from it. */
export async function dropGeneration(
  db: Database,
  generation: number,
  projections: readonly string[],
): Promise<boolean> {
  const built = new Set(projections.filter(isProjection).flatMap((name) => BUILT[name]))
  let isDropped = true
  for (const projection of built) {
    const isUnread = async (tx: Queryable) =>
      (await liveGenerations(tx, projection)).every((live) => live.generation !== generation)
    isDropped = (await dropBuild(db, { projection, generation }, isUnread)) && isDropped
  }
  return isDropped
}

export type Dropped = {
  /** The tables that are gone. */
  tables: string[]
  /** Rows deleted in tables that other registers are read from. */
  rows: number
}

/**
 * Drops what no register is read from any longer: whole generations, rows of `registers` (all, where none are named) in
 * generations that others use, and what versions before this one's left. `underWay` names the generations that are being
 * built; without it those are kept that a register might still go on to. Throws where a reader does not end within a minute.
 */
export async function dropPrevious(
  db: Database,
  registers?: readonly string[],
  underWay?: () => Promise<ReadonlySet<number>>,
): Promise<Dropped> {
  await dropEarlierVersions(db, registers)
  const dropped: Dropped = { tables: [], rows: 0 }
  const builds = await attachedBuilds(db)
  // After the builds: what began later is not among them.
  const building = underWay ? await underWay() : null
  if (!(await earlierReadersLeft(db)))
    throw new Error('a reader of the previous rows does not end: nothing was dropped')
  for (const build of builds) {
    const live = await liveGenerations(db, build.projection)
    const isWhole = !registers && isPrevious(build, live, building)
    const mayDrop = async (tx: Queryable) => isPrevious(build, await liveGenerations(tx, build.projection), building)
    if (isWhole && (await dropBuild(db, build, mayDrop)))
      dropped.tables.push(...OWN_TABLES[build.projection].map((table) => partitionName(table, build.generation)))
    else if (!building?.has(build.generation)) dropped.rows += await deleteRows(db, build, live, registers)
  }
  return dropped
}

/** Deletes the rows of registers that have gone on to later builds; those of a dropped register's only build stay. */
async function deleteRows(
  db: Database,
  { projection, generation }: Build,
  live: readonly { register: string; generation: number }[],
  registers: readonly string[] | undefined,
): Promise<number> {
  const byRegister = Map.groupBy(live, ({ register }) => register)
  const gone = [...byRegister].filter(([, builds]) => builds.every((other) => other.generation > generation))
  const ids = gone.map(([register]) => register).filter((register) => !registers || registers.includes(register))
  let rows = 0
  for (const table of OWN_TABLES[projection]) {
    const result = await sql`delete from ${sql.table(partitionName(table, generation))}
      where register = any(${ids}::text[])`.execute(db)
    rows += Number(result.numAffectedRows ?? 0)
  }
  return rows
}

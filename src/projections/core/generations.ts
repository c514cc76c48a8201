// Generations: the builds of projected rows that stand beside each other, each in a partition of its own. Which of them a
// register is read from is the word of its progress alone; a register only ever goes on to a higher number. Tables are made and
// dropped by functions of the database (migrations/0001-baseline.sql): the service itself owns none.

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database, Queryable } from '../../database/pool.ts'
import { dropReplacedVersions, highestGenerations, liveGenerations, type NextBuild, switchBuild } from './progress.ts'
import { BUILT_TOGETHER, TABLES } from './projection.ts'
import type { ProjectionName, ProjectionVersion } from './versions.ts'

/** The first generation: it comes with the tables. */
const FIRST = 0

/** What is built with some projections, themselves among them. */
function builtWith(projections: readonly ProjectionName[]): ProjectionName[] {
  return [...new Set(projections.flatMap((name) => BUILT_TOGETHER[name]))]
}

/** The tables of projections, and of those that are built with them. */
export function tablesOf(projections: readonly ProjectionName[]): string[] {
  return builtWith(projections).map((name) => TABLES[name])
}

/** The name of a table's partition. */
export function partitionName(table: string, generation: number): string {
  if (!Number.isSafeInteger(generation)) throw new RangeError(`no generation: ${generation}`)
  return `${table}_g${generation}`
}

/** Creates the tables of a new generation of projections, not attached and without indexes, and returns its number. */
export async function beginGeneration(db: Queryable, projections: readonly ProjectionName[]): Promise<number> {
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
  projections: readonly ProjectionName[],
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

/**
 * Makes a generation the live one of a register at a size, from this transaction's commit on; again does nothing. Waits for
 * the process that moves its progress. Throws GenerationOvertakenError where the live one is a later build or reaches further:
 * a reader never loses size.
 */
export async function makeLive(
  tx: Queryable,
  register: string,
  projection: ProjectionVersion,
  next: NextBuild,
): Promise<void> {
  const live = await switchBuild(tx, register, projection, next)
  if (live !== next.generation) throw new GenerationOvertakenError(register, projection.name, next.generation)
}

/**
 * The generation in which a version of a projection begins a register: where it keeps the others, else one of its own,
 * which is made now. `beside` is the build that it sums up, in whose generation its rows belong.
 */
export async function homeGeneration(
  tx: Queryable,
  register: string,
  projection: ProjectionVersion,
  beside: number | null,
): Promise<number> {
  const { name } = projection
  const table = TABLES[name]
  // One at a time: the next one finds what this one makes.
  await sql`lock table only ${sql.table(table)} in share update exclusive mode`.execute(tx)
  const { own, others, here } = await highestGenerations(tx, register, projection)
  const isFree = (generation: number | null) => generation !== null && (here === null || generation > here)
  for (const generation of [beside, own, others === null ? FIRST : null]) {
    if (generation !== null && isFree(generation) && (await isAttached(tx, table, generation))) return generation
  }
  const generation = await beginGeneration(tx, [name])
  await attachGeneration(tx, generation, [name])
  return generation
}

/** A generation of a projection: one partition of its table. */
type ProjectionBuild = { projection: ProjectionName; generation: number }

async function attachedBuilds(db: Queryable): Promise<ProjectionBuild[]> {
  const projections = new Map(Object.entries(TABLES).map(([projection, table]) => [table as string, projection]))
  const { rows } = await sql<{ table: string; generation: number }>`
    select parent.relname as table, substring(part.relname from '_g([0-9]+)$')::bigint as generation
    from pg_inherits join pg_class part on part.oid = inhrelid join pg_class parent on parent.oid = inhparent
    where inhparent in (select to_regclass(name) from unnest(${[...projections.keys()]}::text[]) name)
    order by generation, parent.relname`.execute(db)
  // Safe: the tables asked for are the keys.
  return rows.map(({ table, generation }) => ({ projection: projections.get(table) as ProjectionName, generation }))
}

/** Whether nobody reads a build, nor ever will: a register goes on to higher numbers only. */
function isPrevious(
  { generation }: ProjectionBuild,
  live: readonly { generation: number }[],
  underWay: ReadonlySet<number> | null,
): boolean {
  // Where nothing is known of what is being built, a number beyond that of any register may be that of a build to come.
  const isOver = underWay ? !underWay.has(generation) : live.every((other) => other.generation > generation)
  return live.length > 0 && isOver && live.every((other) => other.generation !== generation)
}

const READERS_LEAVE_MS = 60_000
const LOOK_EVERY_MS = 50

/**
 * Waits until every statement and transaction that began before now has ended: one that has seen an earlier progress may
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
  { projection, generation }: ProjectionBuild,
  mayDrop: (tx: Queryable) => Promise<boolean>,
): Promise<boolean> {
  const attempt = () =>
    db.transaction().execute(async (tx) => {
      await sql`set local lock_timeout = '100ms'`.execute(tx)
      const table = TABLES[projection]
      await sql`lock table only ${sql.table(table)} in access exclusive mode`.execute(tx)
      if (!(await mayDrop(tx))) return false
      await sql`select drop_partition(${table}, ${generation})`.execute(tx)
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
  projections: readonly ProjectionName[],
): Promise<boolean> {
  let isDropped = true
  for (const projection of builtWith(projections)) {
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
 * Drops the rows that no register is read from any longer: whole generations, rows of `registers` (all by default) in
 * generations that others use, and the rest of earlier versions. `underWay` names the generations that are being
 * built. Without it, generations that a register might still switch to are kept. Throws if a reader does not end
 * within a minute.
 */
export async function dropPrevious(
  db: Database,
  registers?: readonly string[],
  underWay?: () => Promise<ReadonlySet<number>>,
): Promise<Dropped> {
  await dropReplacedVersions(db, registers)
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
      dropped.tables.push(partitionName(TABLES[build.projection], build.generation))
    else if (!building?.has(build.generation)) dropped.rows += await deleteRows(db, build, live, registers)
  }
  return dropped
}

/** Deletes the rows of registers that have gone on to later builds; those of a dropped register's only build stay. */
async function deleteRows(
  db: Database,
  { projection, generation }: ProjectionBuild,
  live: readonly { register: string; generation: number }[],
  registers: readonly string[] | undefined,
): Promise<number> {
  const byRegister = Map.groupBy(live, ({ register }) => register)
  const gone = [...byRegister].filter(([, builds]) => builds.every((other) => other.generation > generation))
  const ids = gone.map(([register]) => register).filter((register) => !registers || registers.includes(register))
  const { numAffectedRows } = await sql`delete from ${sql.table(partitionName(TABLES[projection], generation))}
    where register = any(${ids}::text[])`.execute(db)
  return Number(numAffectedRows ?? 0)
}

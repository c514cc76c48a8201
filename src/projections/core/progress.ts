// How far each version of each projection has read each register, and which build of its rows is read. This file alone names the
// table; its functions run on their caller's transaction, and decide nothing.

import { CompiledQuery, type RawBuilder, type Selectable, sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Tables } from '../../database/tables.ts'
import { current, type ProjectionName, type ProjectionVersion, VERSIONS } from './versions.ts'

/**
 * How far one version of a projection has read one register. `size` is what readers are told; `building` is how far rows reach
 * that nobody reads before they reach as far as those of another version, else null.
 */
export type ProjectionProgress = Selectable<Tables['projection_progress']>

/** How far the rows reach, whether they are read already or not. */
export function builtSize({ size, building }: Pick<ProjectionProgress, 'size' | 'building'>): number {
  return building ?? size
}

function rowsOf(db: Queryable, register: string, { name, version }: ProjectionVersion) {
  return db
    .selectFrom('projection_progress')
    .selectAll()
    .where('register', '=', register)
    .where('projection', '=', name)
    .where('version', '=', version)
}

/** The progress of a projection in a register; undefined where it has not begun. */
export function progressOf(
  db: Queryable,
  register: string,
  projection: ProjectionVersion,
): Promise<ProjectionProgress | undefined> {
  return rowsOf(db, register, projection).executeTakeFirst()
}

/** How far readers are told that a projection has read a register: 0 where it has not begun. */
export async function projectionSize(db: Queryable, register: string, projection: ProjectionName): Promise<number> {
  return (await progressOf(db, register, current(projection)))?.size ?? 0
}

/** The same progress, locked until the transaction ends; waits for the process that holds it. */
export function lockProgress(
  tx: Queryable,
  register: string,
  projection: ProjectionVersion,
): Promise<ProjectionProgress | undefined> {
  return rowsOf(tx, register, projection).forUpdate().executeTakeFirst()
}

/** The same without waiting: undefined, too, where another process holds it. */
export function tryLockProgress(
  tx: Queryable,
  register: string,
  projection: ProjectionVersion,
): Promise<ProjectionProgress | undefined> {
  return rowsOf(tx, register, projection).forUpdate().skipLocked().executeTakeFirst()
}

/** The progress of every version of every projection in a register, locked until the transaction ends. */
export function lockAllProgress(tx: Queryable, register: string): Promise<ProjectionProgress[]> {
  return tx
    .selectFrom('projection_progress')
    .selectAll()
    .where('register', '=', register)
    .orderBy('projection')
    .orderBy('version')
    .forUpdate()
    .execute()
}

/** The other versions of a projection that have begun a register, in order, each with its size. */
export function otherVersions(
  db: Queryable,
  register: string,
  { name, version }: ProjectionVersion,
): Promise<{ version: number; size: number }[]> {
  return db
    .selectFrom('projection_progress')
    .select(['version', 'size'])
    .where('register', '=', register)
    .where('projection', '=', name)
    .where('version', '<>', version)
    .orderBy('version')
    .execute()
}

/** The registers whose log, or followed projection, reaches beyond a projection: those that go on, or those that stopped. */
export async function registersBehind(
  db: Queryable,
  { name, version, follows }: ProjectionVersion & { follows?: ProjectionVersion },
  isStopped: boolean,
): Promise<string[]> {
  const { rows } = await sql<{ register: string }>`select r.register from register r
    left join projection_progress c on c.register = r.register and c.projection = ${name} and c.version = ${version}
    left join projection_progress f on f.register = r.register and f.projection = ${follows?.name ?? null}
      and f.version = ${follows?.version ?? null}
    where case when ${follows?.name ?? null}::text is null then r.size else coalesce(f.building, f.size, 0) end
        > coalesce(c.building, c.size, 0)
      and (c.stopped_at is not null) = ${isStopped}`.execute(db)
  return rows.map((row) => row.register)
}

/** Begins a register at size 0; does nothing where another process has begun it. */
export async function openProgress(
  tx: Queryable,
  register: string,
  { name, version }: ProjectionVersion,
  { generation, isHidden }: { generation: number; isHidden: boolean },
): Promise<void> {
  await sql`insert into projection_progress (register, projection, version, size, generation, building, moved_at)
    values (${register}, ${name}, ${version}, 0, ${generation}, ${isHidden ? 0 : null}, now())
    on conflict do nothing`.execute(tx)
}

function update(tx: Queryable, register: string, { name, version }: ProjectionVersion) {
  return tx
    .updateTable('projection_progress')
    .where('register', '=', register)
    .where('projection', '=', name)
    .where('version', '=', version)
}

/** Moves a projection on to a size; `isHidden` where nobody is to read as far yet. It goes on where it had stopped. */
export async function moveProgress(
  tx: Queryable,
  register: string,
  projection: ProjectionVersion,
  { size, timeZone, isHidden }: { size: number; timeZone: string | null; isHidden: boolean },
): Promise<void> {
  await update(tx, register, projection)
    .set({
      ...(isHidden ? { building: size } : { building: null, size }),
      time_zone: timeZone,
      stopped_at: null,
      stopped_because: null,
      moved_at: sql<Date>`now()`,
    })
    .execute()
}

/** Writes that a projection has stopped before the event at a position, and why. */
export async function stopProgress(
  tx: Queryable,
  register: string,
  projection: ProjectionVersion,
  { position, because }: { position: number; because: string },
): Promise<void> {
  await update(tx, register, projection).set({ stopped_at: position, stopped_because: because }).execute()
}

/** Takes a projection back to a size, where it has read further. */
export async function takeBackProgress(
  tx: Queryable,
  register: string,
  projection: ProjectionVersion,
  size: number,
): Promise<void> {
  await update(tx, register, projection)
    .set({
      size: sql<number>`least(size, ${size})`,
      building: sql<number | null>`case when building is not null then least(building, ${size}) end`,
    })
    .execute()
}

/** Forgets how far a version of a projection has read a register: it begins anew. */
export async function dropProgress(
  tx: Queryable,
  { register, projection, version }: Pick<ProjectionProgress, 'register' | 'projection' | 'version'>,
): Promise<void> {
  await tx
    .deleteFrom('projection_progress')
    .where('register', '=', register)
    .where('projection', '=', projection)
    .where('version', '=', version)
    .execute()
}

/** Forgets the versions before this code's in registers (undefined: in all) where this one has taken their place. */
export async function dropReplacedVersions(db: Queryable, registers: readonly string[] | undefined): Promise<void> {
  for (const [projection, version] of Object.entries(VERSIONS)) {
    await sql`delete from projection_progress earlier using projection_progress own
      where earlier.register = own.register and earlier.projection = own.projection and own.projection = ${projection}
        and own.version = ${version} and own.building is null and earlier.version < own.version
        and own.size >= earlier.size
        ${registers ? sql`and own.register = any(${[...registers]}::text[])` : sql``}`.execute(db)
  }
}

/** A build that is to be read, and how far it reaches. */
export type NextBuild = { generation: number; size: number; timeZone: string | null }

/**
 * Lets readers go on to a later build, unless the one that they read is later still or reaches further. Returns the generation
 * that they read from then on. Waits for the process that moves the progress.
 */
export async function switchBuild(
  tx: Queryable,
  register: string,
  projection: ProjectionVersion,
  { generation, size, timeZone }: NextBuild,
): Promise<number> {
  await sql`
    insert into projection_progress as live (register, projection, version, size, generation, time_zone, moved_at)
    values (${register}, ${projection.name}, ${projection.version}, ${size}, ${generation}, ${timeZone}, now())
    on conflict (register, projection, version) do update
      set size = excluded.size, generation = excluded.generation, building = null, time_zone = excluded.time_zone,
        stopped_at = null, stopped_because = null, moved_at = excluded.moved_at
      where live.generation < excluded.generation and live.size <= excluded.size`.execute(tx)
  return (await rowsOf(tx, register, projection).executeTakeFirstOrThrow()).generation
}

/** Which generation is live for each register; of several versions that are kept up, each has its own. */
export function liveGenerations(
  db: Queryable,
  projection: ProjectionName,
): Promise<{ register: string; generation: number }[]> {
  return db
    .selectFrom('projection_progress')
    .select(['register', 'generation'])
    .where('projection', '=', projection)
    .execute()
}

/** The highest generations of a projection: of its version, of its other versions, and of a register; null where none is. */
export async function highestGenerations(
  db: Queryable,
  register: string,
  { name, version }: ProjectionVersion,
): Promise<{ own: number | null; others: number | null; here: number | null }> {
  const { rows } = await sql<{ own: number | null; others: number | null; here: number | null }>`
    select max(generation) filter (where version = ${version}) as own,
      max(generation) filter (where version <> ${version}) as others,
      max(generation) filter (where register = ${register}) as here
    from projection_progress where projection = ${name}`.execute(db)
  return rows[0] ?? { own: null, others: null, here: null }
}

/** A projection as readers see it: null in the columns of its progress where it has not begun. */
export type RegisterProgress = {
  register: string
  /** How many events the register holds, when the last was recorded (milliseconds since the epoch), and its own stream's revision. */
  total: number
  recorded_ms: number | null
  own_revision: number
  redactions: number
} & (
  | { projection: ProjectionName; version: number; size: number; generation: number; stopped_because: string | null }
  | { projection: null }
)

/** Versions of projections other than these are the business of the services that read them. */
const CURRENT = Object.entries(VERSIONS)
  .map(([name, version]) => `('${name}', ${version})`)
  .join(', ')

// As text, and not built anew each time: to build a statement takes longer than the database takes to run it.
const OF_REGISTERS = `select r.register, r.size as total, (extract(epoch from r.last_recorded_at) * 1000)::bigint as recorded_ms,
    r.own_revision, r.redactions, c.projection, c.version, c.size, c.generation, c.stopped_because
  from register r left join projection_progress c on c.register = r.register and (c.projection, c.version) in (${CURRENT})
  where r.register = any($1::text[]) and r.size > 0`

/** Registers that hold events, each with how far every projection has read it, at one moment. */
export async function progressOfRegisters(db: Queryable, registers: readonly string[]): Promise<RegisterProgress[]> {
  return (await db.executeQuery<RegisterProgress>(CompiledQuery.raw(OF_REGISTERS, [registers]))).rows
}

export type ProgressOfAll = {
  register: string
  total: number
  projection: ProjectionName
  version: number
  still_seconds: number
} & Pick<ProjectionProgress, 'stopped_at' | 'stopped_because' | 'building'> & {
    generation: number | null
    size: number | null
  }

/** How far each of some projections has read every register, projection by projection, and for how long it has stood still. */
export async function progressOfAll(
  db: Queryable,
  projections: readonly ProjectionVersion[],
): Promise<ProgressOfAll[]> {
  const names = projections.map(({ name }) => name)
  const versions = projections.map(({ version }) => version)
  const { rows } =
    await sql<ProgressOfAll>`select r.register, r.size as total, p.name as projection, p.version, c.generation, c.size,
      c.building, c.stopped_at, c.stopped_because,
      coalesce(extract(epoch from now() - c.moved_at), 0)::float8 as still_seconds
    from unnest(${names}::text[], ${versions}::integer[]) with ordinality p (name, version, place)
      cross join register r
      left join projection_progress c on c.register = r.register and c.projection = p.name and c.version = p.version
    where r.size > 0 order by p.place, r.register`.execute(db)
  return rows
}

/** The progress of a projection at this code's version, as the rows that a statement selects from: one, or none. */
export function progressRow(register: string, projection: ProjectionName): RawBuilder<ProjectionProgress> {
  return sql<ProjectionProgress>`(select * from projection_progress where register = ${register} and projection = ${projection}
    and version = ${VERSIONS[projection]})`
}

/** The same as text, for a statement that has the register as $1. */
export function progressRowText(projection: ProjectionName): string {
  return `(select * from projection_progress where register = $1 and projection = '${projection}' and version = ${VERSIONS[projection]})`
}

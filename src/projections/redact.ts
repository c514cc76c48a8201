// Erasing: what an event said goes from every row that was made of it, in the transaction that erases it from the log. The
// rows of its stream are folded anew at the size that they stand at; of the tallies those are summed up again that counted it.

import { type Selectable, sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { Tables } from '../database/tables.ts'
import { type KnownRegister, stateKnownAt } from '../registers/registers.ts'
import { commitments } from './commitments/projection.ts'
import { type Projection, timeZonesFrom } from './core/run.ts'
import { VERSIONS } from './core/versions.ts'
import { periods } from './periods/projection.ts'
import { unfinishedOperation } from './replay/progress.ts'
import { EPOCH } from './tallies/project.ts'

type Checkpoint = Selectable<Tables['checkpoint']>

/**
 * Holds off replays of a register to the end of the transaction; false where one has not ended: its threads may have read what
 * is to be erased, and write it into rows that nobody finds yet.
 */
export async function holdOffReplays(tx: Queryable, register: string): Promise<boolean> {
  // One that is about to begin waits, and one that has just begun is seen.
  await sql`lock table operation in share mode`.execute(tx)
  const unfinished = await unfinishedOperation(tx)
  return unfinished === null || (unfinished.register !== null && unfinished.register !== register)
}

/**
 * Rebuilds what projections hold of a stream from the log, as it is now, and lets go of all other rows that may hold what was
 * erased. `position` is that of the first event that was erased. The transaction holds the register's row.
 */
export async function eraseFromRows(
  tx: Queryable,
  known: KnownRegister,
  { stream, position }: { stream: string; position: number },
  epoch = EPOCH,
): Promise<void> {
  const { register } = known
  const own = await lockCheckpoints(tx, register)
  const before = await membershipsOf(tx, register, stream)
  await dropOtherRows(tx, register, own)
  const ofCommitments = own.find(({ projection }) => projection === 'commitments')
  if (ofCommitments) await foldAnew(tx, known, commitments, ofCommitments, stream)
  const ofPeriods = own.find(({ projection }) => projection === 'periods')
  if (!ofPeriods) return
  await sql`delete from period where register = ${register} and generation = ${ofPeriods.generation} and id = ${stream}`.execute(
    tx,
  )
  await foldAnew(tx, known, periods, ofPeriods, stream)
  await eraseMemberships(tx, register, before)
  const ofTallies = own.find(({ projection }) => projection === 'tallies')
  if (ofTallies) await sumUpAgain(tx, ofTallies, Math.floor(position / epoch), epoch)
}

/** The checkpoints of this service's projections, locked; those of other versions are given up: they begin anew. */
async function lockCheckpoints(tx: Queryable, register: string): Promise<Checkpoint[]> {
  // Who is just beginning a register holds a checkpoint that nobody else sees yet, and has read the log (homeGeneration).
  await sql`lock table only commitment, only period, only tally in share update exclusive mode`.execute(tx)
  const all = await tx
    .selectFrom('checkpoint')
    .selectAll()
    .where('register', '=', register)
    .orderBy('projection')
    .orderBy('version')
    .forUpdate()
    .execute()
  const isOwn = ({ projection, version }: Checkpoint) =>
    Object.entries(VERSIONS).some(([name, own]) => name === projection && own === version)
  for (const { projection, version } of all.filter((checkpoint) => !isOwn(checkpoint))) {
    await tx
      .deleteFrom('checkpoint')
      .where('register', '=', register)
      .where('projection', '=', projection)
      .where('version', '=', version)
      .execute()
  }
  return all.filter(isOwn)
}

const TABLES = { commitment: 'commitments', period: 'periods', tally: 'tallies' } as const

/** Deletes the rows of a register that are not live: of builds that were replaced, or left behind by a replay. */
async function dropOtherRows(tx: Queryable, register: string, own: readonly Checkpoint[]): Promise<void> {
  for (const [table, projection] of Object.entries(TABLES)) {
    const live = own.find((checkpoint) => checkpoint.projection === projection)?.generation ?? -1
    const { rows } = await sql<{ name: string }>`select relname as name from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname ~ ${`^${table}(_g[0-9]+)?$`}`.execute(tx)
    for (const { name } of rows) {
      await sql`delete from ${sql.table(name)} where register = ${register} and generation <> ${live}`.execute(tx)
    }
  }
}

/** Folds a stream from the log into the rows of a checkpoint, at the size that they stand at. */
async function foldAnew(
  tx: Queryable,
  known: KnownRegister,
  projection: Projection,
  { size: read, building, generation }: Checkpoint,
  stream: string,
): Promise<void> {
  const size = building ?? read
  const zones = timeZonesFrom(
    known,
    0,
    known.events.filter(({ position }) => position < size),
  )
  const { timeZone } = stateKnownAt(known, size)
  await projection.apply(tx, {
    register: known.register,
    streams: [stream],
    from: 0,
    size,
    timeZone,
    zones,
    generation,
  })
}

/** The numbers of what a commitment ever belonged to. */
async function membershipsOf(tx: Queryable, register: string, stream: string): Promise<number[]> {
  const { rows } = await sql<{ number: number }>`select distinct unnest(memberships) as number from period
    where register = ${register} and id = ${stream}`.execute(tx)
  return rows.map(({ number }) => number)
}

/** Blanks those of some memberships to which nothing belongs any longer; their numbers are not given out again. */
async function eraseMemberships(tx: Queryable, register: string, numbers: readonly number[]): Promise<void> {
  await sql`update membership m set programme = null, themes = '{}', parties = '{}',
      hash = sha256(convert_to('erased ' || m.number, 'UTF8'))
    where m.register = ${register} and m.number = any(${[...numbers]}::integer[]) and not exists (
      select from period p where p.register = ${register} and p.memberships @> array[m.number])`.execute(tx)
}

/** Drops the sums from an epoch on, which are summed up again; what is asked meanwhile is answered from the rows themselves. */
async function sumUpAgain(
  tx: Queryable,
  { register, version, generation }: Checkpoint,
  first: number,
  epoch: number,
): Promise<void> {
  await sql`delete from tally where register = ${register} and generation = ${generation} and epoch >= ${first}`.execute(
    tx,
  )
  const size = first * epoch
  await sql`update checkpoint set size = least(size, ${size}),
      building = case when building is not null then least(building, ${size}) end
    where register = ${register} and projection = 'tallies' and version = ${version}`.execute(tx)
}

// Redacting: what an event said goes from every row that was made of it, in the transaction that redacts it in the log. The
// rows of its stream are folded anew at the size that they stand at; of the tallies those are summed up again that counted it.

import { sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import { type KnownRegister, stateKnownAt } from '../registers/registers.ts'
import { timeZonesUpTo } from '../registers/time-zones.ts'
import { PROJECTIONS } from './all.ts'
import { commitments } from './commitments/projection.ts'
import { builtSize, dropProgress, lockAllProgress, type ProjectionProgress, takeBackProgress } from './core/progress.ts'
import { type Projection, TABLES } from './core/projection.ts'
import { current } from './core/versions.ts'
import { membershipNumbersOf, redactMemberships } from './periods/memberships.ts'
import { periods } from './periods/projection.ts'
import { EPOCH } from './tallies/rollup.ts'

/** The stream of the event that was redacted, and the first position whose content is gone. */
type Redacted = { stream: string; position: number }

/**
 * Rebuilds what projections hold of a stream from the log, as it is now, and deletes all other rows that may hold what was
 * redacted. `position` is that of the first event that was redacted. The transaction holds the register's row.
 */
export async function redactFromRows(
  tx: Queryable,
  known: KnownRegister,
  { stream, position }: Redacted,
  epoch = EPOCH,
): Promise<void> {
  const { register } = known
  const own = await lockOwnProgress(tx, register)
  const before = await membershipNumbersOf(tx, register, stream)
  await dropOtherRows(tx, register, own)
  const ofCommitments = own.find(({ projection }) => projection === 'commitments')
  if (ofCommitments) await foldAnew(tx, known, commitments, ofCommitments, stream)
  const ofPeriods = own.find(({ projection }) => projection === 'periods')
  if (!ofPeriods) return
  await sql`delete from period where register = ${register} and generation = ${ofPeriods.generation} and id = ${stream}`.execute(
    tx,
  )
  await foldAnew(tx, known, periods, ofPeriods, stream)
  await redactMemberships(tx, register, before)
  const ofTallies = own.find(({ projection }) => projection === 'tallies')
  if (ofTallies) await sumUpAgain(tx, ofTallies, Math.floor(position / epoch), epoch)
}

/** The progress of this service's projections, locked; other versions are given up: they begin anew. */
async function lockOwnProgress(tx: Queryable, register: string): Promise<ProjectionProgress[]> {
  // A process that is just beginning a register holds a row that nobody else sees yet, and has read the log (homeGeneration).
  await sql`lock table only commitment, only period, only tally in share update exclusive mode`.execute(tx)
  const all = await lockAllProgress(tx, register)
  const isOwn = ({ projection, version }: ProjectionProgress) =>
    PROJECTIONS.some((own) => own.name === projection && own.version === version)
  for (const other of all.filter((one) => !isOwn(one))) await dropProgress(tx, other)
  return all.filter(isOwn)
}

/** Deletes the rows of a register that are not live: of builds that were replaced, or left behind by a replay. */
async function dropOtherRows(tx: Queryable, register: string, own: readonly ProjectionProgress[]): Promise<void> {
  for (const [projection, table] of Object.entries(TABLES)) {
    const live = own.find((one) => one.projection === projection)?.generation ?? -1
    const { rows } = await sql<{ name: string }>`select relname as name from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname ~ ${`^${table}(_g[0-9]+)?$`}`.execute(tx)
    for (const { name } of rows) {
      await sql`delete from ${sql.table(name)} where register = ${register} and generation <> ${live}`.execute(tx)
    }
  }
}

/** Folds a stream from the log into the live rows, at the size that they stand at. */
async function foldAnew(
  tx: Queryable,
  known: KnownRegister,
  projection: Projection,
  progress: ProjectionProgress,
  stream: string,
): Promise<void> {
  const { register } = known
  const { generation } = progress
  const size = builtSize(progress)
  const { timeZone } = stateKnownAt(known, size)
  const zones = timeZonesUpTo(known, size)
  await projection.apply(tx, { register, streams: [stream], from: 0, size, timeZone, zones, generation })
}

/** Drops the sums from an epoch on, which are summed up again; what is asked meanwhile is answered from the rows themselves. */
async function sumUpAgain(
  tx: Queryable,
  { register, generation }: ProjectionProgress,
  first: number,
  epoch: number,
): Promise<void> {
  await sql`delete from tally where register = ${register} and generation = ${generation} and epoch >= ${first}`.execute(
    tx,
  )
  await takeBackProgress(tx, register, current('tallies'), first * epoch)
}

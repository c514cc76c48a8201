// The last phase of a replay: what has been recorded since is read in ordinary steps, and the last of them makes the rows live.

import type { Queryable } from '../../database/pool.ts'
import { lockRegister } from '../../eventlog/append.ts'
import { type KnownRegister, stateKnownAt } from '../../registers/registers.ts'
import { makeLive } from '../core/generations.ts'
import { lockProgress } from '../core/progress.ts'
import { BATCH, readOn } from '../core/step.ts'
import { EPOCH } from '../tallies/rollup.ts'
import { builds, checkLease, type Job, jobRegister, knownRegister, livePeriods, projectionsOf } from './job.ts'
import { moveRegister, type PreviousBuilds, type RegisterReplay } from './progress.ts'

/** So many events at most are read while nobody may append; more, where the log grows faster than they are read. */
const LAST_EVENTS = 200
const PATIENCE = 50

/** Reads what has come since, and switches. Throws ReplayOvertakenError where it is stopped. */
export async function goLive(job: Job, register: string): Promise<void> {
  for (let attempt = 0; !(await catchUpOnce(job, register, attempt)); attempt += 1) checkLease(job)
}

/** One step on, in one transaction; the last of them makes the rows live. True where they are. */
async function catchUpOnce(job: Job, register: string, attempt: number): Promise<boolean> {
  job.report.phase('catchingUp')
  const row = await jobRegister(job, register)
  const from = Math.max(row.size, row.reached)
  const { head } = await knownRegister(job, job.db, register)
  const mayBeLast = head.size - from < (attempt < PATIENCE ? LAST_EVENTS : BATCH)
  return job.db.transaction().execute(async (tx) => {
    // Nobody appends from here to the commit: that the rows are at the head is proved, not hoped for.
    if (mayBeLast) {
      await lockRegister(tx, register)
      // Before the rows are numbered: the loop that keeps the live ones up locks its progress first, too.
      for (const projection of projectionsOf(job)) await lockProgress(tx, register, projection)
    }
    const known = await knownRegister(job, tx, register)
    const reached = await foldOn(job, tx, known, from)
    const rolledUp = await rollUpOn(job, tx, known, { ...row, reached })
    const isLast = mayBeLast && (reached === known.head.size || !readsLog(job))
    const live = isLast ? { isLive: true, previous: await switchOver(job, tx, known, reached) } : {}
    await moveRegister(tx, job.operation.id, row, { reached, rolledUp, ...live })
    return isLast
  })
}

/** Tallies by themselves read the rows that they sum up, and are as new as these. */
function readsLog(job: Job): boolean {
  return builds(job, 'commitments') || builds(job, 'periods')
}

/** Folds events into the rows of all projections that read the log; returns how far that is. */
async function foldOn(job: Job, tx: Queryable, known: KnownRegister, from: number): Promise<number> {
  if (!readsLog(job)) return (await livePeriods(tx, known.register)).size
  const { generation } = job.operation
  let size = from
  for (const projection of projectionsOf(job).filter(({ follows }) => !follows)) {
    const reached = await readOn(tx, known, projection, { size: from, generation })
    size = reached?.size ?? from
  }
  return size
}

/** Rolls up the epochs that have come to an end since; returns how far that is. */
async function rollUpOn(
  job: Job,
  tx: Queryable,
  known: KnownRegister,
  { rolledUp, reached }: RegisterReplay,
): Promise<number> {
  const { generation } = job.operation
  const tallies = projectionsOf(job).find(({ follows }) => follows)
  if (!tallies) return rolledUp
  const { register } = known
  const followed = builds(job, 'periods') ? generation : (await livePeriods(tx, register)).generation
  let size = rolledUp
  for (; size + EPOCH <= reached; size += EPOCH) {
    const batch = { register, streams: [], from: size, size: size + EPOCH, zones: [], generation, followed }
    await tallies.apply(tx, { ...batch, timeZone: stateKnownAt(known, size).timeZone })
  }
  return size
}

/** Makes the rows live at a size; returns what was live before. */
async function switchOver(job: Job, tx: Queryable, known: KnownRegister, size: number): Promise<PreviousBuilds> {
  const { register } = known
  const previous: PreviousBuilds = {}
  const { timeZone } = stateKnownAt(known, size)
  for (const projection of projectionsOf(job)) {
    const before = await lockProgress(tx, register, projection)
    if (before) previous[projection.name] = { generation: before.generation, size: before.size }
    await makeLive(tx, register, projection, { generation: job.operation.generation, size, timeZone })
  }
  return previous
}

// Replay: projections are built anew beside the ones in use, from the whole log, and take their place when they are at its
// head. The log below a size never changes, so parts of it are read in any order, in worker threads; what comes later is read in
// ordinary steps. All that is done is written down with it: a replay that was killed goes on where it was.

import { randomUUID } from 'node:crypto'
import type { Database } from '../../database/pool.ts'
import { UnreadableEventError } from '../../domain/repairs.ts'
import type { Registers } from '../../registers/registers.ts'
import { attachGeneration, tablesOf } from '../core/generations.ts'
import type { ProjectionName } from '../core/versions.ts'
import { AnotherReplayError } from './begin.ts'
import { endOf, fail, type ReplayOutcome } from './end.ts'
import { foldParts } from './fold.ts'
import { goLive } from './go-live.ts'
import { adoptPrimaryKey, buildIndexes } from './indexes.ts'
import { builds, checkLease, type Job, jobRegisters, ProgressReport, type ReplayOptions } from './job.ts'
import { keepLease } from './lease.ts'
import { finishOperation, heartbeat, readOperation, takeLease } from './operation.ts'
import { ReplayOvertakenError } from './progress.ts'
import { rollUpTallies } from './roll-up.ts'
import { endFilling } from './tables.ts'

/**
 * Works on a replay until it is live, fails at an event that no fold can read, is cancelled, or is stopped. Throws
 * AnotherReplayError where another process works on it.
 */
export async function runReplay(
  db: Database,
  registers: Registers,
  id: string,
  options: ReplayOptions,
): Promise<ReplayOutcome> {
  const owner = randomUUID()
  const isTaken = await takeLease(db, id, owner)
  // Read when it is taken: until then its options may change.
  const operation = await readOperation(db, id)
  if (!operation) throw new Error(`there is no operation ${id}`)
  if (operation.state !== 'running') return { state: operation.state, failedBecause: operation.failedBecause }
  if (!isTaken) throw new AnotherReplayError(operation)
  const lease = keepLease(db, id, owner, options.signal)
  const own = { ...options, signal: lease.signal }
  try {
    const job = () => ({ db, registers, operation, options: own, report: new ProgressReport(options.onProgress) })
    // A process that lost its lease to this one may write a last step before it notices: from there it goes on.
    while (await wasOvertaken(work(job()))) {
      if (lease.signal.aborted || (await heartbeat(db, id, owner)) !== 'running') break
    }
  } catch (error) {
    if (!(error instanceof UnreadableEventError)) throw error
    await fail(db, operation, error)
  } finally {
    await lease.release()
  }
  return endOf(db, operation)
}

/** Whether work ended because it was stopped, or because another process has moved what it was about to move. */
async function wasOvertaken(work: Promise<void>): Promise<boolean> {
  try {
    await work
    return false
  } catch (error) {
    if (error instanceof ReplayOvertakenError) return true
    throw error
  }
}

/** Works from where a replay stands to its end. Throws ReplayOvertakenError where it is stopped. */
async function work(job: Job): Promise<void> {
  const { db, operation, report } = job
  const { id, generation, projections } = operation
  await foldParts(job)
  report.phase('indexing')
  await endFilling(db, generation)
  const filled = projections.filter((name) => name !== 'tallies')
  // Rolling up reads by this one; it keeps a processor busy while the server builds the others.
  if (builds(job, 'periods')) await buildIndexes(db, 'period', generation, ['period_known_from'])
  await attach(job, 'tallies')
  await Promise.all([rollUpTallies(job), ...filled.map((name) => index(job, name))])
  for (const name of filled) await attach(job, name)
  for (const { register, isLive } of await jobRegisters(job)) if (!isLive) await goLive(job, register)
  await finishOperation(db, id, 'caughtUp')
  report.phase('live')
}

async function attach(job: Job, projection: ProjectionName): Promise<void> {
  checkLease(job)
  if (builds(job, projection)) await attachGeneration(job.db, job.operation.generation, [projection])
}

async function index(job: Job, projection: ProjectionName): Promise<void> {
  checkLease(job)
  for (const table of tablesOf([projection]).filter((name) => name !== 'tally')) {
    await buildIndexes(job.db, table, job.operation.generation)
    await adoptPrimaryKey(job.db, table, job.operation.generation)
  }
}

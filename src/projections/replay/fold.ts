// The first phase of a replay: the parts of every register that are not folded yet are folded, in worker threads.

import { availableParallelism } from 'node:os'
import { timeZonesUpTo } from '../../registers/time-zones.ts'
import { builds, checkLease, type Job, jobRegisters, knownRegister } from './job.ts'
import type { PartWork } from './part.ts'
import { ROLLUP_SHARE, replayProgress } from './phases.ts'
import { openParts } from './progress.ts'
import { createRateLimiter, type RateLimiter } from './rate-limiter.ts'
import { Workers } from './workers.ts'

const CHUNK_EVENTS = 4_000

/** Folds what is left of the parts of every register. Throws ReplayOvertakenError where it is stopped. */
export async function foldParts(job: Job): Promise<void> {
  const { db, operation, options, report } = job
  const registers = await jobRegisters(job)
  // Where it stands before anything is done: its speed is measured from here.
  report.begin(replayProgress(operation, registers))
  if (!builds(job, 'commitments') && !builds(job, 'periods')) return
  const limiter = operation.maxRate === null ? null : createRateLimiter(operation.maxRate)
  const pool = new Workers(options.connectionString, options.workers ?? availableParallelism())
  const share = builds(job, 'tallies') ? 1 - ROLLUP_SHARE : 1
  const onProgress = (events: number) => report.advance('folding', events * share)
  try {
    for (const { register, size } of registers) {
      const parts = await openParts(db, operation.id, register)
      if (parts.length > 0)
        await pool.fold(await workOn(job, register, size, limiter), parts, onProgress, options.signal)
      checkLease(job)
    }
  } finally {
    await pool.close()
  }
}

async function workOn(job: Job, register: string, size: number, limiter: RateLimiter | null): Promise<PartWork> {
  const { id, generation, projections } = job.operation
  const zones = timeZonesUpTo(await knownRegister(job, job.db, register), size)
  const { chunkEvents = CHUNK_EVENTS } = job.options
  return { operation: id, register, generation, size, zones, projections, limiter, chunkEvents }
}

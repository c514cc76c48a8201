// The phase of a replay that rolls up tallies, epoch by epoch, from what is folded.

import { openSingle, type SingleConnection } from '../../database/pool.ts'
import { partitionName } from '../core/generations.ts'
import { EPOCH } from '../tallies/rollup.ts'
import { builds, checkLease, type Job, jobRegister, jobRegisters, livePeriods } from './job.ts'
import { ROLLUP_SHARE } from './phases.ts'
import { moveRegister, type RegisterReplay } from './progress.ts'
import { TallyWriter } from './tally-writer.ts'

/** Rolls up what is folded, register by register. */
export async function rollUpTallies(job: Job): Promise<void> {
  if (!builds(job, 'tallies')) return
  const single = await openSingle(job.options.connectionString)
  try {
    for (const { register, isLive } of await jobRegisters(job)) if (!isLive) await rollUpRegister(job, single, register)
  } finally {
    await single.close()
  }
}

async function rollUpRegister(job: Job, single: SingleConnection, register: string): Promise<void> {
  const { id, generation } = job.operation
  const writer = new TallyWriter(single, { register, generation })
  for (let row = await jobRegister(job, register); ; row = await jobRegister(job, register)) {
    const size = row.rolledUp + EPOCH
    if (size > (await reachOfPeriods(job, row))) return
    checkLease(job)
    await writer.addEpoch(size, await periodsOf(job, register), (tx) => moveRegister(tx, id, row, { rolledUp: size }))
    job.report.advance('sealing', EPOCH * (builds(job, 'periods') ? ROLLUP_SHARE : 1))
  }
}

/** How far the rows reach that sums are made of. */
async function reachOfPeriods(job: Job, { register, size }: RegisterReplay): Promise<number> {
  return builds(job, 'periods') ? size : Math.min(size, (await livePeriods(job.db, register)).size)
}

/** The rows that sums are made of: those that are being built, not attached yet, or those that are live. */
async function periodsOf(job: Job, register: string): Promise<{ generation: number; table: string }> {
  const { generation } = job.operation
  if (builds(job, 'periods')) return { generation, table: partitionName('period', generation) }
  return { generation: (await livePeriods(job.db, register)).generation, table: 'period' }
}

// How far a replay is, in the words of its answers.

import type { Database } from '../../database/pool.ts'
import { type Operation, type OperationState, unfinishedOperation } from './operation.ts'
import { type RegisterReplay, readReplayedRegisters } from './progress.ts'

/** How an operation stands: `pending` until a process has taken it up, `interrupted` where none works on it any more. */
export function statusOf({ state, isOwned, isPending }: Operation): OperationState | 'pending' | 'interrupted' {
  if (state !== 'running' || isOwned) return state
  return isPending ? 'pending' : 'interrupted'
}

/** The phases of a replay; `sealing` is the word of answers for rolling up tallies. */
export const PHASES = ['folding', 'indexing', 'sealing', 'catchingUp', 'live'] as const
export type Phase = (typeof PHASES)[number]

/** How far a replay has come, in events. */
export type ReplayProgress = { phase: Phase; done: number; of: number }

/** What rolling an event up into tallies costs beside folding it. */
export const ROLLUP_SHARE = 0.2

/** How far a replay has come, from what its registers have. */
export function replayProgress({ projections }: Operation, registers: readonly RegisterReplay[]): ReplayProgress {
  const isFolded = projections.some((name) => name !== 'tallies')
  const isRolledUp = projections.includes('tallies')
  const share = !isRolledUp ? 0 : isFolded ? ROLLUP_SHARE : 1
  let [done, of] = [0, 0]
  for (const { size, folded, rolledUp, isLive } of registers) {
    of += size
    done += isLive ? size : (1 - share) * folded + share * Math.min(size, rolledUp)
  }
  return { phase: phaseOf(registers, isFolded, isRolledUp), done: Math.floor(done), of }
}

function phaseOf(registers: readonly RegisterReplay[], isFolded: boolean, isRolledUp: boolean): Phase {
  const waiting = registers.filter(({ isLive }) => !isLive)
  if (waiting.length === 0) return 'live'
  if (isFolded && waiting.some(({ folded, reached }) => folded === 0 && reached === 0)) return 'folding'
  if (waiting.every(({ reached }) => reached > 0)) return 'catchingUp'
  return isRolledUp && waiting.some(({ rolledUp }) => rolledUp > 0) ? 'sealing' : 'folding'
}

export type ReplayState = Operation & ReplayProgress

/** The replay that has not ended, and how far it is; null where there is none. */
export async function unfinishedState(db: Database): Promise<ReplayState | null> {
  const operation = await unfinishedOperation(db)
  return operation && { ...operation, ...replayProgress(operation, await readReplayedRegisters(db, operation.id)) }
}

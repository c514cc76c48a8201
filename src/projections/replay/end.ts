// Ending a replay, and dropping what it has built or replaced.

import type { Database } from '../../database/pool.ts'
import type { UnreadableEventError } from '../../domain/repairs.ts'
import { type Dropped, dropGeneration, dropPrevious } from '../core/generations.ts'
import {
  finishOperation,
  generationsUnderWay,
  type Operation,
  type OperationState,
  readOperation,
  unfinishedOperation,
} from './operation.ts'

/** How a replay ended: `running` says that it was stopped and can go on. */
export type ReplayOutcome = { state: OperationState; failedBecause: string | null }

/** Ends a replay for good and drops what it has built; false where it has ended already. The process that works on it notices. */
export async function cancelReplay(db: Database, id: string): Promise<boolean> {
  const operation = await readOperation(db, id)
  if (!operation || !(await finishOperation(db, id, 'cancelled'))) return false
  // The process that works on it would be in the way, and drops it when it stops.
  if (!operation.isOwned) await dropBuilt(db, operation)
  return true
}

/** Cancels a replay of the register that was interrupted. Nobody may go on with what it has read. */
export async function giveUpInterrupted(db: Database, register: string): Promise<void> {
  const unfinished = await unfinishedOperation(db)
  if (!unfinished || unfinished.isOwned || unfinished.isPending) return
  if (unfinished.register === null || unfinished.register === register) await cancelReplay(db, unfinished.id)
}

async function dropBuilt(db: Database, { generation, projections }: Operation): Promise<void> {
  await dropGeneration(db, generation, projections)
}

/** How an operation ended, as it is stored; drops what one that was cancelled has built. */
export async function endOf(db: Database, { id }: Operation): Promise<ReplayOutcome> {
  // Safe: it was there before.
  const operation = (await readOperation(db, id)) as Operation
  if (operation.state === 'cancelled') await dropBuilt(db, operation)
  return { state: operation.state, failedBecause: operation.failedBecause }
}

/** Ends an operation at an event that no fold can read, and drops what it has built. */
export async function fail(
  db: Database,
  operation: Operation,
  { message, position }: UnreadableEventError,
): Promise<void> {
  await finishOperation(db, operation.id, 'failed', { because: message, at: position })
  await dropBuilt(db, operation)
}

/** Drops what replays have replaced, of a register or (null) of all. */
export function dropReplaced(db: Database, register: string | null): Promise<Dropped> {
  return dropPrevious(db, register === null ? undefined : [register], () => generationsUnderWay(db))
}

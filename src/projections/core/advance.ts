// Bringing a projection on in a register, step by step: an event that it cannot read is looked for by halving the batch, and
// stops it right before that event.

import type { Database } from '../../database/pool.ts'
import { UnreadableEventError } from '../../domain/repairs.ts'
import type { Registers } from '../../registers/registers.ts'
import type { Projection } from './projection.ts'
import { BATCH, FoldError, type StepResult, step, stopAt } from './step.ts'

/** A step, or that the batch was not folded. */
async function tryStep(
  db: Database,
  registers: Registers,
  projection: Projection,
  register: string,
  limit: number,
): Promise<StepResult | FoldError> {
  try {
    return await db.transaction().execute((tx) => step(tx, registers, projection, register, limit))
  } catch (error) {
    if (error instanceof FoldError) return error
    throw error
  }
}

/** How many events come before the one that is named, where that is one of a batch of so many; else null. */
function namedWithin({ from, cause }: FoldError, events: number): number | null {
  const before = cause instanceof UnreadableEventError ? cause.position - from : -1
  return before >= 0 && before < events ? before : null
}

/**
 * One step; an event that it cannot read stops the projection right before it: its progress names it, nothing is
 * skipped.
 */
export async function advance(
  db: Database,
  registers: Registers,
  projection: Projection,
  register: string,
): Promise<StepResult> {
  /** How many of the next events are known not to fold together, the last of them the one that is looked for or after it. */
  let unfolded: number | null = null
  for (let limit = BATCH; ; ) {
    const tried = await tryStep(db, registers, projection, register, limit)
    if (!(tried instanceof FoldError)) {
      if (unfolded === null || tried !== 'behind') return tried
      unfolded -= limit
      limit = Math.max(1, Math.floor(unfolded / 2))
      continue
    }
    const before = namedWithin(tried, limit)
    if (limit === 1 || before === 0) {
      await db.transaction().execute((tx) => stopAt(tx, projection, register, tried))
      return 'idle'
    }
    unfolded = before === null ? limit : before + 1
    limit = before ?? Math.floor(limit / 2)
  }
}

/** Tries again the event that has stopped a projection; with what comes after it, which may take it back, where need be. */
export async function retry(
  db: Database,
  registers: Registers,
  projection: Projection,
  register: string,
): Promise<StepResult> {
  for (const limit of [1, BATCH]) {
    const tried = await tryStep(db, registers, projection, register, limit)
    if (!(tried instanceof FoldError)) return tried
  }
  return 'idle'
}

/**
 * Brings a projection of one register to the head of its log, batch by batch. False where nothing was done, as when another
 * process is at it.
 */
export async function catchUp(
  db: Database,
  registers: Registers,
  projection: Projection,
  register: string,
): Promise<boolean> {
  let moved = false
  for (let last: StepResult = 'behind'; last === 'behind'; ) {
    last = await advance(db, registers, projection, register)
    moved ||= last !== 'idle'
  }
  return moved
}

// One step of a projection in a register: read a batch, fold, write, move the progress, all in one transaction, so that every
// event counts exactly once. Any number of processes may do it: they take turns at the progress.

import type { Queryable } from '../../database/pool.ts'
import { REGISTER_STREAM } from '../../domain/event.ts'
import { UnreadableEventError } from '../../domain/repairs.ts'
import { readGrowth } from '../../eventlog/feed.ts'
import { streamsSince } from '../../eventlog/streams.ts'
import { type RegisterLog, type Registers, stateKnownAt } from '../../registers/registers.ts'
import { timeZonesFrom } from '../../registers/time-zones.ts'
import { homeGeneration } from './generations.ts'
import {
  builtSize,
  moveProgress,
  openProgress,
  otherVersions,
  type ProjectionProgress,
  progressOf,
  stopProgress,
  tryLockProgress,
} from './progress.ts'
import type { Projection } from './projection.ts'

export const BATCH = 4_000

/** How a step ended: with more to read, at the head of the log, or without anything to do. */
export type StepResult = 'behind' | 'atHead' | 'idle'

/** The progress, locked until the transaction ends; null where another process holds it. */
async function lockOrBegin(
  tx: Queryable,
  projection: Projection,
  register: string,
): Promise<ProjectionProgress | null> {
  const locked = await tryLockProgress(tx, register, projection)
  if (locked) return locked
  const isHeld = (await progressOf(tx, register, projection)) !== undefined
  if (isHeld) return null
  await begin(tx, projection, register)
  return (await tryLockProgress(tx, register, projection)) ?? null
}

/** How far other versions of a projection have read a register. */
async function sizeOfOthers(tx: Queryable, projection: Projection, register: string): Promise<number> {
  const others = await otherVersions(tx, register, projection)
  return Math.max(0, ...others.map(({ size }) => size))
}

/**
 * Begins a register. If another version has rows, nobody reads the new ones before they reach as far. A projection
 * that sums up others makes answers faster, not newer, so its rows need not wait.
 */
async function begin(tx: Queryable, projection: Projection, register: string): Promise<void> {
  const { follows } = projection
  const followed = follows && (await progressOf(tx, register, follows))
  const generation = await homeGeneration(tx, register, projection, followed?.generation ?? null)
  const isHidden = !follows && (await sizeOfOthers(tx, projection, register)) > 0
  await openProgress(tx, register, projection, { generation, isHidden })
}

async function moveTo(
  tx: Queryable,
  projection: Projection,
  { register, building }: ProjectionProgress,
  { size, timeZone }: Reached,
): Promise<void> {
  const isHidden = building !== null && size < (await sizeOfOthers(tx, projection, register))
  await moveProgress(tx, register, projection, { size, timeZone, isHidden })
}

/** Folds the next batch of a register's log into the projection. Throws FoldError. */
export async function step(
  tx: Queryable,
  registers: Registers,
  projection: Projection,
  register: string,
  limit: number,
): Promise<StepResult> {
  const progress = await lockOrBegin(tx, projection, register)
  const known = await registers.log(tx, register)
  if (!progress || !known) return 'idle'
  if (projection.follows) return followingStep(tx, known, projection, projection.follows, progress)
  const [size, { generation }] = [builtSize(progress), progress]
  const reached = await readOn(tx, known, projection, { size, generation, limit }).catch((error: unknown) => {
    throw isUnreadable(error) ? new FoldError(size, error) : error
  })
  if (!reached) return 'idle'
  await moveTo(tx, projection, progress, reached)
  return reached.size < known.head.size ? 'behind' : 'atHead'
}

/** Sums up what the followed projection has written since. */
async function followingStep(
  tx: Queryable,
  known: RegisterLog,
  projection: Projection,
  follows: NonNullable<Projection['follows']>,
  progress: ProjectionProgress,
): Promise<StepResult> {
  const { register, generation, size: from } = progress
  const followed = await progressOf(tx, register, follows)
  const reached = followed ? builtSize(followed) : 0
  const size = Math.min(reached, follows.stepEnd(from))
  if (!followed || size <= from) return 'idle'
  const { timeZone } = stateKnownAt(known, size)
  const batch = { register, streams: [], from, size, timeZone, zones: [], generation, followed: followed.generation }
  await projection.apply(tx, batch)
  await moveTo(tx, projection, progress, { size, timeZone })
  return size < reached ? 'behind' : 'atHead'
}

/** How far rows have come, and the register's time zone as known then. */
export type Reached = { size: number; timeZone: string }

/** Folds the next events of the log into the rows of a generation that reach a size; null where there are none. */
export async function readOn(
  db: Queryable,
  known: RegisterLog,
  projection: Projection,
  { size: from, generation, limit = BATCH }: { size: number; generation: number; limit?: number },
): Promise<Reached | null> {
  const { register } = known
  const events = await readGrowth(db, { register, after: from - 1, until: known.head.size - 1, limit })
  const last = events.at(-1)
  if (!last) return null
  const size = last.position + 1
  const { timeZone } = stateKnownAt(known, size)
  const zones = timeZonesFrom(known, from, events)
  // Facts are dated in the register's time zone: where that was corrected, every one of them may move.
  const isRedated = from > 0 && zones.length > 1
  const touched = isRedated ? await streamsSince(db, register, 0) : [...new Set(events.map((event) => event.stream))]
  const streams = touched.filter((stream) => stream !== REGISTER_STREAM)
  await projection.apply(db, { register, streams, from, size, timeZone, zones, generation })
  return { size, timeZone }
}

/** Writes that a projection cannot fold the event at the size that it has read. */
export async function stopAt(
  tx: Queryable,
  projection: Projection,
  register: string,
  { from, cause }: FoldError,
): Promise<void> {
  const because =
    cause instanceof UnreadableEventError ? cause.message : `event ${from} cannot be read: ${cause.message}`
  // The step that failed took its progress back with it, so there may be none yet.
  const progress = await lockOrBegin(tx, projection, register)
  if (progress) await stopProgress(tx, register, projection, { position: from, because })
}

/** A batch from a size on that was not folded, because of an event in it that cannot be read. */
export class FoldError extends Error {
  readonly from: number
  override readonly cause: Error

  constructor(from: number, cause: Error) {
    super(cause.message)
    this.from = from
    this.cause = cause
  }
}

/** SQLSTATE of rows that a table does not take: values out of range or of a wrong form (class 22), null, a failed check. */
const NOT_TAKEN = /^(22...|23502|23514)$/

/** Whether a batch fails for what it says, and will do so again: an event cannot be read, or comes to rows that cannot be. */
function isUnreadable(error: unknown): error is Error {
  if (error instanceof UnreadableEventError || error instanceof TypeError || error instanceof RangeError) return true
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && NOT_TAKEN.test(code)
}

// The one loop that keeps projections up with the log: read a batch, fold, write, move the checkpoint, all in one
// transaction, so that every event counts exactly once. Any number of processes may run it: they take turns at a checkpoint.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Selectable, sql } from 'kysely'
import type { Database, Queryable } from '../../database/pool.ts'
import type { Tables } from '../../database/tables.ts'
import { REGISTER_STREAM } from '../../domain/event.ts'
import { isRepair, type Knowledge, UnreadableEventError } from '../../domain/repairs.ts'
import { type Growth, readGrowth, streamsSince } from '../../eventlog/feed.ts'
import { type RegisterLog, type Registers, stateKnownAt } from '../../registers/registers.ts'
import { homeGeneration } from './generations.ts'
import { type ProjectionName, VERSIONS } from './versions.ts'

/** What a batch changed: the streams that grew, and the sizes between which it reads. */
export type Change = {
  register: string
  streams: readonly string[]
  /** What the projection has read before, and reaches with this batch. */
  from: number
  size: number
  /** The register's time zone as known at `size`. */
  timeZone: string
  /** The sizes from `from` on at which another time zone came to be known; the first is that at `from`. */
  zones: readonly Knowledge[]
  /** Which rows are written: the live ones, or those of a build that is to take their place. */
  generation: number
  /** The generation of the rows that a projection sums up; its own where none is named. */
  followed?: number
}

export type Projection = {
  name: string
  /** Rows that a fold of another version wrote are another version's: this one builds its own beside them. */
  version: number
  /** The projection whose rows this one sums up, and how far it goes in one step; it reads those rows and not the log. */
  follows?: { name: string; version: number; stepEnd: (from: number) => number }
  /** Brings the rows of a generation on; those of others stay as they are. */
  apply: (db: Queryable, change: Change) => Promise<void>
}

export const BATCH = 4_000
/** How long an idle runner waits before it looks again: others may append without waking it. */
const IDLE_MS = 100
/** Or for so many times as long as looking took: with thousands of registers it takes a while. */
const IDLE_FACTOR = 20
/** How long a runner that has worked lets the log grow: a batch costs little more than an event does. */
const GATHER_MS = 40
/**
 * Where this process has written so often during a round, recording comes first: the round is followed by a longer rest
 * ...
 */
const UNDER_LOAD = 8
/** ... of so many times as long as it took, up to a limit. Projections fall behind then, and catch up when it is over. */
const YIELD = 8
const MAX_YIELD_MS = 2_000
const AFTER_ERROR_MS = 1_000
/** How often a projection that an event has stopped tries it again: what is wrong may have been mended elsewhere. */
const RETRY_STOPPED_MS = 10_000

/** The registers whose log (or followed projection) reaches beyond the projection: those that go on, or those that stopped. */
async function behind(db: Database, { name, version, follows }: Projection, isStopped = false): Promise<string[]> {
  const { rows } = await sql<{ register: string }>`select r.register from register r
    left join checkpoint c on c.register = r.register and c.projection = ${name} and c.version = ${version}
    left join checkpoint f on f.register = r.register and f.projection = ${follows?.name ?? null}
      and f.version = ${follows?.version ?? null}
    where case when ${follows?.name ?? null}::text is null then r.size else coalesce(f.building, f.size, 0) end
        > coalesce(c.building, c.size, 0)
      and (c.stopped_at is not null) = ${isStopped}`.execute(db)
  return rows.map((row) => row.register)
}

type Checkpoint = Selectable<Tables['checkpoint']>

function checkpointOf(db: Queryable, { name, version }: { name: string; version: number }, register: string) {
  return db
    .selectFrom('checkpoint')
    .selectAll()
    .where('register', '=', register)
    .where('projection', '=', name)
    .where('version', '=', version)
}

/** The checkpoint, locked until the transaction ends; none where another process holds it. */
async function lockCheckpoint(db: Queryable, projection: Projection, register: string): Promise<Checkpoint | null> {
  const lock = () => checkpointOf(db, projection, register).forUpdate().skipLocked().executeTakeFirst()
  const locked = await lock()
  if (locked) return locked
  const isHeld = (await checkpointOf(db, projection, register).executeTakeFirst()) !== undefined
  if (isHeld) return null
  await openCheckpoint(db, projection, register)
  return (await lock()) ?? null
}

/** How far the rows of a checkpoint reach, whether they are read already or not. */
function reachOf({ size, building }: Checkpoint): number {
  return building ?? size
}

/** How far other versions of a projection have read a register. */
async function sizeOfOthers(db: Queryable, { name, version }: Projection, register: string): Promise<number> {
  const { size } = await db
    .selectFrom('checkpoint')
    .select((eb) => eb.fn.max('size').as('size'))
    .where('register', '=', register)
    .where('projection', '=', name)
    .where('version', '<>', version)
    .executeTakeFirstOrThrow()
  // Safe: the type leaves out that there may be none.
  return (size as number | null) ?? 0
}

/**
 * Begins a register. Where there are rows of another version, nobody reads the new ones before they reach as far; a
 * projection that sums up others makes answers faster, not newer, so its rows need not wait.
 */
async function openCheckpoint(db: Queryable, projection: Projection, register: string): Promise<void> {
  const { name, version, follows } = projection
  const followed = follows ? await checkpointOf(db, follows, register).executeTakeFirst() : undefined
  const generation = await homeGeneration(db, register, projection, followed?.generation ?? null)
  const isHidden = !follows && (await sizeOfOthers(db, projection, register)) > 0
  await sql`insert into checkpoint (register, projection, version, size, generation, building, moved_at)
    values (${register}, ${name}, ${version}, 0, ${generation}, ${isHidden ? 0 : null}, now())
    on conflict do nothing`.execute(db)
}

/** How a step ended: with more to read, at the head of the log, or without anything to do. */
type Step = 'behind' | 'atHead' | 'idle'

/** Folds the next batch of a register's log into the projection. */
async function step(
  db: Queryable,
  registers: Registers,
  projection: Projection,
  register: string,
  limit: number,
): Promise<Step> {
  const checkpoint = await lockCheckpoint(db, projection, register)
  const known = await registers.log(db, register)
  if (!checkpoint || !known) return 'idle'
  if (projection.follows) return followingStep(db, known, projection, checkpoint)
  const [size, { generation }] = [reachOf(checkpoint), checkpoint]
  const reached = await readOn(db, known, projection, { size, generation, limit }).catch((error: unknown) => {
    throw isUnreadable(error) ? new FoldError(size, error) : error
  })
  if (!reached) return 'idle'
  await moveCheckpoint(db, projection, checkpoint, reached.size, reached.timeZone)
  return reached.size < known.head.size ? 'behind' : 'atHead'
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

/** The time zone known at a size, and those that corrections among the events after it brought. */
export function timeZonesFrom(known: RegisterLog, from: number, events: readonly Growth[]): Knowledge[] {
  const zones = [{ size: from, timeZone: stateKnownAt(known, from).timeZone }]
  for (const { stream, type, position } of events) {
    // Only the opening and its repairs set the time zone; each of those is rare.
    if (stream !== REGISTER_STREAM || (type !== 'RegisterOpened' && !isRepair(type))) continue
    const { timeZone } = stateKnownAt(known, position + 1)
    if (timeZone !== zones.at(-1)?.timeZone) zones.push({ size: position + 1, timeZone })
  }
  return zones
}

/** Sums up what the followed projection has written since. */
async function followingStep(
  db: Queryable,
  known: RegisterLog,
  projection: Projection,
  checkpoint: Checkpoint,
): Promise<Step> {
  const { register, generation, size: from } = checkpoint
  const { stepEnd, ...other } = projection.follows as NonNullable<Projection['follows']>
  const followed = await checkpointOf(db, other, register).executeTakeFirst()
  const reached = followed ? reachOf(followed) : 0
  const size = Math.min(reached, stepEnd(from))
  if (!followed || size <= from) return 'idle'
  const { timeZone } = stateKnownAt(known, size)
  const change = { register, streams: [], from, size, timeZone, zones: [], generation, followed: followed.generation }
  await projection.apply(db, change)
  await moveCheckpoint(db, projection, checkpoint, size, timeZone)
  return size < reached ? 'behind' : 'atHead'
}

async function moveCheckpoint(
  db: Queryable,
  projection: Projection,
  { register, building }: Checkpoint,
  size: number,
  timeZone: string | null,
): Promise<void> {
  const isHidden = building !== null && size < (await sizeOfOthers(db, projection, register))
  await db
    .updateTable('checkpoint')
    .set({
      ...(isHidden ? { building: size } : { building: null, size }),
      time_zone: timeZone,
      stopped_at: null,
      stopped_because: null,
      moved_at: sql<Date>`now()`,
    })
    .where('register', '=', register)
    .where('projection', '=', projection.name)
    .where('version', '=', projection.version)
    .execute()
}

async function stopAt(
  db: Database,
  projection: Projection,
  register: string,
  { from, cause }: FoldError,
): Promise<void> {
  const because =
    cause instanceof UnreadableEventError ? cause.message : `event ${from} cannot be read: ${cause.message}`
  await db.transaction().execute(async (tx) => {
    // The step that failed took its checkpoint back with it, so there may be none yet.
    const checkpoint = await lockCheckpoint(tx, projection, register)
    if (!checkpoint) return
    await tx
      .updateTable('checkpoint')
      .set({ stopped_at: from, stopped_because: because })
      .where('register', '=', register)
      .where('projection', '=', projection.name)
      .where('version', '=', projection.version)
      .execute()
  })
}

/** A batch from a size on that was not folded, because of an event in it that cannot be read. */
class FoldError extends Error {
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

/** A step, or that the batch was not folded. */
async function tryStep(
  db: Database,
  registers: Registers,
  projection: Projection,
  register: string,
  limit: number,
): Promise<Step | FoldError> {
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
 * One step; an event that it cannot read stops the projection right before it: the checkpoint names it, nothing is
 * skipped.
 */
async function advance(db: Database, registers: Registers, projection: Projection, register: string): Promise<Step> {
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
      await stopAt(db, projection, register, tried)
      return 'idle'
    }
    unfolded = before === null ? limit : before + 1
    limit = before ?? Math.floor(limit / 2)
  }
}

/** Tries again the event that has stopped a projection; with what comes after it, which may take it back, where need be. */
async function retry(db: Database, registers: Registers, projection: Projection, register: string): Promise<Step> {
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
  for (let last: Step = 'behind'; last === 'behind'; ) {
    last = await advance(db, registers, projection, register)
    moved ||= last !== 'idle'
  }
  return moved
}

/** A projection has not read as much of the log as is asked for, as while it is built anew. */
export class ProjectionBehindError extends Error {
  constructor(register: string, size: number) {
    super(`size ${size} of ${register} is not reached yet`)
  }
}

export type Runner = {
  /** Says that the log grew: ends the pause of an idle runner; one that has just worked goes on gathering. */
  hint: () => void
  /** Looks at the log now, whatever the pause: somebody waits. */
  wake: () => void
  /** Ends the loop after the batch in hand. */
  stop: () => Promise<void>
}

/**
 * Runs the loop until it is stopped. Errors are reported and tried again; the log waits. `onMoved` is told of every register
 * of which a projection has read on.
 */
export function startRunner(
  db: Database,
  registers: Registers,
  projections: readonly Projection[],
  onError: (error: unknown) => void,
  onMoved: (register: string) => void = () => {},
): Runner {
  let pause = new AbortController()
  let isStopped = false
  let isIdle = false
  /** Somebody waits for what is behind. */
  let isHurried = false
  /** How often the log has grown since the last round began. */
  let hints = 0
  const rest = async (ms: number) => {
    await sleep(ms, undefined, { signal: pause.signal }).catch(() => {})
    pause = new AbortController()
  }
  // A step of each in turn: while the log grows fast, the first would never be done.
  const round = async (isRetry: boolean): Promise<Step> => {
    const steps: Step[] = []
    for (const projection of projections) {
      const stopped = isRetry ? await behind(db, projection, true) : []
      const goingOn = await behind(db, projection)
      for (const [again, register] of [
        ...stopped.map((one) => [retry, one] as const),
        ...goingOn.map((one) => [advance, one] as const),
      ]) {
        const step = await again(db, registers, projection, register)
        steps.push(step)
        if (step !== 'idle') onMoved(register)
      }
    }
    return steps.includes('behind') ? 'behind' : steps.includes('atHead') ? 'atHead' : 'idle'
  }
  /** Rests after a round that began then. */
  const restAfter = async (last: Step, beganAt: number): Promise<void> => {
    if (last === 'idle') {
      isIdle = true
      // What was recorded since the round began may have been missed by it.
      if (hints === 0) await rest(Math.max(IDLE_MS, IDLE_FACTOR * (performance.now() - beganAt)))
      isIdle = false
    } else if (hints >= UNDER_LOAD && !isHurried) {
      await rest(Math.min(MAX_YIELD_MS, Math.max(GATHER_MS, YIELD * (performance.now() - beganAt))))
    } else if (last === 'atHead') await rest(GATHER_MS)
    if (last !== 'behind') isHurried = false
  }
  // At once: this process may read what the one that stopped could not.
  let retriedAt = Number.NEGATIVE_INFINITY
  const loop = async () => {
    while (!isStopped) {
      try {
        const beganAt = performance.now()
        const isRetry = beganAt - retriedAt >= RETRY_STOPPED_MS
        if (isRetry) retriedAt = beganAt
        hints = 0
        await restAfter(await round(isRetry), beganAt)
      } catch (error) {
        onError(error)
        await rest(AFTER_ERROR_MS)
      }
    }
  }
  const ended = loop()
  return {
    hint() {
      hints += 1
      if (isIdle) pause.abort()
    },
    wake() {
      isHurried = true
      pause.abort()
    },
    async stop() {
      isStopped = true
      pause.abort()
      await ended
    },
  }
}

/** How far a projection has read one register's log: 0 where it has not begun. */
export async function projectionSize(db: Queryable, register: string, projection: ProjectionName): Promise<number> {
  const checkpoint = { name: projection, version: VERSIONS[projection] }
  return (await checkpointOf(db, checkpoint, register).executeTakeFirst())?.size ?? 0
}

// Replay: projections are built anew beside the ones in use, from the whole log, and take their place when they are at its
// head. The log below a size never changes, so parts of it are read in any order, in worker threads; what comes later is read in
// ordinary steps. All that is done is written down with it: a replay that was killed goes on where it was.

import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type Database, openSingle, type Queryable, type SingleConnection } from '../../database/pool.ts'
import { UnreadableEventError } from '../../domain/repairs.ts'
import { lockRegister } from '../../eventlog/append.ts'
import { listHeads, streamBounds } from '../../eventlog/load.ts'
import { type KnownRegister, type Registers, stateKnownAt } from '../../registers/registers.ts'
import { PROJECTIONS } from '../all.ts'
import {
  attachGeneration,
  beginGeneration,
  type Dropped,
  dropGeneration,
  dropPrevious,
  makeLive,
  partitionName,
  tablesOf,
} from '../core/generations.ts'
import { BATCH, type Projection, readOn, timeZonesFrom } from '../core/run.ts'
import { type ProjectionName, VERSIONS } from '../core/versions.ts'
import { EPOCH } from '../tallies/project.ts'
import { adoptPrimaryKey, buildIndexes } from './indexes.ts'
import type { Work } from './part.ts'
import {
  addOperation,
  addReplay,
  beat,
  changeOptions,
  finish,
  generationsUnderWay,
  moveReplay,
  type Operation,
  type OperationState,
  openParts,
  type RegisterProgress,
  ReplayOvertakenError,
  type Request,
  readOperation,
  readProgress,
  release,
  takeOperation,
  unfinishedOperation,
} from './progress.ts'
import { type Pace, paceOf } from './rate-limiter.ts'
import { endFilling, prepareFilling } from './tables.ts'
import { Sealer } from './tally-writer.ts'
import { Workers } from './workers.ts'

const BEAT_MS = 1_000
/** A part is a few seconds' work: what a worker that is done can still take from another. */
const PART_EVENTS = 20_000
const PARTS_AT_MOST = 256
const CHUNK_EVENTS = 4_000

/** So many events at most are read while nobody may append; more, where the log grows faster than they are read. */
const LAST_EVENTS = 200
const PATIENCE = 50

/** What a replay was asked for, or is about, while another is under way. */
export class AnotherReplayError extends Error {
  readonly operation: Operation

  constructor(operation: Operation, isOtherwise = false) {
    const { id, projections, register } = operation
    super(
      `replay ${id} of ${projections.join(', ')} of ${register ?? 'all registers'} ${whyNot(operation, isOtherwise)}`,
    )
    this.operation = operation
  }
}

function whyNot(operation: Operation, isOtherwise: boolean): string {
  if (isOtherwise) return `is under way with other options, ${describeOptions(operation)}: wait, or cancel it first`
  if (operation.isOwned) return 'is under way'
  // Hours of work may be in it: only whoever says so gives it up.
  return `has not ended: \`${commandOf(operation)}\` goes on with it, \`pledger replay --cancel\` gives it up`
}

/** How an operation stands: `pending` until a process has taken it up, `interrupted` where none works on it any more. */
export function statusOf({ state, isOwned, isPending }: Operation): OperationState | 'pending' | 'interrupted' {
  if (state !== 'running' || isOwned) return state
  return isPending ? 'pending' : 'interrupted'
}

/** The options of a replay in words. */
export function describeOptions({ maxRate, dropPrevious }: Pick<Request, 'maxRate' | 'dropPrevious'>): string {
  const rate = maxRate === null ? 'as fast as it can' : `at ${maxRate.toLocaleString('en-US')} events/s at most`
  return `${rate}, ${dropPrevious ? 'dropping' : 'keeping'} the previous rows`
}

/** The projections that a replay of some brings with it: tallies are sums of periods. */
export function replayed(projections: readonly string[]): ProjectionName[] {
  const named = projections.length === 0 ? Object.keys(VERSIONS) : projections
  return PROJECTIONS.filter(
    ({ name, follows }) => named.includes(name) || (follows && named.includes(follows.name)),
  ).map(
    // Safe: the names of all projections.
    ({ name }) => name as ProjectionName,
  )
}

function hasOptions(operation: Operation, { maxRate, dropPrevious }: Request): boolean {
  return operation.maxRate === maxRate && operation.dropPrevious === dropPrevious
}

/** Whether a replay is what a request asks for, be it with other options. */
export function isSame(operation: Operation, { projections, register }: Request): boolean {
  return operation.register === register && operation.projections.join() === projections.join()
}

/**
 * Begins a replay; or returns the one that was interrupted, where the same is asked for again: that goes on, with the options
 * of the new request. Throws AnotherReplayError where another has not ended, or the same is under way with other options.
 */
export async function beginReplay(db: Database, request: Request): Promise<Operation> {
  const unfinished = await unfinishedOperation(db)
  if (unfinished && isSame(unfinished, request)) return goOnWith(db, unfinished, request)
  if (unfinished) throw new AnotherReplayError(unfinished)
  const heads = (await listHeads(db)).filter(
    ({ register }) => request.register === null || register === request.register,
  )
  const bounds = new Map<string, string[]>()
  for (const { register, size } of heads) bounds.set(register, await boundsOf(db, register, size))
  const id = await anotherFirst(db, async (tx) => {
    const generation = await beginGeneration(tx, request.projections)
    if (request.projections.includes('commitments')) await prepareFilling(tx, generation)
    const operation = await addOperation(tx, request, generation)
    for (const { register, size } of heads) {
      await addReplay(tx, operation, { register, size, bounds: bounds.get(register) ?? [] })
    }
    return operation
  })
  // Safe: just written.
  return (await readOperation(db, id)) as Operation
}

async function goOnWith(db: Database, operation: Operation, request: Request): Promise<Operation> {
  if (hasOptions(operation, request)) return operation
  const isChanged = await changeOptions(db, operation.id, request)
  // Safe: it was there before.
  const now = (await readOperation(db, operation.id)) as Operation
  if (!isChanged) throw new AnotherReplayError(now, true)
  return now
}

const UNIQUE_VIOLATION = '23505'

/** Writes a new operation; throws AnotherReplayError where another has begun at the same moment. */
async function anotherFirst(db: Database, write: (tx: Queryable) => Promise<string>): Promise<string> {
  try {
    return await db.transaction().execute(write)
  } catch (error) {
    // Safe: whatever was thrown may have a code.
    if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error
    const other = await unfinishedOperation(db)
    throw other ? new AnotherReplayError(other) : error
  }
}

function boundsOf(db: Database, register: string, size: number): Promise<string[]> {
  const parts = Math.min(PARTS_AT_MOST, Math.ceil(size / PART_EVENTS))
  return parts > 1 ? streamBounds(db, register, size, parts) : Promise.resolve([])
}

/** Ends a replay for good and drops what it has built; false where it has ended already. Whoever works on it notices. */
export async function cancelReplay(db: Database, id: string): Promise<boolean> {
  const operation = await readOperation(db, id)
  if (!operation || !(await finish(db, id, 'cancelled'))) return false
  // The process that works on it would be in the way, and drops it when it stops.
  if (!operation.isOwned) await dropBuilt(db, operation)
  return true
}

async function dropBuilt(db: Database, { generation, projections }: Operation): Promise<void> {
  await dropGeneration(db, generation, projections)
}

export const PHASES = ['folding', 'indexing', 'sealing', 'catchingUp', 'live'] as const
export type Phase = (typeof PHASES)[number]

/** How far a replay has come, in events. */
export type ReplayProgress = { phase: Phase; done: number; of: number }

/** What sealing an event costs beside folding it. */
const SEALING_SHARE = 0.2

/** How far a replay has come, from what its registers have. */
export function progressOf({ projections }: Operation, registers: readonly RegisterProgress[]): ReplayProgress {
  const isFolded = projections.some((name) => name !== 'tallies')
  const isSealed = projections.includes('tallies')
  const share = !isSealed ? 0 : isFolded ? SEALING_SHARE : 1
  let [done, of] = [0, 0]
  for (const { size, folded, sealed, isLive } of registers) {
    of += size
    done += isLive ? size : (1 - share) * folded + share * Math.min(size, sealed)
  }
  return { phase: phaseOf(registers, isFolded, isSealed), done: Math.floor(done), of }
}

function phaseOf(registers: readonly RegisterProgress[], isFolded: boolean, isSealed: boolean): Phase {
  const waiting = registers.filter(({ isLive }) => !isLive)
  if (waiting.length === 0) return 'live'
  if (isFolded && waiting.some(({ folded, reached }) => folded === 0 && reached === 0)) return 'folding'
  if (waiting.every(({ reached }) => reached > 0)) return 'catchingUp'
  return isSealed && waiting.some(({ sealed }) => sealed > 0) ? 'sealing' : 'folding'
}

export type ReplayOptions = {
  connectionString: string
  /** Threads; as many as there are processors where null. */
  workers: number | null
  /** About how many events are folded and written in one transaction, where not as many as is fastest. */
  chunkEvents?: number
  /** Ends it, to be gone on with later. */
  signal: AbortSignal
  told: (progress: ReplayProgress) => void
}

/** How a replay ended: `running` says that it was stopped and can go on. */
export type Outcome = { state: OperationState; failedBecause: string | null }

/**
 * Works on a replay until it is live, fails at an event that no fold can read, is cancelled, or is stopped. Throws
 * AnotherReplayError where another process works on it.
 */
export async function runReplay(
  db: Database,
  registers: Registers,
  id: string,
  options: ReplayOptions,
): Promise<Outcome> {
  const owner = randomUUID()
  const isTaken = await takeOperation(db, id, owner)
  // Read when it is taken: until then its options may change.
  const operation = await readOperation(db, id)
  if (!operation) throw new Error(`there is no operation ${id}`)
  if (operation.state !== 'running') return { state: operation.state, failedBecause: operation.failedBecause }
  if (!isTaken) throw new AnotherReplayError(operation)
  const turn = keepTurn(db, id, owner, options.signal)
  try {
    const mine = { ...options, signal: turn.signal }
    // One that lost its turn to this process may write a last step before it notices: from there it goes on.
    while (await wasOvertaken(new Replay(db, registers, operation, mine).run())) {
      if (turn.signal.aborted || (await beat(db, id, owner)) !== 'running') break
    }
  } catch (error) {
    if (!(error instanceof UnreadableEventError)) throw error
    await fail(db, operation, error)
  } finally {
    await turn.end()
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

async function endOf(db: Database, { id }: Operation): Promise<Outcome> {
  // Safe: it was there before.
  const operation = (await readOperation(db, id)) as Operation
  if (operation.state === 'cancelled') await dropBuilt(db, operation)
  return { state: operation.state, failedBecause: operation.failedBecause }
}

async function fail(db: Database, operation: Operation, { message, position }: UnreadableEventError): Promise<void> {
  await finish(db, operation.id, 'failed', { because: message, at: position })
  await dropBuilt(db, operation)
}

type Turn = { signal: AbortSignal; end: () => Promise<void> }

/** Says again and again that this process works on an operation; the signal says that it no longer may, or shall. */
function keepTurn(db: Database, id: string, owner: string, stopped: AbortSignal): Turn {
  const lost = new AbortController()
  const timer = setInterval(async () => {
    // A beat that fails is made up for by the next; one that is missed for long lets another take the turn.
    const state = await beat(db, id, owner).catch(() => 'running')
    if (state !== 'running') lost.abort()
  }, BEAT_MS)
  return {
    signal: AbortSignal.any([stopped, lost.signal]),
    async end() {
      clearInterval(timer)
      await release(db, id, owner)
    },
  }
}

/** One process's work on a replay. */
class Replay {
  readonly #db: Database
  readonly #registers: Registers
  readonly #operation: Operation
  readonly #options: ReplayOptions
  readonly #has: (projection: ProjectionName) => boolean
  readonly #pace: Pace | null

  constructor(db: Database, registers: Registers, operation: Operation, options: ReplayOptions) {
    this.#db = db
    this.#registers = registers
    this.#operation = operation
    this.#options = options
    this.#has = (projection) => operation.projections.includes(projection)
    this.#pace = operation.maxRate === null ? null : paceOf(operation.maxRate)
  }

  /** From where it stands to its end. Throws ReplayOvertakenError where it is stopped. */
  async run(): Promise<void> {
    const { id, generation, projections } = this.#operation
    await this.#fold()
    this.#tell('indexing')
    await endFilling(this.#db, generation)
    const filled = projections.filter((name) => name !== 'tallies')
    // Sealing reads by this one; it keeps a processor busy while the server builds the others.
    if (this.#has('periods')) await buildIndexes(this.#db, 'period', generation, ['period_known_from'])
    await this.#attach('tallies')
    await Promise.all([this.#seal(), ...filled.map((name) => this.#index(name as ProjectionName))])
    for (const name of filled) await this.#attach(name)
    for (const { register, isLive } of await this.#progress()) if (!isLive) await this.#finishRegister(register)
    await finish(this.#db, id, 'caughtUp')
    this.#tell('live')
  }

  #progress(): Promise<RegisterProgress[]> {
    return readProgress(this.#db, this.#operation.id)
  }

  #checkTurn(): void {
    if (this.#options.signal.aborted) throw new ReplayOvertakenError()
  }

  #told = { done: 0, of: 0 }

  #tell(phase: Phase, done = this.#told.done): void {
    this.#told.done = done
    this.#options.told({ phase, ...this.#told })
  }

  async #attach(projection: string): Promise<void> {
    this.#checkTurn()
    if (this.#has(projection as ProjectionName))
      await attachGeneration(this.#db, this.#operation.generation, [projection])
  }

  async #index(projection: ProjectionName): Promise<void> {
    this.#checkTurn()
    for (const table of tablesOf([projection]).filter((name) => name !== 'tally')) {
      await buildIndexes(this.#db, table, this.#operation.generation)
      await adoptPrimaryKey(this.#db, table, this.#operation.generation)
    }
  }

  async #known(db: Queryable, register: string): Promise<KnownRegister> {
    const known = await this.#registers.read(db, register)
    if (!known) throw new Error(`register ${register} is gone`)
    return known
  }

  /** Folds what is left of the parts of every register. */
  async #fold(): Promise<void> {
    const progress = await this.#progress()
    const { phase, done, of } = progressOf(this.#operation, progress)
    this.#told = { done, of }
    // Where it stands before anything is done: whoever measures its pace measures from here.
    this.#tell(phase)
    if (!this.#has('commitments') && !this.#has('periods')) return
    const { connectionString, workers, signal } = this.#options
    const pool = new Workers(connectionString, workers ?? availableParallelism())
    const share = this.#has('tallies') ? 1 - SEALING_SHARE : 1
    const told = (events: number) => this.#tell('folding', this.#told.done + events * share)
    try {
      for (const { register, size } of progress) {
        const parts = await openParts(this.#db, this.#operation.id, register)
        if (parts.length > 0) await pool.fold(await this.#work(register, size), parts, told, signal)
        this.#checkTurn()
      }
    } finally {
      await pool.close()
    }
  }

  async #work(register: string, size: number): Promise<Work> {
    const { id, generation, projections } = this.#operation
    const known = await this.#known(this.#db, register)
    const zones = timeZonesFrom(
      known,
      0,
      known.events.filter(({ position }) => position < size),
    )
    const { chunkEvents = CHUNK_EVENTS } = this.#options
    return { operation: id, register, generation, size, zones, projections, pace: this.#pace, chunkEvents }
  }

  /** Reads what has come since, and switches. */
  async #finishRegister(register: string): Promise<void> {
    for (let attempt = 0; !(await this.#catchUp(register, attempt)); attempt += 1) this.#checkTurn()
  }

  /** Seals what is folded, register by register. */
  async #seal(): Promise<void> {
    if (!this.#has('tallies')) return
    const single = await openSingle(this.#options.connectionString)
    try {
      for (const { register, isLive } of await this.#progress()) if (!isLive) await this.#sealRegister(single, register)
    } finally {
      await single.close()
    }
  }

  async #sealRegister(single: SingleConnection, register: string): Promise<void> {
    const { id, generation } = this.#operation
    const sealer = new Sealer(single, { register, generation })
    for (let row = await this.#row(register); ; row = await this.#row(register)) {
      const size = row.sealed + EPOCH
      if (size > (await this.#sealable(row))) return
      this.#checkTurn()
      await sealer.seal(size, await this.#followed(register), (tx) => moveReplay(tx, id, row, { sealed: size }))
      this.#tell('sealing', this.#told.done + EPOCH * (this.#has('periods') ? SEALING_SHARE : 1))
    }
  }

  /** How far the rows reach that sums are made of. */
  async #sealable({ register, size }: RegisterProgress): Promise<number> {
    return this.#has('periods') ? size : Math.min(size, await sizeOf(this.#db, register, 'periods'))
  }

  /** The rows that sums are made of: those that are being built, not attached yet, or those that are live. */
  async #followed(register: string): Promise<{ generation: number; table: string }> {
    const { generation } = this.#operation
    if (this.#has('periods')) return { generation, table: partitionName('period', generation) }
    return { generation: await liveOf(this.#db, register, 'periods'), table: 'period' }
  }

  async #row(register: string): Promise<RegisterProgress> {
    const row = (await this.#progress()).find((one) => one.register === register)
    if (!row) throw new ReplayOvertakenError()
    return row
  }

  /** One step on, in one transaction; the last of them makes the rows live. True where they are. */
  async #catchUp(register: string, attempt: number): Promise<boolean> {
    this.#tell('catchingUp')
    const row = await this.#row(register)
    const from = Math.max(row.size, row.reached)
    const { head } = await this.#known(this.#db, register)
    const mayBeLast = head.size - from < (attempt < PATIENCE ? LAST_EVENTS : BATCH)
    return this.#db.transaction().execute(async (tx) => {
      // Nobody appends from here to the commit: that the rows are at the head is proved, not hoped for.
      if (mayBeLast) {
        await lockRegister(tx, register)
        // Before the rows are numbered: whoever keeps the live ones up takes its checkpoint first, too.
        for (const { name, version } of this.#projections()) await lockCheckpoint(tx, register, name, version)
      }
      const known = await this.#known(tx, register)
      const reached = await this.#readOn(tx, known, from)
      const sealed = await this.#followOn(tx, known, { ...row, reached })
      const isLast = mayBeLast && (reached === known.head.size || !this.#readsLog())
      const live = isLast ? { isLive: true, previous: await this.#switch(tx, known, reached) } : {}
      await moveReplay(tx, this.#operation.id, row, { reached, sealed, ...live })
      return isLast
    })
  }

  /** Tallies by themselves read the rows that they sum up, and are as new as these. */
  #readsLog(): boolean {
    return this.#has('commitments') || this.#has('periods')
  }

  /** Folds events into the rows of all projections that read the log; returns how far that is. */
  async #readOn(tx: Queryable, known: KnownRegister, from: number): Promise<number> {
    if (!this.#readsLog()) return sizeOf(tx, known.register, 'periods')
    const { generation } = this.#operation
    let size = from
    for (const projection of this.#projections().filter(({ follows }) => !follows)) {
      const reached = await readOn(tx, known, projection, { size: from, generation })
      size = reached?.size ?? from
    }
    return size
  }

  /** Seals the epochs that have come to an end since. */
  async #followOn(tx: Queryable, known: KnownRegister, { sealed, reached }: RegisterProgress): Promise<number> {
    const { generation } = this.#operation
    const tallies = this.#projections().find(({ follows }) => follows)
    if (!tallies) return sealed
    const { register } = known
    const followed = this.#has('periods') ? generation : await liveOf(tx, register, 'periods')
    let size = sealed
    for (; size + EPOCH <= reached; size += EPOCH) {
      const change = { register, streams: [], from: size, size: size + EPOCH, zones: [], generation, followed }
      await tallies.apply(tx, { ...change, timeZone: stateKnownAt(known, size).timeZone })
    }
    return size
  }

  #projections(): Projection[] {
    return PROJECTIONS.filter(({ name }) => this.#has(name as ProjectionName))
  }

  /** Makes the rows live at a size; returns what was live before. */
  async #switch(tx: Queryable, known: KnownRegister, size: number): Promise<RegisterProgress['previous']> {
    const { register } = known
    const previous: NonNullable<RegisterProgress['previous']> = {}
    const { timeZone } = stateKnownAt(known, size)
    for (const { name, version } of this.#projections()) {
      const checkpoint = await lockCheckpoint(tx, register, name, version)
      if (checkpoint) previous[name] = checkpoint
      await makeLive(tx, register, name, { generation: this.#operation.generation, version, size, timeZone })
    }
    return previous
  }
}

async function lockCheckpoint(tx: Queryable, register: string, projection: string, version: number) {
  return tx
    .selectFrom('checkpoint')
    .select(['generation', 'size'])
    .where('register', '=', register)
    .where('projection', '=', projection)
    .where('version', '=', version)
    .forUpdate()
    .executeTakeFirst()
}

async function checkpointOf(db: Queryable, register: string, projection: ProjectionName) {
  const row = await db
    .selectFrom('checkpoint')
    .select(['generation', 'size'])
    .where('register', '=', register)
    .where('projection', '=', projection)
    .where('version', '=', VERSIONS[projection])
    .executeTakeFirst()
  return row ?? { generation: 0, size: 0 }
}

const liveOf = async (db: Queryable, register: string, projection: ProjectionName) =>
  (await checkpointOf(db, register, projection)).generation
const sizeOf = async (db: Queryable, register: string, projection: ProjectionName) =>
  (await checkpointOf(db, register, projection)).size

/** Drops what replays have replaced, of a register or (null) of all. */
export function dropReplaced(db: Database, register: string | null): Promise<Dropped> {
  return dropPrevious(db, register === null ? undefined : [register], () => generationsUnderWay(db))
}

/** The replay that has not ended, whether somebody works on it or not; null where there is none. */
export function unfinishedReplay(db: Database): Promise<Operation | null> {
  return unfinishedOperation(db)
}

export type ReplayState = Operation & ReplayProgress

/** The replay that has not ended, and how far it is; null where there is none. */
export async function unfinishedState(db: Database): Promise<ReplayState | null> {
  const operation = await unfinishedOperation(db)
  return operation && { ...operation, ...progressOf(operation, await readProgress(db, operation.id)) }
}

/** The command that goes on with a replay as it was begun. */
export function commandOf({ projections, register, maxRate, dropPrevious }: Request): string {
  const names = projections.length === Object.keys(VERSIONS).length ? [] : projections
  const options = [
    ...(register === null ? [] : ['--register', register]),
    ...(maxRate === null ? [] : ['--max-rate', maxRate]),
    ...(dropPrevious ? ['--drop-previous'] : []),
  ]
  return ['pledger', 'replay', ...names, ...options].join(' ')
}

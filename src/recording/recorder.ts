// Recording: load -> fold -> admit -> append, the one place where effects meet rules. Recordings to a register that arrive
// while one is being written are gathered and written together: one transaction, one flush to disk. The first round of a
// batch goes by what memory knows, without a read; append tells what of it is no longer true, and that goes by the log.

import type { Database, Queryable } from '../database/pool.ts'
import { isDatabaseUnavailable } from '../database/unavailable.ts'
import { REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { isRepair } from '../domain/repairs.ts'
import { type Appended, append, lockRegister, type NewEvents } from '../eventlog/append.ts'
import { KeyTakenError, keepKeys, type RecordingKey } from '../eventlog/keys.ts'
import { loadBriefs, loadByIds, loadStreams } from '../eventlog/load.ts'
import type { KnownRegister, Registers } from '../registers/registers.ts'
import {
  admitGroup,
  type BatchKnowledge,
  beginRound,
  type Decision,
  type Draft,
  type EventOutcome,
  type Group,
  isFailure,
  type Round,
} from './admission.ts'
import {
  createKnownStreams,
  type KnownStream,
  type KnownStreams,
  NOT_PLAIN,
  needsWholeStream,
} from './known-streams.ts'
import { createRecordOnce, type RecordOnce } from './once.ts'

/** More waits to be recorded than the service takes on. */
export class QueueFullError extends Error {}

export type RecorderOptions = {
  /** The service's clock: milliseconds since the epoch. */
  now: () => number
  /** Called after events were written, with the size that the register has reached at least. */
  onRecorded?: (register: string, size: number) => void
}

type RecordOptions = {
  /** How many bytes the groups came in: so much memory they hold while they wait. */
  bytes?: number
  /** Kept with what the only group records, in the same transaction. */
  key?: RecordingKey | null
}

export type Recorder = {
  /**
   * Records groups, each on its own; resolves when all is durable, with an outcome for every event of every group. Rejects
   * with QueueFullError where too much waits already, and with KeyTakenError.
   */
  record: (
    register: string,
    groups: readonly Group[],
    recordedBy: string,
    options?: RecordOptions,
  ) => Promise<EventOutcome[][]>
  /** Records a group at most once under its key. */
  recordOnce: RecordOnce
}

const MAX_BATCH = 1_000
/** What may wait for one register, and for all of them together. */
const MAX_WAITING = 20_000
const MAX_WAITING_BYTES = 16 * 2 ** 20
const MAX_WAITING_BYTES_IN_ALL = 32 * 2 ** 20
/**
 * Writers in other processes can get ahead between admission and append, and of a large batch they always do. From this round
 * on the register's row is locked before anything is read, so that nobody does.
 */
const LOCKED_FROM_ROUND = 3
/** Only where a register is opened by others, and is not there to be locked, may a locked round be overtaken. */
const MAX_ROUNDS = 20

type Waiting = {
  groups: readonly Group[]
  recordedBy: string
  key: RecordingKey | null
  size: number
  bytes: number
  resolve: (outcomes: EventOutcome[][]) => void
  reject: (error: unknown) => void
}

type Queue = { waiting: Waiting[]; size: number; bytes: number }

/** A register of which nothing waits takes on whatever comes first, however much waits for others. */
function isFull({ size, bytes }: Queue, bytesInAll: number, more: Waiting): boolean {
  if (size === 0) return false
  return (
    size + more.size > MAX_WAITING ||
    bytes + more.bytes > MAX_WAITING_BYTES ||
    bytesInAll + more.bytes > MAX_WAITING_BYTES_IN_ALL
  )
}

function takeBatch(queue: Queue): Waiting[] {
  let size = 0
  const rest = queue.waiting.findIndex((waiting, index) => {
    size += waiting.size
    return index > 0 && size > MAX_BATCH
  })
  const batch = queue.waiting.splice(0, rest < 0 ? queue.waiting.length : rest)
  for (const waiting of batch) {
    queue.size -= waiting.size
    queue.bytes -= waiting.bytes
  }
  return batch
}

function takeAll(queue: Queue): Waiting[] {
  Object.assign(queue, { size: 0, bytes: 0 })
  return queue.waiting.splice(0)
}

/** What the recordings of a process go by. */
type Recording<Db = Database> = {
  db: Db
  registers: Registers
  /** The registers as this process last saw them. */
  seen: Map<string, KnownRegister>
  streams: KnownStreams
  options: RecorderOptions
}

/** Creates the recorder of a service process. Several processes may record to the same registers side by side. */
export function createRecorder(db: Database, registers: Registers, options: RecorderOptions): Recorder {
  const queues = new Map<string, Queue>()
  const recording: Recording = { db, registers, seen: new Map(), streams: createKnownStreams(), options }

  async function drain(register: string, queue: Queue): Promise<void> {
    while (queue.waiting.length > 0) {
      const failure = await recordBatch(recording, register, takeBatch(queue))
      // Else batch after batch would wait in vain for a database that is away, and callers for all of them.
      if (failure !== null && isDatabaseUnavailable(failure)) for (const { reject } of takeAll(queue)) reject(failure)
    }
    queues.delete(register)
  }

  function enqueue(register: string, waiting: Waiting): void {
    const known = queues.get(register)
    const queue = known ?? { waiting: [], size: 0, bytes: 0 }
    const bytesInAll = [...queues.values()].reduce((sum, { bytes }) => sum + bytes, 0)
    if (isFull(queue, bytesInAll, waiting)) throw new QueueFullError()
    queue.waiting.push(waiting)
    queue.size += waiting.size
    queue.bytes += waiting.bytes
    if (known) return
    queues.set(register, queue)
    drain(register, queue)
  }

  const record: Recorder['record'] = (register, groups, recordedBy, { bytes = 0, key = null } = {}) =>
    new Promise((resolve, reject) => {
      const size = groups.reduce((sum, group) => sum + group.length, 0)
      enqueue(register, { groups, recordedBy, key, size, bytes, resolve, reject })
    })
  return { record, recordOnce: createRecordOnce(db, record, options.now) }
}

/** A group of a batch: whose it is, and its outcomes once they are final. */
type Submitted = { group: Group; of: Waiting; outcomes: EventOutcome[] | null }

/** Keys that others have taken: nothing of the round was written. */
class TakenKeysError extends Error {
  readonly keys: ReadonlySet<RecordingKey>

  constructor(keys: Iterable<RecordingKey>) {
    super()
    this.keys = new Set(keys)
  }
}

/** Records a batch and tells each caller what became of its groups as soon as that is final; returns why some failed. */
async function recordBatch(recording: Recording, register: string, batch: readonly Waiting[]): Promise<unknown> {
  let failure: unknown = null
  let open = batch.map((of) => ({ of, groups: of.groups.map((group): Submitted => ({ group, of, outcomes: null })) }))
  for (let round = 0; open.length > 0; round += 1) {
    try {
      if (round === MAX_ROUNDS) throw new Error(`could not append to ${register}: others were always first`)
      const submitted = open.flatMap(({ groups }) => groups.filter(({ outcomes }) => outcomes === null))
      await recordRound(recording, register, submitted, round)
    } catch (error) {
      failure = error
      // Where keys were taken, those alone have failed and the others go again.
      const failed = open.filter(({ of }) => !(error instanceof TakenKeysError) || (of.key && error.keys.has(of.key)))
      for (const { of } of failed) of.reject(error instanceof TakenKeysError ? new KeyTakenError() : error)
      open = open.filter((one) => !failed.includes(one))
    }
    open = open.filter(({ of, groups }) => {
      if (groups.some(({ outcomes }) => outcomes === null)) return true
      of.resolve(groups.map(({ outcomes }) => outcomes as EventOutcome[]))
      return false
    })
  }
  return failure
}

/** What a round came to: the outcomes of each group, null where they are not final, and what was appended. */
type Result = { outcomes: (EventOutcome[] | null)[]; round: Round; appended: Appended[] }

/**
 * One round: admits what is known and appends what was admitted. Groups whose knowledge was overtaken, or refused by what
 * is only remembered, are left without outcomes.
 */
async function recordRound(
  recording: Recording,
  register: string,
  submitted: readonly Submitted[],
  number: number,
): Promise<void> {
  const { outcomes, round, appended } =
    number < LOCKED_FROM_ROUND
      ? await tryRound(recording, register, submitted, number === 0)
      : await lockedRound(recording, register, submitted)
  for (const [index, one] of submitted.entries()) one.outcomes = outcomes[index] ?? null
  if (round.events.length > 0) remember(recording, register, round, appended)
}

/** A round that nobody overtakes: what it goes by is read under the register's row, in the transaction that appends. */
function lockedRound(recording: Recording, register: string, submitted: readonly Submitted[]): Promise<Result> {
  return recording.db.transaction().execute(async (tx) => {
    await lockRegister(tx, register)
    return tryRound({ ...recording, db: tx }, register, submitted, false)
  })
}

async function tryRound(
  recording: Recording<Queryable>,
  register: string,
  submitted: readonly Submitted[],
  isFirst: boolean,
): Promise<Result> {
  const now = recording.options.now()
  const knowledge = isFirst ? await recall(recording, register, submitted) : null
  const round = beginRound(knowledge ?? (await load(recording, register, submitted)), now)
  const drafts = admitAll(round, submitted, knowledge === null)
  if (round.events.length === 0)
    return { outcomes: drafts.map((draft) => draft?.map(settled) ?? null), round, appended: [] }
  const batch = {
    register,
    open: !round.known,
    now,
    ownRevision: round.known?.head.ownRevision ?? 0,
    events: round.events,
  }
  return { round, ...(await write(recording.db, batch, submitted, drafts)) }
}

/** What admission makes of each group; null for those of a caller after one that was refused by memory alone. */
function admitAll(round: Round, submitted: readonly Submitted[], isCertain: boolean): (Decision[] | null)[] {
  const doubted = new Set<Waiting>()
  return submitted.map(({ group, of }) => {
    if (doubted.has(of)) return null
    const decisions = admitGroup(round, group, of.recordedBy)
    if (isCertain || !decisions?.some(isFailure)) return decisions
    // What comes after it in the same call is not to overtake it.
    doubted.add(of)
    return null
  })
}

/** Appends a round; where some of it came with a key, the keys are kept in the same transaction. Throws TakenKeysError. */
async function write(
  db: Queryable,
  batch: NewEvents,
  submitted: readonly Submitted[],
  drafts: readonly (Decision[] | null)[],
): Promise<{ appended: Appended[]; outcomes: (EventOutcome[] | null)[] }> {
  if (!submitted.some(({ of }) => of.key)) {
    const appended = await append(db, batch)
    return { appended, outcomes: conclude(drafts, appended) }
  }
  return inTransaction(db, async (tx) => {
    const appended = await append(tx, batch)
    const outcomes = conclude(drafts, appended)
    const kept = submitted.flatMap(({ of }, index) => {
      const recorded = outcomes[index]?.some(({ kind }) => kind === 'recorded') ? outcomes[index] : null
      return of.key && recorded ? [{ key: of.key, recordedBy: of.recordedBy, outcomes: recorded }] : []
    })
    const taken = await keepKeys(tx, batch.register, kept, batch.now)
    if (taken.length > 0) throw new TakenKeysError(taken)
    return { appended, outcomes }
  })
}

function inTransaction<T>(db: Queryable, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work)
}

/** The outcomes of each group, null where append found that something had changed. */
function conclude(drafts: readonly (Decision[] | null)[], appended: readonly Appended[]): (EventOutcome[] | null)[] {
  let isOvertaken = false
  return drafts.map((draft) => {
    const group = draft?.map((item) => (item.kind === 'draft' ? outcomeOf(item, appended) : item))
    // A refusal may rest on an earlier group that was not appended in the end: it is decided again with that group.
    if (group && !group.includes(null) && !(isOvertaken && group.some((item) => item && isFailure(item)))) {
      return group as EventOutcome[]
    }
    isOvertaken = true
    return null
  })
}

function settled(decision: Decision): EventOutcome {
  if (decision.kind === 'draft') throw new Error('an admitted event was not appended')
  return decision
}

function outcomeOf({ index, id, isRepeat }: Draft, appended: readonly Appended[]): EventOutcome | null {
  const outcome = appended[index]
  if (outcome?.kind !== 'appended') return null
  const { position, revision, recordedAt } = outcome
  return { kind: isRepeat ? 'alreadyRecorded' : 'recorded', position, id, revision, recordedAt }
}

/** Takes in what was appended, and forgets what turned out to be otherwise than remembered. */
function remember(
  { seen, streams, options }: Recording,
  register: string,
  round: Round,
  appended: readonly Appended[],
) {
  const failed = new Set<string>()
  let last: Extract<Appended, { kind: 'appended' }> | null = null
  for (const [index, outcome] of appended.entries()) {
    if (outcome.kind === 'appended') last = outcome
    else failed.add(round.events[index]?.stream ?? '')
  }
  for (const [stream, known] of round.streams) {
    if (failed.has(stream)) streams.forget(register, stream)
    else streams.learn(register, stream, known)
  }
  const isDefined = round.events.some(({ stream }) => stream === REGISTER_STREAM)
  if (last && round.known && failed.size === 0 && !isDefined) {
    const head = { ...round.known.head, size: last.position + 1, recordedAt: last.recordedAt }
    see(seen, { ...round.known, head })
  } else seen.delete(register)
  if (last) options.onRecorded?.(register, last.position + 1)
}

const MAX_SEEN = 200

function see(seen: Recording['seen'], known: KnownRegister): void {
  // Set again so that the least recently used is the first to go.
  seen.delete(known.register)
  seen.set(known.register, known)
  for (const oldest of seen.keys()) if (seen.size > MAX_SEEN) seen.delete(oldest)
}

type Streams = BatchKnowledge['streams']

function eventsOf(submitted: readonly Submitted[]): Group {
  return submitted.flatMap(({ group }) => group)
}

/** The ids of what the repairs among these events point to. */
function targetsOf(events: Group): string[] {
  // Safe: every repair has an `event`, validated as an id.
  return events.filter(({ type }) => isRepair(type)).map(({ data }) => (data as { event: string }).event)
}

async function eventsById(db: Queryable, register: string, ids: readonly string[]): Promise<Map<string, StoredEvent>> {
  const named = ids.length > 0 ? await loadByIds(db, register, [...new Set(ids)]) : []
  return new Map(named.map((event) => [event.id, event]))
}

async function wholeStreams(db: Queryable, register: string, names: readonly string[]): Promise<Streams> {
  const loaded = Map.groupBy(names.length > 0 ? await loadStreams(db, register, names) : [], ({ stream }) => stream)
  return new Map(names.map((name) => [name, { unread: 0, events: loaded.get(name) ?? [] }]))
}

/** The register's own stream, of which all is always known. */
function ownStream(known: KnownRegister | null): KnownStream {
  return { unread: 0, events: [...(known?.events ?? [])] }
}

/** All that admission can ask, from the log. */
async function load(
  { db, registers }: Recording<Queryable>,
  register: string,
  submitted: readonly Submitted[],
): Promise<BatchKnowledge> {
  const events = eventsOf(submitted)
  const names = new Set(events.map(({ stream }) => stream))
  names.delete(REGISTER_STREAM)
  const ids = [...events.flatMap(({ id }) => id ?? []), ...targetsOf(events)]
  // Side by side, and so perhaps of different moments: append sees to it that each is still true when it writes.
  const [known, streams, byId] = await Promise.all([
    registers.read(db, register),
    wholeStreams(db, register, [...names]),
    eventsById(db, register, ids),
  ])
  streams.set(REGISTER_STREAM, ownStream(known))
  // Except a refusal, which is not written: an event that came into its stream after it was looked for by its id, as where
  // a recording is repeated while its first sending is on the way, must not be refused for being there.
  const asked = new Set(ids)
  for (const { events: loaded } of streams.values()) {
    for (const event of loaded) if (asked.has(event.id)) byId.set(event.id, event)
  }
  return { known, streams, byId }
}

/**
 * The same as far as memory has it, with few reads or none: streams by their revisions, and no events by the ids that are
 * given to them, which append looks for anyway. Null where the register is not known.
 */
async function recall(
  recording: Recording<Queryable>,
  register: string,
  submitted: readonly Submitted[],
): Promise<BatchKnowledge | null> {
  const { db, registers, seen } = recording
  const known = seen.get(register) ?? (await registers.read(db, register))
  if (!known) return null
  const events = eventsOf(submitted)
  const [streams, byId] = await Promise.all([
    recallStreams(recording, register, events),
    eventsById(db, register, targetsOf(events)),
  ])
  streams.set(REGISTER_STREAM, ownStream(known))
  return { known, streams, byId }
}

async function recallStreams({ db, streams }: Recording<Queryable>, register: string, events: Group): Promise<Streams> {
  const recalled: Streams = new Map()
  const whole: string[] = []
  const unknown: string[] = []
  for (const [stream, ofStream] of Map.groupBy(events, (event) => event.stream)) {
    const revision = streams.revision(register, stream)
    if (stream === REGISTER_STREAM) continue
    if (ofStream.some(({ type }) => needsWholeStream(type))) whole.push(stream)
    else if (revision !== null) recalled.set(stream, { unread: revision, events: [] })
    // What begins with a promise is taken to be new; append says so where it is not.
    else if (ofStream[0]?.type === 'CommitmentMade') recalled.set(stream, { unread: 0, events: [] })
    else unknown.push(stream)
  }
  for (const { stream, revision, isPlain } of unknown.length > 0
    ? await loadBriefs(db, register, unknown, NOT_PLAIN)
    : []) {
    if (isPlain) recalled.set(stream, { unread: revision, events: [] })
    else whole.push(stream)
  }
  for (const [stream, known] of await wholeStreams(db, register, whole)) recalled.set(stream, known)
  return recalled
}

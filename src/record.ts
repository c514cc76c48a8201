// Recording: load -> fold -> admit -> append, the one place where effects meet rules. Recordings to a register that arrive
// while one is being written are gathered and written together: one transaction, one flush to disk.

import { randomUUIDv7 } from 'node:crypto'
import type { Database } from './database/pool.ts'
import { admit, asStored, type RefusalWord } from './domain/admit.ts'
import { REGISTER_STREAM, type StoredEvent } from './domain/event.ts'
import type { ParseIssue, PostedEvent } from './domain/posted-event.ts'
import { type RegisterState, registerAt } from './domain/register/state.ts'
import { isRepair } from './domain/repairs.ts'
import { type Appended, append, type NewEvent } from './eventlog/append.ts'
import { bodyHash } from './eventlog/body.ts'
import { loadByIds, loadStreams } from './eventlog/load.ts'
import { dayInZone } from './kernel/plain-date.ts'
import type { KnownRegister, Registers } from './registers.ts'

type Place = { position: number; id: string; revision: number; recordedAt: number }

/** What became of one event. */
export type Outcome =
  | ({ kind: 'recorded' } & Place)
  /** The same id with the same content: nothing was written. */
  | ({ kind: 'alreadyRecorded' } & Place)
  | { kind: 'refused'; word: RefusalWord | 'id-reused' | 'unknown-register'; issues: ParseIssue[] }
  | { kind: 'revisionConflict'; expected: number; actual: number }
  /** Nothing is wrong with it, but with another event of its group. */
  | { kind: 'skipped' }

/** Events that are recorded together or not at all, each admitted with the earlier ones before it. */
export type Group = readonly PostedEvent[]

/** More events wait than the service takes on. */
export class QueueFull extends Error {}

export type RecorderOptions = {
  /** The service's clock: milliseconds since the epoch. */
  now: () => number
  /** Called after events were written. */
  onRecorded?: () => void
}

export type Recorder = {
  /** Records groups, each on its own; resolves when all is durable, with an outcome for every event of every group. */
  record: (register: string, groups: readonly Group[], recordedBy: string) => Promise<Outcome[][]>
}

const MAX_BATCH = 1_000
const MAX_WAITING = 20_000
/** Writers in other processes can get ahead between admission and append; each round at least one of them wins. */
const MAX_ROUNDS = 100

type Waiting = {
  groups: readonly Group[]
  recordedBy: string
  resolve: (outcomes: Outcome[][]) => void
  reject: (error: unknown) => void
}

function sizeOf(waiting: Waiting): number {
  return waiting.groups.reduce((sum, group) => sum + group.length, 0)
}

/** Creates the recorder of a service process. Several processes may record to the same registers side by side. */
export function createRecorder(db: Database, registers: Registers, options: RecorderOptions): Recorder {
  const queues = new Map<string, Waiting[]>()

  async function drain(register: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = takeBatch(queue)
      try {
        const groups = batch.flatMap((waiting) => waiting.groups.map((group) => ({ group, by: waiting.recordedBy })))
        const outcomes = await recordGroups(db, registers, options.now, register, groups)
        options.onRecorded?.()
        for (const waiting of batch) waiting.resolve(outcomes.splice(0, waiting.groups.length))
      } catch (error) {
        for (const waiting of batch) waiting.reject(error)
      }
    }
    queues.delete(register)
  }

  return {
    record(register, groups, recordedBy) {
      return new Promise((resolve, reject) => {
        const queue = queues.get(register)
        const waiting = { groups, recordedBy, resolve, reject }
        if (!queue) {
          const first = [waiting]
          queues.set(register, first)
          drain(register, first)
        } else if (queue.reduce((sum, other) => sum + sizeOf(other), sizeOf(waiting)) > MAX_WAITING) {
          reject(new QueueFull())
        } else {
          queue.push(waiting)
        }
      })
    },
  }
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let size = 0
  const rest = queue.findIndex((waiting, index) => {
    size += sizeOf(waiting)
    return index > 0 && size > MAX_BATCH
  })
  return queue.splice(0, rest < 0 ? queue.length : rest)
}

type Submitted = { group: Group; by: string }

async function recordGroups(
  db: Database,
  registers: Registers,
  now: () => number,
  register: string,
  submitted: readonly Submitted[],
): Promise<Outcome[][]> {
  const outcomes: Outcome[][] = submitted.map(() => [])
  let open = [...submitted.keys()]
  for (let round = 0; open.length > 0; round += 1) {
    if (round === MAX_ROUNDS) throw new Error(`could not append to ${register}: others were always first`)
    const groups = open.map((index) => submitted[index] as Submitted)
    const decided = await recordOnce(db, registers, now, register, groups)
    const again: number[] = []
    for (const [place, index] of open.entries()) {
      const outcome = decided[place]
      if (outcome) outcomes[index] = outcome
      else again.push(index)
    }
    open = again
  }
  return outcomes
}

/** One round: admits what is known and appends what was admitted. Null for groups whose knowledge was overtaken. */
async function recordOnce(
  db: Database,
  registers: Registers,
  now: () => number,
  register: string,
  submitted: readonly Submitted[],
): Promise<(Outcome[] | null)[]> {
  const at = now()
  const { known, streams, byId } = await loadKnowledge(db, registers, register, submitted)
  const admission = admissionRound(known, streams, byId, at)
  const drafts = submitted.map(({ group, by }) => admission.admitGroup(group, by))
  if (admission.events.length === 0) return drafts.map((draft) => draft?.map(settled) ?? null)
  const appended = await append(db, {
    register,
    open: !known,
    now: at,
    ownRevision: known?.head.ownRevision ?? 0,
    events: admission.events,
  })
  let isOvertaken = false
  return drafts.map((draft) => {
    const group = draft?.map((item) => (item.kind === 'draft' ? conclude(item, appended) : item))
    // A refusal may rest on an earlier group that was not appended in the end: it is decided again with that group.
    if (group && !group.includes(null) && !(isOvertaken && group.some((item) => item && isFailure(item)))) {
      return group as Outcome[]
    }
    isOvertaken = true
    return null
  })
}

/** An event that waits for its place; `isRepeat` where an earlier one of the same batch is the same. */
type Draft = { kind: 'draft'; index: number; id: string; isRepeat: boolean }
type Decision = Outcome | Draft

function settled(decision: Decision): Outcome {
  if (decision.kind === 'draft') throw new Error('an admitted event was not appended')
  return decision
}

function conclude({ index, id, isRepeat }: Draft, appended: readonly Appended[]): Outcome | null {
  const outcome = appended[index]
  if (outcome?.kind !== 'appended') return null
  const { position, revision, recordedAt } = outcome
  return { kind: isRepeat ? 'alreadyRecorded' : 'recorded', position, id, revision, recordedAt }
}

type AdmissionRound = {
  /** What was admitted so far, in order. */
  events: NewEvent[]
  /** Null where the group must wait: it repeats what another group of this batch is about to record. */
  admitGroup: (group: Group, by: string) => Decision[] | null
}

function idsOf(submitted: readonly Submitted[]): string[] {
  const ids = new Set<string>()
  for (const { group } of submitted) {
    for (const { id, type, data } of group) {
      if (id) ids.add(id)
      // Safe: every repair has an `event`, validated as an id.
      if (isRepair(type)) ids.add((data as { event: string }).event)
    }
  }
  return [...ids]
}

/** What admission must know of: the register, the streams that grow, and the events that are named by their ids. */
type KnowledgeOfBatch = {
  known: KnownRegister | null
  streams: Map<string, StoredEvent[]>
  byId: Map<string, StoredEvent>
}

async function loadKnowledge(
  db: Database,
  registers: Registers,
  register: string,
  submitted: readonly Submitted[],
): Promise<KnowledgeOfBatch> {
  const names = new Set(submitted.flatMap(({ group }) => group.map((event) => event.stream)))
  names.delete(REGISTER_STREAM)
  const ids = idsOf(submitted)
  // Side by side, and so perhaps of different moments: append sees to it that each is still true when it writes.
  const [known, loaded, named] = await Promise.all([
    registers.read(db, register),
    names.size > 0 ? loadStreams(db, register, [...names]) : [],
    ids.length > 0 ? loadByIds(db, register, ids) : [],
  ])
  const streams = new Map<string, StoredEvent[]>(Map.groupBy(loaded, (event) => event.stream))
  streams.set(REGISTER_STREAM, [...(known?.events ?? [])])
  return { known, streams, byId: new Map(named.map((event) => [event.id, event])) }
}

function admissionRound(
  known: KnownRegister | null,
  streams: Map<string, StoredEvent[]>,
  byId: Map<string, StoredEvent>,
  now: number,
): AdmissionRound {
  const events: NewEvent[] = []
  let registerState: RegisterState = known?.state ?? registerAt([], 0)
  let groups = 0

  const streamOf = (name: string) => {
    const stream = streams.get(name) ?? []
    streams.set(name, stream)
    return stream
  }
  const redefine = () => {
    registerState = registerAt(streamOf(REGISTER_STREAM), Number.POSITIVE_INFINITY)
  }

  function decide(event: PostedEvent, by: string): Decision {
    const stream = streamOf(event.stream)
    const existing = event.id === undefined ? undefined : byId.get(event.id)
    if (existing) {
      const decision = repeated(existing, event, byId)
      const index = events.findIndex(({ id }) => id === existing.id)
      if (index < 0 || decision.kind !== 'alreadyRecorded') return decision
      return { kind: 'draft', index, id: existing.id, isRepeat: true }
    }
    if (event.type !== 'RegisterOpened' && streamOf(REGISTER_STREAM).length === 0) {
      return { kind: 'refused', word: 'unknown-register', issues: [] }
    }
    if (event.expectedRevision !== undefined && event.expectedRevision !== stream.length) {
      return { kind: 'revisionConflict', expected: event.expectedRevision, actual: stream.length }
    }
    const context = {
      commitment: stream,
      register: registerState,
      streamOf: (id: string) => byId.get(id)?.stream,
      today: dayInZone(now, timeZoneFor(event, registerState)),
    }
    const decision = admit(context, event)
    if (decision.kind === 'refused') return decision
    return accept(decision.event, by, stream)
  }

  function accept(event: PostedEvent, recordedBy: string, stream: StoredEvent[]): Draft {
    const { stream: name, type, typeVersion, occurredOn, data, citations } = event
    const id = event.id ?? randomUUIDv7()
    const body = { id, stream: name, type, typeVersion, recordedBy, occurredOn, data, citations }
    const draft: StoredEvent = {
      ...body,
      position: (known?.head.size ?? 0) + events.length,
      revision: stream.length + 1,
      recordedAt: Math.max(now, known?.head.recordedAt ?? 0),
      salt: NO_BYTES,
      bodyHash: NO_BYTES,
    }
    events.push({ ...body, group: groups, seenRevision: stream.length })
    stream.push(draft)
    byId.set(id, draft)
    if (name === REGISTER_STREAM) redefine()
    return { kind: 'draft', index: events.length - 1, id, isRepeat: false }
  }

  function takeBack(from: number): void {
    for (const event of events.splice(from).reverse()) {
      streamOf(event.stream).pop()
      byId.delete(event.id)
      if (event.stream === REGISTER_STREAM) redefine()
    }
  }

  function admitGroup(group: Group, by: string): Decision[] | null {
    const from = events.length
    groups += 1
    const decisions: Decision[] = []
    for (const event of group) {
      const decision = decide(event, by)
      if (decision.kind === 'draft' && decision.index < from) {
        takeBack(from)
        return null
      }
      decisions.push(decision)
      if (isFailure(decision)) {
        takeBack(from)
        return group.map((_, index) => (index === decisions.length - 1 ? decision : { kind: 'skipped' }))
      }
    }
    return decisions
  }

  return { events, admitGroup }
}

/** The time zone in which the day of an event is today: the register's, also of the event that first says which it is. */
function timeZoneFor({ type, data }: PostedEvent, { timeZone }: RegisterState): string {
  // Safe: parsed by the schema of RegisterOpened.
  return type === 'RegisterOpened' ? (data as { timeZone: string }).timeZone : timeZone
}

/** Stands for the salt and hash of an event that is not written yet: present, so that it is not taken for redacted. */
const NO_BYTES = new Uint8Array(0)

function isFailure({ kind }: Decision): boolean {
  return kind === 'refused' || kind === 'revisionConflict'
}

/** The id is known: either the same event again, or another one under its id. */
function repeated(existing: StoredEvent, event: PostedEvent, byId: ReadonlyMap<string, StoredEvent>): Outcome {
  const { position, id, revision, recordedAt } = existing
  if (
    isSameContent(
      existing,
      asStored(event, (target) => byId.get(target)),
    )
  ) {
    return { kind: 'alreadyRecorded', position, id, revision, recordedAt }
  }
  const detail = `id ${id} is that of another event, at position ${position}`
  return { kind: 'refused', word: 'id-reused', issues: [{ pointer: '/id', detail }] }
}

function isSameContent(existing: StoredEvent, event: PostedEvent): boolean {
  if (existing.stream !== event.stream || existing.type !== event.type || existing.salt === null) return false
  const { salt, occurredOn, data, citations } = existing
  // An event of this very batch has no hash yet; hashing both bodies alike compares them.
  const stored = { occurredOn: occurredOn ?? '', data, citations: citations ?? [] }
  const hash = existing.bodyHash.length > 0 ? Buffer.from(existing.bodyHash).toString('base64') : bodyHash(salt, stored)
  return hash === bodyHash(salt, event)
}

// Admission of the groups of a round: event after event is admitted against what is known, the earlier events of the round
// among it. Pure: what is known comes in, decisions and the events to append go out.

import { randomUUIDv7 } from 'node:crypto'
import { admit, asStored, type RefusalWord } from '../domain/admission/admit.ts'
import type { ParseIssue, PostedEvent } from '../domain/admission/posted-event.ts'
import { REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { extended, type RegisterState, registerAt } from '../domain/register/state.ts'
import { isRepair } from '../domain/repairs.ts'
import type { NewEvent } from '../eventlog/append.ts'
import { bodyHash } from '../eventlog/body.ts'
import { dayInZone } from '../kernel/plain-date.ts'
import type { KnownRegister } from '../registers/registers.ts'

/** Events that are recorded all or none, in order. */
export type Group = readonly PostedEvent[]

/** Where an event stands in the log. `recordedAt` in milliseconds since the epoch. */
type LogPlace = { position: number; id: string; revision: number; recordedAt: number }

/** What became of one event. */
export type EventOutcome =
  | ({ kind: 'recorded' } & LogPlace)
  /** The log holds the id with the same content: nothing was written. */
  | ({ kind: 'alreadyRecorded' } & LogPlace)
  | { kind: 'refused'; word: RefusalWord | 'id-reused' | 'unknown-register'; issues: ParseIssue[] }
  | { kind: 'revisionConflict'; expected: number; actual: number }
  /** Another event of its group failed. */
  | { kind: 'skipped' }

/** An event that was admitted and is to be appended, the `index`th of its round; `isRepeat` where an earlier one is the same. */
export type AdmittedEvent = { kind: 'admitted'; index: number; id: string; isRepeat: boolean }
export type Decision = EventOutcome | AdmittedEvent

/** A stream as admission knows it. */
export type KnownStream = {
  /** How many events it has that are not among `events`: a standing CommitmentMade and plain facts; or none. */
  readonly unread: number
  /** The others, in order; admission adds the events that it admits. */
  readonly events: StoredEvent[]
}

/** All that admission can ask: the register, the streams that grow, and events by their ids. */
export type KnownLog = {
  register: KnownRegister | null
  streams: Map<string, KnownStream>
  byId: Map<string, StoredEvent>
}

/** A group to admit, and the recording that it came in. */
type SubmittedGroup = { group: Group; recording: { recordedBy: string } }

/** What admission made of a round: the decisions on each group, null for one that waits for the next; the events to append. */
export type AdmittedRound = { decisions: readonly (Decision[] | null)[]; events: readonly NewEvent[] }

/**
 * Admits groups in order at an instant of the service's clock, and adds what it admits to `known`. A group waits for the next
 * round where it repeats what another one is about to record. Where what is known `isFromMemory`, a group that fails waits too,
 * and the later ones of its recording with it.
 */
export function admitGroups(
  known: KnownLog,
  now: number,
  groups: readonly SubmittedGroup[],
  isFromMemory: boolean,
): AdmittedRound {
  const admission = beginAdmission(known, now)
  const waiting = new Set<SubmittedGroup['recording']>()
  const decisions = groups.map(({ group, recording }) => {
    if (waiting.has(recording)) return null
    const decided = admitGroup(admission, group, recording.recordedBy)
    if (!isFromMemory || !decided?.some(isFailure)) return decided
    waiting.add(recording)
    return null
  })
  return { decisions, events: admission.events }
}

/** Admission under way. */
type Admission = KnownLog & {
  now: number
  /** What the register defines, with what was admitted. */
  state: RegisterState
  groupCount: number
  /** What was admitted so far, in order. */
  events: NewEvent[]
}

function beginAdmission(known: KnownLog, now: number): Admission {
  return { ...known, now, state: known.register?.state ?? registerAt([], 0), groupCount: 0, events: [] }
}

/** Admits a group, all of it or nothing. Null where it repeats what another group of the round is about to record. */
function admitGroup(admission: Admission, group: Group, by: string): Decision[] | null {
  const from = admission.events.length
  admission.groupCount += 1
  const decisions: Decision[] = []
  for (const event of group) {
    const decision = decide(admission, event, by)
    if (decision.kind === 'admitted' && decision.index < from) {
      takeBack(admission, from)
      return null
    }
    decisions.push(decision)
    if (isFailure(decision)) {
      takeBack(admission, from)
      return group.map((_, index) => (index === decisions.length - 1 ? decision : { kind: 'skipped' }))
    }
  }
  return decisions
}

/** True for a decision that keeps an event, and with it its group, out of the log. */
export function isFailure({ kind }: Decision): boolean {
  return kind === 'refused' || kind === 'revisionConflict'
}

function decide(admission: Admission, event: PostedEvent, by: string): Decision {
  const { byId, state, now } = admission
  const stream = streamOf(admission, event.stream)
  const existing = event.id === undefined ? undefined : byId.get(event.id)
  if (existing) return decideRepeated(admission, existing, event)
  if (event.type !== 'RegisterOpened' && streamOf(admission, REGISTER_STREAM).events.length === 0) {
    return { kind: 'refused', word: 'unknown-register', issues: [] }
  }
  if (event.expectedRevision !== undefined && event.expectedRevision !== revisionOf(stream)) {
    return { kind: 'revisionConflict', expected: event.expectedRevision, actual: revisionOf(stream) }
  }
  const context = {
    commitment: stream.events,
    isMadeBefore: stream.unread > 0,
    register: state,
    streamOf: (id: string) => byId.get(id)?.stream,
    today: dayInZone(now, timeZoneFor(event, state)),
  }
  const decision = admit(context, event)
  return decision.kind === 'refused' ? decision : accept(admission, decision.event, by, stream)
}

/** Adds an event to what is to be appended, and to what is known. */
function accept(admission: Admission, event: PostedEvent, recordedBy: string, stream: KnownStream): AdmittedEvent {
  const { register, now, events, byId, groupCount } = admission
  const { stream: name, type, typeVersion, occurredOn, data, citations } = event
  const id = event.id ?? randomUUIDv7()
  const body = { id, stream: name, type, typeVersion, recordedBy, occurredOn, data, citations }
  const stored: StoredEvent = {
    ...body,
    position: (register?.head.size ?? 0) + events.length,
    revision: revisionOf(stream) + 1,
    recordedAt: Math.max(now, register?.head.recordedAt ?? 0),
    salt: NO_BYTES,
    bodyHash: NO_BYTES,
  }
  events.push({ ...body, group: groupCount, seenRevision: revisionOf(stream) })
  stream.events.push(stored)
  byId.set(id, stored)
  if (name === REGISTER_STREAM) {
    // A definition adds to the register; a repair, or its opening, can change all of it.
    if (isRepair(type) || type === 'RegisterOpened') foldRegister(admission)
    else admission.state = extended(admission.state, stored)
  }
  return { kind: 'admitted', index: events.length - 1, id, isRepeat: false }
}

function takeBack(admission: Admission, from: number): void {
  const taken = admission.events.splice(from).reverse()
  for (const event of taken) {
    streamOf(admission, event.stream).events.pop()
    admission.byId.delete(event.id)
  }
  if (taken.some((event) => event.stream === REGISTER_STREAM)) foldRegister(admission)
}

function foldRegister(admission: Admission): void {
  admission.state = registerAt(streamOf(admission, REGISTER_STREAM).events, Number.POSITIVE_INFINITY)
}

function streamOf({ streams }: KnownLog, name: string): KnownStream {
  const stream = streams.get(name) ?? { unread: 0, events: [] }
  streams.set(name, stream)
  return stream
}

/** The revision of a stream. */
export function revisionOf({ unread, events }: KnownStream): number {
  return unread + events.length
}

/** The time zone in which the day of an event is today: the register's, also of the event that first says which it is. */
function timeZoneFor({ type, data }: PostedEvent, { timeZone }: RegisterState): string {
  // Safe: parsed by the schema of RegisterOpened.
  return type === 'RegisterOpened' ? (data as { timeZone: string }).timeZone : timeZone
}

/** Stands for the salt and hash of an event that is not written yet: present, so that it is not taken for redacted. */
const NO_BYTES = new Uint8Array(0)

/** The id is known: the event is the same again, or another one under its id. Of erased content nobody can tell. */
function decideRepeated({ events, byId }: Admission, existing: StoredEvent, event: PostedEvent): Decision {
  const { position, id, revision, recordedAt } = existing
  const posted = asStored(event, (target) => byId.get(target))
  if (isSameContent(existing, posted)) {
    const index = events.findIndex((admitted) => admitted.id === id)
    if (index >= 0) return { kind: 'admitted', index, id, isRepeat: true }
    return { kind: 'alreadyRecorded', position, id, revision, recordedAt }
  }
  if (existing.salt === null) {
    const detail = `event ${id} is recorded at position ${position}, and its content was erased`
    return { kind: 'refused', word: 'redacted', issues: [{ pointer: '/id', detail }] }
  }
  const detail = `id ${id} is that of another event, at position ${position}`
  return { kind: 'refused', word: 'id-reused', issues: [{ pointer: '/id', detail }] }
}

function isSameContent(existing: StoredEvent, event: PostedEvent): boolean {
  if (existing.stream !== event.stream || existing.type !== event.type || existing.salt === null) return false
  const { salt, occurredOn, data, citations } = existing
  // An event of this very round has no hash yet; hashing both bodies alike compares them.
  const stored = { occurredOn: occurredOn ?? '', data, citations: citations ?? [] }
  const hash = existing.bodyHash.length > 0 ? Buffer.from(existing.bodyHash).toString('base64') : bodyHash(salt, stored)
  return hash === bodyHash(salt, event)
}

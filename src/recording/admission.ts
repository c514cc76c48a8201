// One round of admission: events are admitted in order against what is known, each with the earlier ones of its batch in
// its context, and become the batch that append writes. No effects: what is known comes in, the batch goes out.

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
import { type KnownStream, revisionOf } from './known-streams.ts'

type Place = { position: number; id: string; revision: number; recordedAt: number }

/** What became of one event. */
export type EventOutcome =
  | ({ kind: 'recorded' } & Place)
  /** The same id with the same content: nothing was written. */
  | ({ kind: 'alreadyRecorded' } & Place)
  | { kind: 'refused'; word: RefusalWord | 'id-reused' | 'unknown-register'; issues: ParseIssue[] }
  | { kind: 'revisionConflict'; expected: number; actual: number }
  /** Nothing is wrong with it, but with another event of its group. */
  | { kind: 'skipped' }

/** Events that are recorded together or not at all, each admitted with the earlier ones before it. */
export type Group = readonly PostedEvent[]

/** An event that waits for its place; `isRepeat` where an earlier one of the same batch is the same. */
export type Draft = { kind: 'draft'; index: number; id: string; isRepeat: boolean }
export type Decision = EventOutcome | Draft

/** What admission must know of: the register, the streams that grow, and the events that are named by their ids. */
export type BatchKnowledge = {
  known: KnownRegister | null
  streams: Map<string, KnownStream>
  byId: Map<string, StoredEvent>
}

/** A round under way. Its streams and its register grow with what is admitted. */
export type Round = BatchKnowledge & {
  now: number
  register: RegisterState
  groups: number
  /** What was admitted so far, in order. */
  events: NewEvent[]
}

/** Begins a round on what is known, at an instant of the service's clock. */
export function beginRound(knowledge: BatchKnowledge, now: number): Round {
  return { ...knowledge, now, register: knowledge.known?.state ?? registerAt([], 0), groups: 0, events: [] }
}

function streamOf({ streams }: Round, name: string): KnownStream {
  const stream = streams.get(name) ?? { unread: 0, events: [] }
  streams.set(name, stream)
  return stream
}

function redefine(round: Round): void {
  round.register = registerAt(streamOf(round, REGISTER_STREAM).events, Number.POSITIVE_INFINITY)
}

function decide(round: Round, event: PostedEvent, by: string): Decision {
  const { byId, register, now } = round
  const stream = streamOf(round, event.stream)
  const existing = event.id === undefined ? undefined : byId.get(event.id)
  if (existing) return decideRepeated(round, existing, event)
  if (event.type !== 'RegisterOpened' && streamOf(round, REGISTER_STREAM).events.length === 0) {
    return { kind: 'refused', word: 'unknown-register', issues: [] }
  }
  if (event.expectedRevision !== undefined && event.expectedRevision !== revisionOf(stream)) {
    return { kind: 'revisionConflict', expected: event.expectedRevision, actual: revisionOf(stream) }
  }
  const today = dayInZone(now, timeZoneFor(event, register))
  const { events: commitment, unread } = stream
  const context = {
    commitment,
    isMadeBefore: unread > 0,
    register,
    streamOf: (id: string) => byId.get(id)?.stream,
    today,
  }
  const decision = admit(context, event)
  return decision.kind === 'refused' ? decision : accept(round, decision.event, by, stream)
}

function decideRepeated({ events, byId }: Round, existing: StoredEvent, event: PostedEvent): Decision {
  const decision = repeated(existing, event, byId)
  const index = events.findIndex(({ id }) => id === existing.id)
  if (index < 0 || decision.kind !== 'alreadyRecorded') return decision
  return { kind: 'draft', index, id: existing.id, isRepeat: true }
}

function accept(round: Round, event: PostedEvent, recordedBy: string, stream: KnownStream): Draft {
  const { known, now, events, byId, groups } = round
  const { stream: name, type, typeVersion, occurredOn, data, citations } = event
  const id = event.id ?? randomUUIDv7()
  const body = { id, stream: name, type, typeVersion, recordedBy, occurredOn, data, citations }
  const draft: StoredEvent = {
    ...body,
    position: (known?.head.size ?? 0) + events.length,
    revision: revisionOf(stream) + 1,
    recordedAt: Math.max(now, known?.head.recordedAt ?? 0),
    salt: NO_BYTES,
    bodyHash: NO_BYTES,
  }
  events.push({ ...body, group: groups, seenRevision: revisionOf(stream) })
  stream.events.push(draft)
  byId.set(id, draft)
  if (name === REGISTER_STREAM) {
    // A definition adds to the register; a repair, or its opening, can change all of it.
    if (isRepair(type) || type === 'RegisterOpened') redefine(round)
    else round.register = extended(round.register, draft)
  }
  return { kind: 'draft', index: events.length - 1, id, isRepeat: false }
}

function takeBack(round: Round, from: number): void {
  const taken = round.events.splice(from).reverse()
  for (const event of taken) {
    streamOf(round, event.stream).events.pop()
    round.byId.delete(event.id)
  }
  if (taken.some((event) => event.stream === REGISTER_STREAM)) redefine(round)
}

/**
 * Admits a group, all of it or nothing. Null where it must wait for the next round: it repeats what another group of this
 * one is about to record.
 */
export function admitGroup(round: Round, group: Group, by: string): Decision[] | null {
  const from = round.events.length
  round.groups += 1
  const decisions: Decision[] = []
  for (const event of group) {
    const decision = decide(round, event, by)
    if (decision.kind === 'draft' && decision.index < from) {
      takeBack(round, from)
      return null
    }
    decisions.push(decision)
    if (isFailure(decision)) {
      takeBack(round, from)
      return group.map((_, index) => (index === decisions.length - 1 ? decision : { kind: 'skipped' }))
    }
  }
  return decisions
}

/** The time zone in which the day of an event is today: the register's, also of the event that first says which it is. */
function timeZoneFor({ type, data }: PostedEvent, { timeZone }: RegisterState): string {
  // Safe: parsed by the schema of RegisterOpened.
  return type === 'RegisterOpened' ? (data as { timeZone: string }).timeZone : timeZone
}

/** Stands for the salt and hash of an event that is not written yet: present, so that it is not taken for redacted. */
const NO_BYTES = new Uint8Array(0)

/** True for what keeps an event, and with it its group, out of the log. */
export function isFailure({ kind }: Decision): boolean {
  return kind === 'refused' || kind === 'revisionConflict'
}

/**
 * The id is known: either the same event again, or another one under its id; where its content was erased, nobody can
 * tell.
 */
function repeated(existing: StoredEvent, event: PostedEvent, byId: ReadonlyMap<string, StoredEvent>): EventOutcome {
  const { position, id, revision, recordedAt } = existing
  if (
    isSameContent(
      existing,
      asStored(event, (target) => byId.get(target)),
    )
  ) {
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
  // An event of this very batch has no hash yet; hashing both bodies alike compares them.
  const stored = { occurredOn: occurredOn ?? '', data, citations: citations ?? [] }
  const hash = existing.bodyHash.length > 0 ? Buffer.from(existing.bodyHash).toString('base64') : bodyHash(salt, stored)
  return hash === bodyHash(salt, event)
}

// Admission: whether an event can be recorded, given everything known. A pure decision from a closed list of refusals;
// it refuses only what cannot be a fact.

import type { z } from 'zod'
import { type DateRange, type Day, dateRangeOf, isWhollyBefore } from '../../kernel/plain-date.ts'
import { type CommitmentEntry, commitmentEntry, isCommitmentFact } from '../commitment/events.ts'
import { commitmentFacts, foldFacts } from '../commitment/state.ts'
import { type Citation, REGISTER_STREAM, type StoredEvent } from '../event.ts'
import { isRegisterFact } from '../register/events.ts'
import type { RegisterState } from '../register/state.ts'
import { correctedBodies, isRepair, retractedIds } from '../repairs.ts'
import {
  dataSchema,
  EVENT_TYPES,
  type EventType,
  isEventType,
  type ParseIssue,
  type PostedEvent,
  parseData,
} from './posted-event.ts'
import { type UnknownReference, unknownReferenceOf, unknownSourceOf } from './references.ts'

export type RefusalWord =
  | 'not-made'
  | 'already-made'
  | 'unknown-party'
  | 'unknown-programme'
  | 'unknown-source'
  | 'unknown-event'
  | 'wrong-stream'
  | 'not-a-fact'
  | 'after-withdrawal'
  | 'in-future'
  | 'not-retractable'
  | 'redacted'
  | 'not-available'
  | 'invalid-body'

export type Refused = { kind: 'refused'; word: RefusalWord; issues: ParseIssue[] }
/** The event as it is to be stored: a correction's data has been parsed by the schema of what it corrects. */
export type Admitted = { kind: 'admitted'; event: PostedEvent }

export type AdmissionContext = {
  /** Every event of the stream that the event is for: the commitment, or the register itself. */
  commitment: readonly StoredEvent[]
  /**
   * True where `commitment` leaves earlier events out: a standing CommitmentMade and facts that admission need not see. Only
   * for a fact that is neither a repair nor follows one, a withdrawal or a supersession.
   */
  isMadeBefore?: boolean
  register: RegisterState
  /** The stream in which an event of the register stands; undefined where there is no such event. */
  streamOf: (eventId: string) => string | undefined
  /** Today in the register's time zone. */
  today: Day
}

type Word = Exclude<RefusalWord, 'invalid-body'>

function refuse(word: Word, pointer: string, detail: string): Refused {
  return { kind: 'refused', word, issues: [{ pointer, detail }] }
}

/** A fact as admission sees it; `base` is where its fields stand in the event as posted. */
type Candidate = {
  type: string
  stream: string
  occurredOn: string
  /** That of its data; null where these are of a newer version. */
  schema: z.ZodType | null
  data: unknown
  citations: readonly Citation[]
  base: string
}

function refuseUnknown(unknown: UnknownReference | null, base: string): Refused | null {
  if (!unknown) return null
  const { to, id, pointer } = unknown
  return refuse(`unknown-${to}`, base + pointer, `${to} ${id} is not defined`)
}

function isMade(events: readonly StoredEvent[]): boolean {
  const made = events.filter((event) => event.type === 'CommitmentMade' && event.salt !== null)
  if (made.length === 0) return false
  const retracted = retractedIds(events)
  return made.some((event) => !retracted.has(event.id))
}

function notMade(candidate: Candidate, events: readonly StoredEvent[], isMadeBefore: boolean): Refused | null {
  const isThere = isMadeBefore || isMade(events)
  if (candidate.type === 'CommitmentMade') {
    if (!isThere) return null
    const pointer = candidate.base === '' ? '/type' : `${candidate.base}/event`
    return refuse('already-made', pointer, `commitment ${candidate.stream} is already made`)
  }
  if (isThere) return null
  return refuse('not-made', '/stream', `commitment ${candidate.stream} has not been made`)
}

/** What a type of fact has to do with a withdrawal. */
function withdrawalOf(type: string): CommitmentEntry['withdrawal'] | null {
  return isCommitmentFact(type) ? commitmentEntry(type).withdrawal : null
}

/** The types after which admission must see the whole stream: repairs, and what takes a commitment out of scope. */
export const NEEDING_WHOLE_STREAM: readonly EventType[] = EVENT_TYPES.filter(
  (type) => isRepair(type) || withdrawalOf(type) === 'isOne',
)

/** The range of the withdrawal or supersession that is in force in everything known; null where there is none. */
function withdrawal(events: readonly StoredEvent[], timeZone: string): DateRange | null {
  if (!events.some(({ type }) => withdrawalOf(type) === 'isOne')) return null
  const facts = commitmentFacts(events, { size: Number.POSITIVE_INFINITY, timeZone })
  const state = foldFacts(facts, Number.POSITIVE_INFINITY)
  if (!state?.ended || state.lifecycle === 'notDelivered') return null
  return dateRangeOf(state.ended.occurredOn)
}

function afterWithdrawal(
  candidate: Candidate,
  context: AdmissionContext,
  events: readonly StoredEvent[],
): Refused | null {
  if (withdrawalOf(candidate.type) !== 'refusedAfter') return null
  const withdrawn = withdrawal(events, context.register.timeZone)
  if (!withdrawn || !isWhollyBefore(withdrawn, dateRangeOf(candidate.occurredOn))) return null
  return refuse('after-withdrawal', `${candidate.base}/occurredOn`, `it left the scope on ${withdrawn.value}`)
}

function inFuture(occurredOn: string, at: string, today: Day): Refused | null {
  const { first } = dateRangeOf(occurredOn)
  return first !== null && first > today ? refuse('in-future', at, `${occurredOn} begins after today`) : null
}

/** Whether a fact, or a corrected one, can stand beside the other events of its stream. */
function refusalOfFact(
  candidate: Candidate,
  context: AdmissionContext,
  events: readonly StoredEvent[],
): Refused | null {
  const isOfRegister = isRegisterFact(candidate.type)
  if (isOfRegister !== (candidate.stream === REGISTER_STREAM)) {
    const home = isOfRegister ? REGISTER_STREAM : 'the stream of a commitment'
    return refuse('wrong-stream', '/stream', `${candidate.type} stands in ${home}`)
  }
  if (candidate.type === 'RegisterOpened' && events.some(({ type }) => type === 'RegisterOpened')) {
    return refuse('already-made', '/type', 'the register is open already')
  }
  return (
    (isOfRegister ? null : notMade(candidate, events, context.isMadeBefore === true)) ??
    refuseUnknown(unknownReferenceOf(candidate, context.register), candidate.base) ??
    (isOfRegister ? null : afterWithdrawal(candidate, context, events)) ??
    inFuture(candidate.occurredOn, `${candidate.base}/occurredOn`, context.today)
  )
}

type Correction = { event: string; occurredOn?: string; data?: unknown; citations?: Citation[]; reason: string }

/** What a repair points to, within its stream; or why it cannot. */
function findTarget(event: PostedEvent, context: AdmissionContext): StoredEvent | Refused {
  // Safe: every repair has an `event`.
  const { event: id } = event.data as { event: string }
  const target = context.commitment.find((other) => other.id === id)
  if (target) return target
  const stream = context.streamOf(id)
  if (stream === undefined) return refuse('unknown-event', '/data/event', `there is no event ${id}`)
  return refuse('wrong-stream', '/stream', `event ${id} stands in ${stream}; its repair stands there too`)
}

/** A correction is admitted as the corrected event would be, beside the other events of its stream. */
function admitCorrection(event: PostedEvent, target: StoredEvent, context: AdmissionContext): Admitted | Refused {
  if (isRepair(target.type))
    return refuse('not-a-fact', '/data/event', `${target.type} is a repair: retract it instead`)
  if (!isEventType(target.type)) return refuse('not-available', '/data/event', `${target.type} is of a newer version`)
  const before = correctedBodies(context.commitment, retractedIds(context.commitment)).get(target.id)
  if (!before) return refuse('redacted', '/data/event', 'its content was redacted')
  // Safe: parsed by the schema of EventCorrected.
  const correction = event.data as Correction
  const parsed =
    correction.data === undefined ? null : parseData(target.type, target.typeVersion, correction.data, '/data/data')
  if (parsed && !parsed.ok) return { kind: 'refused', word: 'invalid-body', issues: parsed.issues }
  const corrected: Candidate = {
    type: target.type,
    stream: event.stream,
    occurredOn: correction.occurredOn ?? before.occurredOn,
    schema: dataSchema(target.type, target.typeVersion),
    data: parsed ? parsed.value : before.data,
    citations: correction.citations ?? before.citations,
    base: '/data',
  }
  const others = context.commitment.filter((other) => other !== target)
  const refused = refusalOfFact(corrected, context, others)
  if (refused) return refused
  // What was parsed is stored, as with every event; the version it is in is that of what it replaces.
  const data = parsed ? { ...correction, data: parsed.value } : correction
  return { kind: 'admitted', event: { ...event, typeVersion: target.typeVersion, data } }
}

/**
 * An event as the log would hold it: the data of a correction in the shape of what it corrects, with its defaults filled.
 * Where that cannot be had it is returned as it is.
 */
export function asStored(event: PostedEvent, find: (id: string) => StoredEvent | undefined): PostedEvent {
  if (event.type !== 'EventCorrected') return event
  // Safe: parsed by the schema of EventCorrected.
  const correction = event.data as Correction
  const target = find(correction.event)
  if (correction.data === undefined || !target || !isEventType(target.type)) return event
  const parsed = parseData(target.type, target.typeVersion, correction.data, '')
  return parsed.ok ? { ...event, data: { ...correction, data: parsed.value } } : event
}

function admitRepair(event: PostedEvent, context: AdmissionContext): Admitted | Refused {
  const target = findTarget(event, context)
  if ('kind' in target) return target
  const refused =
    refuseUnknown(unknownSourceOf(event.citations, context.register), '') ??
    inFuture(event.occurredOn, '/occurredOn', context.today)
  if (refused) return refused
  if (event.type === 'EventCorrected') return admitCorrection(event, target, context)
  if (target.type === 'RegisterOpened' || target.type === 'EventRedacted') {
    return refuse('not-retractable', '/data/event', `${target.type} cannot be retracted`)
  }
  return { kind: 'admitted', event }
}

/** Whether an event can be recorded. Items of an array are admitted in order, each with the earlier ones in its context. */
export function admit(context: AdmissionContext, event: PostedEvent): Admitted | Refused {
  if (event.type === 'EventRedacted')
    return refuse('not-available', '/type', 'an operator redacts by POST …/events/{position}/redact')
  if (isRepair(event.type)) return admitRepair(event, context)
  const schema = dataSchema(event.type, event.typeVersion)
  const refused = refusalOfFact({ ...event, schema, base: '' }, context, context.commitment)
  return refused ?? { kind: 'admitted', event }
}

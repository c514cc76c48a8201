// Builders of stored events, for tests of what is derived from them: given these events, the state is that. One commitment,
// `c`, unless a test says otherwise; positions, revisions and ids follow from the order.

import fc from 'fast-check'
import type { EventType } from '../../src/domain/admission/posted-event.ts'
import { type CommitmentAnswer, describe } from '../../src/domain/commitment/answer.ts'
import { COMMITMENT_EVENTS, type CommitmentEventType } from '../../src/domain/commitment/events.ts'
import { stateAt } from '../../src/domain/commitment/state.ts'
import { type Citation, REGISTER_STREAM, type StoredEvent } from '../../src/domain/event.ts'
import { type RegisterState, registerAt } from '../../src/domain/register/state.ts'
import type { NewEvent } from '../../src/eventlog/append.ts'
import { dayOf } from '../../src/kernel/plain-date.ts'
import { anyDataOf, anyDate } from './any-data.ts'

/** An event before it has its place in a log. */
export type Draft = {
  type: string
  occurredOn: string
  data: Record<string, unknown>
  citations: Citation[]
  /** The UTC day, or the instant, on which it was recorded. */
  recordedAt?: string
  typeVersion?: number
  stream?: string
}

/** The id of the event at a position of a log that `given` built. */
export function idAt(position: number): string {
  return `00000000-0000-4000-8000-${position.toString(16).padStart(12, '0')}`
}

const SALT = new Uint8Array(32)

function instantOf(text: string): number {
  return Date.parse(text.length === 10 ? `${text}T12:00:00.000Z` : text)
}

/** A log of these events, in order. What no test cares about is recorded at noon of 2026-03-01. */
export function given(...drafts: Draft[]): StoredEvent[] {
  const revisions = new Map<string, number>()
  return drafts.map(({ recordedAt = '2026-03-01', typeVersion = 1, stream = 'c', ...body }, position) => {
    const revision = (revisions.get(stream) ?? 0) + 1
    revisions.set(stream, revision)
    const place = { position, id: idAt(position), stream, revision, typeVersion, recordedAt: instantOf(recordedAt) }
    return { ...place, ...body, recordedBy: 'local', salt: SALT, bodyHash: SALT }
  })
}

/** A fact of any type. */
export function fact(
  type: EventType,
  occurredOn: string,
  data: Record<string, unknown> = {},
  citations: Citation[] = [],
) {
  return { type, occurredOn, data, citations } satisfies Draft
}

const reason = 'a reason'
export const made = (on: string, data: Record<string, unknown> = {}, citations: Citation[] = []): Draft =>
  fact('CommitmentMade', on, { title: 'A promise', themes: [], parties: [], ...data }, citations)
export const amended = (on: string, data: Record<string, unknown>): Draft =>
  fact('CommitmentAmended', on, { ...data, reason })
export const rebaselined = (on: string, due: string): Draft => fact('CommitmentRebaselined', on, { due, reason })
export const forecast = (on: string, finish: string): Draft => fact('ForecastReported', on, { finish })
export const delivered = (on: string, citations: Citation[] = []): Draft => fact('DeliveryReported', on, {}, citations)
export const partly = (on: string): Draft => fact('DeliveryReported', on, { partial: true })
export const verified = (on: string): Draft => fact('DeliveryVerified', on)
export const disputed = (on: string): Draft => fact('DeliveryDisputed', on, { reason })
export const reopened = (on: string): Draft => fact('DeliveryReopened', on, { reason })
export const suspended = (on: string): Draft => fact('CommitmentSuspended', on, { reason })
export const resumed = (on: string): Draft => fact('CommitmentResumed', on, { reason })
export const withdrawn = (on: string): Draft => fact('CommitmentWithdrawn', on, { reason })
export const superseded = (on: string, ...by: string[]): Draft => fact('CommitmentSuperseded', on, { by, reason })
export const notDelivered = (on: string): Draft => fact('CommitmentNotDelivered', on, { reason })
export const reinstated = (on: string): Draft => fact('CommitmentReinstated', on, { reason })
export const reaffirmed = (on: string): Draft => fact('StatusReaffirmed', on)

/** The day of a repair plays no part; this is what every repair here says. */
const REPAIRED_ON = '2026-03-01'
export const retract = (position: number): Draft =>
  fact('EventRetracted', REPAIRED_ON, { event: idAt(position), reason })
export const correct = (
  position: number,
  to: { occurredOn?: string; data?: Record<string, unknown>; citations?: Citation[] },
): Draft => fact('EventCorrected', REPAIRED_ON, { event: idAt(position), ...to, reason })

export const opened = (on = '2000-01-01', data: Record<string, unknown> = {}): Draft => ({
  ...fact('RegisterOpened', on, { title: 'A register', parties: [{ id: 'A', name: 'A' }], timeZone: 'UTC', ...data }),
  stream: REGISTER_STREAM,
})

/** These events as a batch for the log, each its own group: what the log gives them is left out. */
export function newEvents(events: readonly StoredEvent[]): NewEvent[] {
  return events.map(({ id, stream, type, typeVersion, recordedBy, occurredOn, data, citations, revision }, group) => {
    if (occurredOn === null || citations === null) throw new Error('redacted')
    const body = { occurredOn, data, citations }
    return { group, id, stream, type, typeVersion, recordedBy, ...body, seenRevision: revision - 1 }
  })
}

/** The same event, recorded on a day or at an instant. */
export function recorded(recordedAt: string, draft: Draft): Draft {
  return { ...draft, recordedAt }
}

/** The same event, in another stream. */
export function inStream(stream: string, draft: Draft): Draft {
  return { ...draft, stream }
}

export const source = (id: string): Draft => ({
  ...fact('SourceAdded', '2000-01-01', { source: id, title: 'A document' }),
  stream: REGISTER_STREAM,
})

/** A register with party `A` and the sources `one` and `two`. */
const REGISTER: RegisterState = registerAt(given(opened(), source('one'), source('two')), 3)

/** What the service answers about the commitment as of a day, known at a size; null where it is not known. */
export function answerAt(
  events: readonly StoredEvent[],
  asOf: string,
  knownAt = events.length,
  { timeZone = 'UTC', register = REGISTER }: { timeZone?: string; register?: RegisterState } = {},
): CommitmentAnswer | null {
  const states = stateAt(events, { asOf: dayOf(asOf), knownAt, timeZone })
  if (!states) return null
  const revision = events.filter(({ position }) => position < knownAt).length
  const described = { id: 'c', revision, redacted: [], states }
  return describe(described, { asOf: dayOf(asOf), knownAt: { size: knownAt, recordedAt: null }, register })
}

// Random streams: any events in any order, with dates of every precision, and repairs of anything recorded before.

const anyData = (type: CommitmentEventType) => anyDataOf(type)
const slug = fc.constantFrom('a', 'b')

const citation = fc.record(
  { source: slug, claimedOn: anyDate, differs: fc.constant({ due: '2020' }) },
  { requiredKeys: ['source'] },
)

type AnyFact = { type: string; data: Record<string, unknown>; other: Record<string, unknown> }
type Step = {
  change: AnyFact
  occurredOn: string
  otherDay: string | undefined
  citations: Citation[]
  /** Hours since the event before it was recorded. */
  hours: number
  /** Picks the earlier event that a repair repairs. */
  pick: number
  stream: string
}

const factChange: fc.Arbitrary<AnyFact> = fc
  .constantFrom(...(Object.keys(COMMITMENT_EVENTS) as CommitmentEventType[]))
  .chain((type) => fc.record({ type: fc.constant(type), data: anyData(type), other: anyData(type) }))
const made0 = fc.record({
  type: fc.constant('CommitmentMade'),
  data: anyData('CommitmentMade'),
  other: anyData('CommitmentMade'),
})
const repairChange: fc.Arbitrary<AnyFact> = fc.record({
  type: fc.constantFrom('EventRetracted', 'EventCorrected', 'EventCorrected'),
  data: fc.constant({}),
  other: fc.constant({}),
})

function anyStep(streams: readonly string[]): fc.Arbitrary<Step> {
  return fc.record({
    change: fc.oneof(
      { arbitrary: factChange, weight: 6 },
      { arbitrary: made0, weight: 2 },
      { arbitrary: repairChange, weight: 3 },
    ),
    occurredOn: anyDate,
    otherDay: fc.option(anyDate, { nil: undefined }),
    citations: fc.array(citation, { maxLength: 2 }) as fc.Arbitrary<Citation[]>,
    hours: fc.integer({ min: 0, max: 2_000 }),
    pick: fc.nat(),
    stream: fc.constantFrom(...streams),
  })
}

function repairOf(step: Step, target: { event: StoredEvent; other: Record<string, unknown> }): Draft {
  const { event, other } = target
  const { otherDay, citations } = step
  const pointer = { event: event.id, reason }
  if (step.change.type === 'EventRetracted' || event.type.startsWith('Event')) {
    return fact('EventRetracted', step.occurredOn, pointer)
  }
  const to = {
    ...(otherDay ? { occurredOn: otherDay } : { data: other }),
    ...(step.pick % 3 === 0 ? { citations } : {}),
  }
  return fact('EventCorrected', step.occurredOn, { ...pointer, ...to })
}

function build(steps: readonly Step[]): StoredEvent[] {
  const built: { event: StoredEvent; other: Record<string, unknown> }[] = []
  let recordedAt = Date.parse('2021-06-01T00:00:00.000Z')
  for (const [position, step] of steps.entries()) {
    recordedAt += step.hours * 3_600_000
    const before = built.filter(({ event }) => event.stream === step.stream)
    const target = before[step.pick % Math.max(1, before.length)]
    const isRepair = step.change.type.startsWith('Event')
    // The first of a stream has nothing to repair: it promises instead.
    const body = isRepair
      ? target
        ? repairOf(step, target)
        : made(step.occurredOn)
      : { type: step.change.type, occurredOn: step.occurredOn, data: step.change.data, citations: step.citations }
    const place = { position, id: idAt(position), stream: step.stream, revision: before.length + 1, typeVersion: 1 }
    const event = { ...place, ...body, recordedAt, recordedBy: 'local', salt: SALT, bodyHash: SALT }
    built.push({ event, other: isRepair ? { title: 'x', themes: [], parties: [] } : step.change.other })
  }
  return built.map(({ event }) => event)
}

/** Any events over these streams, as a log; nothing has been admitted, so every order is there. */
export function anyLog(streams: readonly string[] = ['c'], maxLength = 30, minLength = 1): fc.Arbitrary<StoredEvent[]> {
  return fc.array(anyStep(streams), { minLength, maxLength, size: 'max' }).map(build)
}

/** The same log with the content of some events erased, as redaction leaves it. */
export function redactedAt(events: readonly StoredEvent[], positions: readonly number[]): StoredEvent[] {
  return events.map((event) => {
    if (!positions.includes(event.position)) return event
    const data = event.type.startsWith('Event') ? { event: (event.data as { event: string }).event } : null
    return { ...event, occurredOn: null, data, citations: null, salt: null }
  })
}

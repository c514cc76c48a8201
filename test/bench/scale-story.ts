// The life of one made-up commitment as a register records it: facts that arrive soon after they happened or long after,
// and repairs of the record. Nobody admits them, so some contradict others, as imported registers do.

import type { EventType } from '../../src/domain/admission/posted-event.ts'
import type { Citation } from '../../src/domain/event.ts'
import { type Day, dayOf, formatDay } from '../../src/kernel/plain-date.ts'
import type { Random } from '../../src/samples/random.ts'

/** An event before it has its place in the log. */
export type Draft = {
  /** When it is recorded: milliseconds since the epoch. */
  at: number
  id: string
  stream: string
  type: EventType
  occurredOn: string
  data: Record<string, unknown>
  citations: Citation[]
}

export const DAY_MS = 86_400_000

/** The days within which the register records. */
export const OPENED_ON = dayOf('2019-01-01')
export const LAST_ON = dayOf('2026-06-30')
const LAST_AT = (LAST_ON + 1) * DAY_MS - 1

const FIRST_MADE_ON = dayOf('2017-03-01')
const LAST_MADE_ON = dayOf('2025-09-30')
/** Commitments older than the register, which are entered in its first year. */
const OLD_SHARE = 0.25
/** The bounds of due days. */
const FIRST_DUE_ON = dayOf('2018-01-01')
const LAST_DUE_ON = dayOf('2030-12-31')

const BACKDATED_SHARE = 0.15
const REPAIR_SHARE = 0.05
/** Of the repairs; the others correct. */
const RETRACTION_SHARE = 0.4
const UNDOING_SHARE = 0.15

export const PROGRAMMES = Array.from({ length: 20 }, (_, index) => `programme-${index + 1}`)
export const SOURCES = ['bulletin', 'plan', 'minutes', 'audit-notes', 'gazette', 'press', 'statistics', 'letter']
export const PARTIES = ['A', 'B', 'C', 'D', 'E']
const THEMES = ['transport', 'energy', 'customs', 'health', 'education', 'labour', 'agriculture', 'research']
const OBJECTS = ['freight permits', 'grid connections', 'tariff tables', 'clinics', 'diplomas', 'pension records']
const REASONS = [
  'Procurement took longer',
  'Waiting for a law',
  'Change of scope',
  'Funds came late',
  'Agreed by both sides',
]
const NOTES = ['Half of the offices connected', 'Draft is with the ministries', 'Contract signed', 'Second stage begun']
const STATUSES = [
  { status: 'On schedule', means: 'onSchedule' },
  { status: 'Behind schedule', means: 'late' },
  { status: 'Completed', means: 'delivered' },
  { status: 'Work under way' },
]
const RECORDERS = ['importer', 'editor-1', 'editor-2', 'editor-3']

/** A UUID of version 7 (RFC 9562) for an instant, as the service makes them. */
export function timedId(random: Random, at: number): string {
  const time = at.toString(16).padStart(12, '0')
  const digits = (count: number) =>
    random
      .int(0, 16 ** count - 1)
      .toString(16)
      .padStart(count, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(3)}-${random.pick(['8', '9', 'a', 'b'])}${digits(3)}-${digits(6)}${digits(6)}`
}

/** Who recorded an event, by its id: any constant choice will do. */
export function recorderOf(id: string): string {
  return RECORDERS[Number.parseInt(id.slice(-1), 16) % RECORDERS.length] ?? 'importer'
}

type Story = { random: Random; stream: string; number: number; madeOn: Day; madeAt: number; due: Day; told: Draft[] }

/** `wanted` events of one commitment, `CommitmentMade` first recorded; fewer only where none is wanted. */
export function commitmentStory(random: Random, number: number, wanted: number): Draft[] {
  if (wanted === 0) return []
  const repairs = repairCount(random, wanted)
  const story = begin(random, number)
  tellRebaselines(story)
  tellOutcome(story)
  if (random.chance(0.04)) tellSuspension(story)
  while (story.told.length < wanted - repairs) tellAside(story)
  const facts = story.told.toSorted((a, b) => a.at - b.at).slice(0, wanted - repairs)
  return [...facts, ...tellRepairs(random, facts, repairs)]
}

function repairCount(random: Random, wanted: number): number {
  let count = 0
  for (let draw = 1; draw < wanted; draw += 1) if (random.chance(REPAIR_SHARE)) count += 1
  return count
}

function begin(random: Random, number: number): Story {
  const isOld = random.chance(OLD_SHARE)
  const madeOn = isOld ? random.int(FIRST_MADE_ON, OPENED_ON - 1) : random.int(OPENED_ON, LAST_MADE_ON)
  const entered = isOld ? OPENED_ON + random.int(1, 300) : madeOn + delayOf(random)
  const madeAt = Math.min(entered, LAST_ON - 40) * DAY_MS + random.int(0, DAY_MS - 1)
  const due = within(madeOn + random.int(150, 1_600), FIRST_DUE_ON, LAST_DUE_ON)
  const story: Story = { random, stream: `commitment-${number}`, number, madeOn, madeAt, due, told: [] }
  story.told.push(draft(story, madeAt, 'CommitmentMade', dateText(random, madeOn), promise(story)))
  return story
}

function promise({ random, number, due }: Story): Record<string, unknown> {
  const theme = random.pick(THEMES)
  const party = random.pick(PARTIES)
  return {
    title: `Bring ${random.pick(OBJECTS)} into common use (measure ${number})`,
    ...(random.chance(0.95) && { programme: random.pick(PROGRAMMES) }),
    themes: random.chance(0.2) ? [...new Set([theme, random.pick(THEMES)])] : [theme],
    parties: random.chance(0.3) ? [...new Set([party, random.pick(PARTIES)])] : [party],
    ...(random.chance(0.96) && { due: dateText(random, due) }),
    ...(random.chance(0.2) && { target: { value: 10 * random.int(1, 50), unit: 'percent', better: 'more' } }),
  }
}

function within(day: Day, first: Day, last: Day): Day {
  return Math.max(first, Math.min(last, day))
}

/** How many days after it happened a fact is recorded. */
function delayOf(random: Random): number {
  return random.chance(BACKDATED_SHARE) ? random.int(30, 900) : random.int(0, random.int(0, 20))
}

/** A day as the day, its month, a range that ends with it, or its year: as precise as sources are. */
function dateText(random: Random, day: Day): string {
  const text = formatDay(day)
  const draw = random.int(1, 100)
  if (draw <= 78) return text
  if (draw <= 92) return text.slice(0, 7)
  return draw <= 96 ? `${formatDay(day - random.int(1, 40))}/${text}` : text.slice(0, 4)
}

function draft(
  { random, stream, number }: Story,
  at: number,
  type: EventType,
  occurredOn: string,
  data: Draft['data'],
): Draft {
  const source = random.pick(SOURCES)
  const citations = random.chance(0.9) ? [{ source, locator: `item ${number}`, claimedBy: 'Joint secretariat' }] : []
  return { at, id: timedId(random, at), stream, type, occurredOn, data, citations }
}

/** Tells a fact of a day; not where it would be recorded after the last day of the register. */
function tell(story: Story, on: Day, type: EventType, data: Draft['data']): boolean {
  const { random, madeAt, told } = story
  const learned = (on + delayOf(random)) * DAY_MS + random.int(0, DAY_MS - 1)
  // What happened before the commitment was entered is entered after it.
  const at = learned > madeAt ? learned : madeAt + random.int(1, 30 * DAY_MS)
  if (at > LAST_AT) return false
  told.push(draft(story, at, type, dateText(random, on), data))
  return true
}

function tellRebaselines(story: Story): void {
  const { random, madeOn } = story
  const count = random.chance(0.3) ? random.int(1, 3) : 0
  for (let nth = 0; nth < count; nth += 1) {
    const on = Math.max(madeOn + 1, story.due - random.int(-60, 150))
    story.due = within(story.due + random.int(60, 700), FIRST_DUE_ON, LAST_DUE_ON)
    const data = { due: dateText(random, story.due), reason: random.pick(REASONS), approvedBy: 'Steering group' }
    tell(story, on, 'CommitmentRebaselined', data)
  }
}

const ENDINGS = [
  'CommitmentWithdrawn',
  'CommitmentWithdrawn',
  'CommitmentSuperseded',
  'CommitmentNotDelivered',
] as const

function tellOutcome(story: Story): void {
  const { random, madeOn, number } = story
  const draw = random.int(1, 100)
  if (draw <= 62) tellDelivery(story)
  if (draw <= 62 || draw > 71) return
  const on = madeOn + random.int(60, 1_500)
  const type = random.pick(ENDINGS)
  const by = type === 'CommitmentSuperseded' ? { by: [`commitment-${number + 1}`] } : {}
  tell(story, on, type, { ...by, reason: random.pick(REASONS) })
  if (random.chance(0.2)) tell(story, on + random.int(20, 400), 'CommitmentReinstated', { reason: 'Taken up again' })
}

function tellDelivery(story: Story): void {
  const { random, madeOn, due } = story
  const finishedOn = Math.max(madeOn + 10, due + (random.chance(0.55) ? -random.int(0, 120) : random.int(1, 500)))
  if (random.chance(0.1)) tell(story, finishedOn - random.int(5, 200), 'DeliveryReported', { partial: true })
  if (!tell(story, finishedOn, 'DeliveryReported', {})) return
  if (random.chance(0.5)) tell(story, finishedOn + random.int(5, 120), 'DeliveryVerified', { method: 'Site visit' })
  if (random.chance(0.08)) tellDispute(story, finishedOn + random.int(5, 90))
  if (random.chance(0.05)) tellReopening(story, finishedOn + random.int(20, 200))
}

function tellDispute(story: Story, on: Day): void {
  tell(story, on, 'DeliveryDisputed', { reason: 'An observer found it unfinished' })
  if (story.random.chance(0.5)) tell(story, on + 60, 'DeliveryVerified', { method: 'Second visit' })
}

function tellReopening(story: Story, on: Day): void {
  tell(story, on, 'DeliveryReopened', { reason: 'The claim was given up' })
  if (story.random.chance(0.7)) tell(story, on + story.random.int(30, 400), 'DeliveryReported', {})
}

function tellSuspension(story: Story): void {
  const { random, madeOn } = story
  const on = madeOn + random.int(30, 700)
  tell(story, on, 'CommitmentSuspended', { reason: 'Waiting for a decision' })
  if (random.chance(0.8)) tell(story, on + random.int(30, 300), 'CommitmentResumed', { reason: 'It was decided' })
}

/** What happens on the way, by weight. */
const ASIDES: readonly [number, EventType, (story: Story, on: Day) => Draft['data']][] = [
  [34, 'ProgressReported', ({ random }) => ({ percent: random.int(1, 99), note: random.pick(NOTES) })],
  [22, 'ForecastReported', ({ random, due }) => ({ finish: formatDay(due + random.int(-60, 300)) })],
  [22, 'StatusReported', ({ random }) => random.pick(STATUSES)],
  [9, 'StatusReaffirmed', () => ({})],
  [
    6,
    'MilestoneSet',
    ({ random }, on) => ({ milestone: `step-${random.int(1, 3)}`, title: 'A step', due: formatDay(on + 90) }),
  ],
  [3, 'MilestoneMet', ({ random }) => ({ milestone: `step-${random.int(1, 3)}` })],
  [
    2,
    'AssessmentRecorded',
    ({ random }) => ({
      assessor: 'Audit office',
      scale: 'RAG',
      scaleVersion: '1',
      rating: random.pick(['red', 'amber', 'green']),
    }),
  ],
  [
    2,
    'CommitmentAmended',
    ({ random }) => ({ programme: random.pick(PROGRAMMES), themes: [random.pick(THEMES)], reason: 'Moved' }),
  ],
]

const WEIGHED = ASIDES.flatMap(([weight, type, dataOf]) => Array.from({ length: weight }, () => ({ type, dataOf })))

function tellAside(story: Story): void {
  const { random, madeOn, due } = story
  const { type, dataOf } = random.pick(WEIGHED)
  // Little is told of what is long past its due day.
  const on = random.int(madeOn + 1, Math.min(LAST_ON, due + 300))
  tell(story, on, type, dataOf(story, on))
}

function tellRepairs(random: Random, facts: readonly Draft[], count: number): Draft[] {
  const repairs: Draft[] = []
  for (let nth = 0; nth < count; nth += 1) {
    const undone = repairs.find(({ type }) => type === 'EventRetracted')
    // The promise itself is repaired more rarely than what follows from it.
    const fact = facts[Math.max(random.int(0, facts.length - 1), random.int(0, facts.length - 1))] as Draft
    if (!random.chance(RETRACTION_SHARE)) repairs.push(correction(random, fact))
    else repairs.push(retraction(random, undone && random.chance(UNDOING_SHARE) ? undone : fact))
  }
  return repairs
}

/** A repair of an event, recorded after it: half of them within a month. */
function repair(random: Random, target: Draft, type: EventType, what: Draft['data']): Draft {
  const latest = Math.min(LAST_AT, target.at + (random.chance(0.5) ? 30 : 700) * DAY_MS)
  const at = Math.min(LAST_AT, target.at + random.int(1, Math.max(1, latest - target.at)))
  const data = { event: target.id, ...what, reason: 'Read again from the source' }
  return { ...target, at, id: timedId(random, at), type, occurredOn: formatDay(Math.floor(at / DAY_MS)), data }
}

function retraction(random: Random, target: Draft): Draft {
  return repair(random, target, 'EventRetracted', {})
}

function correction(random: Random, target: Draft): Draft {
  const data = random.chance(0.5) ? correctedData(random, target.data) : null
  if (data) return repair(random, target, 'EventCorrected', { data })
  const on = Math.floor(target.at / DAY_MS) - random.int(0, random.chance(0.7) ? 40 : 600)
  return repair(random, target, 'EventCorrected', { occurredOn: dateText(random, on) })
}

/** The data with another due day, finish or percentage; null where it has none of them. */
function correctedData(random: Random, data: Draft['data']): Draft['data'] | null {
  const due = formatDay(random.int(FIRST_DUE_ON, LAST_DUE_ON))
  if ('due' in data) return { ...data, due }
  if ('finish' in data) return { ...data, finish: due }
  return 'percent' in data ? { ...data, percent: random.int(1, 99) } : null
}

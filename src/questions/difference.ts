// What changed between two states of knowledge about one day: which commitments stand otherwise, and because of which
// events. Repairs (the record was wrong) are kept apart from news (something was learned).

import { z } from 'zod'
import { knownAtAnswer, lifecycleAnswer, scheduleAnswer, verificationAnswer } from '../domain/commitment/answer.ts'
import type { StoredEvent } from '../domain/event.ts'
import { summaryFigures } from '../domain/portfolio/summary.ts'
import { isRepair } from '../domain/repairs.ts'
import { readEventsAt } from '../eventlog/events.ts'
import { streamsSince } from '../eventlog/streams.ts'
import { instantText } from '../kernel/instant.ts'
import { formatDay } from '../kernel/plain-date.ts'
import { readStates } from '../projections/commitments/read.ts'
import { readStatusVersions, type StatusVersion } from '../projections/periods/read.ts'
import type { Basis, Source } from './basis.ts'
import { type Clocks, clocksAt } from './clocks.ts'
import { redactedOfProgrammes, summaryFiguresAt, TALLY_VERSION } from './figures.ts'
import { frameAnswer, frameOf, nextPage } from './frame.ts'
import type { Page } from './question.ts'
import { answerRedacted, redactedAnswer } from './redacted.ts'
import { malformed } from './refusal.ts'
import type { AskedRegister, QuestionContext } from './register.ts'
import { type Resolved, resolveSize } from './size.ts'

const statusAnswer = z
  .strictObject({
    lifecycle: lifecycleAnswer,
    schedule: scheduleAnswer,
    verification: verificationAnswer,
    programme: z.string().nullable().meta({ description: 'The programme that it belonged to; null: none' }),
  })
  .nullable()

const KINDS = ['news', 'repair'] as const
type Kind = (typeof KINDS)[number]

const causeAnswer = z.strictObject({
  event: z.int().meta({ description: 'Position of the event that changed the status' }),
  stream: z.string().meta({ description: 'The stream of the event: the id of a commitment, or `$register`' }),
  type: z.string().meta({ description: 'The type of the event' }),
  recordedAt: z.string().meta({ description: 'When it was recorded, in UTC' }),
  kind: z.enum(KINDS).meta({ description: 'repair: it corrected the record; news: the log learned a fact' }),
})

const itemAnswer = z
  .strictObject({
    id: z.string().meta({ description: 'The id of the commitment' }),
    title: z.string().meta({ description: 'Its title, as known later; as known earlier where it is no longer known' }),
    before: statusAnswer.meta({ description: 'Its status as known earlier; null: it was not known' }),
    after: statusAnswer.meta({ description: 'Its status as known later; null: it is no longer known' }),
    kind: z.enum([...KINDS, 'both']).meta({
      description: 'repair: an event corrected the record; news: the log learned a fact; both: both happened',
    }),
    because: z.array(causeAnswer).meta({ description: 'The events that changed its status, in order of position' }),
  })
  .meta({ id: 'Difference', description: 'How a commitment stands at two sizes, and because of which events' })
type Item = z.output<typeof itemAnswer>

const figuresAnswer = z.strictObject(summaryFigures)
export const differenceAnswer = z.strictObject({
  items: z.array(itemAnswer).meta({ description: 'The commitments of this page, in order of id' }),
  next: nextPage,
  ...frameAnswer,
  from: knownAtAnswer.meta({ description: 'The earlier knowledge' }),
  to: knownAtAnswer.meta({ description: 'The later knowledge' }),
  figures: z
    .strictObject({
      before: figuresAnswer.meta({ description: 'The figures as known earlier' }),
      after: figuresAnswer.meta({ description: 'The figures as known later' }),
    })
    .meta({ description: 'The figures as of the day, in both states of knowledge' }),
  ...redactedAnswer,
})

export type DifferenceAnswer = z.output<typeof differenceAnswer>

/** The commitments that can stand otherwise: those whose stream grew, or all where facts are dated in another time zone. */
async function candidates({ db }: QuestionContext, from: Clocks, to: Clocks): Promise<string[]> {
  const isRedated = from.timeZone !== to.timeZone
  const streams = await streamsSince(db, to.register, isRedated ? 0 : from.size, to.size)
  return streams.sort()
}

function answerStatus(version: StatusVersion | undefined): Item['before'] {
  if (!version?.status) return null
  const { lifecycle, verification, schedule, uncertain } = version.status
  return { lifecycle, schedule: { ...schedule, uncertain }, verification, programme: version.programme }
}

function isSame(a: StatusVersion | undefined, b: StatusVersion | undefined): boolean {
  return JSON.stringify(answerStatus(a)) === JSON.stringify(answerStatus(b))
}

type Changed = { id: string; before: StatusVersion | undefined; after: StatusVersion; positions: number[] }

/** How one commitment changed between the sizes; null where it stands as it did. */
function changeOf(id: string, versions: readonly StatusVersion[], from: number): Changed | null {
  const before = versions.findLast(({ knownFrom }) => knownFrom <= from)
  const later = versions.filter(({ knownFrom }) => knownFrom > from)
  const after = later.at(-1)
  if (!after || isSame(before, after)) return null
  const positions = later
    .filter((version, index) => !isSame(index === 0 ? before : later[index - 1], version))
    .map(({ knownFrom }) => knownFrom - 1)
  return { id, before, after, positions }
}

function isAmong(programmes: readonly string[], { before, after }: Changed): boolean {
  const known = [before, after].filter((version) => version?.status)
  return programmes.length === 0 || known.some((version) => programmes.includes(version?.programme ?? ''))
}

const IDS_AT_ONCE = 1_000

/** The changes after an id, in order of id, one more than the limit where there are more. */
async function changesAfter(
  { db }: QuestionContext,
  { from, to, programmes }: { from: Clocks; to: Clocks; programmes: readonly string[] },
  ids: readonly string[],
  limit: number,
): Promise<Changed[]> {
  const changes: Changed[] = []
  for (let first = 0; first < ids.length && changes.length <= limit; first += IDS_AT_ONCE) {
    const some = ids.slice(first, first + IDS_AT_ONCE)
    const versions = await readStatusVersions(db, to, from.size, some)
    for (const id of some) {
      const change = changeOf(id, versions.get(id) ?? [], from.size)
      if (change && isAmong(programmes, change)) changes.push(change)
    }
  }
  return changes.slice(0, limit + 1)
}

function answerCause({ position, stream, type, recordedAt }: StoredEvent): Item['because'][number] {
  return {
    event: position,
    stream,
    type,
    recordedAt: instantText(recordedAt),
    kind: isRepair(type) ? 'repair' : 'news',
  }
}

function kindOf(causes: Item['because']): Item['kind'] {
  const kinds = new Set<Kind>(causes.map(({ kind }) => kind))
  // Safe: a change has at least one cause.
  return kinds.size === 2 ? 'both' : ([...kinds][0] as Kind)
}

/** The titles of commitments, as known later, or earlier where they are no longer known. */
async function titles(
  { db }: QuestionContext,
  from: Clocks,
  to: Clocks,
  changes: readonly Changed[],
): Promise<Map<string, string>> {
  const known = await readStates(
    db,
    to,
    changes.filter(({ after }) => after.status),
  )
  const gone = await readStates(
    db,
    from,
    changes.filter(({ after }) => !after.status),
  )
  return new Map([...known, ...gone].map(({ id, states }) => [id, states.latest.title]))
}

async function answerChanges(
  context: QuestionContext,
  from: Clocks,
  to: Clocks,
  changes: readonly Changed[],
): Promise<Item[]> {
  const positions = changes.flatMap((change) => change.positions)
  const events = new Map(
    (await readEventsAt(context.db, to.register, positions)).map((event) => [event.position, event]),
  )
  const names = await titles(context, from, to, changes)
  return changes.map(({ id, before, after, positions }) => {
    // Safe: the log holds every position that changed a timeline.
    const because = positions.map((position) => answerCause(events.get(position) as StoredEvent))
    const [was, is] = [answerStatus(before), answerStatus(after)]
    return { id, title: names.get(id) ?? id, before: was, after: is, kind: kindOf(because), because }
  })
}

/** What an answer rests on that has two sizes: both, and the one that says less. */
function basisOf(earlier: Resolved, later: Resolved): Basis {
  const isInstant = [earlier, later].some(({ basis }) => basis.size === 'instant')
  return isInstant ? { ...later.basis, size: 'instant', dayIn: later.known.state.timeZone } : later.basis
}

/** The day and the two states of knowledge that are compared: sizes, instants, or days (their ends). */
export type DifferenceParameters = {
  asOf?: string | undefined
  /** The earlier knowledge; refused where it is left out, which only a cursor may. */
  from?: string | undefined
  /** The later knowledge; everything recorded where it is left out. */
  to?: string | undefined
  minSize?: number | undefined
}

/** The clocks of both states of knowledge, and what a comparison of them rests on. */
export type Compared = { from: Clocks; to: Clocks; basis: Basis; version: string }

const SOURCE: Source = ['commitments', 'periods']

/** Resolves both states of knowledge, waiting where more is asked for than is read. Throws RefusalError. */
export async function resolveCompared(
  context: QuestionContext,
  asked: AskedRegister,
  { asOf, minSize, from: named, to: until }: DifferenceParameters,
): Promise<Compared> {
  if (named === undefined) throw malformed('from', 'expected a size, a day or an instant')
  const later = await resolveSize(context, asked, SOURCE, { asOf, minSize, knownAt: until }, 'to')
  const earlier = await resolveSize(context, asked, SOURCE, { asOf, minSize, knownAt: named }, 'from')
  const to = await clocksAt(context, asOf, later)
  const from = await clocksAt(context, formatDay(to.asOf), earlier)
  if (from.size > to.size) throw malformed('from', `names size ${from.size}, which is later than to, ${to.size}`)
  return { from, to, basis: basisOf(earlier, later), version: `${TALLY_VERSION}.${from.size}` }
}

/** Where a page begins: after a commitment. */
export type DifferencePlace = { after: string }

type DifferencePage = Omit<DifferenceAnswer, 'next'> & { next: DifferencePlace | null }

/** What changed between two states of knowledge, in order of id; `programmes` narrows it, where some are named. */
export async function difference(
  context: QuestionContext,
  { from, to }: Compared,
  programmes: readonly string[],
  { place, limit }: Page<DifferencePlace>,
): Promise<DifferencePage> {
  const ids = (await candidates(context, from, to)).filter((id) => !place || id > place.after)
  const changes = await changesAfter(context, { from, to, programmes }, ids, limit)
  const page = changes.slice(0, limit)
  const last = page.at(-1)
  const redacted = [
    ...(await redactedOfProgrammes(context, from, programmes)),
    ...(await redactedOfProgrammes(context, to, programmes)),
  ]
  return {
    items: await answerChanges(context, from, to, page),
    next: changes.length > limit && last ? { after: last.id } : null,
    ...frameOf(to),
    from: from.knownAt,
    to: to.knownAt,
    figures: {
      before: await summaryFiguresAt(context, from, programmes),
      after: await summaryFiguresAt(context, to, programmes),
    },
    ...answerRedacted(redacted),
  }
}

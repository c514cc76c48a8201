// What changed between two states of knowledge about one day: which commitments stand otherwise, and because of which
// events. Repairs (the record was wrong) are kept apart from news (something was learned).

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { knownAtAnswer, RULES, scheduleAnswer } from '../../domain/commitment/answer.ts'
import { LIFECYCLES, VERIFICATIONS } from '../../domain/commitment/status.ts'
import { type StoredEvent, slug } from '../../domain/event.ts'
import { summaryFigures } from '../../domain/portfolio/summary.ts'
import { isRepair } from '../../domain/repairs.ts'
import { streamsSince } from '../../eventlog/feed.ts'
import { loadAt } from '../../eventlog/load.ts'
import { formatDay } from '../../kernel/plain-date.ts'
import { readStates } from '../../projections/commitments/read.ts'
import { readStatusVersions, type StatusVersion } from '../../projections/periods/read.ts'
import {
  asOfParameter,
  type Clocks,
  type Context,
  clocksAt,
  instantText,
  minSizeParameter,
  type Resolved,
  registerOf,
  resolveSize,
} from '../server/context.ts'
import { cursors, linkNext } from '../server/cursor.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { pageLimit } from '../server/parameters.ts'
import type { Basis } from '../server/polls.ts'
import { Problem, problems } from '../server/problem.ts'
import { answerLosses, lossAnswer } from './losses.ts'
import { erasedOfProgrammes, programmeFilter, summaryFiguresAt, TALLY_VERSION } from './summary.ts'

const DEFAULT_LIMIT = 100
const SIZE_FORMS = 'a size, an instant, or a day (its end)'

const differenceParameters = z.strictObject({
  asOf: asOfParameter,
  from: z
    .string()
    .optional()
    .meta({ description: `The earlier knowledge: ${SIZE_FORMS}; needed without a cursor` }),
  to: z
    .string()
    .optional()
    .meta({ description: `The later knowledge: ${SIZE_FORMS}; everything recorded by default` }),
  programme: programmeFilter,
  minSize: minSizeParameter,
  limit: pageLimit.optional(),
  cursor: z.string().max(10_000).optional().meta({ description: 'The next of the page before; pins all but limit' }),
})
type DifferenceQuery = z.output<typeof differenceParameters>

const statusAnswer = z
  .strictObject({
    lifecycle: z.enum(LIFECYCLES),
    schedule: scheduleAnswer,
    verification: z.enum(VERIFICATIONS),
    programme: z.string().nullable(),
  })
  .nullable()
  .meta({ description: 'null: not known then' })

const KINDS = ['news', 'repair'] as const
type Kind = (typeof KINDS)[number]

const causeAnswer = z.strictObject({
  event: z.int().meta({ description: 'Position of the event that changed the status' }),
  stream: z.string(),
  type: z.string(),
  recordedAt: z.string(),
  kind: z.enum(KINDS),
})

const itemAnswer = z
  .strictObject({
    id: z.string(),
    title: z.string(),
    before: statusAnswer,
    after: statusAnswer,
    kind: z
      .enum([...KINDS, 'both'])
      .meta({ description: 'repair: the record was mended; news: something was learned' }),
    because: z.array(causeAnswer),
  })
  .meta({ id: 'Difference' })
type Item = z.output<typeof itemAnswer>

const figuresAnswer = z.strictObject(summaryFigures)
const differenceAnswer = z.strictObject({
  items: z.array(itemAnswer),
  next: z.string().nullable(),
  asOf: z.string(),
  knownAt: knownAtAnswer,
  rules: z.string(),
  from: knownAtAnswer,
  to: knownAtAnswer,
  figures: z.strictObject({ before: figuresAnswer, after: figuresAnswer }),
  ...lossAnswer,
})

export type DifferenceAnswer = z.output<typeof differenceAnswer>

const pages = cursors('difference', differenceParameters, z.strictObject({ after: slug }))

/** The commitments that can stand otherwise: those whose stream grew, or all where facts are dated in another time zone. */
async function candidates({ db }: Context, from: Clocks, to: Clocks): Promise<string[]> {
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
  { db }: Context,
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
  { db }: Context,
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

async function answerChanges(context: Context, from: Clocks, to: Clocks, changes: readonly Changed[]): Promise<Item[]> {
  const positions = changes.flatMap((change) => change.positions)
  const events = new Map((await loadAt(context.db, to.register, positions)).map((event) => [event.position, event]))
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

async function difference(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  // Safe: parsed by the schema of the route.
  const { query, place } = pages.read(known.register, request.query as DifferenceQuery, request.url)
  if (query.from === undefined) throw malformedFrom('expected a size, a day or an instant')
  const later = await resolveSize(context, request, known, ['commitments', 'periods'], query.to, 'to')
  const earlier = await resolveSize(context, request, known, ['commitments', 'periods'], query.from, 'from')
  const to = await clocksAt(context, query.asOf, later)
  const asOf = formatDay(to.asOf)
  const from = await clocksAt(context, asOf, earlier)
  if (from.size > to.size) throw malformedFrom(`names size ${from.size}, which is later than to, ${to.size}`)
  const version = { size: to.size, asOf, projection: `${TALLY_VERSION}.${from.size}`, basis: basisOf(earlier, later) }
  if (isUnchanged(request, reply, version)) return reply.send()
  const limit = query.limit ?? DEFAULT_LIMIT
  const ids = (await candidates(context, from, to)).filter((id) => !place || id > place.after)
  const changes = await changesAfter(context, { from, to, programmes: query.programme }, ids, limit)
  const page = changes.slice(0, limit)
  const pinned = { asOf, from: String(from.size), to: String(to.size) }
  const last = page.at(-1)
  const next = changes.length > limit && last ? pages.write(known.register, query, pinned, { after: last.id }) : null
  linkNext(reply, `/v1/registers/${known.register}/summary/difference`, next, query.limit)
  const lost = [
    ...(await erasedOfProgrammes(context, from, query.programme)),
    ...(await erasedOfProgrammes(context, to, query.programme)),
  ]
  return {
    items: await answerChanges(context, from, to, page),
    next,
    asOf,
    knownAt: to.knownAt,
    rules: RULES,
    from: from.knownAt,
    to: to.knownAt,
    figures: {
      before: await summaryFiguresAt(context, from, query.programme),
      after: await summaryFiguresAt(context, to, query.programme),
    },
    ...answerLosses(lost),
  }
}

function malformedFrom(detail: string): Problem {
  return new Problem('malformed', { detail: `parameter from: ${detail}`, errors: [{ pointer: '/from', detail }] })
}

export function differenceRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/summary/difference',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Compare two states of knowledge about one day',
        description:
          'Which commitments stand otherwise as of the day than was known before, by which events: repairs of the record ' +
          'apart from news. With the figures before and after.',
        tags: ['figures'],
        querystring: differenceParameters,
        response: { 200: differenceAnswer, ...problems },
      },
    },
    (request, reply) => difference(context, request, reply),
  )
}

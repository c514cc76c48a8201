// Commitments: the list, one of them, its timeline and its stream.

import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  type CommitmentAnswer,
  commitmentAnswer,
  type Described,
  describe,
  knownAtAnswer,
  RULES,
} from '../../domain/commitment/answer.ts'
import { answerTimeline, periodAnswer } from '../../domain/commitment/timeline-answer.ts'
import type { StoredEvent } from '../../domain/event.ts'
import { answerEvent, eventAnswer } from '../../domain/event-answer.ts'
import { measure } from '../../domain/portfolio/figures.ts'
import { DEFINITIONS, erasedPositions } from '../../domain/register/state.ts'
import { isInForce, redactedPositions, repairTarget, retractedIds } from '../../domain/repairs.ts'
import { loadErased, loadStreams } from '../../eventlog/load.ts'
import { type Day, formatDay } from '../../kernel/plain-date.ts'
import { projectAt } from '../../projections/commitments/project.ts'
import { commitments } from '../../projections/commitments/projection.ts'
import {
  type CommitmentRecord,
  readCommitments,
  readStates,
  searchCommitments,
} from '../../projections/commitments/read.ts'
import { periods } from '../../projections/periods/projection.ts'
import {
  ALL,
  readPage,
  readStatuses,
  readTimeline,
  type StatusRecord,
  type Wanted,
} from '../../projections/periods/read.ts'
import { JSON_TYPE } from '../server/body.ts'
import {
  asOfParameter,
  type Clocks,
  type Context,
  isSlug,
  knownAtParameter,
  listFrame,
  minSizeParameter,
  registerOf,
  resolveClocks,
} from '../server/context.ts'
import { csvWriter } from '../server/csv.ts'
import { linkNext } from '../server/cursor.ts'
import { answerType, isUnchanged } from '../server/negotiate.ts'
import { pageLimit, wholeNumber } from '../server/parameters.ts'
import { Problem, problems } from '../server/problem.ts'
import {
  isMembershipListed,
  isStatusListed,
  type Listed,
  type ListQuery,
  listPages,
  listParameters,
  needsDetails,
  type Place,
  sorted,
} from './list-query.ts'
import { answerLosses, type Belongs, erasedOfCommitments, lossAnswer } from './losses.ts'

const CSV_TYPE = 'text/csv'
const DEFAULT_LIMIT = 100
const CSV_CHUNK = 500
/** Of both folds that a list is read from. */
export const LIST_VERSION = `${commitments.version}.${periods.version}`

/** The frame of a list answer around its items. */
export function listAnswer<T extends z.ZodType>(item: T) {
  return z.strictObject({
    items: z.array(item),
    next: z.string().nullable(),
    asOf: z.string(),
    knownAt: knownAtAnswer,
    rules: z.string(),
  })
}

/** What a query wants of the projection `periods`. */
function wanted(query: ListQuery): Wanted {
  const { lifecycle, schedule, scheduleOriginal, verification, figure } = query
  const filters = [lifecycle, schedule, scheduleOriginal, verification].some((values) => values.length > 0)
  return {
    ...ALL,
    status: filters || figure !== undefined ? (status) => isStatusListed(query, status) : null,
    membership: belongsBy(query),
  }
}

/** Which commitments a query lists by what they belong to; null where it asks for none of that. */
function belongsBy(query: ListQuery): Belongs {
  const isAsked = [query.programme, query.theme, query.party].some((values) => values.length > 0)
  return isAsked ? (membership) => isMembershipListed(query, membership) : null
}

/** What a list says of what it lost: of its commitments, and of the definitions that they are read with. */
export async function lossesOf({ db }: Context, clocks: Clocks, query: ListQuery) {
  const ofCommitments = await erasedOfCommitments(db, clocks, belongsBy(query))
  return answerLosses([...erasedPositions(clocks.state, DEFINITIONS), ...ofCommitments])
}

function listedStatus(record: StatusRecord): Listed {
  return { ...record, details: null }
}

function listedRecord({ dates, title, revision, lastOn, folded, ...record }: CommitmentRecord, asOf: Day): Listed {
  return {
    ...record,
    measured: measure(dates, asOf),
    details: { title, revision, lastOn, folded },
  }
}

/** The whole list where it is asked for something that only whole states tell: each of them is looked at. */
async function detailed({ db }: Context, clocks: Clocks, query: ListQuery): Promise<Listed[]> {
  const records = await readCommitments(db, clocks)
  const found = query.q === undefined ? null : await searchCommitments(db, clocks.register, records, query.q)
  return records
    .map((record) => listedRecord(record, clocks.asOf))
    .filter((one) => isStatusListed(query, one.measured) && isMembershipListed(query, one))
    .filter((one) => !found || found.has(one.id))
}

type ListPage = { page: Listed[]; next: Place | null }

/** A page of a list; a list in order of id is read on from where the page before ended, any other is sorted as a whole. */
export async function readList(
  context: Context,
  clocks: Clocks,
  query: ListQuery,
  place: Place | null,
  limit: number,
): Promise<ListPage> {
  if (isById(query)) {
    const after = place && 'after' in place ? place.after : ''
    const { records, after: next } = await readPage(context.db, clocks, wanted(query), { after, limit })
    return { page: records.map(listedStatus), next: next === null ? null : { after: next } }
  }
  const all = needsDetails(query)
    ? await detailed(context, clocks, query)
    : (await readStatuses(context.db, clocks, wanted(query))).map(listedStatus)
  const offset = place && 'offset' in place ? place.offset : 0
  const page = sorted(all, query.sort).slice(offset, offset + limit)
  const end = offset + page.length
  return { page, next: end < all.length ? { offset: end } : null }
}

function isById(query: ListQuery): boolean {
  return query.sort.length === 1 && query.sort[0] === 'id' && !needsDetails(query)
}

async function answers(context: Context, clocks: Clocks, page: readonly Listed[]): Promise<CommitmentAnswer[]> {
  const described = await readStates(
    context.db,
    clocks,
    page.map(({ id, details }) => ({ id, folded: details?.folded ?? null })),
  )
  return described.map((one) => answerOf(clocks, one))
}

function answerOf(clocks: Clocks, described: Described): CommitmentAnswer {
  return describe(described, { asOf: clocks.asOf, knownAt: clocks.knownAt, register: clocks.state })
}

const csv = csvWriter(commitmentAnswer)

/** The lines of a list from a place on; all of it where no limit is given. */
async function* csvLines(context: Context, clocks: Clocks, query: ListQuery, first: ListPage): AsyncGenerator<string> {
  yield csv.header
  for (let { page, next } = first; ; ) {
    for (let from = 0; from < page.length; from += CSV_CHUNK) {
      for (const answer of await answers(context, clocks, page.slice(from, from + CSV_CHUNK))) yield csv.line(answer)
    }
    if (next === null || query.limit !== undefined) return
    ;({ page, next } = await readList(context, clocks, query, next, CSV_CHUNK))
  }
}

async function list(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  // Safe: parsed by the schema of the route.
  const { query, place } = listPages.read(known.register, request.query as ListQuery, request.url)
  // The cursor's clocks are the question's clocks.
  request.query = query
  const clocks = await resolveClocks(context, request, known, ['commitments', 'periods'])
  const asOf = formatDay(clocks.asOf)
  if (isUnchanged(request, reply, { size: clocks.size, asOf, projection: LIST_VERSION, basis: clocks.basis }))
    return reply.send()
  const isCsv = answerType(request) === CSV_TYPE
  const limit = query.limit ?? (isCsv ? (isById(query) ? CSV_CHUNK : Number.POSITIVE_INFINITY) : DEFAULT_LIMIT)
  const first = await readList(context, clocks, query, place, limit)
  const isWhole = first.next === null || (isCsv && query.limit === undefined)
  const pinned = { asOf, knownAt: String(clocks.size) }
  const next = isWhole ? null : listPages.write(known.register, query, pinned, first.next as Place)
  linkNext(reply, `/v1/registers/${known.register}/commitments`, next, query.limit)
  const losses = await lossesOf(context, clocks, query)
  if (!isCsv) {
    const items = await answers(context, clocks, first.page)
    return { items, next, ...listFrame(clocks), rules: RULES, ...losses }
  }
  reply.header('pledger-redacted', String(losses.redactedCount))
  reply.header('content-type', 'text/csv; charset=utf-8; header=present')
  reply.header('content-disposition', `attachment; filename="${known.register}-${asOf}.csv"`)
  return reply.send(Readable.from(csvLines(context, clocks, query, first)))
}

function commitmentId(request: FastifyRequest): string {
  const { commitment } = request.params as { commitment: string }
  if (!isSlug(commitment)) throw notKnown(commitment)
  return commitment
}

/** The problem of a commitment that is not known; where content of its was erased, that may be why, and it says so. */
function notKnown(id: string, clocks?: Clocks, redacted: readonly number[] = []): Problem {
  const when = clocks ? ` as of ${formatDay(clocks.asOf)}, known at size ${clocks.size}` : ''
  const detail = `commitment ${id} is not known${when}`
  return new Problem('not-known', redacted.length === 0 ? { detail } : { detail, redacted })
}

async function one(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const id = commitmentId(request)
  const clocks = await resolveClocks(context, request, known, 'log')
  if (isUnchanged(request, reply, { size: clocks.size, asOf: formatDay(clocks.asOf), basis: clocks.basis }))
    return reply.send()
  const events = await loadStreams(context.db, known.register, [id], clocks.size)
  const row = projectAt(id, events, clocks, clocks.asOf)
  if (!row) throw notKnown(id, clocks, redactedPositions(events))
  return answerOf(clocks, row)
}

const timelineAnswer = listAnswer(periodAnswer).extend({
  redacted: z.array(z.int()).meta({ description: 'Positions of events whose content was erased' }),
})

async function timelineOf(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const id = commitmentId(request)
  const clocks = await resolveClocks(context, request, known, ['periods'])
  const version = { size: clocks.size, asOf: formatDay(clocks.asOf), projection: periods.version, basis: clocks.basis }
  if (isUnchanged(request, reply, version)) return reply.send()
  const items = answerTimeline(await readTimeline(context.db, clocks, id))
  const redacted = redactedPositions(await loadErased(context.db, known.register, id, clocks.size))
  if (items.length === 0) throw notKnown(id, undefined, redacted)
  return { items, next: null, ...listFrame(clocks), rules: RULES, redacted }
}

const repairAnswer = z.strictObject({
  event: z.int().meta({ description: 'Position of the repair' }),
  type: z.string(),
  inForce: z.boolean().meta({ description: 'False where it was retracted itself, or corrects and was redacted' }),
})
const markedEvent = eventAnswer.extend({
  repairs: z.array(repairAnswer).meta({ description: 'What was recorded to mend this event' }),
  inForce: z.boolean().meta({
    description: 'False where the event was retracted or redacted; a redacted retraction still takes back',
  }),
})

export type MarkedEvent = z.output<typeof markedEvent>

function markRepairs(events: readonly StoredEvent[]): z.output<typeof markedEvent>[] {
  const retracted = retractedIds(events)
  const repairs = Map.groupBy(events, repairTarget)
  return events.map((event) => ({
    ...answerEvent(event),
    repairs: (repairs.get(event.id) ?? []).map((repair) => ({
      event: repair.position,
      type: repair.type,
      inForce: isInForce(repair, retracted),
    })),
    inForce: isInForce(event, retracted),
  }))
}

const streamParameters = z.strictObject({
  knownAt: knownAtParameter,
  minSize: minSizeParameter,
  after: wholeNumber('expected a revision', 0).default(0).meta({ description: 'Events after this revision' }),
  limit: pageLimit.default(DEFAULT_LIMIT),
})

async function stream(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const id = commitmentId(request)
  const clocks = await resolveClocks(context, request, known, 'log')
  if (isUnchanged(request, reply, { size: clocks.size, asOf: formatDay(clocks.asOf), basis: clocks.basis }))
    return reply.send()
  // Safe: parsed by the schema of the route.
  const { after, limit } = request.query as z.output<typeof streamParameters>
  const events = await loadStreams(context.db, known.register, [id], clocks.size)
  if (events.length === 0) throw notKnown(id, clocks)
  const items = markRepairs(events).slice(after, after + limit)
  const end = after + items.length
  const next = end < events.length ? String(end) : null
  if (next !== null) {
    const address = new URLSearchParams({ after: next, limit: String(limit), knownAt: String(clocks.size) })
    reply.header('link', `</v1/registers/${known.register}/commitments/${id}/events?${address}>; rel="next"`)
  }
  return { items, next, ...listFrame(clocks), rules: RULES }
}

export function commitmentRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/commitments',
    {
      config: { permission: 'read', produces: [JSON_TYPE, CSV_TYPE] },
      schema: {
        summary: 'List commitments',
        description:
          'Repeated parameters mean or. CSV holds the whole list where no limit is given; its `redactedCount` is the header Pledger-Redacted.',
        tags: ['commitments'],
        querystring: listParameters,
        response: {
          200: {
            description: 'A page, or CSV',
            content: {
              [JSON_TYPE]: { schema: listAnswer(commitmentAnswer).extend(lossAnswer) },
              [CSV_TYPE]: { schema: z.string() },
            },
          },
          ...problems,
        },
      },
    },
    (request, reply) => list(context, request, reply),
  )
  app.get(
    '/v1/registers/:register/commitments/:commitment',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Read one commitment',
        tags: ['commitments'],
        querystring: z.strictObject({ asOf: asOfParameter, knownAt: knownAtParameter, minSize: minSizeParameter }),
        response: { 200: commitmentAnswer, ...problems },
      },
    },
    (request, reply) => one(context, request, reply),
  )
  app.get(
    '/v1/registers/:register/commitments/:commitment/timeline',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Read the periods of a commitment',
        description: 'Each period with the event or the due day that began it; `to` is the first day after it.',
        tags: ['commitments'],
        querystring: z.strictObject({ knownAt: knownAtParameter, minSize: minSizeParameter }),
        response: { 200: timelineAnswer, ...problems },
      },
    },
    (request, reply) => timelineOf(context, request, reply),
  )
  app.get(
    '/v1/registers/:register/commitments/:commitment/events',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Read the stream of a commitment',
        description: 'Its events in order, repairs marked on what they repair. `next` is the `after` of the next page.',
        tags: ['commitments'],
        querystring: streamParameters,
        response: { 200: listAnswer(markedEvent), ...problems },
      },
    },
    (request, reply) => stream(context, request, reply),
  )
}

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
} from '../domain/commitment/answer.ts'
import { commitmentFacts } from '../domain/commitment/state.ts'
import { periodAnswer, timeline } from '../domain/commitment/timeline.ts'
import type { StoredEvent } from '../domain/event.ts'
import { answerEvent, eventAnswer } from '../domain/event-answer.ts'
import { measure } from '../domain/portfolio/figures.ts'
import { repairTarget, retractedIds } from '../domain/repairs.ts'
import { loadStreams } from '../eventlog/load.ts'
import { formatDay } from '../kernel/plain-date.ts'
import { projectAt } from '../projections/commitments/project.ts'
import { commitments } from '../projections/commitments/projection.ts'
import { readCommitments, readStates, searchCommitments } from '../projections/commitments/read.ts'
import { JSON_TYPE } from './body.ts'
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
} from './context.ts'
import { csvWriter } from './csv.ts'
import { isListed, type Listed, type ListQuery, listParameters, readCursor, sorted, writeCursor } from './list-query.ts'
import { answerType, isUnchanged } from './negotiate.ts'
import { pageLimit, wholeNumber } from './parameters.ts'
import { Problem, problems } from './problem.ts'

const CSV_TYPE = 'text/csv'
const DEFAULT_LIMIT = 100
const CSV_CHUNK = 500

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

async function listed(context: Context, clocks: Clocks, query: ListQuery): Promise<Listed[]> {
  const records = await readCommitments(context.db, clocks)
  const all = records.map((record) => ({ record, measured: measure(record.standing, clocks.asOf) }))
  const found = query.q === undefined ? null : await searchCommitments(context.db, clocks.register, records, query.q)
  return sorted(
    all.filter((one) => isListed(query, one) && (!found || found.has(one.record.id))),
    query.sort,
  )
}

async function answers(context: Context, clocks: Clocks, page: readonly Listed[]): Promise<CommitmentAnswer[]> {
  const described = await readStates(
    context.db,
    clocks,
    page.map(({ record }) => record),
  )
  return described.map((one) => answerOf(clocks, one))
}

function answerOf(clocks: Clocks, described: Described): CommitmentAnswer {
  return describe(described, { asOf: clocks.asOf, knownAt: clocks.knownAt, register: clocks.state })
}

const csv = csvWriter(commitmentAnswer)

async function* csvLines(context: Context, clocks: Clocks, rows: readonly Listed[]): AsyncGenerator<string> {
  yield csv.header
  for (let first = 0; first < rows.length; first += CSV_CHUNK) {
    for (const answer of await answers(context, clocks, rows.slice(first, first + CSV_CHUNK))) yield csv.line(answer)
  }
}

async function list(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const given = Object.keys(Object.fromEntries(new URLSearchParams(request.url.split('?')[1])))
  // Safe: parsed by the schema of the route.
  const { query, offset } = readCursor(known.register, request.query as ListQuery, given)
  // The cursor's clocks are the question's clocks.
  request.query = { ...query, cursor: (request.query as ListQuery).cursor }
  const clocks = await resolveClocks(context, request, known, 'commitments')
  const asOf = formatDay(clocks.asOf)
  if (isUnchanged(request, reply, { size: clocks.size, asOf, projection: commitments.version })) return reply.send()
  const rows = await listed(context, clocks, query)
  const isCsv = answerType(request) === CSV_TYPE
  const limit = query.limit ?? (isCsv ? rows.length : DEFAULT_LIMIT)
  const page = rows.slice(offset, offset + limit)
  const end = offset + page.length
  const next = end < rows.length ? writeCursor(known.register, query, asOf, clocks.size, end) : null
  if (next !== null) {
    const address = new URLSearchParams({
      cursor: next,
      ...(query.limit === undefined ? {} : { limit: String(query.limit) }),
    })
    reply.header('link', `</v1/registers/${known.register}/commitments?${address}>; rel="next"`)
  }
  if (!isCsv) return { items: await answers(context, clocks, page), next, ...listFrame(clocks), rules: RULES }
  reply.header('content-type', 'text/csv; charset=utf-8; header=present')
  reply.header('content-disposition', `attachment; filename="${known.register}-${asOf}.csv"`)
  return reply.send(Readable.from(csvLines(context, clocks, page)))
}

function commitmentId(request: FastifyRequest): string {
  const { commitment } = request.params as { commitment: string }
  if (!isSlug(commitment)) throw notKnown(commitment)
  return commitment
}

function notKnown(id: string, clocks?: Clocks): Problem {
  const when = clocks ? ` as of ${formatDay(clocks.asOf)}, known at size ${clocks.size}` : ''
  return new Problem('not-known', { detail: `commitment ${id} is not known${when}` })
}

async function one(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const id = commitmentId(request)
  const clocks = await resolveClocks(context, request, known, 'log')
  if (isUnchanged(request, reply, { size: clocks.size, asOf: formatDay(clocks.asOf) })) return reply.send()
  const events = await loadStreams(context.db, known.register, [id], clocks.size)
  const row = projectAt(id, events, clocks, clocks.asOf)
  if (!row) throw notKnown(id, clocks)
  return answerOf(clocks, row)
}

async function periods(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const id = commitmentId(request)
  const clocks = await resolveClocks(context, request, known, 'log')
  if (isUnchanged(request, reply, { size: clocks.size, asOf: formatDay(clocks.asOf) })) return reply.send()
  const events = await loadStreams(context.db, known.register, [id], clocks.size)
  const items = timeline(commitmentFacts(events, clocks))
  if (items.length === 0) throw notKnown(id)
  return { items, next: null, ...listFrame(clocks), rules: RULES }
}

const repairAnswer = z.strictObject({
  event: z.int().meta({ description: 'Position of the repair' }),
  type: z.string(),
  inForce: z.boolean().meta({ description: 'False where it was retracted itself' }),
})
const markedEvent = eventAnswer.extend({
  repairs: z.array(repairAnswer).meta({ description: 'What was recorded to mend this event' }),
  inForce: z.boolean().meta({ description: 'False where the event was retracted or redacted' }),
})

function markRepairs(events: readonly StoredEvent[]): z.output<typeof markedEvent>[] {
  const retracted = retractedIds(events)
  const repairs = Map.groupBy(events, repairTarget)
  return events.map((event) => ({
    ...answerEvent(event),
    repairs: (repairs.get(event.id) ?? []).map(({ id, position, type }) => ({
      event: position,
      type,
      inForce: !retracted.has(id),
    })),
    inForce: event.salt !== null && !retracted.has(event.id),
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
  if (isUnchanged(request, reply, { size: clocks.size, asOf: formatDay(clocks.asOf) })) return reply.send()
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
      config: { produces: [JSON_TYPE, CSV_TYPE] },
      schema: {
        summary: 'List commitments',
        description: 'Repeated parameters mean or. CSV holds the whole list where no limit is given.',
        tags: ['commitments'],
        querystring: listParameters,
        response: {
          200: {
            description: 'A page, or CSV',
            content: {
              [JSON_TYPE]: { schema: listAnswer(commitmentAnswer) },
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
      schema: {
        summary: 'Read the periods of a commitment',
        description: 'Each period with the event or the due day that began it; `to` is the first day after it.',
        tags: ['commitments'],
        querystring: z.strictObject({ knownAt: knownAtParameter, minSize: minSizeParameter }),
        response: { 200: listAnswer(periodAnswer), ...problems },
      },
    },
    (request, reply) => periods(context, request, reply),
  )
  app.get(
    '/v1/registers/:register/commitments/:commitment/events',
    {
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

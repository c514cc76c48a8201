// Commitments: the list, one of them, its timeline and its stream.

import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type CommitmentAnswer, commitmentAnswer } from '../../domain/commitment/answer.ts'
import { formatDay } from '../../kernel/plain-date.ts'
import { commitment, stream, streamAnswer, timeline, timelineAnswer } from '../../questions/commitment.ts'
import { commitmentListAnswer, list, redactedOfList, restOfList } from '../../questions/list.ts'
import { answerPage, answerQuestion, clocksOf, isAnswered, pinnedClocks } from '../server/answer.ts'
import { JSON_TYPE } from '../server/body.ts'
import { type Context, pathPart, registerOf } from '../server/context.ts'
import { csvWriter } from '../server/csv.ts'
import { cursors, linkNext } from '../server/cursor.ts'
import { answerType } from '../server/negotiate.ts'
import { asOfParameter, knownAtParameter, minSizeParameter, pageLimit, wholeNumber } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'
import { type ListParameters, listParameters, listPlace } from './list-parameters.ts'

const CSV_TYPE = 'text/csv'
const DEFAULT_LIMIT = 100

const pages = cursors('commitments', listParameters, listPlace)
const paging = { cursors: pages, path: 'commitments', defaultLimit: DEFAULT_LIMIT }

const csv = csvWriter(commitmentAnswer)

async function* csvLines(
  rows: AsyncIterable<CommitmentAnswer[]> | Iterable<CommitmentAnswer[]>,
): AsyncGenerator<string> {
  yield csv.header
  for await (const some of rows) for (const answer of some) yield csv.line(answer)
}

/** The list as CSV: a page where a limit is given, else all of it from the cursor on. */
async function listAsCsv(context: Context, request: FastifyRequest, reply: FastifyReply, given: ListParameters) {
  const asked = await registerOf(context, request)
  const { query, place } = pages.read(asked.register, given, request.url)
  const clocks = await clocksOf(context, request, asked, list.source, query)
  if (isAnswered(request, reply, list, clocks, query)) return reply.send()
  const { register } = clocks
  const page = query.limit === undefined ? null : await list.ask(context, clocks, query, { place, limit: query.limit })
  const rows = page ? [page.items] : await restOfList(context, clocks, query, place)
  const next = page?.next ? pages.write(register, query, pinnedClocks(clocks), page.next) : null
  linkNext(reply, `/v1/registers/${register}/commitments`, next, query.limit)
  const { redactedCount } = page ?? (await redactedOfList(context, clocks, query))
  reply.header('pledger-redacted', String(redactedCount))
  reply.header('content-type', 'text/csv; charset=utf-8; header=present')
  reply.header('content-disposition', `attachment; filename="${register}-${formatDay(clocks.asOf)}.csv"`)
  return reply.send(Readable.from(csvLines(rows)))
}

const streamParameters = z.strictObject({
  knownAt: knownAtParameter,
  minSize: minSizeParameter,
  after: wholeNumber('expected a revision', 0).default(0).meta({ description: 'Events after this revision' }),
  limit: pageLimit.default(DEFAULT_LIMIT),
})
type StreamParameters = z.output<typeof streamParameters>

async function answerStream(context: Context, request: FastifyRequest, reply: FastifyReply, given: StreamParameters) {
  const asked = await registerOf(context, request)
  const query = { ...given, id: pathPart(request, 'commitment') }
  stream.check?.(query)
  const clocks = await clocksOf(context, request, asked, stream.source, query)
  if (isAnswered(request, reply, stream, clocks)) return reply.send()
  const answer = await stream.ask(context, clocks, query)
  if (answer.next !== null) {
    const { register, size } = clocks
    const address = new URLSearchParams({ after: answer.next, limit: String(query.limit), knownAt: String(size) })
    reply.header('link', `</v1/registers/${register}/commitments/${query.id}/events?${address}>; rel="next"`)
  }
  return answer
}

function listRoute(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/commitments',
    {
      config: { permission: 'read', produces: [JSON_TYPE, CSV_TYPE] },
      schema: {
        operationId: 'listCommitments',
        summary: 'List commitments',
        description:
          'Repeated parameters mean or. CSV holds the whole list if no limit is given. The header Pledger-Redacted gives its `redactedCount`.',
        tags: ['commitments'],
        querystring: listParameters,
        response: {
          200: {
            description: 'A page, or CSV',
            content: {
              [JSON_TYPE]: { schema: commitmentListAnswer },
              [CSV_TYPE]: { schema: z.string() },
            },
          },
        },
      },
    },
    (request, reply) =>
      answerType(request) === CSV_TYPE
        ? listAsCsv(context, request, reply, request.query)
        : answerPage(context, request, reply, list, paging, request.query),
  )
}

export function commitmentRoutes(app: App, context: Context): void {
  listRoute(app, context)
  app.get(
    '/v1/registers/:register/commitments/:commitment',
    {
      config: { permission: 'read', problems: ['not-known'] },
      schema: {
        operationId: 'readCommitment',
        summary: 'Read one commitment',
        description:
          'Its status on all three axes, its dates, slippage, milestones, conflicts and citations at both clocks.',
        tags: ['commitments'],
        querystring: z.strictObject({ asOf: asOfParameter, knownAt: knownAtParameter, minSize: minSizeParameter }),
        response: { 200: commitmentAnswer },
      },
    },
    (request, reply) =>
      answerQuestion(context, request, reply, commitment, { ...request.query, id: pathPart(request, 'commitment') }),
  )
  app.get(
    '/v1/registers/:register/commitments/:commitment/timeline',
    {
      config: { permission: 'read', problems: ['not-known'] },
      schema: {
        operationId: 'readTimeline',
        summary: 'Read the periods of a commitment',
        description: 'Each period with the event or the due day that began it. `to` is the first day after the period.',
        tags: ['commitments'],
        querystring: z.strictObject({ knownAt: knownAtParameter, minSize: minSizeParameter }),
        response: { 200: timelineAnswer },
      },
    },
    (request, reply) =>
      answerQuestion(context, request, reply, timeline, { ...request.query, id: pathPart(request, 'commitment') }),
  )
  app.get(
    '/v1/registers/:register/commitments/:commitment/events',
    {
      config: { permission: 'read', problems: ['not-known'] },
      schema: {
        operationId: 'readStream',
        summary: 'Read the events of a commitment',
        description: 'Its events in order, each with its repairs. `next` is the `after` of the next page.',
        tags: ['commitments'],
        querystring: streamParameters,
        response: { 200: streamAnswer },
      },
    },
    (request, reply) => answerStream(context, request, reply, request.query),
  )
}

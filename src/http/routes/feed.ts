// The feed: the log by position, as pages of JSON or CloudEvents, whole as NDJSON, or followed as server-sent events.

import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { EVENT_TYPES } from '../../domain/admission/posted-event.ts'
import { RULES } from '../../domain/commitment/answer.ts'
import { REGISTER_STREAM, type StoredEvent } from '../../domain/event.ts'
import { answerEvent, eventAnswer } from '../../domain/event-answer.ts'
import { slug } from '../../domain/fields.ts'
import { readFeed } from '../../eventlog/feed.ts'
import { type Lines, streamLines } from '../../eventlog/feed-lines.ts'
import { clocklessFrameAnswer, frameAnswer, nextPage } from '../../questions/frame.ts'
import { many } from '../../questions/parameters.ts'
import { clocksOf } from '../server/answer.ts'
import { JSON_TYPE, NDJSON_TYPE } from '../server/body.ts'
import { CLOUD_EVENTS_TYPE, cloudEvent, cloudEvents } from '../server/cloud-events.ts'
import { type Context, registerOf } from '../server/context.ts'
import { createFollowers, EVENT_STREAM_TYPE, type Followers, type Following } from '../server/event-stream.ts'
import { answerType, isUnchanged } from '../server/negotiate.ts'
import { minSizeParameter, pageLimit, wholeNumber } from '../server/parameters.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'

const feedAnswer = z.strictObject({
  items: z.array(eventAnswer).meta({ description: 'The events of this page, in order of position' }),
  next: nextPage,
  asOf: clocklessFrameAnswer.asOf,
  knownAt: frameAnswer.knownAt,
  rules: frameAnswer.rules,
})

const feedParameters = z.strictObject({
  after: wholeNumber('expected a position', -1)
    .optional()
    .meta({ description: 'Events after this position; from the first by default' }),
  until: wholeNumber('expected a position', 0).optional().meta({ description: 'Up to and with this position' }),
  limit: pageLimit.optional(),
  stream: many(z.union([z.literal(REGISTER_STREAM), slug])).meta({
    description: 'Only the events of these commitments; `$register`: the facts about the register',
  }),
  type: many(z.enum(EVENT_TYPES)).meta({ description: 'Only events of these types' }),
  minSize: minSizeParameter,
})

const feedHeaders = z.looseObject({
  'last-event-id': z.string().optional().meta({ description: 'For text/event-stream: continue after this position' }),
})

const DEFAULT_LIMIT = 100

async function* textOf(pages: AsyncIterable<Lines>): AsyncGenerator<string> {
  for await (const { lines } of pages) yield lines
}

/** A page's version: what lies between two positions changes by redaction alone, which may strike repairs too. */
function versionOf(events: readonly StoredEvent[], isLast: boolean) {
  const redacted = events.filter(({ salt }) => salt === null).map(({ position }) => position)
  const ends = [events[0]?.position ?? null, events.at(-1)?.position ?? null, isLast]
  return { size: 0, projection: JSON.stringify([ends, redacted]) }
}

type FeedQuery = z.output<typeof feedParameters>

async function feed(
  context: Context,
  followers: Followers,
  request: FastifyRequest,
  reply: FastifyReply,
  query: FeedQuery,
) {
  const known = await registerOf(context, request)
  const { register, size, knownAt, basis } = await clocksOf(context, request, known, 'log', query)
  const { after = -1, limit = DEFAULT_LIMIT, stream: streams, type: types } = query
  const mediaType = answerType(request)
  if (query.limit !== undefined && (mediaType === NDJSON_TYPE || mediaType === EVENT_STREAM_TYPE)) {
    throw new Problem('malformed', { detail: `parameter limit: ${mediaType} has no pages; until= bounds it` })
  }
  if (mediaType === EVENT_STREAM_TYPE) {
    const selection = { register, after, until: query.until ?? Number.MAX_SAFE_INTEGER, streams, types }
    return followers.follow(request, reply, { ...selection, size })
  }
  const selection = { register, after, until: Math.min(query.until ?? size - 1, size - 1), streams, types }
  if (mediaType === NDJSON_TYPE) {
    // What comes after the last position asked for is no reason to send the rest again.
    if (isUnchanged(request, reply, { size: selection.until + 1, basis })) return reply.send()
    reply.header('content-type', `${NDJSON_TYPE}; charset=utf-8`)
    // Else the whole log would be read, for nobody.
    if (request.method === 'HEAD') return reply.send(Readable.from([]))
    // One page waits here while another is on its way.
    return reply.send(Readable.from(textOf(streamLines(context.db, selection)), { objectMode: true, highWaterMark: 1 }))
  }
  // One more than asked for tells whether there is a next page.
  const events = await readFeed(context.db, { ...selection, limit: limit + 1 })
  const page = events.slice(0, limit)
  const isLast = events.length <= limit
  // Weak: a page also says how far the log is, which is no reason to send its events again.
  const version = { ...versionOf(page, isLast), basis, isWeak: mediaType === JSON_TYPE }
  if (isUnchanged(request, reply, version)) return reply.send()
  const next = isLast ? null : String(page.at(-1)?.position)
  if (next !== null) {
    const parameters = new URLSearchParams(request.url.split('?')[1])
    parameters.set('after', next)
    reply.header('link', `</v1/registers/${register}/events?${parameters}>; rel="next"`)
  }
  if (mediaType === CLOUD_EVENTS_TYPE) {
    reply.header('content-type', `${CLOUD_EVENTS_TYPE}; charset=utf-8`)
    return page.map((event) => cloudEvent(register, event))
  }
  return { items: page.map(answerEvent), next, asOf: null, knownAt, rules: RULES }
}

export function feedRoutes(app: App, context: Context, following: Following): void {
  const followers = createFollowers(context, following)
  // Before connections are closed: these never end by themselves, and an answer that has been ended counts as one that may be
  // cut, taken or not.
  app.addHook('preClose', () => followers.close())
  app.get(
    '/v1/registers/:register/events',
    {
      config: {
        permission: 'read',
        problems: ['not-known', 'too-many-followers', 'too-slow'],
        isLong: true,
        produces: [JSON_TYPE, NDJSON_TYPE, EVENT_STREAM_TYPE, CLOUD_EVENTS_TYPE],
      },
      schema: {
        operationId: 'readLog',
        summary: 'Read the log by position',
        description:
          'JSON is a page; `next` is the `after` of the next page. CloudEvents is the same page as a batch. NDJSON is the ' +
          'whole selection. Server-sent events follow the log: `id` is the position, `data` the event. A client that ' +
          'reconnects with Last-Event-ID continues without a gap or a repeat.',
        tags: ['events'],
        querystring: feedParameters,
        headers: feedHeaders,
        response: {
          200: {
            description: 'A page, the whole selection, or what is recorded from now on',
            content: {
              [JSON_TYPE]: { schema: feedAnswer },
              [NDJSON_TYPE]: { schema: z.string() },
              [EVENT_STREAM_TYPE]: { schema: z.string() },
              [CLOUD_EVENTS_TYPE]: { schema: cloudEvents },
            },
          },
        },
      },
    },
    (request, reply) => feed(context, followers, request, reply, request.query),
  )
}

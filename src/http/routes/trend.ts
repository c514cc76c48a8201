// The milestone trend: for each commitment of a list, which finish was promised and expected on which day.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { dateAnswer } from '../../domain/answers.ts'
import { RULES, scheduleAnswer } from '../../domain/commitment/answer.ts'
import { commitmentFacts } from '../../domain/commitment/state.ts'
import { fullClaim, LIFECYCLES, scheduleOf, VERIFICATIONS, verification } from '../../domain/commitment/status.ts'
import { type Trend, trendOf } from '../../domain/commitment/trend.ts'
import type { StoredEvent } from '../../domain/event.ts'
import { readingOf } from '../../domain/repairs.ts'
import { loadStreams } from '../../eventlog/load.ts'
import { answerDate, formatDay } from '../../kernel/plain-date.ts'
import { type CommitmentRow, projectAt } from '../../projections/commitments/project.ts'
import { type Clocks, type Context, listFrame, registerOf, resolveClocks } from '../server/context.ts'
import { cursors, linkNext } from '../server/cursor.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { problems } from '../server/problem.ts'
import { LIST_VERSION, listAnswer, lossesOf, readList } from './commitments.ts'
import { type ListQuery, listParameters, type Place, place } from './list-query.ts'
import { lossAnswer } from './losses.ts'

const DEFAULT_LIMIT = 50

const point = {
  event: z.int().meta({ description: 'Position of the event' }),
  occurredOn: dateAnswer,
  effectiveOn: z.string().meta({ description: 'The day on which it came into force' }),
}

const trendItem = z
  .strictObject({
    id: z.string(),
    title: z.string(),
    lifecycle: z.enum(LIFECYCLES),
    schedule: scheduleAnswer,
    verification: z.enum(VERIFICATIONS),
    actualFinish: dateAnswer.nullable(),
    due: z
      .array(z.strictObject({ ...point, number: z.int(), due: dateAnswer }))
      .meta({ description: 'Every baseline in force; number 0 is the original' }),
    forecasts: z.array(z.strictObject({ ...point, finish: dateAnswer })),
  })
  .meta({ id: 'Trend', description: 'Which finish was promised and expected on which day, in fold order' })
export type TrendItem = z.output<typeof trendItem>

const pages = cursors<ListQuery, Place>('trend', listParameters, place)

function answerTrend(asOf: Clocks['asOf'], { id, states }: CommitmentRow, { baselines, forecasts }: Trend): TrendItem {
  const { latest } = states
  const delivered = fullClaim(latest)
  const pointOf = ({ position, occurredOn, on }: { position: number; occurredOn: string; on: number }) => ({
    event: position,
    occurredOn: answerDate(occurredOn),
    effectiveOn: formatDay(on),
  })
  return {
    id,
    title: latest.title,
    lifecycle: latest.lifecycle,
    schedule: scheduleOf(states, asOf),
    verification: verification(latest),
    actualFinish: delivered && answerDate(delivered.occurredOn),
    due: baselines.map((one, number) => ({ ...pointOf(one), number, due: answerDate(one.due) })),
    forecasts: forecasts.map((one) => ({ ...pointOf(one), finish: answerDate(one.finish) })),
  }
}

/** The trends of some commitments, in the order given; those that are not made at the clocks are left out. */
async function trendsOf({ db }: Context, clocks: Clocks, ids: readonly string[]): Promise<TrendItem[]> {
  const { register, size, timeZone, asOf } = clocks
  const events = await loadStreams(db, register, ids, size)
  const streams = Map.groupBy(events, ({ stream }) => stream)
  return ids.flatMap((id) => {
    const stream: StoredEvent[] = streams.get(id) ?? []
    const row = projectAt(id, stream, clocks, asOf)
    const trend = readingOf(stream, (readable) => trendOf(commitmentFacts(readable, { size, timeZone }), asOf))
    return row && trend ? [answerTrend(asOf, row, trend)] : []
  })
}

async function trend(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  // Safe: parsed by the schema of the route.
  const { query, place } = pages.read(known.register, request.query as ListQuery, request.url)
  // The cursor's clocks are the question's clocks.
  request.query = query
  const clocks = await resolveClocks(context, request, known, ['commitments', 'periods'])
  const asOf = formatDay(clocks.asOf)
  if (isUnchanged(request, reply, { size: clocks.size, asOf, projection: LIST_VERSION, basis: clocks.basis }))
    return reply.send()
  const { page, next: after } = await readList(context, clocks, query, place, query.limit ?? DEFAULT_LIMIT)
  const pinned = { asOf, knownAt: String(clocks.size) }
  const next = after && pages.write(known.register, query, pinned, after)
  linkNext(reply, `/v1/registers/${known.register}/trend`, next, query.limit)
  const items = await trendsOf(
    context,
    clocks,
    page.map(({ id }) => id),
  )
  return { items, next, ...listFrame(clocks), rules: RULES, ...(await lossesOf(context, clocks, query)) }
}

export function trendRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/trend',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Read the milestone trend',
        description:
          'For each commitment of the list with the same parameters: its due dates and forecasts with the days on which they came into force. 50 at a time by default.',
        tags: ['commitments'],
        querystring: listParameters,
        response: { 200: listAnswer(trendItem).extend(lossAnswer), ...problems },
      },
    },
    (request, reply) => trend(context, request, reply),
  )
}

// How slippage is spread: how many commitments are how late, over exactly those that the summary's slippage is over.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { knownAtAnswer, RULES } from '../../domain/commitment/answer.ts'
import { type Slippages, slippageCounts } from '../../domain/portfolio/spread.ts'
import { formatDay } from '../../kernel/plain-date.ts'
import { type Context, clockParameters, registerOf, resolveClocks } from '../server/context.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { problems } from '../server/problem.ts'
import { answerLosses, lossAnswer } from './losses.ts'
import { erasedOfProgrammes, inputsOfProgrammes, listLink, programmeFilter, TALLY_VERSION } from './summary.ts'

const slippageParameters = z.strictObject({ ...clockParameters, programme: programmeFilter })

const countsAnswer = z
  .strictObject({
    of: z.int(),
    list: z.string().meta({ description: 'Lists exactly what is counted' }),
    items: z.array(
      z.strictObject({ days: z.int().meta({ description: 'Positive is late' }), count: z.int() }).meta({
        id: 'SlippageCount',
      }),
    ),
  })
  .meta({ id: 'SlippageCounts', description: 'Each number of days that occurs, in ascending order' })

const slippageAnswer = z.strictObject({
  register: z.string(),
  asOf: z.string(),
  knownAt: knownAtAnswer,
  rules: z.string(),
  original: countsAnswer,
  current: countsAnswer,
  ...lossAnswer,
})
export type SlippageAnswer = z.output<typeof slippageAnswer>

async function slippage(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const clocks = await resolveClocks(context, request, known, 'periods')
  const asOf = formatDay(clocks.asOf)
  if (isUnchanged(request, reply, { size: clocks.size, asOf, projection: TALLY_VERSION, basis: clocks.basis }))
    return reply.send()
  // Safe: parsed by the schema of the route.
  const { programme: programmes } = request.query as z.output<typeof slippageParameters>
  const { slippages } = await inputsOfProgrammes(context.db, clocks, programmes)
  const link = listLink(
    clocks,
    programmes.map((programme) => ['programme', programme]),
  )
  const counted = (of: Slippages, against: 'original' | 'current') => ({
    of: of.still.count + of.growing.count,
    list: link(`slippageDays.${against}`),
    items: slippageCounts(of, clocks.asOf),
  })
  const answer: SlippageAnswer = {
    register: known.register,
    asOf,
    knownAt: clocks.knownAt,
    rules: RULES,
    original: counted(slippages.original, 'original'),
    current: counted(slippages.current, 'current'),
    ...answerLosses(await erasedOfProgrammes(context, clocks, programmes)),
  }
  return answer
}

export function slippageRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/summary/slippage',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Read how slippage is spread',
        description: 'How many commitments are how many days late, against the original and the current due date.',
        tags: ['figures'],
        querystring: slippageParameters,
        response: { 200: slippageAnswer, ...problems },
      },
    },
    (request, reply) => slippage(context, request, reply),
  )
}

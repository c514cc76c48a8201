// The plan that the earned schedule is computed from: how many commitments were due on which day, by their original dates.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { knownAtAnswer, RULES } from '../../domain/commitment/answer.ts'
import { dayText, formatDay } from '../../kernel/plain-date.ts'
import { type Context, clockParameters, registerOf, resolveClocks } from '../server/context.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { problems } from '../server/problem.ts'
import { answerLosses, lossAnswer } from './losses.ts'
import { erasedOfProgrammes, inputsOfProgrammes, listLink, programmeFilter, TALLY_VERSION } from './summary.ts'

const planParameters = z.strictObject({ ...clockParameters, programme: programmeFilter })

const planAnswer = z.strictObject({
  register: z.string(),
  asOf: z.string(),
  knownAt: knownAtAnswer,
  rules: z.string(),
  start: z.string().nullable().meta({ description: 'The earliest promise; null where nothing is planned' }),
  of: z.int().meta({ description: 'Commitments in scope with an original due date' }),
  delivered: z.int().meta({ description: 'Those of them that are delivered: the earned value' }),
  list: z.string().meta({ description: 'Lists exactly what is planned' }),
  items: z.array(z.strictObject({ dueOn: z.string(), count: z.int() }).meta({ id: 'PlannedDay' })).meta({
    description: 'Each original due day that occurs, in order. The planned value of a day is the sum up to it',
  }),
  ...lossAnswer,
})
export type PlanAnswer = z.output<typeof planAnswer>

async function plan(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const clocks = await resolveClocks(context, request, known, 'periods')
  const asOf = formatDay(clocks.asOf)
  if (isUnchanged(request, reply, { size: clocks.size, asOf, projection: TALLY_VERSION, basis: clocks.basis }))
    return reply.send()
  // Safe: parsed by the schema of the route.
  const { programme: programmes } = request.query as z.output<typeof planParameters>
  const { due, made, counts } = await inputsOfProgrammes(context.db, clocks, programmes)
  const link = listLink(
    clocks,
    programmes.map((programme) => ['programme', programme]),
  )
  const answer: PlanAnswer = {
    register: known.register,
    asOf,
    knownAt: clocks.knownAt,
    rules: RULES,
    start: dayText(made.least),
    of: due.count,
    delivered: counts.earnedSchedule.numerator,
    list: `${link('earnedSchedule')}&denominator=true`,
    items: due.counts().map(({ value, count }) => ({ dueOn: formatDay(value), count })),
    ...answerLosses(await erasedOfProgrammes(context, clocks, programmes)),
  }
  return answer
}

export function planRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/summary/plan',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Read the plan behind the earned schedule',
        description: 'How many commitments were due on which day by their original dates, and how many are delivered.',
        tags: ['figures'],
        querystring: planParameters,
        response: { 200: planAnswer, ...problems },
      },
    },
    (request, reply) => plan(context, request, reply),
  )
}

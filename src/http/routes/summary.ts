// The summary of a register, of some of its programmes, and of groups within them.

import { z } from 'zod'
import { DIMENSIONS } from '../../questions/list-link.ts'
import { programmeFilter } from '../../questions/parameters.ts'
import { summary, summaryAnswer } from '../../questions/summary.ts'
import { answerQuestion } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { clockParameters } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'

const groupBy = z
  .preprocess(
    (value) => [value].flat().flatMap((one) => (typeof one === 'string' ? one.split(',') : one)),
    z.array(z.enum(DIMENSIONS)).max(3),
  )
  .default([])
  .meta({ description: 'programme, theme, party: with commas or repeated' })

export function summaryRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/summary',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'readSummary',
        summary: 'Summarise a register',
        description:
          'Every figure with its numerator, its denominator and the list of exactly the commitments that it counts.',
        tags: ['figures'],
        querystring: z.strictObject({ ...clockParameters, programme: programmeFilter, groupBy }),
        response: { 200: summaryAnswer },
      },
    },
    (request, reply) => answerQuestion(context, request, reply, summary, request.query),
  )
}

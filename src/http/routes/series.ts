// The summary over time.

import { z } from 'zod'
import { parseDay } from '../../kernel/plain-date.ts'
import { programmeFilter } from '../../questions/parameters.ts'
import { STEPS, series, seriesAnswer } from '../../questions/series.ts'
import { answerQuestion } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { knownAtParameter, minSizeParameter } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'

const error = 'expected an existing day, YYYY-MM-DD'
const day = z.string({ error }).refine((value) => parseDay(value) !== null, { error })

const seriesParameters = z.strictObject({
  from: day.meta({ description: 'First day, YYYY-MM-DD' }),
  to: day.meta({ description: 'Last day, YYYY-MM-DD' }),
  step: z
    .enum(STEPS)
    .default('month')
    .meta({ description: 'An item is as of the last day of its step; weeks end on Sunday' }),
  programme: programmeFilter,
  knownAt: knownAtParameter,
  minSize: minSizeParameter,
})

export function seriesRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/summary/series',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'readSeries',
        summary: 'Summarise a register over time',
        description: 'The figures as of the last day of each step between two days, and of the last day itself.',
        tags: ['figures'],
        querystring: seriesParameters,
        response: { 200: seriesAnswer },
      },
    },
    // The day of a series is its last one.
    (request, reply) => answerQuestion(context, request, reply, series, { ...request.query, asOf: request.query.to }),
  )
}

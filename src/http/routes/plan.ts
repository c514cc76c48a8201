// The plan behind the earned schedule.

import { z } from 'zod'
import { programmeFilter } from '../../questions/parameters.ts'
import { plan, planAnswer } from '../../questions/plan.ts'
import { answerQuestion } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { clockParameters } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'

export function planRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/summary/plan',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'readPlan',
        summary: 'Read the plan behind the earned schedule',
        description: 'How many commitments were due on which day by their original dates, and how many are delivered.',
        tags: ['figures'],
        querystring: z.strictObject({ ...clockParameters, programme: programmeFilter }),
        response: { 200: planAnswer },
      },
    },
    (request, reply) => answerQuestion(context, request, reply, plan, request.query),
  )
}

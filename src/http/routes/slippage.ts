// How slippage is spread over commitments.

import { z } from 'zod'
import { programmeFilter } from '../../questions/parameters.ts'
import { slippage, slippageAnswer } from '../../questions/slippage.ts'
import { answerQuestion } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { clockParameters } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'

export function slippageRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/summary/slippage',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'readSlippage',
        summary: 'Read the distribution of slippage',
        description:
          'For each number of days late, how many commitments have it, against the original and the current due date.',
        tags: ['figures'],
        querystring: z.strictObject({ ...clockParameters, programme: programmeFilter }),
        response: { 200: slippageAnswer },
      },
    },
    (request, reply) => answerQuestion(context, request, reply, slippage, request.query),
  )
}

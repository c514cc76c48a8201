// The milestone trend of a list of commitments.

import { trend, trendAnswer } from '../../questions/trend.ts'
import { answerPage } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { cursors } from '../server/cursor.ts'
import type { App } from '../server/typed.ts'
import { listParameters, listPlace } from './list-parameters.ts'

const paging = { cursors: cursors('trend', listParameters, listPlace), path: 'trend', defaultLimit: 50 }

export function trendRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/trend',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'readTrend',
        summary: 'Read the milestone trend',
        description:
          'For each commitment of the list with the same parameters: its due dates and forecasts with the days on which they came into force. 50 at a time by default.',
        tags: ['commitments'],
        querystring: listParameters,
        response: { 200: trendAnswer },
      },
    },
    (request, reply) => answerPage(context, request, reply, trend, paging, request.query),
  )
}

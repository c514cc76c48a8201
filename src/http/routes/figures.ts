// Reported figures, each beside the register's own value.

import { z } from 'zod'
import { programmeFilter } from '../../questions/parameters.ts'
import { reportedFigures, reportedFiguresAnswer } from '../../questions/reported-figures.ts'
import { answerQuestion } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { clockParameters } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'

export function figureRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/figures',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'listReportedFigures',
        summary: 'Compare reported figures with computed ones',
        description:
          'Each figure as reported, in order of the day of the report. Beside it stands the register’s own value for the ' +
          'same figure, programme and day, if the report names a figure.',
        tags: ['figures'],
        querystring: z.strictObject({ ...clockParameters, programme: programmeFilter }),
        response: { 200: reportedFiguresAnswer },
      },
    },
    (request, reply) => answerQuestion(context, request, reply, reportedFigures, request.query),
  )
}

// What a register defines: its sources and its programmes.

import { z } from 'zod'
import { programmeListAnswer, programmes, sourceListAnswer, sources } from '../../questions/definitions.ts'
import { answerQuestion } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { clockParameters } from '../server/parameters.ts'
import { problems } from '../server/problem.ts'
import type { App } from '../server/typed.ts'

export function definitionRoutes(app: App, context: Context): void {
  const querystring = z.strictObject(clockParameters)
  app.get(
    '/v1/registers/:register/sources',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'List the documents that facts are cited from',
        tags: ['definitions'],
        querystring,
        response: { 200: sourceListAnswer, ...problems },
      },
    },
    (request, reply) => answerQuestion(context, request, reply, sources, request.query),
  )
  app.get(
    '/v1/registers/:register/programmes',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'List the programmes',
        tags: ['definitions'],
        querystring,
        response: { 200: programmeListAnswer, ...problems },
      },
    },
    (request, reply) => answerQuestion(context, request, reply, programmes, request.query),
  )
}

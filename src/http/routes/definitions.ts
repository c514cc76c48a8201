// What a register defines: its sources and its programmes.

import { z } from 'zod'
import { programmeListAnswer, programmes, sourceListAnswer, sources } from '../../questions/definitions.ts'
import { answerQuestion } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { clockParameters } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'

export function definitionRoutes(app: App, context: Context): void {
  const querystring = z.strictObject(clockParameters)
  app.get(
    '/v1/registers/:register/sources',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'listSources',
        summary: 'List the documents that facts are cited from',
        description: 'Each source as it is defined at both clocks, with its citations and conflicts.',
        tags: ['definitions'],
        querystring,
        response: { 200: sourceListAnswer },
      },
    },
    (request, reply) => answerQuestion(context, request, reply, sources, request.query),
  )
  app.get(
    '/v1/registers/:register/programmes',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'listProgrammes',
        summary: 'List the programmes',
        description: 'Each programme as it is defined at both clocks, with the scope that it reports.',
        tags: ['definitions'],
        querystring,
        response: { 200: programmeListAnswer },
      },
    },
    (request, reply) => answerQuestion(context, request, reply, programmes, request.query),
  )
}

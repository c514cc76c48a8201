// Conflicts: everything in a register that cannot all hold.

import { z } from 'zod'
import { CONFLICT_KINDS } from '../../domain/conflict.ts'
import { slug } from '../../domain/fields.ts'
import { conflictListAnswer, conflicts } from '../../questions/conflicts.ts'
import { many } from '../../questions/parameters.ts'
import { answerPage } from '../server/answer.ts'
import type { Context } from '../server/context.ts'
import { cursors } from '../server/cursor.ts'
import { clockParameters, cursorParameter, pageLimit } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'

const conflictParameters = z.strictObject({
  ...clockParameters,
  kind: many(z.enum(CONFLICT_KINDS)).meta({ description: 'Only conflicts of these kinds' }),
  commitment: many(slug).meta({ description: 'Only conflicts of these commitments' }),
  limit: pageLimit.optional(),
  cursor: cursorParameter,
})

const paging = {
  cursors: cursors('conflicts', conflictParameters, z.int().min(0)),
  path: 'conflicts',
  defaultLimit: 100,
}

export function conflictRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/conflicts',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'listConflicts',
        summary: 'List statements that cannot all be true',
        description:
          'The conflicts of commitments, definitions and reported figures, in order of the first event that each names. ' +
          'A conflict stays until an event settles it.',
        tags: ['conflicts'],
        querystring: conflictParameters,
        response: { 200: conflictListAnswer },
      },
    },
    (request, reply) => answerPage(context, request, reply, conflicts, paging, request.query),
  )
}

// Where the projections stand, for operators: never cached, since nothing of it stays true.

import { z } from 'zod'
import { RULES } from '../../domain/commitment/answer.ts'
import { PROJECTIONS } from '../../projections/all.ts'
import { PROJECTION_STATUSES, projectionStates } from '../../projections/core/status.ts'
import { replaysUnderWay, unfinishedOperation } from '../../projections/replay/operation.ts'
import { clocklessFrameAnswer, lastPage, registerId } from '../../questions/frame.ts'
import { isVisible, visibleOnes } from '../server/access.ts'
import type { Context } from '../server/context.ts'
import type { App } from '../server/typed.ts'
import { answerOf, operationAnswer } from './operations.ts'

export const projectionAnswer = z
  .strictObject({
    projection: z.string().meta({ description: 'The name of the projection' }),
    register: registerId,
    status: z.enum(PROJECTION_STATUSES).meta({
      description:
        '`notStarted`: it has read nothing. `replaying`: its rows are being built. `progressing`: it is behind the log and moves. `stuck`: it is behind the log and has not moved for ten seconds. `stopped`: it stands before an event that it cannot read. `caughtUp`: it has read the whole log',
    }),
    version: z.int().meta({ description: 'The version of its fold' }),
    generation: z
      .int()
      .nullable()
      .meta({ description: 'The number of the build of its rows that answers are read from; null: there is none yet' }),
    size: z.int().meta({ description: 'How many events it has read' }),
    building: z.int().nullable().meta({
      description:
        'The size that rows of its version have reached while answers still come from another; null: none are built',
    }),
    behindEvents: z.int().meta({ description: 'How many events it has not read yet' }),
    behindSeconds: z.int().meta({ description: 'How many seconds ago the first of them was recorded' }),
    stopped: z
      .strictObject({
        position: z.int().meta({ description: 'Its position' }),
        id: z.string().nullable().meta({ description: 'Its id; null: it is not known' }),
        type: z.string().nullable().meta({ description: 'Its type; null: it is not known' }),
        reason: z.string().meta({ description: 'Why the projection cannot read it' }),
      })
      .nullable()
      .meta({ description: 'The event that it cannot read; null: there is none' }),
  })
  .meta({ id: 'Projection', description: 'How far a projection has read the log of a register' })

export type ProjectionAnswer = z.output<typeof projectionAnswer>

const projectionList = z.strictObject({
  items: z.array(projectionAnswer).meta({ description: 'Each projection in each register' }),
  operations: z.array(operationAnswer).meta({
    description:
      'Replays that have not ended, also those begun on the command line. An interrupted one takes space until the same request continues it, or DELETE cancels it.',
  }),
  next: lastPage,
  ...clocklessFrameAnswer,
})

export function projectionRoutes(app: App, context: Context): void {
  app.get(
    '/v1/projections',
    {
      config: { permission: 'visible' },
      schema: {
        operationId: 'listProjections',
        summary: 'List where each projection stands in each register',
        description: 'For each register and projection: how far it has read the log, and whether it moves.',
        tags: ['projections'],
        querystring: z.strictObject({}),
        response: { 200: projectionList },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      const states = await projectionStates(context.db, PROJECTIONS, {
        now: context.now(),
        underWay: await replaysUnderWay(context.db),
      })
      const items = await visibleOnes(context.access, request, states)
      const unfinished = await unfinishedOperation(context.db)
      const isTold = unfinished !== null && (await isVisible(context.access, request, unfinished.register))
      const operations = isTold ? [await answerOf(context, unfinished)] : []
      return { items, operations, next: null, asOf: null, knownAt: null, rules: RULES }
    },
  )
}

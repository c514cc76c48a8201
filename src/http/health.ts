// Health: whether the process lives, and whether it can answer.

import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { z } from 'zod'
import { PROJECTIONS } from '../projections/all.ts'
import { projectionStates } from '../projections/run.ts'
import type { Context } from './context.ts'
import { Problem, problems } from './problem.ts'

const projectionAnswer = z.strictObject({
  projection: z.string(),
  register: z.string(),
  size: z.int().meta({ description: 'How far it has read' }),
  behind: z.int().meta({ description: 'Events that it has not read yet' }),
  stopped: z.string().nullable().meta({ description: 'The event that it cannot read' }),
})

const readyAnswer = z.strictObject({ status: z.literal('ready'), projections: z.array(projectionAnswer) })

export function healthRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/livez',
    {
      schema: {
        summary: 'Whether the process lives',
        tags: ['health'],
        response: { 200: z.strictObject({ status: z.literal('live') }) },
      },
    },
    async () => ({ status: 'live' }),
  )
  app.get(
    '/readyz',
    {
      schema: {
        summary: 'Whether the service can answer',
        description: '503 where the database cannot be reached or a projection has stopped.',
        tags: ['health'],
        response: { 200: readyAnswer, ...problems },
      },
    },
    async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      await sql`select 1`.execute(context.db)
      const projections = await projectionStates(context.db, PROJECTIONS)
      const stopped = projections.find((projection) => projection.stopped !== null)
      if (stopped) throw new Problem('projection-behind', { detail: stopped.stopped ?? '', projections })
      return { status: 'ready', projections }
    },
  )
}

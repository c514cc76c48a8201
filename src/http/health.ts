// Health: whether the process lives, and whether it can answer.

import type { FastifyInstance } from 'fastify'
import { sql } from 'kysely'
import { z } from 'zod'
import { sealStates } from '../integrity/status.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { replaysUnderWay } from '../projections/bulk/progress.ts'
import { cannotAnswer, type ProjectionState, projectionStates } from '../projections/status.ts'
import { visibleOnes } from './access.ts'
import { type Context, instantText } from './context.ts'
import { Problem, problems } from './problem.ts'
import { projectionAnswer } from './projections.ts'

const sealingAnswer = z
  .strictObject({
    register: z.string(),
    size: z.int().meta({ description: 'The size of its newest checkpoint; 0 before the first' }),
    signedAt: z.string().nullable(),
    behindEvents: z.int().meta({ description: 'Events that no checkpoint covers yet' }),
    behindSeconds: z.int().meta({ description: 'How long ago the first of them was recorded' }),
    refused: z.string().nullable().meta({ description: 'Why nothing is signed: the log or its tree was changed' }),
  })
  .meta({ id: 'Sealing' })

const readyAnswer = z.strictObject({
  status: z.literal('ready'),
  projections: z.array(projectionAnswer),
  sealing: z.array(sealingAnswer),
  unsafeDatabase: z.array(z.string()).meta({
    description:
      'What is unsafe about the database or the role in it, which somebody has allowed; empty where it is safe',
  }),
})

async function sealing({ db, now }: Context): Promise<z.output<typeof sealingAnswer>[]> {
  const states = await sealStates(db, now())
  return states.map(({ signedAt, refusedBecause, ...state }) => ({
    ...state,
    signedAt: signedAt === null ? null : instantText(signedAt),
    refused: refusedBecause,
  }))
}

function explain({ projection, register, stopped, building, status }: ProjectionState): string {
  if (stopped) return `${projection} of ${register} has stopped: ${stopped.reason}`
  if (building !== null)
    return `${projection} of ${register} is being built for this version: ${building} events so far`
  return `${projection} of ${register} has no rows yet: ${status}`
}

export function healthRoutes(app: FastifyInstance, context: Context, unsafeDatabase: readonly string[]): void {
  app.get(
    '/livez',
    {
      config: { permission: 'open' },
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
      config: { permission: 'visible' },
      schema: {
        summary: 'Whether the service can answer',
        description:
          '503 where the database cannot be reached, or a projection has no rows to answer from: it has stopped, has not begun, or builds those of another version. One that is merely behind answers, and says how far it is; so it is with what is not sealed yet, or refused.',
        tags: ['health'],
        response: { 200: readyAnswer, ...problems },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      await sql`select 1`.execute(context.db)
      const states = await projectionStates(context.db, PROJECTIONS, {
        now: context.now(),
        underWay: await replaysUnderWay(context.db),
      })
      const isMissing = states.some(cannotAnswer)
      // Whether it can answer is for everyone to know; of what, for whoever may see it.
      const projections = await visibleOnes(context.access, request, states)
      const detail = {
        projections,
        sealing: await visibleOnes(context.access, request, await sealing(context)),
        unsafeDatabase: [...unsafeDatabase],
      }
      const missing = projections.find(cannotAnswer)
      const why = missing ? explain(missing) : 'a projection has no rows to answer from'
      if (isMissing) throw new Problem('projection-behind', { detail: why, ...detail })
      return { status: 'ready', ...detail }
    },
  )
}

// Health: whether the process lives, and whether it can answer.

import { sql } from 'kysely'
import { z } from 'zod'
import { mayAnywhere } from '../../access/grants.ts'
import { sealStates } from '../../integrity/sealing/status.ts'
import { instantText } from '../../kernel/instant.ts'
import { PROJECTIONS } from '../../projections/all.ts'
import { cannotAnswer, type ProjectionState, projectionStates, stopOf } from '../../projections/core/status.ts'
import { replaysUnderWay } from '../../projections/replay/operation.ts'
import { registerId } from '../../questions/frame.ts'
import { visibleOnes } from '../server/access.ts'
import type { Context } from '../server/context.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'
import { projectionAnswer } from './projections.ts'

const sealingAnswer = z
  .strictObject({
    register: registerId,
    size: z.int().meta({ description: 'The size of its newest checkpoint; 0 before the first' }),
    signedAt: z.string().nullable().meta({ description: 'When that was signed, in UTC; null before the first' }),
    behindEvents: z.int().meta({ description: 'How many events no checkpoint covers yet' }),
    behindSeconds: z.int().meta({ description: 'How many seconds ago the first of them was recorded' }),
    refused: z
      .string()
      .nullable()
      .meta({ description: 'Why the service signs nothing: the log or its tree was changed; null: nothing is wrong' }),
  })
  .meta({ id: 'Sealing', description: 'How far the log of a register is covered by checkpoints' })

const readyAnswer = z.strictObject({
  status: z.enum(['ready', 'degraded']).meta({
    description:
      'degraded: the service answers and records, and a person has to act. An event has stopped a projection, or a register is not sealed because its log or tree was changed',
  }),
  detail: z.string().nullable().meta({ description: 'The thing that a person has to act on; null: nothing' }),
  projections: z.array(projectionAnswer).meta({ description: 'How far each projection of each register is' }),
  sealing: z.array(sealingAnswer).meta({ description: 'How far each register is sealed' }),
  unsafeDatabase: z.array(z.string()).meta({
    description: 'Findings that `--unsafe-database` allowed; empty for a safe database',
  }),
})

export type ReadyAnswer = z.output<typeof readyAnswer>

async function sealing({ db, now }: Context): Promise<z.output<typeof sealingAnswer>[]> {
  const states = await sealStates(db, now())
  return states.map(({ signedAt, refusedBecause, ...state }) => ({
    ...state,
    signedAt: signedAt === null ? null : instantText(signedAt),
    refused: refusedBecause,
  }))
}

type Detail = { projections: readonly ProjectionState[]; sealing: readonly z.output<typeof sealingAnswer>[] }

/** What answering goes on in spite of, and nobody but a person can mend. */
function troublesOf({ projections, sealing }: Detail): string[] {
  const stops = projections.flatMap((state) => stopOf(state) ?? [])
  const refusals = sealing.flatMap(({ register, refused }) =>
    refused ? [`${register} is not sealed: ${refused}`] : [],
  )
  return [...stops, ...refusals]
}

function explain({ projection, register, building, status }: ProjectionState): string {
  if (building !== null)
    return `${projection} of ${register} is being built for this version: ${building} events so far`
  return `${projection} of ${register} has no rows yet: ${status}`
}

export function healthRoutes(app: App, context: Context, unsafeDatabase: readonly string[]): void {
  app.get(
    '/livez',
    {
      config: { permission: 'open' },
      schema: {
        operationId: 'isAlive',
        summary: 'Tell whether the process is alive',
        description: 'Answers as soon as the process takes requests. It asks nothing of the database.',
        tags: ['health'],
        response: { 200: z.strictObject({ status: z.literal('live').meta({ description: 'Always `live`' }) }) },
      },
    },
    async () => ({ status: 'live' as const }),
  )
  app.get(
    '/readyz',
    {
      config: { permission: 'visible' },
      schema: {
        operationId: 'isReady',
        summary: 'Tell whether the service can answer',
        description:
          '503 if the database cannot be reached, or if a projection has no rows to answer from. A projection that is behind, or stopped by an event, answers and says how far it is: no other process could answer more. A register that is not sealed, or whose sealing is refused, answers as well.',
        tags: ['health'],
        response: { 200: readyAnswer },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store')
      await sql`select 1`.execute(context.db)
      const states = await projectionStates(context.db, PROJECTIONS, {
        now: context.now(),
        underWay: await replaysUnderWay(context.db),
      })
      const seals = await sealing(context)
      // Everyone may know how the service is. Only callers who may see a register learn of that register.
      const isMissing = states.some(cannotAnswer)
      const isTroubled = troublesOf({ projections: states, sealing: seals }).length > 0
      const projections = await visibleOnes(context.access, request, states)
      const shown = { projections, sealing: await visibleOnes(context.access, request, seals) }
      const isToldAll = request.caller !== null && mayAnywhere(request.caller, 'read')
      const findings = isToldAll
        ? unsafeDatabase
        : unsafeDatabase.slice(0, 1).map(() => 'ask with a role: what it is, is not for everyone')
      const rest = { ...shown, unsafeDatabase: [...findings] }
      const missing = projections.find(cannotAnswer)
      const why = missing ? explain(missing) : 'a projection has no rows to answer from'
      if (isMissing) throw new Problem('projection-behind', { detail: why, ...rest })
      if (!isTroubled) return { status: 'ready' as const, detail: null, ...rest }
      const [trouble = 'a register has to be looked at'] = troublesOf(shown)
      return { status: 'degraded' as const, detail: trouble, ...rest }
    },
  )
}

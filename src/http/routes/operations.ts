// Replays over REST: begun here, done by a process of their own, so that this one keeps its memory and its event loop.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { listHeads } from '../../eventlog/heads.ts'
import { type ProjectionName, VERSIONS } from '../../projections/core/versions.ts'
import { AnotherReplayError, beginReplay, replayed } from '../../projections/replay/begin.ts'
import { cancelReplay } from '../../projections/replay/end.ts'
import { type Operation, readOperation } from '../../projections/replay/operation.ts'
import { PHASES, replayProgress, statusOf } from '../../projections/replay/phases.ts'
import { readReplayedRegisters } from '../../projections/replay/progress.ts'
import { checkAction, checkMay, isVisible } from '../server/access.ts'
import { JSON_TYPE } from '../server/body.ts'
import { type Context, pathPart } from '../server/context.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'

const STATUSES = ['pending', 'running', 'interrupted', 'caughtUp', 'cancelled', 'failed'] as const

export const operationAnswer = z
  .strictObject({
    id: z.string().meta({ description: 'The id of the operation, a UUID' }),
    status: z.enum(STATUSES).meta({
      description:
        'pending: no process has begun it; interrupted: no process works on it, and the same request continues it',
    }),
    phase: z.enum(PHASES).meta({
      description:
        'folding: it folds events into rows; sealing: it rolls up tallies; catchingUp: it reads what was recorded since; live: its rows are in use',
    }),
    projections: z.array(z.string()).meta({ description: 'The projections whose rows it builds' }),
    register: z
      .string()
      .nullable()
      .meta({ description: 'The register that it is for; null: all registers that existed when it began' }),
    maxRate: z.int().nullable().meta({ description: 'How many events it folds in a second at most; null: no limit' }),
    dropPrevious: z.boolean().meta({ description: 'Whether it drops the rows before, where the new ones are equal' }),
    done: z.int().meta({ description: 'How many events it is through with so far' }),
    of: z.int().meta({ description: 'How many events it has to get through' }),
    eventsPerSecond: z
      .number()
      .nullable()
      .meta({ description: 'Its pace, in events a second; null: nothing has been measured yet' }),
    secondsLeft: z.int().nullable().meta({ description: 'The expected rest, in seconds; null: it is not known' }),
    startedAt: z.string().meta({ description: 'When it began, in UTC' }),
    finishedAt: z.string().nullable().meta({ description: 'When it ended, in UTC; null: it has not ended' }),
    error: z
      .strictObject({
        detail: z.string().meta({ description: 'What went wrong, in a sentence' }),
        event: z.int().nullable().meta({ description: 'Position of the event that it could not read; null: none' }),
      })
      .nullable()
      .meta({
        description:
          'Why it failed, or, of one that is caughtUp, that its rows differ from the old ones; null: nothing is wrong',
      }),
  })
  .meta({ id: 'Operation', description: 'A replay, with its progress' })

export type OperationAnswer = z.output<typeof operationAnswer>

const replayRequest = z
  .strictObject({
    register: z.string().optional().meta({ description: 'Only this register; all by default' }),
    maxRate: z.int().min(1).max(100_000_000).optional().meta({
      description: 'How many events are folded in a second at most. Rollups and catching up have no limit',
    }),
    dropPrevious: z
      .boolean()
      .optional()
      .meta({ description: 'Deletes the old rows after the switch, if the digests are equal' }),
  })
  .nullish()

/** From which second of it, and from how many events, the pace of an operation is measured. */
type Mark = { id: string; at: number; done: number }
/** There is one operation at a time to measure. */
const marks = new WeakMap<Context, Mark>()

/**
 * The pace since the operation began to move, as far as this process has seen it; before that, and between, it stands
 * still.
 */
function paceOf(context: Context, { id, seconds, finishedAt }: Operation, isRunning: boolean, done: number) {
  const known = marks.get(context)
  const mark = known?.id === id ? known : { id, at: 0, done: 0 }
  const isStill = !isRunning || done === mark.done
  if (isStill && finishedAt === null) marks.set(context, { id, at: seconds, done })
  const passed = seconds - mark.at
  return done > mark.done && passed > 0 ? (done - mark.done) / passed : null
}

export async function answerOf(context: Context, operation: Operation): Promise<OperationAnswer> {
  const { db } = context
  const { id, projections, register, maxRate, dropPrevious, startedAt, finishedAt, failedBecause, failedAt } = operation
  const { phase, done, of } = replayProgress(operation, await readReplayedRegisters(db, id))
  const status = statusOf(operation)
  const rate = paceOf(context, operation, status === 'running', done)
  return {
    id,
    status,
    phase,
    projections: [...projections],
    register,
    maxRate,
    dropPrevious,
    done,
    of,
    eventsPerSecond: rate === null ? null : Math.round(rate),
    secondsLeft: status === 'running' && rate !== null ? Math.ceil((of - done) / rate) : null,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    error: failedBecause === null ? null : { detail: failedBecause, event: failedAt },
  }
}

function projectionsOf(name: string): ProjectionName[] {
  if (name === 'all') return replayed([])
  if (Object.hasOwn(VERSIONS, name)) return replayed([name])
  throw new Problem('unknown-route', { detail: `there is no projection ${name}` })
}

async function begin(
  context: Context,
  request: FastifyRequest,
  body: z.output<typeof replayRequest>,
): Promise<Operation> {
  const name = pathPart(request, 'name')
  const { register = null, maxRate = null, dropPrevious = false } = body ?? {}
  if (register === null) checkMay(request, 'operate', null)
  else await checkAction(context.access, request, 'operate', register)
  const heads = await listHeads(context.db)
  if (register !== null && !heads.some((head) => head.register === register)) {
    throw new Problem('unknown-register', { detail: `there is no register ${register}` })
  }
  try {
    return await beginReplay(context.db, { projections: projectionsOf(name), register, maxRate, dropPrevious })
  } catch (error) {
    if (!(error instanceof AnotherReplayError)) throw error
    const isTold = await isVisible(context.access, request, error.operation.register)
    if (!isTold) throw new Problem('in-flight', { detail: 'another replay has not ended' })
    throw new Problem('in-flight', { detail: error.message, operation: `/v1/operations/${error.operation.id}` })
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

async function operationOf({ db, access }: Context, request: FastifyRequest): Promise<Operation> {
  const id = pathPart(request, 'id')
  const operation = UUID.test(id) ? await readOperation(db, id) : null
  if (!operation || !(await isVisible(access, request, operation.register)))
    throw new Problem('unknown-route', { detail: `there is no operation ${id}` })
  return operation
}

const uncached = (reply: FastifyReply) => reply.header('cache-control', 'no-store')

function beginRoute(app: App, context: Context, startReplay: (operation: string) => void): void {
  app.post(
    '/v1/projections/:name/replay',
    {
      config: {
        permission: 'operate',
        problems: ['unknown-route', 'unknown-register', 'in-flight', 'not-available'],
        consumes: [JSON_TYPE],
        mayLackBody: true,
      },
      schema: {
        operationId: 'startReplay',
        summary: 'Build a projection anew beside the one in use',
        description:
          'The same request continues an interrupted replay, with the options that it gives now. There is one replay at a time: 409 in-flight names another one, or the same with other options.',
        tags: ['operations'],
        querystring: z.strictObject({}),
        body: replayRequest,
        response: { 202: operationAnswer },
      },
    },
    async (request, reply) => {
      const operation = await begin(context, request, request.body)
      // One that is quiet may have died: the process waits to see, and goes on where it has.
      if (!operation.isOwned || operation.isQuiet) startReplay(operation.id)
      uncached(reply).code(202).header('location', `/v1/operations/${operation.id}`)
      return answerOf(context, operation)
    },
  )
}

function readRoute(app: App, context: Context): void {
  app.get(
    '/v1/operations/:id',
    {
      config: { permission: 'visible', problems: ['unknown-route'] },
      schema: {
        operationId: 'readOperation',
        summary: 'Read the progress of an operation',
        description: 'Its phase, the events that it has read, and the expected time.',
        tags: ['operations'],
        querystring: z.strictObject({}),
        response: { 200: operationAnswer },
      },
    },
    async (request, reply) => {
      uncached(reply)
      return answerOf(context, await operationOf(context, request))
    },
  )
}

function cancelRoute(app: App, context: Context): void {
  app.delete(
    '/v1/operations/:id',
    {
      config: { permission: 'operate', problems: ['unknown-route', 'in-flight', 'not-available'] },
      schema: {
        operationId: 'cancelOperation',
        summary: 'Cancel an operation',
        description: 'The operation drops the rows that it has built. The rows in use stay.',
        tags: ['operations'],
        querystring: z.strictObject({}),
        response: { 200: operationAnswer },
      },
    },
    async (request, reply) => {
      const { id, register } = await operationOf(context, request)
      checkMay(request, 'operate', register)
      await cancelReplay(context.db, id)
      uncached(reply)
      return answerOf(context, await operationOf(context, request))
    },
  )
}

/** Routes of replays; `startReplay` has a process work on one that nobody works on. */
export function operationRoutes(app: App, context: Context, startReplay: (operation: string) => void): void {
  beginRoute(app, context, startReplay)
  readRoute(app, context)
  cancelRoute(app, context)
}

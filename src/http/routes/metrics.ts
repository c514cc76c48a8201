// `GET /metrics`: what the service knows of itself, for Prometheus. The same numbers as /readyz, read anew for each scrape, and
// those of the process.

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { z } from 'zod'
import { isDatabaseUnavailable } from '../../database/unavailable.ts'
import { sealStates } from '../../integrity/sealing/status.ts'
import { PROJECTIONS } from '../../projections/all.ts'
import { PROJECTION_STATUSES, projectionStates } from '../../projections/core/status.ts'
import { replaysUnderWay } from '../../projections/replay/operation.ts'
import type { Context } from '../server/context.ts'
import type { App } from '../server/typed.ts'

const OF_PROJECTION = ['projection', 'register']

function gaugesOf(registry: Registry) {
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `pledger_${name}`, help, labelNames, registers: [registry] })
  return {
    databaseUp: gauge(
      'database_up',
      '1 where the database answered this scrape; without it there is nothing else of it',
    ),
    size: gauge('register_size', 'Events in the log', ['register']),
    status: gauge('projection_status', '1 for the status that the projection has', [...OF_PROJECTION, 'status']),
    read: gauge('projection_size', 'Events that the projection has read', OF_PROJECTION),
    behindEvents: gauge('projection_behind_events', 'Events that the projection has not read yet', OF_PROJECTION),
    behindSeconds: gauge(
      'projection_behind_seconds',
      'How long ago the first event that the projection has not read was recorded',
      OF_PROJECTION,
    ),
    stopped: gauge('projection_stopped', '1 where this event, which it cannot read, has stopped the projection', [
      ...OF_PROJECTION,
      'position',
      'event',
      'type',
    ]),
    sealed: gauge('sealed_size', 'The size of the newest checkpoint', ['register']),
    unsealedEvents: gauge('seal_lag_events', 'Events that no checkpoint covers yet', ['register']),
    unsealedSeconds: gauge('seal_lag_seconds', 'How long ago the first of them was recorded', ['register']),
    refused: gauge('seal_refused', '1 where nothing is signed: the log or its tree was changed', ['register']),
  }
}

type Gauges = ReturnType<typeof gaugesOf>

async function setProjections({ db, now }: Context, gauges: Gauges): Promise<void> {
  const underWay = await replaysUnderWay(db)
  for (const state of await projectionStates(db, PROJECTIONS, { now: now(), underWay })) {
    const { projection, register, status, size, behindEvents, behindSeconds, stopped } = state
    const labels = { projection, register }
    for (const one of PROJECTION_STATUSES) gauges.status.set({ ...labels, status: one }, one === status ? 1 : 0)
    gauges.read.set(labels, size)
    gauges.behindEvents.set(labels, behindEvents)
    gauges.behindSeconds.set(labels, behindSeconds)
    if (!stopped) continue
    const { position, id, type } = stopped
    gauges.stopped.set({ ...labels, position, event: id ?? '', type: type ?? '' }, 1)
  }
}

async function setSealing({ db, now }: Context, gauges: Gauges): Promise<void> {
  for (const { register, size, behindEvents, behindSeconds, refusedBecause } of await sealStates(db, now())) {
    gauges.size.set({ register }, size + behindEvents)
    gauges.sealed.set({ register }, size)
    gauges.unsealedEvents.set({ register }, behindEvents)
    gauges.unsealedSeconds.set({ register }, behindSeconds)
    gauges.refused.set({ register }, refusedBecause === null ? 0 : 1)
  }
}

/** The metrics of the database as they are now. Made anew each time: a register or a stop that is gone is told no more. */
async function ofDatabase(context: Context): Promise<string> {
  const registry = new Registry()
  const gauges = gaugesOf(registry)
  try {
    await setProjections(context, gauges)
    await setSealing(context, gauges)
    gauges.databaseUp.set(1)
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error
    gauges.databaseUp.set(0)
  }
  return registry.metrics()
}

/** Those of the process, measured from the first scrape on: what nobody asks for costs nothing. */
let ownMetrics: Registry | null = null

function ofProcess(): Promise<string> {
  if (ownMetrics === null) {
    ownMetrics = new Registry()
    collectDefaultMetrics({ register: ownMetrics })
  }
  return ownMetrics.metrics()
}

export function metricRoutes(app: App, context: Context): void {
  app.get(
    '/metrics',
    {
      config: { permission: 'everything' },
      schema: {
        operationId: 'readMetrics',
        summary: 'Read the metrics of the service',
        description: 'Text for Prometheus. The caller may do everything in every register.',
        tags: ['health'],
        querystring: z.strictObject({}),
        response: {
          200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } },
        },
      },
    },
    async (_request, reply) => {
      const text = `${await ofDatabase(context)}\n${await ofProcess()}`
      return reply.header('cache-control', 'no-store').type(Registry.PROMETHEUS_CONTENT_TYPE).send(text)
    },
  )
}

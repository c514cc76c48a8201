// The service on an open database: what it consists of, and the order in which it starts and stops.

import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createAccess, type Mode } from '../access/access.ts'
import type { Config } from '../config.ts'
import type { Connection } from '../database/connect.ts'
import type { Database } from '../database/pool.ts'
import { listHeads } from '../eventlog/heads.ts'
import { forgetKeys } from '../eventlog/keys.ts'
import { type AppOptions, buildApp, REQUESTS_PER_MINUTE } from '../http/app.ts'
import type { Context } from '../http/server/context.ts'
import { FOLLOWING } from '../http/server/event-stream.ts'
import { type Sealer, startSealer } from '../integrity/sealing/sealer.ts'
import { PROJECTIONS } from '../projections/all.ts'
import { createRegisterHeads } from '../projections/core/heads.ts'
import { startRunner } from '../projections/core/run.ts'
import { createRecorder } from '../recording/recorder.ts'
import { createRegisters } from '../registers/registers.ts'
import type { SampleEvent } from '../samples/sample-event.ts'
import { syntheticEvents } from '../samples/synthetic.ts'
import { unionStateEvents } from '../samples/union-state.ts'
import { CommandError } from './program.ts'
import { replayProcesses } from './replay-process.ts'
import { loadSample, SYNTHETIC_310 } from './sample.ts'
import { type Sealing, sealingOf, tellNewKey, tellSealing } from './sealing.ts'

/** A service that listens. */
export type Service = { address: string; mode: Mode; sealing: Sealing; close: () => Promise<void> }

async function listen(app: FastifyInstance, { host, port }: Config): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const hint = code === 'EADDRINUSE' ? `port ${port} is in use: stop what uses it, or set PLEDGER_PORT` : message
    throw new CommandError(`cannot listen on ${host}:${port}: ${hint}`)
  }
  // Safe: a TCP server has an address of this kind.
  const { address, family, port: actual } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}`
}

type Sample = { register: string; events: SampleEvent[] }

/** The samples to load: both into an empty database, or the rest of them after a first start that was interrupted. */
function missingSamples(heads: readonly { register: string; size: number }[]): Sample[] {
  const samples: Sample[] = [
    { register: 'union-state', events: unionStateEvents() },
    { register: 'synthetic-310', events: [...syntheticEvents(SYNTHETIC_310)] },
  ]
  const sizes = new Map(heads.map(({ register, size }) => [register, size]))
  // A database with another register belongs to somebody.
  if (heads.some(({ register }) => !samples.some((sample) => sample.register === register))) return []
  return samples.filter(({ register, events }) => (sizes.get(register) ?? 0) < events.length)
}

async function loadSamples(connection: Connection, now: () => number): Promise<void> {
  const registers = createRegisters()
  const session = { ...connection, registers, recorder: createRecorder(connection.db, registers, { now }) }
  for (const { register, events } of missingSamples(await listHeads(connection.db))) {
    await loadSample(session, register, events)
  }
}

/** How long requests may take to finish once the service stops; after that their connections are cut. */
const LAST_ANSWERS_MS = 6_000
/** After so long the database is closed, even if something still waits for its answer. */
const LAST_STEPS_MS = 8_000

async function closeApp(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS)
  await app.close()
  clearTimeout(cut)
}

const FORGET_EVERY_MS = 3_600_000

/** Forgets old idempotency keys, now and every hour, until the returned function is called. */
function forgetOldKeys(db: Database, now: () => number, onError: (error: unknown) => void): () => Promise<void> {
  const forget = async () => {
    for (const { register } of await listHeads(db)) await forgetKeys(db, register, now())
  }
  let last = forget().catch(onError)
  const timer = setInterval(() => {
    last = forget().catch(onError)
  }, FORGET_EVERY_MS)
  return async () => {
    clearInterval(timer)
    await last
  }
}

function startSealing(db: Database, { origin, keys, why }: Sealing, logger: Logger): Sealer | null {
  if (keys !== null)
    return startSealer(db, { origin, keys, now: Date.now, onNewKey: tellNewKey(logger), onError: tellSealing(logger) })
  logger.warn(`sealing: nothing is sealed by this process: ${why}`)
  return null
}

/** Who may ask how often, by the configuration. */
function limitsOf({ rateLimit, trustProxy, corsOrigins }: Config, mode: Mode): AppOptions {
  const perMinute = rateLimit ?? REQUESTS_PER_MINUTE
  // On a person's own machine, without access control, a limit applies only where it is configured.
  return { trustProxy, corsOrigins, rateLimit: { perMinute, isEnforced: rateLimit !== null || mode !== 'none' } }
}

/** The keys with which this process seals; none where its role may not write tiles. */
async function sealingHere(config: Config, { db, sealing }: Connection): Promise<Sealing> {
  const configured = await sealingOf(config, db)
  if (configured.keys === null || sealing !== null) return configured
  const why = 'its role may not write tiles: set PLEDGER_SEALER_DATABASE_URL, or run pledger seal beside it'
  return { origin: configured.origin, keys: null, file: null, why }
}

/** The parts that keep up with the log, woken by recordings. */
type Following = Pick<Context, 'registers' | 'heads' | 'recorder' | 'wake'>

function follow(
  { db, bounded, connectionString }: Connection,
  logger: Logger,
  ending: AsyncDisposableStack,
): Following {
  const registers = createRegisters()
  const heads = createRegisterHeads(bounded, {
    connectionString,
    onAppend: () => runner.logGrew(),
    onError: (error) => logger.warn({ err: error }, 'heads: will look again'),
  })
  ending.defer(heads.stop)
  const retry = (error: unknown) => logger.error({ err: error }, 'projections: will try again')
  const runner = startRunner(db, registers, PROJECTIONS, retry, heads.grew)
  ending.defer(runner.stop)
  const onRecorded = (register: string, size: number) => {
    heads.grew(register, size)
    runner.logGrew()
  }
  const recorder = createRecorder(bounded, registers, { now: Date.now, onRecorded })
  return { registers, heads, recorder, wake: runner.wake }
}

type Settings = { config: Config; mode: Mode; sealing: Sealing; logger: Logger }

/** The HTTP side with everything it answers from; nothing listens yet. */
async function build(
  connection: Connection,
  settings: Settings,
  ending: AsyncDisposableStack,
): Promise<FastifyInstance> {
  const { config, mode, sealing, logger } = settings
  const { db, bounded, connectionString, unsafe } = connection
  const now = Date.now
  const following = follow(connection, logger, ending)
  ending.defer(forgetOldKeys(db, now, (error) => logger.error({ err: error }, 'old keys: will try again')))
  const sealer = startSealing(connection.sealing ?? db, sealing, logger)
  if (sealer) ending.defer(sealer.stop)
  const onError = (error: unknown) => logger.error({ err: error }, 'access: will try again')
  const access = createAccess(bounded, { mode, oidc: config.oidc, recordReads: config.recordReads, now, onError })
  ending.defer(access.stop)
  const replays = replayProcesses(db, connectionString, logger)
  const app = await buildApp({ access, db: bounded, now, ...following }, logger, {
    ...limitsOf(config, mode),
    following: { ...FOLLOWING, max: config.maxFollowers },
    startReplay: replays.start,
    seal: (register) => sealer?.wake(register),
    unsafeDatabase: unsafe.map(({ what }) => what),
  })
  app.server.maxConnections = config.maxConnections
  ending.defer(async () => void (await Promise.all([closeApp(app), replays.stop()])))
  return app
}

/**
 * Starts the service on an open database and returns when it listens. If it cannot, it closes everything, also the database, and
 * throws: a CommandError if the address is taken.
 */
export async function startService(
  connection: Connection,
  { samples, ...settings }: Omit<Settings, 'sealing'> & { samples: boolean },
): Promise<Service> {
  const { config, mode } = settings
  const ending = new AsyncDisposableStack()
  const close = async () => {
    const steps = Promise.race([ending.disposeAsync(), sleep(LAST_STEPS_MS, undefined, { ref: false })])
    await steps.finally(connection.close)
  }
  try {
    const sealing = await sealingHere(config, connection)
    if (samples) await loadSamples(connection, Date.now)
    const app = await build(connection, { ...settings, sealing }, ending)
    return { address: await listen(app, config), mode, sealing, close }
  } catch (error) {
    await close()
    throw error
  }
}

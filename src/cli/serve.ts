// `pledger serve`: the service, from its database to its last answer.

import type { AddressInfo } from 'node:net'
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8'
import type { Command } from 'commander'
import type { FastifyInstance } from 'fastify'
import { destination, type Logger, pino } from 'pino'
import { createAccess, type Mode } from '../access/access.ts'
import { accessOf, type Config } from '../config.ts'
import { type Connection, connect } from '../database/connect.ts'
import type { Database } from '../database/pool.ts'
import { forgetKeys } from '../eventlog/keys.ts'
import { listHeads } from '../eventlog/load.ts'
import { type AppOptions, buildApp, REQUESTS_PER_MINUTE } from '../http/app.ts'
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
import { CommandError, configuration, counted, stopSignal } from './program.ts'
import { replayProcesses } from './replay-process.ts'
import { loadSample, SYNTHETIC_310 } from './sample.ts'
import { type Sealing, sealingOf, tellNewKey, tellSealing } from './sealing.ts'

/** A service that listens. */
type Service = { address: string; mode: Mode; sealing: Sealing; close: () => Promise<void> }

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

/** The samples that are not whole: both where there is no register, and what an interrupted first start left. */
function missingSamples(heads: readonly { register: string; size: number }[]): Sample[] {
  const samples: Sample[] = [
    { register: 'union-state', events: unionStateEvents() },
    { register: 'synthetic-310', events: [...syntheticEvents(SYNTHETIC_310)] },
  ]
  const sizes = new Map(heads.map(({ register, size }) => [register, size]))
  // Where anything else was opened, the database is somebody's own.
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
/** After so long the database is closed, whatever still waits for an answer of it. */
const LAST_STEPS_MS = 8_000
/** How long a start may go on that is to be stopped. */
const LAST_START_MS = 8_000
const LAST_MOMENT_MS = 500

async function closeApp(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS)
  await app.close()
  clearTimeout(cut)
}

const YOUNG_BYTES = 16 * 2 ** 20
const HEAP_BYTES = 48 * 2 ** 20
const LEAST_GROWTH_PERCENT = 20

/** The kind of a collection. */
function kindOf(entry: PerformanceEntry): number | undefined {
  // Safe: entries of type gc have it; the types of Node leave it out.
  return (entry as PerformanceEntry & { detail?: { kind: number } }).detail?.kind
}

/**
 * Keeps the heap close to the memory in use. By default the collector lets it grow to several times that before it
 * collects. A service with a large question now and then would then hold hundreds of megabytes of garbage. Here the
 * heap may grow by so many megabytes before the next collection, and beyond that by a fifth at a time. Young objects
 * get some megabytes, since otherwise each request would trigger a collection. No option bounds the young space from
 * within, so its growth is ended once it has that size.
 */
function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${LEAST_GROWTH_PERCENT}`)
  let isYoungFull = false
  const observer = new PerformanceObserver((list) => {
    const isMajor = list.getEntries().some((entry) => kindOf(entry) === constants.NODE_PERFORMANCE_GC_MAJOR)
    if (isMajor) {
      const growth = Math.round(100 * (HEAP_BYTES / getHeapStatistics().used_heap_size - 1))
      setFlagsFromString(`--heap-growing-percent=${Math.max(LEAST_GROWTH_PERCENT, growth)}`)
    }
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')
    if (isYoungFull || (young?.space_size ?? 0) < YOUNG_BYTES) return
    setFlagsFromString('--semi-space-growth-factor=1')
    isYoungFull = true
  })
  observer.observe({ entryTypes: ['gc'] })
}

const FORGET_EVERY_MS = 3_600_000

/** Forgets what was kept under idempotency keys for a day, now and every hour; returns what ends it. */
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

/** What the configuration says of who may ask how. */
function limitsOf({ rateLimit, trustProxy, corsOrigins }: Config, mode: Mode): AppOptions {
  const perMinute = rateLimit ?? REQUESTS_PER_MINUTE
  // Nobody limits a person's own machine who did not say so.
  return { trustProxy, corsOrigins, rateLimit: { perMinute, isEnforced: rateLimit !== null || mode !== 'none' } }
}

/** With what this process seals: with nothing where its role may not. */
async function sealingHere(config: Config, { db, sealing }: Connection): Promise<Sealing> {
  const configured = await sealingOf(config, db)
  if (configured.keys === null || sealing !== null) return configured
  const why = 'its role may not write tiles: set PLEDGER_SEALER_DATABASE_URL, or run pledger seal beside it'
  return { origin: configured.origin, keys: null, file: null, why }
}

/** Starts the service on an open database and returns when it listens; closes everything where it cannot. */
async function serve(
  config: Config,
  connection: Connection,
  logger: Logger,
  { samples, mode }: { samples: boolean; mode: Mode },
): Promise<Service> {
  const { db, bounded } = connection
  const now = Date.now
  const registers = createRegisters()
  const closing: (() => Promise<void>)[] = [connection.close]
  const close = async () => {
    const stop = async () => {
      for (const step of closing.slice(1).toReversed()) await step()
    }
    await Promise.race([stop(), sleep(LAST_STEPS_MS, undefined, { ref: false })])
    await connection.close()
  }
  try {
    const sealing = await sealingHere(config, connection)
    if (samples) await loadSamples(connection, now)
    const retry = (error: unknown) => logger.error({ err: error }, 'projections: will try again')
    const heads = createRegisterHeads(bounded, {
      connectionString: connection.connectionString,
      onAppend: () => runner.logGrew(),
      onError: (error) => logger.warn({ err: error }, 'heads: will look again'),
    })
    closing.push(heads.stop)
    const runner = startRunner(db, registers, PROJECTIONS, retry, heads.grew)
    closing.push(runner.stop)
    closing.push(forgetOldKeys(db, now, (error) => logger.error({ err: error }, 'old keys: will try again')))
    const onRecorded = (register: string, size: number) => {
      heads.grew(register, size)
      runner.logGrew()
    }
    const recorder = createRecorder(bounded, registers, { now, onRecorded })
    const sealer = startSealing(connection.sealing ?? db, sealing, logger)
    if (sealer) closing.push(sealer.stop)
    const following = { ...FOLLOWING, max: config.maxFollowers }
    const replays = replayProcesses(db, connection.connectionString, logger)
    const onError = (error: unknown) => logger.error({ err: error }, 'access: will try again')
    const access = createAccess(bounded, { mode, oidc: config.oidc, recordReads: config.recordReads, now, onError })
    closing.push(access.stop)
    const context = { access, db: bounded, registers, heads, recorder, now, wake: runner.wake }
    const seal = (register: string) => sealer?.wake(register)
    const app = await buildApp(context, logger, {
      ...limitsOf(config, mode),
      following,
      startReplay: replays.start,
      seal,
      unsafeDatabase: connection.unsafe.map(({ what }) => what),
    })
    app.server.maxConnections = config.maxConnections
    closing.push(async () => void (await Promise.all([closeApp(app), replays.stop()])))
    return { address: await listen(app, config), mode, sealing, close }
  } catch (error) {
    await close()
    throw error
  }
}

const ACCESS: Record<Mode, string> = {
  none: 'none: everyone on this machine may read and write',
  tokens: 'tokens: pledger token create',
  oidc: 'the tokens of the identity provider, and those of pledger token create',
}

async function printWelcome(connection: Connection, { address, sealing, mode }: Service): Promise<void> {
  const heads = await listHeads(connection.db)
  const registers = heads.map(
    ({ register, size }) => `${register} (${counted(size)} ${size === 1 ? 'event' : 'events'})`,
  )
  const lines = [
    `Pledger listens on ${address}`,
    `  database   ${connection.description}`,
    `  registers  ${registers.join(', ') || 'none yet: POST /v1/registers, or pledger import'}`,
    `  sealing    ${sealing.keys === null ? `none: ${sealing.why}` : `as ${sealing.origin}/{register}, with ${sealing.file}`}`,
    `  access     ${ACCESS[mode]}`,
  ]
  if (heads.some(({ register }) => register === 'synthetic-310')) {
    lines.push(
      'Try',
      `  curl '${address}/v1/registers/synthetic-310/summary?asOf=2026-02-26'`,
      `  curl '${address}/v1/registers/union-state/commitments/communication-tariffs?asOf=2026-02-26'`,
    )
  }
  process.stdout.write(`${lines.join('\n')}\nThe API is described at ${address}/docs. Ctrl-C stops.\n`)
}

/** Ends the process where a start does not end that is to be stopped: what it has begun, the next one goes on with. */
async function endStart(starting: Promise<unknown>, stop: Promise<unknown>): Promise<void> {
  await Promise.race([stop, starting])
  const end = await Promise.race([starting, sleep(LAST_START_MS, 'late', { ref: false })])
  if (end === 'late') process.exit()
}

/** What is unsafe about serving a database of one's own to everyone on this machine, which somebody has allowed. */
function withoutAccess({ databaseUrl }: Config, mode: Mode) {
  if (mode !== 'none' || databaseUrl === null) return []
  return [
    { what: 'there is no access control: everyone on this machine may read and write', mend: 'PLEDGER_ACCESS=tokens' },
  ]
}

/** An error as it is logged: what PostgreSQL says besides may quote rows, and so what was posted. */
function withoutContent(error: Error & { code?: unknown }): Record<string, unknown> {
  const { name, message, stack, code } = error
  return { type: name, message, code, stack }
}

type Options = { samples?: boolean; unsafeDatabase?: boolean }

async function run({ samples = false, unsafeDatabase = false }: Options): Promise<void> {
  keepHeapSmall()
  const config = configuration()
  const access = accessOf(config, unsafeDatabase)
  if ('problem' in access) throw new CommandError(access.problem, 2)
  // From the first moment on: a stop that comes while the service starts is carried out when it has started.
  const stop = stopSignal()
  const logger = pino({ level: config.logLevel, base: null, serializers: { err: withoutContent } }, destination(2))
  const start = async (): Promise<Service> => {
    const opened = await connect(config, {
      mode: 'own',
      unsafeDatabase,
      log: (line) => logger.info(line),
      onError: (error) => logger.warn({ err: error }, 'a database connection broke'),
    })
    const connection = { ...opened, unsafe: [...opened.unsafe, ...withoutAccess(config, access.mode)] }
    if (connection.unsafe.length > 0)
      logger.warn(
        `database: UNSAFE: ${connection.unsafe.map(({ what, mend }) => `${what} (mend: ${mend})`).join('; ')}`,
      )
    const service = await serve(config, connection, logger, { samples, mode: access.mode })
    await printWelcome(connection, service)
    return service
  }
  const starting = start()
  // An embedded database is there soon, and is to be stopped in order.
  if (config.databaseUrl !== null) endStart(starting, stop).catch(() => {}) // told below
  const service = await starting
  logger.info({ signal: await stop }, 'stopping')
  await service.close()
  // Whatever has not noticed yet that all is closed.
  setTimeout(() => process.exit(), LAST_MOMENT_MS).unref()
}

export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('answer the REST API, keep the projections up with the log, and sign checkpoints')
    .option('--samples', 'load the sample registers if there is no register yet')
    .option('--unsafe-database', 'serve even if the database or its role is unsafe; /readyz then says so')
    .action((options: Options) => run(options))
}

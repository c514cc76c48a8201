// `pledger serve`: the service, from its database to its last answer.

import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import type { Command } from 'commander'
import { destination, type Logger, pino } from 'pino'
import type { Mode } from '../access/access.ts'
import { accessOf, type Config } from '../config.ts'
import { type Connection, connect } from '../database/connect.ts'
import { listHeads } from '../eventlog/heads.ts'
import { CommandError, configuration, counted } from './program.ts'
import { type Service, startService } from './service.ts'
import { stopSignal } from './stop-signal.ts'

/** How long a start may go on that is to be stopped. */
const LAST_START_MS = 8_000
const LAST_MOMENT_MS = 500

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

/** How much the heap may grow between two full collections. V8 alone would let a small heap grow to four times its size. */
const HEAP_GROWTH_PERCENT = 100

type Options = { samples?: boolean; unsafeDatabase?: boolean }

/** The log on standard error. A terminal that was closed refuses it, and the service still has to stop in order. */
function openLog({ logLevel }: Config): Logger {
  const output = destination(2)
  output.on('error', () => {})
  return pino({ level: logLevel, base: null, serializers: { err: withoutContent } }, output)
}

async function run({ samples = false, unsafeDatabase = false }: Options): Promise<void> {
  // Before the heap grows. Of V8's flags for the size of the heap this one takes effect in a running process.
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`)
  const config = configuration()
  const access = accessOf(config, unsafeDatabase)
  if ('problem' in access) throw new CommandError(access.problem, 2)
  // From the first moment on: a stop that comes while the service starts is carried out when it has started.
  const stop = stopSignal()
  const logger = openLog(config)
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
    const service = await startService(connection, { config, mode: access.mode, logger, samples })
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

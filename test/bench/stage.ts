// The stage of a run: a PostgreSQL of its own, and each server under test as a process of its own. Everything is gone when
// the run ends, however it ends.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { openEmbedded } from '../../src/database/embedded/server.ts'

export type BareStage = {
  connectionString: string
  /** For the limits, and for looking at the database: as many connections as the load has. */
  pool: pg.Pool
  /** Starts a script as a process of its own, with the database's address, and returns where it says that it listens. */
  start: (args: readonly string[], settings?: Settings) => Promise<Server>
  /** Runs a script as a process of its own to its end and returns what it printed; throws where it failed. */
  run: (args: readonly string[], onStarted?: (pid: number) => void) => Promise<string>
}

/** A stage on which the service runs. */
export type Stage = BareStage & {
  /** Where the service listens. */
  service: string
  /** The service's process. */
  servicePid: number
}

/** PLEDGER_ variables, over those of the stage. */
export type Settings = Record<string, string>

export type Server = { url: string; pid: number }

export const CONNECTIONS = 32

const ROOT = join(import.meta.dirname, '../..')
const SERVICE_START_MS = 60_000

/** Sets the stage; what is to be undone at the end is put on `ending`. Profiles of the service go to `profileDir`. */
export async function setStage(ending: AsyncDisposableStack, profileDir: string | null): Promise<Stage> {
  const stage = await setBareStage(ending)
  const profiling = profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  const { url, pid } = await stage.start([...profiling, 'src/main.ts', 'serve', '--unsafe-database'])
  return { ...stage, service: url, servicePid: pid }
}

/** The same without the service, whose runner would project what a row loads. */
export async function setBareStage(ending: AsyncDisposableStack): Promise<BareStage> {
  const connectionString = await startDatabase(ending)
  const pool = new pg.Pool({ connectionString, max: CONNECTIONS })
  // The end of the server ends idle connections.
  pool.on('error', () => {})
  ending.defer(() => pool.end())
  return {
    connectionString,
    pool,
    start: (args, settings) => startServer(ending, connectionString, args, settings),
    run: (args, onStarted) => runToEnd(ending, connectionString, args, onStarted),
  }
}

async function startDatabase(ending: AsyncDisposableStack): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pledger-bench-'))
  ending.defer(() => rm(dir, { recursive: true, force: true }))
  // PostgreSQL runs as another user where the bench runs as root.
  await chmod(dir, 0o755)
  const server = await openEmbedded(dir)
  ending.defer(() => server.stop())
  return server.connectionString
}

function spawnProcess(
  ending: AsyncDisposableStack,
  connectionString: string,
  args: readonly string[],
  more: Settings = {},
): ChildProcess {
  const settings = { PLEDGER_DATABASE_URL: connectionString, PLEDGER_PORT: '0', PLEDGER_LOG_LEVEL: 'error', ...more }
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PLEDGER_'))
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Ctrl-C in the terminal is for the bench, which ends what it started in its order.
    detached: true,
  })
  ending.defer(() => end(child))
  return child
}

async function startServer(
  ending: AsyncDisposableStack,
  connectionString: string,
  args: readonly string[],
  settings?: Settings,
): Promise<Server> {
  const child = spawnProcess(ending, connectionString, args, settings)
  const url = await Promise.race([printedUrl(child), failure(child, args)])
  // Safe: a process that has printed something has an id.
  return { url, pid: child.pid as number }
}

async function runToEnd(
  ending: AsyncDisposableStack,
  connectionString: string,
  args: readonly string[],
  onStarted?: (pid: number) => void,
): Promise<string> {
  const child = spawnProcess(ending, connectionString, args)
  const exited = once(child, 'exit')
  if (child.pid !== undefined) onStarted?.(child.pid)
  // Safe: its standard output is a pipe.
  const printed = await text(child.stdout as NodeJS.ReadableStream)
  const [code] = await exited
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  return printed
}

async function printedUrl(child: ChildProcess): Promise<string> {
  // Safe: its standard output is a pipe.
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const url = /http:\/\/\S+/.exec(line)?.[0]
    if (url === undefined) continue
    child.stdout?.resume()
    return url
  }
  return new Promise(() => {})
}

async function failure(child: ChildProcess, args: readonly string[]): Promise<never> {
  const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(SERVICE_START_MS) }).catch(() => ['no answer'])
  throw new Error(`${args.join(' ')} did not start: ${code}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}

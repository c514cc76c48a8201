// The process that works on a replay which was begun over REST: the same command line, so that this one serves undisturbed.
// Where it ends before the replay does, as without its database, another goes on.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Logger } from 'pino'
import type { Database } from '../database/pool.ts'
import { readOperation } from '../projections/replay/operation.ts'

export type ReplayProcesses = {
  /** Has a process work on a replay. */
  start: (operation: string) => void
  /** Stops it, to be gone on with later. */
  stop: () => Promise<void>
}

/** A process that ended is followed by another after so long: long enough to tell whether somebody else goes on. */
const AGAIN_MS = 5_000
const AGAIN_MAX_MS = 60_000
/** How long a process may take to stop: what it has written is whole at every moment. */
const STOP_MS = 4_000
const STOPPED = new Set<unknown>(['SIGTERM', 'SIGINT', 'SIGHUP', 143, 130, 129])

/** Whether a replay has not ended and nobody seems to work on it. Throws where the database does not say. */
async function isLeft(db: Database, id: string): Promise<boolean> {
  const operation = await readOperation(db, id)
  return operation?.state === 'running' && (!operation.isOwned || operation.isQuiet)
}

/** Processes of this program, on the same database. */
export function replayProcesses(db: Database, connectionString: string, logger: Logger): ReplayProcesses {
  const running = new Set<ChildProcess>()
  let isStopping = false

  function begin(operation: string, againMs: number): void {
    const [program = ''] = process.argv.slice(1)
    const child = spawn(process.execPath, [...process.execArgv, program, 'replay', '--operation', operation], {
      env: { ...process.env, PLEDGER_DATABASE_URL: connectionString },
      stdio: 'ignore',
    })
    running.add(child)
    child.once('error', (error) => logger.error({ err: error, operation }, 'a replay could not be started'))
    child.once('exit', (code, signal) => {
      running.delete(child)
      logger[code === 0 ? 'info' : 'warn']({ operation, code, signal }, 'a replay has ended')
      if (code !== 0 && !STOPPED.has(signal ?? code)) goOn(operation, againMs)
    })
  }

  function goOn(operation: string, againMs: number): void {
    setTimeout(async () => {
      if (isStopping) return
      // Where the database is still away, later.
      const left = await isLeft(db, operation).catch(() => null)
      if (left === null) goOn(operation, againMs)
      else if (left && !isStopping) begin(operation, Math.min(2 * againMs, AGAIN_MAX_MS))
    }, againMs).unref()
  }

  return {
    start: (operation) => begin(operation, AGAIN_MS),
    async stop() {
      isStopping = true
      await Promise.all(
        [...running].map(async (child) => {
          child.kill('SIGTERM')
          const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
          await once(child, 'exit')
          clearTimeout(late)
        }),
      )
    },
  }
}

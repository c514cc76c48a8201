// The process that works on a replay which was begun over REST: the same command line, so that this one serves undisturbed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Logger } from 'pino'

export type ReplayProcesses = {
  /** Has a process work on a replay. */
  start: (operation: string) => void
  /** Stops it, to be gone on with later. */
  stop: () => Promise<void>
}

/** Processes of this program, on the same database. */
export function replayProcesses(connectionString: string, logger: Logger): ReplayProcesses {
  const running = new Set<ReturnType<typeof spawn>>()
  return {
    start(operation) {
      const [program = ''] = process.argv.slice(1)
      const child = spawn(process.execPath, [...process.execArgv, program, 'replay', '--operation', operation], {
        env: { ...process.env, PLEDGER_DATABASE_URL: connectionString },
        stdio: 'ignore',
      })
      running.add(child)
      child.once('error', (error) => logger.error({ err: error, operation }, 'a replay could not be started'))
      child.once('exit', (code, signal) => {
        running.delete(child)
        const level = code === 0 ? 'info' : 'warn'
        logger[level]({ operation, code, signal }, 'a replay has ended')
      })
    },
    async stop() {
      await Promise.all(
        [...running].map(async (child) => {
          child.kill('SIGTERM')
          await once(child, 'exit')
        }),
      )
    },
  }
}

// What ends a process from outside: signals, and the end of the npm that runs it.

import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A script of npm that runs this program: that of `npm start`, `npm run pledger` and `npx pledger`, not that of `npm test`. */
const RUNS_PLEDGER = /(^|[\s/"'])(pledger|main\.[jt]s)($|[\s"'])/
const WATCH_MS = 500
/** On Ctrl-C the terminal signals npm and this process, and npm passes its signal on: both arrive within this time. */
const SAME_SIGNAL_MS = 1_000

/**
 * The shell in which `npx` runs a program stays between the two: npm is its parent. Null for any other parent, and where the
 * system has no /proc.
 */
function parentOfShell(pid: number): string | null {
  try {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] !== '-c') return null
    // The name of the program stands in brackets, and may hold anything.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(')').at(-1)?.trim().split(' ')[1] ?? null
  } catch {
    return null
  }
}

/** Calls back once npm has ended, also where it was killed and could pass nothing on. */
function watchNpm(onEnd: () => void): void {
  const npm = () => `${process.ppid} ${parentOfShell(process.ppid)}`
  const first = npm()
  const timer = setInterval(() => {
    if (npm() === first) return
    clearInterval(timer)
    onEnd()
  }, WATCH_MS)
  timer.unref()
}

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP, so that the caller can close what is open; a second signal ends the process at
 * once. Under `npm start` and its like, the end of npm counts as SIGHUP. Call it once, before anything is opened.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  const isUnderNpm = RUNS_PLEDGER.test(process.env.npm_lifecycle_script ?? '')
  // npm is not the parent of the processes that this one starts.
  delete process.env.npm_lifecycle_script
  let stoppedAt: number | null = null
  const stop = (signal: NodeJS.Signals) => {
    if (stoppedAt === null) {
      stoppedAt = performance.now()
      resolve(signal)
    } else if (!isUnderNpm || performance.now() - stoppedAt > SAME_SIGNAL_MS) {
      process.exit(128 + constants.signals[signal])
    }
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  if (isUnderNpm) watchNpm(() => resolve('SIGHUP'))
  return promise
}

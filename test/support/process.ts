// The command line as it is run: processes of their own, with only the environment that the test gives them.

import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { checkLog } from './secrets.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export type Ended = { code: number | null; signal: NodeJS.Signals | null; out: string; err: string }
export type Started = {
  child: ChildProcess
  /** Resolves with the match as soon as standard output has it; rejects where the process ends without it. */
  says: (what: RegExp) => Promise<RegExpExecArray>
  ended: Promise<Ended>
}

const importOf = (file: string) => `--import=${new URL(file, import.meta.url).href}`
const MOVED = process.env.MOVED_CLOCK_MS === undefined ? '' : importOf('moved-clock.ts')

/**
 * The environment of Node processes without the hooks of the test runner, which double the time that one takes to start; on the
 * day of the run (on-day.ts).
 */
export const PLAIN_NODE = { NODE_OPTIONS: MOVED }

/** The same for processes that load a file of this folder before everything else. */
export function importing(file: string): { NODE_OPTIONS: string } {
  return { NODE_OPTIONS: `${MOVED} ${importOf(file)}` }
}

function environment(given: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('PLEDGER_'))
  return { ...Object.fromEntries(inherited), ...given }
}

/** What undoes at the end what was done: a test, or whatever else has an end. */
export type Ending = Pick<Test, 'teardown'>

/** Starts `pledger` with these arguments; it is killed with the test where it has not ended by then. */
export function start(t: Ending, args: readonly string[], env: Record<string, string> = {}): Started {
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment(env), stdio: 'pipe' })
  const output = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.err += text
  })
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, ...output }))
  })
  const says = (what: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = what.exec(output.out)
        if (match) resolve(match)
      }
      child.stdout.on('data', look)
      look()
      ended.then(({ code, err }) => reject(new Error(`ended with ${code} before it said ${what}: ${err}`)))
    })
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await ended
    checkLog(output.err)
  })
  return { child, says, ended }
}

/** What a process logged, without that connecting took too long: on a busy machine it does, and is tried again. */
export function withoutHaste(log: string): string {
  return log.replaceAll(/^.*timeout exceeded when trying to connect.*\n/gm, '')
}

/** How a command tells that it goes on, where it takes seconds: as any does on a busy machine. */
const GOES_ON = /^(?:digest|(?:export of|import into|seal|verify) \S+): \d+ (?:of \d+ )?[a-z ]+, .*\n/gm

/** Runs `pledger` to its end, with this on its standard input; `err` leaves out that it goes on. */
export async function pledger(
  t: Test,
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<Ended> {
  const { child, ended } = start(t, args, env)
  // A command that does not read its input may have ended before it is written.
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const end = await ended
  return { ...end, err: end.err.replaceAll(GOES_ON, '') }
}

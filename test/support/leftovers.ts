// The processes of a run of the tests, found by the mark that they inherit (mark.ts). On Linux alone: elsewhere none is found.

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** The variable whose value is the process id of the runner. */
export const RUN_MARK = 'TEST_RUN'

export type Running = { pid: number; parent: number; command: string; seconds: number }

const TICKS_A_SECOND = 100

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // It has ended, or is another user's.
    return ''
  }
}

/** A process that is no zombie; null where there is none of that id. */
function lookAt(pid: number): Running | null {
  // `pid (name) state parent …`; the name may hold anything, the 22nd field is the start in ticks since the boot.
  const fields = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
  if (fields.length < 20 || fields[0] === 'Z') return null
  const seconds = Number(read('/proc/uptime').split(' ')[0]) - Number(fields[19]) / TICKS_A_SECOND
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
  return { pid, parent: Number(fields[1]), command, seconds }
}

const isMarked = (pid: number, run: string) => `\0${read(`/proc/${pid}/environ`)}`.includes(`\0${RUN_MARK}=${run}\0`)

function running(isWanted: (pid: number) => boolean): Running[] {
  const ids = process.platform === 'linux' ? readdirSync('/proc').map(Number).filter(Number.isInteger) : []
  const wanted = ids.filter((pid) => pid !== process.pid && isWanted(pid))
  return wanted.map(lookAt).filter((one) => one !== null)
}

/** What the test files of a run have started and have not ended, but this process. */
function runningOf(run: string): Running[] {
  return running((pid) => isMarked(pid, run))
}

/** The test files that are run: they mark themselves too late to be seen so. */
export function filesOf(run: string): Running[] {
  return running(() => true).filter(({ parent }) => parent === Number(run))
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}

const isServer = ({ command }: Running) => /^\S*\/postgres /.test(command)
/** So often there has to be nothing left: a test file sees only after a while that its runner is gone. */
const QUIET_LOOKS = 15

/** Ends all of them; also what they start meanwhile, as a service does with a PostgreSQL that died. */
export async function endAll(run: string): Promise<void> {
  for (let quiet = 0, round = 0; quiet < QUIET_LOOKS; round += 1) {
    const left = runningOf(run)
    const others = left.filter((one) => !isServer(one))
    for (const { pid } of others) kill(pid, 'SIGKILL')
    // An immediate shutdown, which frees its shared memory, of those that have nobody any more who would start them again.
    if (others.length === 0) for (const { pid } of left) kill(pid, round < 100 ? 'SIGQUIT' : 'SIGKILL')
    quiet = left.length === 0 ? quiet + 1 : 0
    await sleep(100)
  }
}

/** What of a run stays, where something does: processes that are ending are given the time. */
export async function leftOf(run: string): Promise<Running[]> {
  for (const until = performance.now() + 15_000; performance.now() < until; await sleep(100)) {
    if (runningOf(run).length === 0) return []
  }
  return runningOf(run)
}

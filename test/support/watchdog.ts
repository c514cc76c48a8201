// Beside every run of the tests: when the runner is gone, however it ended, this ends what the run has left behind. Also ends a
// test file that hangs: tap does not, since each file that tap cuts makes it skip one of the others (each adds a failure of its
// own to the runner's plan, which so is full before all have run).

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { endAll, filesOf } from './leftovers.ts'

/** A file takes less than a minute on an idle machine. */
const FILE_SECONDS = 60 * Number(process.env.TEST_FILE_MINUTES ?? 45)
const LOOK_MS = 500
const LOOKS_A_CHECK = 20

const [run = '', folder = ''] = process.argv.slice(2)

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Its tap reports on SIGALRM what it still waits for; where it is past hearing, it is killed. */
function endHanging(): void {
  for (const { pid, seconds } of filesOf(run)) {
    if (seconds > FILE_SECONDS) process.kill(pid, seconds < FILE_SECONDS + 30 ? 'SIGALRM' : 'SIGKILL')
  }
}

/** What a test has mounted stays when it is killed. */
function unmount(): void {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  for (const path of mounts.map((line) => line.split(' ')[1] ?? ''))
    if (path.startsWith(`${folder}/`)) execFileSync('umount', [path])
}

for (let looks = 1; isRunning(Number(run)); looks += 1) {
  if (looks % LOOKS_A_CHECK === 0) endHanging()
  await sleep(LOOK_MS)
}
await endAll(run)
if (process.platform === 'linux') unmount()
await rm(folder, { recursive: true, force: true, maxRetries: 10 })

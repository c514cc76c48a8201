// Loaded before everything else of each test file, and of what runs before and after all (`node-arg` of tap): marks what the run
// starts, in the environment that its processes inherit, gives it a folder of its own for what is temporary, and ends with it.

import { chmodSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RUN_MARK } from './leftovers.ts'

const run = String(process.ppid)
const folder = join(tmpdir(), `pledger-tests-${run}`)
mkdirSync(folder, { recursive: true })
// PostgreSQL runs as another user where the tests run as root.
chmodSync(folder, 0o755)
Object.assign(process.env, { [RUN_MARK]: run, TMPDIR: folder })

// A runner that is killed leaves its files running.
setInterval(() => {
  if (String(process.ppid) !== run) process.kill(process.pid, 'SIGKILL')
}, 300).unref()

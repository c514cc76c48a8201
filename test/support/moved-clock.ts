// Loaded before everything else of a process (node --import): its clock is off by as many milliseconds as MOVED_CLOCK_MS says,
// plus what the file MOVED_CLOCK says, which may change while it runs. Timers and performance.now() go on as they do where the
// clock of a machine is set.

import { readFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const wholeRun = Number(process.env.MOVED_CLOCK_MS ?? 0)
const file = process.env.MOVED_CLOCK
const Unmoved = Date
let [offset, readAt] = [wholeRun, Number.NEGATIVE_INFINITY]

function now(): number {
  if (file !== undefined && performance.now() - readAt > 5) {
    offset = wholeRun + Number(readFileSync(file, 'utf8'))
    readAt = performance.now()
  }
  return Unmoved.now() + offset
}

globalThis.Date = new Proxy(Unmoved, {
  construct(target, given, newTarget) {
    return Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget)
  },
  get(target, name, receiver) {
    return name === 'now' ? now : Reflect.get(target, name, receiver)
  },
})

// The times of files are those of the machine: they move with the clock that they are compared with.
if (wholeRun !== 0) {
  const { stat } = fs
  fs.stat = (async (path: string) => {
    const found = await stat(path)
    return Object.assign(found, { mtimeMs: found.mtimeMs + wholeRun })
    // Safe: nobody here asks for the times of files as bigint.
  }) as typeof stat
  syncBuiltinESMExports()
}

// Loaded before everything else of a process (node --import): its clock is so many milliseconds off as a file says, which may
// change while it runs. Timers and performance.now() go on as they do where the clock of a machine is set.

import { readFileSync } from 'node:fs'

const file = process.env.MOVED_CLOCK ?? ''
const Unmoved = Date
let [offset, readAt] = [0, Number.NEGATIVE_INFINITY]

function now(): number {
  if (performance.now() - readAt > 5) {
    offset = Number(readFileSync(file, 'utf8'))
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

// A status as one small number, so that it can be stored in arrays and counted. It holds lifecycle, verification, both
// schedules, and the facts about the original due date that the figures need.

import { LIFECYCLES, SCHEDULES, VERIFICATIONS } from '../axes.ts'
import { type Countable, DUE_MARKS, type DueMark } from '../figures.ts'

// Safe: the table has these entries.
const MARKS = Object.keys(DUE_MARKS) as DueMark[]
/** Whether there is a due date, and the marks, a bit each. */
const BITS = 1 + MARKS.length

/**
 * Codes are whole numbers from 0 to CODES - 1, stored in 16 bits. The order of the lists they are made of is part of what is
 * stored.
 */
export const CODES = (LIFECYCLES.length * VERIFICATIONS.length * SCHEDULES.length * SCHEDULES.length) << BITS

/** The code of a status. */
export function encodeStatus(status: Countable): number {
  const { lifecycle, verification, schedule, hasDueDate } = status
  let code = LIFECYCLES.indexOf(lifecycle)
  code = code * VERIFICATIONS.length + VERIFICATIONS.indexOf(verification)
  code = code * SCHEDULES.length + SCHEDULES.indexOf(schedule.original)
  code = code * SCHEDULES.length + SCHEDULES.indexOf(schedule.current)
  code = code * 2 + (hasDueDate ? 1 : 0)
  for (const mark of MARKS) code = code * 2 + (status[mark] ? 1 : 0)
  return code
}

function decode(code: number): Countable {
  let rest = code
  const take = <T>(words: readonly T[]): T => {
    const word = words[rest % words.length] as T
    rest = Math.floor(rest / words.length)
    return word
  }
  const bit = () => take([false, true])
  const marks = MARKS.toReversed().map((mark) => [mark, bit()])
  const hasDueDate = bit()
  const current = take(SCHEDULES)
  const original = take(SCHEDULES)
  const verification = take(VERIFICATIONS)
  const lifecycle = take(LIFECYCLES)
  // Safe: every mark has its bit.
  const isMarked = Object.fromEntries(marks) as Record<DueMark, boolean>
  return { lifecycle, verification, schedule: { original, current }, hasDueDate, ...isMarked }
}

/** True where two codes show the same lifecycle, schedules and verification, whatever they know of the due date. */
export function showsSameStatus(a: number, b: number): boolean {
  return a >> BITS === b >> BITS
}

const decoded: (Countable | undefined)[] = []

/** The status of a code; the same object for the same code. */
export function decodeStatus(code: number): Countable {
  decoded[code] ??= decode(code)
  return decoded[code]
}

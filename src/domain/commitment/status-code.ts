// A status as one small number, so that it can be stored in arrays and counted. It holds lifecycle, verification, both
// schedules, and the facts about the original due date that the figures need.

import { LIFECYCLES, SCHEDULES, type Schedule, VERIFICATIONS, type Verification } from './status.ts'

/** What decides which figures count a commitment. */
export type Countable = {
  lifecycle: (typeof LIFECYCLES)[number]
  verification: Verification
  schedule: { original: Schedule; current: Schedule }
  /** It has a baseline 0. */
  hasDueDate: boolean
  /** Baseline 0 has come: its last day is not after the day asked about. */
  isDue: boolean
}

/** Codes are whole numbers from 0 to CODES - 1. The order of the lists they are made of is part of what is stored. */
export const CODES = LIFECYCLES.length * VERIFICATIONS.length * SCHEDULES.length * SCHEDULES.length * 4

/** The code of a status. */
export function encodeStatus(status: Countable): number {
  const { lifecycle, verification, schedule, hasDueDate, isDue } = status
  let code = LIFECYCLES.indexOf(lifecycle)
  code = code * VERIFICATIONS.length + VERIFICATIONS.indexOf(verification)
  code = code * SCHEDULES.length + SCHEDULES.indexOf(schedule.original)
  code = code * SCHEDULES.length + SCHEDULES.indexOf(schedule.current)
  return code * 4 + (hasDueDate ? 2 : 0) + (isDue ? 1 : 0)
}

function decode(code: number): Countable {
  const flags = code % 4
  let rest = Math.floor(code / 4)
  const take = <T>(words: readonly T[]): T => {
    const word = words[rest % words.length] as T
    rest = Math.floor(rest / words.length)
    return word
  }
  const current = take(SCHEDULES)
  const original = take(SCHEDULES)
  const verification = take(VERIFICATIONS)
  const lifecycle = take(LIFECYCLES)
  const [hasDueDate, isDue] = [(flags & 2) !== 0, (flags & 1) !== 0]
  return { lifecycle, verification, schedule: { original, current }, hasDueDate, isDue }
}

/** True where two codes show the same lifecycle, schedules and verification, whatever they know of the due date. */
export function showsSameStatus(a: number, b: number): boolean {
  return a >> 2 === b >> 2
}

const decoded: (Countable | undefined)[] = []

/** The status of a code; the same object for the same code. */
export function decodeStatus(code: number): Countable {
  decoded[code] ??= decode(code)
  return decoded[code]
}

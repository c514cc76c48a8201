// What every answer at two clocks says besides what it was asked for.

import { z } from 'zod'
import { knownAtAnswer, RULES } from '../domain/commitment/answer.ts'
import { formatDay } from '../kernel/plain-date.ts'
import type { Clocks } from './clocks.ts'

export const frameAnswer = { asOf: z.string(), knownAt: knownAtAnswer, rules: z.string() }

/** The clocks that an answer was given at, and the version of the rules. */
export function frameOf({ asOf, knownAt }: Clocks) {
  return { asOf: formatDay(asOf), knownAt, rules: RULES }
}

/** The schema of a list: a page of items within the frame. */
export function listAnswer<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable(), ...frameAnswer })
}

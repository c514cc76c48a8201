// What every answer at two clocks says besides what it was asked for.

import { z } from 'zod'
import { knownAtAnswer, RULES, rulesAnswer } from '../domain/commitment/answer.ts'
import { formatDay } from '../kernel/plain-date.ts'
import type { Clocks } from './clocks.ts'

/** The head of an answer at two clocks. */
export const frameAnswer = {
  asOf: z.string().meta({ description: 'Valid time: the day that the answer is about, YYYY-MM-DD' }),
  knownAt: knownAtAnswer,
  rules: rulesAnswer,
}

/** The head of an answer that neither clock changes, in the place of the other one. */
export const clocklessFrameAnswer = {
  asOf: z.null().meta({ description: 'Always null: the answer is about no day' }),
  knownAt: z.null().meta({ description: 'Always null: the answer is about no size of a log' }),
  rules: rulesAnswer,
}

/** The register that an answer is about, where the answer names it. */
export const registerId = z.string().meta({ description: 'The id of the register' })

/** The end of a list that always fits one page. */
export const lastPage = z.null().meta({ description: 'Always null: the list has one page' })

/** The `next` of a list that has pages. */
export const nextPage = z.string().nullable().meta({ description: 'Where the next page begins; null on the last page' })

/** The clocks that an answer was given at, and the version of the rules. */
export function frameOf({ asOf, knownAt }: Clocks) {
  return { asOf: formatDay(asOf), knownAt, rules: RULES }
}

/** The schema of a list: a page of items within the frame. */
export function listAnswer<T extends z.ZodType>(item: T) {
  const items = z.array(item).meta({ description: 'The items of this page, in order' })
  return z.strictObject({ items, next: nextPage, ...frameAnswer })
}

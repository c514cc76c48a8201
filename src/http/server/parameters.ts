// Query parameters that several routes share.

import { z } from 'zod'
import { parseDay } from '../../kernel/plain-date.ts'

/** A whole number from `least` to `most`, in digits; `error` says what is expected. */
export function wholeNumber(error: string, least: number, most = Number.MAX_SAFE_INTEGER) {
  // Not z.coerce: that takes an empty value for 0 and `1e2` for 100.
  const digits = (value: unknown) => (typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value)
  return z.preprocess(digits, z.int({ error, abort: true }).min(least, { error }).max(most, { error }))
}

/** The position that a path names; null where it names none, which is as little there as one beyond the log. */
export function parsePosition(text: string): number | null {
  return /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : null
}

/** How many items a page has at most. */
export const pageLimit = wholeNumber('expected 1 to 1000', 1, 1_000).meta({
  description: 'How many items a page has at most; 100 by default, but 50 of the trend',
})

/** The cursor of a page, as its list has given it. */
export const cursorParameter = z
  .string()
  .max(10_000)
  .optional()
  .meta({ description: 'The `next` of the page before; it pins every parameter but limit' })

export const asOfParameter = z
  .string()
  .refine((value) => parseDay(value) !== null, { error: 'expected an existing day, YYYY-MM-DD' })
  .optional()
  .meta({
    description:
      'Valid time: the day that the question is about, YYYY-MM-DD. Today in the time zone of the register by default',
  })
export const knownAtParameter = z.string().optional().meta({
  description: 'The transaction-time cut-off: a size, an instant, or a day (its end). Everything recorded by default',
})
export const minSizeParameter = wholeNumber('expected a size', 0)
  .optional()
  .meta({ description: 'Waits up to 5 seconds until the projections have read so many events' })

export const clockParameters = { asOf: asOfParameter, knownAt: knownAtParameter, minSize: minSizeParameter }

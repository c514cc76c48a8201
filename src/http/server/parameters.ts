// Query parameters that several routes share.

import { z } from 'zod'

/** A parameter that may be repeated, meaning or; always a list. */
export function many<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(item).max(100)).default([])
}

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
export const pageLimit = wholeNumber('expected 1 to 1000', 1, 1_000)

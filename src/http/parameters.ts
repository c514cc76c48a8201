// Query parameters that several routes share.

import { z } from 'zod'

/** A parameter that may be repeated, meaning or; always a list. */
export function many<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(item).max(100)).default([])
}

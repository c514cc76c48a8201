// Parameters that several questions share.

import { z } from 'zod'
import { slug } from '../domain/fields.ts'

/** A parameter that may be repeated, meaning or; always a list. */
export function many<T extends z.ZodType>(item: T) {
  return z.preprocess((value) => (value === undefined ? [] : [value].flat()), z.array(item).max(100)).default([])
}

export const programmeFilter = many(z.union([z.literal(''), slug])).meta({
  description: 'Only these programmes; empty: commitments without one',
})

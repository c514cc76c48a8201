// Which of the fields that events are made of a schema is.

import type { z } from 'zod'

/** Whether a schema is a known one, or made from it by a description or a bound. */
export function isField(schema: z.core.$ZodType, known: z.core.$ZodType): boolean {
  for (let one: z.core.$ZodType | undefined = schema; one; one = one._zod.parent) if (one === known) return true
  return false
}

// What every event has: the envelope, citations, and the words that the schemas of all event types share. The types
// themselves stand with what they are about (register/events.ts, commitment/events.ts, repairs.ts).

import { z } from 'zod'
import { parseDateRange } from '../kernel/plain-date.ts'

const MAX_TEXT = 10_000
const MAX_LIST = 100

/** The stream of facts about the register itself. */
export const REGISTER_STREAM = '$register'

function countsMoreThan(text: string, max: number): boolean {
  // Code points, not UTF-16 units; counted only where the units leave it open.
  return text.length > max && [...text].length > max
}

/** Well-formed text of 1 to `max` characters without NUL: what PostgreSQL and RFC 8785 can both hold. */
export function text(max = MAX_TEXT): z.ZodString {
  return z
    .string()
    .min(1)
    .superRefine((value, context) => {
      if (countsMoreThan(value, max)) context.addIssue(`longer than ${max} characters`)
      if (value.includes('\u0000')) context.addIssue('holds a NUL character')
      if (!value.isWellFormed()) context.addIssue('is not well-formed: it holds half of a surrogate pair')
    })
    .meta({ maxLength: max })
}

/** A finite number that JSON and a double hold alike; whole numbers within 2^53. */
export const number = z
  .number({ error: 'expected a number that a double holds exactly' })
  .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
    error: 'a whole number must lie within 2^53',
  })

const SLUG = /^[a-z0-9][a-z0-9._-]{0,99}$/

export const slug = z
  .string()
  .regex(SLUG, { error: 'expected an id: a-z, 0-9, then also . _ -, at most 100 characters' })

/** True for text that can be the id of a register or a commitment. */
export function isSlug(text: string): boolean {
  return SLUG.test(text)
}

export const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, {
  error: 'expected an id: letters, digits, then also . _ -, at most 100 characters',
})
export const eventId = z.uuid().toLowerCase()

/** A date as precise as its source, kept as text. */
export const date = z
  .string()
  .refine((value) => parseDateRange(value) !== null, {
    error: 'expected an existing date: YYYY, YYYY-MM, YYYY-MM-DD, A/B, A/.. or ../B',
  })
  .meta({ description: 'A date as precise as its source: YYYY, YYYY-MM, YYYY-MM-DD, A/B, A/.. or ../B' })

/** A due or forecast date: it counts by its last day, so it must have one. */
export const dueDate = z
  .string()
  .refine((value) => typeof parseDateRange(value)?.last === 'number', {
    error: 'expected an existing date with a last day: YYYY, YYYY-MM, YYYY-MM-DD, A/B or ../B',
  })
  .meta({ description: 'A date that counts by its last day: YYYY, YYYY-MM, YYYY-MM-DD, A/B or ../B' })

export const instant = z.iso.datetime({ offset: true })
export const webAddress = text().refine((value) => /^https?:\/\//.test(value) && URL.canParse(value), {
  error: 'expected an http or https address',
})

/** A list of at most 100, by default empty. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.array(item).max(MAX_LIST).default([])
}

const differs = z.record(text(100), z.union([text(), number, z.boolean(), z.null()]))

/** Where a fact stands: the source, the place in it, who says so and when, and what this source says instead. */
export const citation = z.strictObject({
  source: name,
  locator: text().optional(),
  quote: text().optional(),
  claimedBy: text().optional(),
  claimedOn: date.optional(),
  differs: differs.optional(),
})
export type Citation = z.output<typeof citation>

export const citations = listOf(citation)

/** One recorded fact or repair, as the log holds it. Redacted content is null. */
export type StoredEvent = {
  position: number
  id: string
  stream: string
  revision: number
  type: string
  typeVersion: number
  /** Milliseconds since the epoch. */
  recordedAt: number
  recordedBy: string
  occurredOn: string | null
  data: unknown
  citations: Citation[] | null
  /** 32 random bytes; null once redacted. */
  salt: Uint8Array | null
  /** SHA-256(salt ‖ JCS({occurredOn, data, citations})). */
  bodyHash: Uint8Array
}

/** What folds need of an event. */
export type EventToFold = Omit<StoredEvent, 'recordedBy' | 'bodyHash'>

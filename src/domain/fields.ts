// What the fields of events are made of: text, numbers, dates, ids. An id says what it is the id of. By that, admission, the
// random logs and the contract find the references of every type of event in its schema.

import { z } from 'zod'
import { parseDateRange } from '../kernel/plain-date.ts'

const MAX_TEXT = 10_000
const MAX_LIST = 100

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

/** A list of at most 100, by default empty. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.array(item).max(MAX_LIST).default([])
}

export const instant = z.iso
  .datetime({ offset: true })
  .meta({ description: 'An instant with its offset from UTC, such as 2026-03-01T12:00:00Z' })
export const webAddress = text().refine((value) => /^https?:\/\//.test(value) && URL.canParse(value), {
  error: 'expected an http or https address',
})

// Dates.

/** A date as precise as its source, kept as text. */
export const date = z
  .string()
  .refine((value) => parseDateRange(value) !== null, {
    error: 'expected an existing date: YYYY, YYYY-MM, YYYY-MM-DD, A/B, A/.. or ../B',
  })
  .meta({ description: 'A date as precise as its source: YYYY, YYYY-MM, YYYY-MM-DD, A/B, A/.. or ../B' })

function withLastDay(description: string) {
  return z
    .string()
    .refine((value) => typeof parseDateRange(value)?.last === 'number', {
      error: 'expected an existing date with a last day: YYYY, YYYY-MM, YYYY-MM-DD, A/B or ../B',
    })
    .meta({ description: `${description}. It counts by its last day: YYYY, YYYY-MM, YYYY-MM-DD, A/B or ../B` })
}

/** A due or forecast date: it counts by its last day, so it must have one. */
export const dueDate = withLastDay('A due or forecast date')

// Ids.

const SLUG = /^[a-z0-9][a-z0-9._-]{0,99}$/
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

function slugField(description: string) {
  return z
    .string()
    .regex(SLUG, { error: 'expected an id: a-z, 0-9, then also . _ -, at most 100 characters' })
    .meta({ description })
}

function nameField(description: string) {
  return z
    .string()
    .regex(NAME, { error: 'expected an id: letters, digits, then also . _ -, at most 100 characters' })
    .meta({ description })
}

/** An id in an address. A field of an event takes one of the ids below, which say what they are the id of. */
export const slug = slugField('An id')
export const name = nameField('An id')

/** True for text that can be the id of a register or a commitment. */
export function isSlug(text: string): boolean {
  return SLUG.test(text)
}

/** What a field means beyond its type. */
export type FieldMeaning =
  /** It names something that stands, or must stand, elsewhere in the register. */
  | { kind: 'reference'; to: 'party' | 'programme' | 'source' | 'commitment' | 'event' }
  /** It gives a party, programme, source or milestone the id by which others name it. */
  | { kind: 'name'; of: 'party' | 'programme' | 'source' | 'milestone' }
  /** The due date of a baseline: a status can change when it comes and when it has passed. */
  | { kind: 'baselineDate' }

/** What the fields of events mean, by their schemas. */
export const FIELD_MEANINGS = z.registry<FieldMeaning>()

export const partyId = nameField('The id of a party that the register defines').register(FIELD_MEANINGS, {
  kind: 'reference',
  to: 'party',
})
export const programmeId = slugField('The id of a programme that the register defines').register(FIELD_MEANINGS, {
  kind: 'reference',
  to: 'programme',
})
export const sourceId = nameField('The id of a source that the register defines').register(FIELD_MEANINGS, {
  kind: 'reference',
  to: 'source',
})
export const commitmentId = slugField('The id of a commitment').register(FIELD_MEANINGS, {
  kind: 'reference',
  to: 'commitment',
})
export const eventId = z
  .uuid()
  .toLowerCase()
  .meta({ description: 'The id of an event that the register holds' })
  .register(FIELD_MEANINGS, { kind: 'reference', to: 'event' })

export const newPartyId = nameField('The id by which events name the party').register(FIELD_MEANINGS, {
  kind: 'name',
  of: 'party',
})
export const newProgrammeId = slugField('The id by which events name the programme').register(FIELD_MEANINGS, {
  kind: 'name',
  of: 'programme',
})
export const newSourceId = nameField('The id by which citations name the source').register(FIELD_MEANINGS, {
  kind: 'name',
  of: 'source',
})
export const milestoneId = slugField('The id of the milestone within its commitment').register(FIELD_MEANINGS, {
  kind: 'name',
  of: 'milestone',
})

export const baselineDate = withLastDay('The due date').register(FIELD_MEANINGS, { kind: 'baselineDate' })

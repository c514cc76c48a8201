// The fields of every event type, from the schemas that recording checks them by.

import { z } from 'zod'
import { EVENTS } from '../../../src/domain/admission/posted-event.ts'
import { citation } from '../../../src/domain/event.ts'
import type { EventEntry } from '../../../src/domain/event-entry.ts'
import {
  baselineDate,
  commitmentId,
  date,
  dueDate,
  eventId,
  instant,
  milestoneId,
  newPartyId,
  newProgrammeId,
  newSourceId,
  partyId,
  programmeId,
  sourceId,
  webAddress,
} from '../../../src/domain/fields.ts'
import { FIGURE_NAMES } from '../../../src/domain/figures.ts'
import { timeZone } from '../../../src/domain/register/events.ts'
import { isField } from '../fields.ts'
import { code, table } from './markdown.ts'

/** Schemas that have a name of their own on the page. */
const NAMED: readonly (readonly [z.ZodType, string])[] = [
  [partyId, 'party id'],
  [programmeId, 'programme slug'],
  [sourceId, 'source id'],
  [commitmentId, 'commitment slug'],
  [eventId, 'event UUID'],
  [newPartyId, 'id'],
  [newProgrammeId, 'slug'],
  [newSourceId, 'id'],
  [milestoneId, 'slug'],
  [date, 'date'],
  [dueDate, 'date with a last day'],
  [baselineDate, 'date with a last day'],
  [instant, 'instant'],
  [timeZone, 'IANA time zone'],
  [webAddress, 'http or https address'],
  [citation, '[citation](#citations)'],
]

const LONG_TEXT = 10_000

function wordsOfEnum(options: readonly unknown[]): string {
  if (options.join() === FIGURE_NAMES.join()) return 'name of a [figure](#figures)'
  return options.map((option) => code(String(option))).join(' or ')
}

function wordsOfText(schema: z.ZodString): string {
  const { maxLength } = schema.meta() ?? {}
  return maxLength === LONG_TEXT ? 'text' : `text(${maxLength})`
}

function wordsOfNumber({ minValue }: z.ZodNumber): string {
  return Number.isFinite(minValue) ? `number, at least ${minValue}` : 'number'
}

function wordsOfRecord({ valueType }: z.ZodRecord): string {
  if (valueType instanceof z.ZodUnknown) return 'object: all data of the corrected fact'
  return 'object of text, numbers, `true`, `false` and null'
}

/** What a value is, in words. Throws on a schema for which there are no words yet. */
function wordsOf(schema: z.core.$ZodType): string {
  const [, words] = NAMED.find(([known]) => isField(schema, known)) ?? []
  if (words !== undefined) return words
  if (schema instanceof z.ZodEnum) return wordsOfEnum(schema.options)
  if (schema instanceof z.ZodBoolean) return '`true` or `false`'
  if (schema instanceof z.ZodString) return wordsOfText(schema)
  if (schema instanceof z.ZodNumber) return wordsOfNumber(schema)
  if (schema instanceof z.ZodArray) return `list of ${wordsOf(schema.element)}`
  if (schema instanceof z.ZodRecord) return wordsOfRecord(schema)
  if (schema instanceof z.ZodObject) return `{ ${fieldsOf(schema).join('; ')} }`
  throw new Error(`no words for a schema of type ${(schema as z.ZodType).type}`)
}

function wordsOfDefault(fallback: unknown): string {
  return Array.isArray(fallback) ? 'empty' : code(String(fallback))
}

/** A field in words; a question mark stands after the name of one that may be left out. */
function fieldOf(name: string, schema: z.core.$ZodType): string {
  let inner = schema
  let isNeeded = true
  let more = ''
  for (;;) {
    if (inner instanceof z.ZodOptional) isNeeded = false
    else if (inner instanceof z.ZodNullable) more += ', or null'
    else if (inner instanceof z.ZodDefault) {
      isNeeded = false
      more += `, by default ${wordsOfDefault(inner.def.defaultValue)}`
    } else break
    inner = inner.unwrap()
  }
  return `${code(isNeeded ? name : `${name}?`)} ${wordsOf(inner)}${more}`
}

function fieldsOf({ shape }: z.ZodObject): string[] {
  return Object.entries(shape).map(([name, schema]) => fieldOf(name, schema))
}

function sentences(parts: readonly string[]): string {
  return parts.map((part) => `${part}.`).join(' ')
}

/** What each of these types states, and what follows from it. */
export function eventTypes(types: Readonly<Record<string, EventEntry>>): string {
  const rows = Object.entries(types).map(([type, { states, effect }]) => [code(type), states, effect])
  return table(['type', 'states', 'effect'], rows)
}

/** The fields of each type's `data`, as one table. */
export function eventFields(): string {
  const types = Object.entries(EVENTS)
  return table(
    ['type', '`data`'],
    types.map(([type, { data }]) => [code(type), sentences(fieldsOf(data))]),
  )
}

/** The members of a citation. */
export function citationFields(): string {
  return sentences(fieldsOf(citation))
}

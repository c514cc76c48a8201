// Random data of every type of event, made from the schema in its entry: a new type is in every random log at once.

import fc from 'fast-check'
import { z } from 'zod'
import { EVENTS, type EventType } from '../../src/domain/admission/posted-event.ts'
import {
  baselineDate,
  date,
  dueDate,
  FIELD_MEANINGS,
  type FieldMeaning,
  instant,
  webAddress,
} from '../../src/domain/fields.ts'
import { timeZone } from '../../src/domain/register/events.ts'
import { dayOf, formatDay } from '../../src/kernel/plain-date.ts'
import { isField } from './fields.ts'

const FIRST_DAY = dayOf('2020-01-01')
const day = fc.integer({ min: 0, max: 2_200 }).map((days) => formatDay(FIRST_DAY + days))

const bounded = fc.oneof(
  { arbitrary: day, weight: 4 },
  day.map((text) => text.slice(0, 7)),
  day.map((text) => text.slice(0, 4)),
  fc.tuple(day, day).map(([a, b]) => (a <= b ? `${a}/${b}` : `${b}/${a}`)),
  day.map((text) => `../${text}`),
)

/** A date of any accepted form. */
export const anyDate = fc.oneof(
  { arbitrary: bounded, weight: 6 },
  day.map((text) => `${text}/..`),
)

/** The ids that ids in random data are taken from, by what they are ids of. */
export type IdPools = Readonly<Record<string, readonly string[]>>

const POOLS: IdPools = {
  party: ['A', 'B'],
  programme: ['p', 'q'],
  source: ['a', 'b'],
  commitment: ['other'],
  milestone: ['a', 'b'],
}

const word = fc.constantFrom('one', 'two')

function anyId(meaning: Exclude<FieldMeaning, { kind: 'baselineDate' }>, pools: IdPools): fc.Arbitrary<string> {
  const pool = pools[meaning.kind === 'reference' ? meaning.to : meaning.of]
  if (!pool) throw new Error(`there are no ids to take for ${JSON.stringify(meaning)}`)
  return fc.constantFrom(...pool)
}

function anyText(schema: z.ZodType, pools: IdPools): fc.Arbitrary<string> {
  if (isField(schema, date)) return anyDate
  if (isField(schema, dueDate) || isField(schema, baselineDate)) return bounded
  if (isField(schema, instant)) return fc.constant('2025-01-01T00:00:00Z')
  if (isField(schema, timeZone)) return fc.constantFrom('UTC', 'Europe/Minsk', 'Pacific/Kiritimati')
  if (isField(schema, webAddress)) return fc.constant('https://example.org/')
  const meaning = FIELD_MEANINGS.get(schema)
  return meaning && meaning.kind !== 'baselineDate' ? anyId(meaning, pools) : word
}

function anyObject({ shape }: z.ZodObject, pools: IdPools): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(shape)
  const needed = members.filter(([, schema]) => !(schema instanceof z.ZodOptional))
  return fc.record(Object.fromEntries(members.map(([name, schema]) => [name, anyOf(schema, pools)])), {
    requiredKeys: needed.map(([name]) => name),
  })
}

/** A value that a schema gives back as it is: with its defaults filled. Throws on a schema of a kind that it does not know. */
function anyOf(schema: unknown, pools: IdPools): fc.Arbitrary<unknown> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return anyOf(schema.unwrap(), pools)
  if (schema instanceof z.ZodNullable) return fc.option(anyOf(schema.unwrap(), pools))
  if (schema instanceof z.ZodObject) return anyObject(schema, pools)
  if (schema instanceof z.ZodArray) return fc.array(anyOf(schema.element, pools), { maxLength: 2 })
  if (schema instanceof z.ZodEnum) return fc.constantFrom(...schema.options)
  if (schema instanceof z.ZodBoolean) return fc.boolean()
  if (schema instanceof z.ZodNumber) return fc.integer({ min: 0, max: 100 })
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return anyText(schema, pools)
  throw new Error('there is no random value for a schema of this kind')
}

/** Random data of a fact of a type, as it is stored. */
export function anyDataOf(type: EventType, pools: IdPools = POOLS): fc.Arbitrary<Record<string, unknown>> {
  const { data }: { data: z.ZodObject } = EVENTS[type]
  return anyObject(data, pools).filter((one) => data.safeParse(one).success)
}

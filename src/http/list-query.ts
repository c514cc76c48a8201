// What a list of commitments can be asked for: filters, order, and the cursor that pins them.

import { z } from 'zod'
import { name, slug, text } from '../domain/event.ts'
import { FIGURE_NAMES } from '../domain/portfolio/figure-names.ts'
import { counts, type Measured } from '../domain/portfolio/figures.ts'
import { LIFECYCLES, SCHEDULES, VERIFICATIONS } from '../domain/portfolio/status.ts'
import type { CommitmentRecord } from '../projections/commitments/read.ts'
import { clockParameters } from './context.ts'
import { many, pageLimit } from './parameters.ts'
import { Problem } from './problem.ts'

/** A commitment of a list, with what the day decides. */
export type Listed = { record: CommitmentRecord; measured: Measured }

type SortValue = (listed: Listed) => string | number | null

const SORT_KEYS = {
  id: ({ record }) => record.id,
  title: ({ record }) => record.title.toLowerCase(),
  programme: ({ record }) => record.programme,
  lifecycle: ({ measured }) => LIFECYCLES.indexOf(measured.lifecycle),
  verification: ({ measured }) => VERIFICATIONS.indexOf(measured.verification),
  'schedule.original': ({ measured }) => SCHEDULES.indexOf(measured.schedule.original),
  'schedule.current': ({ measured }) => SCHEDULES.indexOf(measured.schedule.current),
  madeOn: ({ measured }) => measured.madeOn,
  originalDue: ({ measured }) => measured.originalDueOn,
  currentDue: ({ measured }) => measured.currentDueOn,
  forecastFinish: ({ measured }) => measured.forecastOn,
  actualFinish: ({ measured }) => measured.finishedOn,
  slippageDays: ({ measured }) => measured.slippageDays.current,
  'slippageDays.original': ({ measured }) => measured.slippageDays.original,
  'slippageDays.current': ({ measured }) => measured.slippageDays.current,
  baselineShiftDays: ({ measured }) => measured.baselineShiftDays,
  stalenessDays: ({ measured }) => measured.stalenessDays,
  rebaselines: ({ record }) => record.rebaselines,
  forecastPushes: ({ record }) => record.forecastPushes,
  revision: ({ record }) => record.revision,
} as const satisfies Record<string, SortValue>

type SortKey = keyof typeof SORT_KEYS
const SORT_NAMES = Object.keys(SORT_KEYS) as SortKey[]
const SIGNED_SORT_NAMES = SORT_NAMES.flatMap((key) => [key, `-${key}` as const])

// The empty value stands for those that have none.
const orNone = <T extends z.ZodType>(item: T) => z.union([z.literal(''), item])

const sort = z
  .preprocess(
    (value) => [value].flat().flatMap((one) => (typeof one === 'string' ? one.split(',') : one)),
    z.array(z.enum(SIGNED_SORT_NAMES)).max(5),
  )
  .default(['id'])
  .meta({ description: 'Keys, comma separated; - before a key is descending. Nulls come last, ties go by id' })

const filters = {
  lifecycle: many(z.enum(LIFECYCLES)),
  schedule: many(z.enum(SCHEDULES)).meta({ description: 'Against the current baseline' }),
  scheduleOriginal: many(z.enum(SCHEDULES)),
  verification: many(z.enum(VERIFICATIONS)),
  programme: many(orNone(slug)).meta({ description: 'Empty: those without a programme' }),
  theme: many(z.union([z.literal(''), text(100)])).meta({ description: 'Empty: those without a theme' }),
  party: many(orNone(name)).meta({ description: 'Empty: those without a party' }),
  q: text(1_000).optional().meta({ description: 'Words, from their beginning, in id, title, description and themes' }),
  figure: z.enum(FIGURE_NAMES).optional().meta({ description: 'Exactly those that a figure of the summary counts' }),
  denominator: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'With figure: those that it is counted out of' }),
}

export const listParameters = z
  .strictObject({
    ...clockParameters,
    ...filters,
    sort,
    limit: pageLimit.optional(),
    cursor: z.string().max(10_000).optional().meta({ description: 'The next of the page before; pins all but limit' }),
  })
  .refine(({ figure, denominator }) => figure !== undefined || denominator === 'false', {
    path: ['denominator'],
    error: 'goes with figure',
  })
export type ListQuery = z.output<typeof listParameters>

function hasAny(wanted: readonly string[], values: readonly string[]): boolean {
  if (wanted.length === 0) return true
  return values.length === 0 ? wanted.includes('') : values.some((value) => wanted.includes(value))
}

/** Whether a query lists a commitment; the text search apart. */
export function isListed(query: ListQuery, { record, measured }: Listed): boolean {
  return (
    hasAny(query.lifecycle, [measured.lifecycle]) &&
    hasAny(query.schedule, [measured.schedule.current]) &&
    hasAny(query.scheduleOriginal, [measured.schedule.original]) &&
    hasAny(query.verification, [measured.verification]) &&
    hasAny(query.programme, record.programme === null ? [] : [record.programme]) &&
    hasAny(query.theme, record.themes) &&
    hasAny(query.party, record.parties) &&
    (query.figure === undefined ||
      counts(query.figure, query.denominator === 'true' ? 'denominator' : 'numerator', measured))
  )
}

type SortColumn = { values: (string | number | null)[]; sign: 1 | -1 }

function compareAt({ values, sign }: SortColumn, a: number, b: number): number {
  const x = values[a] ?? null
  const y = values[b] ?? null
  if (x === y) return 0
  if (x === null) return 1
  if (y === null) return -1
  return x < y ? -sign : sign
}

/** The list in the order asked for: nulls last whichever way, ties by id. */
export function sorted(listed: readonly Listed[], keys: ListQuery['sort']): Listed[] {
  const columns = [...keys, 'id' as const].map((key): SortColumn => {
    // Safe: the schema accepts these keys alone, with or without the sign.
    const value: SortValue = SORT_KEYS[key.replace(/^-/, '') as SortKey]
    return { values: listed.map(value), sign: key.startsWith('-') ? -1 : 1 }
  })
  const order = [...listed.keys()].sort((a, b) => {
    for (const column of columns) {
      const difference = compareAt(column, a, b)
      if (difference !== 0) return difference
    }
    return 0
  })
  return order.flatMap((index) => listed[index] ?? [])
}

const CURSOR_VERSION = 1
const cursorShape = z.strictObject({
  v: z.number(),
  register: z.string(),
  offset: z.int().min(0),
  query: z.record(z.string(), z.unknown()),
})

/** Where the next page goes on: the whole question, its clocks pinned, and how many items came before. */
export function writeCursor(register: string, query: ListQuery, asOf: string, size: number, offset: number): string {
  const { cursor: _, limit: __, minSize: ___, ...rest } = query
  const pinned = { v: CURSOR_VERSION, register, offset, query: { ...rest, asOf, knownAt: String(size) } }
  return Buffer.from(JSON.stringify(pinned)).toString('base64url')
}

function malformedCursor(detail: string): Problem {
  return new Problem('malformed', { detail: `parameter cursor: ${detail}`, errors: [{ pointer: '/cursor', detail }] })
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return null
  }
}

/** The question that a cursor pins and its offset. Other parameters beside it, but for limit, are refused. */
export function readCursor(
  register: string,
  query: ListQuery,
  given: readonly string[],
): { query: ListQuery; offset: number } {
  if (query.cursor === undefined) return { query, offset: 0 }
  const parsed = cursorShape.safeParse(decode(query.cursor))
  if (!parsed.success) throw malformedCursor('expected the next of a page of this list')
  if (parsed.data.v !== CURSOR_VERSION)
    throw new Problem('cursor-expired', { detail: 'start again from the first page' })
  const others = given.filter((key) => !['cursor', 'limit', 'minSize'].includes(key))
  const pinned = listParameters.safeParse(parsed.data.query)
  if (!pinned.success || parsed.data.register !== register) throw malformedCursor('it belongs to another list')
  // Clients that build on the first address repeat its parameters: the same values say nothing new.
  for (const key of others) {
    const name = key as keyof ListQuery
    if (JSON.stringify(query[name]) !== JSON.stringify(pinned.data[name])) {
      throw malformedCursor(`it pins ${key}; ask without ${key}, or without the cursor`)
    }
  }
  return { query: { ...pinned.data, limit: query.limit, minSize: query.minSize }, offset: parsed.data.offset }
}

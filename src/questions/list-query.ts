// What a list of commitments can be asked for: filters and order.

import { z } from 'zod'
import { LIFECYCLES, SCHEDULES, VERIFICATIONS } from '../domain/axes.ts'
import type { Measured } from '../domain/commitment/measure.ts'
import type { Membership } from '../domain/commitment/timeline.ts'
import { name, slug, text } from '../domain/fields.ts'
import { type Countable, counts, FIGURE_NAMES } from '../domain/figures.ts'
import type { Day } from '../kernel/plain-date.ts'
import type { CommitmentRow } from '../projections/commitments/project.ts'
import { many } from './parameters.ts'

/** A commitment of a list, with what the day decides. */
export type Listed = Membership & {
  id: string
  measured: Measured
  rebaselines: number
  forecastPushes: number
  /** There where the list is asked for something that only a whole state tells. */
  details: { title: string; revision: number; lastOn: Day; folded: CommitmentRow | null } | null
}

type SortValue = (listed: Listed) => string | number | null

const SORT_KEYS = {
  id: ({ id }) => id,
  title: ({ details }) => details?.title.toLowerCase() ?? null,
  programme: ({ programme }) => programme,
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
  stalenessDays: ({ measured, details }) =>
    details === null || measured.lifecycle === 'suspended' ? null : measured.asOf - details.lastOn,
  rebaselines: ({ rebaselines }) => rebaselines,
  forecastPushes: ({ forecastPushes }) => forecastPushes,
  revision: ({ details }) => details?.revision ?? null,
} as const satisfies Record<string, SortValue>

type SortKey = keyof typeof SORT_KEYS
const SORT_NAMES = Object.keys(SORT_KEYS) as SortKey[]
const SIGNED_SORT_NAMES = SORT_NAMES.flatMap((key) => [key, `-${key}` as const])

// The empty value stands for those that have none.
const orNone = <T extends z.ZodType>(item: T) => z.union([z.literal(''), item])

export const listSort = z
  .preprocess(
    (value) => [value].flat().flatMap((one) => (typeof one === 'string' ? one.split(',') : one)),
    z.array(z.enum(SIGNED_SORT_NAMES)).max(5),
  )
  .default(['id'])
  .meta({
    description: 'Keys with commas between them; - before a key sorts descending. Nulls come last, ties go by id',
  })

export const listFilters = {
  lifecycle: many(z.enum(LIFECYCLES)).meta({ description: 'Only commitments of these lifecycles' }),
  schedule: many(z.enum(SCHEDULES)).meta({
    description: 'Only commitments with these schedules against the current baseline',
  }),
  scheduleOriginal: many(z.enum(SCHEDULES)).meta({
    description: 'Only commitments with these schedules against the original baseline',
  }),
  verification: many(z.enum(VERIFICATIONS)).meta({ description: 'Only commitments with these verifications' }),
  programme: many(orNone(slug)).meta({ description: 'Only commitments of these programmes; empty: those without one' }),
  theme: many(z.union([z.literal(''), text(100)])).meta({
    description: 'Only commitments with one of these themes; empty: those without one',
  }),
  party: many(orNone(name)).meta({ description: 'Only commitments of one of these parties; empty: those without one' }),
  q: text(1_000)
    .optional()
    .meta({ description: 'Searches id, title, description and themes; each word matches from its beginning' }),
  figure: z
    .enum(FIGURE_NAMES)
    .optional()
    .meta({ description: 'Exactly the commitments that a figure of the summary counts' }),
  denominator: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'With figure: the commitments in its denominator' }),
}

/** The schema of a query, with `denominator` refused where there is no figure that it is of. */
export function withDenominator<T extends z.ZodType<{ figure?: unknown; denominator: string }>>(schema: T): T {
  return schema.refine(({ figure, denominator }) => figure !== undefined || denominator === 'false', {
    path: ['denominator'],
    error: 'goes with figure',
  })
}

export const listQuery = withDenominator(z.strictObject({ ...listFilters, sort: listSort }))
/** What a list is asked for; filters that are empty list everything. */
export type ListQuery = z.output<typeof listQuery>

function hasAny(wanted: readonly string[], values: readonly string[]): boolean {
  if (wanted.length === 0) return true
  return values.length === 0 ? wanted.includes('') : values.some((value) => wanted.includes(value))
}

/** Whether a query lists commitments of a status. */
export function isStatusListed(query: ListQuery, status: Countable): boolean {
  return (
    hasAny(query.lifecycle, [status.lifecycle]) &&
    hasAny(query.schedule, [status.schedule.current]) &&
    hasAny(query.scheduleOriginal, [status.schedule.original]) &&
    hasAny(query.verification, [status.verification]) &&
    (query.figure === undefined ||
      counts(query.figure, query.denominator === 'true' ? 'denominator' : 'numerator', status))
  )
}

/** Whether a query lists commitments of a membership. */
export function isMembershipListed(query: ListQuery, { programme, themes, parties }: Membership): boolean {
  return (
    hasAny(query.programme, programme === null ? [] : [programme]) &&
    hasAny(query.theme, themes) &&
    hasAny(query.party, parties)
  )
}

/** True where a query asks for something that only a commitment's whole state tells. */
export function needsDetails({ q, sort }: ListQuery): boolean {
  return q !== undefined || sort.some((key) => /^-?(?:title|revision|stalenessDays)$/.test(key))
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

/** Where a page begins: after an id in a list in order of id, after so many items in any other. */
export type ListPlace = { after: string } | { offset: number }

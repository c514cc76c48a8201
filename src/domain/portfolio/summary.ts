// The figures of a portfolio at (asOf, knownAt), computed from the tally of its commitments.

import { z } from 'zod'
import type { Day } from '../../kernel/plain-date.ts'
import { roundedRatio } from '../../kernel/ratio.ts'
import { earnedSchedule, type Plan } from './earned-schedule.ts'
import { FIGURE_NAMES, type FigureName } from './figure-names.ts'
import { counts } from './figures.ts'
import { Histogram } from './histogram.ts'
import type { Tally } from './tally.ts'

const nullable = z.number().nullable()
const list = z.string().meta({ description: 'Lists exactly what is counted' })

const figureAnswer = z
  .strictObject({ count: z.int(), of: z.int(), percent: nullable, list })
  .meta({ id: 'Figure', description: 'count of of; percent with one decimal, null where of is 0' })

const spreadAnswer = z
  .strictObject({ mean: nullable, median: nullable, p90: nullable, max: nullable, of: z.int(), list })
  .meta({ id: 'Spread', description: 'Days, positive is late, over those delivered or late' })

export const summaryFigures = {
  inScope: z.int(),
  delivered: figureAnswer,
  notDelivered: figureAnswer,
  late: figureAnswer,
  lateAgainstOriginal: figureAnswer,
  due: figureAnswer,
  missed: figureAnswer,
  verified: figureAnswer,
  disputed: figureAnswer,
  coverage: z
    .strictObject({ count: z.int(), of: z.number(), percent: nullable, list })
    .nullable()
    .meta({ description: 'In scope, of the scope that the programme reports; null where it reports none' }),
  baselineExecutionIndex: z.strictObject({ count: z.int(), of: z.int(), value: nullable, list }),
  slippageDays: z.strictObject({ original: spreadAnswer, current: spreadAnswer }),
  earnedSchedule: z.strictObject({
    count: z.int().meta({ description: 'Delivered, of those with an original due date' }),
    of: z.int(),
    earnedDays: nullable,
    actualDays: z.int().nullable(),
    varianceDays: nullable,
    spi: nullable,
    estimateAtCompletionDays: nullable,
    forecastFinish: z.string().nullable().meta({ description: 'Start and estimate together, rounded up to a day' }),
    list,
  }),
  excluded: z.strictObject({ withdrawn: z.int(), superseded: z.int(), redacted: z.int() }),
}
const summaryShape = z.strictObject(summaryFigures)
export type SummaryFigures = z.output<typeof summaryShape>

/** The address of the list that a figure counts. */
export type ListLink = (figure: FigureName) => string

type Counts = Record<FigureName, { numerator: number; denominator: number }>

type ByStatus = ReturnType<Tally['byStatus']>

type Spread = Omit<z.output<typeof spreadAnswer>, 'list'>

/** How many each figure counts, in its numerator and its denominator. */
function countFigures(statuses: ByStatus): Counts {
  // Safe: every name gets its value.
  const result = Object.fromEntries(FIGURE_NAMES.map((name) => [name, { numerator: 0, denominator: 0 }])) as Counts
  for (const [status, count] of statuses) {
    for (const name of FIGURE_NAMES) {
      if (counts(name, 'numerator', status)) result[name].numerator += count
      if (counts(name, 'denominator', status)) result[name].denominator += count
    }
  }
  return result
}

/** Mean (one decimal), median (mean of the middle two), p90 (nearest rank) and maximum of whole days; nulls over none. */
export function spread(days: Histogram): Spread {
  const { values, counts } = days.steps()
  let of = 0
  let sum = 0
  for (let index = 0; index < values.length; index += 1) {
    of += counts[index] as number
    sum += (values[index] as number) * (counts[index] as number)
  }
  if (of === 0) return { mean: null, median: null, p90: null, max: null, of }
  // Safe: these ranks are all below `of`.
  const [low, high, p90] = days.at([(of - 1) >> 1, of >> 1, Math.ceil((9 * of) / 10) - 1]) as [number, number, number]
  return { mean: roundedRatio(sum, of, 1), median: (low + high) / 2, p90, max: days.greatest(), of }
}

/** The slippages of a day: those that stand still, and those that grow by a day a day. */
function slippages(tally: Tally, against: 'Original' | 'Current', asOf: Day): Histogram {
  const still = tally.histogram(`slippage${against}`).steps()
  const growing = tally.histogram(`slippage${against}From`).steps()
  const ends = [still.values[0], still.values.at(-1), growing.values.at(-1), growing.values[0]]
  const days = ends.flatMap((end, index) => (end === undefined ? [] : [index < 2 ? end : asOf - end]))
  const all = days.length === 0 ? new Histogram() : new Histogram(Math.min(...days), Math.max(...days))
  for (let at = 0; at < still.values.length; at += 1) all.add(still.values[at] as number, still.counts[at] as number)
  for (let at = 0; at < growing.values.length; at += 1) {
    all.add(asOf - (growing.values[at] as Day), growing.counts[at] as number)
  }
  return all
}

function excluded(statuses: ByStatus): SummaryFigures['excluded'] {
  const result = { withdrawn: 0, superseded: 0, redacted: 0 }
  for (const [status, count] of statuses) {
    if (status.lifecycle === 'withdrawn') result.withdrawn += count
    if (status.lifecycle === 'superseded') result.superseded += count
    if (status.isRedacted) result.redacted += count
  }
  return result
}

function plan(tally: Tally, counted: Counts): Plan {
  const [due, made] = [tally.histogram('plannedDue'), tally.histogram('plannedMade')]
  return { due, made, delivered: counted.earnedSchedule.numerator }
}

/** The portfolio figures of a tally as of its day. `scope` is what the programme reports; null where it reports none. */
export function summarise(tally: Tally, asOf: Day, scope: number | null, link: ListLink): SummaryFigures {
  const statuses = tally.byStatus()
  const counted = countFigures(statuses)
  const inScope = counted.inScope.numerator
  const figure = (name: FigureName) => {
    const { numerator: count, denominator: of } = counted[name]
    return { count, of, percent: roundedRatio(100 * count, of, 1), list: link(name) }
  }
  const { numerator: kept, denominator: due } = counted.baselineExecutionIndex
  return {
    inScope,
    delivered: figure('delivered'),
    notDelivered: figure('notDelivered'),
    late: figure('late'),
    lateAgainstOriginal: figure('lateAgainstOriginal'),
    due: figure('due'),
    missed: figure('missed'),
    verified: figure('verified'),
    disputed: figure('disputed'),
    coverage: scope === null ? null : coverage(inScope, scope, link('coverage')),
    baselineExecutionIndex: {
      count: kept,
      of: due,
      value: roundedRatio(kept, due, 3),
      list: link('baselineExecutionIndex'),
    },
    slippageDays: {
      original: { ...spread(slippages(tally, 'Original', asOf)), list: link('slippageDays.original') },
      current: { ...spread(slippages(tally, 'Current', asOf)), list: link('slippageDays.current') },
    },
    earnedSchedule: {
      count: counted.earnedSchedule.numerator,
      of: counted.earnedSchedule.denominator,
      ...earnedSchedule(plan(tally, counted), asOf),
      list: link('earnedSchedule'),
    },
    excluded: excluded(statuses),
  }
}

function coverage(inScope: number, scope: number, link: string): NonNullable<SummaryFigures['coverage']> {
  // A reported scope is nearly always whole; where it is not, a double is as exact as the report.
  const percent = Number.isInteger(scope)
    ? roundedRatio(100 * inScope, scope, 1)
    : Math.round((1_000 * inScope) / scope) / 10
  return { count: inScope, of: scope, percent, list: link }
}

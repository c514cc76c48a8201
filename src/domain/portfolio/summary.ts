// The figures of a portfolio at (asOf, knownAt), computed from the tally of its commitments.

import { z } from 'zod'
import type { Day } from '../../kernel/plain-date.ts'
import { roundedRatio } from '../../kernel/ratio.ts'
import type { FigureName } from '../figure-names.ts'
import { earnedSchedule } from './earned-schedule.ts'
import { type FigureInputs, figureInputs } from './figure-inputs.ts'
import { spread } from './spread.ts'
import type { Tally } from './tally.ts'

const nullable = z.number().nullable()
const list = z.string().meta({ description: 'Address of the list of exactly the commitments that are counted' })

const figureAnswer = z
  .strictObject({ count: z.int(), of: z.int(), percent: nullable, list })
  .meta({ id: 'Figure', description: '`count` out of `of`. `percent` has one decimal, and is null if `of` is 0' })

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
  excluded: z.strictObject({
    withdrawn: z.int(),
    superseded: z.int(),
    redacted: z.int().meta({
      description:
        'Commitments in no count because their promise was redacted. Nobody can tell their programme, theme or party, ' +
        'so only the figures of a whole register count them',
    }),
  }),
}
const summaryShape = z.strictObject(summaryFigures)
export type SummaryFigures = z.output<typeof summaryShape>

/** The address of the list that a figure counts. */
export type ListLink = (figure: FigureName) => string

/** The portfolio figures of a tally as of its day. `scope` is what the programme reports; null where it reports none. */
export function summarise(tally: Tally, asOf: Day, scope: number | null, link: ListLink): SummaryFigures {
  return summariseInputs(figureInputs(tally), asOf, scope, link)
}

/**
 * The same of what a tally comes to, as of any day on which it stands. `redacted` is how many commitments are in no count since
 * their promise was erased.
 */
export function summariseInputs(
  inputs: FigureInputs,
  asOf: Day,
  scope: number | null,
  link: ListLink,
  redacted = 0,
): SummaryFigures {
  const { counts: counted, slippages, excluded, due: dueDays, made } = inputs
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
      original: { ...spread(slippages.original, asOf), list: link('slippageDays.original') },
      current: { ...spread(slippages.current, asOf), list: link('slippageDays.current') },
    },
    earnedSchedule: {
      count: counted.earnedSchedule.numerator,
      of: counted.earnedSchedule.denominator,
      ...earnedSchedule({ due: dueDays, made, delivered: counted.earnedSchedule.numerator }, asOf),
      list: link('earnedSchedule'),
    },
    excluded: { ...excluded, redacted },
  }
}

function coverage(inScope: number, scope: number, link: string): NonNullable<SummaryFigures['coverage']> {
  // A reported scope is nearly always whole; where it is not, a double is as exact as the report.
  const percent = Number.isInteger(scope)
    ? roundedRatio(100 * inScope, scope, 1)
    : Math.round((1_000 * inScope) / scope) / 10
  return { count: inScope, of: scope, percent, list: link }
}

// The figures of a portfolio at (asOf, knownAt), computed from the tally of its commitments.

import { z } from 'zod'
import type { Day } from '../../kernel/plain-date.ts'
import { roundedRatio } from '../../kernel/ratio.ts'
import { FIGURES, type FigureName, SHARE_NAMES, type ShareName } from '../figures.ts'
import { earnedSchedule } from './earned-schedule.ts'
import { type FigureInputs, figureInputs } from './figure-inputs.ts'
import { spread } from './spread.ts'
import type { Tally } from './tally.ts'

const nullable = z.number().nullable()
const list = z.string().meta({ description: 'Address of the list of exactly the commitments that are counted' })

const count = z.int().meta({ description: 'The numerator: how many commitments the figure counts' })
const of = z.int().meta({ description: 'The denominator: how many commitments it counts them among' })
const percent = nullable.meta({ description: '`count` of `of` in percent, with one decimal; null if `of` is 0' })

const figureAnswer = z
  .strictObject({ count, of, percent, list })
  .meta({ id: 'Figure', description: 'A part of the commitments in scope' })

const spreadAnswer = z
  .strictObject({
    mean: nullable.meta({ description: 'The mean, in days with one decimal; null over none' }),
    median: nullable.meta({ description: 'The middle value, or the mean of the middle two, in days; null over none' }),
    p90: nullable.meta({ description: 'The value at rank ceil(0.9 × n), in days; null over none' }),
    max: nullable.meta({ description: 'The largest value, in days; null over none' }),
    of: z.int().meta({ description: 'How many commitments are counted' }),
    list,
  })
  .meta({ id: 'Spread', description: 'Days, positive is late, over those delivered or late' })

const executionAnswer = z
  .strictObject({
    count,
    of,
    value: nullable.meta({ description: '`count` over `of`, with three decimals; null if `of` is 0' }),
    list,
  })
  .meta({ id: 'BaselineExecutionIndex', description: 'Delivered with a due date, over due' })

const slippageAnswer = z
  .strictObject({
    original: spreadAnswer.meta({ description: 'Against the original due dates' }),
    current: spreadAnswer.meta({ description: 'Against the current due dates' }),
  })
  .meta({ id: 'SlippageOfPortfolio', description: 'How many days the commitments are late' })

const ifEarned = 'null if no time has passed, or nothing is planned or earned'
const ifPlanned = 'null if no time has passed, or nothing is planned'
const earnedScheduleAnswer = z
  .strictObject({
    count: z.int().meta({ description: 'Delivered, of those with an original due date' }),
    of: z.int().meta({ description: 'How many commitments have an original due date' }),
    earnedDays: nullable.meta({
      description: `ES: days from the start until the plan reaches the count delivered, with one decimal; ${ifPlanned}`,
    }),
    actualDays: z
      .int()
      .nullable()
      .meta({ description: `AT: days from the start until the day; ${ifPlanned}` }),
    varianceDays: nullable.meta({
      description: `SV(t): ES less AT, in days with one decimal; negative is late; ${ifPlanned}`,
    }),
    spi: nullable.meta({ description: `SPI(t): ES over AT, with three decimals; ${ifPlanned}` }),
    estimateAtCompletionDays: nullable.meta({
      description: `IEAC(t): the planned duration over SPI(t), in days with one decimal; ${ifEarned}`,
    }),
    forecastFinish: z
      .string()
      .nullable()
      .meta({
        description: `The start and the estimate together, rounded up to a day, YYYY-MM-DD; ${ifEarned}`,
      }),
    list,
  })
  .meta({ id: 'EarnedSchedule', description: 'How far the portfolio is along its own plan' })

const excludedAnswer = z
  .strictObject({
    withdrawn: z.int().meta({ description: 'How many commitments are withdrawn' }),
    superseded: z.int().meta({ description: 'How many commitments are superseded' }),
    redacted: z.int().meta({
      description:
        'Commitments in no count because their promise was redacted. Nobody can tell their programme, theme or party, ' +
        'so only the figures of a whole register count them',
    }),
  })
  .meta({ id: 'Excluded', description: 'The commitments that no figure counts' })

/** What a function gives for each share, by its name. */
function byShare<Value>(give: (name: ShareName) => Value): Record<ShareName, Value> {
  // Safe: every share has its value.
  return Object.fromEntries(SHARE_NAMES.map((name) => [name, give(name)])) as Record<ShareName, Value>
}

export const summaryFigures = {
  inScope: z.int().meta({ description: 'How many commitments are neither withdrawn nor superseded' }),
  ...byShare((name) => figureAnswer.meta({ description: FIGURES[name].note })),
  coverage: z
    .strictObject({ count, of: z.number().meta({ description: 'The reported scope' }), percent, list })
    .nullable()
    .meta({ description: 'In scope, of the scope that the programme reports; null where it reports none' }),
  baselineExecutionIndex: executionAnswer,
  slippageDays: slippageAnswer,
  earnedSchedule: earnedScheduleAnswer,
  excluded: excludedAnswer,
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
  const share = (name: ShareName) => {
    const { numerator: count, denominator: of } = counted[name]
    return { count, of, percent: roundedRatio(100 * count, of, 1), list: link(name) }
  }
  const { numerator: kept, denominator: due } = counted.baselineExecutionIndex
  return {
    inScope,
    ...byShare(share),
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

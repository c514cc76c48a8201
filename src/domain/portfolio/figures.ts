// The figures of a portfolio, each defined once: whom it counts, and out of whom. The summary counts by these definitions
// and the lists behind its numbers filter by them, so that they cannot disagree.

import type { Day } from '../../kernel/plain-date.ts'
import type { FigureName } from './figure-names.ts'
import { baselineShiftDays, type SlippageDays, slippageDays, stalenessDays } from './slippage.ts'
import { type Schedule, type Standing, schedule } from './status.ts'

/** Where a commitment stands as of a day, with what the day decides. */
export type Measured = Standing & {
  asOf: Day
  schedule: { original: Schedule; current: Schedule }
  slippageDays: SlippageDays
  baselineShiftDays: number | null
  stalenessDays: number | null
}

/** Measures a standing as of a day. */
export function measure(standing: Standing, asOf: Day): Measured {
  return {
    ...standing,
    asOf,
    schedule: { original: schedule(standing, 'original', asOf), current: schedule(standing, 'current', asOf) },
    slippageDays: slippageDays(standing, asOf),
    baselineShiftDays: baselineShiftDays(standing),
    stalenessDays: stalenessDays(standing, asOf),
  }
}

type Test = (measured: Measured) => boolean

/** Known, and neither withdrawn nor superseded: what every figure is counted over. */
export const isInScope: Test = ({ lifecycle }) => lifecycle !== 'withdrawn' && lifecycle !== 'superseded'

const isDelivered: Test = ({ lifecycle }) => lifecycle === 'delivered'
// A commitment is due on its due day and late from the day after (DCMA 14-point assessment, checks 11 and 14).
const isDue: Test = ({ originalDueOn, asOf }) => originalDueOn !== null && originalDueOn <= asOf
const hasBaseline: Test = ({ originalDueOn }) => originalDueOn !== null
const keptBaseline: Test = ({ originalDueOn, finishedOn }) =>
  originalDueOn !== null && finishedOn !== null && finishedOn <= originalDueOn

/** Whose finish variance is known: delivered with a due date, or late against that same baseline. */
function hasSlipped(against: 'original' | 'current'): Test {
  return (measured) => hasBaseline(measured) && (isDelivered(measured) || measured.schedule[against] === 'late')
}

type Figure = { numerator: Test; denominator: Test }

/** Numerator and denominator of each figure, both over commitments in scope (design, section 3). */
const FIGURES: Record<FigureName, Figure> = {
  inScope: { numerator: () => true, denominator: () => true },
  delivered: { numerator: isDelivered, denominator: () => true },
  notDelivered: { numerator: ({ lifecycle }) => lifecycle === 'notDelivered', denominator: () => true },
  late: { numerator: ({ schedule }) => schedule.current === 'late', denominator: () => true },
  lateAgainstOriginal: { numerator: ({ schedule }) => schedule.original === 'late', denominator: () => true },
  due: { numerator: isDue, denominator: () => true },
  missed: { numerator: (measured) => isDue(measured) && !keptBaseline(measured), denominator: isDue },
  baselineExecutionIndex: {
    numerator: (measured) => isDelivered(measured) && hasBaseline(measured),
    denominator: isDue,
  },
  verified: { numerator: (m) => isDelivered(m) && m.verification === 'verified', denominator: isDelivered },
  disputed: { numerator: (m) => isDelivered(m) && m.verification === 'disputed', denominator: isDelivered },
  'slippageDays.original': { numerator: hasSlipped('original'), denominator: hasSlipped('original') },
  'slippageDays.current': { numerator: hasSlipped('current'), denominator: hasSlipped('current') },
  earnedSchedule: { numerator: (measured) => isDelivered(measured) && hasBaseline(measured), denominator: hasBaseline },
  coverage: { numerator: () => true, denominator: () => true },
}

/** Whether a figure counts a commitment, in its numerator or in its denominator. */
export function counts(figure: FigureName, part: keyof Figure, measured: Measured): boolean {
  return isInScope(measured) && FIGURES[figure][part](measured)
}

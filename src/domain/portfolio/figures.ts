// The figures of a portfolio, each defined once: whom it counts, and out of whom. The summary counts by these definitions
// and the lists behind its numbers filter by them, so that they cannot disagree.

import type { Day } from '../../kernel/plain-date.ts'
import { baselineShiftDays, type SlippageDays, slippageDays } from '../commitment/slippage.ts'
import { type StatusDates, schedule } from '../commitment/status.ts'
import type { Countable } from '../commitment/status-code.ts'
import type { FigureName } from '../figure-names.ts'

/** Where a commitment stands as of a day, with what the day decides. */
export type Measured = StatusDates &
  Countable & {
    asOf: Day
    slippageDays: SlippageDays
    baselineShiftDays: number | null
  }

/** Measures a commitment's status dates as of a day. */
export function measure(dates: StatusDates, asOf: Day): Measured {
  return {
    ...dates,
    asOf,
    schedule: { original: schedule(dates, 'original', asOf), current: schedule(dates, 'current', asOf) },
    hasDueDate: dates.originalDueOn !== null,
    // A commitment is due on its due day and late from the day after (DCMA 14-point assessment, checks 11 and 14).
    isDue: dates.originalDueOn !== null && dates.originalDueOn <= asOf,
    slippageDays: slippageDays(dates, asOf),
    baselineShiftDays: baselineShiftDays(dates),
  }
}

type Test = (status: Countable) => boolean

/** Known, and neither withdrawn nor superseded: what every figure is counted over. */
export const isInScope: Test = ({ lifecycle }) => lifecycle !== 'withdrawn' && lifecycle !== 'superseded'

const isDelivered: Test = ({ lifecycle }) => lifecycle === 'delivered'
const isDue: Test = (status) => status.isDue
const hasDueDate: Test = (status) => status.hasDueDate
const keptBaseline: Test = ({ schedule }) => schedule.original === 'deliveredOnTime'

/** Whose finish variance is known: delivered with a due date, or late against that same baseline. */
function hasSlipped(against: 'original' | 'current'): Test {
  return (status) => hasDueDate(status) && (isDelivered(status) || status.schedule[against] === 'late')
}

type Figure = { numerator: Test; denominator: Test }

/** Numerator and denominator of each figure, both over commitments in scope (docs/contract.md#figures). */
const FIGURES: Record<FigureName, Figure> = {
  inScope: { numerator: () => true, denominator: () => true },
  delivered: { numerator: isDelivered, denominator: () => true },
  notDelivered: { numerator: ({ lifecycle }) => lifecycle === 'notDelivered', denominator: () => true },
  late: { numerator: ({ schedule }) => schedule.current === 'late', denominator: () => true },
  lateAgainstOriginal: { numerator: ({ schedule }) => schedule.original === 'late', denominator: () => true },
  due: { numerator: isDue, denominator: () => true },
  missed: { numerator: (status) => isDue(status) && !keptBaseline(status), denominator: isDue },
  baselineExecutionIndex: {
    numerator: (status) => isDelivered(status) && hasDueDate(status),
    denominator: isDue,
  },
  verified: {
    numerator: (status) => isDelivered(status) && status.verification === 'verified',
    denominator: isDelivered,
  },
  disputed: {
    numerator: (status) => isDelivered(status) && status.verification === 'disputed',
    denominator: isDelivered,
  },
  'slippageDays.original': { numerator: hasSlipped('original'), denominator: hasSlipped('original') },
  'slippageDays.current': { numerator: hasSlipped('current'), denominator: hasSlipped('current') },
  earnedSchedule: { numerator: (status) => isDelivered(status) && hasDueDate(status), denominator: hasDueDate },
  coverage: { numerator: () => true, denominator: () => true },
}

/** Whether a figure counts a commitment, in its numerator or in its denominator. */
export function counts(figure: FigureName, part: keyof Figure, status: Countable): boolean {
  return isInScope(status) && FIGURES[figure][part](status)
}

// A commitment as measured on a day: its status dates, with what the day decides.

import type { Day } from '../../kernel/plain-date.ts'
import type { Countable } from '../figures.ts'
import { baselineShiftDays, type SlippageDays, slippageDays } from './slippage.ts'
import { type StatusDates, statusAt } from './status.ts'

export type Measured = StatusDates &
  Countable & {
    asOf: Day
    slippageDays: SlippageDays
    baselineShiftDays: number | null
  }

/** Measures a commitment's status dates as of a day. */
export function measure(dates: StatusDates, asOf: Day): Measured {
  return Object.assign(statusAt(dates, asOf), {
    asOf,
    slippageDays: slippageDays(dates, asOf),
    baselineShiftDays: baselineShiftDays(dates),
  })
}

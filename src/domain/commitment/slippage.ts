// Finish variances in days; positive is late.

import type { Day } from '../../kernel/plain-date.ts'
import { type CommitmentState, isClosed } from './state.ts'
import type { StatusDates } from './status.ts'

export type SlippageDays = { original: number | null; current: number | null }

/** The actual finish, or the day by which it can be finished at the earliest: nothing undelivered finishes before the status date. */
function finish(dates: StatusDates, dueOn: Day, asOf: Day): Day {
  return dates.finishedOn ?? Math.max(dates.forecastOn ?? dueOn, asOf)
}

/** Finish variance against both baselines, in days; null for closed commitments and those without a due date. */
export function slippageDays(dates: StatusDates, asOf: Day): SlippageDays {
  const { originalDueOn, currentDueOn } = dates
  if (isClosed(dates.lifecycle) || originalDueOn === null || currentDueOn === null) {
    return { original: null, current: null }
  }
  const finishOn = finish(dates, currentDueOn, asOf)
  return { original: finishOn - originalDueOn, current: finishOn - currentDueOn }
}

/** How far the current baseline lies after the original, in days; null without a due date. */
export function baselineShiftDays({ originalDueOn, currentDueOn }: StatusDates): number | null {
  return originalDueOn === null || currentDueOn === null ? null : currentDueOn - originalDueOn
}

/** Days since the latest fact in force; null while suspended. */
export function stalenessDays({ lifecycle, lastOn }: CommitmentState, asOf: Day): number | null {
  return lifecycle === 'suspended' ? null : asOf - lastOn
}

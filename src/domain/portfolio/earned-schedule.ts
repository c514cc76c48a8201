// Earned schedule: how far along its own plan a portfolio is, in time.

import { type Day, formatDay, LAST_DAY } from '../../kernel/plain-date.ts'
import { roundedFraction, roundedRatio } from '../../kernel/ratio.ts'
import type { Distribution } from './distribution.ts'

export type EarnedSchedule = {
  earnedDays: number | null
  actualDays: number | null
  varianceDays: number | null
  spi: number | null
  estimateAtCompletionDays: number | null
  /** The day on which the estimate ends: the forecast finish of the portfolio at its pace. */
  forecastFinish: string | null
}

const NO_EARNED_SCHEDULE: EarnedSchedule = {
  earnedDays: null,
  actualDays: null,
  varianceDays: null,
  spi: null,
  estimateAtCompletionDays: null,
  forecastFinish: null,
}

/** A plan by count: its due days and the days of its promises, over all that have an original due date. */
export type Plan = { due: Distribution; made: Distribution; delivered: number }

/**
 * The time at which the plan reaches the count delivered, as a fraction of whole numbers: days after the start. The plan
 * rises from 0 at the start, in straight lines between due days; what was due before the start is planned at the start.
 */
function earnedFraction({ due, delivered }: Plan, start: Day): { numerator: number; denominator: number } {
  const { values, upTo } = due
  const index = due.indexAt(delivered)
  if (index >= values.length) return { numerator: 0, denominator: 1 }
  const afterStart = (dueOn: Day) => Math.max(0, dueOn - start)
  const [day, reached] = index === 0 ? [0, 0] : [afterStart(values[index - 1] as Day), upTo[index - 1] as number]
  const count = (upTo[index] as number) - reached
  const next = afterStart(values[index] as Day)
  return { numerator: day * count + (next - day) * (delivered - reached), denominator: count }
}

/**
 * Earned schedule by count over commitments with an original baseline, after W. Lipke, "Schedule is Different" (2003)
 * and Earned Schedule (2009). ES is the time at which the planned value PV reaches the earned value EV. AT is the time
 * that has passed. SV(t) = ES - AT, SPI(t) = ES / AT, IEAC(t) = planned duration / SPI(t). The start is the earliest
 * promise; the forecast finish is the start and the IEAC(t) after it. Days have one decimal, the index has three.
 * Every field is null if no time has passed or nothing is planned; the estimate and the forecast also if nothing is
 * earned.
 */
export function earnedSchedule(plan: Plan, asOf: Day): EarnedSchedule {
  const start = plan.made.least
  if (start === null || asOf <= start) return NO_EARNED_SCHEDULE
  const actualDays = asOf - start
  const { numerator, denominator } = earnedFraction(plan, start)
  const passed = actualDays * denominator
  const duration = Math.max(0, (plan.due.greatest ?? start) - start)
  return {
    earnedDays: roundedRatio(numerator, denominator, 1),
    actualDays,
    varianceDays: roundedRatio(numerator - passed, denominator, 1),
    spi: roundedRatio(numerator, passed, 3),
    estimateAtCompletionDays: roundedFraction(BigInt(duration) * BigInt(passed), BigInt(numerator), 1),
    forecastFinish: finishDay(start, BigInt(duration) * BigInt(passed), BigInt(numerator)),
  }
}

/** The day on which the estimate ends, rounded up; null beyond the last day that can be written, or without an estimate. */
function finishDay(start: Day, numerator: bigint, denominator: bigint): string | null {
  if (denominator === 0n) return null
  const finish = BigInt(start) + (numerator + denominator - 1n) / denominator
  return finish > BigInt(LAST_DAY) ? null : formatDay(Number(finish))
}

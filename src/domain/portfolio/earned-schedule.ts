// Earned schedule: how far along its own plan a portfolio is, in time.

import type { Day } from '../../kernel/plain-date.ts'
import { roundedFraction } from '../../kernel/ratio.ts'

export type EarnedSchedule = {
  earnedDays: number | null
  actualDays: number | null
  varianceDays: number | null
  spi: number | null
  estimateAtCompletionDays: number | null
}

const NO_EARNED_SCHEDULE: EarnedSchedule = {
  earnedDays: null,
  actualDays: null,
  varianceDays: null,
  spi: null,
  estimateAtCompletionDays: null,
}

export type Planned = { madeOn: Day; originalDueOn: Day; isDelivered: boolean }

/**
 * The time at which the plan reaches the count delivered, as a fraction of whole numbers: days after the start. The plan
 * rises from 0 at the start, in straight lines between due days.
 */
function earnedFraction(dueDays: readonly number[], delivered: number): { numerator: bigint; denominator: bigint } {
  let day = 0
  let count = 0
  for (let index = 0; index < dueDays.length && count < delivered; ) {
    const next = dueDays[index] as number
    let reached = index
    while (reached < dueDays.length && dueDays[reached] === next) reached += 1
    if (delivered < reached) {
      const step = reached - count
      return { numerator: BigInt(day * step + (next - day) * (delivered - count)), denominator: BigInt(step) }
    }
    day = next
    count = reached
    index = reached
  }
  return { numerator: BigInt(day), denominator: 1n }
}

/**
 * Earned schedule by count over commitments with an original baseline, after W. Lipke, "Schedule is Different" (2003) and
 * Earned Schedule (2009): ES is the time at which the planned value PV reaches the earned value EV, AT the time that has
 * passed, SV(t) = ES - AT, SPI(t) = ES / AT, IEAC(t) = planned duration / SPI(t). Days with one decimal, the index with
 * three. Every field is null where no time has passed or nothing is planned; the estimate also where nothing is earned.
 */
export function earnedSchedule(planned: readonly Planned[], asOf: Day): EarnedSchedule {
  if (planned.length === 0) return NO_EARNED_SCHEDULE
  const start = planned.reduce((first, { madeOn }) => Math.min(first, madeOn), Number.POSITIVE_INFINITY)
  const actualDays = asOf - start
  if (actualDays <= 0) return NO_EARNED_SCHEDULE
  // A due day before the start is planned at the start.
  const dueDays = planned.map(({ originalDueOn }) => Math.max(0, originalDueOn - start)).sort((a, b) => a - b)
  const delivered = planned.filter(({ isDelivered }) => isDelivered).length
  const { numerator, denominator } = earnedFraction(dueDays, delivered)
  const passed = BigInt(actualDays) * denominator
  const duration = BigInt(dueDays.at(-1) as number)
  return {
    earnedDays: roundedFraction(numerator, denominator, 1),
    actualDays,
    varianceDays: roundedFraction(numerator - passed, denominator, 1),
    spi: roundedFraction(numerator, passed, 3),
    estimateAtCompletionDays: roundedFraction(duration * passed, numerator, 1),
  }
}

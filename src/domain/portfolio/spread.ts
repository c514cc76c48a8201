// Mean, median, 90th percentile and greatest of slippages: those that stand still, and those that grow by a day a day.

import type { Day } from '../../kernel/plain-date.ts'
import { roundedRatio } from '../../kernel/ratio.ts'
import { leastWhere } from '../../kernel/search.ts'
import type { Distribution } from './distribution.ts'

/** Slippages in days: fixed ones, and the days from which growing ones count. */
export type Slippages = { still: Distribution; growing: Distribution }

type Spread = { mean: number | null; median: number | null; p90: number | null; max: number | null; of: number }

/** Mean (one decimal), median (mean of the middle two), p90 (nearest rank) and maximum of whole days; nulls over none. */
export function spread({ still, growing }: Slippages, asOf: Day): Spread {
  const of = still.count + growing.count
  if (of === 0) return { mean: null, median: null, p90: null, max: null, of }
  const sum = still.sum + asOf * growing.count - growing.sum
  const low = atRank({ still, growing }, asOf, (of + 1) >> 1)
  const high = of % 2 === 1 ? low : atRank({ still, growing }, asOf, (of >> 1) + 1)
  const p90 = atRank({ still, growing }, asOf, Math.ceil((9 * of) / 10))
  return { mean: roundedRatio(sum, of, 1), median: (low + high) / 2, p90, max: ends({ still, growing }, asOf)[1], of }
}

/** Every slippage that there is, in days in ascending order, with how many commitments have it. */
export function slippageCounts({ still, growing }: Slippages, asOf: Day): { days: number; count: number }[] {
  const counts = new Map<number, number>()
  const add = (distribution: Distribution, daysOf: (value: number) => number) => {
    for (const { value, count } of distribution.counts()) {
      const days = daysOf(value)
      counts.set(days, (counts.get(days) ?? 0) + count)
    }
  }
  add(still, (days) => days)
  add(growing, (from) => asOf - from)
  return [...counts].map(([days, count]) => ({ days, count })).sort((a, b) => a.days - b.days)
}

/** The least and the greatest slippage, of which there is one. */
function ends({ still, growing }: Slippages, asOf: Day): [number, number] {
  const least = growing.greatest === null ? Number.POSITIVE_INFINITY : asOf - growing.greatest
  const greatest = growing.least === null ? Number.NEGATIVE_INFINITY : asOf - growing.least
  return [Math.min(still.least ?? least, least), Math.max(still.greatest ?? greatest, greatest)]
}

/** The slippage that stands at a rank (1 is the least), which is there. */
function atRank({ still, growing }: Slippages, asOf: Day, rank: number): number {
  const [least, greatest] = ends({ still, growing }, asOf)
  return leastWhere(least, greatest, (days) => {
    // One that grows has come to so many days at most where it counts from `asOf - days` or a later day.
    const count = still.countUpTo(days) + growing.count - growing.countUpTo(asOf - days - 1)
    return count >= rank
  })
}

// Slippages in bins, as they are drawn.

import type { SlippageAnswer } from '../../answers.ts'

type Counts = SlippageAnswer['original']['items']
/** Days above `from`, up to and with `to`. */
export type Bin = { from: number; to: number; original: number; current: number }

const WIDTHS = [1, 2, 7, 14, 30, 60, 90, 180, 365, 730, 1_825, 3_650]
const MOST_BINS = 28

/** Bins of equal width of which one ends at 0, so that none holds both what is on time and what is late. */
export function binsOf(original: Counts, current: Counts): Bin[] {
  const all = [...original, ...current].map(({ days }) => days)
  if (all.length === 0) return []
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)]
  const width = WIDTHS.find((days) => (high - low) / days <= MOST_BINS) ?? 36_500
  const binOf = (days: number) => Math.ceil(days / width)
  const first = binOf(low)
  const bins = Array.from({ length: binOf(high) - first + 1 }, (_, index): Bin => {
    const to = (first + index) * width
    return { from: to - width, to, original: 0, current: 0 }
  })
  for (const [against, counts] of [
    ['original', original],
    ['current', current],
  ] as const)
    for (const { days, count } of counts) {
      const bin = bins[binOf(days) - first]
      if (bin) bin[against] += count
    }
  return bins
}

// Whole numbers with a count of each, for questions about a tally day after day while it does not change. Ranks and
// counts up to a value are looked up, not added up.

import { leastWhere } from '../../kernel/search.ts'
import type { Histogram } from './histogram.ts'

export class Distribution {
  /** In ascending order. */
  readonly values: Int32Array
  /** How many there are up to and with each value. */
  readonly upTo: Int32Array
  readonly sum: number
  /** How many there are in all. */
  readonly count: number
  readonly least: number | null
  readonly greatest: number | null

  /** Of a finished histogram: no count in it is below zero. */
  constructor(histogram: Histogram) {
    const { values, counts } = histogram.steps()
    let total = 0
    let sum = 0
    for (let index = 0; index < values.length; index += 1) {
      total += counts[index] as number
      sum += (values[index] as number) * (counts[index] as number)
      // The counts are a copy of their own.
      counts[index] = total
    }
    // Copies of their own length: what is kept in memory should not hold the rest.
    this.values = values.slice()
    this.upTo = counts.slice()
    this.sum = sum
    this.count = total
    this.least = values[0] ?? null
    this.greatest = values[values.length - 1] ?? null
  }

  /** How many there are that are not greater than a value. */
  countUpTo(value: number): number {
    const index = lastUpTo(this.values, value)
    return index < 0 ? 0 : (this.upTo[index] as number)
  }

  /** Every value with how many there are of it, in ascending order. */
  counts(): { value: number; count: number }[] {
    return Array.from(this.values, (value, index) => ({
      value,
      count: (this.upTo[index] as number) - (this.upTo[index - 1] ?? 0),
    }))
  }

  /** The index of the value that stands at a rank (1 is the least); beyond the last where there are not so many. */
  indexAt(rank: number): number {
    return lastUpTo(this.upTo, rank - 1) + 1
  }

  /** How many bytes it takes in memory, about. */
  get bytes(): number {
    return this.values.byteLength + this.upTo.byteLength + 300
  }
}

/** The index of the last number that is not greater than another; -1 where there is none. */
function lastUpTo(numbers: Int32Array, limit: number): number {
  return leastWhere(0, numbers.length, (index) => (numbers[index] as number) > limit) - 1
}

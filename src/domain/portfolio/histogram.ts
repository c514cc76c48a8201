// How many of each whole number of days there are: what exact medians and the earned schedule are computed from. Counts
// may be negative while changes are being added up; a finished histogram has none below zero.

const FIRST_SPAN = 1_024

export class Histogram {
  /** The value of the first count. */
  #low: number
  #counts: Int32Array<ArrayBuffer>
  /** The indexes between which counts have changed. */
  #first = Number.POSITIVE_INFINITY
  #last = -1

  /** With a span from `low` to `high` to begin with, where these are known. */
  constructor(low = 0, high = -1) {
    this.#low = low
    this.#counts = new Int32Array(Math.max(0, high - low + 1))
  }

  /** Adds `change` to the count of `value`; the span grows as it must, to twice the span at a time. */
  add(value: number, change: number): void {
    let index = value - this.#low
    if (index < 0 || index >= this.#counts.length) {
      this.#grow(value)
      index = value - this.#low
    }
    if (index < this.#first) this.#first = index
    if (index > this.#last) this.#last = index
    this.#counts[index] = (this.#counts[index] as number) + change
  }

  #grow(value: number): void {
    const [low, counts] = [this.#low, this.#counts]
    if (counts.length === 0) {
      this.#low = value - FIRST_SPAN / 2
      this.#counts = new Int32Array(FIRST_SPAN)
      return
    }
    const high = low + counts.length
    const added = Math.max(counts.length, value < low ? low - value : value - high + 1)
    const grown = new Int32Array(counts.length + added)
    const shift = value < low ? added : 0
    grown.set(counts, shift)
    this.#low = low - shift
    this.#first += shift
    this.#last += shift
    this.#counts = grown
  }

  /** The values that there are, in ascending order, with their counts. */
  steps(): { values: Int32Array; counts: Int32Array } {
    // Not by a callback or a generator: this is the inner loop of every summary.
    const size = Math.max(0, this.#last - this.#first + 1)
    const values = new Int32Array(size)
    const counts = new Int32Array(size)
    let length = 0
    for (let index = this.#first; index <= this.#last; index += 1) {
      const count = this.#counts[index] as number
      if (count === 0) continue
      values[length] = this.#low + index
      counts[length] = count
      length += 1
    }
    return { values: values.subarray(0, length), counts: counts.subarray(0, length) }
  }

  /** The largest value; null where there is none. */
  greatest(): number | null {
    for (let index = this.#last; index >= this.#first; index -= 1) {
      if (this.#counts[index] !== 0) return this.#low + index
    }
    return null
  }

  /** The values that stand at some ranks (0 is the least), which are given in ascending order and all there. */
  at(ranks: readonly number[]): number[] {
    const values: number[] = []
    let passed = 0
    for (let index = this.#first; values.length < ranks.length && index <= this.#last; index += 1) {
      passed += this.#counts[index] as number
      while (values.length < ranks.length && (ranks[values.length] as number) < passed) values.push(this.#low + index)
    }
    return values
  }

  /** The smallest value; null where there is none. */
  least(): number | null {
    for (let index = this.#first; index <= this.#last; index += 1) {
      if (this.#counts[index] !== 0) return this.#low + index
    }
    return null
  }
}

// A tally: how many commitments stand how, with the numbers that the portfolio figures are computed from. Tallies add up:
// the tally of a day is the sum of all changes up to that day, so a summary costs changes and not commitments.

import type { Day } from '../../kernel/plain-date.ts'
import type { Measured } from '../commitment/measure.ts'
import type { StatusDates } from '../commitment/status.ts'
import { CODES, decodeStatus, encodeStatus } from '../commitment/status-code.ts'
import { type Countable, isInScope } from '../figures.ts'
import { Histogram } from './histogram.ts'

/** What is counted: `status` by code, the rest by days. A growing slippage is `asOf` less the day that it counts from. */
const MEASURES = [
  'status',
  'slippageOriginal',
  'slippageOriginalFrom',
  'slippageCurrent',
  'slippageCurrentFrom',
  'plannedDue',
  'plannedMade',
] as const
type Measure = (typeof MEASURES)[number]

/** One count of a tally as one whole number below 2^31: which measure, and which value of it. */
export type TallyKey = number

// The measure stands above 24 bits of the value; days and differences of days lie between -2^23 and 2^23.
const VALUE_BITS = 24
const VALUE_MASK = 2 ** VALUE_BITS - 1
const ZERO = 2 ** 23

function keyOf(measure: Measure, value: number): TallyKey {
  return (MEASURES.indexOf(measure) << VALUE_BITS) | (value + ZERO)
}

/** True for counts of statuses: all that the counted figures need; the others serve slippage and earned schedule. */
export function isStatusKey(key: TallyKey): boolean {
  return key <= VALUE_MASK
}

export class Tally {
  readonly statuses = new Int32Array(CODES)
  readonly days = MEASURES.map(() => new Histogram())

  /** Adds a change of one count. */
  add(key: TallyKey, change: number): void {
    const value = (key & VALUE_MASK) - ZERO
    const measure = key >>> VALUE_BITS
    if (measure === 0) this.statuses[value] = (this.statuses[value] as number) + change
    else (this.days[measure] as Histogram).add(value, change)
  }

  histogram(measure: Exclude<Measure, 'status'>): Histogram {
    return this.days[MEASURES.indexOf(measure)] as Histogram
  }

  /** Adds another tally, of other commitments, to this one. */
  plus(other: Tally): this {
    for (const [code, count] of other.statuses.entries()) this.statuses[code] = (this.statuses[code] as number) + count
    for (const [index, histogram] of other.days.entries()) {
      const { values, counts } = histogram.steps()
      for (const [at, value] of values.entries()) (this.days[index] as Histogram).add(value, counts[at] as number)
    }
    return this
  }

  /** Codes of statuses with how many stand so. */
  byCode(): [code: number, count: number][] {
    const found: [number, number][] = []
    for (let code = 0; code < CODES; code += 1) {
      const count = this.statuses[code] as number
      if (count !== 0) found.push([code, count])
    }
    return found
  }

  /** True where no commitment is counted at all, in scope or not. */
  isEmpty(): boolean {
    return this.statuses.every((count) => count === 0)
  }
}

type Slip = { key: TallyKey; until: Day | null; growing: TallyKey | null }

/**
 * How a slippage against a baseline counts. Undelivered, it stays what the forecast (or the current due day) makes it until
 * that day has passed, and grows from then on: finish = max(f ?? dk, T).
 */
function slip(dates: StatusDates, against: 'original' | 'current', status: Countable): Slip | null {
  const { originalDueOn, currentDueOn, finishedOn, forecastOn } = dates
  const dueOn = against === 'original' ? originalDueOn : currentDueOn
  if (dueOn === null || currentDueOn === null) return null
  const [fixed, growing] =
    against === 'original'
      ? (['slippageOriginal', 'slippageOriginalFrom'] as const)
      : (['slippageCurrent', 'slippageCurrentFrom'] as const)
  if (finishedOn !== null) return { key: keyOf(fixed, finishedOn - dueOn), until: null, growing: null }
  if (status.schedule[against] !== 'late') return null
  const expectedOn = forecastOn ?? currentDueOn
  return { key: keyOf(fixed, expectedOn - dueOn), until: expectedOn, growing: keyOf(growing, dueOn) }
}

/** Calls `count` for everything that these dates with this status count for on the days from `from` to before `to` (null: for ever). */
export function countStatus(
  dates: StatusDates,
  code: number,
  from: Day,
  to: Day | null,
  count: (key: TallyKey, from: Day, to: Day | null) => void,
): void {
  const status = decodeStatus(code)
  count(keyOf('status', code), from, to)
  if (!isInScope(status) || dates.originalDueOn === null) return
  count(keyOf('plannedDue', dates.originalDueOn), from, to)
  count(keyOf('plannedMade', dates.madeOn), from, to)
  for (const against of ['original', 'current'] as const) {
    const slipped = slip(dates, against, status)
    if (!slipped) continue
    const grows = slipped.until === null ? null : slipped.until + 1
    if (grows === null || (to !== null && grows >= to)) count(slipped.key, from, to)
    else if (grows <= from) count(slipped.growing as TallyKey, from, to)
    else {
      count(slipped.key, from, grows)
      count(slipped.growing as TallyKey, grows, to)
    }
  }
}

/** The tally of some commitments as measured on a day. */
export function tallyOf(members: readonly Measured[]): Tally {
  const tally = new Tally()
  for (const member of members) {
    countStatus(member, encodeStatus(member), member.asOf, member.asOf + 1, (key, from) => {
      if (from === member.asOf) tally.add(key, 1)
    })
  }
  return tally
}

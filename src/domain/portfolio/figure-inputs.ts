// What a tally comes to, prepared so that the figures of any day on which it stands take few steps: until the next change only
// the day itself moves.

import { decodeStatus } from '../commitment/status-code.ts'
import { counts, FIGURE_NAMES, type FigureName } from '../figures.ts'
import { Distribution } from './distribution.ts'
import type { Slippages } from './spread.ts'
import type { Tally } from './tally.ts'

type Counts = Record<FigureName, { numerator: number; denominator: number }>

export type FigureInputs = {
  /** No commitment is counted at all, in scope or not. */
  isEmpty: boolean
  counts: Counts
  excluded: { withdrawn: number; superseded: number }
  slippages: { original: Slippages; current: Slippages }
  /** Of all that have an original due day: these days, and those of the promises. */
  due: Distribution
  made: Distribution
}

/** The figures that count a status, by their place among the names; worked out once for each code. */
type Counting = { numerators: number[]; denominators: number[] }

const countings: (Counting | undefined)[] = []

function countingOf(code: number): Counting {
  const status = decodeStatus(code)
  const where = (part: 'numerator' | 'denominator') =>
    FIGURE_NAMES.flatMap((name, index) => (counts(name, part, status) ? [index] : []))
  countings[code] ??= { numerators: where('numerator'), denominators: where('denominator') }
  return countings[code]
}

/** How many each figure counts, in its numerator and its denominator. */
function countFigures(codes: readonly [code: number, count: number][]): Counts {
  const numerators = FIGURE_NAMES.map(() => 0)
  const denominators = FIGURE_NAMES.map(() => 0)
  for (const [code, count] of codes) {
    const counting = countings[code] ?? countingOf(code)
    for (const index of counting.numerators) numerators[index] = (numerators[index] as number) + count
    for (const index of counting.denominators) denominators[index] = (denominators[index] as number) + count
  }
  const counted = FIGURE_NAMES.map((name, index) => [
    name,
    { numerator: numerators[index], denominator: denominators[index] },
  ])
  // Safe: every name has its value.
  return Object.fromEntries(counted) as Counts
}

function excluded(codes: readonly [code: number, count: number][]): FigureInputs['excluded'] {
  const result = { withdrawn: 0, superseded: 0 }
  for (const [code, count] of codes) {
    const { lifecycle } = decodeStatus(code)
    if (lifecycle === 'withdrawn') result.withdrawn += count
    if (lifecycle === 'superseded') result.superseded += count
  }
  return result
}

/** What a tally comes to; it may change afterwards. */
export function figureInputs(tally: Tally): FigureInputs {
  const codes = tally.byCode()
  const of = (measure: Parameters<Tally['histogram']>[0]) => new Distribution(tally.histogram(measure))
  return {
    isEmpty: codes.length === 0,
    counts: countFigures(codes),
    excluded: excluded(codes),
    slippages: {
      original: { still: of('slippageOriginal'), growing: of('slippageOriginalFrom') },
      current: { still: of('slippageCurrent'), growing: of('slippageCurrentFrom') },
    },
    due: of('plannedDue'),
    made: of('plannedMade'),
  }
}

/** True where no commitment is counted at all, in scope or not. */
export function isEmpty({ isEmpty }: FigureInputs): boolean {
  return isEmpty
}

/** How many bytes it takes in memory, about. */
export function bytesOf({ slippages: { original, current }, due, made }: FigureInputs): number {
  const all = [original.still, original.growing, current.still, current.growing, due, made]
  return all.reduce((sum, distribution) => sum + distribution.bytes, 2_000)
}

// The figures before and after, with what lies between them.

import type { DifferenceAnswer } from '../../answers.ts'
import { formatIndex, formatNumber, formatPercent, formatSigned } from '../../format.ts'
import { address } from '../../location.ts'
import { Link } from '../../parts/link.tsx'
import { listPath, pathOf } from '../../route.ts'
import { FIGURE_WORDS, SHARES, shell, changes as words } from '../../strings.ts'

type Figures = DifferenceAnswer['figures']['before']

/** One figure at one size: its number, its share where it is one, and the list that it counts. */
type Value = { number: number | null; percent?: number | null; list: string }
type Row = {
  key: string
  unit?: 'days' | 'index'
  of: (figures: Figures, listOf: (figure: string) => string) => Value | null
}

const ROWS: readonly Row[] = [
  { key: 'inScope', of: ({ inScope }, listOf) => ({ number: inScope, list: listOf('inScope') }) },
  ...SHARES.map((key) => ({
    key,
    of: (figures: Figures) => ({
      number: figures[key].count,
      percent: figures[key].percent,
      list: listPath(figures[key].list),
    }),
  })),
  {
    key: 'coverage',
    of: ({ coverage }) =>
      coverage && { number: coverage.count, percent: coverage.percent, list: listPath(coverage.list) },
  },
  {
    key: 'baselineExecutionIndex',
    unit: 'index',
    of: ({ baselineExecutionIndex: { value, list } }) => ({ number: value, list: listPath(list) }),
  },
  ...(['original', 'current'] as const).map((key) => ({
    key: `slippageDays.${key}`,
    unit: 'days' as const,
    of: ({ slippageDays }: Figures) => ({ number: slippageDays[key].mean, list: listPath(slippageDays[key].list) }),
  })),
  {
    key: 'earnedSchedule',
    unit: 'index',
    of: ({ earnedSchedule: { spi, list } }) => ({ number: spi, list: listPath(list) }),
  },
]

/** One number less another, without the dust of binary fractions; the answers have three decimals at most. */
function less(a: number | null | undefined, b: number | null | undefined): number | null {
  return typeof a === 'number' && typeof b === 'number' ? Math.round((a - b) * 1_000) / 1_000 : null
}

function Cell({ of, unit }: { of: Value | null; unit: Row['unit'] }) {
  if (!of || of.number === null)
    return (
      <td class="number">
        {shell.none}
        <small />
      </td>
    )
  return (
    <td class="number">
      <Link href={of.list}>{unit === 'index' ? formatIndex(of.number) : formatNumber(of.number)}</Link>
      <small>{typeof of.percent === 'number' && formatPercent(of.percent)}</small>
    </td>
  )
}

function isSame(before: Value | null, after: Value | null): boolean {
  return before?.number === after?.number && before?.percent === after?.percent
}

function Difference({ before, after }: { before: Value | null; after: Value | null }) {
  if (isSame(before, after)) return <td class="number">{words.same}</td>
  const number = less(after?.number, before?.number)
  const points = less(after?.percent, before?.percent)
  return (
    <td class="number">
      <strong>{number === null ? shell.none : formatSigned(number)}</strong>
      <small>{points !== null && words.points(formatSigned(points))}</small>
    </td>
  )
}

type Line = Pick<Row, 'key' | 'unit'> & { was: Value | null; is: Value | null }

function Table({ of, lines }: { of: DifferenceAnswer; lines: readonly Line[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard
    <section class="scroller" tabIndex={0} aria-label={words.figure}>
      <table class="changes-figures">
        <thead>
          <tr>
            <th scope="col">{words.figure}</th>
            <th scope="col" class="number">
              {words.at(of.from.size)}
            </th>
            <th scope="col" class="number">
              {words.at(of.to.size)}
            </th>
            <th scope="col" class="number">
              {words.difference}
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ key, unit, was, is }) => (
            <tr key={key}>
              <th scope="row">
                {FIGURE_WORDS[key] ?? key}
                {unit === 'days' && <span class="id"> {words.meanDays}</span>}
              </th>
              <Cell of={was} unit={unit} />
              <Cell of={is} unit={unit} />
              <Difference before={was} after={is} />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** What changed first; what did not is there to be looked up. */
export function FigureTable({ register, of }: { register: string; of: DifferenceAnswer }) {
  const { before, after } = of.figures
  const listAt = (knownAt: number) => (figure: string) =>
    address(pathOf(register, 'commitments'), { figure, asOf: of.asOf, knownAt })
  const lines = ROWS.map(({ key, unit, of: valueAt }): Line => {
    return { key, unit, was: valueAt(before, listAt(of.from.size)), is: valueAt(after, listAt(of.to.size)) }
  }).filter(({ was, is }) => was !== null || is !== null)
  const changed = lines.filter(({ was, is }) => !isSame(was, is))
  const same = lines.filter(({ was, is }) => isSame(was, is))
  return (
    <>
      {changed.length > 0 && <Table of={of} lines={changed} />}
      {same.length > 0 && (
        <details class="unchanged">
          <summary>{words.unchanged(same.length)}</summary>
          <Table of={of} lines={same} />
        </details>
      )}
    </>
  )
}

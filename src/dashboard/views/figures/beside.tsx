// The reported number and the register's own beside each other, in figures and as bars on one scale.

import type { ReportedFigureAnswer } from '../../answers.ts'
import { formatIndex, formatNumber, formatPercent, formatSigned } from '../../format.ts'
import { Link } from '../../parts/link.tsx'
import { listPath } from '../../route.ts'
import { FIGURE_WORDS, shell, figures as words } from '../../strings.ts'

type Computed = NonNullable<ReportedFigureAnswer['computed']>

/** What a figure's number is a number of: of things that are counted, of days, or an index. */
function unitOf({ figure, of }: Pick<ReportedFigureAnswer, 'figure' | 'of'>): 'count' | 'days' | 'index' {
  if (figure === 'earnedSchedule' || (figure === 'baselineExecutionIndex' && of === null)) return 'index'
  return figure?.startsWith('slippageDays') ? 'days' : 'count'
}

function Reported({ of }: { of: ReportedFigureAnswer }) {
  const unit = unitOf(of)
  return (
    <div>
      <dt>{words.reported}</dt>
      <dd>
        {of.approximate && <small>{words.approximately} </small>}
        {formatNumber(of.value)} {of.of !== null && <small>{words.of(of.of)}</small>}
        {unit !== 'count' && <small>{words[unit]}</small>}
      </dd>
      {of.statedPercent !== null && <dd class="under">{words.stated(formatStated(of.statedPercent))}</dd>}
    </div>
  )
}

/** A percentage as it was stated, with as many decimals. */
function formatStated(percent: number): string {
  return `${formatNumber(percent)}\u00a0%`
}

function Own({ of, unit }: { of: Computed; unit: ReturnType<typeof unitOf> }) {
  const { value, percent, count } = of
  const hasWhole = unit === 'count' && of.of !== null && of.figure !== 'inScope'
  return (
    <div>
      <dt>{words.own}</dt>
      <dd>
        {value === null ? shell.none : unit === 'index' ? formatIndex(value) : formatNumber(value)}{' '}
        {hasWhole && <small>{words.of(of.of ?? 0)}</small>}
        {unit !== 'count' && <small>{words[unit]}</small>}
      </dd>
      <dd class="under">
        {percent !== null && `${formatPercent(percent)} · `}
        <Link href={listPath(of.list)}>
          {count === null ? (FIGURE_WORDS[of.figure] ?? of.figure) : words.list(count)}
        </Link>
      </dd>
    </div>
  )
}

function Difference({ of }: { of: Computed }) {
  const { difference, differencePercentagePoints: points } = of
  return (
    <div>
      <dt>{words.difference}</dt>
      <dd>{difference === null ? shell.none : difference === 0 ? words.same : formatSigned(difference)}</dd>
      <dd class="under">
        {difference === null && words.notComputed}
        {points !== null && words.points(formatSigned(points))}
      </dd>
    </div>
  )
}

/** How long the bars are, out of what the larger whole comes to; none where there is nothing to draw. */
function scaleOf({ value, of, computed }: ReportedFigureAnswer): number | null {
  const numbers = [
    value,
    of,
    computed?.value,
    unitOf({ figure: computed?.figure ?? null, of }) === 'count' ? computed?.of : null,
  ]
  const largest = Math.max(...numbers.filter((one) => typeof one === 'number'))
  return computed?.value === null || value < 0 || (computed?.value ?? 0) < 0 || largest <= 0 ? null : largest
}

function Bars({ of }: { of: ReportedFigureAnswer }) {
  const scale = scaleOf(of)
  if (scale === null || !of.computed) return null
  const width = (value: number | null) => String((100 * (value ?? 0)) / scale)
  return (
    <svg class="beside-bars" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
      <rect class="whole" width={width(of.of ?? of.value)} height="5" />
      <rect class="reported" width={width(of.value)} height="5" />
      <rect class="whole" y="7" width={width(of.computed.of)} height="5" />
      <rect class="own" y="7" width={width(of.computed.value)} height="5" />
    </svg>
  )
}

function Coverage({ of }: { of: ReportedFigureAnswer }) {
  const { coverage, computed } = of
  if (!coverage) return null
  return (
    <p class="coverage">
      <Link href={listPath(coverage.list)}>{words.coverage(coverage.count, coverage.of)}</Link>
      {` (${formatPercent(coverage.percent)})`}
      {computed && coverage.count < coverage.of ? `; ${words.partial}` : '.'}
    </p>
  )
}

export function Beside({ of }: { of: ReportedFigureAnswer }) {
  const { computed } = of
  return (
    <>
      <dl class="beside">
        <Reported of={of} />
        {computed && <Own of={computed} unit={unitOf(of)} />}
        {computed && <Difference of={computed} />}
        {!computed && (
          <div class="uncompared">
            <dt>{words.own}</dt>
            <dd class="under">{words.unnamed}</dd>
          </div>
        )}
      </dl>
      <Bars of={of} />
      <Coverage of={of} />
    </>
  )
}

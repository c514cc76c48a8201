// The reported number and the register's own beside each other, in figures and as bars on one scale.

import type { ReportedFigureAnswer } from '../../answers.ts'
import { formatIndex, formatNumber, formatPercent, formatSigned } from '../../format.ts'
import { Link } from '../../parts/link.tsx'
import { listPath } from '../../route.ts'
import { FIGURE_KINDS, FIGURE_WORDS, shell, figures as words } from '../../strings.ts'

type Computed = NonNullable<ReportedFigureAnswer['computed']>

type Unit = 'count' | 'days' | 'index'

/** What a figure's number is a number of: of things that are counted, of days, or an index. */
function unitOf({ figure, of }: Pick<ReportedFigureAnswer, 'figure' | 'of'>): Unit {
  const kind = FIGURE_KINDS[figure ?? '']
  if (kind === 'earnedSchedule' || (kind === 'index' && of === null)) return 'index'
  return kind === 'spread' ? 'days' : 'count'
}

/** What both bars are drawn to: the largest number in either; null where there is nothing to draw. */
function scaleOf({ value, of, computed }: ReportedFigureAnswer, unit: Unit): number | null {
  if (!computed || computed.value === null || value < 0 || computed.value < 0) return null
  // Of days and indices no number is a part of another.
  const wholes = unit === 'count' ? [of, computed.of] : []
  const largest = Math.max(value, computed.value, ...wholes.filter((whole) => whole !== null))
  return largest > 0 ? largest : null
}

type BarProps = { value: number | null; whole: number | null; scale: number | null; class: string }

function Bar({ value, whole, scale, class: name }: BarProps) {
  if (scale === null) return null
  const width = (part: number | null) => String((100 * (part ?? 0)) / scale)
  return (
    <dd class="beside-bar">
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <rect class="whole" width={width(whole)} height="6" />
        <rect class={name} width={width(value)} height="6" />
      </svg>
    </dd>
  )
}

type NumberProps<T> = { of: T; unit: Unit; scale: number | null }

function Reported({ of, unit, scale }: NumberProps<ReportedFigureAnswer>) {
  return (
    <div>
      <dt>{words.reported}</dt>
      <dd>
        {of.approximate && <small>{words.approximately} </small>}
        {formatNumber(of.value)} {of.of !== null && <small>{words.of(of.of)}</small>}
        {unit !== 'count' && <small>{words[unit]}</small>}
      </dd>
      <Bar value={of.value} whole={unit === 'count' ? of.of : null} scale={scale} class="reported" />
      {of.statedPercent !== null && <dd class="under">{words.stated(formatStated(of.statedPercent))}</dd>}
    </div>
  )
}

/** A percentage as it was stated, with as many decimals. */
function formatStated(percent: number): string {
  return `${formatNumber(percent)}\u00a0%`
}

function Own({ of, unit, scale }: NumberProps<Computed>) {
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
      <Bar value={value} whole={hasWhole ? of.of : null} scale={scale} class="own" />
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
        {points !== null && words.points(points)}
      </dd>
    </div>
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
  const unit = unitOf(of)
  const scale = scaleOf(of, unit)
  return (
    <div>
      <dl class="beside">
        <Reported of={of} unit={unit} scale={scale} />
        {computed && <Own of={computed} unit={unit} scale={scale} />}
        {computed && <Difference of={computed} />}
        {!computed && (
          <div class="uncompared">
            <dt>{words.own}</dt>
            <dd class="under">{words.unnamed}</dd>
          </div>
        )}
      </dl>
      <Coverage of={of} />
    </div>
  )
}

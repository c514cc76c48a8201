// A commitment through time, drawn: its status and verification as bands, due dates, forecasts, milestones and events below.

import type { CommitmentAnswer, PeriodAnswer } from '../../answers.ts'
import { useWidth } from '../../charts/use-width.ts'
import { dayMs, formatDate, formatDay, isoDay, monthMs } from '../../format.ts'
import { lifecycleTone, scheduleTone, type Tone, verificationTone } from '../../parts/status.tsx'
import { EVENT_WORDS, LIFECYCLE_WORDS, SCHEDULE_WORDS, VERIFICATION_WORDS, commitment as words } from '../../strings.ts'
import { boundsOf } from './days.ts'
import type { linesOf } from './history.tsx'

type Lines = ReturnType<typeof linesOf>

const DAY_MS = 86_400_000
const LABEL_PX = 18
const BAND_PX = 24
const MARK_PX = 18
const GAP_PX = 10
const TICK_PX = 24
const CHAR_PX = 6.6

/** A stretch of days with a word; a mark is one of a single day. */
type Stretch = { from: number; to: number; tone: Tone; word: string; isOpen?: boolean; title: string }
type Row = { word: string; isBand: boolean; stretches: Stretch[] }

function statusOf({ lifecycle, schedule }: PeriodAnswer): { word: string; tone: Tone } {
  const isPlain = ['closed', 'noDueDate'].includes(schedule.current)
  if (lifecycle === 'delivered' && !isPlain)
    return { word: SCHEDULE_WORDS[schedule.current], tone: scheduleTone(schedule.current) }
  if (isPlain || lifecycle === 'suspended') return { word: LIFECYCLE_WORDS[lifecycle], tone: lifecycleTone(lifecycle) }
  const word = `${LIFECYCLE_WORDS[lifecycle]}, ${SCHEDULE_WORDS[schedule.current].toLowerCase()}`
  return { word, tone: scheduleTone(schedule.current) }
}

/** Joins neighbours that say the same of this row. */
function bands(
  periods: readonly PeriodAnswer[],
  end: number,
  say: (period: PeriodAnswer) => { word: string; tone: Tone; isOpen?: boolean } | null,
): Stretch[] {
  const all: Stretch[] = []
  for (const period of periods) {
    const said = say(period)
    const to = period.to === null ? end : Math.min(dayMs(period.to), end)
    const last = all.at(-1)
    if (!said) continue
    if (last && last.word === said.word && last.to === dayMs(period.from) && last.isOpen === said.isOpen) last.to = to
    else all.push({ from: dayMs(period.from), to, title: '', ...said })
  }
  for (const band of all) band.title = `${band.word}: ${dayText(band.from)} – ${dayText(band.to)}`
  return all
}

function dayText(ms: number): string {
  return formatDay(isoDay(ms))
}

function mark(value: string, tone: Tone, word: string): Stretch {
  const { earliest, latest } = boundsOf(value)
  const to = dayMs(latest ?? earliest ?? '')
  return { from: earliest ? dayMs(earliest) : to, to, tone, word, title: `${word}: ${formatDate({ value })}` }
}

function markRows(of: CommitmentAnswer, lines: Lines): Row[] {
  const due = of.baselines.map(({ due: { value }, number }) => mark(value, 'calm', words.baseline(number)))
  const inForce = lines.filter(({ reading }) => reading.event.inForce && reading.data !== null)
  const forecasts = inForce
    .filter(({ reading }) => reading.event.type === 'ForecastReported')
    .map(({ reading }) => mark(String(reading.data?.finish), 'warn', formatDate({ value: reading.occurredOn ?? '' })))
  const milestones = of.milestones.flatMap(({ milestone, title, due: planned, metOn }) => [
    ...(planned ? [{ ...mark(planned.value, 'calm', title ?? milestone), isOpen: true }] : []),
    ...(metOn ? [mark(metOn.value, 'good', title ?? milestone)] : []),
  ])
  const events = inForce
    .filter(({ day }) => day !== null)
    .map(({ reading, day }) => mark(day ?? '', 'gone', EVENT_WORDS[reading.event.type] ?? reading.event.type))
  return [
    { word: words.rows.due, isBand: false, stretches: due },
    { word: words.rows.forecast, isBand: false, stretches: forecasts },
    { word: words.rows.milestones, isBand: false, stretches: milestones },
    { word: words.rows.events, isBand: false, stretches: events },
  ]
}

function rowsOf(of: CommitmentAnswer, periods: readonly PeriodAnswer[], lines: Lines, end: number): Row[] {
  const status = bands(periods, end, (period) => ({ ...statusOf(period), isOpen: period.schedule.uncertain }))
  const verification = bands(periods, end, (period) =>
    period.verification === 'none'
      ? null
      : { word: VERIFICATION_WORDS[period.verification], tone: verificationTone(period.verification) },
  )
  const all = [
    { word: words.rows.status, isBand: true, stretches: status },
    { word: words.rows.verification, isBand: true, stretches: verification },
    ...markRows(of, lines),
  ]
  return all.filter(({ stretches }) => stretches.length > 0)
}

function heightOf({ isBand }: Row): number {
  return LABEL_PX + (isBand ? BAND_PX : MARK_PX) + GAP_PX
}

/** First days of years, or of months where the time is short, not closer than words need. */
function ticksOf(from: number, to: number, width: number): { at: number; word: string }[] {
  const years = (to - from) / (365.25 * DAY_MS)
  const most = Math.max(2, Math.floor(width / 80))
  const stepMonths = [1, 3, 6, 12, 24, 60, 120].find((months) => (years * 12) / months <= most) ?? 240
  const start = new Date(from)
  const ticks = []
  for (let month = start.getUTCFullYear() * 12; ; month += stepMonths) {
    const at = monthMs(month)
    if (at > to) return ticks
    const iso = isoDay(at)
    if (at >= from)
      ticks.push({ at, word: formatDate({ value: month % 12 === 0 ? iso.slice(0, 4) : iso.slice(0, 7) }) })
  }
}

function Band({ of: { from, to, tone, word, isOpen, title }, x }: { of: Stretch; x: (ms: number) => number }) {
  const width = Math.max(3, x(to) - x(from))
  return (
    <g class={`band tone-${tone}`}>
      <title>{title}</title>
      <rect class={isOpen ? 'is-uncertain' : ''} x={x(from)} width={width} height={BAND_PX} rx="4" />
      {width > word.length * CHAR_PX + 12 && (
        <text x={x(from) + 8} y={BAND_PX / 2 + 4}>
          {word}
        </text>
      )}
    </g>
  )
}

function Mark({ of: { from, to, tone, title, isOpen }, x }: { of: Stretch; x: (ms: number) => number }) {
  const at = x(to)
  const middle = MARK_PX / 2
  return (
    <g class={`mark tone-${tone}`}>
      <title>{title}</title>
      {x(to) - x(from) > 3 && <rect x={x(from)} y={middle - 1.5} width={at - x(from)} height="3" />}
      <path class={isOpen ? 'is-open' : ''} d={`M${at} ${middle - 6}l6 6-6 6-6-6z`} />
    </g>
  )
}

/** Words beside marks, left out where they would lie over one another. */
function Labels({ stretches, x, width }: { stretches: readonly Stretch[]; x: (ms: number) => number; width: number }) {
  let free = Number.NEGATIVE_INFINITY
  const placed = stretches
    .toSorted((a, b) => a.to - b.to)
    .flatMap((one, index, all) => {
      const next = all[index + 1]
      const start = x(one.to) + 11
      const end = start + one.word.length * CHAR_PX
      if (start < free || end > width || (next && end > x(next.from) - 8)) return []
      free = end + 8
      return [{ word: one.word, start }]
    })
  return (
    <>
      {placed.map(({ word, start }) => (
        <text key={start} x={start} y={MARK_PX / 2 + 4}>
          {word}
        </text>
      ))}
    </>
  )
}

type DrawProps = { rows: readonly Row[]; from: number; to: number; asOf: string; width: number; label: string }

function Drawing({ rows, from, to, asOf, width, label }: DrawProps) {
  const x = (ms: number) => ((Math.min(Math.max(ms, from), to) - from) / (to - from)) * width
  const height = rows.reduce((sum, row) => sum + heightOf(row), 0)
  let top = 0
  const now = x(dayMs(asOf))
  return (
    <svg class="axis" width={width} height={height + TICK_PX} role="img" aria-label={label}>
      {ticksOf(from, to, width).map(({ at, word }) => (
        <g key={at} class="tick">
          <path d={`M${x(at)} 0V${height}`} />
          {x(at) < width - 40 && (
            <text x={x(at) + 3} y={height + 15}>
              {word}
            </text>
          )}
        </g>
      ))}
      {rows.map((row) => {
        const y = top
        top += heightOf(row)
        return (
          <g key={row.word} transform={`translate(0 ${y})`}>
            <text class="row-word" y={12}>
              {row.word}
            </text>
            <g transform={`translate(0 ${LABEL_PX})`}>
              {row.stretches.map((one) =>
                row.isBand ? <Band key={one.title} of={one} x={x} /> : <Mark key={one.title} of={one} x={x} />,
              )}
              {!row.isBand && <Labels stretches={row.stretches} x={x} width={width} />}
            </g>
          </g>
        )
      })}
      <rect class="after" x={now} width={Math.max(0, width - now)} height={height} />
      <path class="now" d={`M${now} 0V${height}`} />
    </svg>
  )
}

type Props = { of: CommitmentAnswer; periods: readonly PeriodAnswer[]; lines: Lines }

/** Nothing where it was never in force. */
export function Axis({ of, periods, lines }: Props) {
  const [box, width] = useWidth()
  const days = lines.flatMap(({ reading: { event, occurredOn, data }, day }) => {
    if (!event.inForce) return []
    const bounds = [occurredOn, data?.due, data?.finish].map((one) => (typeof one === 'string' ? boundsOf(one) : null))
    return [day, ...bounds.flatMap((one) => [one?.earliest, one?.latest])]
  })
  const ends = [...days, of.asOf, ...periods.map(({ from }) => from)]
    .filter((one) => typeof one === 'string')
    .map(dayMs)
  const [first, last] = [Math.min(...ends), Math.max(...ends)]
  const pad = Math.max(20 * DAY_MS, (last - first) * 0.03)
  // No day is written before or after these.
  const [from, to] = [Math.max(dayMs('0001-01-01'), first - pad), Math.min(dayMs('9999-12-31'), last + pad)]
  const label = periods.map((period) => `${formatDay(period.from)}: ${statusOf(period).word}`).join('; ')
  return (
    <div class="axis-box" ref={box}>
      {width > 0 && (
        <Drawing rows={rowsOf(of, periods, lines, to)} from={from} to={to} asOf={of.asOf} width={width} label={label} />
      )}
    </div>
  )
}

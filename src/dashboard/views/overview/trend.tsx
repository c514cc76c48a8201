// The milestone trend: across, the day a due date or forecast came into force; up, the date that it promised. A line that stays
// level was kept, one that rises slipped, and what touches the diagonal is due today.

import { useState } from 'preact/hooks'
import type { ListAnswer, SummaryAnswer, TrendItem } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { AsTable, Legend } from '../../charts/figure.tsx'
import { useWidth } from '../../charts/use-width.ts'
import { useClocks } from '../../clocks.ts'
import { dayMs, formatDate, formatDay, monthMs } from '../../format.ts'
import { address, go, useLocation, withParams } from '../../location.ts'
import { Panel, Shown } from '../../parts/frame.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { lifecycleTone, scheduleTone, type Tone } from '../../parts/status.tsx'
import { commitmentPath } from '../../route.ts'
import { LIFECYCLE_WORDS, SCHEDULE_WORDS, overview as words } from '../../strings.ts'

const LINES = 40
const HEIGHT = 400
const LEFT = 64
const FOOT = 26
const HEAD = 8

type Point = { x: number; y: number }
type Line = { item: TrendItem; promised: Point[]; forecast: Point[]; tone: Tone; word: string }

function lastDay({ latest, earliest }: { latest: string | null; earliest: string | null }): number {
  return dayMs(latest ?? earliest ?? '')
}

/** Each date holds from its day until the next one's, the last until the delivery or the day of the view. */
function pointsOf(steps: readonly { on: string; to: number }[], end: number): Point[] {
  return steps.flatMap(({ on, to }, index) => {
    const from = dayMs(on)
    const until = steps[index + 1]
    return [
      { x: from, y: to },
      { x: until ? dayMs(until.on) : Math.max(from, end), y: to },
    ]
  })
}

function lineOf(item: TrendItem, asOf: string): Line | null {
  if (item.due.length === 0) return null
  const end = item.actualFinish ? Math.min(lastDay(item.actualFinish), dayMs(asOf)) : dayMs(asOf)
  const isPlain = ['closed', 'noDueDate'].includes(item.schedule.current)
  return {
    item,
    promised: pointsOf(
      item.due.map(({ effectiveOn, due }) => ({ on: effectiveOn, to: lastDay(due) })),
      end,
    ),
    forecast: pointsOf(
      item.forecasts.map(({ effectiveOn, finish }) => ({ on: effectiveOn, to: lastDay(finish) })),
      end,
    ),
    tone: isPlain ? lifecycleTone(item.lifecycle) : scheduleTone(item.schedule.current),
    word: isPlain ? LIFECYCLE_WORDS[item.lifecycle] : SCHEDULE_WORDS[item.schedule.current],
  }
}

/** Years, or some of them, within two days. */
function yearsWithin(from: number, to: number, most: number): number[] {
  const [first, last] = [new Date(from).getUTCFullYear() + 1, new Date(to).getUTCFullYear()]
  const every = Math.max(1, Math.ceil((last - first + 1) / most))
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index).filter(
    (year) => year % every === 0,
  )
}

type Scale = { x: (ms: number) => number; y: (ms: number) => number; from: Point; to: Point; width: number }

function scaleOf(lines: readonly Line[], asOf: string, width: number): Scale {
  const all = lines.flatMap(({ promised, forecast }) => [...promised, ...forecast])
  const xs = [...all.map(({ x }) => x), dayMs(asOf)]
  const ys = [...all.map(({ y }) => y), dayMs(asOf)]
  const pad = 60 * 86_400_000
  const [from, to] = [
    { x: Math.min(...xs) - pad, y: Math.min(...ys) - pad },
    { x: Math.max(...xs) + pad, y: Math.max(...ys) + pad },
  ]
  const bottom = HEIGHT - FOOT
  return {
    from,
    to,
    width,
    x: (ms) => LEFT + ((ms - from.x) / (to.x - from.x)) * (width - LEFT - 8),
    y: (ms) => bottom - ((ms - from.y) / (to.y - from.y)) * (bottom - HEAD),
  }
}

function Grid({ scale: { x, y, from, to, width }, asOf }: { scale: Scale; asOf: string }) {
  const [low, high] = [Math.max(from.x, from.y), Math.min(to.x, to.y)]
  const bottom = HEIGHT - FOOT
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a group of lines and years takes no focus
    <g class="trend-grid" aria-hidden="true">
      {yearsWithin(from.x, to.x, width / 70).map((year) => (
        <g key={year}>
          <path d={`M${x(monthMs(12 * year))} ${HEAD}V${bottom}`} />
          <text x={x(monthMs(12 * year))} y={HEIGHT - 8} text-anchor="middle">
            {formatDate({ value: String(year).padStart(4, '0') })}
          </text>
        </g>
      ))}
      {yearsWithin(from.y, to.y, HEIGHT / 28).map((year) => (
        <g key={year}>
          <path d={`M${LEFT} ${y(monthMs(12 * year))}H${width}`} />
          <text x={LEFT - 8} y={y(monthMs(12 * year)) + 4} text-anchor="end">
            {formatDate({ value: String(year).padStart(4, '0') })}
          </text>
        </g>
      ))}
      {low < high && <path class="diagonal" d={`M${x(low)} ${y(low)}L${x(high)} ${y(high)}`} />}
      <path class="now" d={`M${x(dayMs(asOf))} ${HEAD}V${bottom}`} />
    </g>
  )
}

function pathOf(points: readonly Point[], { x, y }: Scale): string {
  return points
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${x(point.x).toFixed(1)} ${y(point.y).toFixed(1)}`)
    .join('')
}

function Mark({ at: { x, y }, isDone }: { at: Point; isDone: boolean }) {
  return isDone ? <path class="mark" d={`M${x - 4} ${y}l3 4 5-8`} /> : <circle class="mark" cx={x} cy={y} r="3" />
}

type OneProps = { line: Line; scale: Scale; href: string; isLit: boolean; onLit: (id: string | null) => void }

function One({ line: { item, promised, forecast, tone, word }, scale, href, isLit, onLit }: OneProps) {
  const last = promised.at(-1)
  const first = item.due[0]
  const now = item.due.at(-1)
  const label = words.trendLine(
    item.title,
    formatDate(first?.due ?? { value: '' }),
    formatDate(now?.due ?? { value: '' }),
    word,
  )
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
    event.preventDefault()
    go(href)
  }
  return (
    <a
      href={href}
      class={`trend-line tone-${tone} ${isLit ? 'is-lit' : ''}`}
      aria-label={label}
      onClick={follow}
      onMouseEnter={() => onLit(item.id)}
      onFocus={() => onLit(item.id)}
    >
      <path class="hit" d={pathOf(promised, scale)} />
      <path class="promised" d={pathOf(promised, scale)} />
      {forecast.length > 0 && <path class="forecast" d={pathOf(forecast, scale)} />}
      {last && <Mark at={{ x: scale.x(last.x), y: scale.y(last.y) }} isDone={item.lifecycle === 'delivered'} />}
    </a>
  )
}

function Readout({ line, href }: { line: Line | undefined; href: (id: string) => string }) {
  if (!line) return <p class="trend-readout id">{words.trendHint}</p>
  const dates = line.item.due.map(({ effectiveOn, due }) => words.trendStep(formatDay(effectiveOn), formatDate(due)))
  return (
    <p class="trend-readout">
      <Link href={href(line.item.id)}>{line.item.title}</Link> · {line.word} · {dates.join(' → ')}
    </p>
  )
}

function Chart({ register, items, asOf }: { register: string; items: readonly TrendItem[]; asOf: string }) {
  const [box, width] = useWidth()
  const [lit, setLit] = useState<string | null>(null)
  const href = useHref()
  const lines = items.map((item) => lineOf(item, asOf)).filter((line) => line !== null)
  if (lines.length === 0) return <p class="empty">{words.noTrend}</p>
  const scale = scaleOf(lines, asOf, Math.max(width, 280))
  const hrefOf = (id: string) => href(commitmentPath(register, id))
  return (
    <>
      <div ref={box}>
        {width > 0 && (
          // biome-ignore lint/a11y/useSemanticElements: there is no fieldset in a drawing
          <svg
            class={`trend ${lit ? 'has-lit' : ''}`}
            width={width}
            height={HEIGHT}
            role="group"
            aria-label={words.trendLabel(lines.length)}
          >
            <Grid scale={scale} asOf={asOf} />
            {/* Always in this order: the Tab key walks along it. The others fade behind the one that is looked at. */}
            {lines.map((line) => (
              <One
                key={line.item.id}
                line={line}
                scale={scale}
                href={hrefOf(line.item.id)}
                isLit={line.item.id === lit}
                onLit={setLit}
              />
            ))}
          </svg>
        )}
      </div>
      <Readout line={lines.find(({ item }) => item.id === lit)} href={hrefOf} />
      <Legend
        of={[
          { tone: 'calm', word: words.promisedDate, shape: 'line' },
          { tone: 'calm', word: words.forecastDate, shape: 'dash' },
          { tone: 'gone', word: words.diagonal, shape: 'dash' },
        ]}
      />
      <AsTable
        of={words.trend}
        head={[words.commitment, words.dueDates, words.statusHead]}
        rows={lines.map(({ item, word }) => [
          <Link key={item.id} href={hrefOf(item.id)}>
            {item.title}
          </Link>,
          item.due.map(({ due }) => formatDate(due)).join(' → '),
          word,
        ])}
      />
    </>
  )
}

/** `programmes`: those of the register, to narrow the lines to one. */
export function Trend({ register, programmes }: { register: string; programmes: SummaryAnswer['groups'] }) {
  const place = useLocation()
  const { asOf, knownAt } = useClocks()
  const programme = place.params.get('lines')
  const url = address(`/v1/registers/${register}/trend`, {
    asOf,
    knownAt,
    programme,
    sort: '-slippageDays.original',
    limit: LINES,
  })
  const choice = programmes.filter(({ key }) => key !== null)
  return (
    <Panel
      title={words.trend}
      note={words.trendNote(LINES)}
      actions={
        choice.length > 0 && (
          <select
            aria-label={words.trendProgramme}
            value={programme ?? ''}
            onChange={({ currentTarget }) => go(withParams(place, { lines: currentTarget.value }), { replace: true })}
          >
            <option value="">{words.allProgrammes}</option>
            {choice.map(({ key, title }) => (
              <option key={key} value={key ?? ''}>
                {title ?? key}
              </option>
            ))}
          </select>
        )
      }
    >
      <Shown of={useResource<ListAnswer<TrendItem>>(url)}>
        {(answer) => <Chart register={register} items={answer.items} asOf={answer.asOf} />}
      </Shown>
    </Panel>
  )
}

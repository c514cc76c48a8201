// The earned schedule as a curve: what was planned by each day, what was delivered by each day, and how far apart they lie in time.

import { useMemo, useState } from 'preact/hooks'
import uPlot from 'uplot'
import type { PlanAnswer, SeriesAnswer, SummaryAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { AsTable, type Entry, Legend } from '../../charts/figure.tsx'
import { type Colour, Plot, type PlotOptions } from '../../charts/plot.tsx'
import { useClocks } from '../../clocks.ts'
import { dayMs, formatDay, formatIndex, formatNumber, formatSigned, isoDay } from '../../format.ts'
import { address } from '../../location.ts'
import { Panel, Shown } from '../../parts/frame.tsx'
import { overview as words } from '../../strings.ts'
import { spanOf } from './over-time.tsx'

type Item = SeriesAnswer['items'][number]
type Earned = SummaryAnswer['earnedSchedule']
/** Days in seconds since 1970, and a number for each. */
type Curve = [number[], number[]]

const DAY_S = 86_400

function seconds(day: string): number {
  return dayMs(day) / 1_000
}

/** The planned value rises in straight lines between due days; what was due before the start is planned at the start. */
function planned({ start, items }: PlanAnswer): Curve {
  const from = seconds(start ?? '')
  const curve: Curve = [[from], [0]]
  let sum = 0
  for (const { dueOn, count } of items) {
    sum += count
    const at = Math.max(from, seconds(dueOn))
    if (curve[0].at(-1) === at && curve[0].length > 1) curve[1][curve[1].length - 1] = sum
    else {
      curve[0].push(at)
      curve[1].push(sum)
    }
  }
  return curve
}

function earnedCurve(items: readonly Item[]): Curve {
  return [items.map(({ asOf }) => seconds(asOf)), items.map(({ earnedSchedule }) => earnedSchedule.count)]
}

/** From the day by which as much was planned to the day of the view. */
function gap({ start, asOf }: PlanAnswer, { earnedDays, count }: Earned): Curve | null {
  if (earnedDays === null || start === null) return null
  return [
    [seconds(start) + earnedDays * DAY_S, seconds(asOf)],
    [count, count],
  ]
}

function options(colour: Colour): PlotOptions {
  const points = { show: false }
  return {
    series: [
      {},
      { stroke: colour('--calm'), width: 2, points, spanGaps: true },
      { stroke: colour('--good-fill'), width: 2.5, points, spanGaps: true },
      { stroke: colour('--late-fill'), width: 2.5, dash: [6, 4], points: { show: true, size: 7 }, spanGaps: true },
    ],
  }
}

/** The value of a curve at a time: of a day between two, as the line between them has it. */
function valueAt([days, values]: Curve, at: number): number | null {
  const next = days.findIndex((day) => day >= at)
  if (next < 0 || (next === 0 && days[0] !== at)) return null
  const [from, to] = [days[next - 1] ?? at, days[next] ?? at]
  const [low, high] = [values[next - 1] ?? values[next] ?? 0, values[next] ?? 0]
  return to === from ? high : low + ((high - low) * (at - from)) / (to - from)
}

function Chart({ plan, items, earned }: { plan: PlanAnswer; items: readonly Item[]; earned: Earned }) {
  const [at, setAt] = useState<number | null>(null)
  const curves = useMemo(() => {
    const last = gap(plan, earned)
    return { plan: planned(plan), earned: earnedCurve(items), gap: last ?? ([[], []] satisfies Curve) }
  }, [plan, items, earned])
  const data = useMemo(() => uPlot.join([curves.plan, curves.earned, curves.gap]), [curves])
  const day = at === null ? seconds(plan.asOf) : (data[0][at] ?? seconds(plan.asOf))
  const value = (curve: Curve) => {
    const found = valueAt(curve, day)
    return found === null ? undefined : formatNumber(Math.round(found * 10) / 10)
  }
  const { varianceDays, spi } = earned
  const entries: Entry[] = [
    { tone: 'plan', word: words.plannedValue, value: value(curves.plan), shape: 'line' },
    { tone: 'good', word: words.earnedValue, value: value(curves.earned), shape: 'line' },
    {
      tone: 'late',
      word: words.gap,
      value: varianceDays === null ? undefined : words.days(formatSigned(varianceDays)),
      shape: 'dash',
    },
  ]
  return (
    <>
      <Plot
        data={data}
        options={options}
        label={words.earnedLabel(earned.count, varianceDays, formatIndex(spi))}
        onPoint={setAt}
      />
      <Legend of={entries} at={formatDay(isoDay(day * 1_000))} />
      <AsTable
        of={words.earned}
        head={[words.day, words.plannedValue, words.earnedValue]}
        rows={items.map(({ asOf, earnedSchedule }) => [
          formatDay(asOf),
          formatNumber(Math.round((valueAt(curves.plan, seconds(asOf)) ?? plan.of) * 10) / 10),
          formatNumber(earnedSchedule.count),
        ])}
      />
    </>
  )
}

type Props = { register: string; from: string; of: SummaryAnswer }

/** Nothing where no commitment has a due date. */
export function EarnedSchedule({ register, from, of: { asOf, earnedSchedule } }: Props) {
  const { asOf: asked, knownAt } = useClocks()
  const plan = useResource<PlanAnswer>(address(`/v1/registers/${register}/summary/plan`, { asOf: asked, knownAt }))
  // The same question as that of the status over time: one answer serves both.
  const span = { ...spanOf(from, asOf), knownAt }
  const series = useResource<SeriesAnswer>(address(`/v1/registers/${register}/summary/series`, span))
  if (earnedSchedule.of === 0) return null
  return (
    <Panel title={words.earned} note={words.earnedNote}>
      <Shown of={plan}>
        {(planData) => (
          <Shown of={series}>{({ items }) => <Chart plan={planData} items={items} earned={earnedSchedule} />}</Shown>
        )}
      </Shown>
    </Panel>
  )
}

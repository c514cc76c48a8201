// Status over time: how many were delivered, open, late and given up on the last day of each step, stacked.

import { useMemo, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import type { SeriesAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { AsTable, type Entry, Legend } from '../../charts/figure.tsx'
import { type Colour, Plot, type PlotOptions } from '../../charts/plot.tsx'
import { useClocks } from '../../clocks.ts'
import { dayMs, formatDay, formatNumber, isoDay } from '../../format.ts'
import { address } from '../../location.ts'
import { Panel, Shown } from '../../parts/frame.tsx'
import type { Tone } from '../../parts/status.tsx'
import { overview as words } from '../../strings.ts'

type Item = SeriesAnswer['items'][number]

/** From the bottom of the stack to its top. */
const PARTS = [
  { word: words.parts.delivered, tone: 'good', of: ({ delivered }: Item) => delivered.count },
  {
    word: words.parts.open,
    tone: 'calm',
    of: ({ inScope, delivered, late, notDelivered }: Item) =>
      inScope - delivered.count - late.count - notDelivered.count,
  },
  { word: words.parts.late, tone: 'late', of: ({ late }: Item) => late.count },
  { word: words.parts.notDelivered, tone: 'bad', of: ({ notDelivered }: Item) => notDelivered.count },
] as const satisfies readonly { word: string; tone: Tone; of: (item: Item) => number }[]

const DAY_MS = 86_400_000
const STEPS = [
  ['day', 1],
  ['week', 7],
  ['month', 30.4],
  ['quarter', 91.3],
  ['year', 365.25],
] as const
const MOST_ITEMS = 130

/** The service tells no longer series than of a thousand items. */
const MOST_DAYS = 900 * 365.25

/**
 * The span to tell of: from the first promise to the day asked about; of one too long its end, or, where that lies far ahead,
 * its beginning.
 */
export function spanOf(first: string, asOf: string): { from: string; to: string; step: string } {
  const [begin, end] = [dayMs(first), dayMs(asOf)]
  const most = MOST_DAYS * DAY_MS
  const isFarAhead = end > Date.now() + most
  const from = end - begin > most && !isFarAhead ? isoDay(end - most) : first
  const to = dayMs(asOf) - dayMs(from) > most ? isoDay(dayMs(from) + most) : asOf
  return { from, to, step: stepOf(from, to) }
}

/** The shortest step of which a span does not hold too many. */
function stepOf(from: string, to: string): string {
  const days = (dayMs(to) - dayMs(from)) / DAY_MS
  return (STEPS.find(([, length]) => days / length <= MOST_ITEMS) ?? STEPS[4])[0]
}

function stacked(items: readonly Item[]): uPlot.AlignedData {
  const days = items.map(({ asOf }) => dayMs(asOf) / 1_000)
  const heights = PARTS.map((_, top) =>
    items.map((item) => PARTS.slice(0, top + 1).reduce((sum, part) => sum + part.of(item), 0)),
  )
  return [days, ...heights]
}

function options(colour: Colour): PlotOptions {
  const line = (tone: Tone) => ({
    stroke: colour('--panel'),
    width: 1,
    fill: colour(`--${tone}-fill`),
    points: { show: false },
  })
  return {
    series: [{}, ...PARTS.map(({ tone }) => line(tone))],
    bands: PARTS.slice(1).map((part, index) => ({
      series: [index + 2, index + 1],
      fill: colour(`--${part.tone}-fill`),
    })),
  }
}

function Chart({ items }: { items: readonly Item[] }) {
  const [at, setAt] = useState<number | null>(null)
  const data = useMemo(() => stacked(items), [items])
  const item = items[at ?? items.length - 1]
  const last = items.at(-1)
  if (!item || !last) return <p class="empty">{words.nothingYet}</p>
  const entries = PARTS.map(({ word, tone, of }): Entry => ({ word, tone, value: formatNumber(of(item)) })).reverse()
  return (
    <>
      <Plot
        data={data}
        options={options}
        label={words.overTimeLabel(last.delivered.count, last.inScope, last.late.count, formatDay(last.asOf))}
        onPoint={setAt}
      />
      <Legend of={entries} at={formatDay(item.asOf)} />
      <AsTable
        of={words.overTime}
        head={[words.day, ...PARTS.map(({ word }) => word), words.inScopeHead]}
        rows={items.map((one) => [
          formatDay(one.asOf),
          ...PARTS.map(({ of }) => formatNumber(of(one))),
          formatNumber(one.inScope),
        ])}
      />
    </>
  )
}

/** `from`: the first promise; `to`: the day of the view. */
export function OverTime({ register, from, to }: { register: string; from: string; to: string }) {
  const { knownAt } = useClocks()
  const url = address(`/v1/registers/${register}/summary/series`, { ...spanOf(from, to), knownAt })
  return (
    <Panel title={words.overTime} note={words.overTimeNote}>
      <Shown of={useResource<SeriesAnswer>(url)}>{({ items }) => <Chart items={items} />}</Shown>
    </Panel>
  )
}

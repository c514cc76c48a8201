// How slippage is spread: how many commitments are how late, against the original and against the current due date.

import type { SlippageAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { AsTable, Legend } from '../../charts/figure.tsx'
import { useWidth } from '../../charts/use-width.ts'
import { useClocks } from '../../clocks.ts'
import { formatNumber, formatSigned } from '../../format.ts'
import { address } from '../../location.ts'
import { Panel, Shown } from '../../parts/frame.tsx'
import { overview as words } from '../../strings.ts'

type Counts = SlippageAnswer['original']['items']
/** Days above `from`, up to and with `to`. */
type Bin = { from: number; to: number; original: number; current: number }

const WIDTHS = [1, 2, 7, 14, 30, 60, 90, 180, 365, 730, 1_825, 3_650]
const MOST_BINS = 28
const HEIGHT = 230
const FOOT = 40
const HEAD = 18
/** The room that the words beside the zero need. */
const SIDE_PX = 70

/** Bins of equal width of which one ends at 0, so that none holds both what is on time and what is late. */
export function binsOf(original: Counts, current: Counts): Bin[] {
  const all = [...original, ...current].map(({ days }) => days)
  if (all.length === 0) return []
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)]
  const width = WIDTHS.find((days) => (high - low) / days <= MOST_BINS) ?? 36_500
  const binOf = (days: number) => Math.ceil(days / width)
  const first = binOf(low)
  const bins = Array.from({ length: binOf(high) - first + 1 }, (_, index): Bin => {
    const to = (first + index) * width
    return { from: to - width, to, original: 0, current: 0 }
  })
  for (const [against, counts] of [
    ['original', original],
    ['current', current],
  ] as const)
    for (const { days, count } of counts) {
      const bin = bins[binOf(days) - first]
      if (bin) bin[against] += count
    }
  return bins
}

function binText({ from, to }: Bin): string {
  return to - from === 1 ? formatSigned(to) : words.bin(formatSigned(from + 1), formatSigned(to))
}

function Bars({ bins, width }: { bins: readonly Bin[]; width: number }) {
  const most = Math.max(...bins.flatMap(({ original, current }) => [original, current]))
  const slot = width / bins.length
  const bar = Math.max(2, Math.min(26, slot * 0.4))
  const y = (count: number) => HEAD + (HEIGHT - FOOT - HEAD) * (1 - count / most)
  const base = HEIGHT - FOOT
  const zero = bins.findIndex(({ to }) => to > 0)
  const zeroAt = (zero < 0 ? bins.length : zero) * slot
  const every = Math.ceil(60 / slot)
  const label = bins
    .filter(({ original, current }) => original + current > 0)
    .map((bin) => `${binText(bin)}: ${bin.original}, ${bin.current}`)
    .join('; ')
  return (
    <svg class="spread" width={width} height={HEIGHT} role="img" aria-label={`${words.spreadLabel} ${label}`}>
      {bins.map((bin, index) => {
        const middle = (index + 0.5) * slot
        const tone = bin.to <= 0 ? 'tone-good' : 'tone-late'
        const top = Math.max(bin.original, bin.current)
        return (
          <g key={bin.to} class={tone}>
            <title>{words.binTitle(binText(bin), bin.original, bin.current)}</title>
            <rect class="hit" x={index * slot} y={0} width={slot} height={base} />
            <rect class="original" x={middle - bar} y={y(bin.original)} width={bar} height={base - y(bin.original)} />
            <rect class="current" x={middle} y={y(bin.current)} width={bar} height={base - y(bin.current)} />
            {top > 0 && slot > 24 && (
              <text class="count" x={middle} y={y(top) - 5}>
                {formatNumber(top)}
              </text>
            )}
            {(index - Math.max(zero, 0)) % every === 0 && (
              <text x={index * slot} y={base + 15}>
                {formatSigned(bin.from)}
              </text>
            )}
          </g>
        )
      })}
      <path class="base" d={`M0 ${base}H${width}`} />
      <path class="zero" d={`M${zeroAt} 0V${base + 4}`} />
      {zeroAt > SIDE_PX && (
        <text class="side" x={zeroAt - 6} y={HEIGHT - 6} text-anchor="end">
          {words.onTime}
        </text>
      )}
      {width - zeroAt > SIDE_PX && (
        <text class="side" x={zeroAt + 6} y={HEIGHT - 6} text-anchor="start">
          {words.lateSide}
        </text>
      )}
    </svg>
  )
}

function Chart({ of: { original, current } }: { of: SlippageAnswer }) {
  const [box, width] = useWidth()
  const bins = binsOf(original.items, current.items)
  return (
    <>
      <div ref={box}>
        {width > 0 && bins.length > 0 && <Bars bins={bins} width={width} />}
        {bins.length === 0 && <p class="empty">{words.noSlippage}</p>}
      </div>
      {bins.length > 0 && (
        <>
          <Legend
            of={[
              { tone: 'gone', word: words.againstOriginal(original.of), shape: 'dash' },
              { tone: 'gone', word: words.againstCurrent(current.of) },
            ]}
          />
          <AsTable
            of={words.spread}
            head={[words.daysHead, words.originalHead, words.currentHead]}
            rows={bins.map((bin) => [binText(bin), formatNumber(bin.original), formatNumber(bin.current)])}
          />
        </>
      )}
    </>
  )
}

export function Spread({ register }: { register: string }) {
  const { asOf, knownAt } = useClocks()
  const url = address(`/v1/registers/${register}/summary/slippage`, { asOf, knownAt })
  return (
    <Panel title={words.spread} note={words.spreadNote}>
      <Shown of={useResource<SlippageAnswer>(url)}>{(answer) => <Chart of={answer} />}</Shown>
    </Panel>
  )
}

// Series over time, drawn by uPlot: in the colours of the page, redrawn when these or the width change, read out by pointer and
// by keyboard.

import 'uplot/dist/uPlot.min.css'
import './charts.css'
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { formatDay, isoDay } from '../format.ts'
import { useWidth } from './use-width.ts'

/** What a colour of the style sheet is now, in a form that a canvas takes. */
export type Colour = (name: string) => string

function coloursOf(box: HTMLElement): Colour {
  return (name) => {
    box.style.color = `var(${name})`
    const { color } = getComputedStyle(box)
    box.style.color = ''
    return color
  }
}

const YEAR_S = 365 * 86_400

const yearFormat = new Intl.DateTimeFormat(navigator.language, {
  calendar: 'gregory',
  year: 'numeric',
  timeZone: 'UTC',
})
const monthFormat = new Intl.DateTimeFormat(navigator.language, {
  calendar: 'gregory',
  month: 'short',
  year: '2-digit',
  timeZone: 'UTC',
})

function tickText(seconds: number, step: number): string {
  const at = new Date(seconds * 1_000)
  if (step >= YEAR_S) return yearFormat.format(at)
  return step >= 28 * 86_400 ? monthFormat.format(at) : formatDay(isoDay(seconds * 1_000))
}

function axes(colour: Colour): uPlot.Axis[] {
  const both = {
    stroke: colour('--ink-soft'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  }
  const days: uPlot.Axis = {
    ...both,
    space: 72,
    values: (_plot, splits, _axis, _space, step) => splits.map((at) => tickText(at, step)),
  }
  return [days, { ...both, size: 44 }]
}

export type PlotOptions = Pick<uPlot.Options, 'series' | 'bands'> & { hooks?: uPlot.Hooks.Arrays }

type Props = {
  /** Days as seconds since 1970 in UTC, then a list for each series. */
  data: uPlot.AlignedData
  /** Made anew with the colours; keep it the same function while nothing else changes. */
  options: (colour: Colour) => PlotOptions
  height?: number
  label: string
  /** Told of the index that is pointed at; null where none is. */
  onPoint?: (index: number | null) => void
}

function step(plot: uPlot, by: number): void {
  const days = plot.data[0]
  const index = Math.min(Math.max((plot.cursor.idx ?? days.length - 1) + by, 0), days.length - 1)
  plot.setCursor({ left: plot.valToPos(days[index] ?? 0, 'x'), top: 0 })
}

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12, Home: -1e9, End: 1e9 }

export function Plot({ data, options, height = 260, label, onPoint }: Props) {
  const [box, width] = useWidth()
  const plot = useRef<uPlot | null>(null)
  const told = useRef(onPoint)
  told.current = onPoint
  useEffect(() => {
    const place = box.current
    if (!place || width === 0) return
    const draw = () => {
      plot.current?.destroy()
      const colour = coloursOf(place)
      const { hooks, ...rest } = options(colour)
      const whole: uPlot.Options = {
        ...rest,
        width,
        height,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'UTC'),
        axes: axes(colour),
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high)] } },
        hooks: { ...hooks, setCursor: [({ cursor: { idx } }) => told.current?.(idx ?? null)] },
      }
      plot.current = new uPlot(whole, data, place)
    }
    draw()
    const dark = matchMedia('(prefers-color-scheme: dark)')
    addEventListener('pledger-theme', draw)
    dark.addEventListener('change', draw)
    return () => {
      removeEventListener('pledger-theme', draw)
      dark.removeEventListener('change', draw)
      plot.current?.destroy()
      plot.current = null
    }
  }, [box, width, height, data, options])
  const press = (event: KeyboardEvent) => {
    const by = STEPS[event.key]
    if (by === undefined || !plot.current) return
    event.preventDefault()
    step(plot.current, by)
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: its values are read out by the arrow keys
    <div class="plot" ref={box} role="img" aria-label={label} tabIndex={0} onKeyDown={press} />
  )
}

// What stands around what is drawn: a sentence that says it, what the colours and shapes mean, the same as a table.

import './charts.css'
import type { ComponentChildren } from 'preact'
import type { Tone } from '../parts/status.tsx'
import { charts as words } from '../strings.ts'

export type Entry = { tone: Tone | 'plan' | 'gap'; word: string; value?: string | undefined; shape?: 'line' | 'dash' }

/** The meaning of each colour, beside its value where something is pointed at. */
export function Legend({ of, at }: { of: readonly Entry[]; at?: ComponentChildren }) {
  return (
    <div class="legend" aria-live={at ? 'polite' : undefined}>
      {at && <strong>{at}</strong>}
      <ul>
        {of.map(({ tone, word, value, shape }) => (
          <li key={word} class={`swatch tone-${tone}`}>
            <svg viewBox="0 0 14 12" aria-hidden="true">
              {shape ? <path class={shape} d="M0 6h14" /> : <rect width="14" height="12" rx="2" />}
            </svg>
            {word}
            {value !== undefined && <b>{value}</b>}
          </li>
        ))}
      </ul>
    </div>
  )
}

type TableProps = {
  /** Names the table. */
  of: string
  head: readonly string[]
  rows: readonly (readonly ComponentChildren[])[]
}

/** What is drawn, as a table that is folded away. */
export function AsTable({ of, head, rows }: TableProps) {
  return (
    <details class="as-table">
      <summary>{words.asTable}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scroller" tabIndex={0} aria-label={of}>
        <table>
          <thead>
            <tr>
              {head.map((word, index) => (
                <th key={word} scope="col" class={index > 0 ? 'number' : ''}>
                  {word}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((cells, row) => (
              <tr key={row}>
                {cells.map((cell, index) =>
                  index === 0 ? (
                    <th key={head[index]} scope="row">
                      {cell}
                    </th>
                  ) : (
                    <td key={head[index]} class="number">
                      {cell}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  )
}

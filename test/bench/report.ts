// What the bench tells: its table, its JSON, and the machine that both are about.

import { availableParallelism, cpus, totalmem } from 'node:os'
import type pg from 'pg'
import type { Measured } from './measure.ts'

const LABELS: Record<string, string> = {
  record: 'single recordings over HTTP ÷ bare one-row inserts, 32 connections',
  import: 'NDJSON import over HTTP ÷ COPY of the same rows into the same table shape',
  summary: 'GET summary, each of another day ÷ a bare fastify route with one select, 8 connections',
  'summary-past': 'the same for days in the past, folded from the log',
}

function digits(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** The rows as an aligned table; numbers to the right. */
export function table(rows: readonly Measured[]): string {
  const head = ['row', 'value', 'limit', 'unit', 'ratio', 'what']
  const lines = rows.map(({ row, value, limit, unit, ratio }) => [
    row,
    digits(value),
    digits(limit),
    unit,
    ratio.toFixed(3),
    LABELS[row] ?? '',
  ])
  const widths = head.map((name, column) => Math.max(...[head, ...lines].map((line) => (line[column] ?? name).length)))
  const isNumber = [false, true, true, false, true, false]
  const cell = (text: string, column: number) =>
    isNumber[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0)
  return [head, ...lines].map((line) => line.map(cell).join('  ').trimEnd()).join('\n')
}

/** The rows as JSON. No row has a goal yet; in all of them larger is better. */
export function json(rows: readonly Measured[]): string {
  const round = (value: number, places: number) => Number(value.toFixed(places))
  const items = rows.map(({ row, value, limit, ratio }) => ({
    row,
    value: round(value, 1),
    limit: round(limit, 1),
    ratio: round(ratio, 4),
    goal: null,
    atMost: false,
  }))
  return JSON.stringify(items, null, 2)
}

/** One line about the machine and what runs on it. */
export async function machine(pool: pg.Pool): Promise<string> {
  const setting = async (name: string) => {
    const { rows } = await pool.query<{ value: string }>('select current_setting($1) as value', [name])
    return rows[0]?.value
  }
  const memory = Math.round(totalmem() / 2 ** 30)
  return [
    `${cpus()[0]?.model.trim() || 'CPU unknown'}, ${availableParallelism()} cores, ${memory} GiB`,
    `Node ${process.versions.node}`,
    `PostgreSQL ${await setting('server_version')}`,
    `fsync ${await setting('fsync')}, synchronous_commit ${await setting('synchronous_commit')}`,
  ].join('; ')
}

// What the bench tells: its table, its JSON, and the machine that both are about.

import { availableParallelism, cpus, totalmem } from 'node:os'
import type pg from 'pg'
import type { Measured } from './measure.ts'

const LABELS: Record<string, string> = {
  record: 'single recordings over HTTP ÷ a bare fastify route with one durable one-row insert, 64 connections',
  'record-insert': 'the same ÷ one-row inserts in process, 32 connections',
  'record-emmett': 'the same ÷ appendToStream of Emmett in process, 32 at a time',
  import: 'NDJSON import over HTTP ÷ COPY of the same rows into the same table shape',
  replay: 'replay of all projections ÷ reading the same events through a cursor',
  'replay-emmett': 'the same ÷ a consumer of Emmett with a handler that does nothing',
  'replay-emmett-tuned': 'the same ÷ such a consumer with large batches and no rest between them',
  'poll-304': 'polls answered 304 ÷ a bare fastify route with a constant, 8 connections',
  'summary-200': 'GET summary, each of another day ÷ a bare fastify route with one select, 8 connections',
  feed: 'the feed as NDJSON ÷ reading the same events through a cursor',
  'seal-record': 'single recordings over HTTP to a service that seals ÷ to one that does not',
  'seal-lag': 'for how long 99 of 100 events waited for their checkpoint at most, under that load ÷ 2 s',
  seal: 'taking leaves into the tree, in process ÷ reading them through a cursor',
  'page-longest-task':
    'the longest task of the page while a list of 100,000 commitments is scrolled, sorted, filtered and searched ÷ 100 ms',
  'verify-log': 'checking a whole log, in process ÷ reading the same events with their leaves through a cursor',
  'growth-proof': 'an inclusion proof by position in a large register ÷ in one of 50,000 events, 8 connections',
  'growth-record': 'cost of a recording to a large register ÷ to one of 50,000 events',
  'growth-replay': 'cost of replaying an event of a large register ÷ of one of 50,000 events',
  'memory-serve': 'the most memory that the service held through all of the rows above ÷ 512 MB',
  'memory-replay': 'the most memory that a replay held ÷ 900 MB',
  summary: 'GET summary, each of another day ÷ a bare fastify route with one select, 8 connections',
  'summary-past': 'the same for days in the past',
  oracle: 'random logs whose answers at random clocks differ from a fold of the raw log ÷ logs asked',
  'scale-counts': 'counts of a summary at a random day, newest knowledge ÷ a lookup by primary key',
  'scale-summary': 'the same with mean, median, p90 and max',
  'scale-summary-past': 'a whole summary at a random day as known at a random size ÷ a lookup',
  'scale-commitment': 'one commitment at a random day, known at a random size ÷ a lookup',
  'scale-list': 'a page of 100 of a list by status at a random day, known at a random size ÷ a lookup',
  'scale-list-p99': 'the slowest hundredth of these pages ÷ a lookup',
  'scale-counts-growth': 'counts of the whole register ÷ counts of one a tenth as large',
  'scale-summary-growth': 'a whole summary of the whole register ÷ of one a tenth as large',
  'scale-memory': 'the most memory that the service held answering such questions ÷ 300 MB',
}

const TENTH = '-tenth'

/** What a row is; rows at a tenth of the size are what those of the whole are. */
function label(row: string): string {
  const told = LABELS[row.replace(TENTH, '')] ?? ''
  return row.endsWith(TENTH) ? `at a tenth of the size: ${told}` : told
}

function isReached({ ratio, goal, atMost }: Measured): boolean | null {
  if (goal === null) return null
  return atMost ? ratio <= goal : ratio >= goal
}

function goalCells(row: Measured): [goal: string, ok: string] {
  const reached = isReached(row)
  return reached === null ? ['', ''] : [`${row.atMost ? '≤' : '≥'} ${row.goal}`, reached ? 'yes' : 'no']
}

function digits(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** The rows as an aligned table; numbers to the right. */
export function table(rows: readonly Measured[]): string {
  const head = ['row', 'value', 'limit', 'unit', 'ratio', 'goal', 'ok', 'what']
  const lines = rows.map((row) => [
    row.row,
    digits(row.value),
    digits(row.limit),
    row.unit,
    row.ratio.toFixed(3),
    ...goalCells(row),
    label(row.row),
  ])
  const widths = head.map((name, column) => Math.max(...[head, ...lines].map((line) => (line[column] ?? name).length)))
  const isNumber = [false, true, true, false, true, true, false, false]
  const cell = (text: string, column: number) =>
    isNumber[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0)
  return [head, ...lines].map((line) => line.map(cell).join('  ').trimEnd()).join('\n')
}

/** The rows as JSON; `goal` is what `ratio` is to reach. */
export function json(rows: readonly Measured[]): string {
  const round = (value: number, places: number) => Number(value.toFixed(places))
  const items = rows.map(({ row, value, limit, ratio, goal, atMost }) => ({
    row,
    value: round(value, 1),
    limit: round(limit, 1),
    ratio: round(ratio, 4),
    goal,
    atMost,
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

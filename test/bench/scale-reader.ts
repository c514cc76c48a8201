// The rows at scale that time read functions, as a process of its own: what made and loaded the log has left much behind on
// its heap. Reads and lookups go by turns, each over one connection. Takes the registers as JSON, prints what it measured.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { openDatabase } from '../../src/database/pool.ts'
import { type Measured, median, percentile } from './measure.ts'
import { type Asked, atKnown, newest, type Question, questions } from './scale-questions.ts'
import { openReads, type Reads } from './scale-reads.ts'

const QUESTIONS = 200
const WARM_UP = 100
/** A row that is hopelessly slow stops asking after this long. */
const MOST_MS = 120_000

const connectionString = process.env.PLEDGER_DATABASE_URL ?? ''
const db = openDatabase({ connectionString, max: 1 })
const client = new pg.Client({ connectionString })
await client.connect()

/** The limit: one row by its primary key, by a prepared statement. */
async function lookup({ register, commitment }: Question): Promise<void> {
  const text =
    'select id, revision, title, lifecycle from commitment where register = $1 and generation = 0 and id = $2'
  await client.query({ name: 'lookup', text, values: [register, commitment] })
}

/**
 * Before each timed read and each timed lookup, so that neither pays for what the other left behind. Both then find the
 * connection idle, as a question finds it that comes alone; back to back, a lookup takes a fraction of the time.
 */
const REST_MS = 1

async function timed(work: () => Promise<unknown>): Promise<number> {
  await sleep(REST_MS)
  const from = performance.now()
  await work()
  return (performance.now() - from) * 1_000
}

type Timings = { values: number[]; limits: number[] }
type Turns = { row: string; value: Work; limit: Work; warmUp: Question[]; asked: Question[] }

/** Times the value and the limit by turns, in microseconds; the first of both warm up and count for nothing. */
async function time({ row, value, limit, warmUp, asked }: Turns): Promise<Timings> {
  for (const question of warmUp) {
    await value(question)
    await limit(question)
  }
  const timings: Timings = { values: [], limits: [] }
  const until = performance.now() + MOST_MS
  for (const question of asked) {
    timings.limits.push(await timed(() => limit(question)))
    timings.values.push(await timed(() => value(question)))
    if (performance.now() > until) break
  }
  const { values } = timings
  const told = [median(values), percentile(values, 0.99), median(timings.limits)].map((one) => `${Math.round(one)} µs`)
  process.stderr.write(`${row}: ${values.length} questions, median ${told[0]}, p99 ${told[1]}, beside ${told[2]}\n`)
  return timings
}

type Work = (question: Question) => Promise<unknown>

function measured(row: string, value: number, limit: number, goal: number): Measured {
  return { row, unit: 'µs', value, limit, ratio: value / limit, goal, atMost: true }
}

type Kind = {
  row: string
  read: keyof Reads
  clocks: (question: Question) => Question | Promise<Question>
  goal: number
}

const KINDS: readonly Kind[] = [
  { row: 'scale-counts', read: 'counts', clocks: newest, goal: 3 },
  { row: 'scale-summary', read: 'summary', clocks: newest, goal: 8 },
  { row: 'scale-summary-past', read: 'summary', clocks: (question) => question, goal: 60 },
  { row: 'scale-commitment', read: 'commitment', clocks: (question) => atKnown(db, question), goal: 3 },
  { row: 'scale-list', read: 'page', clocks: (question) => question, goal: 60 },
]
const GOAL_OF_P99 = 300
const GOAL_OF_GROWTH = 1.5

async function asking({ row, clocks }: Kind, asked: Asked): Promise<Pick<Turns, 'warmUp' | 'asked'>> {
  const all: Question[] = []
  for (const one of questions(row, asked, WARM_UP + QUESTIONS)) all.push(await clocks(one))
  return { warmUp: all.slice(0, WARM_UP), asked: all.slice(WARM_UP) }
}

async function against(reads: Reads, kind: Kind, asked: Asked, suffix: string): Promise<Measured[]> {
  const row = `${kind.row}${suffix}`
  const turns = { row, value: reads[kind.read], limit: lookup }
  const { values, limits } = await time({ ...turns, ...(await asking(kind, asked)) })
  const rows = [measured(row, median(values), median(limits), kind.goal)]
  if (kind.read !== 'page') return rows
  return [...rows, measured(`${kind.row}-p99${suffix}`, percentile(values, 0.99), median(limits), GOAL_OF_P99)]
}

/** How much slower the same read is on the larger register, the two by turns. */
async function growth(reads: Reads, kind: Kind, smaller: Asked, larger: Asked): Promise<Measured> {
  const onSmaller = ({ asOf, filter }: Question) =>
    reads[kind.read]({ ...smaller, asOf, knownAt: smaller.size, commitment: 'commitment-1', filter })
  const row = `${kind.row}-growth`
  const turns = { row, value: reads[kind.read], limit: onSmaller }
  const { values, limits } = await time({ ...turns, ...(await asking(kind, larger)) })
  return measured(row, median(values), median(limits), GOAL_OF_GROWTH)
}

/** Tells what a lookup takes back to back, for whoever holds the rows against that. */
async function tellBackToBack(asked: Asked): Promise<void> {
  const all = questions('back to back', asked, 10 * QUESTIONS)
  const taken: number[] = []
  for (const question of all) {
    const from = performance.now()
    await lookup(question)
    taken.push((performance.now() - from) * 1_000)
  }
  process.stderr.write(`a lookup back to back: median ${Math.round(median(taken))} µs\n`)
}

// Safe: written by the bench.
const [smaller, larger] = JSON.parse(process.argv[2] ?? '') as [Asked, Asked]
const reads = await openReads(db, [smaller.register, larger.register])
const rows: Measured[] = []
for (const [asked, suffix] of [
  [smaller, '-tenth'],
  [larger, ''],
] as const) {
  for (const kind of KINDS) rows.push(...(await against(reads, kind, asked, suffix)))
}
await tellBackToBack(larger)
for (const kind of KINDS.slice(0, 2)) rows.push(await growth(reads, kind, smaller, larger))
process.stdout.write(JSON.stringify(rows))
await client.end()
await db.destroy()

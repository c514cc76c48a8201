// The rows of `--scale`: a register of that many events and one a tenth as large, made up, loaded and projected; then what
// questions about them cost beside a lookup by primary key, and how much memory the service takes to answer them.

import { migrate } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { formatDay } from '../../src/kernel/plain-date.ts'
import type { Measured, Tell } from './measure.ts'
import { peakMemory } from './memory.ts'
import { loadLog, projectLog } from './scale-load.ts'
import { type Asked, atKnown, newest, type Question, questions } from './scale-questions.ts'
import type { BareStage } from './stage.ts'

const LOADERS = 2

/** Every row at scale: of a tenth of the size, of the size, and of how the one grew to the other. */
export async function scaleRows(stage: BareStage, size: number, tell: Tell): Promise<Measured[]> {
  const asked: Asked[] = []
  for (const count of [Math.max(1, Math.floor(size / 10)), size]) {
    asked.push(await prepare(stage, `scale-${asked.length === 0 ? 'tenth' : 'whole'}`, count, tell))
  }
  const printed = await stage.run(['test/bench/scale-reader.ts', JSON.stringify(asked)])
  // Safe: written by the reader.
  const rows = JSON.parse(printed) as Measured[]
  return [...rows, await memoryRow(stage, asked.at(-1) as Asked, tell)]
}

async function prepare(stage: BareStage, register: string, size: number, tell: Tell): Promise<Asked> {
  const db = openDatabase({ connectionString: stage.connectionString, max: LOADERS })
  try {
    await migrate(db)
    const commitments = await loadLog(stage.pool, register, size, tell)
    await stage.pool.query('vacuum analyze')
    await projectLog(db, register, size, tell)
    await stage.pool.query('vacuum analyze')
    return { register, size, commitments }
  } finally {
    await db.destroy()
  }
}

const QUESTIONS = 200
const CONNECTIONS = 8
const MEMORY_LIMIT_MB = 300

/** Row `scale-memory`: the most that `pledger serve` has held while it answered the same questions over HTTP. */
async function memoryRow(stage: BareStage, asked: Asked, tell: Tell): Promise<Measured> {
  const { url, pid } = await stage.start(['src/main.ts', 'serve', '--unsafe-database'])
  const idle = await peakMemory(pid)
  const addresses = await memoryQuestions(stage, asked)
  await askAll(url, addresses)
  const value = await peakMemory(pid)
  tell(`scale-memory: ${Math.round(idle)} MB at the start, ${Math.round(value)} MB after ${addresses.length} answers`)
  const ratio = value / MEMORY_LIMIT_MB
  return { row: 'scale-memory', unit: 'MB', value, limit: MEMORY_LIMIT_MB, ratio, goal: 1, atMost: true }
}

async function memoryQuestions(stage: BareStage, asked: Asked): Promise<string[]> {
  const db = openDatabase({ connectionString: stage.connectionString, max: 1 })
  const all: string[] = []
  for (const question of questions('scale-memory', asked, QUESTIONS)) {
    const known = await atKnown(db, question)
    all.push(address('summary', newest(question)), address('summary', question))
    all.push(address(`commitments/${question.commitment}`, known), address('commitments', question, question.filter))
  }
  await db.destroy()
  return all
}

function address(what: string, { register, asOf, knownAt }: Question, filter = {}): string {
  const query = new URLSearchParams({ asOf: formatDay(asOf), knownAt: String(knownAt), ...filter })
  return `/v1/registers/${register}/${what}?${query}`
}

/** Asks everything once, over some connections; throws where an answer is neither 200 nor a commitment not made by then. */
async function askAll(url: string, addresses: readonly string[]): Promise<void> {
  const left = [...addresses]
  const one = async () => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const response = await fetch(`${url}${next}`)
      const text = await response.text()
      if (response.status !== 200 && response.status !== 404) throw new Error(`${next}: ${response.status} ${text}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
}

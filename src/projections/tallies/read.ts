// The projection `tallies`, its questions: the tallies of parts of a register on some days, at a knowledge. The seal nearest
// to the knowledge is added up by years, months and days, then the changes between it and the knowledge.

import { CompiledQuery } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Day } from '../../kernel/plain-date.ts'
import { type Changes, changesBetween, joined, readChanges } from '../periods/changes.ts'
import { membershipsUpTo } from '../periods/memberships.ts'
import { Adding, monthsByDay, type PartTally, type WantedPart } from './adding.ts'
import { EPOCH } from './project.ts'

export type TallyQuestion = {
  register: string
  size: number
  parts: readonly WantedPart[]
  /** The days asked about, in ascending order. */
  days: readonly Day[]
  /** Without the days, slippage and earned schedule cannot be computed; the counts alone cost less. */
  withDays: boolean
  /** How many positions apart seals are, where not as the service seals them. */
  epoch?: number
}

/** What is kept of a register: its changes from a seal on. */
type Tail = { generation: number; seal: number; upTo: number; changes: Changes }

const tails = new WeakMap<Queryable, Map<string, Tail>>()

/** What is kept begins anew from a later seal before it is this many epochs long. */
const MAX_TAIL_EPOCHS = 2
const MAX_KEPT_NUMBERS = 8_000_000

function tailsOf(db: Queryable): Map<string, Tail> {
  const known = tails.get(db) ?? new Map<string, Tail>()
  tails.set(db, known)
  return known
}

function numbersKept({ statuses, days }: Changes): number {
  return statuses.numbers.length + days.numbers.length
}

function keep(db: Queryable, register: string, tail: Tail, epoch: number): void {
  const known = tailsOf(db)
  // Set again so that the least recently used is the first to go.
  known.delete(register)
  if (tail.upTo - tail.seal <= MAX_TAIL_EPOCHS * epoch) known.set(register, tail)
  let numbers = [...known.values()].reduce((sum, { changes }) => sum + numbersKept(changes), 0)
  for (const [oldest, { changes }] of known) {
    if (numbers <= MAX_KEPT_NUMBERS) break
    known.delete(oldest)
    numbers -= numbersKept(changes)
  }
}

type SumRow = { part_of: string; part: string; level: number; bucket: number; statuses: Buffer; days: Buffer | null }
type Sealed = { sealed: number; generation: number; rows: SumRow[] }

/** The sums of one part as SQL: six parameters are shared by all parts, two are each part's own. */
function sumsOf(index: number): string {
  return `select * from tally_sums($1, $${7 + 2 * index}, $${8 + 2 * index}, $2, $3, $4, $5, $6)`
}

/** The sums that the parts need, as of a seal, and how far the register is sealed, all at one moment. */
async function readSums(db: Queryable, question: TallyQuestion, seal: number): Promise<Sealed> {
  const { register, parts, days, withDays, epoch = EPOCH } = question
  const { year, lastMonth, byDay } = monthsByDay(days)
  const whole = new Set(parts.filter(({ part }) => part === null).map(({ partOf }) => partOf))
  // A part that is asked for beside all of its kind is read with these; without a seal one row says so for all.
  const apart = parts.filter(({ partOf, part }) => part === null || !whole.has(partOf))
  const asked = seal === 0 ? apart.slice(0, 1) : apart
  // As text, and not built anew each time: to build it takes longer than the database takes to run it.
  const text = asked.map((_, index) => sumsOf(index)).join(' union all ')
  const shared = [register, seal / epoch, year, lastMonth, byDay, withDays]
  const own = asked.flatMap(({ partOf, part }) => [partOf, part])
  type Row = SumRow & { sealed: number | null; generation: number | null }
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, [...shared, ...own]))
  const [first] = rows
  return {
    sealed: Math.floor((first?.sealed ?? 0) / epoch) * epoch,
    generation: first?.generation ?? 0,
    rows: rows.filter((row) => row.part_of !== null),
  }
}

/** The seal to begin with: that of what is kept where it serves, else the nearest. */
function firstGuess(tail: Tail | undefined, size: number, epoch: number): number {
  if (tail && size >= tail.seal && size - tail.seal <= MAX_TAIL_EPOCHS * epoch) return tail.seal
  return Math.round(size / epoch) * epoch
}

/** The seal nearest to a size among those that there are. */
function nearestSeal(size: number, sealed: number, epoch: number): number {
  return Math.min(sealed, Math.round(size / epoch) * epoch)
}

/** The tallies of the parts, day by day; of a kind of parts those alone that count something by the last day. */
export async function readTallies(db: Queryable, question: TallyQuestion): Promise<PartTally[]> {
  const { register, size, epoch = EPOCH } = question
  let seal = firstGuess(tailsOf(db).get(register), size, epoch)
  for (;;) {
    const sums = await readSums(db, question, seal)
    const best = nearestSeal(size, sums.sealed, epoch)
    // Sealed further since, or not as far as was guessed: what is kept begins anew from there.
    const isLate = best - seal >= epoch && size >= best
    if (seal <= sums.sealed && !isLate) {
      const adding = new Adding(question)
      for (const row of sums.rows) adding.addSums(row)
      if (await addChanges(db, question, seal, sums, adding)) return adding.parts()
    }
    seal = best
  }
}

/** What is kept of a register where it begins at the seal, with the changes up to the size; null where nothing fits. */
async function keptTail(db: Queryable, { register, size }: TallyQuestion, seal: number, generation: number) {
  const tail = tailsOf(db).get(register)
  if (tail?.generation !== generation || tail.seal !== seal || size < seal) return null
  if (tail.upTo >= size) return tail
  const read = await readChanges(db, register, tail.upTo, size)
  return read.generation === generation ? { ...tail, upTo: size, changes: joined(tail.changes, read) } : null
}

/** Adds what lies between the seal and the size of the question; false where the rows were built anew meanwhile. */
async function addChanges(
  db: Queryable,
  question: TallyQuestion,
  seal: number,
  { sealed, generation }: Sealed,
  adding: Adding,
): Promise<boolean> {
  const { register, size, epoch = EPOCH } = question
  const add = async (changes: Changes, from: number, upTo: number) => {
    const memberships = await membershipsUpTo(db, register, changes.memberships)
    const sign = size < seal ? -1 : 1
    adding.addChanges(changesBetween(changes.statuses, changes.knownFrom, from, upTo), sign, memberships)
    if (!question.withDays) return
    adding.addChanges(changesBetween(changes.days, changes.knownFrom, from, upTo), sign, memberships)
  }
  const tail = await keptTail(db, question, seal, generation)
  if (tail) {
    keep(db, register, tail, epoch)
    await add(tail.changes, seal, size)
    return true
  }
  const [low, high] = size < seal ? [size, seal] : [seal, size]
  for (let from = low; from < high; from += epoch) {
    const upTo = Math.min(high, from + epoch)
    const changes = await readChanges(db, register, from, upTo)
    if (changes.generation !== generation) return false
    // From the last seal to the head: what dashboards ask for.
    if (from === sealed && upTo === size) keep(db, register, { generation, seal, upTo, changes }, epoch)
    await add(changes, from, upTo)
  }
  return true
}

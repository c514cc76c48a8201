// What is kept in memory between questions about tallies: the one door to it. Dashboards ask for the newest knowledge again and
// again, and three caches answer them, each those that the one before it misses:
//
// - `inputs` (newest.ts): what the days around a question come to. The same question again costs no statement.
// - `sums`: the pieces of a part as of the last rollup. Another day, or another size, does not read and unpack them again.
// - `tails`: the changes since the last rollup. A size that has grown reads only what was added.
//
// All three need the dictionary of memberships, which lists need too and which is kept beside its table (periods/memberships.ts).
// What is kept is good for one build, whose name changes with every replay and every redaction.

import { LRUCache } from 'lru-cache'
import type { Queryable } from '../../database/pool.ts'
import type { FigureInputs } from '../../domain/portfolio/figure-inputs.ts'
import type { Day } from '../../kernel/plain-date.ts'
import type { Live } from '../core/live.ts'
import { perDatabase } from '../core/per-database.ts'
import { type Changes, joined, readChanges } from '../periods/changes.ts'
import { partName, type TallyPart } from './parts.ts'
import { type Needs, readPart, rowsNeeded, type SumRow, type WholePart } from './sums.ts'

export type PartInputs = TallyPart & { inputs: FigureInputs }

/** What days in a row come to. */
export type Window = { first: Day; byDay: (readonly PartInputs[])[]; bytes: number }

/** What is kept of one question, as of one size: windows by day, month and year. */
export type KeptInputs = {
  size: number
  build: string
  days: Map<Day, Window>
  months: Map<number, Window>
  years: Map<number, Window>
  /** How many days in a row are prepared next. */
  next: 'day' | 'month' | 'year'
  bytes: number
  building: Map<string, Promise<Window | null>>
}

/** Changes from a rollup up to a size, of one build of `periods`. */
type Tail = { build: string | null; rollup: number; upTo: number; changes: Changes }

const MAX_INPUT_BYTES = 24 * 2 ** 20
const MAX_SUM_BYTES = 24 * 2 ** 20
const MAX_TAIL_NUMBERS = 4_000_000

const memory = perDatabase(() => ({
  inputs: new LRUCache<string, KeptInputs>({ maxSize: MAX_INPUT_BYTES, sizeCalculation: ({ bytes }) => bytes }),
  sums: new LRUCache<string, WholePart>({
    maxSize: MAX_SUM_BYTES,
    sizeCalculation: ({ bytes }) => Math.max(1, bytes),
  }),
  tails: new LRUCache<string, Tail>({
    maxSize: MAX_TAIL_NUMBERS,
    sizeCalculation: ({ changes: { statuses, days } }) => Math.max(1, statuses.numbers.length + days.numbers.length),
  }),
}))

/** What is kept of a question, by its name; undefined where nothing is. */
export function keptInputs(db: Queryable, name: string): KeptInputs | undefined {
  return memory(db).inputs.get(name)
}

/** Keeps what a question came to; again where it has grown. What alone is more than may be kept loses its windows. */
export function keepInputs(db: Queryable, name: string, inputs: KeptInputs, leastBytes: number): void {
  const { inputs: all } = memory(db)
  if (inputs.bytes > MAX_INPUT_BYTES) {
    for (const windows of [inputs.days, inputs.months, inputs.years]) windows.clear()
    inputs.bytes = leastBytes
  }
  // Its size is taken anew only where it was not there before.
  all.delete(name)
  all.set(name, inputs)
}

/** The sums of a part that days need, as of the last rollup; null where that is no longer the last. */
export async function keptSums(
  db: Queryable,
  register: string,
  part: TallyPart,
  { rollup, sums: wanted, epoch }: { rollup: number; sums: Live | undefined; epoch: number },
  needs: Needs,
): Promise<SumRow[] | null> {
  const { sums: all } = memory(db)
  const name = `${register} ${partName(part)}`
  const isOf = ({ size, build }: WholePart) => Math.floor(size / epoch) * epoch === rollup && build === wanted?.build
  const known = all.get(name)
  if (known && isOf(known)) return rowsNeeded(known, needs)
  const read = await readPart(db, register, part, wanted?.generation ?? null)
  if (!read || !isOf(read)) return null
  all.set(name, read)
  return rowsNeeded(read, needs)
}

/** The changes from the last rollup to a size or beyond; null where they are of another build by now. */
export async function keptTail(
  db: Queryable,
  register: string,
  size: number,
  { rollup, generation, build }: { rollup: number; generation: number | null; build: string | null },
): Promise<Changes | null> {
  const { tails } = memory(db)
  const known = tails.get(register)
  const before = known?.build === build && known.rollup === rollup ? known : null
  if (before && before.upTo >= size) return before.changes
  const read = await readChanges(db, { register, generation }, before?.upTo ?? rollup, size)
  if (read.live !== build) return null
  const changes = before ? joined(before.changes, read) : read
  tails.set(register, { build, rollup, upTo: size, changes })
  return changes
}

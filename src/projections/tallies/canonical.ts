// The projection `tallies` as its digest reads it: for every whole epoch below a size, its changes at every place.
// They come in order of place and epoch, as one line of canonical JSON. The changes of an epoch are the same however
// sums are stored.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { entriesOf } from './packing.ts'
import type { Sums as EpochSums } from './rollup.ts'

// A day and a key as one number: days take 23 bits, keys 27; together below 2^53.
const KEYS = 2 ** 27

function entryName(day: number, key: number): number {
  return day * KEYS + key
}

/** Rows can be long: those of a month by days hold all that ever counted in it. */
const ROWS_AT_ONCE = 50

type Row = {
  part_of: string
  part: string
  level: number
  bucket: number
  epoch: number
  /** Where it is the row's own epoch, the row is a whole sum; else what the epoch added. */
  base: number
  statuses: Buffer
  days: Buffer
}

type Key = Omit<Row, 'base' | 'statuses' | 'days'>

const BEGINNING: Key = { part_of: '', part: '', level: 0, bucket: 0, epoch: 0 }

async function page(
  db: Queryable,
  { register, generation }: RegisterBuild,
  epochs: number,
  after: Key,
): Promise<Row[]> {
  const { rows } = await sql<Row>`select part_of, part, level, bucket, epoch, base, statuses, days from tally
    where register = ${register} and generation = ${generation} and epoch < ${epochs}
      and (part_of, part, level, bucket, epoch)
        > (${after.part_of}, ${after.part}, ${after.level}::smallint, ${after.bucket}::integer, ${after.epoch}::integer)
    order by part_of, part, level, bucket, epoch limit ${ROWS_AT_ONCE}`.execute(db)
  return rows
}

/** Sums by the name of their day and key. */
type Sums = ReadonlyMap<number, number>

/** The sums of a row, by the name of their day and key. */
function sumsOf({ level, statuses, days }: Pick<Row, 'level' | 'statuses' | 'days'>): Sums {
  const sums = new Map<number, number>()
  for (const entries of [entriesOf(level, statuses), entriesOf(level, days)]) {
    for (let at = 0; at < entries.length; at += 3) {
      const name = entryName(entries[at] as number, entries[at + 1] as number)
      sums.set(name, (sums.get(name) ?? 0) + (entries[at + 2] as number))
    }
  }
  return sums
}

/** Sums with others added (or with -1 taken away), without what comes to nothing. */
function plus(a: Sums, b: Sums, sign: 1 | -1 = 1): Sums {
  const sums = new Map(a)
  for (const [name, sum] of b) sums.set(name, (sums.get(name) ?? 0) + sign * sum)
  return new Map([...sums].filter(([, sum]) => sum !== 0))
}

type LinePlace = { partOf: string; part: string; level: number; bucket: number }

/** The line of what an epoch added at a place; null where that is nothing. */
function line({ partOf, part, level, bucket }: LinePlace, epoch: number, added: Sums): string | null {
  const entries = [...added].sort(([a], [b]) => a - b)
  return entries.length === 0 ? null : canonicalJson({ partOf, part, level, bucket, epoch, added: entries })
}

/** What a row says that its epoch added; null where that is nothing. */
export type AddedByRow = { epoch: number; line: string | null; isBased: boolean }

/** Follows the sums of one place after the other, in order of epoch. */
class Following {
  #place = ''
  #sums: Sums = new Map()
  #base: number | null = null

  /** Whether the row is based on the last whole sum before it is told, too: answers add up from there. */
  added(row: Row): AddedByRow {
    const { part_of: partOf, part, level, bucket, epoch, base } = row
    const place = JSON.stringify([partOf, part, level, bucket])
    if (place !== this.#place) [this.#sums, this.#base] = [new Map(), null]
    this.#place = place
    const own = sumsOf(row)
    const added = base === epoch ? plus(own, this.#sums, -1) : own
    this.#sums = base === epoch ? own : plus(this.#sums, own)
    if (base === epoch) this.#base = epoch
    return { epoch, line: line({ partOf, part, level, bucket }, epoch, added), isBased: base === this.#base }
  }
}

/** The lines of what an epoch adds, by its sums. */
export function addedLines(epoch: number, all: readonly EpochSums[]): string[] {
  return all.flatMap(({ part: { partOf, part }, level, bucket, statuses, days }) => {
    const place = { partOf, part, level, bucket }
    return line(place, epoch, plus(sumsOf({ level, statuses, days }), new Map())) ?? []
  })
}

/** What epochs added, of those that were rolled up when so many were, as canonical JSON, some at a time. */
export async function* canonicalTallies(db: Queryable, build: RegisterBuild, epochs: number): AsyncGenerator<string[]> {
  for await (const some of addedByRows(db, build, epochs)) yield some.flatMap(({ line }) => line ?? [])
}

/** What rows say that their epochs added, of those that were rolled up when so many were, in order of place and epoch. */
export async function* addedByRows(db: Queryable, build: RegisterBuild, epochs: number): AsyncGenerator<AddedByRow[]> {
  const following = new Following()
  for (let after: Key = BEGINNING; ; ) {
    const rows = await page(db, build, epochs, after)
    yield rows.map((row) => following.added(row))
    const last = rows.at(-1)
    if (!last || rows.length < ROWS_AT_ONCE) return
    after = last
  }
}

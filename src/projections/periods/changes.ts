// What the versions of timelines changed, as the tallies add it up: kept in memory from the last rollup to the head, since
// dashboards ask for little else.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { isStatusKey } from '../../domain/portfolio/tally.ts'
import { Packer, Unpacker } from '../../kernel/packed.ts'
import { leastWhere } from '../../kernel/search.ts'
import { liveBuild } from '../core/live.ts'
import type { TallyChange } from './project.ts'

/** Changes in order of size, four numbers each (day, membership, key, difference); those of version n end at `ends[n]`. */
export type ChangeList = { ends: Int32Array; numbers: Int32Array }

/** The changes of versions: those of statuses, which alone make the counts, and those of days. */
export type Changes = {
  /** The size from which each version is known. */
  knownFrom: Float64Array
  statuses: ChangeList
  days: ChangeList
  /** One more than the highest number of a membership among them. */
  memberships: number
}

/** The changes of one version as bytes. They come in order of day. */
export function packChanges(changes: readonly TallyChange[]): Buffer {
  const packer = new Packer()
  let before = 0
  for (const { day, membership, key, difference } of changes) {
    packer.integer(day - before)
    packer.natural(membership)
    packer.natural(key)
    packer.integer(difference)
    before = day
  }
  return packer.bytes()
}

/** What packChanges has packed. */
export function unpackedChanges(bytes: Uint8Array): TallyChange[] {
  const unpacker = new Unpacker(bytes)
  const changes: TallyChange[] = []
  let day = 0
  while (unpacker.at < bytes.length) {
    day += unpacker.integer()
    const [membership, key] = [unpacker.natural(), unpacker.natural()]
    changes.push({ day, membership, key, difference: unpacker.integer() })
  }
  return changes
}

/** A list that is being read: no more numbers than there are bytes to read. */
class GrowingList {
  readonly ends: Int32Array
  readonly #numbers: Int32Array
  #length = 0

  constructor(versions: number, bytes: number) {
    this.ends = new Int32Array(versions)
    this.#numbers = new Int32Array(bytes)
  }

  add(day: number, membership: number, key: number, difference: number): void {
    const numbers = this.#numbers
    numbers[this.#length] = day
    numbers[this.#length + 1] = membership
    numbers[this.#length + 2] = key
    numbers[this.#length + 3] = difference
    this.#length += 4
  }

  endVersion(index: number): void {
    this.ends[index] = this.#length
  }

  list(): ChangeList {
    // A copy of its own length: what is kept in memory should not hold the rest.
    return { ends: this.ends, numbers: this.#numbers.slice(0, this.#length) }
  }
}

/** The changes of some versions, one after the other; `lengths` are the bytes of each. */
function unpackChanges(bytes: Uint8Array, lengths: readonly number[]): Omit<Changes, 'knownFrom'> {
  const unpacker = new Unpacker(bytes)
  const statuses = new GrowingList(lengths.length, bytes.length)
  const days = new GrowingList(lengths.length, bytes.length)
  let memberships = 0
  let end = 0
  for (const [index, length] of lengths.entries()) {
    end += length
    let day = 0
    while (unpacker.at < end) {
      day += unpacker.integer()
      const membership = unpacker.natural()
      const key = unpacker.natural()
      const list = isStatusKey(key) ? statuses : days
      list.add(day, membership, key, unpacker.integer())
      if (membership >= memberships) memberships = membership + 1
    }
    statuses.endVersion(index)
    days.endVersion(index)
  }
  return { statuses: statuses.list(), days: days.list(), memberships }
}

type Row = { known_from: string | null; lengths: string | null; changes: Buffer | null; live: string | null }

/**
 * The changes of a build that came to be known after one size, up to another, in one row: thousands of small ones cost their
 * number. `table` is another where rows are not attached yet. `live` says which build readers are to be answered from at that moment.
 */
export async function readChanges(
  db: Queryable,
  { register, generation, table = 'period' }: { register: string; generation: number | null; table?: string },
  after: number,
  upTo: number,
): Promise<Changes & { live: string | null }> {
  const { rows } = await sql<Row>`select ${liveBuild(register, 'periods')} as live, p.known_from,
      p.lengths, p.changes
    from (select string_agg(known_from::text, ',' order by known_from, id) as known_from,
        string_agg(length(changes)::text, ',' order by known_from, id) as lengths,
        string_agg(changes, '' order by known_from, id) as changes
      from ${sql.table(table)} where register = ${register} and generation = ${generation} and known_from > ${after} and known_from <= ${upTo}) p`.execute(
    db,
  )
  const [row] = rows
  if (!row?.changes) return { ...NO_CHANGES, live: row?.live ?? null }
  const sizes = (row.known_from ?? '').split(',')
  return {
    knownFrom: Float64Array.from(sizes, Number),
    ...unpackChanges(row.changes, (row.lengths ?? '').split(',').map(Number)),
    live: row.live,
  }
}

const NONE: ChangeList = { ends: new Int32Array(0), numbers: new Int32Array(0) }
const NO_CHANGES: Changes = { knownFrom: new Float64Array(0), statuses: NONE, days: NONE, memberships: 0 }

/** The numbers of the changes that came to be known after one size, up to another. */
export function changesBetween(
  { ends, numbers }: ChangeList,
  knownFrom: Float64Array,
  after: number,
  upTo: number,
): Int32Array {
  return numbers.subarray(ends[firstAfter(knownFrom, after) - 1] ?? 0, ends[firstAfter(knownFrom, upTo) - 1] ?? 0)
}

/** How many of the sizes, which are in order, are not after a size. */
function firstAfter(sizes: Float64Array, size: number): number {
  return leastWhere(0, sizes.length, (index) => (sizes[index] as number) > size)
}

/** The changes of two runs, one after the other. */
export function joined(a: Changes, b: Changes): Changes {
  const knownFrom = new Float64Array(a.knownFrom.length + b.knownFrom.length)
  knownFrom.set(a.knownFrom)
  knownFrom.set(b.knownFrom, a.knownFrom.length)
  return {
    knownFrom,
    statuses: joinedList(a.statuses, b.statuses),
    days: joinedList(a.days, b.days),
    memberships: Math.max(a.memberships, b.memberships),
  }
}

function joinedList(a: ChangeList, b: ChangeList): ChangeList {
  const later = b.ends.map((end) => end + a.numbers.length)
  return { ends: joinedNumbers(a.ends, later), numbers: joinedNumbers(a.numbers, b.numbers) }
}

function joinedNumbers(a: Int32Array, b: Int32Array): Int32Array {
  const all = new Int32Array(a.length + b.length)
  all.set(a)
  all.set(b, a.length)
  return all
}

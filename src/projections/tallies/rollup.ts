// The projection `tallies`, its pure part: the changes of an epoch become pieces of sums, by part of the register and
// by time. A piece holds the changes of one epoch. Once the pieces together are as long as the whole sum, the next one
// is the whole sum up to its end. So writing and reading grow with the changes and not with the sums.

import { isStatusKey } from '../../domain/portfolio/tally.ts'
import { type Day, monthOf } from '../../kernel/plain-date.ts'
import { DAYS, EntryPacker, entriesOf, MONTH, YEAR } from './packing.ts'
import type { TallyPart } from './parts.ts'

/** How many positions a rollup takes in at a time. Past knowledge is answered from the nearest rollup. */
export const EPOCH = 16_384

/** What is summed up in one row: a part of the register, and a year, a month, or the days of a month. */
export type SumPlace = { part: TallyPart; level: number; bucket: number }

/** Sums at a place, packed: those of statuses, and the rest. */
export type Sums = SumPlace & { statuses: Buffer; days: Buffer }

/** What must be known of the newest piece at a place: the epoch of the whole sum that it adds to, and how long both are. */
export type PieceHead = { base: number; wholeBytes: number; sinceBytes: number }

/** A row as it is stored. `base` is the epoch of the whole sum below it: its own where it is one. */
export type Piece = Sums & PieceHead & { epoch: number }

// Index and key (or day) in one number, so that a plain sort of numbers orders both: below 2^53.
const INDEXES = 2 ** 26
/** Added to what is sorted: no day lies further below 0, and the sort needs no sign. */
const LOWEST = 1_000_000

/** The indexes in order of their values, equal ones in the order in which they are given. */
function inOrder(indexes: Int32Array, valueAt: (index: number) => number): Int32Array {
  const { length } = indexes
  const combined = new Float64Array(length)
  for (let at = 0; at < length; at += 1) combined[at] = (valueAt(indexes[at] as number) + LOWEST) * INDEXES + at
  combined.sort()
  const ordered = new Int32Array(length)
  for (let at = 0; at < length; at += 1) {
    const value = combined[at] as number
    ordered[at] = indexes[value - Math.floor(value / INDEXES) * INDEXES] as number
  }
  return ordered
}

/** The sums of one part as they are being added up, in order of bucket, day and key. */
class PartSums {
  readonly sums: Sums[] = []
  readonly #part: TallyPart
  #level = 0
  #bucket = 0
  #day: Day = 0
  #key = -1
  #sum = 0
  readonly #statuses = new EntryPacker(YEAR)
  readonly #days = new EntryPacker(YEAR)

  constructor(part: TallyPart) {
    this.#part = part
  }

  add(level: number, bucket: number, day: Day, key: number, difference: number): void {
    if (key === this.#key && day === this.#day && bucket === this.#bucket && level === this.#level) {
      this.#sum += difference
      return
    }
    this.#endEntry()
    if (bucket !== this.#bucket || level !== this.#level) {
      this.end()
      this.#level = level
      this.#bucket = bucket
      this.#statuses.begin(level)
      this.#days.begin(level)
    }
    this.#day = day
    this.#key = key
    this.#sum = difference
  }

  #endEntry(): void {
    // What cancels out within an epoch leaves no entry.
    if (this.#sum === 0) return
    const target = isStatusKey(this.#key) ? this.#statuses : this.#days
    target.add(this.#day, this.#key, this.#sum)
    this.#sum = 0
  }

  /** Ends the bucket in hand. */
  end(): void {
    this.#endEntry()
    if (this.#statuses.length + this.#days.length === 0) return
    const [statuses, days] = [this.#statuses.bytes(), this.#days.bytes()]
    this.sums.push({ part: this.#part, level: this.#level, bucket: this.#bucket, statuses, days })
    this.#statuses.begin(this.#level)
    this.#days.begin(this.#level)
    this.#key = -1
  }
}

/**
 * What changes (four numbers each: day, membership, key, difference) come to at every place that they count in. `partsOf`
 * gives the parts of a membership; the same part is always the same object.
 */
export function sumsOf(changes: Int32Array, partsOf: (membership: number) => readonly TallyPart[]): Sums[] {
  const ofParts = new Map<TallyPart, PartSums>()
  const known: PartSums[][] = []
  const ofMembership = (membership: number): PartSums[] => {
    const found = partsOf(membership).map((part) => {
      const sums = ofParts.get(part) ?? new PartSums(part)
      ofParts.set(part, sums)
      return sums
    })
    known[membership] = found
    return found
  }
  const dayAt = (index: number) => changes[index * 4] as Day
  const keyAt = (index: number) => changes[index * 4 + 2] as number
  const all = Int32Array.from({ length: changes.length / 4 }, (_, index) => index)
  const byKey = inOrder(all, keyAt)
  const byDay = inOrder(byKey, dayAt)
  const months = monthsOf(byDay, dayAt)
  const monthAt = (index: number) => months[index] as number
  const yearAt = (index: number) => Math.floor(monthAt(index) / 12)
  const addAll = (level: number, order: Int32Array, bucketAt: (index: number) => number) => {
    for (let at = 0; at < order.length; at += 1) {
      const index = order[at] as number
      const membership = changes[index * 4 + 1] as number
      const day = level === DAYS ? dayAt(index) : 0
      const [bucket, key, difference] = [bucketAt(index), keyAt(index), changes[index * 4 + 3] as number]
      for (const sums of known[membership] ?? ofMembership(membership)) sums.add(level, bucket, day, key, difference)
    }
  }
  addAll(YEAR, inOrder(byKey, yearAt), yearAt)
  addAll(MONTH, inOrder(byKey, monthAt), monthAt)
  addAll(DAYS, byDay, monthAt)
  for (const sums of ofParts.values()) sums.end()
  return [...ofParts.values()].flatMap(({ sums }) => sums)
}

/** The month of each change; they are given in order of day. */
function monthsOf(byDay: Int32Array, dayAt: (index: number) => Day): Int32Array {
  const months = new Int32Array(byDay.length)
  let [day, month] = [Number.NaN, 0]
  for (const index of byDay) {
    if (dayAt(index) !== day) {
      day = dayAt(index)
      month = monthOf(day)
    }
    months[index] = month
  }
  return months
}

/** The piece that an epoch adds at a place where `head` is the newest; null where a whole sum is due. */
export function pieceOn(head: PieceHead | null, epoch: number, sums: Sums): Piece | null {
  const bytes = sums.statuses.length + sums.days.length
  if (!head) return { ...sums, epoch, base: epoch, wholeBytes: bytes, sinceBytes: 0 }
  const { base, wholeBytes } = head
  const sinceBytes = head.sinceBytes + bytes
  return sinceBytes > wholeBytes ? null : { ...sums, epoch, base, wholeBytes, sinceBytes }
}

/** The whole sum at a place from the pieces since the last one, this one first, and the sums of an epoch. */
export function wholePiece(epoch: number, sums: Sums, since: readonly Pick<Sums, 'statuses' | 'days'>[]): Piece {
  const merged = (column: 'statuses' | 'days') =>
    mergePacked(
      sums.level,
      [...since, sums].map((piece) => piece[column]),
    )
  const [statuses, days] = [merged('statuses'), merged('days')]
  const wholeBytes = statuses.length + days.length
  return { ...sums, epoch, base: epoch, wholeBytes, sinceBytes: 0, statuses, days }
}

/** What packed sums come to together; the first may be by far the longest. */
function mergePacked(level: number, packed: readonly Uint8Array[]): Buffer {
  const [whole = NOTHING, ...rest] = packed.map((bytes) => entriesOf(level, bytes))
  let lists = rest
  while (lists.length > 1) {
    const pairs: Int32Array[] = []
    for (let at = 0; at < lists.length; at += 2) {
      pairs.push(mergeEntries(lists[at] as Int32Array, lists[at + 1] ?? NOTHING))
    }
    lists = pairs
  }
  const entries = mergeEntries(whole, lists[0] ?? NOTHING)
  const packer = new EntryPacker(level)
  for (let at = 0; at < entries.length; at += 3) {
    packer.add(entries[at] as Day, entries[at + 1] as number, entries[at + 2] as number)
  }
  return packer.bytes()
}

const NOTHING = new Int32Array(0)

/** Two lists of entries (day, key, sum) in order as one; sums of 0 are left out. */
function mergeEntries(a: Int32Array, b: Int32Array): Int32Array {
  const merged = new Int32Array(a.length + b.length)
  let [length, inA, inB] = [0, 0, 0]
  while (inA < a.length || inB < b.length) {
    const order = compareEntries(a, inA, b, inB)
    const [from, at] = order <= 0 ? [a, inA] : [b, inB]
    const sum = (from[at + 2] as number) + (order === 0 ? (b[inB + 2] as number) : 0)
    if (sum !== 0) {
      merged[length] = from[at] as number
      merged[length + 1] = from[at + 1] as number
      merged[length + 2] = sum
      length += 3
    }
    if (order <= 0) inA += 3
    if (order >= 0) inB += 3
  }
  return merged.subarray(0, length)
}

/** Which of two entries comes first: below 0 the one in `a`, above 0 the one in `b`; one that is not there comes last. */
function compareEntries(a: Int32Array, inA: number, b: Int32Array, inB: number): number {
  if (inA >= a.length) return 1
  if (inB >= b.length) return -1
  return (a[inA] as number) - (b[inB] as number) || (a[inA + 1] as number) - (b[inB + 1] as number)
}

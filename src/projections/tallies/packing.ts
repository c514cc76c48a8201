// How sums are stored: entries in order, each as the difference from the one before, in few bytes.

import { isStatusKey, type TallyKey } from '../../domain/portfolio/tally.ts'
import { Packer, Unpacker } from '../../kernel/packed.ts'
import type { Day } from '../../kernel/plain-date.ts'

/** Levels of time: a year, a month (year * 12 + month - 1), the days of a month. */
export const YEAR = 0
export const MONTH = 1
export const DAYS = 2

// A day and a key as one number: days take 23 bits, keys 27; together below 2^53.
const KEYS = 2 ** 27

/** One number for a day and a key, in order of day, then key; the sums of level DAYS go by it. */
export function entryName(day: Day, key: TallyKey): number {
  return day * KEYS + key
}

/** The entries of sums without those that are 0: statuses, and the rest. */
export function pack(level: number, sums: ReadonlyMap<number, number>): { statuses: Buffer; days: Buffer } {
  const statuses = new EntryPacker(level)
  const days = new EntryPacker(level)
  const entries = [...sums].filter(([, sum]) => sum !== 0).sort(([a], [b]) => a - b)
  for (const [name, sum] of entries) {
    const day = level === DAYS ? Math.floor(name / KEYS) : 0
    const key = name - day * KEYS
    const target = isStatusKey(key) ? statuses : days
    target.add(day, key, sum)
  }
  return { statuses: statuses.bytes(), days: days.bytes() }
}

/** Packs entries that come in order of day, then key; the day counts at level DAYS only. */
export class EntryPacker {
  readonly #packer = new Packer()
  readonly #level: number
  #day: Day = 0
  #key: TallyKey = 0

  constructor(level: number) {
    this.#level = level
  }

  add(day: Day, key: TallyKey, sum: number): void {
    if (this.#level === DAYS) {
      this.#packer.integer(day - this.#day)
      if (day !== this.#day) this.#key = 0
    }
    this.#packer.natural(key - this.#key)
    this.#packer.integer(sum)
    this.#day = day
    this.#key = key
  }

  get length(): number {
    return this.#packer.length
  }

  bytes(): Buffer {
    return this.#packer.bytes()
  }
}

/** The entries of a stored row, three numbers each: day (0 but at level DAYS), key, sum. */
export function entriesOf(level: number, bytes: Uint8Array): Int32Array {
  // An entry takes at least a byte for each of its numbers.
  const entries = new Int32Array((bytes.length / (level === DAYS ? 3 : 2)) * 3)
  const unpacker = new Unpacker(bytes)
  let length = 0
  let day = 0
  let key = 0
  while (unpacker.at < bytes.length) {
    if (level === DAYS) {
      const later = unpacker.integer()
      if (later !== 0) key = 0
      day += later
    }
    key += unpacker.natural()
    entries[length] = day
    entries[length + 1] = key
    entries[length + 2] = unpacker.integer()
    length += 3
  }
  return entries.subarray(0, length)
}

// How sums are stored: entries in order, each as the difference from the one before, in few bytes.

import type { TallyKey } from '../../domain/portfolio/tally.ts'
import { Packer, Unpacker } from '../../kernel/packed.ts'
import type { Day } from '../../kernel/plain-date.ts'

/** Levels of time: a year, a month (year * 12 + month - 1), the days of a month. */
export const YEAR = 0
export const MONTH = 1
export const DAYS = 2

/** Packs entries that come in order of day, then key; the day counts at level DAYS only. */
export class EntryPacker {
  readonly #packer = new Packer()
  #level: number
  #day: Day = 0
  #key: TallyKey = 0

  constructor(level: number) {
    this.#level = level
  }

  /** Begins anew, in the memory that there is. */
  begin(level: number): void {
    this.#packer.clear()
    this.#level = level
    this.#day = 0
    this.#key = 0
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

// The projection `tallies`, its pure part: the changes of an epoch are added up by part of the register and by time.

import type { Membership } from '../../domain/commitment/stretches.ts'
import { type Day, monthOf } from '../../kernel/plain-date.ts'
import { DAYS, entryName, MONTH, YEAR } from './packing.ts'

/** How many positions a sealed sum takes in at a time. Past knowledge is answered from the nearest seal. */
export const EPOCH = 16_384

/** A part of a register: the whole, or what belongs to a programme, a theme or a party (empty: to none). */
export type Part = { partOf: 'register' | 'programme' | 'theme' | 'party'; part: string }

export const WHOLE: Part = { partOf: 'register', part: '' }

/** The parts that a membership counts in, each once. */
export function partsOf({ programme, themes, parties }: Membership): Part[] {
  const some = (ids: readonly string[]) => (ids.length === 0 ? [''] : [...new Set(ids)])
  return [
    WHOLE,
    { partOf: 'programme', part: programme ?? '' },
    ...some(themes).map((part) => ({ partOf: 'theme' as const, part })),
    ...some(parties).map((part) => ({ partOf: 'party' as const, part })),
  ]
}

/** A row of sums before it is written: key (at level DAYS the name of a day and a key) to sum. */
export type Sums = { part: Part; level: number; bucket: number; sums: Map<number, number> }

/** Adds up changes (four numbers each: day, membership, key, difference) by part, level and bucket. */
export class Adder {
  readonly #rows = new Map<Part, Map<number, Sums>[]>()
  readonly #partsOf: (membership: number) => readonly Part[]

  /** `parts` gives the parts that a membership counts in; the same part is always the same object. */
  constructor(parts: (membership: number) => readonly Part[]) {
    this.#partsOf = parts
  }

  add(changes: Int32Array): void {
    for (let at = 0; at < changes.length; at += 4) {
      const [day, key, difference] = [changes[at] as Day, changes[at + 2] as number, changes[at + 3] as number]
      const month = monthOf(day)
      for (const part of this.#partsOf(changes[at + 1] as number)) {
        this.#put(part, YEAR, Math.floor(month / 12), key, difference)
        this.#put(part, MONTH, month, key, difference)
        this.#put(part, DAYS, month, entryName(day, key), difference)
      }
    }
  }

  #put(part: Part, level: number, bucket: number, name: number, difference: number): void {
    let levels = this.#rows.get(part)
    if (!levels) {
      levels = [new Map(), new Map(), new Map()]
      this.#rows.set(part, levels)
    }
    const buckets = levels[level] as Map<number, Sums>
    let row = buckets.get(bucket)
    if (!row) {
      row = { part, level, bucket, sums: new Map() }
      buckets.set(bucket, row)
    }
    row.sums.set(name, (row.sums.get(name) ?? 0) + difference)
  }

  rows(): Sums[] {
    return [...this.#rows.values()].flatMap((levels) => levels.flatMap((buckets) => [...buckets.values()]))
  }
}

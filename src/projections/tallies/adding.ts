// Adding up the answer to one question, purely: stored sums and changes go in, the tallies of parts come out, day by day.

import type { Membership } from '../../domain/commitment/timeline.ts'
import { Tally, type TallyKey } from '../../domain/portfolio/tally.ts'
import { type Day, lastDayOfMonth, monthOf } from '../../kernel/plain-date.ts'
import { leastWhere } from '../../kernel/search.ts'
import { DAYS, MONTH } from './packing.ts'
import { partName, partsIn, type TallyPart } from './parts.ts'

import type { Needs, SumRow } from './sums.ts'

/** A part asked for; `part: null` stands for every part of its kind. */
export type WantedPart = { partOf: TallyPart['partOf']; part: string | null }

/** The tally of a part: `walk` gives it as of each day in turn, the same object changed from one to the next. */
export type PartTally = TallyPart & {
  walk: () => Generator<Tally>
  /** Whether the tally of a day (by its index) differs from that of the day before; true for the first. */
  isChangedAt: (index: number) => boolean
}

/** What days need of the stored sums. */
export function needsOf(days: readonly Day[]): Needs {
  const byDay = new Set<number>()
  for (const day of days) if (lastDayOfMonth(monthOf(day)) !== day) byDay.add(monthOf(day))
  // Safe: a question has at least one day.
  const [first, last] = [monthOf(days[0] as Day), monthOf(days.at(-1) as Day)]
  return { year: Math.floor(first / 12), lastMonth: last, byDay: [...byDay] }
}

/** What counts for one part: at once for the first day, the rest kept for the day from which it counts. */
type Sum = { part: TallyPart; first: Tally; later: Map<number, number[]> }

export class Adding {
  readonly #days: readonly Day[]
  readonly #kinds: ReadonlySet<string>
  readonly #sums = new Map<string, Sum>()
  readonly #byMembership: (Sum[] | undefined)[] = []

  constructor({ parts, days }: { parts: readonly WantedPart[]; days: readonly Day[] }) {
    this.#days = days
    this.#kinds = new Set(parts.filter(({ part }) => part === null).map(({ partOf }) => partOf))
    for (const { partOf, part } of parts) if (part !== null) this.#sumOf({ partOf, part })
  }

  #sumOf(part: TallyPart): Sum {
    const name = partName(part)
    const known = this.#sums.get(name)
    if (known) return known
    const sum = { part, first: new Tally(), later: new Map() }
    this.#sums.set(name, sum)
    return sum
  }

  /** The first of the days that a change of a day counts for; -1 where it lies after all of them. */
  #indexOf(day: Day): number {
    const days = this.#days
    if (day <= (days[0] as Day)) return 0
    const index = leastWhere(1, days.length, (at) => (days[at] as Day) >= day)
    return index < days.length ? index : -1
  }

  #put(sum: Sum, index: number, key: TallyKey, change: number): void {
    if (index === 0) sum.first.add(key, change)
    else if (index > 0) {
      const later = sum.later.get(index)
      if (later) later.push(key, change)
      else sum.later.set(index, [key, change])
    }
  }

  /** Adds a stored row; without its days where they are not asked for. */
  addSums({ part, level, bucket, statuses, days }: SumRow, withDays: boolean): void {
    const sum = this.#sumOf(part)
    const index = level === MONTH ? this.#indexOf(lastDayOfMonth(bucket)) : 0
    for (const entries of withDays ? [statuses, days] : [statuses]) {
      for (let at = 0; at < entries.length; at += 3) {
        const from = level === DAYS ? this.#indexOf(entries[at] as Day) : index
        this.#put(sum, from, entries[at + 1] as TallyKey, entries[at + 2] as number)
      }
    }
  }

  #sumsOf(membership: number, memberships: readonly Membership[]): Sum[] {
    const known = this.#byMembership[membership]
    if (known) return known
    const sums = partsIn(memberships, membership)
      .filter((part) => this.#kinds.has(part.partOf) || this.#sums.has(partName(part)))
      .map((part) => this.#sumOf(part))
    this.#byMembership[membership] = sums
    return sums
  }

  /** The only sum, where the whole register alone is asked for: everything counts in it. */
  #wholeAlone(): Sum | null {
    const [sum, ...others] = this.#sums.values()
    return sum?.part.partOf === 'register' && others.length === 0 && this.#kinds.size === 0 ? sum : null
  }

  /** Adds (or with -1 takes away) changes: four numbers each (day, membership, key, difference). */
  addChanges(changes: Int32Array, sign: 1 | -1, memberships: readonly Membership[]): void {
    const whole = this.#wholeAlone()
    for (let at = 0; at < changes.length; at += 4) {
      const key = changes[at + 2] as TallyKey
      const index = this.#indexOf(changes[at] as Day)
      if (index < 0) continue
      const difference = sign * (changes[at + 3] as number)
      if (whole) this.#put(whole, index, key, difference)
      else
        for (const sum of this.#sumsOf(changes[at + 1] as number, memberships)) this.#put(sum, index, key, difference)
    }
  }

  /** The parts in no particular order. */
  parts(): PartTally[] {
    const { length } = this.#days
    return [...this.#sums.values()].map(({ part, first, later }) => ({
      ...part,
      isChangedAt: (index) => index === 0 || later.has(index),
      *walk() {
        for (let index = 0; index < length; index += 1) {
          const changes = later.get(index) ?? []
          for (let at = 0; at < changes.length; at += 2) first.add(changes[at] as number, changes[at + 1] as number)
          yield first
        }
      },
    }))
  }
}

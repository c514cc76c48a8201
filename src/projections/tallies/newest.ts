// The sums of the newest knowledge of a register, day by day, kept in memory: dashboards ask for little else. The
// first question about a size computes its day alone. Further questions prepare the days around it, a month and then a
// year at a time. Days between which nothing changes share their sums.

import type { Queryable } from '../../database/pool.ts'
import { bytesOf, figureInputs } from '../../domain/portfolio/figure-inputs.ts'
import { Tally } from '../../domain/portfolio/tally.ts'
import { type Day, lastDayOfMonth, monthOf } from '../../kernel/plain-date.ts'
import type { PartTally, WantedPart } from './adding.ts'
import { type KeptInputs, keepInputs, keptInputs, type PartInputs, type Window } from './memory.ts'
import { partName, type TallyPart } from './parts.ts'
import { readTalliesOfBuild } from './read.ts'

/** What is asked for: some parts added up, which have nothing in common, or every part of a kind by itself. */
export type TallySelection = { sumOf: readonly TallyPart[] } | { each: TallyPart['partOf'] }

export type InputsQuestion = {
  register: string
  size: number
  asOf: Day
  of: TallySelection
  /** The build of `periods` that is live where the size is all that it has read; null: nothing is kept. */
  build: string | null
}

/** A longer window is prepared only where it can be expected not to take more. */
const MAX_WINDOW_BYTES = 2 * 2 ** 20
const KEPT_BYTES = 1_000

/** What parts come to as of a day. Throws ProjectionBehindError as readTallies does. */
export async function readFigureInputs(db: Queryable, question: InputsQuestion): Promise<readonly PartInputs[]> {
  const { asOf, build: live } = question
  if (live === null) return (await readDays(db, question, asOf, asOf)).byDay[0] ?? []
  const own = keptOf(db, question, live)
  const known = windowOf(own, asOf) ?? (await build(db, question, own))
  // Where another build has come in between, what it says is right but not to be kept under this one.
  const window = known ?? (await readDays(db, question, asOf, asOf))
  return window.byDay[asOf - window.first] ?? []
}

function nameOf({ register, of }: InputsQuestion): string {
  if ('each' in of) return `${register} each ${of.each}`
  return `${register} ${JSON.stringify(of.sumOf.map(partName))}`
}

function keptOf(db: Queryable, question: InputsQuestion, live: string): KeptInputs {
  const name = nameOf(question)
  const known = keptInputs(db, name)
  if (known?.size === question.size && known.build === live) return known
  const empty = { days: new Map(), months: new Map(), years: new Map(), building: new Map() }
  const fresh: KeptInputs = { size: question.size, build: live, ...empty, next: 'day', bytes: leastBytes(name) }
  keepInputs(db, name, fresh, fresh.bytes)
  return fresh
}

function leastBytes(name: string): number {
  return KEPT_BYTES + 2 * name.length
}

function windowOf({ days, months, years }: KeptInputs, asOf: Day): Window | undefined {
  const month = monthOf(asOf)
  return years.get(Math.floor(month / 12)) ?? months.get(month) ?? days.get(asOf)
}

/** Prepares the window that a day lies in; null where it is of another build than is kept. */
function build(db: Queryable, asked: InputsQuestion, own: KeptInputs): Promise<Window | null> {
  const { asOf } = asked
  const month = monthOf(asOf)
  const year = Math.floor(month / 12)
  const [first, last, put] = {
    day: [asOf, asOf, (window: Window) => own.days.set(asOf, window)] as const,
    month: [
      lastDayOfMonth(month - 1) + 1,
      lastDayOfMonth(month),
      (window: Window) => own.months.set(month, window),
    ] as const,
    year: [
      lastDayOfMonth(year * 12 - 1) + 1,
      lastDayOfMonth(year * 12 + 11),
      (window: Window) => own.years.set(year, window),
    ] as const,
  }[own.next]
  const name = `${first} ${last}`
  const building = own.building.get(name)
  if (building) return building
  const built = readDays(db, asked, first, last)
    .then((window) => {
      if (window.build !== own.build) return null
      put(window)
      own.bytes += window.bytes
      own.next = nextAfter(own.next, window)
      const question = nameOf(asked)
      // Another size or build may have taken its place meanwhile.
      if (keptInputs(db, question) === own) keepInputs(db, question, own, leastBytes(question))
      return window
    })
    .finally(() => own.building.delete(name))
  own.building.set(name, built)
  return built
}

function nextAfter(last: KeptInputs['next'], { bytes }: Window): KeptInputs['next'] {
  if (last === 'day') return bytes * 31 <= MAX_WINDOW_BYTES ? 'month' : 'day'
  return last === 'year' || bytes * 12 <= MAX_WINDOW_BYTES ? 'year' : 'month'
}

/** What the days from one to another come to, and of which build that is. */
async function readDays(
  db: Queryable,
  { register, size, of }: InputsQuestion,
  first: Day,
  last: Day,
): Promise<Window & { build: string | null }> {
  const days = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  const parts: readonly WantedPart[] = 'each' in of ? [{ partOf: of.each, part: null }] : of.sumOf
  const { tallies, build } = await readTalliesOfBuild(db, { register, size, parts, days, withDays: true })
  const partInputs = 'each' in of ? inputsOfEach(tallies, days.length) : inputsOfSum(tallies, days.length)
  return { first, ...partInputs, build }
}

/** Each part of its own, day by day. */
function inputsOfEach(tallies: readonly PartTally[], length: number): Pick<Window, 'byDay' | 'bytes'> {
  const walks = tallies.map(({ partOf, part, walk, isChangedAt }) => ({ partOf, part, walk: walk(), isChangedAt }))
  const byDay: (readonly PartInputs[])[] = []
  let bytes = 0
  for (let index = 0; index < length; index += 1) {
    const before = byDay.at(-1)
    const changed = walks.map(({ isChangedAt }) => isChangedAt(index))
    const tallies = walks.map(({ walk }) => walk.next().value as Tally)
    const partInputs = walks.map(({ partOf, part }, at): PartInputs => {
      if (before && !changed[at]) return before[at] as PartInputs
      const inputs = figureInputs(tallies[at] as Tally)
      bytes += bytesOf(inputs)
      return { partOf, part, inputs }
    })
    byDay.push(before && !changed.includes(true) ? before : partInputs)
  }
  return { byDay, bytes: bytes + 8 * length }
}

/** All parts added up, day by day. */
function inputsOfSum(tallies: readonly PartTally[], length: number): Pick<Window, 'byDay' | 'bytes'> {
  const [only, ...others] = tallies
  if (only && others.length === 0) return inputsOfEach([only], length)
  const walks = tallies.map(({ walk }) => walk())
  const isChangedAt = (index: number) => tallies.some((one) => one.isChangedAt(index))
  const walk = function* () {
    for (let index = 0; index < length; index += 1) {
      // The walks go on from their tallies, so a sum is one of its own.
      yield walks.map((one) => one.next().value as Tally).reduce((sum, one) => sum.plus(one), new Tally())
    }
  }
  return inputsOfEach([{ partOf: 'register', part: '', walk, isChangedAt }], length)
}

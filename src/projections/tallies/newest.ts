// The sums of the newest knowledge of a register, day by day, kept in memory: dashboards ask for little else. The
// first question about a size computes its day alone. Further questions prepare the days around it, a month and then a
// year at a time. Days between which nothing changes share their sums.

import type { Queryable } from '../../database/pool.ts'
import { bytesOf, type FigureInputs, figureInputs } from '../../domain/portfolio/figure-inputs.ts'
import { Tally } from '../../domain/portfolio/tally.ts'
import { type Day, lastDayOfMonth, monthOf } from '../../kernel/plain-date.ts'
import type { PartTally, WantedPart } from './adding.ts'
import { partName } from './parts.ts'
import type { Part } from './project.ts'
import { readTalliesOfBuild } from './read.ts'

/** What is asked for: some parts added up, which have nothing in common, or every part of a kind by itself. */
export type TallySelection = { sumOf: readonly Part[] } | { each: Part['partOf'] }

export type PartInputs = Part & { inputs: FigureInputs }

export type InputsQuestion = {
  register: string
  size: number
  asOf: Day
  of: TallySelection
  /** The build of `periods` that is live where the size is all that it has read; null: nothing is kept. */
  build: string | null
}

/** What days in a row come to. */
type Window = { first: Day; byDay: (readonly PartInputs[])[]; bytes: number }

/** What is kept of one question, as of one size: windows by day, month and year. */
type Kept = {
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

const MAX_KEPT_BYTES = 24 * 2 ** 20
/** A longer window is prepared only where it can be expected not to take more. */
const MAX_WINDOW_BYTES = 2 * 2 ** 20
const KEPT_BYTES = 1_000

const kept = new WeakMap<Queryable, Map<string, Kept>>()

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

function keptOf(db: Queryable, question: InputsQuestion, live: string): Kept {
  const all = kept.get(db) ?? new Map<string, Kept>()
  kept.set(db, all)
  const name = nameOf(question)
  const known = all.get(name)
  if (known?.size === question.size && known.build === live) return known
  const empty = { days: new Map(), months: new Map(), years: new Map(), building: new Map() }
  const fresh: Kept = { size: question.size, build: live, ...empty, next: 'day', bytes: KEPT_BYTES + 2 * name.length }
  // Set again so that what was begun first is the first to go.
  all.delete(name)
  all.set(name, fresh)
  makeRoom(all, fresh)
  return fresh
}

/** Forgets the oldest questions, and of the only one its windows, until what is kept fits. */
function makeRoom(all: Map<string, Kept>, inUse: Kept): void {
  let bytes = 0
  for (const other of all.values()) bytes += other.bytes
  for (const [name, other] of all) {
    if (bytes <= MAX_KEPT_BYTES) return
    if (other === inUse) continue
    all.delete(name)
    bytes -= other.bytes
  }
  if (bytes <= MAX_KEPT_BYTES) return
  for (const windows of [inUse.days, inUse.months, inUse.years]) windows.clear()
  inUse.bytes = KEPT_BYTES
}

function windowOf({ days, months, years }: Kept, asOf: Day): Window | undefined {
  const month = monthOf(asOf)
  return years.get(Math.floor(month / 12)) ?? months.get(month) ?? days.get(asOf)
}

/** Prepares the window that a day lies in; null where it is of another build than is kept. */
function build(db: Queryable, question: InputsQuestion, own: Kept): Promise<Window | null> {
  const { asOf } = question
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
  const built = readDays(db, question, first, last)
    .then((window) => {
      if (window.build !== own.build) return null
      put(window)
      own.bytes += window.bytes
      own.next = nextAfter(own.next, window)
      // Safe: it was put there when it was made.
      makeRoom(kept.get(db) as Map<string, Kept>, own)
      return window
    })
    .finally(() => own.building.delete(name))
  own.building.set(name, built)
  return built
}

function nextAfter(last: Kept['next'], { bytes }: Window): Kept['next'] {
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

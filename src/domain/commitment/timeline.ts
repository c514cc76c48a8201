// One commitment through valid time, as known at a size. A period is a run of days on which nothing changes that a
// status, a figure or a filter depends on. Periods begin where a fact comes into force or a due day comes or passes.
// All periods of a commitment are its timeline; the projection `periods` and the tallies are made of them.

import { type Day, lastDayOf } from '../../kernel/plain-date.ts'
import { leastWhere } from '../../kernel/search.ts'
import { type FieldPath, meaningfulFields, textsAt } from '../field-walk.ts'
import { hasFactConflict } from './conflicts.ts'
import { COMMITMENT_EVENTS, type CommitmentPart } from './events.ts'
import {
  type CommitmentFact,
  type CommitmentState,
  type Dating,
  evolve,
  foldFacts,
  isOpening,
  PART_OF,
  type States,
} from './state.ts'
import { decisiveDays, isUncertain, type StatusDates, statusAt, statusDates } from './status.ts'
import { encodeStatus, showsSameStatus } from './status-code.ts'

/** What a commitment belongs to. */
export type Membership = Pick<CommitmentState, 'programme' | 'themes' | 'parties'>

type Content = {
  /** Status, as `decodeStatus` reads it. */
  code: number
  /** Imprecise dates leave lifecycle or schedule open. */
  uncertain: boolean
  dates: StatusDates
  rebaselines: number
  forecastPushes: number
  /** Its facts contradict each other; undefined references apart. */
  isConflicted: boolean
  membership: Membership
}

/** Days from `from` to before `to` (null: for ever). */
export type Period = Content & {
  from: Day
  to: Day | null
  /** Position of the event that began its status, in this period or before; null where a due day that passed did. */
  begunBy: number | null
}

/** What a state belongs to; the same object as before where that says the same, since most of a timeline does. */
function membershipOf({ programme, themes, parties }: CommitmentState, before: Membership | null): Membership {
  const isSame = before?.programme === programme && before.themes === themes && before.parties === parties
  return isSame ? before : { programme, themes, parties }
}

function contentAt(states: States, day: Day, hasDiffering: boolean, before: Membership | null): Content {
  const { latest } = states
  const dates = statusDates(latest)
  const status = statusAt(dates, day)
  return {
    code: encodeStatus(status),
    uncertain: isUncertain(states, status, day),
    dates,
    rebaselines: Math.max(0, latest.baselines.length - 1),
    forecastPushes: latest.forecastPushes,
    isConflicted: hasDiffering || hasFactConflict(latest, dates, day),
    membership: membershipOf(latest, before),
  }
}

function isSameMembership(a: Membership, b: Membership): boolean {
  return a === b || (a.programme === b.programme && isSameList(a.themes, b.themes) && isSameList(a.parties, b.parties))
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]))
}

function isSameDates(a: StatusDates, b: StatusDates): boolean {
  return (
    a.madeOn === b.madeOn &&
    a.originalDueOn === b.originalDueOn &&
    a.currentDueOn === b.currentDueOn &&
    a.forecastOn === b.forecastOn &&
    a.finishedOn === b.finishedOn
  )
}

/** True where two periods say the same of their days. */
export function isSameContent(a: Content, b: Content): boolean {
  return (
    a.code === b.code &&
    a.uncertain === b.uncertain &&
    a.rebaselines === b.rebaselines &&
    a.forecastPushes === b.forecastPushes &&
    a.isConflicted === b.isConflicted &&
    isSameDates(a.dates, b.dates) &&
    isSameMembership(a.membership, b.membership)
  )
}

function hasSameStatus(a: Content, b: Content): boolean {
  return showsSameStatus(a.code, b.code) && a.uncertain === b.uncertain
}

/** One of the two folds: the facts in order of (day, position), with the state after each. */
class Line {
  readonly dating: Dating
  readonly facts: CommitmentFact[] = []
  readonly states: (CommitmentState | null)[] = []

  constructor(dating: Dating) {
    this.dating = dating
  }

  /** How many facts come before a day. */
  before(day: Day): number {
    return this.#count((fact) => fact[this.dating] < day)
  }

  /** How many facts come before the day after a day. */
  upTo(day: Day): number {
    return this.#count((fact) => fact[this.dating] <= day)
  }

  /** True where no other fact of its day comes after it. */
  isLast(fact: CommitmentFact): boolean {
    return this.facts[this.upTo(fact[this.dating]) - 1] === fact
  }

  add(facts: readonly CommitmentFact[]): void {
    let first = this.facts.length
    for (const fact of facts) {
      const at = this.#count((other) => this.#compare(other, fact) < 0)
      this.facts.splice(at, 0, fact)
      first = Math.min(first, at)
    }
    this.states.length = first
    for (let index = first; index < this.facts.length; index += 1) this.states.push(this.#stateAfter(index))
  }

  #compare(a: CommitmentFact, b: CommitmentFact): number {
    return a[this.dating] - b[this.dating] || a.position - b.position
  }

  #stateAfter(index: number): CommitmentState | null {
    const fact = this.facts[index] as CommitmentFact
    const before = this.states[index - 1] ?? null
    if (!isOpening(fact)) return before && evolve(before, fact, this.dating)
    // A promise is folded first, whatever came into force before it, so everything that has arrived is folded again.
    const arrived = this.facts.slice(0, index + 1).sort((a, b) => a.position - b.position)
    return foldFacts(arrived, Number.POSITIVE_INFINITY, this.dating)
  }

  /** How many facts at the beginning pass a test that later ones do not. */
  #count(isBefore: (fact: CommitmentFact) => boolean): number {
    return leastWhere(0, this.facts.length, (index) => !isBefore(this.facts[index] as CommitmentFact))
  }
}

/** The members of each type that are due dates of baselines. */
const BASELINE_DATES = new Map<string, FieldPath[]>(
  Object.entries(COMMITMENT_EVENTS).map(([type, { data }]) => [
    type,
    meaningfulFields(data)
      .filter(({ meaning }) => meaning.kind === 'baselineDate')
      .map(({ path }) => path),
  ]),
)

/** The days on which a fact can change something: it comes into force by either dating, its due day comes or has passed. */
function breakDays({ type, data, on, firstOn }: CommitmentFact): Day[] {
  const dates = (BASELINE_DATES.get(type) ?? []).flatMap((path) => textsAt(data, path))
  return [on, firstOn, ...dates.flatMap(({ text }) => decisiveDays(lastDayOf(text)))]
}

/**
 * Builds the timeline of one commitment, kept up as facts become known one by one. A fact changes nothing before its
 * first day, so no fact makes it compute a long history anew.
 */
export class TimelineBuilder {
  /** In order and without a gap, from the first day on which it was made; empty where it is not known. */
  periods: readonly Period[] = []
  readonly #latest = new Line('on')
  /** The same line for as long as every date is a day: both folds are one then. */
  #earliest = this.#latest
  readonly #days: Day[] = []
  /** The one that was looked at last. */
  #membership: Membership | null = null
  /** The first day of a fact with a citation that says something else. */
  #differsFrom = Number.POSITIVE_INFINITY

  /** Takes in facts that have become known, in any order. */
  add(facts: readonly CommitmentFact[]): void {
    let from = Number.POSITIVE_INFINITY
    this.#fold(facts)
    for (const fact of facts) {
      for (const day of breakDays(fact)) this.#break(day)
      if (fact.citations.some(({ differs }) => differs !== undefined)) {
        this.#differsFrom = Math.min(this.#differsFrom, fact.on)
      }
      from = Math.min(from, fact.on, fact.firstOn)
    }
    const kept = this.periods.filter((period) => period.from < from)
    const last = this.#lastOfItsDay(facts)
    const found = last ? this.periods.filter((period) => period.from === from) : []
    this.periods = joined(
      kept,
      this.#periodsFrom(
        from,
        last,
        found.map((period) => ({ ...period })),
      ),
    )
  }

  #fold(facts: readonly CommitmentFact[]): void {
    this.#latest.add(facts)
    if (this.#earliest !== this.#latest) this.#earliest.add(facts)
    else if (facts.some((fact) => fact.on !== fact.firstOn)) {
      this.#earliest = new Line('firstOn')
      this.#earliest.add(this.#latest.facts)
    }
  }

  /** The fact, where it is one that comes last on its day: the others of the day, maybe thousands, stay as they were. */
  #lastOfItsDay(facts: readonly CommitmentFact[]): CommitmentFact | null {
    const [fact] = facts
    if (!fact || facts.length > 1 || fact.on !== fact.firstOn) return null
    return this.#latest.isLast(fact) && this.#earliest.isLast(fact) ? fact : null
  }

  #break(day: Day): void {
    const days = this.#days
    let at = days.length
    // New days are mostly late ones.
    while (at > 0 && (days[at - 1] as Day) > day) at -= 1
    if (days[at - 1] !== day) days.splice(at, 0, day)
  }

  /** The periods from a day on; with `last` only that fact of the day is still to come, and `found` is what the others made. */
  #periodsFrom(first: Day, last: CommitmentFact | null, found: Period[]): Period[] {
    const [latest, earliest] = [this.#latest, this.#earliest]
    let arrived = last ? latest.upTo(first) - 1 : latest.before(first)
    let arrivedEarly = last ? earliest.upTo(first) - 1 : earliest.before(first)
    let looked: { day: Day; states: States } | null = null
    const become = (day: Day, begunBy: number | null) => {
      const state = latest.states[arrived - 1]
      if (!state) return
      const states = { latest: state, earliest: earliest.states[arrivedEarly - 1] ?? state }
      // Thousands of reports on one day change nothing that is looked at here.
      const isSame = looked?.day === day && hasSameBasis(looked.states, states) && this.#differsFrom > day
      looked = { day, states }
      if (isSame) return
      const next = contentAt(states, day, this.#differsFrom <= day, this.#membership)
      this.#membership = next.membership
      const before = found.at(-1)
      if (before?.from !== day) found.push({ from: day, to: null, begunBy, ...next })
      // Of several facts on one day the last that changed the status began the period.
      else Object.assign(before, next, hasSameStatus(before, next) ? {} : { begunBy })
    }
    for (const day of this.#days) {
      if (day < first) continue
      if (!last || day > first) become(day, null)
      for (const position of positionsOn(day, latest, arrived, earliest, arrivedEarly)) {
        if (latest.facts[arrived]?.position === position && latest.facts[arrived]?.on === day) arrived += 1
        if (earliest.facts[arrivedEarly]?.position === position && earliest.facts[arrivedEarly]?.firstOn === day) {
          arrivedEarly += 1
        }
        become(day, position)
      }
    }
    return found
  }
}

/** The positions of the facts that come into force on a day by either dating, in order. */
function positionsOn(day: Day, latest: Line, from: number, earliest: Line, fromEarly: number): number[] {
  const positions: number[] = []
  for (let [at, atEarly] = [from, fromEarly]; ; ) {
    const [fact, early] = [latest.facts[at], earliest.facts[atEarly]]
    const position = fact?.on === day ? fact.position : Number.POSITIVE_INFINITY
    const positionEarly = early?.firstOn === day ? early.position : Number.POSITIVE_INFINITY
    const next = Math.min(position, positionEarly)
    if (next === Number.POSITIVE_INFINITY) return positions
    positions.push(next)
    if (position === next) at += 1
    if (positionEarly === next) atEarly += 1
  }
}

/** The parts of a state that a period is made of. */
const PERIOD_PARTS: readonly (CommitmentPart | null)[] = [
  'promise',
  'membership',
  'baselines',
  'forecast',
  'lifecycle',
  'claim',
  'mark',
  'reportedStatus',
]

/** The members of these parts; each is replaced, never changed, by a fact that moves it. */
// Safe: these are the keys of a record of all members.
const BASIS = (Object.keys(PART_OF) as (keyof CommitmentState)[]).filter((member) =>
  PERIOD_PARTS.includes(PART_OF[member]),
)

function hasSameBasis(a: States, b: States): boolean {
  return isSameBasis(a.latest, b.latest) && (isOne(a) && isOne(b) ? true : isSameBasis(a.earliest, b.earliest))
}

function isSameBasis(a: CommitmentState, b: CommitmentState): boolean {
  return BASIS.every((key) => a[key] === b[key])
}

function isOne({ latest, earliest }: States): boolean {
  return latest === earliest
}

/** Periods end to end; a day that changed nothing, all its facts taken together, begins none. What is given stays as it is. */
function joined(kept: readonly Period[], found: readonly Period[]): Period[] {
  const all = [...kept]
  let last = all.pop()
  for (const period of found) {
    if (last && isSameContent(last, period)) continue
    if (last) all.push(endingOn(last, period.from))
    // A status that goes on was begun by what began it, however often something else changes.
    last = last && hasSameStatus(last, period) ? { ...period, begunBy: last.begunBy } : period
  }
  return last ? [...all, endingOn(last, null)] : all
}

function endingOn(period: Period, to: Day | null): Period {
  return period.to === to ? period : { ...period, to }
}

/** The timeline of a commitment from its facts: its periods in order and without a gap, none where it is not known. */
export function timelineOf(facts: readonly CommitmentFact[]): readonly Period[] {
  const builder = new TimelineBuilder()
  builder.add(facts)
  return builder.periods
}

// What the answers about a register must be, worked out the slow way from its raw log and the text of
// docs/contract.md#figures: every question folds whole streams from scratch and counts with plain filters and sorts. It shares the fold of one
// commitment with the service, which has tests of its own, and nothing that adds commitments up.

import { type CommitmentAnswer, describe, RULES } from '../../src/domain/commitment/answer.ts'
import {
  type CommitmentFact,
  commitmentFacts,
  foldBoth,
  foldFacts,
  type States,
} from '../../src/domain/commitment/state.ts'
import { scheduleOf, verification } from '../../src/domain/commitment/status.ts'
import { REGISTER_STREAM, type StoredEvent } from '../../src/domain/event.ts'
import type { FigureName, ShareName } from '../../src/domain/figures.ts'
import { definedAt, namedAt, type RegisterState, registerAt } from '../../src/domain/register/state.ts'
import { redactedPositions, repairTarget, retractedIds } from '../../src/domain/repairs.ts'
import { type Day, dateRangeOf, dayOf, formatDay, LAST_DAY } from '../../src/kernel/plain-date.ts'

/** A commitment at the two clocks: what is answered about it, and the two days that no answer gives as a number. */
export type Member = { answer: CommitmentAnswer; madeOn: Day; finishedOn: Day | null }
export type Dimension = 'programme' | 'theme' | 'party'
export type Step = 'day' | 'week' | 'month' | 'quarter' | 'year'
type FigurePart = 'numerator' | 'denominator'
type Test = (member: Member) => boolean

// Figures (docs/contract.md#figures), over commitments in scope.

const delivered: Test = ({ answer }) => answer.lifecycle === 'delivered'
const originalDue = ({ answer }: Member): Day | null => {
  const latest = answer.dates.originalDue?.latest
  return typeof latest === 'string' ? dayOf(latest) : null
}
const planned: Test = (member) => originalDue(member) !== null
const due: Test = (member) => (originalDue(member) ?? Number.POSITIVE_INFINITY) <= dayOf(member.answer.asOf)
const kept: Test = (member) => delivered(member) && (member.finishedOn as Day) <= (originalDue(member) as Day)
const all: Test = () => true
const slipped =
  (against: 'original' | 'current'): Test =>
  (member) =>
    planned(member) && (delivered(member) || member.answer.schedule[against] === 'late')

/** Numerator and denominator of every figure that a list can be asked for. */
const FIGURES: Record<FigureName, [numerator: Test, denominator: Test]> = {
  inScope: [all, all],
  coverage: [all, all],
  delivered: [delivered, all],
  notDelivered: [({ answer }) => answer.lifecycle === 'notDelivered', all],
  late: [({ answer }) => answer.schedule.current === 'late', all],
  lateAgainstOriginal: [({ answer }) => answer.schedule.original === 'late', all],
  due: [due, all],
  missed: [(member) => due(member) && !kept(member), due],
  verified: [(member) => delivered(member) && member.answer.verification === 'verified', delivered],
  disputed: [(member) => delivered(member) && member.answer.verification === 'disputed', delivered],
  baselineExecutionIndex: [(member) => delivered(member) && planned(member), due],
  'slippageDays.original': [slipped('original'), slipped('original')],
  'slippageDays.current': [slipped('current'), slipped('current')],
  earnedSchedule: [(member) => delivered(member) && planned(member), planned],
}

const inScope: Test = ({ answer }) => answer.lifecycle !== 'withdrawn' && answer.lifecycle !== 'superseded'

/** The members that a figure counts, or counts out of. */
export function countedBy(figure: FigureName, part: FigurePart, members: readonly Member[]): Member[] {
  const [numerator, denominator] = FIGURES[figure]
  return members.filter(inScope).filter(part === 'numerator' ? numerator : denominator)
}

/** n / d with a number of decimals, half away from zero, in whole numbers; null where d is 0. */
function rounded(n: bigint, d: bigint, decimals: number): number | null {
  if (d === 0n) return null
  const size = (value: bigint) => (value < 0n ? -value : value)
  const scale = 10n ** BigInt(decimals)
  const digits = (2n * size(n) * scale + size(d)) / (2n * size(d))
  return Number(n < 0n === d < 0n ? digits : -digits) / Number(scale)
}

/** A decimal number as a fraction of whole numbers. */
function fraction(value: number): [bigint, bigint] {
  const [whole = '0', decimals = ''] = String(value).split('.')
  return [BigInt(whole + decimals), 10n ** BigInt(decimals.length)]
}

function percentOf(count: number, of: number): number | null {
  const [n, d] = fraction(of)
  return rounded(100n * BigInt(count) * d, n, 1)
}

function spread(days: readonly number[]) {
  const sorted = days.toSorted((a, b) => a - b)
  const of = sorted.length
  if (of === 0) return { mean: null, median: null, p90: null, max: null, of }
  const sum = sorted.reduce((total, value) => total + value, 0)
  const middle = sorted.slice(Math.ceil(of / 2) - 1, Math.floor(of / 2) + 1)
  const median = middle.reduce((total, value) => total + value, 0) / middle.length
  const atLeast90Percent = sorted.findIndex((_, index) => 10 * (index + 1) >= 9 * of)
  return { mean: rounded(BigInt(sum), BigInt(of), 1), median, p90: sorted[atLeast90Percent], max: sorted[of - 1], of }
}

/** The day after the start, as a fraction, on which the planned value reaches a count: it rises in lines between due days. */
function planReaches(dueDays: readonly number[], count: number): [bigint, bigint] {
  if (count === 0) return [0n, 1n]
  const value = (day: number) => dueDays.filter((dueDay) => dueDay <= day).length
  const corners = [...new Set(dueDays)].sort((a, b) => a - b)
  const next = corners.find((day) => value(day) >= count) as number
  const before = corners.findLast((day) => day < next)
  const [fromDay, fromValue] = before === undefined ? [0, 0] : [before, value(before)]
  const [rise, run] = [value(next) - fromValue, next - fromDay]
  return [BigInt(fromDay * rise + run * (count - fromValue)), BigInt(rise)]
}

function earnedSchedule(members: readonly Member[], asOf: Day) {
  const counted = countedBy('earnedSchedule', 'denominator', members)
  const frame = { count: counted.filter(delivered).length, of: counted.length }
  const start = Math.min(...counted.map(({ madeOn }) => madeOn))
  const actualDays = asOf - start
  if (counted.length === 0 || actualDays <= 0) {
    const nothing = { earnedDays: null, actualDays: null, varianceDays: null, spi: null }
    return { ...frame, ...nothing, estimateAtCompletionDays: null, forecastFinish: null }
  }
  // What was due before the start is planned at the start.
  const dueDays = counted.map((member) => Math.max(0, (originalDue(member) as Day) - start))
  const [n, d] = planReaches(dueDays, frame.count)
  const passed = BigInt(actualDays) * d
  const estimate: [bigint, bigint] = [BigInt(Math.max(...dueDays)) * passed, n]
  return {
    ...frame,
    earnedDays: rounded(n, d, 1),
    actualDays,
    varianceDays: rounded(n - passed, d, 1),
    spi: rounded(n, passed, 3),
    estimateAtCompletionDays: rounded(...estimate, 1),
    forecastFinish: finishAfter(start, ...estimate),
  }
}

/** The day on which n / d days after the start are over; null without an estimate, or where it cannot be written. */
function finishAfter(start: Day, n: bigint, d: bigint): string | null {
  if (d === 0n) return null
  const day = start + Number(n / d) + (n % d === 0n ? 0 : 1)
  return day > LAST_DAY ? null : formatDay(day)
}

/**
 * Every figure over these members, without the links; `scope` is what their one programme reports, `erased` how many have no
 * promise any longer.
 */
function figuresOver(members: readonly Member[], asOf: Day, scope: number | null, erased = 0) {
  const count = (figure: FigureName, part: FigurePart = 'numerator') => countedBy(figure, part, members).length
  const figure = (name: ShareName) => {
    const [counted, of] = [count(name), count(name, 'denominator')]
    return { count: counted, of, percent: percentOf(counted, of) }
  }
  const [kept, due] = [count('baselineExecutionIndex'), count('baselineExecutionIndex', 'denominator')]
  const slippage = (against: 'original' | 'current') =>
    spread(
      countedBy(`slippageDays.${against}`, 'numerator', members).map(
        ({ answer }) => answer.slippageDays[against] as number,
      ),
    )
  const shares: Record<ShareName, ReturnType<typeof figure>> = {
    delivered: figure('delivered'),
    notDelivered: figure('notDelivered'),
    late: figure('late'),
    lateAgainstOriginal: figure('lateAgainstOriginal'),
    due: figure('due'),
    missed: figure('missed'),
    verified: figure('verified'),
    disputed: figure('disputed'),
  }
  return {
    inScope: count('inScope'),
    ...shares,
    coverage:
      scope === null ? null : { count: count('inScope'), of: scope, percent: percentOf(count('inScope'), scope) },
    baselineExecutionIndex: { count: kept, of: due, value: rounded(BigInt(kept), BigInt(due), 3) },
    slippageDays: { original: slippage('original'), current: slippage('current') },
    earnedSchedule: earnedSchedule(members, asOf),
    excluded: {
      withdrawn: members.filter(({ answer }) => answer.lifecycle === 'withdrawn').length,
      superseded: members.filter(({ answer }) => answer.lifecycle === 'superseded').length,
      redacted: erased,
    },
  }
}

// Days.

/** The last day of the calendar step that holds a day; weeks end on Sunday. */
function lastOfStep(day: Day, step: Step): Day {
  const date = new Date(`${formatDay(day)}T00:00:00Z`)
  const [year, month, weekday] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDay()]
  const endOfMonth = (last: number) => Date.UTC(year, last + 1, 0) / 86_400_000
  switch (step) {
    case 'day':
      return day
    case 'week':
      return day + ((7 - weekday) % 7)
    case 'month':
      return endOfMonth(month)
    case 'quarter':
      return endOfMonth(month - (month % 3) + 2)
    case 'year':
      return endOfMonth(11)
  }
}

/** The last days of what these facts promise or expect. */
function dueDays(facts: readonly CommitmentFact[]): Day[] {
  const dates = facts.flatMap(({ data }) => {
    const { due, finish } = data as { due?: string; finish?: string }
    return [due, finish].map((text) => (text === undefined ? null : dateRangeOf(text).last))
  })
  return dates.filter((day) => day !== null)
}

/** Every day on which a status can change: any day that a fact names, and the days beside it. */
function daysOfInterest(facts: readonly CommitmentFact[]): Day[] {
  const named = [...facts.flatMap((fact) => [fact.on, fact.firstOn]), ...dueDays(facts)]
  return [...new Set(named.flatMap((day) => [day - 1, day, day + 1]))].sort((a, b) => a - b)
}

function statusOf(states: States | null, asOf: Day) {
  if (!states) return null
  const { latest } = states
  return { lifecycle: latest.lifecycle, schedule: scheduleOf(states, asOf), verification: verification(latest) }
}
type Status = NonNullable<ReturnType<typeof statusOf>>

function isSame(a: Status | null, b: Status | null): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The status on a day when of that day's facts only those up to a position have come into force. */
function statusUpTo(facts: readonly CommitmentFact[], day: Day, position: number): Status | null {
  const inForce = (dating: 'on' | 'firstOn') =>
    facts.filter((fact) => fact[dating] < day || (fact[dating] === day && fact.position <= position))
  const latest = foldFacts(inForce('on'), day)
  return statusOf(latest && { latest, earliest: foldFacts(inForce('firstOn'), day, 'firstOn') ?? latest }, day)
}

/** What began the status of a day: the last fact of that day that changed it, else the due day that passed before it. */
function beginner(facts: readonly CommitmentFact[], day: Day) {
  const ofDay = facts.filter((fact) => fact.on === day || fact.firstOn === day)
  const changing = ofDay.filter(
    ({ position }) => !isSame(statusUpTo(facts, day, position - 1), statusUpTo(facts, day, position)),
  )
  const last = changing.at(-1)
  return last ? { event: last.position } : { dueOn: formatDay(day - 1) }
}

// The answers.

export type Oracle = ReturnType<typeof createOracle>

/** The oracle of a register, from every event of its log in order of position. */
export function createOracle(register: string, log: readonly StoredEvent[]) {
  const own = log.filter(({ stream }) => stream === REGISTER_STREAM)
  const streams = Map.groupBy(
    log.filter(({ stream }) => stream !== REGISTER_STREAM),
    ({ stream }) => stream,
  )
  // Kept for the size asked about last: folding is what is to be slow here, not reading dates.
  let registers = new Map<number, RegisterState>()
  let facts = new Map<string, CommitmentFact[]>()
  const stateAt = (size: number): RegisterState => {
    const state = registers.get(size) ?? registerAt(own, size)
    if (registers.size > 50) registers = new Map()
    registers.set(size, state)
    return state
  }
  const factsAt = (id: string, size: number): CommitmentFact[] => {
    const { timeZone } = stateAt(size)
    const key = `${id} ${size}`
    const known = facts.get(key) ?? commitmentFacts(streams.get(id) ?? [], { size, timeZone })
    if (facts.size > 1_000) facts = new Map()
    facts.set(key, known)
    return known
  }
  const knownAt = (size: number) => {
    const last = log[size - 1]
    return { size, recordedAt: last ? new Date(last.recordedAt).toISOString() : null }
  }

  const member = (id: string, asOf: Day, size: number): Member[] => {
    const states = foldBoth(factsAt(id, size), asOf)
    if (!states) return []
    const { made, claim } = states.latest
    const known = (streams.get(id) ?? []).filter(({ position }) => position < size)
    const described = { id, revision: known.length, redacted: redactedPositions(known), states }
    const answer = describe(described, { asOf, knownAt: knownAt(size), register: stateAt(size) })
    return [{ answer, madeOn: made.on, finishedOn: claim && !claim.partial ? claim.on : null }]
  }

  /** Every commitment that is known and made, in order of id. */
  const commitments = (asOf: Day, size: number): Member[] =>
    [...streams.keys()].sort().flatMap((id) => member(id, asOf, size))

  const narrowed = (members: readonly Member[], programmes: readonly string[]) =>
    programmes.length === 0 ? [...members] : members.filter(({ answer }) => programmes.includes(answer.programme ?? ''))

  const scopeOf = (programme: string, asOf: Day, size: number) =>
    definedAt(stateAt(size).programmes.get(programme), asOf)?.data.scope?.value ?? null

  const figures = (asOf: Day, size: number, programmes: readonly string[] = []) => {
    const [one, ...others] = programmes
    const scope = one !== undefined && others.length === 0 ? scopeOf(one, asOf, size) : null
    const erased = programmes.length === 0 ? erasedPromises(asOf, size) : 0
    return figuresOver(narrowed(commitments(asOf, size), programmes), asOf, scope, erased)
  }

  /** How many commitments are promised by what was erased, and by nothing that is in force. */
  const erasedPromises = (asOf: Day, size: number): number => {
    const isErased = (events: readonly StoredEvent[]) => {
      const retracted = retractedIds(events)
      return events.some(({ id, type, salt }) => type === 'CommitmentMade' && salt === null && !retracted.has(id))
    }
    return [...streams].filter(
      ([id, events]) =>
        isErased(events.filter(({ position }) => position < size)) && member(id, asOf, size).length === 0,
    ).length
  }

  /** The type of the fact that an event says something of: its own, or that of what it corrects. */
  const factType = (event: StoredEvent) => log.find(({ id }) => id === repairTarget(event))?.type ?? event.type

  /**
   * The positions that an answer lost by: of definitions and reports of these types, and of the commitments that on any day
   * belong to what is asked for, or may have.
   */
  const losses = (size: number, types: readonly string[], belongs: ((answer: CommitmentAnswer) => boolean) | null) => {
    const lost = log.filter(
      ({ position }) => position < size && redactedPositions([log[position] as StoredEvent]).length > 0,
    )
    const mayBelong = (id: string) => {
      const said = lost.filter(({ stream }) => stream === id).map(factType)
      if (said.includes('CommitmentMade') || said.includes('CommitmentAmended')) return true
      const answers = daysOfInterest(factsAt(id, size)).flatMap((day) => member(id, day, size))
      return answers.length === 0 || answers.some(({ answer }) => belongs === null || belongs(answer))
    }
    const isLost = (event: StoredEvent) =>
      event.stream === REGISTER_STREAM ? types.includes(factType(event)) : belongs === null || mayBelong(event.stream)
    const redacted = lost.filter(isLost).map(({ position }) => position)
    return { redacted, redactedCount: redacted.length }
  }

  /** What summaries, series and differences of some programmes lost. */
  const lossesOf = (size: number, programmes: readonly string[]) =>
    losses(
      size,
      ['RegisterOpened', 'PartyAdded', 'ProgrammeDefined'],
      programmes.length === 0 ? null : ({ programme }) => programmes.includes(programme ?? ''),
    )

  const groups = (asOf: Day, size: number, programmes: readonly string[], by: Dimension) => {
    const { programmes: definedProgrammes, parties } = stateAt(size)
    const members = narrowed(commitments(asOf, size), programmes)
    const keysOf = ({ answer }: Member): (string | null)[] => {
      const keys = by === 'programme' ? [answer.programme] : by === 'theme' ? answer.themes : answer.parties
      return keys.length === 0 ? [null] : keys
    }
    const definitions = by === 'theme' ? new Map() : by === 'programme' ? definedProgrammes : parties
    const defined = [...definitions.keys()].filter((id) => definedAt<unknown>(definitions.get(id), asOf))
    const keys = new Set([...(programmes.length === 0 ? defined : []), ...members.flatMap(keysOf)])
    const named = [...keys].filter((key) => key !== null).sort()
    return [...named, ...(keys.has(null) ? [null] : [])].map((key) => ({
      by,
      key,
      title: key === null ? null : titleOf(by, key, asOf, size),
      ...figuresOver(
        members.filter((member) => keysOf(member).includes(key)),
        asOf,
        by === 'programme' && key !== null ? scopeOf(key, asOf, size) : null,
      ),
    }))
  }

  const titleOf = (by: Dimension, key: string, asOf: Day, size: number): string | null => {
    const { programmes, parties } = stateAt(size)
    if (by === 'theme') return null
    if (by === 'party') return namedAt(parties.get(key), asOf)?.data.name ?? null
    return namedAt(programmes.get(key), asOf)?.data.title ?? null
  }

  /** The summary without its groups, as items of a series have it. */
  const item = (asOf: Day, size: number, programmes: readonly string[]) => ({
    register,
    asOf: formatDay(asOf),
    knownAt: knownAt(size),
    rules: RULES,
    ...figures(asOf, size, programmes),
  })

  const statusAt = (id: string, asOf: Day, size: number) => statusOf(foldBoth(factsAt(id, size), asOf), asOf)

  return {
    log,
    commitments,
    /** One commitment; null where it is not known. */
    commitment: (id: string, asOf: Day, size: number): CommitmentAnswer | null =>
      member(id, asOf, size)[0]?.answer ?? null,
    knownAt,
    /** The ids of all streams of commitments, known or not. */
    ids: [...streams.keys()].sort(),

    /** The summary without links. */
    summary: (asOf: Day, size: number, programmes: readonly string[], groupBy: readonly Dimension[]) => ({
      ...item(asOf, size, programmes),
      ...lossesOf(size, programmes),
      groups: groupBy.flatMap((by) => groups(asOf, size, programmes, by)),
    }),

    /** The items of a series: one for the last day of each step within from..to, and one for `to`. */
    series(from: Day, to: Day, step: Step, size: number, programmes: readonly string[]) {
      const days: Day[] = []
      for (let day = from; day <= to; day += 1) if (lastOfStep(day, step) === day || day === to) days.push(day)
      return days.map((day) => item(day, size, programmes))
    },

    /** The periods of a commitment, found by folding it on each of these days. */
    timeline(id: string, size: number, days: readonly Day[] = daysOfInterest(factsAt(id, size))) {
      const periods: (Status & { from: string; to: string | null; begunBy: ReturnType<typeof beginner> })[] = []
      let before: Status | null = null
      for (const day of days) {
        const status = statusAt(id, day, size)
        if (!status || isSame(before, status)) continue
        before = status
        const [last, from] = [periods.at(-1), formatDay(day)]
        if (last) last.to = from
        periods.push({ from, to: null, ...status, begunBy: beginner(factsAt(id, size), day) })
      }
      return periods
    },

    /**
     * Each commitment that stands otherwise at two sizes, or belongs to another programme: how before, how after, and the
     * positions of the events between them that changed it when they came.
     */
    difference(asOf: Day, from: number, to: number, programmes: readonly string[]) {
      const standing = (id: string, size: number) => {
        const status = statusAt(id, asOf, size)
        return status && { ...status, programme: member(id, asOf, size)[0]?.answer.programme ?? null }
      }
      const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
      return [...streams.keys()].sort().flatMap((id) => {
        const [before, after] = [standing(id, from), standing(id, to)]
        const isAmong = [before, after].some((one) => one && programmes.includes(one.programme ?? ''))
        if (isSame(before, after) || (programmes.length > 0 && !isAmong)) return []
        const title = (member(id, asOf, to)[0] ?? member(id, asOf, from)[0])?.answer.title
        const because = log
          .slice(from, to)
          .filter(({ stream }) => stream === id || stream === REGISTER_STREAM)
          .filter(({ position }) => !isSame(standing(id, position), standing(id, position + 1)))
        return [{ id, title, before, after, because }]
      })
    },
    figures,
    losses,
    lossesOf,

    /** Days worth asking about, as known at a size: each that is due or expected, and each of a commitment's facts. */
    dueDays: (size: number): Day[] => [...streams.keys()].sort().flatMap((id) => dueDays(factsAt(id, size))),
    factDays: (id: string, size: number): Day[] => factsAt(id, size).map(({ on }) => on),
  }
}

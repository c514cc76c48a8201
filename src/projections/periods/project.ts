// The projection `periods`, its pure part: the events of one commitment become the versions of its timeline, one for each
// event that changed it.

import { commitmentFacts } from '../../domain/commitment/state.ts'
import { isSameContent, type Period, TimelineBuilder } from '../../domain/commitment/timeline.ts'
import type { EventToFold } from '../../domain/event.ts'
import { countStatus, type TallyKey } from '../../domain/portfolio/tally.ts'
import { isRepair, type Knowledge, readingOf } from '../../domain/repairs.ts'
import type { Day } from '../../kernel/plain-date.ts'

/** A commitment's timeline from a size on. */
export type TimelineVersion = {
  id: string
  knownFrom: number
  isFirst: boolean
  periods: readonly Period[]
  before: readonly Period[]
}

function isSamePeriod(a: Period, b: Period | undefined): boolean {
  if (a === b) return true
  return b !== undefined && a.from === b.from && a.to === b.to && a.begunBy === b.begunBy && isSameContent(a, b)
}

function isSameTimeline(a: readonly Period[], b: readonly Period[]): boolean {
  return a.length === b.length && a.every((period, index) => isSamePeriod(period, b[index]))
}

/** A timeline that follows what becomes known of one commitment. */
class KnownTimeline {
  readonly #events: readonly EventToFold[]
  #builder = new TimelineBuilder()

  constructor(events: readonly EventToFold[]) {
    this.#events = events
  }

  get periods(): readonly Period[] {
    return this.#builder.periods
  }

  /** All that is known, from the beginning. */
  begin(knowledge: Knowledge): void {
    const known = this.#events.filter(({ position }) => position < knowledge.size)
    this.#builder = new TimelineBuilder()
    this.#builder.add(commitmentFacts(known, knowledge))
  }

  /** One more event; what is no plain fact can change any of those before it. */
  learn(event: EventToFold | undefined, knowledge: Knowledge): void {
    if (!event || isRepair(event.type)) this.begin(knowledge)
    // What was erased says nothing.
    else if (event.salt !== null) this.#builder.add(commitmentFacts([event], knowledge))
  }
}

/**
 * The versions that the knowledges beyond `from` bring, in order of size, from all events of the stream. `zones` are the
 * sizes from which the register's facts are dated in a time zone, in order; the first is that at `from`. Throws
 * UnreadableEventError.
 */
export function timelineVersions(id: string, events: readonly EventToFold[], growth: Growth): TimelineVersion[] {
  return readingOf(events, (readable) => versionsOf(id, readable, growth))
}

type Growth = { from: number; size: number; zones: readonly Knowledge[] }

function versionsOf(id: string, events: readonly EventToFold[], { from, size, zones }: Growth): TimelineVersion[] {
  const grown = new Map(events.map((event) => [event.position + 1, event]))
  const redated = zones.slice(1).map((zone) => zone.size)
  const moments = [...new Set([...grown.keys(), ...redated])].filter((at) => at > from && at <= size)
  const zoneAt = (at: number) => zones.findLast((zone) => zone.size <= at)?.timeZone ?? (zones[0]?.timeZone as string)
  const versions: TimelineVersion[] = []
  // From the moment that it was first made a commitment has a row, though it may be an empty timeline by now.
  let hasEarlier = events.some(
    ({ position, type, occurredOn }) => position < from && type === 'CommitmentMade' && occurredOn !== null,
  )
  const timeline = new KnownTimeline(events)
  timeline.begin({ size: from, timeZone: zoneAt(from) })
  for (const knownFrom of moments.sort((a, b) => a - b)) {
    const before = timeline.periods
    const knowledge = { size: knownFrom, timeZone: zoneAt(knownFrom) }
    if (redated.includes(knownFrom)) timeline.begin(knowledge)
    else timeline.learn(grown.get(knownFrom), knowledge)
    if (isSameTimeline(before, timeline.periods)) continue
    versions.push({ id, knownFrom, isFirst: !hasEarlier, periods: timeline.periods, before })
    hasEarlier = true
  }
  return versions
}

/** One change of a sum: from a day on, so many more (or fewer) of a key among those of a membership. */
export type TallyChange = { day: Day; membership: number; key: TallyKey; difference: number }

/** What a version changes in the tallies, in order of day, membership and key; `numberOf` gives the number of a membership. */
export function tallyChanges(
  { periods, before }: TimelineVersion,
  numberOf: (period: Period) => number,
): TallyChange[] {
  const changes: TallyChange[] = []
  const add = (day: Day, membership: number, key: TallyKey, difference: number) => {
    changes.push({ day, membership, key, difference })
  }
  const count = (period: Period, sign: 1 | -1) => {
    const membership = numberOf(period)
    countStatus(period.dates, period.code, period.from, period.to, (key, from, to) => {
      add(from, membership, key, sign)
      if (to !== null) add(to, membership, key, -sign)
    })
  }
  // Periods that stay as they were cancel out; most of a timeline does.
  const [first, last] = sameEnds(before, periods)
  for (const period of before.slice(first, before.length - last)) count(period, -1)
  for (const period of periods.slice(first, periods.length - last)) count(period, 1)
  return summedUp(changes)
}

/** The changes in order of day, membership and key, those of the same three as one, and none where they cancel out. */
function summedUp(changes: TallyChange[]): TallyChange[] {
  changes.sort((a, b) => a.day - b.day || a.membership - b.membership || a.key - b.key)
  const summed: TallyChange[] = []
  for (const change of changes) {
    const last = summed.at(-1)
    if (last && last.day === change.day && last.membership === change.membership && last.key === change.key)
      last.difference += change.difference
    else summed.push(change)
  }
  return summed.filter(({ difference }) => difference !== 0)
}

function isSameCount(a: Period | undefined, b: Period | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.from === b.from && a.to === b.to && isSameContent(a, b))
}

/** How many periods two timelines have in common at their beginning, and then at their end. */
function sameEnds(a: readonly Period[], b: readonly Period[]): [number, number] {
  const most = Math.min(a.length, b.length)
  let first = 0
  while (first < most && isSameCount(a[first], b[first])) first += 1
  let last = 0
  while (last < most - first && isSameCount(a.at(-1 - last), b.at(-1 - last))) last += 1
  return [first, last]
}

// One commitment's status through time, as known at a size: a period for each stretch of days with the same status, begun
// by the event or by the due day that changed it.

import { z } from 'zod'
import { type Day, formatDay, LAST_DAY, lastDayOf } from '../../kernel/plain-date.ts'
import { LIFECYCLES, VERIFICATIONS, verification } from '../portfolio/status.ts'
import { scheduleAnswer, scheduleOf } from './answer.ts'
import { type CommitmentFact, type CommitmentState, type Dating, evolve, foldFacts, type States } from './state.ts'

export const periodAnswer = z
  .strictObject({
    from: z.string().meta({ description: 'First day of the period' }),
    to: z.string().nullable().meta({ description: 'First day after the period; null while it lasts' }),
    lifecycle: z.enum(LIFECYCLES),
    schedule: scheduleAnswer,
    verification: z.enum(VERIFICATIONS),
    begunBy: z.union([
      z.strictObject({ event: z.int().meta({ description: 'Position of the event' }) }),
      z.strictObject({ dueOn: z.string().meta({ description: 'The due day that passed' }) }),
    ]),
  })
  .meta({ id: 'Period' })

export type Period = z.output<typeof periodAnswer>
type Status = Pick<Period, 'lifecycle' | 'schedule' | 'verification'>

function statusAt(states: States, asOf: Day): Status {
  return {
    lifecycle: states.latest.lifecycle,
    schedule: scheduleOf(states, asOf),
    verification: verification(states.latest),
  }
}

function isSame(a: Status, b: Status): boolean {
  return (
    a.lifecycle === b.lifecycle &&
    a.verification === b.verification &&
    a.schedule.original === b.schedule.original &&
    a.schedule.current === b.schedule.current &&
    a.schedule.uncertain === b.schedule.uncertain
  )
}

/** One of the two folds, advanced fact by fact in order of day. */
type Cursor = { dating: Dating; arrived: CommitmentFact[]; state: CommitmentState | null }

function arrive(cursor: Cursor, fact: CommitmentFact): void {
  cursor.arrived.push(fact)
  if (fact.type !== 'CommitmentMade') {
    cursor.state &&= evolve(cursor.state, fact, cursor.dating)
    return
  }
  // A promise is folded first, whatever came into force before it, so everything that has arrived is folded again.
  const byPosition = cursor.arrived.toSorted((a, b) => a.position - b.position)
  cursor.state = foldFacts(byPosition, Number.POSITIVE_INFINITY, cursor.dating)
}

/** The days on which the status can change, in order: a fact comes into force by either dating, or a due day has passed. */
function breakDays(facts: readonly CommitmentFact[]): Day[] {
  const days = new Set<Day>()
  for (const fact of facts) {
    days.add(fact.on).add(fact.firstOn)
    const due = dueOf(fact)
    if (due !== undefined && lastDayOf(due) < LAST_DAY) days.add(lastDayOf(due) + 1)
  }
  return [...days].sort((a, b) => a - b)
}

function dueOf(fact: CommitmentFact): string | undefined {
  return fact.type === 'CommitmentMade' || fact.type === 'CommitmentRebaselined' ? fact.data.due : undefined
}

function factsByDay(facts: readonly CommitmentFact[]): Map<Day, CommitmentFact[]> {
  const byDay = new Map<Day, CommitmentFact[]>()
  for (const fact of facts) {
    for (const day of new Set([fact.on, fact.firstOn])) byDay.set(day, [...(byDay.get(day) ?? []), fact])
  }
  return byDay
}

/**
 * The periods of a commitment, from the first day on which it was made, in order and without a gap, from its facts in order
 * of position. `to` is exclusive: the `from` of the next. Empty where it is not known.
 */
export function timeline(facts: readonly CommitmentFact[]): Period[] {
  const periods: Period[] = []
  const latest: Cursor = { dating: 'on', arrived: [], state: null }
  const earliest: Cursor = { dating: 'firstOn', arrived: [], state: null }
  const byDay = factsByDay(facts)
  let status: Status | null = null
  const become = (day: Day, begunBy: Period['begunBy']) => {
    const next = latest.state && statusAt({ latest: latest.state, earliest: earliest.state ?? latest.state }, day)
    if (!next || (status && isSame(status, next))) return
    status = next
    const last = periods.at(-1)
    const from = formatDay(day)
    // Of several facts on one day the last that changed the status began the period.
    if (last?.from === from) periods.pop()
    else if (last) last.to = from
    periods.push({ from, to: null, ...next, begunBy })
  }
  for (const day of breakDays(facts)) {
    become(day, { dueOn: formatDay(day - 1) })
    for (const fact of byDay.get(day) ?? []) {
      if (fact.on === day) arrive(latest, fact)
      if (fact.firstOn === day) arrive(earliest, fact)
      become(day, { event: fact.position })
    }
  }
  return merged(periods)
}

/** Facts of one day can cancel each other: a period like the one before it is no period. */
function merged(periods: readonly Period[]): Period[] {
  const kept: Period[] = []
  for (const period of periods) {
    const last = kept.at(-1)
    if (last && isSame(last, period)) last.to = period.to
    else kept.push(period)
  }
  return kept
}

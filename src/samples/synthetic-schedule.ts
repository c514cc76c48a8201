// When a made-up commitment was promised, due and finished. All due days are ends of months, so that a due can be written
// as a month or as a day and be due on the same day.

import { type Day, dayOf, formatDay } from '../kernel/plain-date.ts'
import type { Random } from './random.ts'

/** How a commitment stands at the status date: delivered, past its current due day, or due after all that is asked about. */
export type PlannedOutcome = 'delivered' | 'late' | 'ahead'

export type SyntheticSchedule = {
  madeOn: Day
  originalDue: Day
  /** New due days in order, each with the day on which it was agreed. */
  rebaselines: readonly { on: Day; due: Day }[]
  currentDue: Day
  finishedOn: Day | null
}

/** What lies ahead is due after this day, so that a summary holds until then. */
const QUIET_UNTIL = dayOf('2035-12-31')

/** No schedule begins more days than this before the status date. */
export const HISTORY_DAYS = 2400

/** A schedule of that outcome at `asOf`: due days of the delivered and the late lie before it, in every baseline. */
export function syntheticSchedule(random: Random, outcome: PlannedOutcome, asOf: Day): SyntheticSchedule {
  if (outcome === 'ahead') return aheadSchedule(random, asOf)
  const currentDue = endOfMonth(asOf - random.int(1, outcome === 'late' ? 400 : 1000))
  const finishedOn = outcome === 'late' ? null : finishOf(random, currentDue, asOf)
  const shifts = outcome === 'late' ? Number(random.chance(0.35)) : rebaselineCount(random)
  return pastSchedule(random, currentDue, shifts, finishedOn)
}

/** The day itself where it ends its month, else the last day of the month before. */
function endOfMonth(onOrBefore: Day): Day {
  return dayOf(`${formatDay(onOrBefore + 1).slice(0, 7)}-01`) - 1
}

function rebaselineCount(random: Random): number {
  if (!random.chance(0.15)) return 0
  return random.chance(0.3) ? 2 : 1
}

/** A fifth early, half on time (on the due day or in the week before), the rest late: half of these by a month at most. */
function finishOf(random: Random, due: Day, asOf: Day): Day {
  const draw = random.int(1, 100)
  if (draw <= 20) return due - random.int(8, 60)
  if (draw <= 70) return due - random.int(0, 7)
  return due + random.int(1, Math.min(random.chance(0.5) ? 30 : 200, asOf - due))
}

/**
 * Told backwards from the current due day. Each due day lies at least 75 days after the one before, which was replaced
 * at least 10 days ahead. So no rebaseline falls after a delivery, which is at most 60 days early.
 */
function pastSchedule(random: Random, currentDue: Day, shifts: number, finishedOn: Day | null): SyntheticSchedule {
  const rebaselines: { on: Day; due: Day }[] = []
  let due = currentDue
  for (let shift = 0; shift < shifts; shift += 1) {
    const before = endOfMonth(due - random.int(75, 200))
    rebaselines.unshift({ on: before - random.int(10, 60), due })
    due = before
  }
  return { madeOn: due - random.int(150, 700), originalDue: due, rebaselines, currentDue, finishedOn }
}

function aheadSchedule(random: Random, asOf: Day): SyntheticSchedule {
  const madeOn = asOf - random.int(120, 1500)
  const originalDue = endOfMonth(QUIET_UNTIL + random.int(31, 1800))
  const moved = endOfMonth(originalDue + random.int(90, 400))
  const rebaselines = random.chance(0.1) ? [{ on: asOf - random.int(0, 60), due: moved }] : []
  return { madeOn, originalDue, rebaselines, currentDue: rebaselines[0]?.due ?? originalDue, finishedOn: null }
}

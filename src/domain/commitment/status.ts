// The three axes of status, as of a day: lifecycle from the fold, schedule and verification derived from it. What a due date
// decides on which day is said here and nowhere else.

import { type Day, LAST_DAY } from '../../kernel/plain-date.ts'
import type { Lifecycle, Schedule, Verification } from '../axes.ts'
import { type Against, type Countable, DUE_MARKS, type DueMark } from '../figures.ts'
import { type Baseline, type CommitmentState, isClosed, type States } from './state.ts'

/** Where one commitment stands: all that its status and every figure need, on any day while no further fact comes into force. */
export type StatusDates = {
  lifecycle: Lifecycle
  verification: Verification
  madeOn: Day
  /** d0, dk, f and a of docs/contract.md#status: last days of the original and current baseline and the forecast, actual finish. */
  originalDueOn: Day | null
  currentDueOn: Day | null
  forecastOn: Day | null
  finishedOn: Day | null
}

/** The standing full claim; null where there is none. */
export function fullClaim(state: CommitmentState): CommitmentState['claim'] {
  return state.claim && !state.claim.partial ? state.claim : null
}

/** The number of the baseline in force: the last one on the day of delivery, or the last one where not delivered; -1 for none. */
export function currentBaselineIndex(state: CommitmentState): number {
  const delivered = fullClaim(state)
  if (!delivered) return state.baselines.length - 1
  // Number 0 is in force whenever it came: without it there would be nothing to measure the delivery against.
  return Math.max(
    state.baselines.findLastIndex((baseline) => baseline.on <= delivered.on),
    Math.min(0, state.baselines.length - 1),
  )
}

/** The baseline in force on the day of delivery, or now; null where there never was a due date. */
export function currentBaseline(state: CommitmentState): Baseline | null {
  return state.baselines[currentBaselineIndex(state)] ?? null
}

export function verification(state: CommitmentState): Verification {
  if (!state.claim) return 'none'
  return state.mark?.kind ?? 'claimed'
}

export function statusDates(state: CommitmentState): StatusDates {
  return {
    lifecycle: state.lifecycle,
    verification: verification(state),
    madeOn: state.made.on,
    originalDueOn: state.baselines[0]?.dueOn ?? null,
    currentDueOn: currentBaseline(state)?.dueOn ?? null,
    forecastOn: state.forecast?.finishOn ?? null,
    finishedOn: fullClaim(state)?.on ?? null,
  }
}

function dueOnOf({ originalDueOn, currentDueOn }: StatusDates, against: Against): Day | null {
  return against === 'original' ? originalDueOn : currentDueOn
}

/** The schedule against the original or the current baseline, as of a day: the first that applies. */
export function schedule(dates: StatusDates, against: Against, asOf: Day): Schedule {
  const dueOn = dueOnOf(dates, against)
  if (isClosed(dates.lifecycle)) return 'closed'
  if (dueOn === null) return 'noDueDate'
  if (dates.finishedOn !== null) return dates.finishedOn <= dueOn ? 'deliveredOnTime' : 'deliveredLate'
  if (asOf >= dueOn + LATE_AFTER_DAYS) return 'late'
  return dates.forecastOn !== null && dates.forecastOn > dueOn ? 'forecastLate' : 'onSchedule'
}

/** On its due day a commitment is not late yet. */
const LATE_AFTER_DAYS = 1

// Safe: the table has these entries.
const MARKS = Object.entries(DUE_MARKS) as [DueMark, { against: Against; afterDays: number }][]
const DAYS_AFTER = [...new Set([LATE_AFTER_DAYS, ...MARKS.map(([, { afterDays }]) => afterDays)])]

/** The days on which a due date changes what its commitment's status is or which figures count it. */
export function decisiveDays(dueOn: Day): Day[] {
  return DAYS_AFTER.map((days) => dueOn + days).filter((day) => day <= LAST_DAY)
}

/** Status dates, with what decides as of a day which figures count a commitment that has them. */
export function statusAt(dates: StatusDates, asOf: Day): StatusDates & Countable {
  // Safe: the marks follow. A list measures thousands of commitments, so nothing is copied twice.
  const status = {
    ...dates,
    schedule: { original: schedule(dates, 'original', asOf), current: schedule(dates, 'current', asOf) },
    hasDueDate: dates.originalDueOn !== null,
  } as StatusDates & Countable
  for (const [mark, { against, afterDays }] of MARKS) {
    const dueOn = dueOnOf(dates, against)
    status[mark] = dueOn !== null && dueOn + afterDays <= asOf
  }
  return status
}

/** The schedule as answers give it. */
type ScheduleStatus = { original: Schedule; current: Schedule; uncertain: boolean }

/**
 * The schedule against both baselines as of a day. `uncertain`: imprecise dates leave the status open, for folded by first
 * days, lifecycle or either schedule would be another.
 */
export function scheduleOf(states: States, asOf: Day): ScheduleStatus {
  const status = statusAt(statusDates(states.latest), asOf)
  return { ...status.schedule, uncertain: isUncertain(states, status, asOf) }
}

/** Whether imprecise dates leave a status open: that of `states.latest` as of a day. */
export function isUncertain({ latest, earliest }: States, status: Countable, asOf: Day): boolean {
  if (earliest === latest) return false
  const first = statusDates(earliest)
  return (
    first.lifecycle !== status.lifecycle ||
    schedule(first, 'original', asOf) !== status.schedule.original ||
    schedule(first, 'current', asOf) !== status.schedule.current
  )
}

// The three axes of status, as of a day: lifecycle from the fold, schedule and verification derived from it.

import type { Day } from '../../kernel/plain-date.ts'
import { type Baseline, type CommitmentState, isClosed, type Lifecycle, type States } from './state.ts'

export const LIFECYCLES = [
  'open',
  'suspended',
  'delivered',
  'partiallyDelivered',
  'notDelivered',
  'withdrawn',
  'superseded',
] as const satisfies Lifecycle[]

export const SCHEDULES = [
  'closed',
  'noDueDate',
  'deliveredOnTime',
  'deliveredLate',
  'late',
  'forecastLate',
  'onSchedule',
] as const
export type Schedule = (typeof SCHEDULES)[number]

export const VERIFICATIONS = ['none', 'claimed', 'verified', 'disputed'] as const
export type Verification = (typeof VERIFICATIONS)[number]

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

/** The schedule against the original or the current baseline, as of a day: the first that applies. */
export function schedule(dates: StatusDates, against: 'original' | 'current', asOf: Day): Schedule {
  const dueOn = against === 'original' ? dates.originalDueOn : dates.currentDueOn
  if (isClosed(dates.lifecycle)) return 'closed'
  if (dueOn === null) return 'noDueDate'
  if (dates.finishedOn !== null) return dates.finishedOn <= dueOn ? 'deliveredOnTime' : 'deliveredLate'
  if (asOf > dueOn) return 'late'
  return dates.forecastOn !== null && dates.forecastOn > dueOn ? 'forecastLate' : 'onSchedule'
}

/** The schedule as answers give it. */
type ScheduleStatus = { original: Schedule; current: Schedule; uncertain: boolean }

/**
 * The schedule against both baselines as of a day. `uncertain`: imprecise dates leave the status open, for folded by first
 * days, lifecycle or either schedule would be another.
 */
export function scheduleOf({ latest, earliest }: States, asOf: Day): ScheduleStatus {
  const last = statusDates(latest)
  const first = earliest === latest ? last : statusDates(earliest)
  const original = schedule(last, 'original', asOf)
  const current = schedule(last, 'current', asOf)
  const uncertain =
    first !== last &&
    (first.lifecycle !== last.lifecycle ||
      schedule(first, 'original', asOf) !== original ||
      schedule(first, 'current', asOf) !== current)
  return { original, current, uncertain }
}

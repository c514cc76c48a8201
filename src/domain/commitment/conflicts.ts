// What the record of one commitment says against itself.

import type { Day } from '../../kernel/plain-date.ts'
import type { Schedule } from '../axes.ts'
import { type Conflict, conflictOf, differingCitations, undefinedReference, undefinedSources } from '../conflict.ts'
import type { RegisterState } from '../register/state.ts'
import type { CommitmentState, ReportedStatus } from './state.ts'
import { currentBaselineIndex, type StatusDates, schedule } from './status.ts'

function contradicts(means: NonNullable<ReportedStatus['means']>, dates: StatusDates, current: Schedule): boolean {
  switch (means) {
    case 'delivered':
      return dates.lifecycle !== 'delivered'
    case 'notDelivered':
      return dates.lifecycle === 'delivered'
    case 'onSchedule':
      return current === 'late' || current === 'deliveredLate'
    case 'late':
      return current === 'onSchedule' || current === 'forecastLate' || current === 'deliveredOnTime'
  }
}

/** The reported status, where the derived one contradicts it. */
function contradictedStatus(state: CommitmentState, dates: StatusDates, asOf: Day): ReportedStatus | null {
  const reported = state.reportedStatus
  if (!reported?.means || reported.settled) return null
  return contradicts(reported.means, dates, schedule(dates, 'current', asOf)) ? reported : null
}

function reportedStatusConflict(state: CommitmentState, dates: StatusDates, asOf: Day): Conflict[] {
  const reported = contradictedStatus(state, dates, asOf)
  if (!reported) return []
  const current = schedule(dates, 'current', asOf)
  const detail = `reported as ${reported.means}; the record gives ${dates.lifecycle}, ${current}`
  return [conflictOf('status-differs', detail, [reported])]
}

function claimConflicts(state: CommitmentState): Conflict[] {
  const { claim, mark } = state
  if (!claim) return []
  const conflicts = claim.conflicting.map((further) =>
    conflictOf('delivery-days-differ', `delivered on ${claim.occurredOn}, or on ${further.occurredOn}`, [
      claim,
      further,
    ]),
  )
  if (mark?.kind === 'disputed') {
    conflicts.push(conflictOf('delivery-disputed', `claimed for ${claim.occurredOn}, disputed`, [claim, mark]))
  }
  return conflicts
}

/** The conflicts that one commitment's own facts hold, as of a day; undefined references are judged by `undefinedReferences`. */
export function conflictsOf(state: CommitmentState, dates: StatusDates, asOf: Day): Conflict[] {
  return [...differingCitations(state.citations), ...factConflicts(state, dates, asOf)]
}

/** The baselines that came into force after the full claim of a delivery; none where there is no such claim. */
function baselinesAfterDelivery(state: CommitmentState): CommitmentState['baselines'] {
  return state.claim && !state.claim.partial ? state.baselines.slice(currentBaselineIndex(state) + 1) : []
}

/** True where `factConflicts` finds any: without describing them, since every period of every timeline asks. */
export function hasFactConflict(state: CommitmentState, dates: StatusDates, asOf: Day): boolean {
  const { madeAgain, claim, mark } = state
  return (
    madeAgain.length > 0 ||
    (claim !== null && (claim.conflicting.length > 0 || mark?.kind === 'disputed')) ||
    contradictedStatus(state, dates, asOf) !== null ||
    baselinesAfterDelivery(state).length > 0
  )
}

/** The conflicts between facts: all but those of citations that differ. */
function factConflicts(state: CommitmentState, dates: StatusDates, asOf: Day): Conflict[] {
  const after = baselinesAfterDelivery(state)
  return [
    ...state.madeAgain.map((again) => conflictOf('made-twice', 'promised twice', [state.made, again])),
    ...claimConflicts(state),
    ...reportedStatusConflict(state, dates, asOf),
    ...(state.claim && after.length > 0
      ? [
          conflictOf('rebaselined-after-delivery', 'given a later baseline after it was delivered', [
            state.claim,
            ...after,
          ]),
        ]
      : []),
  ]
}

/** References of a commitment to what the register no longer defines, as known at the size of `register`. */
export function undefinedReferences(state: CommitmentState, register: RegisterState): Conflict[] {
  const isUndefined = state.programme !== null && !register.programmes.has(state.programme)
  return [
    ...(isUndefined ? [undefinedReference(`programme ${state.programme}`, [state.programmeBy])] : []),
    ...state.parties
      .filter((party) => !register.parties.has(party))
      .map((party) => undefinedReference(`party ${party}`, [state.partiesBy])),
    ...undefinedSources(state.citations, register),
  ]
}

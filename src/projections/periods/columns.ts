// The columns of a row of `periods`: the one list from which it is inserted and copied.

import type { Period } from '../../domain/commitment/timeline.ts'
import type { Columns } from '../core/columns.ts'
import { packChanges } from './changes.ts'
import { type TimelineVersion, tallyChanges } from './project.ts'

/** Whole numbers a period has in column `numbers`, and the flags of the last of them. */
export const NUMBERS = 8
export const UNCERTAIN = 1
export const CONFLICTED = 2

/** Gives the number of a period's membership. */
export type NumberOf = (period: Period) => number

/** The numbers of a period, as column `numbers` holds them. */
export function numbersOf({ dates, rebaselines, forecastPushes, uncertain, isConflicted }: Period) {
  const { madeOn, originalDueOn, currentDueOn, forecastOn, finishedOn } = dates
  const flags = (uncertain ? UNCERTAIN : 0) + (isConflicted ? CONFLICTED : 0)
  return [madeOn, originalDueOn, currentDueOn, forecastOn, finishedOn, rebaselines, forecastPushes, flags]
}

export function periodColumns(numberOf: NumberOf): Columns<'periods', TimelineVersion> {
  return {
    id: { type: 'text', value: ({ id }) => id },
    known_from: { type: 'bigint', value: ({ knownFrom }) => knownFrom },
    is_first: { type: 'boolean', value: ({ isFirst }) => isFirst },
    days: { type: 'integer[]', value: ({ periods }) => periods.map(({ from }) => from) },
    codes: { type: 'smallint[]', value: ({ periods }) => periods.map(({ code }) => code) },
    memberships: { type: 'integer[]', value: ({ periods }) => periods.map(numberOf) },
    begun_by: { type: 'bigint[]', value: ({ periods }) => periods.map(({ begunBy }) => begunBy) },
    numbers: { type: 'integer[]', value: ({ periods }) => periods.flatMap(numbersOf) },
    changes: { type: 'bytea', value: (version) => packChanges(tallyChanges(version, numberOf)) },
  }
}

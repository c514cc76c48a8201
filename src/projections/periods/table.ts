// The projection `periods`, its dumb part: the columns of its rows, and writing them. Decides nothing.

import type { Queryable } from '../../database/pool.ts'
import type { Membership, Period } from '../../domain/commitment/timeline.ts'
import { type Columns, insertRows } from '../core/columns.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { packChanges } from './changes.ts'
import { contentHash, numberMemberships } from './memberships.ts'
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

/** The one list from which a row is inserted and copied. */
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

/** Writes versions of timelines, in order of size. */
export async function savePeriods(
  db: Queryable,
  build: RegisterBuild,
  versions: readonly TimelineVersion[],
): Promise<void> {
  if (versions.length === 0) return
  const hashes = new Map<Membership, string>()
  const memberships = new Map<string, Membership>()
  for (const { before, periods } of versions) {
    for (const { membership } of [...before, ...periods]) {
      if (hashes.has(membership)) continue
      const hash = contentHash(membership)
      hashes.set(membership, hash)
      if (!memberships.has(hash)) memberships.set(hash, membership)
    }
  }
  const numbers = await numberMemberships(db, build.register, memberships)
  // Safe: every membership of the versions was given its number above.
  const numberOf = ({ membership }: Period) => numbers.get(hashes.get(membership) as string) as number
  await insertRows(db, 'periods', build, periodColumns(numberOf), versions)
}

// The projection `periods`, its dumb part: writes rows, decides nothing.

import type { Queryable } from '../../database/pool.ts'
import type { Membership, Period } from '../../domain/commitment/timeline.ts'
import { insertRows } from '../core/columns.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { periodColumns } from './columns.ts'
import { contentHash, numberMemberships } from './memberships.ts'
import type { TimelineVersion } from './project.ts'

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

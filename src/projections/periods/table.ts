// The projection `periods`, its dumb part: writes rows, decides nothing.

import { hash } from 'node:crypto'
import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Membership, Period } from '../../domain/commitment/timeline.ts'
import { insertRows } from '../core/columns.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { periodColumns } from './columns.ts'
import type { TimelineVersion } from './project.ts'

/** What names a membership: SHA-256 of what it says. */
export function contentHash({ programme, themes, parties }: Membership): string {
  return hash('sha256', JSON.stringify([programme, themes, parties]), 'hex')
}

async function numbersByHash(db: Queryable, register: string, hashes: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql<{ hash: string; number: number }>`select encode(hash, 'hex') as hash, number
    from membership where register = ${register}
      and hash in (select decode(h, 'hex') from unnest(${[...hashes]}::text[]) h)`.execute(db)
  return new Map(rows.map(({ hash, number }) => [hash, number]))
}

/** How many memberships a register has numbered; nobody else gives out numbers before the transaction ends. */
async function lockMembershipCount(db: Queryable, register: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`insert into membership_count (register, count) values (${register}, 0)
    on conflict (register) do update set count = membership_count.count returning count`.execute(db)
  return rows[0]?.count as number
}

/**
 * The numbers of memberships by hash; new ones get the next numbers, in the order of the list. A transaction that
 * assigns numbers makes others wait for its end, so that there are no gaps.
 */
export async function numberMemberships(
  db: Queryable,
  register: string,
  memberships: ReadonlyMap<string, Membership>,
): Promise<Map<string, number>> {
  const known = await numbersByHash(db, register, [...memberships.keys()])
  if (known.size === memberships.size) return known
  const count = await lockMembershipCount(db, register)
  // Read again: the transaction that held the count before may have numbered the same ones.
  const numbers = await numbersByHash(db, register, [...memberships.keys()])
  const fresh = [...memberships].filter(([hash]) => !numbers.has(hash))
  const values = fresh.map(([hash, { programme, themes, parties }], index) => {
    numbers.set(hash, count + index)
    return { number: count + index, hash, programme, themes, parties }
  })
  await sql`insert into membership (register, number, programme, themes, parties, hash)
    select ${register}, number, programme, themes, parties, decode(hash, 'hex')
    from json_to_recordset(${JSON.stringify(values)}::json)
      as row (number integer, hash text, programme text, themes text[], parties text[])`.execute(db)
  await sql`update membership_count set count = ${count + fresh.length} where register = ${register}`.execute(db)
  return numbers
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

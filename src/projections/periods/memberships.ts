// What commitments belong to, by number: a dictionary that only grows, so what was read of it stays true. What no commitment
// belongs to any longer is redacted with what said so.

import { sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Queryable } from '../../database/pool.ts'
import type { Membership } from '../../domain/commitment/timeline.ts'
import { perDatabase } from '../core/per-database.ts'

/** What was read, and how often content had been redacted in the register by then. */
type Kept = { memberships: Membership[]; redactions: number }

const MAX_KEPT_REGISTERS = 50

const memory = perDatabase(() => new LRUCache<string, Kept>({ max: MAX_KEPT_REGISTERS }))

function keptOf(db: Queryable, register: string): Kept {
  const registers = memory(db)
  const own = registers.get(register) ?? { memberships: [], redactions: 0 }
  registers.set(register, own)
  return own
}

/** The memberships of a register; the index is the number. */
export async function readMemberships(db: Queryable, register: string): Promise<readonly Membership[]> {
  const own = keptOf(db, register)
  for (;;) {
    const rows = await readFrom(db, register, own.memberships.length)
    const redactions = rows[0]?.redactions ?? 0
    if (redactions !== own.redactions) {
      // What was redacted is not to be kept here either, nor brought back by a read that began before it was.
      if (redactions > own.redactions) Object.assign(own, { memberships: [], redactions })
      continue
    }
    for (const { number, programme, themes, parties } of rows) {
      if (number !== null) own.memberships[number] = { programme, themes: themes ?? [], parties: parties ?? [] }
    }
    return own.memberships
  }
}

type Row = { redactions: number; number: number | null } & { [K in keyof Membership]: Membership[K] | null }

/** The memberships from a number on, each with how often content was redacted; one without a number where there are none. */
async function readFrom(db: Queryable, register: string, number: number): Promise<Row[]> {
  const { rows } = await sql<Row>`select redactions, number, programme, themes, parties
    from (select coalesce(max(redactions), 0) as redactions from register where register = ${register}) redacted
      left join membership on register = ${register} and number >= ${number} order by number`.execute(db)
  return rows
}

/** The same from memory where it holds as many as asked for: numbers come with the changes that use them. */
export async function membershipsUpTo(db: Queryable, register: string, count: number): Promise<readonly Membership[]> {
  const { memberships } = keptOf(db, register)
  return memberships.length >= count ? memberships : readMemberships(db, register)
}

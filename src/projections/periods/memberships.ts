// What commitments belong to, by number: a dictionary that only grows, so what was read of it stays true. This file alone has
// statements about it. What no commitment belongs to any longer is redacted with the event that said so.

import { hash } from 'node:crypto'
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

/** The numbers of what a commitment ever belonged to. */
export async function membershipNumbersOf(tx: Queryable, register: string, stream: string): Promise<number[]> {
  const { rows } = await sql<{ number: number }>`select distinct unnest(memberships) as number from period
    where register = ${register} and id = ${stream}`.execute(tx)
  return rows.map(({ number }) => number)
}

/** Blanks those of some memberships to which nothing belongs any longer; their numbers are not given out again. */
export async function redactMemberships(tx: Queryable, register: string, numbers: readonly number[]): Promise<void> {
  await sql`update membership m set programme = null, themes = '{}', parties = '{}',
      hash = sha256(convert_to('erased ' || m.number, 'UTF8'))
    where m.register = ${register} and m.number = any(${[...numbers]}::integer[]) and not exists (
      select from period p where p.register = ${register} and p.memberships @> array[m.number])`.execute(tx)
}

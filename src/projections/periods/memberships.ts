// What commitments belong to, by number: a dictionary that only grows, so what was read of it stays true.

import type { Queryable } from '../../database/pool.ts'
import type { Membership } from '../../domain/commitment/stretches.ts'

const kept = new WeakMap<Queryable, Map<string, Membership[]>>()

const MAX_KEPT_REGISTERS = 50

function keptOf(db: Queryable, register: string): Membership[] {
  const registers = kept.get(db) ?? new Map<string, Membership[]>()
  kept.set(db, registers)
  const memberships = registers.get(register) ?? []
  // Set again so that the least recently used is the first to go.
  registers.delete(register)
  registers.set(register, memberships)
  for (const oldest of registers.keys()) if (registers.size > MAX_KEPT_REGISTERS) registers.delete(oldest)
  return memberships
}

/** The memberships of a register; the index is the number. */
export async function readMemberships(db: Queryable, register: string): Promise<readonly Membership[]> {
  const memberships = keptOf(db, register)
  const rows = await db
    .selectFrom('membership')
    .select(['number', 'programme', 'themes', 'parties'])
    .where('register', '=', register)
    .where('number', '>=', memberships.length)
    .orderBy('number')
    .execute()
  for (const { number, ...membership } of rows) memberships[number] = membership
  return memberships
}

/** The same from memory where it holds as many as asked for: numbers come with the changes that use them. */
export async function membershipsUpTo(db: Queryable, register: string, count: number): Promise<readonly Membership[]> {
  const memberships = keptOf(db, register)
  return memberships.length >= count ? memberships : readMemberships(db, register)
}

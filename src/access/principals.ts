// Names for the ids that events keep as `recordedBy`: kept apart from the log, so that they can be erased.

import type { Database } from '../database/pool.ts'

export type Principal = { id: string; name: string }

export async function listPrincipals(db: Database): Promise<Principal[]> {
  return db.selectFrom('principal').selectAll().orderBy('id').execute()
}

/** Gives an id its name, unless it has one: changing it is for the owner. */
export async function namePrincipal(db: Database, { id, name }: Principal): Promise<void> {
  await db
    .insertInto('principal')
    .values({ id, name })
    .onConflict((on) => on.doNothing())
    .execute()
}

/** Erases the name of an id; false where there is none. */
export async function forgetPrincipal(db: Database, id: string): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('principal').where('id', '=', id).executeTakeFirst()
  return numDeletedRows === 1n
}

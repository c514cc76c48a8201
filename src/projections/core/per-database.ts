// What is kept in memory of a database: for as long as its pool is in use, and never of another's.

import type { Queryable } from '../../database/pool.ts'

/** Creates what is kept of each database when that is first asked for. */
export function perDatabase<Kept>(create: () => Kept): (db: Queryable) => Kept {
  const all = new WeakMap<Queryable, Kept>()
  return (db) => {
    const known = all.get(db)
    if (known !== undefined) return known
    const created = create()
    all.set(db, created)
    return created
  }
}

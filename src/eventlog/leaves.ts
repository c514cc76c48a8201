// Reading the leaves of the log: what the Merkle tree of a register is made of.

import type { Queryable } from '../database/pool.ts'

/** The leaves of a register from a position up to and without another, in order; fewer where the log ends before. */
export async function readLeaves(db: Queryable, register: string, from: number, until: number): Promise<Buffer[]> {
  const rows = await db
    .selectFrom('event')
    .select(['position', 'leaf'])
    .where('register', '=', register)
    .where('position', '>=', from)
    .where('position', '<', until)
    .orderBy('position')
    .execute()
  return rows.map(({ position, leaf }, index) => {
    // Positions have no gaps; where one is missing, no leaf after it stands where its place in the tree is.
    if (position !== from + index) throw new MissingEventError(from + index)
    return leaf
  })
}

/** The log has no event at a position before its end. */
export class MissingEventError extends Error {
  readonly position: number

  constructor(position: number) {
    super(`there is no event at position ${position}`)
    this.position = position
  }
}

// Reading the leaves of the log, over which the Merkle tree of a register is built.

import { CompiledQuery } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { Tables } from '../database/tables.ts'
import type { StoredEvent } from '../domain/event.ts'
import { exactJson, InexactJsonError } from '../kernel/exact-json.ts'
import { storedEvent } from './events.ts'
import { PAGE_BYTES, PAGE_EVENTS, withinBytes } from './page.ts'

/**
 * The leaves of a register from one position to before another, in order; fewer if the log ends before. Throws
 * MissingEventError.
 */
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
    // Positions have no gaps. After a missing event every leaf would stand in a wrong place of the tree.
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

// The content comes as text, since a driver may lose some of it when it parses JSON.
const WITH_LEAVES = `${withinBytes(
  `position, id, stream, revision, type, type_version, recorded_at, recorded_by, occurred_on,
    data::text as data, citations::text as citations, salt, body_hash, leaf`,
  'select * from event where register = $1 and position > $2 order by position limit $3',
  '$4',
)} order by position`

/** The next events after a position with their leaves: as many as fit a page, and one at least; none at the end. */
export async function readWithLeaves(db: Queryable, register: string, after: number): Promise<EventWithLeaf[]> {
  const parameters = [register, after, PAGE_EVENTS, PAGE_BYTES]
  const { rows } = await db.executeQuery<TextRow>(CompiledQuery.raw(WITH_LEAVES, parameters))
  return rows.map(withLeaf)
}

/** A stored event and its leaf. If its content loses something when it is parsed, `inexact` says what, and the content is null. */
export type EventWithLeaf = { event: StoredEvent; leaf: Buffer; inexact: string | null }

type TextRow = Omit<Tables['event'], 'data' | 'citations'> & { data: string | null; citations: string | null }

function withLeaf(row: TextRow): EventWithLeaf {
  const { recorded_at, leaf } = row
  const whole = (data: unknown, citations: unknown, inexact: string | null) => ({
    // Safe: as the driver would have read them.
    event: storedEvent({ ...row, data, citations } as Tables['event'], recorded_at.getTime()),
    leaf,
    inexact,
  })
  try {
    const [data, citations] = [row.data, row.citations].map((text) => text && exactJson(text))
    return whole(data, citations, null)
  } catch (error) {
    if (error instanceof InexactJsonError) return whole(null, null, error.message)
    throw error
  }
}

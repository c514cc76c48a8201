// Reading the log by position: the feed that everything derived from the log follows.

import { sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { StoredEvent } from '../domain/event.ts'
import { fetchEvents } from './load.ts'

export type FeedQuery = {
  register: string
  /** Events after this position; -1 is from the first. */
  after: number
  /** Up to and with this position. */
  until: number
  limit: number
  streams?: readonly string[]
  types?: readonly string[]
}

/** A page of events in order of position. Never skips: a position that is visible has all earlier ones visible too. */
export function readFeed(
  db: Queryable,
  { register, after, until, limit, streams, types }: FeedQuery,
): Promise<StoredEvent[]> {
  let query = db
    .selectFrom('event')
    .where('register', '=', register)
    .where('position', '>', after)
    .where('position', '<=', until)
    .orderBy('position')
    .limit(limit)
  if (streams?.length) query = query.where('stream', '=', (eb) => eb.fn.any(eb.val([...streams])))
  if (types?.length) query = query.where('type', '=', (eb) => eb.fn.any(eb.val([...types])))
  return fetchEvents(query)
}

const PAGE = 1_000

/** Every event of a feed, page after page, in constant memory; the reader's pace is the pace. */
export async function* streamFeed(db: Queryable, query: Omit<FeedQuery, 'limit'>): AsyncGenerator<StoredEvent> {
  let after = query.after
  for (;;) {
    const events = await readFeed(db, { ...query, after, limit: PAGE })
    yield* events
    const last = events.at(-1)
    if (!last || events.length < PAGE) return
    after = last.position
  }
}

/** The streams that have events at or after a position, the register's own left out. */
export async function streamsSince(
  db: Queryable,
  register: string,
  position: number,
  size = Number.MAX_SAFE_INTEGER,
): Promise<string[]> {
  const rows = await db
    .selectFrom('event')
    .select('stream')
    .distinct()
    .where('register', '=', register)
    .where('position', '>=', position)
    .where('position', '<', size)
    .where('stream', '<>', '$register')
    .execute()
  return rows.map((row) => row.stream)
}

/** The largest size of which nothing was recorded after the instant (milliseconds since the epoch). */
export async function sizeAt(db: Queryable, register: string, instant: number): Promise<number> {
  const { rows } = await sql<{ size: number }>`select size_at(${register}, ${new Date(instant)}) as size`.execute(db)
  return rows[0]?.size ?? 0
}

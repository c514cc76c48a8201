// Reading the log by position: the feed that everything derived from the log follows.

import type { Queryable } from '../database/pool.ts'
import type { StoredEvent } from '../domain/event.ts'
import { selectEvents } from './events.ts'
import { PAGE_EVENTS } from './page.ts'

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
  return selectEvents(query)
}

/** That a stream has grown, and by what. */
export type Growth = Pick<StoredEvent, 'position' | 'stream' | 'type'>

/** Which streams the next events stand in, in order of position, without what they say. */
export function readGrowth(
  db: Queryable,
  { register, after, until, limit }: Pick<FeedQuery, 'register' | 'after' | 'until' | 'limit'>,
): Promise<Growth[]> {
  return db
    .selectFrom('event')
    .select(['position', 'stream', 'type'])
    .where('register', '=', register)
    .where('position', '>', after)
    .where('position', '<=', until)
    .orderBy('position')
    .limit(limit)
    .execute()
}

/** Every event of a feed, page after page, in constant memory; the reader's pace is the pace. */
export async function* streamFeed(db: Queryable, query: Omit<FeedQuery, 'limit'>): AsyncGenerator<StoredEvent> {
  let after = query.after
  for (;;) {
    const events = await readFeed(db, { ...query, after, limit: PAGE_EVENTS })
    yield* events
    const last = events.at(-1)
    if (!last || events.length < PAGE_EVENTS) return
    after = last.position
  }
}

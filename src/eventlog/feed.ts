// Reading the log by position. Projections, the sealer and followers read this feed.

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

/** A page of events in order of position. It skips none: if a position is visible, all earlier ones are too. */
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

/** The position, stream and type of an event, without its content. */
export type Growth = Pick<StoredEvent, 'position' | 'stream' | 'type'>

/** The next events in order of position, without their content. */
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

/** Every event of a feed, read page after page at the reader's pace, in constant memory. */
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

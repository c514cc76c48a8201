// Reading the feed as text: the database writes the events out as answers give them.

import { CompiledQuery } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { FeedQuery } from './feed.ts'
import { PAGE_BYTES, PAGE_EVENTS, withinBytes } from './page.ts'

// An event as answers give it (domain/event-answer.ts), built by the database: to parse each row here and write it out again
// costs several times as much. Safe by concatenation: ids, types and dates hold nothing that JSON escapes, data and citations
// are stored as the JSON text that was written.
const LINE = `'{"position":' || position || ',"id":"' || id || '","stream":"' || stream || '","revision":' || revision
  || ',"type":"' || type || '","typeVersion":' || type_version || ',"recordedAt":"'
  || to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '","recordedBy":"' || recorded_by
  || '","occurredOn":' || coalesce('"' || occurred_on || '"', 'null') || ',"data":' || coalesce(data::text, 'null')
  || ',"citations":' || coalesce(citations::text, 'null')
  || ',"salt":' || coalesce('"' || encode(salt, 'base64') || '"', 'null')
  || ',"bodyHash":"' || encode(body_hash, 'base64') || '"}'`

const EVENTS = `select * from event
      where register = $1 and position > $2 and position <= $3
        and ($5::text[] is null or stream = any($5)) and ($6::text[] is null or type = any($6))
      order by position limit $4`
const PAGE = withinBytes(`position, stream, type, ${LINE} as line`, EVENTS, '$7')
const PAGE_OF_LINES = `select string_agg(line, E'\n' order by position) || E'\n' as lines, max(position) as last, count(*)::integer as count
  from (${PAGE}) page`

function parametersOf({ register, after, until, limit, streams, types }: FeedQuery, bytes: number): unknown[] {
  return [register, after, until, limit, streams?.length ? streams : null, types?.length ? types : null, bytes]
}

/** An event of a feed, written out. */
export type FeedLine = {
  position: number
  stream: string
  type: string
  /** The event as answers give it: JSON without a line break. */
  line: string
}

/** A page of events in order of position, each written out; of so many bytes or a little more, and of one event at least. */
export async function readFeedLines(db: Queryable, query: FeedQuery, bytes = PAGE_BYTES): Promise<FeedLine[]> {
  const parameters = parametersOf(query, bytes)
  const { rows } = await db.executeQuery<FeedLine>(CompiledQuery.raw(`${PAGE} order by position`, parameters))
  return rows
}

/** Lines one after the other, each with its end. */
export type Lines = { lines: string; last: number; count: number }

async function readLines(db: Queryable, query: Omit<FeedQuery, 'limit'>): Promise<Lines | null> {
  const parameters = parametersOf({ ...query, limit: PAGE_EVENTS }, PAGE_BYTES)
  const { rows } = await db.executeQuery<Lines>(CompiledQuery.raw(PAGE_OF_LINES, parameters))
  const [page] = rows
  return page && page.count > 0 ? page : null
}

/**
 * Every event of a feed as NDJSON, page after page: while the reader takes one, the next is read, and no more than that. No
 * transaction is held open, whatever the reader's pace: what lies below a position never changes.
 */
export async function* streamLines(db: Queryable, query: Omit<FeedQuery, 'limit'>): AsyncGenerator<Lines> {
  let next = readLines(db, query)
  for (let page = await next; page; page = await next) {
    const { last } = page
    next = last < query.until ? readLines(db, { ...query, after: last }) : Promise.resolve(null)
    // It may fail before it is awaited.
    next.catch(() => {})
    yield page
  }
}

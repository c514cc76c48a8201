// Reading the feed as text: the database writes the events out as answers give them.

import { CompiledQuery } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { FeedQuery } from './feed.ts'
import { PAGE_BYTES, PAGE_EVENTS, withinBytes } from './page.ts'

// The JSON of an event, as domain/event-answer.ts has it. To parse each row here and to write it again costs several times as
// much. Concatenation is safe: ids, types and dates hold nothing that JSON escapes; data and citations are stored as JSON text.
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

/** An event of the feed as text. */
export type FeedLine = {
  position: number
  stream: string
  type: string
  /** The event as answers give it: JSON without a line break. */
  line: string
}

/** A page of events in order of position, as text: as many as fit about `bytes`, and one at least. */
export async function readFeedLines(db: Queryable, query: FeedQuery, bytes = PAGE_BYTES): Promise<FeedLine[]> {
  const parameters = parametersOf(query, bytes)
  const { rows } = await db.executeQuery<FeedLine>(CompiledQuery.raw(`${PAGE} order by position`, parameters))
  return rows
}

/** Some lines with their ends, the position of the last one, and how many they are. */
export type Lines = { lines: string; last: number; count: number }

async function readLines(db: Queryable, query: Omit<FeedQuery, 'limit'>): Promise<Lines | null> {
  const parameters = parametersOf({ ...query, limit: PAGE_EVENTS }, PAGE_BYTES)
  const { rows } = await db.executeQuery<Lines>(CompiledQuery.raw(PAGE_OF_LINES, parameters))
  const [page] = rows
  return page && page.count > 0 ? page : null
}

/**
 * Every event of a feed as NDJSON, page after page. The next page is read while the reader takes one, and no more than that.
 * No transaction stays open for a slow reader: events below a position never change.
 */
export async function* streamLines(db: Queryable, query: Omit<FeedQuery, 'limit'>): AsyncGenerator<Lines> {
  let next = readLines(db, query)
  for (let page = await next; page; page = await next) {
    const { last } = page
    next = last < query.until ? readLines(db, { ...query, after: last }) : Promise.resolve(null)
    // It may fail before the loop awaits it.
    next.catch(() => {})
    yield page
  }
}

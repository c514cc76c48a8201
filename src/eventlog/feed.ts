// Reading the log by position: the feed that everything derived from the log follows.

import { CompiledQuery, sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { Tables } from '../database/tables.ts'
import type { StoredEvent } from '../domain/event.ts'
import { exactJson, InexactJsonError } from '../kernel/exact-json.ts'
import { fetchEvents, storedEvent } from './load.ts'

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

/** Bytes of bodies at once. */
const PAGE_BYTES = 2 ** 19

// What a body will take, without reading it: where it is compressed, by how much is not known, and may be by a hundred times.
const weight = (column: string) =>
  `coalesce(pg_column_size(${column}) * case when pg_column_compression(${column}) is null then 1 else 8 end, 0)`

// As many of the events as fit some bytes, and one at least. The others are neither written out nor read. Otherwise a
// page of long events would cost as much as a whole page, for its few events.
const PAGE = `select position, stream, type, ${LINE} as line from (
    select page.*, sum(${weight('data')} + ${weight('citations')})
      over (rows between unbounded preceding and 1 preceding) as bytes_before
    from (select * from event
      where register = $1 and position > $2 and position <= $3
        and ($5::text[] is null or stream = any($5)) and ($6::text[] is null or type = any($6))
      order by position limit $4) page) measured
  where coalesce(bytes_before, 0) < $7`
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

const LINES_AT_ONCE = 1_000

async function readLines(db: Queryable, query: Omit<FeedQuery, 'limit'>): Promise<Lines | null> {
  const parameters = parametersOf({ ...query, limit: LINES_AT_ONCE }, PAGE_BYTES)
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

// Content as its text: what a driver makes of JSON may be less than stands there.
const WHOLE = `select position, id, stream, revision, type, type_version, recorded_at, recorded_by, occurred_on,
    data::text as data, citations::text as citations, salt, body_hash, leaf from (
    select page.*, sum(${weight('data')} + ${weight('citations')})
      over (rows between unbounded preceding and 1 preceding) as bytes_before
    from (select * from event where register = $1 and position > $2 order by position limit $3) page) measured
  where coalesce(bytes_before, 0) < $4 order by position`

/** An event with its leaf, as both stand there; `inexact` says what its content lost when it was read, null for nothing. */
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

/** The next events after a position with their leaves: of so many bytes, and one at least; none at the end. */
export async function readWithLeaves(db: Queryable, register: string, after: number): Promise<EventWithLeaf[]> {
  const parameters = [register, after, LINES_AT_ONCE, PAGE_BYTES]
  const { rows } = await db.executeQuery<TextRow>(CompiledQuery.raw(WHOLE, parameters))
  return rows.map(withLeaf)
}

const EVENTS_AT_ONCE = 1_000

/** Every event of a feed, page after page, in constant memory; the reader's pace is the pace. */
export async function* streamFeed(db: Queryable, query: Omit<FeedQuery, 'limit'>): AsyncGenerator<StoredEvent> {
  let after = query.after
  for (;;) {
    const events = await readFeed(db, { ...query, after, limit: EVENTS_AT_ONCE })
    yield* events
    const last = events.at(-1)
    if (!last || events.length < EVENTS_AT_ONCE) return
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

/** The next streams in order of name, the register's own left out, that have events within a size. */
export async function streamsAfter(
  db: Queryable,
  { register, after, size, limit }: { register: string; after: string; size: number; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('event')
    .select('stream')
    .distinct()
    .where('register', '=', register)
    .where('stream', '>', after)
    .where('stream', '<>', '$register')
    .where('position', '<', size)
    .orderBy('stream')
    .limit(limit)
    .execute()
  return rows.map((row) => row.stream)
}

/** The largest size of which nothing was recorded after the instant (milliseconds since the epoch). */
export async function sizeAt(db: Queryable, register: string, instant: number): Promise<number> {
  const { rows } = await sql<{ size: number }>`select size_at(${register}, ${new Date(instant)}) as size`.execute(db)
  return rows[0]?.size ?? 0
}

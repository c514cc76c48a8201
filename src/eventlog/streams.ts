// Reading the log by stream: whole streams to fold, and the names of streams.

import { CompiledQuery } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import { type EventToFold, REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { COLUMNS, type EventRow, selectEvents, storedEvent } from './events.ts'

/** The events of one stream after a revision, in order. */
export function readStream(db: Queryable, register: string, stream: string, after = 0): Promise<StoredEvent[]> {
  return selectEvents(
    db
      .selectFrom('event')
      .where('register', '=', register)
      .where('stream', '=', stream)
      .where('revision', '>', after)
      .orderBy('revision'),
  )
}

// Built once as text: every answer about one commitment begins with this query, and kysely takes longer to build it than the
// database to run it. Ordered by stream, not by position: the index is walked once, and nothing is sorted.
const selectStreams = (which: string, order: string) => `select
    ${COLUMNS.filter((column) => column !== 'recorded_at').join(', ')},
    (extract(epoch from recorded_at) * 1000)::bigint as recorded_ms
  from event where register = $1 and stream ${which} and position < $3 order by ${order}`
const STREAMS = selectStreams('= any($2::text[])', 'stream, revision')
const ONE_STREAM = selectStreams('= $2', 'revision')

/** The events of whole streams up to a size, stream by stream, each in order of revision. */
export async function readStreams(
  db: Queryable,
  register: string,
  streams: readonly string[],
  size = Number.MAX_SAFE_INTEGER,
): Promise<StoredEvent[]> {
  type StreamRow = Omit<EventRow, 'recorded_at'> & { recorded_ms: number }
  const { rows } = await db.executeQuery<StreamRow>(
    streams.length === 1
      ? CompiledQuery.raw(ONE_STREAM, [register, streams[0], size])
      : CompiledQuery.raw(STREAMS, [register, streams, size]),
  )
  return rows.map((row) => storedEvent(row, row.recorded_ms))
}

// Without the columns that no fold reads, since they cost a fifth of the time. A salt says only that it is there.
const TO_FOLD = `select position, id, stream, revision, type, type_version as "typeVersion",
    (extract(epoch from recorded_at) * 1000)::bigint as "recordedAt", occurred_on as "occurredOn", data, citations,
    case when salt is not null then ''::bytea end as salt
  from event where register = $1`
const SCAN = `${TO_FOLD} and stream > $2 and stream <= $3 and position < $4 order by stream, revision limit $5`
const STREAMS_TO_FOLD = `${TO_FOLD} and stream = any($2::text[]) and position < $3 order by stream, revision`

/** The events of whole streams up to a size as folds need them, stream by stream, each in order of revision. */
export async function readToFold(
  db: Queryable,
  register: string,
  streams: readonly string[],
  size: number,
): Promise<EventToFold[]> {
  const { rows } = await db.executeQuery<EventToFold>(CompiledQuery.raw(STREAMS_TO_FOLD, [register, streams, size]))
  return rows
}

export type Scan = {
  register: string
  /** Streams after this one ... */
  after: string
  /** ... up to and with this one. */
  upTo: string
  /** Events before this position. */
  size: number
  /** About how many events at a time. */
  limit: number
}

/**
 * The events of the next whole streams of a register, in order of the streams' names, each in order of revision; none after
 * the last stream.
 */
export async function scanStreams(db: Queryable, { register, after, upTo, size, limit }: Scan): Promise<EventToFold[]> {
  const { rows } = await db.executeQuery<EventToFold>(CompiledQuery.raw(SCAN, [register, after, upTo, size, limit]))
  const last = rows.at(-1)
  const whole = rows.length < limit ? rows : rows.filter(({ stream }) => stream !== last?.stream)
  // If a stream is longer than a page, it is read alone.
  if (whole.length === 0 && last) return readStreams(db, register, [last.stream], size)
  return whole
}

/** Names of streams that part a log into about equal parts: each is the last one of its part, and the last part has none. */
export async function streamBounds(db: Queryable, register: string, size: number, parts: number): Promise<string[]> {
  const samples = Math.min(size, parts * 32)
  const positions = Array.from({ length: samples }, (_, index) => Math.floor(((index + 0.5) * size) / samples))
  const rows = await db
    .selectFrom('event')
    .select('stream')
    .where('register', '=', register)
    .where('position', '=', (eb) => eb.fn.any(eb.val(positions)))
    .where('stream', '<>', REGISTER_STREAM)
    .orderBy('stream')
    .execute()
  const bounds = Array.from(
    { length: parts - 1 },
    (_, part) => rows[Math.floor(((part + 1) * rows.length) / parts)]?.stream,
  )
  return [...new Set(bounds.filter((bound) => bound !== undefined))]
}

/** The revision of a stream, and whether it holds a CommitmentMade and only plain facts. */
export type StreamBrief = { stream: string; revision: number; isPlain: boolean }

// Events that are not plain: repairs, ends of a promise, redacted events (recording/knowledge.ts says why).
const BRIEFS = `select stream, max(revision) as revision, bool_or(type = 'CommitmentMade')
    and not bool_or(salt is null or type = any($3::text[])) as "isPlain"
  from event where register = $1 and stream = any($2::text[]) group by stream`

/** Streams in brief, those without events left out. An event of a type in `notPlain` keeps its stream from being plain. */
export async function readBriefs(
  db: Queryable,
  register: string,
  streams: readonly string[],
  notPlain: readonly string[],
): Promise<StreamBrief[]> {
  const { rows } = await db.executeQuery<StreamBrief>(CompiledQuery.raw(BRIEFS, [register, streams, notPlain]))
  return rows
}

/** The streams of commitments that have events at or after a position, and before a size. */
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
    .where('stream', '<>', REGISTER_STREAM)
    .execute()
  return rows.map((row) => row.stream)
}

/** The next streams of commitments in order of name that have events before a size. */
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
    .where('stream', '<>', REGISTER_STREAM)
    .where('position', '<', size)
    .orderBy('stream')
    .limit(limit)
    .execute()
  return rows.map((row) => row.stream)
}

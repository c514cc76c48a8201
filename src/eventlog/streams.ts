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

// As text, and not built anew each time: every answer about one commitment begins with this, and to build it takes longer
// than the database takes to run it. By stream, not by position: the index is walked once, nothing is sorted.
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

// What no fold looks at stays where it is: to bring it here costs a fifth of the reading.
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
 * The next whole streams of a register in order of their names, each in order of revision; none after the last. A salt
 * says only that it is there.
 */
export async function scanStreams(db: Queryable, { register, after, upTo, size, limit }: Scan): Promise<EventToFold[]> {
  const { rows } = await db.executeQuery<EventToFold>(CompiledQuery.raw(SCAN, [register, after, upTo, size, limit]))
  const last = rows.at(-1)
  const whole = rows.length < limit ? rows : rows.filter(({ stream }) => stream !== last?.stream)
  // A stream that is longer than a page is read by itself.
  if (whole.length === 0 && last) return readStreams(db, register, [last.stream], size)
  return whole
}

/** Names of streams that part a register's log into about as many equal parts: each the last of its part but for the last. */
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

/** A stream in brief: its revision, and whether it holds a CommitmentMade and plain facts alone. */
export type StreamBrief = { stream: string; revision: number; isPlain: boolean }

// Events that are not plain: repairs, ends of a promise, redacted events (recording/knowledge.ts says why).
const BRIEFS = `select stream, max(revision) as revision, bool_or(type = 'CommitmentMade')
    and not bool_or(salt is null or type = any($3::text[])) as "isPlain"
  from event where register = $1 and stream = any($2::text[]) group by stream`

/** Streams in brief; `notPlain` are the types that keep a stream from being plain. Those without events are left out. */
export async function readBriefs(
  db: Queryable,
  register: string,
  streams: readonly string[],
  notPlain: readonly string[],
): Promise<StreamBrief[]> {
  const { rows } = await db.executeQuery<StreamBrief>(CompiledQuery.raw(BRIEFS, [register, streams, notPlain]))
  return rows
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
    .where('stream', '<>', REGISTER_STREAM)
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
    .where('stream', '<>', REGISTER_STREAM)
    .where('position', '<', size)
    .orderBy('stream')
    .limit(limit)
    .execute()
  return rows.map((row) => row.stream)
}

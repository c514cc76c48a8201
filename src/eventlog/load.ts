// Reading the log by stream and by id.

import { CompiledQuery, type SelectQueryBuilder, sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { Tables } from '../database/tables.ts'
import { type EventToFold, REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import type { Erased } from '../domain/repairs.ts'

const COLUMNS = [
  'position',
  'id',
  'stream',
  'revision',
  'type',
  'type_version',
  'recorded_at',
  'recorded_by',
  'occurred_on',
  'data',
  'citations',
  'salt',
  'body_hash',
] as const

type Row = Pick<Tables['event'], (typeof COLUMNS)[number]>

/** A row of table `event` as an event. `recordedAt` in milliseconds since the epoch. */
export function storedEvent(row: Omit<Row, 'recorded_at'>, recordedAt: number): StoredEvent {
  return {
    position: row.position,
    id: row.id,
    stream: row.stream,
    revision: row.revision,
    type: row.type,
    typeVersion: row.type_version,
    recordedAt,
    recordedBy: row.recorded_by,
    occurredOn: row.occurred_on,
    data: row.data,
    citations: row.citations,
    salt: row.salt,
    bodyHash: row.body_hash,
  }
}

/** The events of a query over table `event`, in the order of the query. */
export async function fetchEvents<T>(query: SelectQueryBuilder<Tables, 'event', T>): Promise<StoredEvent[]> {
  return (await query.select(COLUMNS).execute()).map((row) => storedEvent(row, row.recorded_at.getTime()))
}

/** The head of a register's log; null where there is none. */
export type LogHead = {
  size: number
  recordedAt: number | null
  ownRevision: number
  /** How often content has been erased: what it says at every size may be less since. */
  redactions: number
}

export async function readHead(db: Queryable, register: string): Promise<LogHead | null> {
  const row = await db
    .selectFrom('register')
    .select(['size', 'last_recorded_at', 'own_revision', 'redactions'])
    .where('register', '=', register)
    .where('size', '>', 0)
    .executeTakeFirst()
  if (!row) return null
  const { size, last_recorded_at: recordedAt, own_revision: ownRevision, redactions } = row
  return { size, recordedAt: recordedAt?.getTime() ?? null, ownRevision, redactions }
}

/** Every register with its head, by id. */
export async function listHeads(db: Queryable): Promise<(LogHead & { register: string })[]> {
  const rows = await db.selectFrom('register').selectAll().where('size', '>', 0).orderBy('register').execute()
  return rows.map((row) => ({
    register: row.register,
    size: row.size,
    recordedAt: row.last_recorded_at?.getTime() ?? null,
    ownRevision: row.own_revision,
    redactions: row.redactions,
  }))
}

/** Every register of which there are events, whatever its row says. */
export async function listRegistersWithEvents(db: Queryable): Promise<string[]> {
  // From one register to the next along the primary key: the events between them are not read.
  const { rows } = await sql<{ register: string }>`with recursive named(register) as (
      (select register from event order by register limit 1)
      union all
      select (select e.register from event e where e.register > n.register order by e.register limit 1)
      from named n where n.register is not null)
    select register from named where register is not null`.execute(db)
  return rows.map(({ register }) => register)
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
export async function loadStreams(
  db: Queryable,
  register: string,
  streams: readonly string[],
  size = Number.MAX_SAFE_INTEGER,
): Promise<StoredEvent[]> {
  type StreamRow = Omit<Row, 'recorded_at'> & { recorded_ms: number }
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
export async function loadToFold(
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
  if (whole.length === 0 && last) return loadStreams(db, register, [last.stream], size)
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
export async function loadBriefs(
  db: Queryable,
  register: string,
  streams: readonly string[],
  notPlain: readonly string[],
): Promise<StreamBrief[]> {
  const { rows } = await db.executeQuery<StreamBrief>(CompiledQuery.raw(BRIEFS, [register, streams, notPlain]))
  return rows
}

/** The events of one stream after a revision, in order. */
export function loadStream(db: Queryable, register: string, stream: string, after = 0): Promise<StoredEvent[]> {
  return fetchEvents(
    db
      .selectFrom('event')
      .where('register', '=', register)
      .where('stream', '=', stream)
      .where('revision', '>', after)
      .orderBy('revision'),
  )
}

/** The events of a stream up to a size whose content was erased, in order: what is left to say of them. */
export async function loadErased(
  db: Queryable,
  register: string,
  stream: string,
  size: number,
): Promise<{ position: number; type: string; salt: null }[]> {
  const rows = await db
    .selectFrom('event')
    .select(['position', 'type'])
    .where('register', '=', register)
    .where('stream', '=', stream)
    .where('position', '<', size)
    .where('salt', 'is', null)
    .orderBy('revision')
    .execute()
  return rows.map((row) => ({ ...row, salt: null }))
}

/** What was erased of commitments, in order of position. */
export async function loadAllErased(db: Queryable, register: string): Promise<Erased[]> {
  const { rows } =
    await sql<Erased>`select e.position, e.id, e.stream, e.type, coalesce(fact.type, e.type) as "factType"
    from event e left join event fact on fact.register = e.register and e.type = 'EventCorrected'
      and fact.id = (e.data ->> 'event')::uuid
    where e.register = ${register} and e.salt is null and e.stream <> ${REGISTER_STREAM}
      and e.type not in ('EventRetracted', 'EventRedacted')
    order by e.position`.execute(db)
  return rows
}

/** The retractions in some streams up to a size, in order of position: what they point to stays, whatever is erased. */
export function loadRetractions(
  db: Queryable,
  register: string,
  streams: readonly string[],
  size: number,
): Promise<{ position: number; id: string; type: string; data: unknown }[]> {
  return db
    .selectFrom('event')
    .select(['position', 'id', 'type', 'data'])
    .where('register', '=', register)
    .where('stream', '=', (eb) => eb.fn.any(eb.val([...streams])))
    .where('type', '=', 'EventRetracted')
    .where('position', '<', size)
    .orderBy('position')
    .execute()
}

/** The events at these positions, in no particular order. */
export function loadAt(db: Queryable, register: string, positions: readonly number[]): Promise<StoredEvent[]> {
  return fetchEvents(
    db
      .selectFrom('event')
      .where('register', '=', register)
      .where('position', '=', (eb) => eb.fn.any(eb.val([...positions]))),
  )
}

/** The events with these ids, in no particular order. */
export function loadByIds(db: Queryable, register: string, ids: readonly string[]): Promise<StoredEvent[]> {
  return fetchEvents(
    db
      .selectFrom('event')
      .where('register', '=', register)
      .where('id', '=', (eb) => eb.fn.any(eb.val([...ids]))),
  )
}

/** What stands at some positions of some registers, as far as it is there, in no particular order. */
export async function eventsAt(
  db: Queryable,
  places: readonly { register: string; position: number }[],
): Promise<{ register: string; position: number; id: string; type: string; recordedAt: number }[]> {
  if (places.length === 0) return []
  const [registers, positions] = [places.map(({ register }) => register), places.map(({ position }) => position)]
  const { rows } = await sql<{ register: string; position: number; id: string; type: string; recordedAt: number }>`
    select e.register, e.position, e.id, e.type, (extract(epoch from e.recorded_at) * 1000)::bigint as "recordedAt"
    from unnest(${registers}::text[], ${positions}::bigint[]) place (register, position)
      join event e on e.register = place.register and e.position = place.position`.execute(db)
  return rows
}

/** When the last event within a size was recorded, in milliseconds since the epoch; null for size 0. */
export async function recordedAtSize(db: Queryable, register: string, size: number): Promise<number | null> {
  if (size === 0) return null
  const row = await db
    .selectFrom('event')
    .select('recorded_at')
    .where('register', '=', register)
    .where('position', '=', size - 1)
    .executeTakeFirst()
  return row?.recorded_at.getTime() ?? null
}

/** The event at a position; null beyond the log. */
export async function fetchEvent(db: Queryable, register: string, position: number): Promise<StoredEvent | null> {
  const query = db.selectFrom('event').where('register', '=', register).where('position', '=', position)
  return (await fetchEvents(query))[0] ?? null
}

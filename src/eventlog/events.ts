// Reading single events: by position, by id.

import { type SelectQueryBuilder, sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { Tables } from '../database/tables.ts'
import type { StoredEvent } from '../domain/event.ts'

export const COLUMNS = [
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

export type EventRow = Pick<Tables['event'], (typeof COLUMNS)[number]>

/** A row of table `event` as an event. `recordedAt` in milliseconds since the epoch. */
export function storedEvent(row: Omit<EventRow, 'recorded_at'>, recordedAt: number): StoredEvent {
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
export async function selectEvents<T>(query: SelectQueryBuilder<Tables, 'event', T>): Promise<StoredEvent[]> {
  return (await query.select(COLUMNS).execute()).map((row) => storedEvent(row, row.recorded_at.getTime()))
}

/** The event at a position; null beyond the log. */
export async function readEvent(db: Queryable, register: string, position: number): Promise<StoredEvent | null> {
  const query = db.selectFrom('event').where('register', '=', register).where('position', '=', position)
  return (await selectEvents(query))[0] ?? null
}

/** The events at these positions, in no particular order. */
export function readEventsAt(db: Queryable, register: string, positions: readonly number[]): Promise<StoredEvent[]> {
  return selectEvents(
    db
      .selectFrom('event')
      .where('register', '=', register)
      .where('position', '=', (eb) => eb.fn.any(eb.val([...positions]))),
  )
}

/** The events with these ids, in no particular order. */
export function readEventsByIds(db: Queryable, register: string, ids: readonly string[]): Promise<StoredEvent[]> {
  return selectEvents(
    db
      .selectFrom('event')
      .where('register', '=', register)
      .where('id', '=', (eb) => eb.fn.any(eb.val([...ids]))),
  )
}

/** The envelopes of the events at some positions of some registers, in no particular order, as far as they exist. */
export async function readEnvelopesAt(
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

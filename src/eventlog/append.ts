// The event log: the only room that touches table `event`. It does not know what events mean, and knows no projections.
//
// Here is the one statement that writes events. The function append_events (migrations/) locks the register's row to the commit
// while it gives out positions, so commit order is position order: a reader never skips a position.

import { sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { Citation } from '../domain/event.ts'
import { bodyHash, newSalts } from './body.ts'

/** An event to append. Events with the same `group` are recorded all or none. */
export type NewEvent = {
  group: number
  id: string
  stream: string
  type: string
  typeVersion: number
  recordedBy: string
  occurredOn: string
  data: unknown
  citations: Citation[]
  /** The stream's revision before this event, as admission saw it; earlier events of the batch count. */
  seenRevision: number
}

/** The events of a batch. */
export type NewEvents = {
  register: string
  /** Opens the register if it does not exist. */
  open: boolean
  /** The service's clock, milliseconds since the epoch. Events get this instant, or that of the last event if it is later. */
  now: number
  /** The revision of `$register` that admission saw; at another one nothing is appended. */
  ownRevision: number
  events: readonly NewEvent[]
}

/** What became of one event of a batch. */
export type Appended =
  | { kind: 'appended'; position: number; revision: number; recordedAt: number }
  /** The event's stream or `$register` is at another revision than admission saw. */
  | { kind: 'conflict'; expected: number; actual: number }
  /** The id is taken: nothing was written. */
  | { kind: 'duplicate'; position: number }
  /** Another event of its group could not be appended. */
  | { kind: 'skipped' }

type Row = { outcomes: string[]; positions: (number | null)[]; revisions: (number | null)[]; recorded_ms: number }

function outcomeOf({ outcomes, positions, revisions, recorded_ms }: Row, index: number, event: NewEvent): Appended {
  // Safe: the function gives these for the outcomes that have them.
  const [position, revision] = [positions[index] as number, revisions[index] as number]
  switch (outcomes[index]) {
    case 'appended':
      return { kind: 'appended', position, revision, recordedAt: recorded_ms }
    case 'conflict':
      return { kind: 'conflict', expected: event.seenRevision, actual: revision }
    case 'duplicate':
      return { kind: 'duplicate', position }
    default:
      return { kind: 'skipped' }
  }
}

/**
 * Appends a batch in one statement, and so in one transaction; durable when it returns. Gives one outcome for each event, in
 * order, or an empty list if there is no such register. Positions have no gaps.
 */
export async function append(
  db: Queryable,
  { register, open, now, ownRevision, events }: NewEvents,
): Promise<Appended[]> {
  const streams = [...new Set(events.map((event) => event.stream))]
  const place = new Map(streams.map((stream, index) => [stream, index + 1]))
  const salts = newSalts(events.length)
  const column = <T>(value: (event: NewEvent, index: number) => T) => events.map(value)
  const { rows } = await sql<Row>`select outcomes, positions, revisions, recorded_ms from append_events(
    ${register}, ${open}, ${new Date(now)}, ${ownRevision}, ${streams}::text[],
    ${column((event) => event.group)}::integer[],
    ${column((event) => place.get(event.stream))}::integer[],
    ${column((event) => event.seenRevision)}::integer[],
    ${column((event) => event.id)}::uuid[],
    ${column((event) => event.type)}::text[],
    ${column((event) => event.typeVersion)}::integer[],
    ${column((event) => event.recordedBy)}::text[],
    ${column((event) => event.occurredOn)}::text[],
    ${column((event) => JSON.stringify(event.data))}::text[],
    ${column((event) => JSON.stringify(event.citations))}::text[],
    ${salts.map((salt) => salt.toString('base64'))}::text[],
    ${column((event, index) => bodyHash(salts[index] as Buffer, event))}::text[])`.execute(db)
  const [row] = rows
  return row ? events.map((event, index) => outcomeOf(row, index, event)) : []
}

/**
 * Locks a register to the end of the transaction: nobody else appends to it, so what the transaction reads stays true. False
 * if there is no such register.
 */
export async function lockRegister(tx: Queryable, register: string): Promise<boolean> {
  const { rows } = await sql<{ size: number | null }>`select lock_register(${register}) as size`.execute(tx)
  return (rows[0]?.size ?? 0) > 0
}

// The one statement that takes content out of the log. The function redact_event (migrations/) can do nothing else, and only to
// an event that an EventRedacted in the log names.

import { sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'

/**
 * Erases the content of an event and of its corrections. The transaction has appended the EventRedacted that names the event.
 * Returns the positions of the events that lost their content, in order.
 */
export async function redactContent(tx: Queryable, register: string, id: string): Promise<number[]> {
  const { rows } = await sql<{ positions: number[] }>`select redact_event(${register}, ${id}) as positions`.execute(tx)
  return rows[0]?.positions ?? []
}

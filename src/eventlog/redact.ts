// Erasing: the one statement that takes the content of an event away. The function redact_event (migrations/) can do nothing
// else, and only to what an EventRedacted in the log names.

import { sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'

/**
 * Erases the content of an event and of its corrections, in the transaction that has appended the EventRedacted which names
 * it. Returns the positions of what was erased, in order.
 */
export async function redactContent(tx: Queryable, register: string, id: string): Promise<number[]> {
  const { rows } = await sql<{ positions: number[] }>`select redact_event(${register}, ${id}) as positions`.execute(tx)
  return rows[0]?.positions ?? []
}

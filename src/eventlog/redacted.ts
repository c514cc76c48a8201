// Reading what is left of events whose content was redacted, and of retractions, which keep what they point to.

import { sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import { REGISTER_STREAM } from '../domain/event.ts'
import type { RedactedEvent } from '../domain/repairs.ts'

/** The events of a stream up to a size whose content was erased, in order: what is left to say of them. */
export async function readRedacted(
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
export async function readAllRedacted(db: Queryable, register: string): Promise<RedactedEvent[]> {
  const { rows } =
    await sql<RedactedEvent>`select e.position, e.id, e.stream, e.type, coalesce(fact.type, e.type) as "factType"
    from event e left join event fact on fact.register = e.register and e.type = 'EventCorrected'
      and fact.id = (e.data ->> 'event')::uuid
    where e.register = ${register} and e.salt is null and e.stream <> ${REGISTER_STREAM}
      and e.type not in ('EventRetracted', 'EventRedacted')
    order by e.position`.execute(db)
  return rows
}

/** The retractions in some streams up to a size, in order of position: what they point to stays, whatever is erased. */
export function readRetractions(
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

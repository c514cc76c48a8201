// Reading redacted events, and retractions, which keep their target when they are redacted.

import { sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import { REGISTER_STREAM } from '../domain/event.ts'
import type { RedactedEvent } from '../domain/repairs.ts'

/** The redacted events of a stream up to a size, in order. */
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

/** The redacted events of all commitments, in order of position; redacted retractions are left out. */
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

/** The retractions in some streams up to a size, in order of position. A redaction leaves their target. */
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

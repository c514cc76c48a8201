// Reading how far logs reach: the rows of registers, and sizes by time.

import { type Selectable, sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { Tables } from '../database/tables.ts'

/** How far a register's log reaches. `recordedAt` is that of the last event, in milliseconds since the epoch. */
export type LogHead = {
  size: number
  recordedAt: number | null
  ownRevision: number
  /** How many redactions the register has had. Each may take content away at every size. */
  redactions: number
}

type HeadRow = Pick<Selectable<Tables['register']>, 'size' | 'last_recorded_at' | 'own_revision' | 'redactions'>

function headOf({ size, last_recorded_at, own_revision, redactions }: HeadRow): LogHead {
  return { size, recordedAt: last_recorded_at?.getTime() ?? null, ownRevision: own_revision, redactions }
}

/** The head of a register's log; null where there is none. */
export async function readHead(db: Queryable, register: string): Promise<LogHead | null> {
  const row = await db
    .selectFrom('register')
    .select(['size', 'last_recorded_at', 'own_revision', 'redactions'])
    .where('register', '=', register)
    .where('size', '>', 0)
    .executeTakeFirst()
  return row ? headOf(row) : null
}

/** Every register with its head, by id. */
export async function listHeads(db: Queryable): Promise<(LogHead & { register: string })[]> {
  const rows = await db.selectFrom('register').selectAll().where('size', '>', 0).orderBy('register').execute()
  return rows.map((row) => ({ register: row.register, ...headOf(row) }))
}

/** Every register that has events, even if its row denies it. */
export async function listRegistersWithEvents(db: Queryable): Promise<string[]> {
  // Steps from register to register along the primary key, and does not read the events between.
  const { rows } = await sql<{ register: string }>`with recursive named(register) as (
      (select register from event order by register limit 1)
      union all
      select (select e.register from event e where e.register > n.register order by e.register limit 1)
      from named n where n.register is not null)
    select register from named where register is not null`.execute(db)
  return rows.map(({ register }) => register)
}

/** How many events were recorded up to an instant (milliseconds since the epoch). */
export async function sizeAt(db: Queryable, register: string, instant: number): Promise<number> {
  const { rows } = await sql<{ size: number }>`select size_at(${register}, ${new Date(instant)}) as size`.execute(db)
  return rows[0]?.size ?? 0
}

/** The instant at which the last event of a size was recorded, in milliseconds since the epoch; null for size 0. */
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

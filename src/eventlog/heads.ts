// Reading how far logs reach: the rows of registers, and sizes by time.

import { type Selectable, sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'
import type { Tables } from '../database/tables.ts'

/** How far a register's log reaches. `recordedAt` is that of the last event, in milliseconds since the epoch. */
export type LogHead = {
  size: number
  recordedAt: number | null
  ownRevision: number
  /** How often content has been erased: what it says at every size may be less since. */
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

/** The largest size of which nothing was recorded after the instant (milliseconds since the epoch). */
export async function sizeAt(db: Queryable, register: string, instant: number): Promise<number> {
  const { rows } = await sql<{ size: number }>`select size_at(${register}, ${new Date(instant)}) as size`.execute(db)
  return rows[0]?.size ?? 0
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

// Until it is attached, the table that commitments are filled into has one column more: the text to search. The table
// itself makes words of it, as only the server can.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { partitionName } from '../core/generations.ts'

/** Lets a new table of commitments take text to search. */
export async function prepareFilling(db: Queryable, generation: number): Promise<void> {
  await sql`select begin_filling(${generation})`.execute(db)
}

/** Makes it a table like the others. Done once, however often it is asked for. */
export async function endFilling(db: Queryable, generation: number): Promise<void> {
  const name = partitionName('commitment', generation)
  const { rows } = await sql`select from pg_attribute where attrelid = to_regclass(${name}) and attname = 'search_text'
    and not attisdropped`.execute(db)
  if (rows.length === 0) return
  await sql`select end_filling(${generation})`.execute(db)
}

// The indexes of a generation's tables, built while the tables can be read. Attaching a table builds missing indexes
// too, but locks everybody out meanwhile, and one index waits for the other.

import { sql } from 'kysely'
import type { Database } from '../../database/pool.ts'
import { partitionName } from '../core/generations.ts'

type Index = { name: string; isPrimary: boolean }

/** The indexes that a table's partitions have, less those that this partition has already. */
async function missingIndexes(db: Database, table: string, partition: string): Promise<Index[]> {
  const { rows } = await sql<Index>`select relname as name, indisprimary as "isPrimary"
    from pg_index join pg_class on pg_class.oid = indexrelid where indrelid = to_regclass(${table})
      and not exists (select from pg_inherits join pg_index own on own.indexrelid = inhrelid
        where inhparent = pg_index.indexrelid and own.indrelid = to_regclass(${partition}))
    order by relname`.execute(db)
  return rows
}

/** Builds the indexes of a generation's table whose names these are, or all. Done once, however often it is asked for. */
export async function buildIndexes(
  db: Database,
  table: string,
  generation: number,
  names: readonly string[] | null = null,
): Promise<void> {
  const partition = partitionName(table, generation)
  for (const index of await missingIndexes(db, table, partition)) {
    if (names !== null && !names.includes(index.name)) continue
    await sql`select index_partition(${table}, ${generation}, ${index.name})`.execute(db)
  }
}

/** Makes the unique index that was built the primary key: what attaching looks for. */
export async function adoptPrimaryKey(db: Database, table: string, generation: number): Promise<void> {
  const partition = partitionName(table, generation)
  const primary = (await missingIndexes(db, table, partition)).find(({ isPrimary }) => isPrimary)
  const { rows } =
    await sql`select from pg_constraint where conrelid = to_regclass(${partition}) and contype = 'p'`.execute(db)
  if (!primary || rows.length > 0) return
  await sql`select adopt_primary_key(${table}, ${generation}, ${primary.name})`.execute(db)
}

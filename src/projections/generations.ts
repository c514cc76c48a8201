// Builds of projections beside each other. The rows of a build carry its generation, each generation is a partition of every
// table, and the checkpoint of a register says which one is live: nothing is renamed, and a register can be built alone.

import { type RawBuilder, sql } from 'kysely'
import type { Database, Queryable } from '../database/pool.ts'

/** Which rows of a register: those of one generation. */
export type Build = { register: string; generation: number }

/** The tables of each projection. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  commitments: ['commitment'],
  periods: ['period'],
  tallies: ['tally'],
}

/** The generation that is live, as part of a statement: found at the same moment as the rows that it names. */
export function liveGeneration(register: string, projection: string): RawBuilder<number> {
  return sql<number>`(select generation from checkpoint where register = ${register} and projection = ${projection})`
}

function tablesOf(projections: readonly string[]): string[] {
  return projections.flatMap((projection) => TABLES[projection] ?? [])
}

/** The table of a generation. The number alone makes the name, so that it is safe to stand in a statement. */
export function partition(table: string, generation: number): string {
  return `${table}_g${Math.trunc(generation)}`
}

/** Makes tables for a new generation, without indexes and out of readers' sight, and returns its number. */
export async function beginGeneration(db: Queryable, projections: readonly string[]): Promise<number> {
  const { rows } = await sql<{ number: number }>`select nextval('generation_number') as number`.execute(db)
  const generation = rows[0]?.number as number
  for (const table of tablesOf(projections)) {
    // The check spares the look at every row when it is attached.
    await sql`create table ${sql.raw(partition(table, generation))}
      (like ${sql.raw(table)} including defaults including storage, check (generation = ${sql.raw(String(generation))}))`.execute(
      db,
    )
  }
  return generation
}

/** The partitions of a table by generation, whether attached or not. */
async function partitionsOf(db: Queryable, table: string): Promise<{ generation: number; isAttached: boolean }[]> {
  const { rows } = await sql<{ generation: number; is_attached: boolean }>`
    select substr(relname, length(${table}) + 3)::bigint as generation, relispartition as is_attached
    from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace
      and relname ~ ('^' || ${table} || '_g[0-9]+$')`.execute(db)
  return rows.map(({ generation, is_attached }) => ({ generation, isAttached: is_attached }))
}

/** Builds the indexes of a generation and lets readers find it. Done once, however often it is asked for. */
export async function attachGeneration(
  db: Queryable,
  generation: number,
  projections: readonly string[],
): Promise<void> {
  for (const table of tablesOf(projections)) {
    const found = (await partitionsOf(db, table)).find((one) => one.generation === generation)
    if (found?.isAttached) continue
    const name = partition(table, generation)
    // To attach builds every index that the parent has.
    await sql`alter table ${sql.raw(table)} attach partition ${sql.raw(name)} for values in (${sql.raw(String(generation))})`.execute(
      db,
    )
    await sql`analyze ${sql.raw(name)}`.execute(db)
  }
}

/** Makes a generation the live one of a register's projection. In a transaction that has locked the checkpoint. */
export async function makeLive(
  tx: Queryable,
  register: string,
  projection: string,
  live: { generation: number; version: number; size: number; timeZone: string | null },
): Promise<void> {
  const values = {
    version: live.version,
    size: live.size,
    generation: live.generation,
    time_zone: live.timeZone,
    stopped_at: null,
    stopped_because: null,
    moved_at: new Date(),
  }
  await tx
    .insertInto('checkpoint')
    .values({ register, projection, ...values })
    .onConflict((conflict) => conflict.columns(['register', 'projection']).doUpdateSet(values))
    .execute()
}

/** Removes the tables of a generation; nothing may use it any longer. */
export async function dropGeneration(db: Database, generation: number): Promise<void> {
  for (const table of tablesOf(Object.keys(TABLES))) await dropPartition(db, table, generation)
}

async function dropPartition(db: Database, table: string, generation: number): Promise<void> {
  const found = (await partitionsOf(db, table)).find((one) => one.generation === generation)
  if (!found) return
  const name = sql.raw(partition(table, generation))
  // Concurrently: to drop an attached one would keep readers of the others waiting.
  if (found.isAttached) await sql`alter table ${sql.raw(table)} detach partition ${name} concurrently`.execute(db)
  await sql`drop table if exists ${name}`.execute(db)
}

/**
 * Removes the rows of generations that are not live: whole tables where no register uses them any longer, else those of the
 * registers (null: of all). Generations in `kept` stay: they are being built.
 */
export async function dropPrevious(
  db: Database,
  registers: readonly string[] | null,
  kept: readonly number[],
): Promise<void> {
  for (const [projection, tables] of Object.entries(TABLES)) {
    const { rows } = await sql<{ generation: number }>`select distinct generation from checkpoint
      where projection = ${projection}`.execute(db)
    const live = new Set(rows.map((row) => row.generation))
    for (const table of tables) {
      for (const { generation } of await partitionsOf(db, table)) {
        if (kept.includes(generation)) continue
        // New registers begin in generation 0, so its tables stay.
        if (!live.has(generation) && generation !== 0) await dropPartition(db, table, generation)
        else await removeRows(db, { projection, table, generation }, registers)
      }
    }
  }
}

async function removeRows(
  db: Database,
  { projection, table, generation }: { projection: string; table: string; generation: number },
  registers: readonly string[] | null,
): Promise<void> {
  const only = registers === null ? sql`` : sql`and c.register = any(${[...registers]}::text[])`
  await sql`delete from ${sql.raw(partition(table, generation))} t using checkpoint c
    where c.register = t.register and c.projection = ${projection} and c.generation <> ${generation} ${only}`.execute(
    db,
  )
}

// The operations that replays are: what was asked for, how each ended, and the lease of the process that works on it. A process
// that has been silent for SILENT_MS has lost its lease.

import { randomUUID } from 'node:crypto'
import { type InsertObject, type Selectable, sql } from 'kysely'
import type { Database, Queryable } from '../../database/pool.ts'
import type { Tables } from '../../database/tables.ts'
import type { ProjectionName } from '../core/versions.ts'

/** What is asked for. */
export type ReplayRequest = {
  projections: readonly ProjectionName[]
  /** Null for all registers. */
  register: string | null
  /** Events in a second at most; null for as many as can be. */
  maxRate: number | null
  /** Whether what was live before goes once the new rows are live. */
  dropPrevious: boolean
}

export type OperationState = 'running' | 'caughtUp' | 'cancelled' | 'failed'
export type Operation = ReplayRequest & {
  id: string
  generation: number
  state: OperationState
  failedBecause: string | null
  /** The event that could not be read. */
  failedAt: number | null
  /** Whether a process holds its lease: one that has been silent for a while does not. */
  isOwned: boolean
  /** Whether it has only just been asked for, and no process has taken it up yet. */
  isPending: boolean
  /** The last heartbeat of a process that works on it; null where there never was one. */
  heartbeatAt: Date | null
  /** Whether that process has said nothing for longer than one that lives: it may have died. */
  isQuiet: boolean
  startedAt: Date
  finishedAt: Date | null
  /** How long it has taken so far, by the clock of the database. */
  seconds: number
}

/** A process that lives sends a heartbeat every second. */
const QUIET_MS = 3_000
/** How long a process may be silent before another takes its lease. */
export const SILENT_MS = 10_000

function operationOf(
  row: Selectable<Tables['operation']> & { is_owned: boolean; is_quiet: boolean; is_pending: boolean; seconds: number },
): Operation {
  return {
    id: row.id,
    // Safe: written from the names of projections.
    projections: row.projections as ProjectionName[],
    register: row.register,
    generation: row.generation,
    maxRate: row.max_rate,
    dropPrevious: row.drop_previous,
    // Safe: written from a state.
    state: row.state as OperationState,
    failedBecause: row.failed_because,
    failedAt: row.failed_at,
    isOwned: row.is_owned,
    heartbeatAt: row.beat_at,
    isQuiet: row.is_quiet,
    isPending: row.is_pending,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    seconds: row.seconds,
  }
}

function operations(db: Queryable) {
  return db
    .selectFrom('operation')
    .selectAll()
    .select(
      sql<boolean>`beat_at is null or beat_at <= now() - make_interval(secs => ${QUIET_MS / 1_000})`.as('is_quiet'),
    )
    .select(
      sql<boolean>`state = 'running' and beat_at is null
        and started_at > now() - make_interval(secs => ${SILENT_MS / 1_000})`.as('is_pending'),
    )
    .select(
      sql<boolean>`state = 'running' and owner is not null
        and beat_at > now() - make_interval(secs => ${SILENT_MS / 1_000})`.as('is_owned'),
    )
    .select(sql<number>`extract(epoch from coalesce(finished_at, now()) - started_at)::float8`.as('seconds'))
}

/** An operation; null where there is none of that id. */
export async function readOperation(db: Queryable, id: string): Promise<Operation | null> {
  const row = await operations(db).where('id', '=', id).executeTakeFirst()
  return row ? operationOf(row) : null
}

/** The operation that has not ended, whether somebody works on it or not; null where there is none. */
export async function unfinishedOperation(db: Queryable): Promise<Operation | null> {
  const row = await operations(db).where('state', '=', 'running').executeTakeFirst()
  return row ? operationOf(row) : null
}

/** Writes a new operation; throws where another has not ended. */
export async function addOperation(tx: Queryable, request: ReplayRequest, generation: number): Promise<string> {
  const id = randomUUID()
  await tx
    .insertInto('operation')
    .values({
      id,
      projections: [...request.projections],
      register: request.register,
      generation,
      max_rate: request.maxRate,
      drop_previous: request.dropPrevious,
      state: 'running',
      // By the clock that its signs of life go by: the service's may be another one.
      started_at: sql<Date>`now()`,
    } as InsertObject<Tables, 'operation'>)
    .execute()
  return id
}

/** Gives an operation that nobody works on other options; false where somebody does, or it has ended. */
export async function changeOptions(
  db: Queryable,
  id: string,
  { maxRate, dropPrevious }: Pick<ReplayRequest, 'maxRate' | 'dropPrevious'>,
): Promise<boolean> {
  const { numAffectedRows } = await sql`update operation set max_rate = ${maxRate}, drop_previous = ${dropPrevious}
    where id = ${id} and state = 'running'
      and (owner is null or beat_at <= now() - make_interval(secs => ${SILENT_MS / 1_000}))`.execute(db)
  return numAffectedRows === 1n
}

/** Takes the lease of an operation that nobody works on, or that this owner does; false where another does or it has ended. */
export async function takeLease(db: Queryable, id: string, owner: string): Promise<boolean> {
  const { numAffectedRows } = await sql`update operation set owner = ${owner}, beat_at = now()
    where id = ${id} and state = 'running' and (owner is null or owner = ${owner}
      or beat_at <= now() - make_interval(secs => ${SILENT_MS / 1_000}))`.execute(db)
  return numAffectedRows === 1n
}

/** Renews the lease of an owner. Another state than `running`, or null, says that it has lost it. */
export async function heartbeat(db: Queryable, id: string, owner: string): Promise<OperationState | null> {
  const { rows } = await sql<{ state: OperationState }>`update operation set beat_at = now()
    where id = ${id} and owner = ${owner} returning state`.execute(db)
  return rows[0]?.state ?? null
}

/** Gives the lease up: the next one to ask goes on at once. */
export async function releaseLease(db: Queryable, id: string, owner: string): Promise<void> {
  await db.updateTable('operation').set({ owner: null }).where('id', '=', id).where('owner', '=', owner).execute()
}

/** Ends an operation; false where it has ended already. */
export async function finishOperation(
  db: Queryable,
  id: string,
  state: Exclude<OperationState, 'running'>,
  failure: { because: string; at: number | null } | null = null,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('operation')
    .set({
      state,
      finished_at: sql<Date>`now()`,
      failed_because: failure?.because ?? null,
      failed_at: failure?.at ?? null,
    })
    .where('id', '=', id)
    .where('state', '=', 'running')
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Writes down that what an operation has made live is not what was live before. */
export async function noteDifference(db: Queryable, id: string, because: string): Promise<void> {
  await db.updateTable('operation').set({ failed_because: because }).where('id', '=', id).execute()
}

/** The generations that are being built. */
export async function generationsUnderWay(db: Database): Promise<ReadonlySet<number>> {
  const rows = await db.selectFrom('operation').select('generation').where('state', '=', 'running').execute()
  return new Set(rows.map(({ generation }) => generation))
}

/** The projections of registers that somebody is building anew now. */
export async function replaysUnderWay(db: Queryable): Promise<{ projection: string; register: string }[]> {
  const { rows } = await sql<{ projection: string; register: string }>`select projection, r.register
    from operation o join replay r on r.operation = o.id cross join unnest(o.projections) projection
    where o.state = 'running' and o.owner is not null and not r.is_live
      and o.beat_at > now() - make_interval(secs => ${SILENT_MS / 1_000})`.execute(db)
  return rows
}

/**
 * Holds off replays of a register to the end of the transaction. False if one has not ended: its threads may have read
 * the redacted content, and write it into rows that nobody finds yet.
 */
export async function holdOffReplays(tx: Queryable, register: string): Promise<boolean> {
  // One that is about to begin waits, and one that has just begun is seen.
  await sql`lock table operation in share mode`.execute(tx)
  const unfinished = await unfinishedOperation(tx)
  return unfinished === null || (unfinished.register !== null && unfinished.register !== register)
}

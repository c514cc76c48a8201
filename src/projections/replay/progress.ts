// What is stored of replays: whose turn it is, and how far each has come. Every step forward is written in the transaction
// that writes its rows, and fails where somebody else has gone on from there.

import { randomUUID } from 'node:crypto'
import { type InsertObject, type Selectable, sql } from 'kysely'
import type { Database, Queryable } from '../../database/pool.ts'
import type { Tables } from '../../database/tables.ts'
import { REGISTER_STREAM } from '../../domain/event.ts'

/** What is asked for. */
export type Request = {
  projections: readonly string[]
  /** Null for all registers. */
  register: string | null
  /** Events in a second at most; null for as many as can be. */
  maxRate: number | null
  /** Whether what was live before goes once the new rows are live. */
  dropPrevious: boolean
}

export type OperationState = 'running' | 'caughtUp' | 'cancelled' | 'failed'
export type Operation = Request & {
  id: string
  generation: number
  state: OperationState
  failedBecause: string | null
  /** The event that could not be read. */
  failedAt: number | null
  /** Whether a process works on it: one that has not said so for a while does not. */
  isOwned: boolean
  /** Whether it has only just been asked for, and no process has taken it up yet. */
  isPending: boolean
  /** When a process last said that it works on it; null where none ever did. */
  beatAt: Date | null
  /** Whether that process has said nothing for longer than one that lives: it may have died. */
  isQuiet: boolean
  startedAt: Date
  finishedAt: Date | null
  /** How long it has taken so far, by the clock of the database. */
  seconds: number
}

/** A process that lives says so every second. */
const QUIET_MS = 3_000
/** How long a process may be silent before another takes its turn. */
export const SILENT_MS = 10_000

function operationOf(
  row: Selectable<Tables['operation']> & { is_owned: boolean; is_quiet: boolean; is_pending: boolean; seconds: number },
): Operation {
  return {
    id: row.id,
    projections: row.projections,
    register: row.register,
    generation: row.generation,
    maxRate: row.max_rate,
    dropPrevious: row.drop_previous,
    // Safe: written from a state.
    state: row.state as OperationState,
    failedBecause: row.failed_because,
    failedAt: row.failed_at,
    isOwned: row.is_owned,
    beatAt: row.beat_at,
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
export async function addOperation(tx: Queryable, request: Request, generation: number): Promise<string> {
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
  { maxRate, dropPrevious }: Pick<Request, 'maxRate' | 'dropPrevious'>,
): Promise<boolean> {
  const { numAffectedRows } = await sql`update operation set max_rate = ${maxRate}, drop_previous = ${dropPrevious}
    where id = ${id} and state = 'running'
      and (owner is null or beat_at <= now() - make_interval(secs => ${SILENT_MS / 1_000}))`.execute(db)
  return numAffectedRows === 1n
}

/** Takes the turn on an operation that nobody works on, or that this owner does; false where another does or it has ended. */
export async function takeOperation(db: Queryable, id: string, owner: string): Promise<boolean> {
  const { numAffectedRows } = await sql`update operation set owner = ${owner}, beat_at = now()
    where id = ${id} and state = 'running' and (owner is null or owner = ${owner}
      or beat_at <= now() - make_interval(secs => ${SILENT_MS / 1_000}))`.execute(db)
  return numAffectedRows === 1n
}

/** Says that this owner still works on it. Another state than `running`, or null, says that it is no longer its turn. */
export async function beat(db: Queryable, id: string, owner: string): Promise<OperationState | null> {
  const { rows } = await sql<{ state: OperationState }>`update operation set beat_at = now()
    where id = ${id} and owner = ${owner} returning state`.execute(db)
  return rows[0]?.state ?? null
}

/** Gives the turn up: the next one to ask goes on at once. */
export async function release(db: Queryable, id: string, owner: string): Promise<void> {
  await db.updateTable('operation').set({ owner: null }).where('id', '=', id).where('owner', '=', owner).execute()
}

/** Ends an operation; false where it has ended already. */
export async function finish(
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

/** A part of a register's streams, and the last of them that is folded. */
export type Part = { part: number; upTo: string; done: string }

const LAST_STREAM = '~'

/** Writes that a register is to be read up to a size, in parts that end with these streams. */
export async function addReplay(
  tx: Queryable,
  operation: string,
  { register, size, bounds }: { register: string; size: number; bounds: readonly string[] },
): Promise<void> {
  await tx
    .insertInto('replay')
    .values({ register, operation, size } as Tables['replay'])
    .execute()
  // No name of a stream sorts after the last one; the register's own stream sorts before all others.
  const ends = [...bounds, LAST_STREAM]
  const parts = ends.map((up_to, part) => ({ part, up_to, done: bounds[part - 1] ?? REGISTER_STREAM }))
  await tx
    .insertInto('replay_part')
    .values(parts.map((part) => ({ register, operation, ...part }) as Tables['replay_part']))
    .execute()
}

/** The parts of a register that are not done, in order. */
export async function openParts(db: Queryable, operation: string, register: string): Promise<Part[]> {
  const rows = await db
    .selectFrom('replay_part')
    .select(['part', 'up_to', 'done'])
    .where('register', '=', register)
    .where('operation', '=', operation)
    .where('is_done', '=', false)
    .orderBy('part')
    .execute()
  return rows.map(({ part, up_to, done }) => ({ part, upTo: up_to, done }))
}

/** Somebody else has gone on with what this process was doing. */
export class ReplayOvertakenError extends Error {
  constructor() {
    super('another process has gone on with this replay')
  }
}

/**
 * Moves a part on from where it stood to its next stream, or (null) to its end. Throws ReplayOvertakenError where it
 * stands elsewhere.
 */
export async function movePart(
  tx: Queryable,
  { operation, register }: { operation: string; register: string },
  { part, done }: Part,
  next: string | null,
  events: number,
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('replay_part')
    .set((eb) => ({ events: eb('events', '+', events), ...(next === null ? { is_done: true } : { done: next }) }))
    .where('register', '=', register)
    .where('operation', '=', operation)
    .where('part', '=', part)
    .where('done', '=', done)
    .where('is_done', '=', false)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw new ReplayOvertakenError()
}

/** How far an operation has come in a register. */
export type RegisterProgress = {
  register: string
  size: number
  folded: number
  sealed: number
  reached: number
  isLive: boolean
  previous: Record<string, { generation: number; size: number }> | null
}

/** How far an operation has come in each of its registers. */
export async function readProgress(db: Queryable, operation: string): Promise<RegisterProgress[]> {
  const rows = await db
    .selectFrom('replay')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('replay_part')
        .select((of) => of.fn.sum<number>('events').as('events'))
        .whereRef('replay_part.register', '=', 'replay.register')
        .whereRef('replay_part.operation', '=', 'replay.operation')
        .as('folded'),
    )
    .where('operation', '=', operation)
    .orderBy('register')
    .execute()
  return rows.map(({ register, size, folded, sealed, reached, is_live, previous }) => ({
    register,
    size,
    folded: Number(folded ?? 0),
    sealed,
    reached,
    isLive: is_live,
    previous: previous as RegisterProgress['previous'],
  }))
}

/** Moves a register on. Throws ReplayOvertakenError where it stands elsewhere. */
export async function moveReplay(
  tx: Queryable,
  operation: string,
  { register, sealed, reached }: Pick<RegisterProgress, 'register' | 'sealed' | 'reached'>,
  next: Partial<Pick<RegisterProgress, 'sealed' | 'reached' | 'isLive' | 'previous'>>,
): Promise<void> {
  const { isLive, previous, ...numbers } = next
  const { numUpdatedRows } = await tx
    .updateTable('replay')
    .set({
      ...numbers,
      ...(isLive === undefined ? {} : { is_live: isLive }),
      ...(previous === undefined ? {} : { previous: JSON.stringify(previous) }),
    })
    .where('register', '=', register)
    .where('operation', '=', operation)
    .where('sealed', '=', sealed)
    .where('reached', '=', reached)
    .where('is_live', '=', false)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw new ReplayOvertakenError()
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

// How far each replay has come. Every step forward is written in the transaction that writes its rows, and fails where another
// process has gone on from there.

import type { Queryable } from '../../database/pool.ts'
import type { Tables } from '../../database/tables.ts'
import { REGISTER_STREAM } from '../../domain/event.ts'
import type { ProjectionName } from '../core/versions.ts'

/** A part of a register's streams, and the last of them that is folded. */
export type ReplayPart = { part: number; upTo: string; done: string }

const LAST_STREAM = '~'

/** Writes that a register is to be read up to a size, in parts that end with these streams. */
export async function addRegister(
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
export async function openParts(db: Queryable, operation: string, register: string): Promise<ReplayPart[]> {
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

/** Another process has gone on with what this one was doing. */
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
  { part, done }: ReplayPart,
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

/** The builds that were live before, by projection. */
export type PreviousBuilds = Partial<Record<ProjectionName, { generation: number; size: number }>>

/** How far an operation has come in a register. */
export type RegisterReplay = {
  register: string
  /** Parts are read below this size ... */
  size: number
  /** ... and of their events so many are folded. */
  folded: number
  /** The size up to which tallies are rolled up. */
  rolledUp: number
  /** The size that ordinary steps have come to since; 0 before the first. */
  reached: number
  isLive: boolean
  previous: PreviousBuilds | null
}

/** How far an operation has come in each of its registers. */
export async function readReplayedRegisters(db: Queryable, operation: string): Promise<RegisterReplay[]> {
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
    rolledUp: sealed,
    reached,
    isLive: is_live,
    // Safe: written from builds.
    previous: previous as PreviousBuilds | null,
  }))
}

/** Moves a register on. Throws ReplayOvertakenError where it stands elsewhere. */
export async function moveRegister(
  tx: Queryable,
  operation: string,
  { register, rolledUp, reached }: Pick<RegisterReplay, 'register' | 'rolledUp' | 'reached'>,
  next: Partial<Pick<RegisterReplay, 'rolledUp' | 'reached' | 'isLive' | 'previous'>>,
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('replay')
    .set({
      ...(next.rolledUp === undefined ? {} : { sealed: next.rolledUp }),
      ...(next.reached === undefined ? {} : { reached: next.reached }),
      ...(next.isLive === undefined ? {} : { is_live: next.isLive }),
      ...(next.previous === undefined ? {} : { previous: JSON.stringify(next.previous) }),
    })
    .where('register', '=', register)
    .where('operation', '=', operation)
    .where('sealed', '=', rolledUp)
    .where('reached', '=', reached)
    .where('is_live', '=', false)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw new ReplayOvertakenError()
}

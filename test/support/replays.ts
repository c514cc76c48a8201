// Registers that a replay builds anew, and what tests of it look at.

import fc from 'fast-check'
import { sql } from 'kysely'
import type { Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { beginReplay, replayed } from '../../src/projections/replay/begin.ts'
import { dropReplaced, type ReplayOutcome } from '../../src/projections/replay/end.ts'
import type { ReplayOptions } from '../../src/projections/replay/job.ts'
import type { ReplayRequest } from '../../src/projections/replay/operation.ts'
import { runReplay } from '../../src/projections/replay/replay.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { testDatabaseUrl } from './database.ts'
import { anyRawLog, insertRaw } from './raw-log.ts'

export const EVERYTHING: ReplayRequest = {
  projections: replayed([]),
  register: null,
  maxRate: null,
  dropPrevious: false,
}

/** A log of some hundred events, the same in every run. */
export const rawLog = (seed: number): StoredEvent[] =>
  fc.sample(
    anyRawLog(400).filter((log) => log.length > 300),
    { numRuns: 1, seed },
  )[0] as StoredEvent[]

type Base = {
  db: Database
  url: string
  run: (request: Partial<ReplayRequest>, options?: Partial<ReplayOptions>) => Promise<ReplayOutcome>
}

/** Registers `a` and `b`, projected in ordinary steps. */
export async function base(t: Test): Promise<Base> {
  const url = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: url })
  t.teardown(() => db.destroy())
  for (const [index, register] of ['a', 'b'].entries()) {
    await insertRaw(db, register, rawLog(index + 1))
    await project(db, register)
  }
  const run: Base['run'] = async (request, options = {}) => {
    const { id, register } = await beginReplay(db, { ...EVERYTHING, ...request })
    const outcome = await runReplay(db, createRegisters(), id, { ...optionsFor(url), ...options })
    if (request.dropPrevious && outcome.state === 'caughtUp') await dropReplaced(db, register)
    return outcome
  }
  return { db, url, run }
}

export function optionsFor(connectionString: string): ReplayOptions {
  return { connectionString, workers: 2, chunkEvents: 25, signal: new AbortController().signal, onProgress: () => {} }
}

export async function project(db: Database, register: string): Promise<void> {
  for (const projection of PROJECTIONS) await catchUp(db, createRegisters(), projection, register)
}

export async function generations(db: Database, register: string): Promise<number[]> {
  const rows = await db
    .selectFrom('projection_progress')
    .select('generation')
    .where('register', '=', register)
    .orderBy('projection')
    .execute()
  return rows.map(({ generation }) => generation)
}

export async function rowsIn(db: Database, table: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(db)
  return rows[0]?.count as number
}

// Bringing a made-up log into the database without the service: COPY into the log's tables, then every projection.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import pgCopy from 'pg-copy-streams'
import type { Database } from '../../src/database/pool.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { perSecond, type Tell } from './measure.ts'
import { copyLine, type Entry, EVENT_COLUMNS, scaleLog } from './scale-log.ts'

const CHUNK_LINES = 500

/** A log to be written: its entries in order of position, each made when it is wanted. */
export type Loading = {
  register: string
  size: number
  ownRevision: number
  lastAt: number
  entries: Iterable<Entry>
}

function* chunks({ register, entries }: Loading): Generator<string> {
  let position = 0
  let lines: string[] = []
  for (const entry of entries) {
    lines.push(copyLine(register, entry, position++))
    if (lines.length < CHUNK_LINES) continue
    yield lines.join('')
    lines = []
  }
  yield lines.join('')
}

/** Writes a log that is not there yet, in one transaction. */
export async function copyLog(pool: pg.Pool, log: Loading): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await pipeline(Readable.from(chunks(log)), client.query(pgCopy.from(`copy event (${EVENT_COLUMNS}) from stdin`)))
    const insert = 'insert into register (register, size, last_recorded_at, own_revision) values ($1, $2, $3, $4)'
    await client.query(insert, [log.register, log.size, new Date(log.lastAt), log.ownRevision])
    await client.query('commit')
  } finally {
    client.release()
  }
}

/** Makes a log and loads it; returns how many commitments it has. */
export async function loadLog(pool: pg.Pool, register: string, size: number, tell: Tell): Promise<number> {
  let commitments = 0
  const rate = await perSecond(size, async () => {
    const log = scaleLog(register, size, 1)
    commitments = log.commitments
    await copyLog(pool, { ...log, size: log.entries.length, lastAt: log.entries.at(-1)?.at ?? 0 })
  })
  tell(`${register}: made and loaded ${size} events, ${Math.round(rate)} events/s`)
  return commitments
}

/** Brings every projection of a register to the head of its log. Throws where one does not get there. */
export async function projectLog(db: Database, register: string, size: number, tell: Tell): Promise<void> {
  const registers = createRegisters()
  for (const projection of PROJECTIONS) {
    const rate = await perSecond(size, () => catchUp(db, registers, projection, register))
    tell(`${register}: projection ${projection.name}, ${Math.round(rate)} events/s`)
  }
  const reached = await db.selectFrom('projection_progress').selectAll().where('register', '=', register).execute()
  const stopped = PROJECTIONS.find(({ name }) => reached.find((row) => row.projection === name)?.size !== size)
  if (stopped) throw new Error(`projection ${stopped.name} did not reach the head of ${register}`)
}

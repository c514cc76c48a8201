// Row `replay`: `pledger replay` of all projections of a register, as a process of its own from its start to its end; beside
// it, the same events read in Node through a cursor, on one connection, with nothing done to them.

import type pg from 'pg'
import { type Measured, measure, perSecond, type Tell } from './measure.ts'
import { replay } from './replaying.ts'
import { loadLog } from './scale-load.ts'
import type { BareStage } from './stage.ts'

const EVENTS = 500_000
const ROUNDS = 3
const FETCH = 1_000

const EVERYTHING = `declare everything no scroll cursor for select position, id, stream, revision, type, type_version,
  recorded_at, recorded_by, occurred_on, data, citations, salt, body_hash from event where register = $1 order by position`

/** On a stage of its own, without a service whose projections would follow what is loaded. */
export async function replayRows(stage: BareStage, tell: Tell): Promise<Measured[]> {
  await stage.run(['src/main.ts', 'migrate'])
  const register = 'bench-replay'
  await loadLog(stage.pool, register, EVENTS, tell)
  await stage.pool.query('vacuum analyze')
  let peak = 0
  const value = async () => {
    const replayed = await replay(stage, register, EVENTS)
    peak = Math.max(peak, replayed.peak)
    return replayed.rate
  }
  const limit = () => perSecond(EVENTS, () => readAll(stage.pool, register))
  const remark = () => `the process held at most ${Math.round(peak)} MB`
  return [
    await measure(
      { row: 'replay', unit: 'events/s', value, limit, rounds: ROUNDS, isCold: true, remark },
      ROUNDS,
      tell,
    ),
  ]
}

async function readAll(pool: pg.Pool, register: string): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query(EVERYTHING, [register])
    let events = 0
    for (let read = FETCH; read === FETCH; events += read) {
      read = (await client.query(`fetch ${FETCH} from everything`)).rows.length
    }
    await client.query('commit')
    if (events !== EVENTS) throw new Error(`read ${events} of ${EVENTS} events`)
  } finally {
    client.release()
  }
}

// Row `oracle`: how often what the routes answer about random logs at random clocks differs from a fold of the raw log. It
// ends at the first difference, so the value is 0 or 1; the limit is how many logs were asked.

import { pino } from 'pino'
import { migrate } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { buildApp } from '../../src/http/app.ts'
import { createRegisterHeads } from '../../src/projections/core/heads.ts'
import { createRecorder } from '../../src/recording/recorder.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { noAccessControl } from '../support/access.ts'
import { checkRandomLogs } from '../support/random-logs.ts'
import type { Measured, Tell } from './measure.ts'
import type { BareStage } from './stage.ts'

const LOGS = 1_000
/** After every fact of the logs. */
const NOW = Date.parse('2040-01-01T12:00:00.000Z')

export async function oracleRow(stage: BareStage, tell: Tell): Promise<Measured> {
  const db = openDatabase({ connectionString: stage.connectionString })
  await migrate(db)
  const registers = createRegisters()
  const recorder = createRecorder(db, registers, { now: () => NOW })
  const context = {
    access: noAccessControl(db),
    db,
    registers,
    heads: createRegisterHeads(db),
    recorder,
    now: () => NOW,
    wake: () => {},
  }
  const app = await buildApp(context, pino({ level: 'silent' }))
  const get = async (url: string) => {
    const { statusCode, payload } = await app.inject(url)
    return { status: statusCode, body: JSON.parse(payload), text: payload }
  }
  try {
    const { logs, answers, difference } = await checkRandomLogs(LOGS, { asked: { db, registers, get } })
    tell(
      `oracle: ${answers} answers about ${logs} logs${difference === null ? '' : `; the first that differs:\n${difference}`}`,
    )
    const value = difference === null ? 0 : 1
    // The one that differs is not among the `logs` that passed.
    const limit = logs + value
    return { row: 'oracle', unit: 'logs', value, limit, ratio: value / limit, goal: 0, atMost: true }
  } finally {
    await app.close()
    await db.destroy()
  }
}

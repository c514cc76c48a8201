import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/database/pool.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { readFeed } from '../../src/eventlog/feed.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { projectionDigest } from '../../src/projections/checking/digest.ts'
import { commitments } from '../../src/projections/commitments/projection.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { projectionSize } from '../../src/projections/core/progress.ts'
import { periods } from '../../src/projections/periods/projection.ts'
import { redactFromRows } from '../../src/projections/redact.ts'
import { giveUpInterrupted } from '../../src/projections/replay/end.ts'
import { holdOffReplays } from '../../src/projections/replay/operation.ts'
import { rolledUpEvery } from '../../src/projections/tallies/projection.ts'
import { type FoldedRows, redact } from '../../src/recording/redact.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { testDatabase } from '../support/database.ts'
import { checkRandomLogs } from '../support/random-logs.ts'
import { anyRawLog, insertRaw } from '../support/raw-log.ts'
import { testService } from '../support/service.ts'

/** Every event of a register as the log holds it now. */
function held(db: Database, register: string): Promise<StoredEvent[]> {
  return readFeed(db, { register, after: -1, until: 10_000, limit: 10_000 })
}

t.test(
  'after redactions every answer at any two clocks is what a fold of the log without that content gives',
  async (t) => {
    const service = await testService(t, '2040-01-01')
    // What is projected when is up to the check.
    await service.runner.stop()
    const statuses = new Map<number, number>()
    const erase = async (register: string, log: readonly StoredEvent[]) => {
      // Some of them before the projections have read the redactions of the others.
      for (const [index, share] of [0.1, 0.35, 0.5, 0.8, 0.95].entries()) {
        const position = Math.floor(share * log.length)
        const { status } = await service.post(`/v1/registers/${register}/events/${position}/redact`, { reason: 'r' })
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (index % 2 === 0) continue
        for (const projection of PROJECTIONS) await catchUp(service.db, service.registers, projection, register)
      }
      for (const projection of PROJECTIONS) await catchUp(service.db, service.registers, projection, register)
      return held(service.db, register)
    }
    const checked = await checkRandomLogs(20, { asked: service, seed: 5, questions: 3, events: 200, erase })
    t.equal(checked.difference, null)
    t.strictSame([checked.logs, checked.answers], [20, 20 * 2 * 3 * 6])
    t.ok((statuses.get(201) ?? 0) > 60, JSON.stringify([...statuses]))
  },
)

const EPOCH = 16
const SEALED = [commitments, periods, rolledUpEvery(EPOCH)]
const ROWS: FoldedRows = {
  giveUpInterrupted,
  holdOffReplays,
  redactRows: (tx, known, redacted) => redactFromRows(tx, known, redacted, EPOCH),
}

async function projected(db: Database, register: string): Promise<void> {
  for (const projection of SEALED) await catchUp(db, createRegisters(), projection, register)
}

async function digests(db: Database, register: string, size: number) {
  const found: unknown[] = []
  for (const projection of ['commitments', 'periods', 'tallies'] as const) {
    const digest = await projectionDigest(db, createRegisters(), { projection, register, size, epoch: EPOCH })
    found.push([projection, digest.rows, digest.sha256])
  }
  return found
}

t.test(
  'a projection that is just beginning with a register does not bring back what is erased meanwhile',
  async (t) => {
    const db = await testDatabase(t)
    const [log = []] = fc.sample(
      anyRawLog(150).filter((one) => one.length > 110),
      { numRuns: 1, seed: 20_260_226 },
    )
    await insertRaw(db, 'r', log)
    const [hasFolded, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow = SEALED.map((projection) => ({
      ...projection,
      async apply(...given: Parameters<typeof projection.apply>) {
        await projection.apply(...given)
        hasFolded.resolve()
        await mayEnd.promise
      },
    }))
    const beginning = catchUp(db, createRegisters(), slow[1] as (typeof slow)[number], 'r')
    await hasFolded.promise
    const request = { register: 'r', reason: 'r', recordedBy: 'local', now: Date.parse('2040-01-01'), key: null }
    const position = log.findIndex(({ type, salt }) => type === 'CommitmentMade' && salt !== null)
    const erased = redact(db, ROWS, { ...request, position })
    while ((await sql`select from pg_locks where not granted`.execute(db)).rows.length === 0) await sleep(10)
    mayEnd.resolve()
    await beginning
    t.equal((await erased).kind, 'recorded')
    await projected(db, 'r')
    const left = await held(db, 'r')
    await insertRaw(db, 'anew', left)
    await projected(db, 'anew')
    t.strictSame(await digests(db, 'r', left.length), await digests(db, 'anew', left.length))
  },
)

t.test('the digest after a redaction is that of a replay from the log as it is then, in every table', async (t) => {
  const db = await testDatabase(t)
  const logs = fc.sample(
    anyRawLog(150).filter((log) => log.length > 110),
    { numRuns: 6, seed: 20_260_226 },
  )
  let redactions = 0
  for (const [index, log] of logs.entries()) {
    const [register, anew] = [`r-${index}`, `anew-${index}`]
    await insertRaw(db, register, log)
    await projected(db, register)
    const before = await digests(db, register, log.length)
    for (const position of [30, 60, 100]) {
      const request = { register, position, reason: 'r', recordedBy: 'local', now: Date.parse('2040-01-01'), key: null }
      const { kind } = await redact(db, ROWS, request)
      if (kind === 'recorded') redactions += 1
    }
    t.ok((await projectionSize(db, register, 'tallies')) <= 96, 'sums from the first that counted it on are gone')
    await projected(db, register)
    const left = await held(db, register)
    await insertRaw(db, anew, left)
    await projected(db, anew)
    t.strictSame(await digests(db, register, left.length), await digests(db, anew, left.length))
    t.strictSame(await digests(db, register, log.length), await digests(db, anew, log.length))
    t.notSame(await digests(db, register, log.length), before)
  }
  t.ok(redactions > 12)
  const { rows } = await sql`select distinct generation from period`.execute(db)
  t.strictSame(rows, [{ generation: 0 }], 'in place')
})

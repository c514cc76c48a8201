import fc from 'fast-check'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { Database } from '../../src/database/pool.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { dayOf } from '../../src/kernel/plain-date.ts'
import { commitments } from '../../src/projections/commitments/projection.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import type { Projection } from '../../src/projections/core/projection.ts'
import { periods } from '../../src/projections/periods/projection.ts'
import { rolledUpEvery } from '../../src/projections/tallies/projection.ts'
import { EPOCH } from '../../src/projections/tallies/rollup.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { testDatabase } from '../support/database.ts'
import { createOracle } from '../support/oracle.ts'
import { checkRandomLogs, insertInPieces, type Route } from '../support/random-logs.ts'
import { anyRawLog, digests } from '../support/raw-log.ts'
import { testService } from '../support/service.ts'

const sample = (count: number, events: number): StoredEvent[][] =>
  fc.sample(
    anyRawLog(events).filter((log) => log.length >= events / 2),
    { numRuns: count, seed: 20_260_226 },
  )

/** Asks a hundred random logs by these routes; `answers` are four for each log and route. */
async function asksLogs(t: Test, routes: readonly Route[], seed: number): Promise<void> {
  const service = await testService(t, '2040-01-01')
  // What is projected when is up to the check.
  await service.runner.stop()
  const checked = await checkRandomLogs(100, { asked: service, routes, seed })
  t.equal(checked.difference, null)
  t.strictSame([checked.logs, checked.answers], [100, 400 * routes.length])
}

t.test('at any two clocks, lists, commitments, timelines and summaries are what a fold of the raw log gives', (t) =>
  asksLogs(t, ['list', 'one', 'timeline', 'summary'], 1),
)

t.test('at any two clocks, series and differences are what a fold of the raw log gives', (t) =>
  asksLogs(t, ['series', 'difference'], 2),
)

t.test('the periods found on the days that facts name are those found on every day', async (t) => {
  const EVERY_DAY = Array.from(
    { length: dayOf('2030-01-01') - dayOf('2018-12-01') },
    (_, index) => index + dayOf('2018-12-01'),
  )
  for (const log of sample(2, 300)) {
    const oracle = createOracle('r', log)
    for (const id of oracle.ids.slice(0, 5)) {
      t.strictSame(oracle.timeline(id, log.length), oracle.timeline(id, log.length, EVERY_DAY))
    }
  }
})

/** The projections in their next versions, the tallies summing up the next periods. */
const NEXT: readonly Projection[] = [commitments, periods, rolledUpEvery(EPOCH, periods.version + 1)].map(
  (projection) => (projection.follows ? projection : { ...projection, version: projection.version + 1 }),
)

/** Builds the rows of every projection anew, as for another version of its fold, and digests those. */
async function rebuilt(db: Database, register: string) {
  for (const projection of NEXT) await catchUp(db, createRegisters(), projection, register)
  return digests(db, register, Object.fromEntries(NEXT.map(({ name, version }) => [name, version])))
}

t.test('one event at a time, in any batches, all at once or anew: the same rows', async (t) => {
  const db = await testDatabase(t)
  const service = { db, registers: createRegisters() }
  for (const [index, log] of sample(4, 120).entries()) {
    const [one, some, all] = [`one-${index}`, `some-${index}`, `all-${index}`]
    await insertInPieces(service, all, log, [])
    const wanted = await digests(db, all)
    t.ok((wanted.commitment?.rows ?? 0) > 3)
    await insertInPieces(service, some, log, [2, 3, 17, 18, 40, 77])
    t.strictSame(await digests(db, some), wanted, 'in batches')
    await insertInPieces(service, one, log, [...log.keys()])
    t.strictSame(await digests(db, one), wanted, 'one at a time')
    t.strictSame(await rebuilt(db, one), wanted, 'anew')
  }
})

t.test('the digest sees any value of any row', async (t) => {
  const db = await testDatabase(t)
  const [log = []] = sample(1, 120)
  await insertInPieces({ db, registers: createRegisters() }, 'r', log, [])
  const before = await digests(db, 'r')
  await sql`update commitment set title = title || '!' where register = 'r'
    and id = (select max(id) from commitment where register = 'r')`.execute(db)
  const after = await digests(db, 'r')
  t.not(after.commitment?.sha256, before.commitment?.sha256)
  t.strictSame({ ...after, commitment: null }, { ...before, commitment: null })
  t.strictSame(Object.keys(before), ['commitment', 'period', 'tally'])
})

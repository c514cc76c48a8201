import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../../src/database/pool.ts'
import type { StoredEvent } from '../../../src/domain/event.ts'
import { checkProjection } from '../../../src/projections/checking/check.ts'
import { BeyondLogError, projectionDigest, UnknownRegisterError } from '../../../src/projections/checking/digest.ts'
import { commitments } from '../../../src/projections/commitments/projection.ts'
import { catchUp } from '../../../src/projections/core/advance.ts'
import { ProjectionBehindError } from '../../../src/projections/core/projection.ts'
import { contentHash, numberMemberships, readMemberships } from '../../../src/projections/periods/memberships.ts'
import { periods } from '../../../src/projections/periods/projection.ts'
import { rolledUpEvery } from '../../../src/projections/tallies/projection.ts'
import { createRegisters } from '../../../src/registers/registers.ts'
import { testDatabase } from '../../support/database.ts'
import { anyRawLog, insertRaw } from '../../support/raw-log.ts'

/** Seals are near each other, so that short logs have some. */
const EPOCH = 16
const PROJECTIONS = [commitments, periods, rolledUpEvery(EPOCH)]
const NAMES = ['commitments', 'periods', 'tallies'] as const

const logs = (count: number): StoredEvent[][] =>
  fc.sample(
    anyRawLog(150).filter((log) => log.length > 110),
    { numRuns: count, seed: 20_260_226 },
  )

/** Records a log in pieces that end at these sizes, projected after each. */
async function record(db: Database, register: string, log: readonly StoredEvent[], sizes: readonly number[]) {
  for (const [index, size] of sizes.entries()) {
    await insertRaw(db, register, log.slice(sizes[index - 1] ?? 0, size))
    for (const projection of PROJECTIONS) await catchUp(db, createRegisters(), projection, register)
  }
}

/** The digest of each projection without the register's name. */
async function digests(db: Database, register: string, size?: number) {
  const found: Record<string, { size: number; rows: number; sha256: string }> = {}
  for (const projection of NAMES) {
    const question = { projection, register, size, epoch: EPOCH }
    const { size: at, rows, sha256 } = await projectionDigest(db, createRegisters(), question)
    found[projection] = { size: at, rows, sha256 }
  }
  return found
}

/** The digest of each projection that holds against the log; else what does not. */
async function checks(db: Database, register: string) {
  const found: Record<string, string> = {}
  const moment = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  await moment.execute(async (tx) => {
    const known = await createRegisters().read(tx, register)
    if (!known) throw new Error('there is no register')
    for (const projection of NAMES) {
      const check = await checkProjection(tx, known, projection, { epoch: EPOCH })
      found[projection] = check.kind === 'holds' ? check.sha256 : check.why
    }
  })
  return found
}

t.test(
  'digests are the same however the rows were built and memberships numbered, also as of an earlier size',
  async (t) => {
    const db = await testDatabase(t)
    for (const [index, log] of logs(3).entries()) {
      const [all, one, other] = [`all-${index}`, `one-${index}`, `other-${index}`]
      await record(db, all, log, [log.length])
      const wanted = await digests(db, all)
      t.strictSame(
        Object.values(wanted).map(({ size }) => size),
        [log.length, log.length, log.length],
      )
      t.ok(
        Object.values(wanted).every(({ rows }) => rows > 3),
        JSON.stringify(wanted),
      )

      // The same memberships under other numbers.
      const memberships = (await readMemberships(db, all))
        .toReversed()
        .map((membership) => [contentHash(membership), membership] as const)
      await numberMemberships(db, other, new Map(memberships))
      await record(db, other, log, [40, 77, 78, 100, log.length])
      t.not(JSON.stringify(await readMemberships(db, other)), JSON.stringify(await readMemberships(db, all)))
      t.strictSame(await digests(db, other), wanted)
      // Folded from the log they are the same, too.
      for (const register of [all, other])
        t.strictSame(
          await checks(db, register),
          Object.fromEntries(Object.entries(wanted).map(([name, { sha256 }]) => [name, sha256])),
        )

      // As of a size: what stands there while the log ends there is what is told of it later.
      for (const size of [1, 33, 90]) {
        await record(db, `${one}-${size}`, log, [size])
        t.strictSame(await digests(db, all, size), await digests(db, `${one}-${size}`), `as of ${size}`)
      }
      t.not((await digests(db, all, 90)).periods?.sha256, wanted.periods?.sha256)
    }
  },
)

t.test('a digest sees any value of any row, of its own projection alone', async (t) => {
  const db = await testDatabase(t)
  const [log = []] = logs(1)
  await record(db, 'r', log, [log.length])
  const before = await digests(db, 'r')
  const spoilt: [string, string][] = [
    ['commitments', `update commitment set search = to_tsvector('simple', 'spoilt')`],
    ['commitments', `update commitment set redacted = array[1]`],
    ['periods', 'update period set days = days || 99999'],
    ['periods', 'update period set memberships = array_remove(memberships, 0) || 0'],
    ['periods', 'update period set changes = $$\\x00000000$$'],
    // Two or three whole entries, whatever the level of the row.
    ['tallies', 'update tally set statuses = statuses || $$\\x000002000002$$'],
    ['tallies', 'delete from tally'],
  ]
  for (const [projection, statement] of spoilt) {
    await db
      .transaction()
      .execute(async (tx) => {
        await sql.raw(statement).execute(tx)
        throw tx
      })
      .catch(() => {})
    t.strictSame(await digests(db, 'r'), before)
    // One row alone, and back again.
    const table = /(?:update|from) (\w+)/.exec(statement)?.[1] as string
    const one = `ctid = (select max(ctid) from ${table}_g0)`
    await sql`create table kept as table ${sql.table(table)}`.execute(db)
    await sql.raw(`${statement} where ${one}`).execute(db)
    t.match(
      (await checks(db, 'r'))[projection],
      / (differs? from the log|has no row|which does not follow|cannot be read|adds to)/,
      statement,
    )
    const after = await digests(db, 'r')
    t.not(after[projection]?.sha256, before[projection]?.sha256, statement)
    t.strictSame({ ...after, [projection]: null }, { ...before, [projection]: null })
    await sql.raw(`truncate ${table}; insert into ${table} select * from kept; drop table kept`).execute(db)
  }
  t.strictSame(await digests(db, 'r'), before)
})

t.test('rows that a digest leaves aside are checked, too, since answers take them in', async (t) => {
  const db = await testDatabase(t)
  const [log = []] = logs(1)
  await record(db, 'r', log, [40, log.length])
  const after = async (projection: (typeof NAMES)[number], change: string) => {
    let found: { kind?: string; why?: string } = {}
    await db
      .transaction()
      .execute(async (tx) => {
        await sql.raw(change).execute(tx)
        const known = await createRegisters().read(tx, 'r')
        if (!known) throw new Error('there is no register')
        const check = await checkProjection(tx, known, projection, { epoch: EPOCH })
        found = { ...check }
        throw tx
      })
      .catch((error: unknown) => {
        if (found.kind === undefined) throw error
      })
    return found.why ?? 'holds'
  }
  t.match(
    await after('periods', 'update period set known_from = 1000 where ctid = (select max(ctid) from period_g0)'),
    /^it has a row of \S+ that is known from a size beyond$/,
  )
  t.match(
    await after('tallies', 'update tally set epoch = 1000, base = 1000 where ctid = (select max(ctid) from tally_g0)'),
    /^it has sums of events from position \d+ on, which have not been summed up$/,
  )
  t.match(
    await after('tallies', 'update tally set base = base - 1 where base <> epoch'),
    /^a row of its epoch \d+ adds to a sum that is not there$/,
  )
  t.equal(
    await after('tallies', `update projection_progress set size = 0 where projection = 'tallies'`),
    'it has rows, and nothing says from which of the log they come',
  )
  t.match(
    await after('tallies', `update projection_progress set size = 1 where projection = 'periods'`),
    'not compared with the log: periods, which it sums up, is behind it',
  )
})

t.test('what cannot be digested is refused, each by its name', async (t) => {
  const db = await testDatabase(t)
  const [log = []] = logs(1)
  await record(db, 'r', log, [50])
  const digest = (register: string, size?: number) =>
    projectionDigest(db, createRegisters(), { projection: 'commitments', register, size, epoch: EPOCH })
  await t.rejects(digest('nothing'), new UnknownRegisterError('there is no register nothing'))
  await t.rejects(digest('r', 51), new BeyondLogError('r holds 50 events, not 51'))
  await insertRaw(db, 'r', log.slice(50))
  await t.rejects(digest('r', 51), new ProjectionBehindError('r', 51))
  t.equal((await digest('r')).size, 50)
  await insertRaw(db, 'fresh', log)
  await t.rejects(digest('fresh'), new ProjectionBehindError('fresh', 1))
})

import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { type Database, openDatabase, type Queryable } from '../../../src/database/pool.ts'
import type { Membership } from '../../../src/domain/commitment/timeline.ts'
import type { StoredEvent } from '../../../src/domain/event.ts'
import { UnreadableEventError } from '../../../src/domain/repairs.ts'
import { commitments } from '../../../src/projections/commitments/projection.ts'
import { readCommitments } from '../../../src/projections/commitments/read.ts'
import { catchUp } from '../../../src/projections/core/advance.ts'
import {
  attachGeneration,
  beginGeneration,
  dropGeneration,
  dropPrevious,
  GenerationOvertakenError,
  makeLive,
} from '../../../src/projections/core/generations.ts'
import { createRegisterHeads } from '../../../src/projections/core/heads.ts'
import { projectionSize } from '../../../src/projections/core/progress.ts'
import type { Projection } from '../../../src/projections/core/projection.ts'
import { projectionStates, type UnderWay } from '../../../src/projections/core/status.ts'
import { contentHash, numberMemberships, readMemberships } from '../../../src/projections/periods/memberships.ts'
import { periods } from '../../../src/projections/periods/projection.ts'
import { ALL, readPage, readStatuses } from '../../../src/projections/periods/read.ts'
import { rolledUpEvery } from '../../../src/projections/tallies/projection.ts'
import { readTallies } from '../../../src/projections/tallies/read.ts'
import { reachOf } from '../../../src/questions/basis.ts'
import { createRegisters } from '../../../src/registers/registers.ts'
import { testDatabase, testDatabaseUrl } from '../../support/database.ts'
import { anyRawLog, digests, insertRaw } from '../../support/raw-log.ts'

/** Seals are near each other, so that short logs have some. */
const EPOCH = 16
const PROJECTIONS: readonly Projection[] = [commitments, periods, rolledUpEvery(EPOCH)]
const NAMES = PROJECTIONS.map(({ name }) => name)

const [LOG = []] = fc.sample(
  anyRawLog(150).filter((log) => log.length > 100),
  { numRuns: 1, seed: 20_260_226 },
)

async function project(db: Database, register: string): Promise<void> {
  for (const projection of PROJECTIONS) await catchUp(db, createRegisters(), projection, register)
}

/** Copies the live rows of registers into a generation, as a replay would fold them. */
async function copyRows(db: Queryable, generation: number, registers: readonly string[]): Promise<void> {
  const tables = { commitment: 'commitments', period: 'periods', tally: 'tallies' }
  for (const [table, projection] of Object.entries(tables)) {
    const { rows } = await sql<{
      columns: string
    }>`select string_agg(quote_ident(attname), ', ' order by attnum) as columns
      from pg_attribute where attrelid = to_regclass(${table}) and attnum > 0 and attname <> 'generation'`.execute(db)
    const columns = sql.raw(rows[0]?.columns ?? '')
    await sql`insert into ${sql.table(`${table}_g${generation}`)} (generation, ${columns})
      select ${generation}::bigint, ${columns} from ${sql.table(table)} where register = any(${[...registers]}::text[])
        and (register, generation) in (select register, generation from projection_progress
          where projection = ${projection})`.execute(db)
  }
}

async function switchTo(db: Database, generation: number, registers: readonly string[]): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const register of registers) {
      for (const projection of PROJECTIONS) {
        const size = await projectionSize(tx, register, projection.name)
        await makeLive(tx, register, projection, { generation, size, timeZone: 'UTC' })
      }
    }
  })
}

async function partitions(db: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select relname as name from pg_class
    where relname ~ '_g[0-9]+$' and relkind = 'r' order by relname`.execute(db)
  return rows.map(({ name }) => name)
}

/** Keys and indexes of a table, without its name and in one order. */
async function indexesOf(db: Database, table: string): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`select concat_ws(' ', indisprimary, indisunique, indisvalid,
      regexp_replace(pg_get_indexdef(indexrelid), 'INDEX .* USING', '')) as text
    from pg_index where indrelid = to_regclass(${table}) order by text`.execute(db)
  return rows.map(({ text }) => text)
}

t.test(
  'an attached generation has every key and index of its table, and attaching twice at once does no harm',
  async (t) => {
    const url = await testDatabaseUrl(t)
    const [db, other] = [openDatabase({ connectionString: url }), openDatabase({ connectionString: url })]
    t.teardown(() => Promise.all([db.destroy(), other.destroy()]))
    const [one, two] = await Promise.all([beginGeneration(db, ['periods', 'tallies']), beginGeneration(other, NAMES)])
    t.not(one, two)
    t.strictSame(
      (await partitions(db)).filter((name) => name.endsWith(`_g${one}`)),
      [`period_g${one}`, `tally_g${one}`],
      'periods bring their tallies',
    )
    t.strictSame(await indexesOf(db, `period_g${two}`), [], 'rows are copied in before indexes are built')
    await Promise.all([attachGeneration(db, two, NAMES), attachGeneration(other, two, NAMES)])
    await attachGeneration(db, two, NAMES)
    for (const table of ['commitment', 'period', 'tally']) {
      t.ok((await indexesOf(db, table)).length > 0)
      t.strictSame(await indexesOf(db, `${table}_g${two}`), await indexesOf(db, table))
      t.strictSame(await indexesOf(db, `${table}_g0`), await indexesOf(db, table))
    }
  },
)

/** What readers are told of a register, in one text. */
async function told(db: Database, register: string, size: number): Promise<string> {
  const asOf = 22_000
  const parts = [{ partOf: 'register' as const, part: '' }]
  const [statuses, page, records, tallies] = await Promise.all([
    readStatuses(db, { register, asOf, size }, ALL),
    readPage(db, { register, asOf, size }, ALL, { after: '', limit: 5 }),
    readCommitments(db, { register, asOf, size, timeZone: 'UTC' }),
    readTallies(db, { register, size, parts, days: [asOf], withDays: true, epoch: EPOCH }),
  ])
  const sums = tallies.flatMap(({ walk }) => [...walk()].map((tally) => JSON.stringify(tally)))
  return JSON.stringify([statuses, page, records.map(({ folded: _, ...record }) => record).sort(byId), sums])
}

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)

t.test(
  'while registers are switched from build to build and the previous ones dropped, every answer is whole',
  async (t) => {
    const url = await testDatabaseUrl(t)
    const [db, reading] = [openDatabase({ connectionString: url }), openDatabase({ connectionString: url })]
    t.teardown(() => Promise.all([db.destroy(), reading.destroy()]))
    const log = LOG.map((event) => ({ ...event }))
    for (const register of ['a', 'b']) {
      await insertRaw(db, register, log)
      await project(db, register)
    }
    const wanted = await told(reading, 'a', log.length)
    const before = await digests(db, 'a')
    let [isSwitching, answers] = [true, 0]
    const reader = async () => {
      while (isSwitching) {
        // Each on pools of their own now and then: nothing is kept in memory then.
        const own = answers % 7 === 0 ? openDatabase({ connectionString: url, max: 2 }) : reading
        const found = await told(own, 'a', log.length)
        if (own !== reading) await own.destroy()
        if (found !== wanted) t.fail(`answer ${answers} is another: ${found}`)
        answers += 1
      }
    }
    const reads = Promise.all([reader(), reader()])
    const generations: number[] = []
    try {
      for (let round = 0; round < 4; round += 1) {
        const generation = await beginGeneration(db, NAMES)
        generations.push(generation)
        await copyRows(db, generation, ['a', 'b'])
        await attachGeneration(db, generation, NAMES)
        await switchTo(db, generation, ['a', 'b'])
        const { tables } = await dropPrevious(db)
        t.equal(tables.length, 3, 'three tables of the build before')
      }
    } finally {
      isSwitching = false
      await reads
    }
    t.ok(answers > 10, `${answers} answers`)
    t.strictSame(await digests(db, 'a'), before)
    const last = generations.at(-1)
    t.strictSame(await partitions(db), [`commitment_g${last}`, `period_g${last}`, `tally_g${last}`])
    // A register that is opened now begins where the others are.
    await insertRaw(db, 'c', log)
    await project(db, 'c')
    t.strictSame(await digests(db, 'c'), before)
    t.equal((await partitions(db)).length, 3)
  },
)

t.test('one register is replayed and the others stay where they are; nothing goes back', async (t) => {
  const db = await testDatabase(t)
  const [most, rest] = [LOG.slice(0, -20), LOG.slice(-20)]
  for (const register of ['a', 'b']) {
    await insertRaw(db, register, most)
    await project(db, register)
  }
  const before = await digests(db, 'a')
  const [early, late] = [await beginGeneration(db, NAMES), await beginGeneration(db, NAMES)]
  await copyRows(db, late, ['a'])
  await attachGeneration(db, late, NAMES)
  await switchTo(db, late, ['a'])
  t.strictSame(await digests(db, 'a'), before)
  await attachGeneration(db, early, NAMES)
  await t.rejects(switchTo(db, early, ['a']), new GenerationOvertakenError('a', 'commitments', early))
  const behind = { generation: await beginGeneration(db, NAMES), size: most.length - 1, timeZone: 'UTC' }
  const overtaken = new GenerationOvertakenError('a', 'commitments', behind.generation)
  await t.rejects(makeLive(db, 'a', commitments, behind), overtaken, 'readers never lose size')
  await switchTo(db, late, ['a'])

  const underWay = new Set([early])
  const { tables, rows } = await dropPrevious(db, undefined, async () => underWay)
  t.strictSame(tables, [], 'b is read from the first generation, and one is being built')
  t.equal(
    rows,
    Object.values(before).reduce((sum, one) => sum + one.rows, 0),
  )
  t.strictSame(await digests(db, 'b'), before)
  t.strictSame(await digests(db, 'a'), before)
  t.equal(await dropGeneration(db, early, NAMES), true)
  t.equal(await dropGeneration(db, late, NAMES), false, 'a is read from it')
  await dropGeneration(db, behind.generation, NAMES)
  t.equal((await partitions(db)).length, 6)
  // Both go on in their own generations.
  for (const register of ['a', 'b']) {
    await insertRaw(db, register, rest)
    await project(db, register)
  }
  t.equal(await projectionSize(db, 'a', 'periods'), LOG.length)
  t.strictSame(await digests(db, 'a'), await digests(db, 'b'))
})

t.test(
  'another version is built beside the rows in use: those stay readable, and it is read when it reaches as far',
  async (t) => {
    const db = await testDatabase(t)
    for (const register of ['a', 'b']) {
      await insertRaw(db, register, LOG)
      await project(db, register)
    }
    const before = await digests(db, 'a')
    const next = { ...periods, version: periods.version + 1 }
    const sealed = rolledUpEvery(EPOCH, next.version)
    const versions = { periods: next.version, tallies: sealed.version }
    const sizes = async () =>
      (
        await sql<{ row: number[] }>`select array[version, size, building] as row from projection_progress
      where register = 'a' and projection = 'periods' order by version`.execute(db)
      ).rows.map(({ row }) => row)
    // An event that the new fold cannot read in the middle: the new version stops there, nobody is told of half of it.
    const stopping = {
      ...next,
      apply: async () => Promise.reject(new UnreadableEventError({ ...(LOG[99] as StoredEvent) })),
    }
    await catchUp(db, createRegisters(), stopping, 'a')
    t.strictSame(await sizes(), [
      [periods.version, LOG.length, null],
      [next.version, 0, 0],
    ])
    await sql`update projection_progress set stopped_at = null, building = 0 where version = ${next.version}`.execute(
      db,
    )
    await catchUp(db, createRegisters(), next, 'a')
    t.strictSame(await sizes(), [
      [periods.version, LOG.length, null],
      [next.version, LOG.length, null],
    ])
    await catchUp(db, createRegisters(), next, 'b')
    for (const register of ['a', 'b']) await catchUp(db, createRegisters(), sealed, register)
    t.strictSame(await digests(db, 'a'), before, 'the rows of the version in use')
    const { period, tally } = await digests(db, 'a', versions)
    t.strictSame({ period, tally }, { period: before.period, tally: before.tally })
    t.ok((tally?.rows ?? 0) > 0)
    t.strictSame(
      (await partitions(db)).map((name) => name.replace(/_g[1-9].*/, '_gN')),
      ['commitment_g0', 'period_g0', 'period_gN', 'tally_g0', 'tally_gN'],
      'one generation for both registers, the tallies beside their periods',
    )
    const { tables } = await dropPrevious(db)
    t.strictSame(tables, [], 'what this version reads stays, and so does what a later one has built')
  },
)

t.test(
  'nobody is told the size of rows that are being built while those of another version reach further',
  async (t) => {
    const db = await testDatabase(t)
    await sql`insert into projection_progress (register, projection, version, size, generation, moved_at)
    values ('a', 'periods', 0, ${LOG.length}, 0, now())`.execute(db)
    const sizes = async () => {
      const { rows } = await sql<{ building: number | null }>`select building from projection_progress
      where version = ${periods.version}`.execute(db)
      const head = await createRegisterHeads(db).read('a')
      return [await projectionSize(db, 'a', 'periods'), head && reachOf(head, 'periods'), rows[0]?.building]
    }
    await insertRaw(db, 'a', LOG.slice(0, 100))
    await catchUp(db, createRegisters(), periods, 'a')
    t.strictSame(await sizes(), [0, 0, 100])
    await insertRaw(db, 'a', LOG.slice(100))
    await catchUp(db, createRegisters(), periods, 'a')
    t.strictSame(await sizes(), [LOG.length, LOG.length, null])
    const head = await createRegisterHeads(db).read('a')
    t.equal(head && reachOf(head, ['periods', 'commitments']), 0, 'one that has not begun has read nothing')
  },
)

t.test('memberships are numbered once and without gaps, however many do it at once', async (t) => {
  const url = await testDatabaseUrl(t)
  const pools = Array.from({ length: 4 }, () => openDatabase({ connectionString: url, max: 1 }))
  t.teardown(() => Promise.all(pools.map((db) => db.destroy())))
  await sql`insert into register (register) values ('r')`.execute(pools[0] as Database)
  const all = Array.from(
    { length: 40 },
    (_, index): Membership => ({ programme: `p${index}`, themes: [], parties: ['A'] }),
  )
  const some = (first: number) =>
    new Map(
      Array.from({ length: 15 }, (_, index) => all[(first + index) % all.length] as Membership).map((one) => [
        contentHash(one),
        one,
      ]),
    )
  const given = new Map<string, number>()
  await Promise.all(
    pools.map(async (db, pool) => {
      for (let round = 0; round < 10; round += 1) {
        const numbers = await db
          .transaction()
          .execute(async (tx) => {
            const found = await numberMemberships(tx, 'r', some(pool * 7 + round * 3))
            // Some of them come to nothing: their numbers must be given out again.
            if ((pool + round) % 3 === 0) throw null
            return found
          })
          .catch(() => new Map<string, number>())
        for (const [hash, number] of numbers) {
          if ((given.get(hash) ?? number) !== number) t.fail(`${hash} has two numbers`)
          given.set(hash, number)
        }
      }
    }),
  )
  const [db] = pools as [Database]
  const memberships = await readMemberships(db, 'r')
  t.strictSame(
    [...given.values()].sort((a, b) => a - b),
    [...memberships.keys()],
  )
  t.ok(memberships.length > 30)
})

t.test(
  'what is not started, replaying, progressing, stuck and caught up is told apart for each register',
  async (t) => {
    const db = await testDatabase(t)
    const at = (seconds: number) => ({ now: (LOG[100]?.recordedAt ?? 0) + seconds * 1_000 })
    for (const register of ['moving', 'still', 'whole']) {
      await insertRaw(db, register, LOG.slice(0, 100))
      await catchUp(db, createRegisters(), commitments, register)
    }
    for (const register of ['moving', 'none', 'still'])
      await insertRaw(db, register, LOG.slice(register === 'none' ? 0 : 100))
    await sql`update projection_progress set moved_at = now() - interval '11 seconds' where register = 'still'`.execute(
      db,
    )
    const told = async (options: { now: number; underWay?: UnderWay[] }) =>
      (await projectionStates(db, [commitments], options)).map(
        ({ register, status, size, behindEvents, behindSeconds }) => [
          register,
          status,
          size,
          behindEvents,
          register === 'none' ? null : behindSeconds,
        ],
      )
    const rest = LOG.length - 100
    const others = [
      ['none', 'notStarted', 0, LOG.length, null],
      ['whole', 'caughtUp', 100, 0, 0],
    ]
    const inOrder = (rows: unknown[][]) => rows.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
    t.strictSame(
      await told(at(30)),
      inOrder([['moving', 'progressing', 100, rest, 30], ['still', 'stuck', 100, rest, 30], ...others]),
    )
    t.strictSame(
      await told(at(5)),
      inOrder([['moving', 'progressing', 100, rest, 5], ['still', 'progressing', 100, rest, 5], ...others]),
      'what has just been recorded could not be read before',
    )
    const underWay = ['none', 'still', 'whole'].map((register) => ({ projection: 'commitments', register }))
    t.strictSame(
      (await told({ ...at(30), underWay })).map(([register, status]) => [register, status]),
      [
        ['moving', 'progressing'],
        ['none', 'replaying'],
        ['still', 'replaying'],
        ['whole', 'replaying'],
      ],
    )
  },
)

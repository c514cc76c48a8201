import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { stateAt } from '../../src/domain/commitment/state.ts'
import { statusDates } from '../../src/domain/commitment/status.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { registerAt } from '../../src/domain/register/state.ts'
import { append } from '../../src/eventlog/append.ts'
import { streamFeed } from '../../src/eventlog/feed.ts'
import { readHead } from '../../src/eventlog/heads.ts'
import { dayOf, formatDay, LAST_DAY } from '../../src/kernel/plain-date.ts'
import { commitments } from '../../src/projections/commitments/projection.ts'
import { readCommitments, readStates } from '../../src/projections/commitments/read.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { projectionSize } from '../../src/projections/core/progress.ts'
import { startRunner } from '../../src/projections/core/run.ts'
import { projectionStates } from '../../src/projections/core/status.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { testDatabase, testDatabaseUrl } from '../support/database.ts'
import {
  anyLog,
  delivered,
  fact,
  given,
  inStream,
  made,
  newEvents,
  opened,
  recorded,
  retract,
} from '../support/events.ts'
import { until } from '../support/patience.ts'

const STREAMS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6']

/** Appends events as they are, in chunks: nothing is admitted, so any order can be recorded. */
async function appendChunks(
  db: Database,
  register: string,
  events: readonly StoredEvent[],
  chunk: number,
): Promise<void> {
  for (let first = 0; first < events.length; first += chunk)
    await appendAll(db, register, events.slice(first, first + chunk))
}

async function appendAll(db: Database, register: string, events: readonly StoredEvent[]): Promise<void> {
  const head = await readHead(db, register)
  const [now, ownRevision] = [events[0]?.recordedAt ?? 0, head?.ownRevision ?? 0]
  const outcomes = await append(db, { register, open: true, now, ownRevision, events: newEvents(events) })
  if (outcomes.some(({ kind }) => kind !== 'appended')) throw new Error(JSON.stringify(outcomes))
}

const OPENED = { ...recorded('2021-01-01', opened()) }

async function openRegister(db: Database, register: string): Promise<string> {
  const [event] = given(OPENED)
  const id = randomUUID()
  await appendAll(db, register, [{ ...(event as StoredEvent), id }])
  return id
}

/** Corrects the register's time zone, so that facts recorded around midnight are dated anew. */
async function correctTimeZone(db: Database, register: string, id: string, timeZone: string): Promise<void> {
  const head = await readHead(db, register)
  const data = { event: id, reason: 'r', data: { ...OPENED.data, timeZone } }
  const correction = { ...(given(fact('EventCorrected', '2021-01-01', data))[0] as StoredEvent), stream: '$register' }
  const placed = { ...correction, id: randomUUID(), revision: (head?.ownRevision ?? 0) + 1 }
  await appendAll(db, register, [{ ...placed, recordedAt: head?.recordedAt ?? 0 }])
}

const logOf = (db: Database, register: string): Promise<StoredEvent[]> =>
  Array.fromAsync(streamFeed(db, { register, after: -1, until: 1_000_000 }))

/** Every column of the projection's live rows, as JSON gives them. */
async function dump(db: Database, register: string, version: number = commitments.version) {
  const { rows } = await sql<{ row: Record<string, unknown> }>`select to_json(c) as row from commitment c
    where register = ${register} and generation = (select generation from projection_progress
      where register = ${register} and projection = 'commitments' and version = ${version}) order by id`.execute(db)
  return rows.map(({ row: { register: _register, generation: _generation, ...row } }) => row)
}

/** The same columns by the definition of the fold, from the raw log. */
async function expected(db: Database, register: string): Promise<Record<string, unknown>[]> {
  const log = await logOf(db, register)
  const { timeZone } = registerAt(
    log.filter(({ stream }) => stream === '$register'),
    log.length,
  )
  const text = (day: number | null) => (day === null ? null : formatDay(day))
  return Promise.all(
    STREAMS.flatMap((id) => {
      const events = log.filter(({ stream }) => stream === id)
      const states = stateAt(events, { asOf: LAST_DAY, knownAt: log.length, timeZone })
      if (!states) return []
      const { latest } = states
      const { lifecycle, verification, ...days } = statusDates(latest)
      const words = [id, latest.title, latest.description, ...latest.themes].filter((word) => word !== null).join('\n')
      return sql<{ search: string }>`select to_tsvector('simple', ${words})::text as search`
        .execute(db)
        .then(({ rows }) => ({
          id,
          revision: events.length,
          last_position: events.at(-1)?.position,
          last_on: text(latest.lastOn),
          title: latest.title,
          programme: latest.programme,
          themes: latest.themes,
          parties: latest.parties,
          lifecycle,
          verification,
          made_on: text(days.madeOn),
          original_due_on: text(days.originalDueOn),
          current_due_on: text(days.currentDueOn),
          forecast_on: text(days.forecastOn),
          finished_on: text(days.finishedOn),
          rebaselines: Math.max(0, latest.baselines.length - 1),
          forecast_pushes: latest.forecastPushes,
          // Where every date is a day the second fold says the same, and is left out.
          states: JSON.parse(
            JSON.stringify({ ...states, earliest: states.earliest === latest ? null : states.earliest }),
          ),
          redacted: [],
          search: rows[0]?.search,
        }))
    }),
  )
}

const project = (db: Database, register: string) => catchUp(db, createRegisters(), commitments, register)

/** Random logs of a size, the same in every run. */
const sampleLogs = (count: number, length: number) =>
  fc.sample(anyLog(STREAMS, length, length), { numRuns: count, seed: 20_260_226 })

t.test('after any batches the rows are what a fold of the log gives', async (t) => {
  const db = await testDatabase(t)
  for (const [index, events] of sampleLogs(3, 60).entries()) {
    const register = `r${index}`
    const id = await openRegister(db, register)
    for (let first = 0; first < events.length; first += 7) {
      await appendAll(db, register, events.slice(first, first + 7))
      if (first === 21) await correctTimeZone(db, register, id, 'Pacific/Kiritimati')
      if (first % 3 === 0) await project(db, register)
    }
    await project(db, register)
    t.strictSame(await dump(db, register), await expected(db, register))
  }
})

t.test('one event at a time and all at once give the same rows, and so does another version of the fold', async (t) => {
  const db = await testDatabase(t)
  const [events = []] = sampleLogs(1, 60)
  for (const register of ['one', 'all']) {
    await openRegister(db, register)
    for (const event of events) {
      await appendAll(db, register, [event])
      if (register === 'one') await project(db, register)
    }
    await project(db, register)
  }
  t.ok((await dump(db, 'one')).length > 1)
  t.strictSame(await dump(db, 'one'), await dump(db, 'all'))
  await sql`update commitment set title = 'spoilt' where register = 'one'`.execute(db)
  const next = { ...commitments, version: commitments.version + 1 }
  await catchUp(db, createRegisters(), next, 'one')
  t.strictSame(await dump(db, 'one', next.version), await dump(db, 'all'))
})

t.test(
  'a projection that is interrupted in the middle goes on where it was, and counts every event once',
  async (t) => {
    const db = await testDatabase(t)
    const [events = []] = sampleLogs(1, 60)
    await openRegister(db, 'r')
    await appendChunks(db, 'r', events.slice(0, 20), 20)
    await project(db, 'r')
    await appendChunks(db, 'r', events.slice(20), 10)
    const before = await dump(db, 'r')
    const broken = {
      ...commitments,
      async apply(...args: Parameters<typeof commitments.apply>) {
        await commitments.apply(...args)
        throw new Error('killed')
      },
    }
    await t.rejects(catchUp(db, createRegisters(), broken, 'r'), { message: 'killed' })
    t.strictSame(
      [await dump(db, 'r'), await projectionSize(db, 'r', 'commitments')],
      [before, 21],
      'nothing half written',
    )
    await project(db, 'r')
    t.strictSame(await dump(db, 'r'), await expected(db, 'r'))
    t.equal(await projectionSize(db, 'r', 'commitments'), events.length + 1)
  },
)

t.test('a commitment whose promise was retracted has no row; a correction of its days is seen', async (t) => {
  const db = await testDatabase(t)
  await openRegister(db, 'r')
  const events = given(
    ...[made('2021-01-01'), delivered('2021-02-01'), retract(0), retract(2)].map((d) => inStream('c1', d)),
  )
  const lifecycles: unknown[] = []
  for (const event of events) {
    await appendAll(db, 'r', [event])
    await project(db, 'r')
    lifecycles.push((await dump(db, 'r'))[0]?.lifecycle)
  }
  t.strictSame(lifecycles, ['open', 'delivered', undefined, 'delivered'])
})

t.test('a corrected time zone dates every fact anew, also of commitments that did not grow', async (t) => {
  const db = await testDatabase(t)
  const id = await openRegister(db, 'r')
  // What was reported for the 2nd at half past ten in the evening of the 1st in UTC was the 2nd in Minsk.
  const late = recorded('2021-06-01T22:30:00.000Z', inStream('c1', made('2021-06-02')))
  await appendAll(db, 'r', given(late))
  await project(db, 'r')
  const madeOn = async () => (await dump(db, 'r'))[0]?.made_on
  t.equal(await madeOn(), '2021-06-01')
  await correctTimeZone(db, 'r', id, 'Europe/Minsk')
  const question = { register: 'r', asOf: dayOf('2021-06-01') }
  const listed = async (size: number, timeZone: string) =>
    (await readCommitments(db, { ...question, size, timeZone })).map((record) => formatDay(record.dates.madeOn))
  t.strictSame(await listed(2, 'UTC'), ['2021-06-01'])
  await project(db, 'r')
  t.equal(await madeOn(), '2021-06-02')
  t.strictSame(await listed(2, 'UTC'), ['2021-06-01'], 'as known before')
  t.strictSame(await listed(3, 'Europe/Minsk'), [])
})

function runner(t: Test, db: Database): void {
  const running = startRunner(db, createRegisters(), [commitments], (error) => t.error(error))
  t.teardown(() => running.stop())
}

t.test('two runners at once follow the log, and every event counts once', async (t) => {
  const connectionString = await testDatabaseUrl(t)
  const [one, two] = [openDatabase({ connectionString }), openDatabase({ connectionString })]
  const [events = []] = sampleLogs(1, 60)
  await t.test('while it grows', async (t) => {
    runner(t, one)
    runner(t, two)
    await openRegister(one, 'r')
    for (const event of events) await appendAll(one, 'r', [event])
    await until('at the head', async () => (await projectionSize(one, 'r', 'commitments')) === events.length + 1)
  })
  t.strictSame(await dump(one, 'r'), await expected(one, 'r'))
  await Promise.all([one.destroy(), two.destroy()])
})

t.test('a runner that is being stopped reports no more that its database has gone', async (t) => {
  const connectionString = await testDatabaseUrl(t)
  const [other, db] = [openDatabase({ connectionString }), openDatabase({ connectionString })]
  t.teardown(() => other.destroy())
  const errors: unknown[] = []
  await other.transaction().execute(async (tx) => {
    await sql`lock table projection_progress`.execute(tx)
    const running = startRunner(db, createRegisters(), [commitments], (error) => errors.push(error))
    await until('it is in the middle of a round', async () => {
      const { rows } = await sql`select from pg_locks l join pg_stat_activity a using (pid)
        where not l.granted and a.datname = current_database()`.execute(tx)
      return rows.length > 0
    })
    // As a service that takes too long to stop.
    await Promise.all([running.stop(), db.destroy()])
  })
  t.strictSame(errors, [])
})

/** Puts an event into the log as a later version of the service may have left it. */
async function insertUnreadable(db: Database, register: string, stream: string, type: string, version: number) {
  const position = (await readHead(db, register))?.size ?? 0
  const revision = sql`(select count(*) + 1 from event where register = ${register} and stream = ${stream})`
  await sql`insert into event (register, position, id, stream, revision, type, type_version, recorded_at, recorded_by,
      occurred_on, data, citations, salt, body_hash, leaf)
    values (${register}, ${position}, ${randomUUID()}, ${stream}, ${revision}, ${type}, ${version}, now(), 'local',
      '2021', '{}', '[]', '', '', '')`.execute(db)
  await sql`update register set size = size + 1, own_revision = own_revision + ${stream === '$register' ? 1 : 0}
    where register = ${register}`.execute(db)
}

t.test('an event that cannot be read stops its register where it stands, named; the others go on', async (t) => {
  const db = await testDatabase(t)
  const promise = given(recorded('2021-06-01', inStream('c1', made('2021-01-01'))))
  const unreadable: [register: string, stream: string, type: string, version: number][] = [
    ['a-new-type', 'c1', 'CommitmentSold', 1],
    ['b-new-version', 'c1', 'DeliveryReported', 2],
    ['c-of-the-register', '$register', 'PartyRenamed', 1],
    ['d-first-of-a-stream', 'c2', 'CommitmentSold', 3],
  ]
  for (const [register, stream, type, version] of unreadable) {
    await openRegister(db, register)
    await appendAll(db, register, promise)
    // The first of them are stopped at their very first batch, the others after one.
    if (register >= 'c') await project(db, register)
    await insertUnreadable(db, register, stream, type, version)
  }
  await openRegister(db, 'e-good')
  await appendAll(db, 'e-good', promise)
  runner(t, db)
  const states = () => projectionStates(db, [commitments], { now: Date.now() })
  await until('the good one is at its head', async () => (await projectionSize(db, 'e-good', 'commitments')) === 2)
  await until('the others stopped', async () =>
    (await states()).every(({ stopped, register }) => stopped || register === 'e-good'),
  )
  t.strictSame(
    (await states()).map(({ register, status, size, behindEvents, stopped }) => {
      const { position, type, reason } = stopped ?? {}
      return [register, status, size, behindEvents, position, type, reason]
    }),
    [
      ['a-new-type', 'stopped', 2, 1, 2, 'CommitmentSold', 'event 2 cannot be read: CommitmentSold, version 1'],
      ['b-new-version', 'stopped', 2, 1, 2, 'DeliveryReported', 'event 2 cannot be read: DeliveryReported, version 2'],
      ['c-of-the-register', 'stopped', 2, 1, 2, 'PartyRenamed', 'event 2 cannot be read: PartyRenamed, version 1'],
      [
        'd-first-of-a-stream',
        'stopped',
        2,
        1,
        2,
        'CommitmentSold',
        'event 2 cannot be read: CommitmentSold, version 3',
      ],
      ['e-good', 'caughtUp', 2, 0, undefined, undefined, undefined],
    ],
  )
  // None of it is tried again and again.
  const { rows: before } = await sql`select xmin::text, * from projection_progress order by register`.execute(db)
  await sleep(300)
  t.strictSame((await sql`select xmin::text, * from projection_progress order by register`.execute(db)).rows, before)
  // A later version of the fold takes it up again.
  await appendAll(
    db,
    'e-good',
    given(recorded('2021-06-02', inStream('c2', made('2021-01-01')))).map((event) => ({ ...event, id: randomUUID() })),
  )
  await until('the good one goes on', async () => (await projectionSize(db, 'e-good', 'commitments')) === 3)
})

t.test('oracle: at any day and size the answers are those of the raw log, folded from scratch', async (t) => {
  const db = await testDatabase(t)
  let register = 0
  const day = fc.integer({ min: dayOf('2020-06-01'), max: dayOf('2028-01-01') })
  const questions = fc.array(fc.tuple(day, fc.nat({ max: 62 })), { minLength: 8, maxLength: 8 })
  const zone = fc.constantFrom('UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago')
  const property = fc.asyncProperty(
    anyLog(STREAMS, 60),
    questions,
    zone,
    fc.nat({ max: 60 }),
    async (events, asked, zone, at) => {
      register += 1
      await checkAnswers(db, `r${register}`, events, asked, zone, at)
    },
  )
  await fc.assert(property, { numRuns: 25 })
  t.equal(register >= 25, true)
})

async function checkAnswers(
  db: Database,
  register: string,
  events: readonly StoredEvent[],
  asked: readonly [day: number, size: number][],
  timeZone: string,
  correctedAt: number,
): Promise<void> {
  const id = await openRegister(db, register)
  await appendChunks(db, register, events.slice(0, correctedAt), 9)
  await correctTimeZone(db, register, id, timeZone)
  await appendChunks(db, register, events.slice(correctedAt), 9)
  await project(db, register)
  const log = await logOf(db, register)
  const own = log.filter(({ stream }) => stream === '$register')
  for (const [asOf, most] of asked) {
    const size = Math.min(most, log.length)
    const question = { register, asOf, size, timeZone: registerAt(own, size).timeZone }
    const records = await readCommitments(db, question)
    const answers = await readStates(db, question, records)
    const given = records.map((record, index) => {
      const { folded: _, dates, ...rest } = record
      const { id, revision, states } = answers[index] ?? {}
      return { ...rest, dates, answer: { id, revision, states } }
    })
    const wanted = STREAMS.flatMap((id) => fromScratch(id, log, question))
    if (sorted(given) !== sorted(wanted)) {
      throw new Error(`at ${formatDay(asOf)}, size ${size}:\n${sorted(given)}\nis not\n${sorted(wanted)}`)
    }
  }
}

function fromScratch(
  id: string,
  log: readonly StoredEvent[],
  { asOf, size, timeZone }: { asOf: number; size: number; timeZone: string },
) {
  const events = log.filter((event) => event.stream === id && event.position < size)
  const states = stateAt(events, { asOf, knownAt: size, timeZone })
  if (!states) return []
  const { title, programme, themes, parties, forecastPushes, baselines } = states.latest
  const rebaselines = Math.max(0, baselines.length - 1)
  const answer = { id, revision: events.length, states }
  const record = { id, title, programme, themes, parties, revision: events.length, rebaselines, forecastPushes }
  const { lastOn } = states.latest
  return [{ ...record, lastOn, dates: statusDates(states.latest), answer }]
}

/** As JSON with members and items in one order. */
function sorted(items: readonly { id: string }[]): string {
  const byKey = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value
  return JSON.stringify(
    items.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    byKey,
  )
}

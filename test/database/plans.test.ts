// The plans of what is asked again and again, at a hundred thousand rows: each question finds its rows by its index, and
// would not without it.

import { Readable } from 'node:stream'
import { sql } from 'kysely'
import { pino } from 'pino'
import t from 'tap'
import { type Database, openDatabase, type Queryable } from '../../src/database/pool.ts'
import { parsePosted } from '../../src/domain/admission/posted-event.ts'
import { readEvent, readEventsAt, readEventsByIds } from '../../src/eventlog/events.ts'
import { readFeed } from '../../src/eventlog/feed.ts'
import { readFeedLines } from '../../src/eventlog/feed-lines.ts'
import { readHead, recordedAtSize, sizeAt } from '../../src/eventlog/heads.ts'
import { findKey, forgetKeys } from '../../src/eventlog/keys.ts'
import { readBriefs, readStream, readStreams, streamsSince } from '../../src/eventlog/streams.ts'
import { buildApp } from '../../src/http/app.ts'
import { dayOf } from '../../src/kernel/plain-date.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { commitments } from '../../src/projections/commitments/projection.ts'
import { readStates } from '../../src/projections/commitments/read.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { attachGeneration, beginGeneration } from '../../src/projections/core/generations.ts'
import { createRegisterHeads } from '../../src/projections/core/heads.ts'
import { liveBuilds } from '../../src/projections/core/live.ts'
import { readChanges } from '../../src/projections/periods/changes.ts'
import { periods } from '../../src/projections/periods/projection.ts'
import { ALL, readPage, readStatuses, readStatusVersions, readTimeline } from '../../src/projections/periods/read.ts'
import { keptSums } from '../../src/projections/tallies/memory.ts'
import { rolledUpEvery } from '../../src/projections/tallies/projection.ts'
import { readSums } from '../../src/projections/tallies/sums.ts'
import { importLines } from '../../src/recording/import.ts'
import { createRecorder } from '../../src/recording/recorder.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { syntheticEvents } from '../../src/samples/synthetic.ts'
import { noAccessControl } from '../support/access.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { explainedDatabase, type Plan } from '../support/plans.ts'
import { made, uuid } from '../support/register.ts'

const ROWS = 100_000
const BASE = 2_000
const COPIES = ROWS / BASE
const SMALL_REGISTERS = 2_000

/** A real log and its rows, small: what is multiplied must be whole in itself. */
async function fillBase(db: Database): Promise<void> {
  const options = { commitments: 290, delivered: 120, late: 20, seed: 1, asOf: '2026-02-26' }
  const lines = [...syntheticEvents(options)].slice(0, BASE).map((event) => `${JSON.stringify(event)}\n`)
  const registers = createRegisters()
  const recorder = createRecorder(db, registers, { now: Date.now })
  const chunks = Readable.from(lines.map((line) => Buffer.from(line)))
  const report = await importLines(chunks, { recorder, register: 'big', recordedBy: 'local', parseJson: JSON.parse })
  if (report.recorded !== BASE) throw new Error(`recorded ${report.recorded} of ${BASE}`)
  for (const projection of [commitments, periods, rolledUpEvery(500)]) await catchUp(db, registers, projection, 'big')
}

/** How each column of a copy differs from its original; the rest is the same. */
const DIFFERENT: Record<string, Record<string, string>> = {
  event: {
    position: `position + k * ${BASE}`,
    id: 'md5(id::text || k)::uuid',
    stream: `case stream when '$register' then 'own' else stream end || '-' || k`,
    recorded_at: `recorded_at + k * interval '1 hour'`,
  },
  commitment: { id: `id || '-' || k`, last_position: `last_position + k * ${BASE}` },
  period: { id: `id || '-' || k`, known_from: `known_from + k * ${BASE}` },
  tally: { part: `part || '-' || k` },
}

/** Adds copies of a table's rows until there are a hundred thousand. */
async function multiply(db: Database, table: string): Promise<void> {
  const { rows: columns } = await sql<{ name: string }>`select attname as name from pg_attribute
    where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped`.execute(db)
  const names = columns.map(({ name }) => name)
  const { rows } = await sql<{ count: number }>`select count(*) from ${sql.table(table)}`.execute(db)
  const copies = table === 'event' ? COPIES : Math.ceil(ROWS / (rows[0]?.count ?? 1))
  const values = names.map((name) => DIFFERENT[table]?.[name] ?? `"${name}"`)
  await sql`insert into ${sql.table(table)} (${sql.raw(names.map((name) => `"${name}"`).join(', '))})
    select ${sql.raw(values.join(', '))} from ${sql.table(table)}, generate_series(1, ${copies - 1}) k`.execute(db)
}

async function fill(db: Database): Promise<void> {
  await fillBase(db)
  for (const table of Object.keys(DIFFERENT)) await multiply(db, table)
  await sql`update register set size = ${ROWS}, last_recorded_at = (select max(recorded_at) from event)`.execute(db)
  await sql`update projection_progress set size = ${ROWS}`.execute(db)
  await sql`insert into register (register, size, last_recorded_at, own_revision)
    select 'small-' || n, 1, now(), 1 from generate_series(1, ${SMALL_REGISTERS}) n`.execute(db)
  await sql`insert into projection_progress (register, projection, version, size, generation, moved_at)
    select 'small-' || n, projection, version, 1, generation, now()
    from projection_progress, generate_series(1, ${SMALL_REGISTERS}) n`.execute(db)
  await sql`insert into idempotency_key (register, recorded_by, key, fingerprint, outcomes, kept_at)
    select 'big', 'local', 'key-' || n, '', '[]', ${new Date()} from generate_series(1, ${ROWS}) n`.execute(db)
  // A further build stands beside the live one.
  const names = PROJECTIONS.map(({ name }) => name)
  await attachGeneration(db, await beginGeneration(db, names), names)
  await sql`analyze`.execute(db)
}

const url = await testDatabaseUrl(t)
const filling = openDatabase({ connectionString: url })
await fill(filling)
await filling.destroy()
const { db, plansOf } = await explainedDatabase(t, url)
const some = await db.selectFrom('event').select(['id', 'stream']).where('position', 'in', [50_100, 70_101]).execute()
const ids = some.map(({ id }) => id)
const streams = some.map(({ stream }) => stream)
const [id = '', stream = ''] = [ids[0], streams[0]]

const { periods: livePeriods, tallies: sums } = await liveBuilds(db, 'big')
const generation = livePeriods?.generation ?? null
const live = { register: 'big', generation }
const moment = { register: 'big', asOf: dayOf('2026-02-26'), size: 90_000 }
const question = { ...moment, timeZone: 'UTC' }
const feed = { register: 'big', until: ROWS, limit: 100 }
const needs = { year: 2026, lastMonth: 2026 * 12 + 1, byDay: [2026 * 12 + 1] }

/** Knows a register's head as a service does; it would go on looking. */
async function headNow(): Promise<void> {
  const heads = createRegisterHeads(db)
  await heads.read('big')
  await heads.stop()
}

/** A question, and the indexes by which it must find its rows. */
type Case = [question: string, ask: (db: Queryable) => Promise<unknown>, indexes: string[]]

const CASES: Case[] = [
  ['the head of a register with its projections', () => headNow(), ['projection_progress_once', 'register_once']],
  ['the head of a register', (db) => readHead(db, 'big'), ['register_once']],
  ['a page in the middle of the feed', (db) => readFeed(db, { ...feed, after: 50_000 }), ['event_position_once']],
  ['lines of the feed', (db) => readFeedLines(db, { ...feed, after: 50_000 }), ['event_position_once']],
  ['new lines of the feed', (db) => readFeedLines(db, { ...feed, after: ROWS - 3 }), ['event_position_once']],
  ['lines of a stream', (db) => readFeedLines(db, { ...feed, after: -1, streams: [stream] }), ['event_revision_once']],
  [
    'new lines of a type',
    (db) => readFeedLines(db, { ...feed, after: ROWS - 3, types: ['DeliveryReported'] }),
    ['event_position_once'],
  ],
  ['the end of the feed', (db) => readFeed(db, { ...feed, after: ROWS - 1 }), ['event_position_once']],
  ['the first page of the feed', (db) => readFeed(db, { ...feed, after: -1 }), ['event_position_once']],
  ['one stream in the feed', (db) => readFeed(db, { ...feed, after: -1, streams: [stream] }), ['event_revision_once']],
  ['the streams that grew', (db) => streamsSince(db, 'big', ROWS - 200), ['event_position_once']],
  ['an event', (db) => readEvent(db, 'big', 77_777), ['event_position_once']],
  ['events at positions', (db) => readEventsAt(db, 'big', [1, 50_000, 99_999]), ['event_position_once']],
  ['events by their ids', (db) => readEventsByIds(db, 'big', ids), ['event_id_once']],
  ['an event by its id', (db) => readEventsByIds(db, 'big', [id]), ['event_id_once']],
  ['streams', (db) => readStreams(db, 'big', streams), ['event_revision_once']],
  ['one whole stream', (db) => readStreams(db, 'big', [stream]), ['event_revision_once']],
  ['streams in brief', (db) => readBriefs(db, 'big', streams, ['EventRetracted']), ['event_revision_once']],
  ['a key', (db) => findKey(db, 'big', 'local', 'key-5', Date.now()), ['idempotency_key_once']],
  ['keys to forget', (db) => forgetKeys(db, 'big', Date.now() - 3_600_000), ['idempotency_key_kept_at']],
  ['the rest of a stream', (db) => readStream(db, 'big', stream, 2), ['event_revision_once']],
  ['when a size was reached', (db) => recordedAtSize(db, 'big', 33_333), ['event_position_once']],
  ['the size at an instant', (db) => sizeAt(db, 'big', Date.now()), ['event_position_once', 'register_once']],
  ['what projections are read from', (db) => liveBuilds(db, 'big'), ['projection_progress_once', 'register_once']],
  [
    'stored states',
    (db) => readStates(db, question, [{ id: stream }]),
    ['commitment_once', 'projection_progress_once'],
  ],
  [
    'a page of the list',
    (db) => readPage(db, moment, ALL, { after: stream, limit: 50 }),
    ['period_first', 'period_once', 'projection_progress_once', 'register_once'],
  ],
  [
    'some statuses',
    (db) => readStatuses(db, moment, { ...ALL, ids: streams }),
    ['period_first', 'period_once', 'projection_progress_once', 'register_once'],
  ],
  ['a timeline', (db) => readTimeline(db, moment, stream), ['period_once', 'projection_progress_once']],
  [
    'what changed',
    (db) => readStatusVersions(db, moment, 80_000, streams),
    ['period_once', 'projection_progress_once', 'register_once'],
  ],
  [
    'the changes after a seal',
    (db) => readChanges(db, live, ROWS - 500, ROWS),
    ['period_known_from', 'projection_progress_once', 'register_once'],
  ],
  [
    'sums of the whole register at a past seal',
    (db) => readSums(db, 'big', { partOf: 'register', part: '-7' }, { epochs: 2, sums }, needs, true),
    ['projection_progress_once', 'register_once', 'tally_once'],
  ],
  [
    'sums of one part as of the last seal',
    (db) => keptSums(db, 'big', { partOf: 'register', part: '-9' }, { rollup: ROWS, sums, epoch: 500 }, needs),
    ['projection_progress_once', 'register_once', 'tally_once'],
  ],
]

/** Tables that are never read from end to end, however many rows they have. */
const LARGE = ['event', 'idempotency_key', 'commitment', 'period', 'tally']
/** One row or three a register: only the runner, which looks after all of them, reads these as a whole. */
const REGISTERS = ['register', 'projection_progress']
/** How many rows a scan may read in vain: an index that fits badly is as good as none. */
const MOST_IN_VAIN = 1_000

/** The tables that some plan reads from end to end, or as good as that. */
function whole(plans: readonly Plan[], tables: readonly string[]): string[] {
  const scans = plans.flatMap((plan) => plan.scans).filter(({ table }) => tables.includes(table))
  const bad = scans.filter(({ index, rowsRemoved }) => index === null || rowsRemoved > MOST_IN_VAIN)
  return [...new Set(bad.map(({ table }) => table))]
}

/** The indexes that the plans use, those of the catalogue left out. */
function used(plans: readonly Plan[]): string[] {
  const indexes = plans.flatMap(({ scans }) => scans.flatMap(({ index }) => index ?? []))
  return [...new Set(indexes)].filter((index) => !index.startsWith('pg_')).sort()
}

for (const [name, ask, indexes] of CASES) {
  t.test(`${name}: by ${indexes.join(' and ')}`, async (t) => {
    const plans = await plansOf(() => ask(db))
    const found = { used: used(plans), whole: whole(plans, [...LARGE, ...REGISTERS]) }
    t.strictSame(found, { used: indexes, whole: [] })
  })
}

t.test('without its index a question reads the whole table, and this test sees it', async (t) => {
  const undone = new Error('only tried')
  await t.rejects(
    db.transaction().execute(async (tx) => {
      await sql`alter table event drop constraint event_position_once, drop constraint event_revision_once`.execute(tx)
      for (const ask of [() => readEvent(tx, 'big', 77_777), () => readStreams(tx, 'big', streams)]) {
        // Inside a transaction a plan is told when the next statement comes.
        const plans = await plansOf(async () => [await ask(), await sql`select 1`.execute(tx)])
        t.strictSame(whole(plans, LARGE), ['event'])
      }
      throw undone
    }),
    undone,
  )
})

const registers = createRegisters()
const recorder = createRecorder(db, registers, { now: Date.now })

t.test('recording reads nothing as a whole, inside its function neither, however often that was planned', async (t) => {
  const plans = await plansOf(async () => {
    for (let time = 0; time < 8; time += 1) {
      const parsed = parsePosted(made(`new-${time}`, {}, { id: uuid(time) }))
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
      const [outcomes] = await recorder.record('big', [[parsed.value]], 'local')
      t.equal(outcomes?.[0]?.kind, 'recorded')
    }
  })
  t.ok(
    plans.some(({ text }) => text.includes('update register')),
    'the statements of the function are seen',
  )
  t.strictSame(whole(plans, [...LARGE, ...REGISTERS]), [])
})

t.test('a step of a projection reads what is new, not what is there', async (t) => {
  for (const projection of PROJECTIONS) {
    const plans = await plansOf(() => catchUp(db, registers, projection, 'big'))
    t.ok(plans.length > 3, projection.name)
    t.strictSame(whole(plans, [...LARGE, ...REGISTERS]), [], projection.name)
  }
})

t.test('what dashboards and followers poll reads no table as a whole', async (t) => {
  const heads = createRegisterHeads(db)
  const context = { access: noAccessControl(db), db, registers, heads, recorder, now: Date.now, wake: () => {} }
  const app = await buildApp(context, pino({ level: 'silent' }))
  t.teardown(async () => {
    await app.close()
    await heads.stop()
  })
  const polled = [
    '',
    '/summary',
    '/summary?asOf=2026-02-26&groupBy=programme',
    '/summary?asOf=2026-02-26&knownAt=50000',
    '/summary/series?from=2025-01-01&to=2026-02-26',
    '/commitments?limit=20',
    `/commitments/${stream}`,
    `/commitments/${stream}/timeline`,
    `/commitments/${stream}/events`,
    '/events?limit=50&after=60000',
    '/events?after=99990',
    `/events?stream=${stream}`,
    '/events/12345',
    '/programmes',
    '/sources',
  ]
  for (const path of polled) {
    let status = 0
    const ask = async () => {
      status = (await app.inject(`/v1/registers/big${path}`)).statusCode
    }
    t.strictSame(
      { path, whole: whole(await plansOf(ask), [...LARGE, ...REGISTERS]), status },
      { path, whole: [], status: 200 },
    )
  }
})

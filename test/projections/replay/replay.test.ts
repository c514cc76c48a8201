import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { type Database, openDatabase } from '../../../src/database/pool.ts'
import type { StoredEvent } from '../../../src/domain/event.ts'
import { dayOf } from '../../../src/kernel/plain-date.ts'
import { PROJECTIONS } from '../../../src/projections/all.ts'
import { readCommitments } from '../../../src/projections/commitments/read.ts'
import { projectionSize } from '../../../src/projections/core/progress.ts'
import { startRunner } from '../../../src/projections/core/run.ts'
import { ALL, readStatuses } from '../../../src/projections/periods/read.ts'
import { beginReplay, replayed } from '../../../src/projections/replay/begin.ts'
import { comparisons } from '../../../src/projections/replay/compare.ts'
import { cancelReplay, dropReplaced, type ReplayOutcome } from '../../../src/projections/replay/end.ts'
import { type Operation, readOperation } from '../../../src/projections/replay/operation.ts'
import { type ReplayProgress, unfinishedState } from '../../../src/projections/replay/phases.ts'
import { runReplay } from '../../../src/projections/replay/replay.ts'
import { createRegisters } from '../../../src/registers/registers.ts'
import { asRole, ROLES } from '../../support/database.ts'
import { pledger } from '../../support/process.ts'
import { digests, insertRaw } from '../../support/raw-log.ts'
import { base, EVERYTHING, generations, optionsFor, project, rawLog, rowsIn } from '../../support/replays.ts'
import { testService } from '../../support/service.ts'

/** The tables of generations but those of the first. */
async function tables(db: Database): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select relname as name from pg_class where relkind = 'r'
    and relname ~ '^(commitment|period|tally)_g[1-9]' order by relname`.execute(db)
  return rows.map(({ name }) => name)
}

t.test('a replay gives the rows that ordinary steps gave; what it replaced stays until it is dropped', async (t) => {
  const { db, run } = await base(t)
  const before = { a: await digests(db, 'a'), b: await digests(db, 'b') }
  const phases = new Set<string>()
  t.strictSame(await run({}, { onProgress: ({ phase }) => phases.add(phase) }), {
    state: 'caughtUp',
    failedBecause: null,
  })
  t.strictSame([...phases], ['folding', 'indexing', 'catchingUp', 'live'])
  t.strictSame({ a: await digests(db, 'a'), b: await digests(db, 'b') }, before)
  t.strictSame(
    [await generations(db, 'a'), await generations(db, 'b')],
    [
      [1, 1, 1],
      [1, 1, 1],
    ],
  )
  t.ok((await rowsIn(db, 'period_g0')) > 0)
  await dropReplaced(db, null)
  t.strictSame([await rowsIn(db, 'commitment_g0').catch(() => 0), await rowsIn(db, 'period_g0').catch(() => 0)], [0, 0])
  t.strictSame({ a: await digests(db, 'a'), b: await digests(db, 'b') }, before)
  await insertRaw(db, 'c', rawLog(1))
  await project(db, 'c')
  t.strictSame(await digests(db, 'c'), before.a, 'registers that come later are projected as before')
})

t.test('one register, or one projection, alone leaves the others as they were', async (t) => {
  const { db, run } = await base(t)
  const before = await digests(db, 'b')
  await run({ register: 'b', dropPrevious: true })
  t.strictSame(
    [await generations(db, 'a'), await generations(db, 'b')],
    [
      [0, 0, 0],
      [1, 1, 1],
    ],
  )
  t.strictSame(await digests(db, 'b'), before)
  await run({ register: 'b', projections: replayed(['commitments']) })
  t.strictSame(await generations(db, 'b'), [2, 1, 1])
  await run({ register: 'b', projections: replayed(['tallies']) })
  t.strictSame(await generations(db, 'b'), [2, 1, 3])
  await run({ register: 'b', projections: replayed(['periods']) })
  t.strictSame(await generations(db, 'b'), [2, 4, 4])
  t.strictSame(await digests(db, 'b'), before)
})

/** What a dashboard shows at a moment, as one text. */
async function shown(db: Database, register: string, size: number): Promise<string> {
  const moment = { register, asOf: dayOf('2024-06-01'), size }
  const statuses = await readStatuses(db, moment, ALL)
  const commitments = await readCommitments(db, { ...moment, timeZone: 'Europe/Minsk' })
  return JSON.stringify([statuses, commitments.map(({ id }) => id).sort()])
}

t.test(
  'while events are recorded and dashboards poll, nobody sees a half, and nothing is missing in the end',
  async (t) => {
    const { db, url, run } = await base(t)
    const log = rawLog(3)
    await insertRaw(db, 'c', log.slice(0, 150))
    await project(db, 'c')
    const runner = startRunner(db, createRegisters(), PROJECTIONS, (error) => t.error(error))
    const first = await shown(db, 'c', 150)
    let [polls, isDone] = [0, false]
    const poll = async () => {
      const other = openDatabase({ connectionString: url, max: 1 })
      for (; !isDone; polls += 1) if ((await shown(other, 'c', 150)) !== first) return t.fail('another answer')
      await other.destroy()
    }
    const record = async () => {
      for (let at = 150; at < log.length; at += 5) {
        await insertRaw(db, 'c', log.slice(at, at + 5))
        await sleep(20)
      }
    }
    const polling = poll()
    const recording = record()
    const replays: ReplayOutcome[] = []
    for (let times = 0; times < 3; times += 1) replays.push(await run({ register: 'c', dropPrevious: true }))
    await recording
    isDone = true
    await polling
    await runner.stop()
    t.strictSame(new Set(replays.map(({ state }) => state)), new Set(['caughtUp']))
    t.ok(polls > 3, `${polls} polls`)
    await project(db, 'c')
    await insertRaw(db, 'd', log)
    await project(db, 'd')
    t.strictSame(await digests(db, 'c'), await digests(db, 'd'))
    t.equal(await projectionSize(db, 'c', 'periods'), log.length)
  },
)

t.test('a replay that is cancelled, or stopped, leaves what is live as it was', async (t) => {
  const { db, url, run } = await base(t)
  const before = await digests(db, 'a')
  const stopped = new AbortController()
  const outcome = await run({ maxRate: 200 }, { signal: stopped.signal, onProgress: () => stopped.abort() })
  t.strictSame(outcome, { state: 'running', failedBecause: null }, 'stopped: it can go on')
  t.strictSame(await tables(db), ['commitment_g1', 'period_g1', 'tally_g1'])
  const { id } = await beginReplay(db, { ...EVERYTHING, maxRate: 200 })
  const ending = runReplay(db, createRegisters(), id, optionsFor(url))
  await sleep(300)
  t.equal(await cancelReplay(db, id), true)
  t.strictSame(await ending, { state: 'cancelled', failedBecause: null })
  t.strictSame([await tables(db), await digests(db, 'a'), await generations(db, 'a')], [[], before, [0, 0, 0]])
  t.equal(await cancelReplay(db, id), false, 'it has ended')
})

t.test('an event that no fold can read ends the replay with its name, and what is live stays', async (t) => {
  const { db, run } = await base(t)
  const before = await digests(db, 'a')
  const [last] = rawLog(1).slice(-1) as [StoredEvent]
  const stream = rawLog(1).find(({ type }) => type === 'CommitmentMade')?.stream as string
  const revision = rawLog(1).filter((event) => event.stream === stream).length + 1
  const position = last.position + 1
  const event = {
    ...last,
    position,
    id: '0198a000-0000-7000-8000-000000000001',
    stream,
    revision,
    salt: Buffer.alloc(32),
  }
  const unreadable = {
    ...event,
    type: 'StatusReaffirmed',
    typeVersion: 99,
    occurredOn: '2020-01-01',
    data: {},
    citations: [],
  }
  await insertRaw(db, 'a', [unreadable])
  const failedBecause = `event ${position} cannot be read: StatusReaffirmed, version 99`
  t.strictSame(await run({}), { state: 'failed', failedBecause })
  t.strictSame([await tables(db), await digests(db, 'a'), await generations(db, 'a')], [[], before, [0, 0, 0]])
})

t.test(
  'a throttled replay reads as many events in a second as it may, evenly, however few threads have work',
  async (t) => {
    const { run } = await base(t)
    const events: { at: number; done: number }[] = []
    const onProgress = ({ phase, done }: ReplayProgress) => {
      if (phase === 'folding') events.push({ at: performance.now(), done })
    }
    await run({ register: 'a', projections: ['commitments'], maxRate: 200 }, { chunkEvents: 4_000, onProgress })
    // The first report tells where it stands before its threads have started.
    const [first, last] = [events[1], events.at(-1)] as [{ at: number; done: number }, { at: number; done: number }]
    const ideal = ((last.done - first.done) / 200) * 1_000
    const took = last.at - first.at
    t.ok(took > 0.8 * ideal && took < 1.5 * ideal, `${Math.round(took)} ms for ${last.done - first.done} events`)
    const steps = events.slice(1).map(({ done }, index) => done - (events[index]?.done ?? 0))
    // A stream is read whole: the longest of the log is longer than a tenth of a second's events.
    t.ok(Math.max(...steps) <= 60, `${steps}`)
  },
)

t.test('a replay goes on with the options of the new request; while it runs, other options are refused', async (t) => {
  const { db, url, run } = await base(t)
  const stopped = new AbortController()
  await run({ maxRate: 100 }, { signal: stopped.signal, onProgress: ({ done }) => done > 0 && stopped.abort() })
  const env = { PLEDGER_DATABASE_URL: asRole(url, ROLES.service) }
  const left = await unfinishedState(db)
  const far = `${left?.done} of ${left?.of}`
  const { out } = await pledger(t, ['status'], env)
  t.match(out, `replay ${left?.id} of commitments, periods, tallies of all registers: interrupted at ${far} events (`)
  t.match(out, /^ {2}pledger replay --max-rate 100 {3}continues it\n {2}pledger replay --cancel {3}deletes/m)
  const other = await beginReplay(db, { ...EVERYTHING, maxRate: 300, dropPrevious: true })
  t.match(other, { id: left?.id as string, maxRate: 300, dropPrevious: true })
  const ending = runReplay(db, createRegisters(), other.id, optionsFor(url))
  while (!(await unfinishedState(db))?.isOwned) await sleep(10)
  t.equal((await beginReplay(db, { ...EVERYTHING, maxRate: 300, dropPrevious: true })).id, other.id)
  await t.rejects(beginReplay(db, EVERYTHING), {
    message: `replay ${other.id} of commitments, periods, tallies of all registers is under way with other options, at 300 events/s at most, dropping the previous rows: wait, or cancel it first`,
  })
  t.match((await pledger(t, ['status'], env)).out, /all registers: running, folding, \d+ of \d+ events \(\d+ %\)/)
  t.strictSame(await ending, { state: 'caughtUp', failedBecause: null })
})

t.test(
  'one replay at a time: the same goes on, another has to wait, and a silent process loses its turn',
  async (t) => {
    const { db, url } = await base(t)
    const before = await digests(db, 'a')
    const first = await beginReplay(db, { ...EVERYTHING, maxRate: 100 })
    const stopped = new AbortController()
    const ending = runReplay(db, createRegisters(), first.id, { ...optionsFor(url), signal: stopped.signal })
    await sleep(300)
    t.equal((await beginReplay(db, { ...EVERYTHING, maxRate: 100 })).id, first.id)
    await t.rejects(beginReplay(db, { ...EVERYTHING, register: 'a' }), { message: /is under way/ })
    await t.rejects(runReplay(db, createRegisters(), first.id, optionsFor(url)), { message: /is under way/ })
    await sql`update operation set beat_at = now() - interval '1 hour', max_rate = null`.execute(db)
    const taken = await runReplay(db, createRegisters(), first.id, optionsFor(url))
    t.strictSame(taken, { state: 'caughtUp', failedBecause: null })
    stopped.abort()
    t.match((await ending).state, /^(running|caughtUp)$/, 'whoever lost its turn has left it to the other')
    t.strictSame(await generations(db, 'a'), [1, 1, 1])
    t.strictSame(await digests(db, 'a'), before)
  },
)

t.test('rows that differ from the old ones are told loudly, and those before are kept', async (t) => {
  const { db, url, run } = await base(t)
  await sql`update commitment_g0 set title = title || '!' where register = 'b'`.execute(db)
  const { code, out, err } = await pledger(t, ['replay', '--drop-previous'], {
    PLEDGER_DATABASE_URL: asRole(url, ROLES.service),
  })
  t.equal(code, 1)
  t.match(
    err,
    'the new rows differ from the old ones: commitments of b; the new ones are live, the old ones are kept\n',
  )
  t.match(out, /^b commitments at \d+: [0-9a-f]{64}, DIFFERENT from before: [0-9a-f]{64}$/m)
  t.ok((await rowsIn(db, 'commitment_g0')) > 0)
  const told = await sql`select state, failed_because like 'the new rows differ from the old ones%' as is_told
    from operation`.execute(db)
  t.strictSame(told.rows, [{ state: 'caughtUp', is_told: true }])
  const log = rawLog(3)
  await insertRaw(db, 'c', log.slice(0, 150))
  await project(db, 'c')
  const { id } = await beginReplay(db, { ...EVERYTHING, register: 'c' })
  await run({ register: 'c' })
  await insertRaw(db, 'c', log.slice(150))
  await project(db, 'c')
  const operation = (await readOperation(db, id)) as Operation
  const found = await Array.fromAsync(comparisons(db, createRegisters(), operation, new AbortController().signal))
  t.match(
    found,
    [
      { projection: 'commitments', size: 150, isOfLog: true, isDifferent: false },
      { projection: 'periods', size: 150, isOfLog: false, isDifferent: false },
      { projection: 'tallies', size: 150, isOfLog: false, isDifferent: false },
    ],
    'also where more has been recorded since',
  )
  t.strictSame(
    found.map(({ before, sha256 }) => before === sha256),
    [true, true, true],
  )
})

t.test('over REST a replay is begun, looked at and given up', async (t) => {
  const { app, db, get, post } = await testService(t)
  await insertRaw(db, 'a', rawLog(1))
  const begun = await post('/v1/projections/all/replay', { register: 'a', maxRate: 1_000 })
  const location = begun.headers.location as string
  t.match(begun, {
    status: 202,
    body: { projections: ['commitments', 'periods', 'tallies'], register: 'a', maxRate: 1_000 },
  })
  t.match(location, /^\/v1\/operations\/[-0-9a-f]{36}$/)
  const of = rawLog(1).length
  t.equal(begun.body.status, 'pending')
  t.match((await get(location)).body, {
    status: 'pending',
    phase: 'folding',
    done: 0,
    of,
    secondsLeft: null,
    error: null,
  })
  const again = await post('/v1/projections/all/replay', { register: 'a' })
  t.match(again, { headers: { location }, body: { maxRate: null, eventsPerSecond: null } }, 'the same goes on')
  t.match((await get('/v1/projections')).body.operations, [{ id: location.slice(15), status: 'pending', of }])
  const smaller = await post('/v1/projections/periods/replay', { register: 'a' })
  t.match(smaller, { status: 409, body: { detail: /has not ended: `pledger replay --register a` continues it/ } })
  await sql`update operation set owner = gen_random_uuid(), beat_at = now()`.execute(db)
  const faster = await post('/v1/projections/all/replay', { register: 'a', maxRate: 99_999 })
  t.match(faster, { status: 409, body: { detail: /under way with other options/, operation: location } })
  const other = await post('/v1/projections/periods/replay', {})
  t.match(other, { status: 409, body: { type: '/problems/in-flight', operation: location } })
  await sql`update operation set owner = null`.execute(db)
  t.equal((await get(location)).body.status, 'interrupted')
  const third = await post('/v1/projections/periods/replay', {})
  t.match(
    third,
    { status: 409, body: { type: '/problems/in-flight', operation: location } },
    'it is not given up for another',
  )
  const ended = await app.inject({ method: 'DELETE', url: location })
  t.match(ended.json(), { status: 'cancelled', finishedAt: /Z$/ })
  t.strictSame([await tables(db), (await get('/v1/projections')).body.operations], [[], []])
  const unknown = [
    { status: (await app.inject({ method: 'POST', url: '/v1/projections/figures/replay' })).statusCode },
    await post('/v1/projections/all/replay', { register: 'none' }),
    await post('/v1/projections/all/replay', { maxRate: 0 }),
    await get('/v1/operations/00000000-0000-0000-0000-000000000000'),
  ]
  t.strictSame(
    unknown.map(({ status }) => status),
    [404, 404, 422, 404],
  )
})

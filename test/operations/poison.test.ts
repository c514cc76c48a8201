// Events that cannot be read, put into the log behind the service's back: real processes, real PostgreSQL.

import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { append } from '../../src/eventlog/append.ts'
import { readHead } from '../../src/eventlog/heads.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { importing, pledger } from '../support/process.ts'
import { made, OPENED, posted, problem, uuid } from '../support/register.ts'
import { type Serving, serving, soon } from '../support/serving.ts'

const OLDER = importing('older-service.ts')

/** What stands at position 3 of each register, in the stream `bridge`, where not in its own, and what is said of it. */
const POISONS = {
  garbage: {
    event: { type: 'CommitmentRebaselined', data: { due: 'soon', reason: 'so' } },
    reason: 'event 3 cannot be read: CommitmentRebaselined, version 1: not a date: soon',
  },
  later: {
    event: { type: 'DeliveryReported', typeVersion: 2, data: {} },
    reason: 'event 3 cannot be read: DeliveryReported, version 2',
  },
  rows: {
    // It folds, and the table of one projection does not take what comes of it: the other goes on.
    event: { stream: 'untitled', type: 'CommitmentMade', data: { themes: [], parties: [] } },
    reason: /^event 3 cannot be read: /,
  },
  unknown: {
    event: { type: 'StatusReaffirmed', data: {} },
    reason: 'event 3 cannot be read: StatusReaffirmed, version 1',
  },
}

async function open({ post }: Serving, register: string): Promise<void> {
  await post('/v1/registers', { id: register, ...OPENED })
  await post(`/v1/registers/${register}/events`, [made('bridge'), made('tunnel')])
}

type Poison = { type: string; data: unknown; typeVersion?: number; stream?: string }

async function poison(db: Database, register: string, { stream = 'bridge', ...event }: Poison): Promise<void> {
  const position = (await readHead(db, register))?.size ?? 0
  const whole = { group: 1, id: uuid(position), stream, typeVersion: 1, recordedBy: 'nobody', occurredOn: '2026-02-01' }
  const [outcome] = await append(db, {
    register,
    open: false,
    now: Date.now(),
    ownRevision: 1,
    events: [{ ...whole, citations: [], seenRevision: stream === 'bridge' ? 1 : 0, ...event }],
  })
  if (outcome?.kind !== 'appended' || position !== 3) throw new Error(`${outcome?.kind} at ${position}`)
}

async function states({ get }: Serving) {
  const { items } = (await get('/v1/projections')).body
  return items.map(({ register, projection, status, size, behindEvents, stopped }: Record<string, unknown>) => {
    return { register, projection, status, size, behindEvents, stopped }
  })
}

async function checkAnswers(t: Test, { get, post }: Serving, register: string): Promise<void> {
  const R = `/v1/registers/${register}`
  const far = await get(`${R}/summary?asOf=2026-03-01&minSize=4`)
  t.strictSame(problem(far), { status: 503, type: '/problems/projection-behind', pointers: [] })
  t.match(far.body.detail, /^size 4 is not reached: periods has stopped: event 3 cannot be read: /)
  t.equal(far.headers['retry-after'], '10')
  const near = await get(`${R}/summary?asOf=2026-03-01`)
  t.strictSame([near.status, near.body.knownAt.size, near.body.inScope], [200, 3, 2], 'as far as it was read')
  const recorded = await post(`${R}/events`, [made('harbour'), posted('tunnel', 'DeliveryReported', '2026-02-02')])
  t.strictSame([recorded.status, recorded.body.size], [201, 6], 'recording goes on')
  t.equal((await get(`${R}/events/3`)).body.position, 3, 'the log is served as it stands')
  t.equal((await get(`${R}/events?after=2`)).body.items.length, 3)
}

t.test('an event that cannot be read stops its register’s projections right before it, named everywhere', async (t) => {
  const url = await testDatabaseUrl(t)
  const env = { PLEDGER_DATABASE_URL: url }
  const db = openDatabase({ connectionString: url, max: 2 })
  t.teardown(() => db.destroy())
  const older = await serving(t, { ...env, ...OLDER })
  for (const register of ['good', ...Object.keys(POISONS)]) await open(older, register)
  for (const [register, { event }] of Object.entries(POISONS)) await poison(db, register, event)
  // Each projection has met it, and the good one is at its head.
  await soon('every projection stopped', async () => {
    const stops = (await states(older)).filter(({ stopped }: { stopped: unknown }) => stopped)
    return stops.length >= 7
  })
  for (const register of ['garbage', 'later', 'unknown'])
    await t.test(register, (t) => checkAnswers(t, older, register))
  const list = await older.get('/v1/registers/rows/commitments?minSize=4')
  t.match(list.body, {
    status: 503,
    detail: /^size 4 is not reached: commitments has stopped: event 3 cannot be read: /,
  })
  t.equal((await older.get('/v1/registers/rows/summary?asOf=2026-03-01&minSize=4')).body.inScope, 3)
  t.equal((await older.post('/v1/registers/good/events', made('harbour'))).status, 201)
  t.equal((await older.get('/v1/registers/good/summary?asOf=2026-03-01&minSize=4')).body.inScope, 3, 'others go on')

  const found = await states(older)
  const stops = found.filter(({ stopped }: { stopped: unknown }) => stopped)
  const expected = (projection: string, register: keyof typeof POISONS) => ({
    register,
    projection,
    status: 'stopped',
    size: 3,
    behindEvents: register === 'rows' ? 1 : 3,
    stopped: { position: 3, id: uuid(3), type: POISONS[register].event.type, reason: POISONS[register].reason },
  })
  t.equal(stops.length, 7)
  t.match(stops, [
    expected('commitments', 'garbage'),
    expected('commitments', 'later'),
    expected('commitments', 'rows'),
    expected('commitments', 'unknown'),
    expected('periods', 'garbage'),
    expected('periods', 'later'),
    expected('periods', 'unknown'),
  ])
  const ready = await older.get('/readyz')
  t.strictSame([ready.status, ready.body.status], [200, 'degraded'])
  t.equal(ready.body.detail, `commitments of garbage has stopped: ${POISONS.garbage.reason}`)
  const { text, headers } = await older.get('/metrics')
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const event = `register="unknown",position="3",event="${uuid(3)}",type="StatusReaffirmed"`
  t.match(text, `\npledger_projection_stopped{projection="periods",${event}} 1\n`)
  t.match(text, '\npledger_projection_behind_events{projection="periods",register="unknown"} 3\n')
  t.match(text, '\npledger_projection_behind_events{projection="periods",register="good"} 0\n')
  t.match(text, '\npledger_projection_status{projection="periods",register="unknown",status="stopped"} 1\n')
  t.match(text, '\npledger_seal_lag_events{register="good"} 4\n')
  t.match(text, /\npledger_database_up 1\n/)
  t.match(text, /\nprocess_resident_memory_bytes \d+/)
  const status = await pledger(t, ['status'], { ...env, ...OLDER })
  t.equal(status.code, 1)
  t.match(status.out, `  periods: stopped at size 3 by event ${uuid(3)}: ${POISONS.unknown.reason}\n`)

  // What this version cannot read is erased; what a later one can is read by that.
  for (const register of ['garbage', 'later', 'rows']) {
    const redacted = await older.post(`/v1/registers/${register}/events/3/redact`, { reason: 'recorded by nobody' })
    t.equal(redacted.status, 201, redacted.text)
  }
  const newer = await serving(t, env)
  await soon('every projection goes on by itself', async () => {
    const left = (await states(newer)).filter(
      (state: Record<string, unknown>) => state.projection !== 'tallies' && state.status !== 'caughtUp',
    )
    return left.length === 0
  })
  t.match((await newer.get('/readyz')).body, { status: 'ready', detail: null })
  const { body } = await newer.get('/v1/registers/unknown/commitments/bridge?asOf=2026-03-01')
  t.strictSame([body.revision, body.stalenessDays, body.knownAt.size], [2, 28, 6], 'and nothing was skipped')
  const replay = await pledger(t, ['replay'], env)
  t.equal(replay.code, 0, replay.err)
  t.notMatch(replay.out + replay.err, /differ/, 'the rows are those of a replay from position 0')
})

t.test('an event of a register’s own that cannot be read stops that register alone', async (t) => {
  const url = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: url, max: 2 })
  t.teardown(() => db.destroy())
  const service = await serving(t, { PLEDGER_DATABASE_URL: url })
  for (const register of ['good', 'own']) await open(service, register)
  const whole = { group: 1, id: uuid(3), typeVersion: 1, recordedBy: 'nobody', occurredOn: '2026-02-01', citations: [] }
  const event = { ...whole, stream: '$register', type: 'PartyRenamed', data: {}, seenRevision: 1 }
  await append(db, { register: 'own', open: false, now: Date.now(), ownRevision: 1, events: [event] })
  const [stop] = await soon('it stops', async () => {
    const stops = (await states(service)).filter(({ stopped }: { stopped: unknown }) => stopped)
    return stops.length === 2 && stops
  })
  t.match(stop, { register: 'own', size: 3, stopped: { position: 3, type: 'PartyRenamed' } })
  const detail = 'event 3 cannot be read: PartyRenamed, version 1'
  for (const answer of [
    await service.get('/v1/registers/own/summary'),
    await service.post('/v1/registers/own/events', made('harbour')),
  ]) {
    t.strictSame(problem(answer), { status: 503, type: '/problems/projection-behind', pointers: [] })
    t.equal(answer.body.detail, detail)
  }
  t.equal((await service.post('/v1/registers/good/events', made('harbour'))).status, 201)
  const { items } = (await service.get('/v1/registers')).body
  t.match(items, [{ id: 'good' }, { id: 'own', title: OPENED.title, size: 4 }], 'as it was before')
})

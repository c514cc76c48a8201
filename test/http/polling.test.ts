// What is answered from memory: polls that find nothing new, and what makes memory give way.

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/database/pool.ts'
import { buildApp } from '../../src/http/app.ts'
import { EtagCache, MAX_BYTES } from '../../src/http/server/etag-cache.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { createRegisterHeads } from '../../src/projections/core/heads.ts'
import type { RegisterHead } from '../../src/projections/core/register-head.ts'
import type { Basis } from '../../src/questions/basis.ts'
import { createRecorder } from '../../src/recording/recorder.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { noAccessControl } from '../support/access.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { gate } from '../support/gate.ts'
import { until } from '../support/patience.ts'
import { made, OPENED, posted } from '../support/register.ts'
import { noon } from '../support/service.ts'

/** Every statement that reaches a database, looks at heads apart: these are made by the clock, however many ask. */
const statements: string[] = []
let looks = 0
const { query } = pg.Client.prototype
type Query = (this: pg.Client, ...given: unknown[]) => unknown
const counted: Query = function (...given) {
  const text = typeof given[0] === 'string' ? given[0] : String((given[0] as { text?: string } | null)?.text)
  if (/own_revision, c\.projection/.test(text)) looks += 1
  else statements.push(text)
  // Safe: handed on as it came.
  return (query as Query).apply(this, given)
}
// Safe: it takes and gives what the original does.
pg.Client.prototype.query = counted as typeof query
t.teardown(() => {
  pg.Client.prototype.query = query
})

const R = '/v1/registers/demo'

/** A service without a runner: projections read on when the test says so, and nothing else asks the database. */
async function serviceOn(t: Test, connectionString: string, today = '2026-03-01') {
  const db = openDatabase({ connectionString })
  const heads = createRegisterHeads(db)
  const registers = createRegisters()
  const clock = { now: noon(today) }
  const recorder = createRecorder(db, registers, { now: () => clock.now, onRecorded: heads.grew })
  const context = { access: noAccessControl(db), db, heads, registers, recorder, now: () => clock.now, wake: () => {} }
  const app = await buildApp(context, pino({ level: 'silent' }), { checkAnswers: true })
  t.teardown(async () => {
    await app.close()
    await heads.stop()
    await db.destroy()
  })
  const project = async () => {
    for (const projection of PROJECTIONS) await catchUp(db, registers, projection, 'demo')
    heads.grew('demo')
  }
  const post = async (url: string, payload: object) => {
    const { statusCode, body } = await app.inject({ method: 'POST', url, payload })
    if (statusCode !== 201) throw new Error(body)
    await project()
  }
  return {
    heads,
    clock,
    post,
    project,
    async get(url: string, headers: Record<string, string> = {}) {
      const { statusCode, headers: got, body } = await app.inject({ method: 'GET', url, headers })
      return { status: statusCode, etag: String(got.etag), headers: got, body }
    },
  }
}

type Service = Awaited<ReturnType<typeof serviceOn>>

/** Opens `demo` with a commitment, a programme and a source. */
async function openDemo({ post }: Service, timeZone = 'UTC'): Promise<void> {
  await post('/v1/registers', { id: 'demo', ...OPENED, timeZone })
  await post(`${R}/events`, [
    posted('$register', 'ProgrammeDefined', '2026-01-01', { programme: 'p1', title: 'Programme 1' }),
    posted('$register', 'SourceAdded', '2026-01-01', { source: 'S1', title: 'Source 1' }),
    made('bridge', { due: '2026-06-30', programme: 'p1' }),
  ])
}

const POLLED = [
  '',
  '/events',
  '/events?after=1&limit=1',
  '/sources',
  '/programmes?asOf=2026-02-01',
  '/conflicts',
  '/figures',
  '/commitments',
  '/commitments?figure=inScope&asOf=2026-02-26&knownAt=4',
  '/commitments/bridge',
  '/commitments/bridge/timeline',
  '/commitments/bridge/events',
  '/summary',
  '/summary?asOf=2026-02-26&groupBy=programme',
  '/summary?asOf=2026-02-26&knownAt=4',
  '/summary?knownAt=2026-03-01',
  '/summary?knownAt=2026-02-28T12:00:00Z',
  '/summary?minSize=4',
  '/summary/series?from=2026-01-01&to=2026-12-31',
  '/summary/difference?from=2',
]

t.test('an unchanged poll is answered without a statement, whatever is polled', async (t) => {
  const service = await serviceOn(t, await testDatabaseUrl(t))
  await openDemo(service)
  for (const path of POLLED) {
    const first = await service.get(`${R}${path}`)
    t.equal(first.status, 200, path)
    const ask = () => {
      statements.length = 0
      return service.get(`${R}${path}`, { 'if-none-match': first.etag })
    }
    let again = await ask()
    // On a busy machine a look at the heads, which goes by the clock, may come in between.
    for (let tries = 1; tries < 50 && statements.length > 0; tries += 1) again = await ask()
    t.strictSame([again.status, again.etag, again.body], [304, first.etag, ''], path)
    t.equal(again.headers.vary, 'Accept')
    t.strictSame(statements, [], path)
    const other = await service.get(`${R}${path}`, { 'if-none-match': '"other"' })
    t.strictSame([other.status, other.etag], [200, first.etag], path)
  }
})

t.test('looks at the heads go by the clock, not by the number of polls', async (t) => {
  const service = await serviceOn(t, await testDatabaseUrl(t))
  await openDemo(service)
  const { etag } = await service.get(`${R}/summary`)
  const [before, from] = [looks, performance.now()]
  for (let poll = 0; poll < 1_000; poll += 1) {
    t.equal((await service.get(`${R}/summary`, { 'if-none-match': etag })).status, 304)
  }
  const most = 5 + (performance.now() - from) / 20
  t.ok(looks - before < most, `${looks - before} looks, fewer than ${most}`)
})

t.test('summaries of the newest knowledge are answered without a statement once one was', async (t) => {
  const service = await serviceOn(t, await testDatabaseUrl(t))
  await openDemo(service)
  for (const day of ['2026-02-01', '2026-03-01', '2026-04-01', '2027-04-01'])
    await service.get(`${R}/summary?asOf=${day}`)
  await service.get(`${R}/summary`)
  statements.length = 0
  const late = async (day: string) => JSON.parse((await service.get(`${R}/summary?asOf=${day}`)).body).late.count
  t.strictSame([await late('2026-04-30'), await late('2027-06-30'), await late('2027-04-01')], [0, 1, 1])
  t.strictSame(statements, [])
})

t.test('what a process records shows at once in what it answers', async (t) => {
  const service = await serviceOn(t, await testDatabaseUrl(t))
  await openDemo(service)
  for (let round = 0; round < 10; round += 1) {
    const before = new Map<string, string>()
    for (const path of ['', '/events', '/commitments/bridge', '/summary', '/commitments', '/summary?knownAt=3']) {
      before.set(path, (await service.get(`${R}${path}`)).etag)
    }
    await service.post(`${R}/events`, made(`road-${round}`))
    for (const [path, etag] of before) {
      const isPinned = path.includes('knownAt')
      t.equal((await service.get(`${R}${path}`, { 'if-none-match': etag })).status, isPinned ? 304 : 200, path)
    }
    const { body } = await service.get(`${R}/summary`)
    t.equal(JSON.parse(body).inScope, round + 2)
  }
})

t.test(
  'what another process records shows soon, and at once where the caller says of what size it knows',
  async (t) => {
    const url = await testDatabaseUrl(t)
    const [writer, reader] = [await serviceOn(t, url), await serviceOn(t, url)]
    await openDemo(writer)
    const paths = ['/summary', '/commitments/bridge', '/events']
    for (const path of paths) {
      const { etag } = await reader.get(`${R}${path}`)
      await writer.post(`${R}/events`, made(`later-${path.slice(1, 5)}`))
      let status = 304
      await until(`${path} is another`, async () => {
        status = (await reader.get(`${R}${path}`, { 'if-none-match': etag })).status
        return status !== 304
      })
      t.equal(status, 200, path)
    }
    for (const [path, headers] of [
      ['/summary', { 'pledger-size': '8' }],
      ['/commitments/bridge?minSize=9', {}],
      ['/summary?knownAt=10', {}],
    ] as const) {
      const polled = path.replace(/\?.*/, '')
      const { etag } = await reader.get(`${R}${polled}`)
      await writer.post(`${R}/events`, made(`at-once-${path.length}`))
      const answer = await reader.get(`${R}${path}`, { ...headers, 'if-none-match': etag })
      t.equal(answer.status, 200, path)
    }
  },
)

t.test('a day that is today by default changes at midnight in the time zone of the register', async (t) => {
  const service = await serviceOn(t, await testDatabaseUrl(t))
  await openDemo(service, 'Pacific/Auckland')
  // In March, midnight there is 11:00 UTC.
  service.clock.now = Date.parse('2026-03-02T10:59:59.999Z')
  const summary = await service.get(`${R}/summary`)
  const pinned = await service.get(`${R}/summary?asOf=2026-03-02`)
  t.equal(JSON.parse(summary.body).asOf, '2026-03-02')
  t.equal((await service.get(`${R}/summary`, { 'if-none-match': summary.etag })).status, 304)
  service.clock.now += 1
  const after = await service.get(`${R}/summary`, { 'if-none-match': summary.etag })
  t.strictSame([after.status, JSON.parse(after.body).asOf], [200, '2026-03-03'])
  t.equal((await service.get(`${R}/summary?asOf=2026-03-02`, { 'if-none-match': pinned.etag })).status, 304)
})

t.test('what cannot be read as a request is refused also where the answer is known', async (t) => {
  const service = await serviceOn(t, await testDatabaseUrl(t))
  await openDemo(service)
  const { etag } = await service.get(`${R}/summary`)
  const known = { 'if-none-match': etag }
  t.equal((await service.get(`${R}/summary`, { ...known, 'pledger-size': 'many' })).status, 400)
  t.equal((await service.get(`${R}/summary`, { ...known, accept: 'text/html' })).status, 406)
  const missing = await service.get(`${R}/commitments/tunnel`)
  t.strictSame([missing.status, missing.headers.etag], [404, undefined], 'what is not there has no ETag')
})

t.test('while the database is away nothing that is too old is told, and it goes on when it is back', async (t) => {
  const way = await gate(t, await testDatabaseUrl(t))
  const service = await serviceOn(t, way.address)
  await openDemo(service)
  const { etag } = await service.get(`${R}/summary`)
  const poll = () => service.get(`${R}/summary`, { 'if-none-match': etag })
  await way.close()
  await sleep(800)
  const refused = await poll()
  t.strictSame([refused.status, refused.headers['retry-after']], [503, '1'])
  await way.reopen()
  let status = 503
  await until('it goes on', async () => {
    status = (await poll()).status
    return status !== 503
  })
  t.equal(status, 304)
})

t.test(
  'however many addresses are asked for, their memory is bounded, and what is asked for again stays',
  async (t) => {
    const projections = new Map([['periods', { version: 1, size: 4, generation: 0, stopped: null }]])
    const head: RegisterHead = { register: 'demo', size: 4, recordedAt: 0, ownRevision: 1, redactions: 0, projections }
    const polls = new EtagCache({ heads: { peek: () => head }, now: Date.now })
    const basis: Basis = { head, source: 'periods', size: 'head', dayIn: null }
    const asked = (url: string) => ({ raw: { method: 'GET', url, headers: {} } })
    polls.remember(asked('/often'), '"often"', basis)
    let most = 0
    for (let number = 0; number < 50_000; number += 1) {
      polls.remember(asked(`/${number}`), `"${number}"`, basis)
      polls.etagOf(asked('/often'))
      most = Math.max(most, polls.bytes)
    }
    t.ok(most <= MAX_BYTES, `${most} bytes at most`)
    t.strictSame(
      ['/often', '/49999', '/0'].map((url) => polls.etagOf(asked(url))),
      ['"often"', '"49999"', null],
    )
    polls.remember(asked(`/${'long'.repeat(2_000)}`), '"long"', basis)
    t.equal(polls.etagOf(asked(`/${'long'.repeat(2_000)}`)), null)
  },
)

// A service whose clock jumps by a day, forwards and back, while that of its database goes on: a real process, a clock that a
// file moves.

import { writeFile } from 'node:fs/promises'
import t from 'tap'
import { testDatabaseUrl } from '../support/database.ts'
import { pledger } from '../support/process.ts'
import { JSON_TYPE, made, OPENED, posted, problem, uuid } from '../support/register.ts'
import { clockOff, serving, signingKeys, soon, temporaryDirectory } from '../support/serving.ts'

const DAY_MS = 86_400_000
const R = '/v1/registers/demo'

const dayOf = (instant: number) => new Date(instant).toISOString().slice(0, 10)

t.test('a clock that jumps by a day, forwards and back, changes nothing of what was recorded', async (t) => {
  const dir = await temporaryDirectory(t)
  const clock = await clockOff(dir, 0)
  const moveTo = (days: number) => writeFile(clock.MOVED_CLOCK, String(days * DAY_MS))
  const env = {
    ...clock,
    PLEDGER_DATABASE_URL: await testDatabaseUrl(t),
    PLEDGER_SIGNING_KEYS: await signingKeys(dir),
  }
  const { get, post } = await serving(t, env)
  const record = async (event: unknown, headers = {}) => {
    const answer = await post(`${R}/events`, event, { ...JSON_TYPE, ...headers })
    t.ok([200, 201].includes(answer.status), answer.text)
    const [{ position, recordedAt }] = answer.body.events
    return { size: answer.body.size, position, at: Date.parse(recordedAt), answer }
  }
  const sealedAt = (size: number) =>
    soon(`a checkpoint of size ${size}`, async () => {
      const { text } = await get(`${R}/checkpoint`)
      return text.split('\n')[1] === String(size)
    })
  const summary = (query: string, etag?: string) =>
    get(`${R}/summary?${query}`, etag === undefined ? {} : { 'if-none-match': etag })

  await post('/v1/registers', { id: 'demo', ...OPENED })
  const first = await record(made('bridge', { due: '2026-03-01' }))
  await sealedAt(2)
  const key = { 'idempotency-key': 'once' }
  const delivery = posted('bridge', 'DeliveryReported', '2026-02-01')
  const before = await record(delivery, key)
  await sealedAt(3)
  const asked = await summary('asOf=2026-03-01&minSize=3')
  const { etag } = asked.headers as { etag: string }
  const today = (await summary('minSize=3')).body.asOf

  await moveTo(1)
  const jumped = Date.now() + DAY_MS
  await t.test('a day ahead', async (t) => {
    t.equal((await summary('asOf=2026-03-01', etag)).status, 304, 'what names its day is what it was')
    t.equal((await summary('')).body.asOf, dayOf(jumped), 'what does not is asked of the day that it is to the service')
    const again = await record(delivery, key)
    t.equal(again.answer.headers['idempotency-replayed'], 'true', 'a retry is no new recording')
    t.equal(again.position, before.position)
    const next = await record(made('tunnel'))
    t.equal(next.position, 3)
    t.ok(Math.abs(next.at - jumped) < 60_000, 'recorded when the service’s clock says')
    await sealedAt(4)
    t.match((await get('/readyz')).body, { status: 'ready', sealing: [{ behindEvents: 0 }] })
    t.equal((await post(`${R}/events`, posted('tunnel', 'StatusReaffirmed', dayOf(jumped)))).status, 201)
    await sealedAt(5)
  })

  await moveTo(-1)
  const tomorrow = (await get(`${R}/events/4`)).body.recordedAt
  await t.test('two days back from there', async (t) => {
    const next = await record(made('harbour'))
    t.strictSame([next.position, next.at], [5, Date.parse(tomorrow)], 'the last instant is repeated, not gone behind')
    const more = await record([made('a'), made('b')])
    t.strictSame([more.size, more.at], [8, Date.parse(tomorrow)])
    await sealedAt(8)
    const again = await record(delivery, key)
    t.equal(again.answer.headers['idempotency-replayed'], 'true')
    const early = await post(`${R}/events`, posted('harbour', 'DeliveryReported', today))
    t.strictSame(problem(early), { status: 422, type: '/problems/in-future', pointers: ['/occurredOn'] })
    t.equal((await summary('minSize=8')).body.asOf, dayOf(Date.now() - DAY_MS))
    const known = async (knownAt: string) =>
      (await summary(`asOf=2026-03-01&knownAt=${encodeURIComponent(knownAt)}`)).body
    t.equal((await known(tomorrow)).knownAt.size, 8, 'an instant at which something was recorded is not to come')
    t.equal((await known(new Date(before.at).toISOString())).knownAt.size, 3)
    t.equal((await known(new Date(first.at).toISOString())).knownAt.size, 2)
    t.match(await known(new Date(Date.parse(tomorrow) + 1).toISOString()), { type: '/problems/beyond-knowledge' })
    t.match((await get('/readyz')).body, { status: 'ready', sealing: [{ behindEvents: 0, behindSeconds: 0 }] })
    const { body } = await get('/v1/projections')
    const read = body.items.filter(({ projection }: { projection: string }) => projection !== 'tallies')
    t.ok(read.every(({ status, size }: Record<string, unknown>) => status === 'caughtUp' && size === 8))
    const operation = await post('/v1/projections/commitments/replay', {})
    t.equal(operation.status, 202, operation.text)
    await soon(
      'a replay ends',
      async () => (await get(operation.headers.location as string)).body.status === 'caughtUp',
    )
  })

  await moveTo(0)
  await t.test('and right again', async (t) => {
    t.equal((await summary('asOf=2026-03-01&knownAt=3')).body.inScope, 1)
    t.equal((await record(made('quay', {}, { id: uuid(9) }))).at, Date.parse(tomorrow), 'until the day has come')
    await sealedAt(9)
    const { body } = await get(`${R}/events?limit=100`)
    const instants = body.items.map(({ recordedAt }: { recordedAt: string }) => recordedAt)
    t.strictSame(instants, [...instants].sort(), 'recordedAt never decreases')
    t.strictSame(
      body.items.map(({ position }: { position: number }) => position),
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    )
  })
  const verified = await pledger(t, ['verify', 'log', '--register', 'demo'], {
    PLEDGER_DATABASE_URL: env.PLEDGER_DATABASE_URL,
  })
  t.equal(verified.code, 0, verified.err)
})

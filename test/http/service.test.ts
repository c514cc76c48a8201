// The feed of the log, and what the service is besides its resources: errors of the router, health, documentation.

import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { sql } from 'kysely'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/database/pool.ts'
import { buildApp } from '../../src/http/app.ts'
import { PROBLEM_WORDS, problemStatus, problemTitle, problemType } from '../../src/kernel/problem-words.ts'
import { createRegisterHeads } from '../../src/projections/core/heads.ts'
import { createRecorder } from '../../src/recording/recorder.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { noAccessControl } from '../support/access.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { gate } from '../support/gate.ts'
import { until } from '../support/patience.ts'
import { lines, made, NDJSON, OPENED, openDemo, posted, problem } from '../support/register.ts'
import { type Answer, testService } from '../support/service.ts'

const FEED = '/v1/registers/union-state/events'
const service = await testService(t)
const unionState = unionStateEvents()
const SIZE = unionState.length
await service.post(FEED, lines(...unionState), NDJSON)
await service.app.listen({ port: 0, host: '127.0.0.1' })
// Safe: a TCP server has an address of this kind.
const { port } = service.app.server.address() as AddressInfo

type Event = { position: number; id: string; stream: string; type: string }

async function isProblem(t: Test, answer: Promise<Answer>, status: number, word: string, ...pointers: string[]) {
  t.strictSame(problem(await answer), { status, type: `/problems/${word}`, pointers })
}

/** Every page of a feed, by its `next`. */
async function pages(query: string): Promise<Event[][]> {
  const found: Event[][] = []
  for (let link: string | null = `${FEED}?${query}`; link !== null; ) {
    const { body, headers, status, text }: Answer = await service.get(link)
    if (status !== 200) throw new Error(text)
    found.push(body.items)
    link = /^<(.+)>; rel="next"$/.exec(String(headers.link))?.[1] ?? null
    if ((body.next === null) !== (link === null)) throw new Error(`next is ${body.next}, Link ${headers.link}`)
    if (body.next !== null && body.next !== String(body.items.at(-1).position)) throw new Error(`next is ${body.next}`)
  }
  return found
}

const places = (events: Event[]) => events.map(({ position, id }) => `${position} ${id}`)
const expected = unionState.map((event, position) => ({ ...event, position }))
const where = (test: (event: Event) => boolean) => places(expected.filter(test))

t.test('the pages of the feed hold every event once, in order of position', async (t) => {
  const found = await pages('limit=7')
  t.strictSame(places(found.flat()), places(expected))
  t.equal(found.length, Math.ceil(SIZE / 7))
  const { body } = await service.get(FEED)
  t.equal(body.items.length, 100, '100 where nothing is said')
  t.strictSame(
    [body.next, body.asOf, body.knownAt, body.rules],
    ['99', null, { size: SIZE, recordedAt: '2026-03-01T12:00:00.000Z' }, '1'],
  )
})

t.test('the feed is narrowed by positions, streams and types', async (t) => {
  const all = async (query: string) => places((await pages(query)).flat())
  t.strictSame(
    await all('after=9&until=19&limit=4'),
    where(({ position }) => position > 9 && position <= 19),
  )
  t.strictSame(
    await all('after=-1&until=0'),
    where(({ position }) => position === 0),
  )
  t.strictSame(await all(`after=${SIZE - 1}`), [])
  t.strictSame(await all('after=1000000&until=2000000'), [])
  t.strictSame(await all('after=20&until=10'), [])
  t.strictSame(
    await all('stream=oreshnik&limit=2'),
    where(({ stream }) => stream === 'oreshnik'),
  )
  t.strictSame(
    await all('stream=$register&limit=10'),
    where(({ stream }) => stream === '$register'),
  )
  t.strictSame(
    await all('type=DeliveryReported&limit=3'),
    where(({ type }) => type === 'DeliveryReported'),
  )
  t.strictSame(
    await all('stream=oreshnik&stream=gas-market&type=CommitmentMade&type=ForecastReported&limit=1'),
    where(({ stream, type }) => /oreshnik|gas-market/.test(stream) && /CommitmentMade|ForecastReported/.test(type)),
  )
  t.strictSame(await all('stream=nothing'), [])
})

t.test('a feed that is asked for what it cannot mean is refused', async (t) => {
  for (const [query, pointer] of [
    ['after=-2', '/after'],
    ['after=x', '/after'],
    ['until=-1', '/until'],
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['stream=Upper', '/stream/0'],
    ['type=BridgeBuilt', '/type/0'],
  ]) {
    await isProblem(t, service.get(`${FEED}?${query}`), 400, 'malformed', pointer as string)
  }
})

t.test('as NDJSON the feed is whole, a line an event as it is answered', async (t) => {
  const answer = await service.get(FEED, { accept: 'application/x-ndjson' })
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], 'application/x-ndjson; charset=utf-8')
  const { body } = await service.get(`${FEED}?limit=1000`)
  t.strictSame(
    answer.text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
    body.items,
  )
  const narrowed = await service.get(`${FEED}?after=9&until=19&type=SourceAdded`, { accept: 'application/x-ndjson' })
  t.strictSame(
    places(
      narrowed.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ),
    where(({ position, type }) => position > 9 && position <= 19 && type === 'SourceAdded'),
  )
})

t.test('one event is read by its position', async (t) => {
  const { body } = await service.get(`${FEED}?limit=1000`)
  const one = await service.get(`${FEED}/12`)
  t.strictSame([one.status, one.body], [200, body.items[12]])
  for (const position of [SIZE, '-1', '1.5', 'x', '9'.repeat(30), '%00']) {
    await isProblem(t, service.get(`${FEED}/${position}`), 404, 'not-known')
  }
  await isProblem(t, service.get('/v1/registers/nothing/events/0'), 404, 'unknown-register')
})

t.test('a representation that a resource does not have is refused', async (t) => {
  await isProblem(t, service.get(FEED, { accept: 'text/csv' }), 406, 'not-acceptable')
  const commitments = '/v1/registers/union-state/commitments'
  await isProblem(t, service.get(commitments, { accept: 'application/x-ndjson' }), 406, 'not-acceptable')
  await isProblem(t, service.get(`${commitments}/oreshnik`, { accept: 'text/csv' }), 406, 'not-acceptable')
  await isProblem(t, service.get('/v1/registers', { accept: 'application/json;q=0' }), 406, 'not-acceptable')
  for (const accept of ['*/*', 'application/*', 'text/html, */*;q=0.1', 'application/json;q=0.5, text/csv;q=0.4']) {
    const { status, headers } = await service.get(commitments, { accept })
    t.strictSame([status, headers['content-type']], [200, 'application/json; charset=utf-8'], accept)
  }
  const csv = await service.get(commitments, { accept: 'application/json;q=0.4, text/csv;q=0.5' })
  t.match(csv.headers['content-type'], /^text\/csv;/)
})

async function call(method: string, url: string): Promise<Answer> {
  const response = await service.app.inject({ method: method as 'GET', url })
  const body = response.payload === '' ? null : response.json()
  return { status: response.statusCode, headers: response.headers, body, text: response.payload }
}

t.test('HEAD answers as GET, without a body', async (t) => {
  for (const path of ['/v1/registers', '/v1/registers/union-state', `${FEED}/0`, '/v1/registers/union-state/summary']) {
    const [head, get] = [await call('HEAD', path), await service.get(path)]
    t.strictSame([head.status, head.text, head.headers.etag], [200, '', get.headers.etag], path)
  }
  t.equal((await call('HEAD', '/v1/registers/nothing')).status, 404)
})

t.test('an address that is none is an unknown route', async (t) => {
  for (const path of [
    '/nothing',
    '/v1',
    '/v1/',
    '/v1/registers/union-state/',
    '/v1/registers/union-state/nothing',
    '//',
    '/V1/registers',
    `${FEED}/1/proof/0`,
    '/v1/registers/union-state/tile',
  ]) {
    const answer = service.get(path)
    await isProblem(t, answer, 404, 'unknown-route')
    t.equal((await answer).body.instance, path)
  }
  await isProblem(t, call('POST', '/nothing'), 404, 'unknown-route')
  await isProblem(t, call('DELETE', '/nothing'), 404, 'unknown-route')
})

t.test('a method that a resource does not have is refused with those that it has', async (t) => {
  for (const [method, path, allow] of [
    ['DELETE', '/v1/registers/union-state', 'GET, HEAD'],
    ['PUT', '/v1/registers', 'GET, HEAD, POST'],
    ['PATCH', FEED, 'GET, HEAD, POST'],
    ['POST', `${FEED}/1`, 'GET, HEAD'],
    ['DELETE', '/v1/registers/union-state/commitments/oreshnik', 'GET, HEAD'],
    ['OPTIONS', '/v1/registers/union-state/summary', 'GET, HEAD'],
    ['POST', '/livez', 'GET, HEAD'],
  ] as const) {
    const answer = await call(method, path)
    t.strictSame(problem(answer), { status: 405, type: '/problems/method', pointers: [] }, `${method} ${path}`)
    t.strictSame(String(answer.headers.allow).split(', ').sort(), allow.split(', '), `${method} ${path}`)
  }
})

t.test('an address that cannot be decoded is malformed', async (t) => {
  for (const path of [
    '/%',
    '/v1/registers/%E0%A4%A',
    '/v1/registers/union-state/commitments/%zz',
    '/v1/registers/%C3%28',
  ]) {
    await isProblem(t, service.get(path), 400, 'malformed')
  }
  const { status, body } = await service.get('/v1/registers/union-state/commitments?q=%E0%A4%A')
  t.ok(status === 200 || body.type === '/problems/malformed', 'a parameter is text as it can be read, or malformed')
})

/** What the service answers to bytes that are sent to it as they are. */
async function raw(bytes: string): Promise<{ head: string; body: string }> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(bytes)
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) text += chunk
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { head, body }
}

t.test('what is not HTTP is answered with a problem, and the connection is closed', async (t) => {
  for (const bytes of [
    'nonsense\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    '\u0016\u0003\u0001\u0000\u00a5\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
  ]) {
    const { head, body } = await raw(bytes)
    t.match(head, /^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json; charset=utf-8\r\n/)
    t.match(head, /\r\nConnection: close$/)
    const { type, status } = JSON.parse(body)
    t.strictSame([type, status], ['/problems/malformed', 400], JSON.stringify(bytes))
  }
  const { head, body } = await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`)
  t.match(head, /^HTTP\/1\.1 4\d\d /)
  t.match(head, /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/)
  t.equal(JSON.parse(body).type, '/problems/header-too-large')
  t.equal((await service.get('/livez')).status, 200)
})

t.test('a body that grows too large on the way is refused', async (t) => {
  await openDemo(service)
  const sending = request({ port, host: '127.0.0.1', path: '/v1/registers/demo/events', method: 'POST' })
  sending.setHeader('content-type', 'application/json')
  sending.on('error', () => {})
  // Without a Content-Length: only counting shows it.
  for (let sent = 0; sent < 2_097_152; sent += 65_536) sending.write(' '.repeat(65_536))
  sending.end()
  const [response] = await once(sending, 'response')
  t.equal(response.statusCode, 413)
  t.equal(response.headers['content-type'], 'application/problem+json; charset=utf-8')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  t.equal(JSON.parse(text).type, '/problems/too-large')
  t.equal(await service.size('demo'), 4)
})

t.test('a problem says nothing of the query, and is not stored', async (t) => {
  const { body, headers } = await service.get('/v1/registers/nothing?secret=1')
  t.strictSame(body, {
    type: '/problems/malformed',
    title: problemTitle('malformed'),
    status: 400,
    instance: '/v1/registers/nothing',
    detail: 'parameter secret: there is no such parameter',
    errors: [{ pointer: '/secret', detail: 'there is no such parameter' }],
  })
  t.equal(headers['cache-control'], 'no-store')
})

t.test('the type of every problem is an address that explains it', async (t) => {
  for (const word of PROBLEM_WORDS) {
    const { status, body } = await service.get(problemType(word))
    t.equal(status, 200)
    t.strictSame(body, { type: `/problems/${word}`, title: problemTitle(word), status: problemStatus(word) })
  }
  await isProblem(t, service.get('/problems/nothing'), 404, 'unknown-route')
})

t.test('the service says whether it lives and is ready', async (t) => {
  t.strictSame((await service.get('/livez')).body, { status: 'live' })
  await service.get(`/v1/registers/union-state/commitments?minSize=${SIZE}`)
  const { status, body, headers } = await service.get('/readyz')
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.equal(body.status, 'ready')
  t.strictSame(
    body.projections.find(({ register }: { register: string }) => register === 'union-state'),
    {
      projection: 'commitments',
      register: 'union-state',
      status: 'caughtUp',
      version: 1,
      generation: 0,
      size: SIZE,
      building: null,
      behindEvents: 0,
      behindSeconds: 0,
      stopped: null,
    },
  )
})

t.test('while its database is away the service lives, refuses with when to retry, and then goes on', async (t) => {
  const { address, close, reopen } = await gate(t, await testDatabaseUrl(t))
  const db = openDatabase({ connectionString: address })
  t.teardown(() => db.destroy())
  const registers = createRegisters()
  const recorder = createRecorder(db, registers, { now: Date.now })
  const heads = createRegisterHeads(db)
  t.teardown(heads.stop)
  const context = { access: noAccessControl(db), db, registers, heads, recorder, now: Date.now, wake: () => {} }
  const app = await buildApp(context, pino({ level: 'silent' }))
  t.teardown(() => app.close())
  const open = (id: string) => app.inject({ method: 'POST', url: '/v1/registers', payload: { id, ...OPENED } })
  t.equal((await open('before')).statusCode, 201)
  await close()
  t.equal((await app.inject('/livez')).statusCode, 200)
  const refused = ['/readyz', '/v1/registers', '/v1/registers/before', '/v1/registers/before/events']
  for (const answer of [await open('meanwhile'), ...(await Promise.all(refused.map((path) => app.inject(path))))]) {
    t.strictSame([answer.statusCode, answer.json().type], [503, '/problems/database-unavailable'])
    t.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8')
    t.equal(answer.headers['retry-after'], '1')
  }
  await reopen()
  t.equal((await open('after')).statusCode, 201)
  const { items } = (await app.inject('/v1/registers')).json()
  t.strictSame(
    items.map(({ id }: { id: string }) => id),
    ['after', 'before'],
  )
})

t.test('a projection that has stopped leaves the service ready, degraded, and names the event', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  await service.get('/v1/registers/demo/commitments?minSize=4')
  await service.runner.stop()
  const stopped = 'event 3 cannot be read'
  await service.db.updateTable('projection_progress').set({ stopped_at: 3, stopped_because: stopped }).execute()
  const answer = await service.get('/readyz')
  t.strictSame([answer.status, answer.body.status], [200, 'degraded'])
  t.equal(answer.body.detail, `commitments of demo has stopped: ${stopped}`)
  const { status, body, headers } = await service.get('/v1/projections')
  t.strictSame([status, headers['cache-control'], headers.etag], [200, 'no-store', undefined])
  t.strictSame(body.items, answer.body.projections)
  const [{ status: word, stopped: event }] = body.items
  const { id, type } = (await service.get('/v1/registers/demo/events/3')).body
  t.strictSame([word, event], ['stopped', { position: 3, id, type, reason: stopped }])
})

t.test('a service is ready while a projection is behind, and not while one has no rows to answer from', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  await service.get('/v1/registers/demo/commitments?minSize=4')
  await service.get('/v1/registers/demo/summary?minSize=4')
  await service.runner.stop()
  const isReady = async () => (await service.get('/readyz')).status === 200
  const { db, clock } = service
  await db.updateTable('projection_progress').set({ size: 1 }).execute()
  t.equal(await isReady(), true, 'behind: answers say so')
  await db
    .updateTable('projection_progress')
    .set({ size: 0, building: 2 })
    .where('projection', '=', 'periods')
    .execute()
  t.equal(await isReady(), false, 'rows of this version are being built')
  await db
    .updateTable('projection_progress')
    .set({ size: 1, building: null })
    .where('projection', '=', 'periods')
    .execute()
  t.equal(await isReady(), true)
  await db.deleteFrom('projection_progress').where('projection', '=', 'periods').execute()
  t.equal(await isReady(), true, 'a register that has just been opened is projected in a moment')
  clock.now += 10_000
  t.equal(await isReady(), false, 'not started')
})

t.test('the digest of a projection is told at a size, one at a time, and never kept', async (t) => {
  const path = (projection: string, query = '') => `/v1/registers/union-state/projections/${projection}/digest${query}`
  await service.get(`/v1/registers/union-state/commitments?minSize=${SIZE}`)
  await service.get(`/v1/registers/union-state/summary?minSize=${SIZE}`)
  const { status, body, headers } = await service.get(path('periods'))
  t.strictSame([status, headers['cache-control'], headers.etag], [200, 'no-store', undefined])
  const { sha256, rows, version, ...rest } = body
  t.strictSame(rest, { projection: 'periods', register: 'union-state', size: SIZE })
  t.match(sha256, /^[0-9a-f]{64}$/)
  t.strictSame((await service.get(path('periods', `?size=${SIZE}`))).body, body)
  const earlier = (await service.get(path('periods', '?size=40'))).body
  t.equal(earlier.size, 40)
  t.not(earlier.sha256, sha256)
  t.ok(earlier.rows < rows)
  t.ok((await service.get(path('commitments', '?size=40'))).body.rows > 0, 'folded from the log')
  await isProblem(t, service.get(path('periods', `?size=${SIZE + 1}`)), 400, 'beyond-knowledge')
  await isProblem(t, service.get(path('periods', '?size=x')), 400, 'malformed', '/size')
  await isProblem(t, service.get(path('figures')), 404, 'not-known')
  await isProblem(t, service.get('/v1/registers/none/projections/periods/digest'), 404, 'unknown-register')
  const first = await service.db.transaction().execute(async (tx) => {
    await sql`lock table commitment`.execute(tx)
    const waiting = service.get(path('commitments'))
    await until('the first is at work', async () => {
      const { rows } = await sql`select from pg_locks l join pg_stat_activity a using (pid)
        where not l.granted and a.datname = current_database()`.execute(tx)
      return rows.length > 0
    })
    const refused = await service.get(path('periods'))
    t.strictSame(
      [refused.status, refused.body.type, refused.headers['retry-after']],
      [503, '/problems/queue-full', '5'],
    )
    return { waiting }
  })
  t.equal((await first.waiting).status, 200)
  t.equal((await service.get(path('tallies'))).status, 200, 'the next one is free again')
})

t.test('the API is described, and every route of it is in the description', async (t) => {
  const { status, body } = await service.get('/openapi.json')
  t.equal(status, 200)
  t.match(body.openapi, /^3\.1\./)
  for (const path of [
    '/v1/registers',
    '/v1/registers/{register}',
    '/v1/registers/{register}/events',
    '/v1/registers/{register}/events/{position}',
    '/v1/registers/{register}/commitments',
    '/v1/registers/{register}/commitments/{commitment}',
    '/v1/registers/{register}/commitments/{commitment}/timeline',
    '/v1/registers/{register}/commitments/{commitment}/events',
    '/v1/registers/{register}/summary',
    '/v1/registers/{register}/sources',
    '/v1/registers/{register}/programmes',
    '/v1/registers/{register}/projections/{projection}/digest',
    '/v1/projections',
    '/livez',
    '/readyz',
    '/metrics',
  ]) {
    t.ok(body.paths[path], path)
  }
  const page = await service.get('/docs/')
  t.strictSame([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8'])
  t.ok([200, 302].includes((await service.get('/docs')).status))
})

t.test('a recording is seen by a reader who waits for it as soon as it can be', async (t) => {
  const waits: { recordedMs: number; seenMs: number }[] = []
  for (let index = 0; index < 5; index += 1) {
    await service.get('/v1/registers/demo/commitments?minSize=4')
    const began = performance.now()
    const { body } = await service.post('/v1/registers/demo/events', [
      made(`seen-${index}`),
      posted(`seen-${index}`, 'DeliveryReported', '2026-01-02'),
    ])
    const recorded = performance.now()
    const { body: read } = await service.get(`/v1/registers/demo/commitments?minSize=${body.size}`)
    waits.push({ recordedMs: recorded - began, seenMs: performance.now() - recorded })
    t.equal(read.items.length, index + 2)
  }
  // One of them: on a busy machine any may take its time, as the recording itself does.
  const isSoon = waits.some(({ recordedMs, seenMs }) => seenMs < Math.max(200, 10 * recordedMs))
  t.ok(isSoon, `seen after ${waits.map(({ seenMs }) => Math.round(seenMs)).join(', ')} ms`)
})

t.test(
  'openapi.json asks only for parameters of the path and for where a span begins, and says of lines that they are text',
  async (t) => {
    const { body } = await service.get('/openapi.json')
    const operations = Object.values(body.paths).flatMap((path) => Object.values(path as Record<string, Operation>))
    const required = operations.flatMap(({ parameters = [] }) => parameters.filter((parameter) => parameter.required))
    const asked = required.filter((parameter) => parameter.in !== 'path').map(({ in: where, name }) => [where, name])
    // A series has no span of its own, and consistency is always with what somebody has.
    t.strictSame(asked, [
      ['query', 'from'],
      ['query', 'to'],
      ['query', 'first'],
    ])
    const { content } = body.paths['/v1/registers/{register}/events'].post.requestBody
    t.equal(content['application/x-ndjson'].schema.type, 'string')
  },
)

type Operation = { parameters?: { in: string; name: string; required: boolean }[] }

t.test('the list of registers has an ETag that changes with every event', async (t) => {
  const first = await service.get('/v1/registers')
  const etag = String(first.headers.etag)
  t.equal((await service.get('/v1/registers', { 'if-none-match': etag })).status, 304)
  const opened = { id: `etag-${Date.now()}`, title: 'New', parties: [], timeZone: 'UTC' }
  t.equal((await service.post('/v1/registers', opened)).status, 201)
  t.equal((await service.get('/v1/registers', { 'if-none-match': etag })).status, 200)
})

// What every answer says to browsers, who may ask from where, and how often.

import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import t from 'tap'
import { Problem } from '../../src/http/server/problem.ts'
import { countRates, type RateLimit } from '../../src/http/server/rates.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { openDemo, problem } from '../support/register.ts'
import { testService } from '../support/service.ts'
import { listenTo, open } from '../support/sockets.ts'

const ORIGIN = 'https://dashboard.example.org'
/** Its clock stands still, however slow the machine is. */
const LIMIT = { perMinute: 5, isEnforced: true, now: () => 0 }
const DEMO = '/v1/registers/demo'

t.test('every answer says what browsers may do with it, whatever its status', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  for (const path of ['/livez', DEMO, '/v1/registers/none', '/nothing', '/docs/', '/openapi.json', '/']) {
    const { headers } = await service.get(path)
    const policy = String(headers['content-security-policy'])
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]) {
      t.ok(policy.includes(rule), `${path}: ${rule}`)
    }
    t.notMatch(policy, /unsafe/)
    t.match(headers, {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
    })
    t.equal(headers['strict-transport-security'], undefined, 'nobody said that TLS is in front')
    t.equal(headers['access-control-allow-origin'], undefined)
    t.equal(headers['x-powered-by'], undefined)
  }
})

t.test('behind proxies that are named, HSTS is said, and they say who asks', async (t) => {
  const service = await testService(t, '2026-03-01', { trustProxy: ['10.0.0.0/8'], rateLimit: LIMIT })
  const ask = async (remoteAddress: string, forwarded: string) => {
    const headers = { 'x-forwarded-for': forwarded }
    const { headers: said } = await service.app.inject({ url: '/livez', remoteAddress, headers })
    t.equal(said['strict-transport-security'], 'max-age=31536000; includeSubDomains')
    return said.ratelimit
  }
  t.equal(await ask('10.0.0.1', '192.0.2.7'), '"default";r=4;t=60')
  t.equal(await ask('10.0.0.2', '192.0.2.7'), '"default";r=3;t=60', 'the same through another proxy')
  t.equal(await ask('10.0.0.2', '192.0.2.8'), '"default";r=4;t=60', 'another')
  t.equal(
    await ask('10.0.0.2', '192.0.2.99, 192.0.2.8'),
    '"default";r=3;t=60',
    'what the client claims is not believed',
  )
  t.equal(await ask('192.0.2.50', '192.0.2.7'), '"default";r=4;t=60', 'nor what is no proxy')
  t.equal(await ask('192.0.2.50', '192.0.2.60'), '"default";r=3;t=60')
  t.equal(await ask('2001:db8:1:2::1', ''), '"default";r=4;t=60')
  t.equal(await ask('2001:db8:1:2:ffff::9', ''), '"default";r=3;t=60', 'one network of IPv6 is one caller')
})

t.test('only pages of origins that are named are let read', async (t) => {
  const service = await testService(t, '2026-03-01', { corsOrigins: [ORIGIN, 'http://localhost:3000'] })
  await openDemo(service)
  const first = await service.get(DEMO, { origin: ORIGIN })
  t.equal(first.headers['access-control-allow-origin'], ORIGIN)
  t.equal(first.headers['access-control-allow-credentials'], undefined)
  t.equal(first.headers.vary, 'Origin, Accept')
  for (const name of ['ETag', 'Link', 'Location', 'Pledger-Size', 'RateLimit', 'RateLimit-Policy']) {
    t.ok(String(first.headers['access-control-expose-headers']).split(', ').includes(name), name)
  }
  const polled = await service.get(DEMO, { origin: ORIGIN, 'if-none-match': String(first.headers.etag) })
  t.strictSame(
    [polled.status, polled.headers['access-control-allow-origin'], polled.headers.vary],
    [304, ORIGIN, 'Origin, Accept'],
  )
  for (const origin of [
    'https://evil.example',
    'https://dashboard.example.org.evil.example',
    'null',
    `${ORIGIN}:8443`,
  ]) {
    const { status, headers } = await service.get(DEMO, { origin })
    t.strictSame([status, headers['access-control-allow-origin']], [200, undefined], origin)
  }
  const preflight = {
    origin: ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type',
  }
  const allowed = await service.app.inject({ method: 'OPTIONS', url: `${DEMO}/events`, headers: preflight })
  t.strictSame(
    [
      allowed.statusCode,
      allowed.headers['access-control-allow-methods'],
      allowed.headers['access-control-allow-headers'],
    ],
    [204, 'GET, HEAD, POST', 'authorization,content-type'],
  )
  t.strictSame(problem(await service.get('/nothing')), { status: 404, type: '/problems/unknown-route', pointers: [] })
})

t.test('a caller who asks too often is refused, and told when to come again', async (t) => {
  const service = await testService(t, '2026-03-01', { rateLimit: LIMIT })
  const statuses: number[] = []
  for (let count = 0; count < 7; count += 1) {
    const { status, headers } = await service.get('/livez')
    statuses.push(status)
    t.equal(headers['ratelimit-policy'], '"default";q=5;w=60')
    t.equal(headers.ratelimit, `"default";r=${Math.max(0, 4 - count)};t=60`)
    t.equal(headers['retry-after'], status === 429 ? '60' : undefined)
  }
  t.strictSame(statuses, [200, 200, 200, 200, 200, 429, 429])
  t.strictSame(problem(await service.get(DEMO)), { status: 429, type: '/problems/rate-limited', pointers: [] })
  const other = await service.app.inject({ url: '/livez', remoteAddress: '192.0.2.1' })
  t.equal(other.statusCode, 200, 'others are not')
})

t.test('what is left of the minute is told in whole seconds, rounded up, and never more than the minute', async (t) => {
  // Of this one (x + 60000) - x is more than 60000.
  const began = 6_819.818773731045
  const clock = { now: began }
  const rateLimit = { perMinute: 1, isEnforced: true, now: () => clock.now }
  const service = await testService(t, '2026-03-01', { rateLimit })
  const told = async (afterMs: number) => {
    clock.now = began + afterMs
    const { status, headers } = await service.get('/livez')
    return [status, headers.ratelimit, headers['retry-after']]
  }
  t.strictSame(await told(0), [200, '"default";r=0;t=60', undefined])
  t.strictSame(await told(0), [429, '"default";r=0;t=60', '60'])
  t.strictSame(await told(999), [429, '"default";r=0;t=60', '60'])
  t.strictSame(await told(1_000), [429, '"default";r=0;t=59', '59'])
  t.strictSame(await told(59_999), [429, '"default";r=0;t=1', '1'])
  t.strictSame(await told(60_000), [200, '"default";r=0;t=60', undefined], 'a new minute')
})

t.test('an answer 304 does not count, and what only might have been one does', async (t) => {
  const service = await testService(t, '2026-03-01', { rateLimit: { ...LIMIT, perMinute: 8 } })
  await openDemo(service)
  const { headers } = await service.get(DEMO)
  const etag = String(headers.etag)
  const before = Number(/r=(\d+)/.exec(String(headers.ratelimit))?.[1])
  for (let count = 0; count < 30; count += 1) t.equal((await service.get(DEMO, { 'if-none-match': etag })).status, 304)
  for (let count = 0; count < 30; count += 1)
    t.equal((await service.get(DEMO, { 'if-none-match': `"x", ${etag}` })).status, 304)
  for (let count = 0; count < before; count += 1)
    t.equal((await service.get(DEMO, { 'if-none-match': '"x"' })).status, 200)
  t.equal((await service.get(DEMO, { 'if-none-match': '"x"' })).status, 429)
})

t.test('where nothing is enforced what is left is told, and 0 tells nothing', async (t) => {
  const told = await testService(t, '2026-03-01', { rateLimit: { ...LIMIT, perMinute: 2, isEnforced: false } })
  for (let count = 0; count < 5; count += 1) t.equal((await told.get('/livez')).status, 200)
  t.match((await told.get('/livez')).headers.ratelimit, /^"default";r=0;t=/)
  const off = await testService(t, '2026-03-01', { rateLimit: { perMinute: 0, isEnforced: true } })
  const { status, headers } = await off.get('/livez')
  t.strictSame([status, headers.ratelimit, headers['ratelimit-policy']], [200, undefined, undefined])
})

/** A service of nothing but a limit and a lock: who has the key `good` is `somebody`. */
async function lockedService(limit: RateLimit) {
  const app: FastifyInstance = fastify()
  const { limitFailures, limitCallers } = countRates(limit)
  let looks = 0
  limitFailures(app, () => false)
  app.addHook('onRequest', async (request) => {
    looks += 1
    if (request.headers.authorization !== 'good') throw new Problem('unauthorized')
    Object.assign(request, { caller: { id: 'somebody' } })
  })
  limitCallers(app)
  app.setErrorHandler((error, _request, reply) =>
    reply.code(error instanceof Problem && error.word === 'rate-limited' ? 429 : 401).send(),
  )
  app.get('/', async () => '')
  const ask = async (authorization: string, remoteAddress: string) =>
    (await app.inject({ url: '/', headers: { authorization }, remoteAddress })).statusCode
  return { app, ask, looks: () => looks }
}

t.test(
  'wrong credentials are counted by address, and then not even looked at; right ones by whom they name',
  async (t) => {
    const { app, ask, looks } = await lockedService(LIMIT)
    t.teardown(() => app.close())
    for (let count = 0; count < 5; count += 1) t.equal(await ask(`bad-${count}`, '192.0.2.1'), 401)
    t.strictSame([await ask('bad', '192.0.2.1'), looks()], [429, 5])
    t.equal(await ask('bad', '192.0.2.2'), 401)
    const found: number[] = []
    for (let count = 0; count < 6; count += 1) found.push(await ask('good', `192.0.2.${10 + count}`))
    t.strictSame(found, [200, 200, 200, 200, 200, 429], 'from whatever address')
  },
)

t.test('who sends a header or a body too slowly is cut off, and told why', async (t) => {
  const patience = { headersMs: 300, bodyMs: 400, silentMs: PATIENCE_MS }
  const service = await testService(t, '2026-03-01', { patience })
  await openDemo(service)
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  // Safe: a TCP server has an address of this kind.
  const { port } = service.app.server.address() as AddressInfo
  const slowly = async (begin: string, bit: string) => {
    const socket = await open(port)
    const all = listenTo(socket)
    socket.write(begin)
    const drip = setInterval(() => socket.write(bit), 50)
    const { statuses, text } = await all
    clearInterval(drip)
    return [statuses, /"type":"([^"]+)"/.exec(text)?.[1]]
  }
  const slow = [[408], '/problems/slow-request']
  const post = (type: string, path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: 100000\r\n\r\n`
  t.strictSame(await slowly('GET /livez HTTP/1.1\r\nHost: localhost\r\n', 'a:b\r\n'), slow)
  t.strictSame(await slowly(post('application/json', '/v1/registers'), ' '), slow)
  t.strictSame(await slowly(post('application/x-ndjson', `${DEMO}/events`), '\n'), slow)
  t.equal((await service.get('/livez')).status, 200)
})

t.test('an import may take as long as it does, as long as it keeps coming', async (t) => {
  const service = await testService(t, '2026-03-01', {
    patience: { headersMs: 1_000, bodyMs: 1_500, silentMs: PATIENCE_MS },
  })
  await openDemo(service)
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  // Safe: a TCP server has an address of this kind.
  const { port } = service.app.server.address() as AddressInfo
  const socket = await open(port)
  const all = listenTo(socket)
  const piece = `${' '.repeat(999)}\n`
  const head = `Host: localhost\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\nContent-Length: ${30 * piece.length}\r\n`
  socket.write(`POST ${DEMO}/events HTTP/1.1\r\n${head}\r\n`)
  for (let count = 0; count < 30; count += 1) {
    socket.write(piece)
    await sleep(80)
  }
  t.strictSame((await all).statuses, [200])
})

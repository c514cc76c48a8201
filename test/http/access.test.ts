// Who gets what: every operation of openapi.json for every role, of a register of their own, one of others, one that is public and
// one that is not there; then tokens, JWTs and what is kept of reads.

import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import { exportJWK, SignJWT } from 'jose'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { AccessOptions } from '../../src/access/access.ts'
import { ALL_REGISTERS, type Grant, ROLES, type Role } from '../../src/access/grants.ts'
import { forgetPrincipal, listPrincipals } from '../../src/access/principals.ts'
import { setPublic } from '../../src/access/public-registers.ts'
import { createToken, listTokens, revokeToken } from '../../src/access/tokens.ts'
import { guard } from '../../src/http/server/access.ts'
import { sealAll, sealOf } from '../../src/integrity/sealing/sealer.ts'
import { beginReplay, replayed } from '../../src/projections/replay/begin.ts'
import { cancelReplay } from '../../src/projections/replay/end.ts'
import { noAccessControl } from '../support/access.ts'
import { testDatabase } from '../support/database.ts'
import { made, NDJSON, OPENED, posted, uuid } from '../support/register.ts'
import { secretIn } from '../support/secrets.ts'
import { type Answer, noon, type TestService, testService } from '../support/service.ts'

const TODAY = '2026-03-01'
const DAY_MS = 86_400_000

type Asking = (method: string, url: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>

/** What asks with these credentials, or with none. */
function asking(service: TestService, credentials: string | null): Asking {
  const authorization: Record<string, string> = credentials === null ? {} : { authorization: `Bearer ${credentials}` }
  return async (method, url, body, headers = {}) => {
    const all = { ...authorization, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers }
    const payload = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await service.app.inject({
      method: method as 'GET',
      url,
      headers: all,
      ...(body !== undefined && { payload: payload as string }),
    })
    const isJson =
      /json/.test(String(answer.headers['content-type'])) && !/ndjson/.test(String(answer.headers['content-type']))
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: isJson ? answer.json() : answer.payload,
      text: answer.payload,
    }
  }
}

function newToken({ db, clock: { now } }: TestService, ...grants: Grant[]): Promise<{ id: string; text: string }> {
  return createToken(db, { name: 'Test', grants, expiresAt: now + DAY_MS, now })
}

async function token(service: TestService, ...grants: Grant[]): Promise<string> {
  return (await newToken(service, ...grants)).text
}

const everywhere = (...roles: Role[]): Grant[] => roles.map((role) => ({ role, register: ALL_REGISTERS }))

/** A service with registers `own`, `foreign` and `open` (public), sealed and projected. */
async function guarded(t: Test, access: Partial<AccessOptions> = {}) {
  const service = await testService(t, TODAY, { access: { mode: 'tokens', ...access } })
  // Before anything is asked, so that it need not be noticed first.
  await setPublic(service.db, 'open', true, service.clock.now)
  const root = asking(service, await token(service, ...everywhere('admin', 'recorder', 'operator')))
  const { privateKey } = generateKeyPairSync('ed25519')
  for (const register of ['own', 'foreign', 'open']) {
    t.equal((await root('POST', '/v1/registers', { id: register, ...OPENED })).status, 201)
    const events = [made('bridge'), made('road')]
    t.equal((await root('POST', `/v1/registers/${register}/events`, events)).status, 201)
    const seal = sealOf(register, { origin: 'o.test', keys: [privateKey], now: Date.now })
    t.equal(await sealAll(service.db, register, seal), 3)
    t.equal((await root('GET', `/v1/registers/${register}/summary?minSize=3`)).status, 200)
  }
  return { service, root }
}

type Operation = { 'x-permission': string }
type Document = { paths: Record<string, Record<string, Operation>> }

async function operations(): Promise<{ method: string; path: string; permission: string }[]> {
  const text = await readFile(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')
  return Object.entries((JSON.parse(text) as Document).paths).flatMap(([path, all]) =>
    Object.entries(all).map(([method, one]) => ({
      method: method.toUpperCase(),
      path,
      permission: one['x-permission'],
    })),
  )
}

/** What each role may do (docs/access.md#roles). */
const MAY: Record<Role, string[]> = {
  auditor: ['read'],
  recorder: ['read', 'record'],
  operator: ['read', 'operate', 'redact'],
  admin: ['read', 'administer'],
}

/** A request that is right but for who sends it. */
function requestFor(method: string, path: string, register: string, number: number): [url: string, body?: unknown] {
  const url = path
    .replace('{register}', register)
    .replace('{position}', '1')
    .replace('{commitment}', 'road')
    .replace('{projection}', 'commitments')
    .replace('{level}', '0')
    .replace('{rest}', '000.p/3')
    .replace('{word}', 'malformed')
    .replace('{name}', 'commitments')
  if (path.endsWith('/summary/series')) return [`${url}?from=2026-01-01&to=2026-02-01&step=month`]
  if (path.endsWith('/summary/difference')) return [`${url}?from=1&to=2`]
  if (path.endsWith('/consistency')) return [`${url}?first=3&second=3`]
  if (path === '/v1/registers' && method === 'POST') return [url, { id: register, ...OPENED }]
  if (path.endsWith('/redact')) return [url.replace('/1/', '/999/'), { reason: 'r' }]
  if (path.endsWith('/events') && method === 'POST') return [url, made(`c-${number}`)]
  if (path.endsWith('/replay')) return [url, { register }]
  return [url]
}

t.test('every operation, for every role, of every kind of register', async (t) => {
  const { service, root } = await guarded(t)
  const callers: { role: Role | null; ask: Asking }[] = [{ role: null, ask: asking(service, null) }]
  for (const role of ROLES)
    callers.push({ role, ask: asking(service, await token(service, { role, register: 'own' })) })
  const differences: string[] = []
  const all = await operations()
  const seen = new Set<string>()
  let asked = 0
  for (const { method, path, permission } of all) {
    if (path.startsWith('/v1/operations/')) continue // below: they have to be there
    for (const { role, ask } of callers) {
      for (const register of ['own', 'foreign', 'open', 'absent']) {
        asked += 1
        const [url, body] = requestFor(method, path, register, asked)
        const { status, body: answer, headers } = await ask(method, url, body)
        await cancelAll(service)
        const wanted = expected(permission, role, register, path)
        const given = wanted === 'passes' ? (status === 401 || status === 403 ? String(status) : 'passes') : status
        if (given !== wanted)
          differences.push(
            `${role} ${method} ${url}: ${status} instead of ${wanted} ${JSON.stringify(answer).slice(0, 200)}`,
          )
        if (status === 401) t.match(headers['www-authenticate'], /^Bearer realm="pledger"/)
        if (status === 404 && register === 'foreign' && wanted === 404)
          t.strictSame(
            JSON.stringify(answer).replaceAll('foreign', 'absent'),
            JSON.stringify((await ask(method, ...requestFor(method, path, 'absent', asked))).body),
            'as if it were not there',
          )
        const isPublic = permission === 'open' || path === '/readyz' || (register === 'open' && status < 400)
        if (path.includes('{register}') && !isPublic)
          t.equal(headers['cache-control'], 'no-store', `${role} ${url} ${status}`)
        seen.add(`${status}`)
      }
    }
  }
  t.strictSame(differences, [])
  t.equal(asked, (all.length - 2) * 5 * 4)
  t.strictSame([...seen].filter((status) => ['200', '201', '401', '403', '404'].includes(status)).sort(), [
    '200',
    '201',
    '401',
    '403',
    '404',
  ])
  t.equal((await root('GET', '/v1/registers/foreign')).body.size, 3, 'nobody wrote where they may not')
})

async function cancelAll({ db }: TestService): Promise<void> {
  const { rows } = await sql<{ id: string }>`select id from operation where finished_at is null`.execute(db)
  for (const { id } of rows) await cancelReplay(db, id)
}

/** The status, or that the request gets past the checks, whatever the route says then. */
function expected(permission: string, role: Role | null, register: string, path: string): number | 'passes' {
  if (permission === 'open' || permission === 'visible') return 'passes'
  if (permission === 'everything') return role === null ? 401 : 403
  const may = role !== null && register === 'own' && MAY[role].includes(permission)
  if (path === '/v1/registers') return role === null ? 401 : may ? 'passes' : 403
  if (path.endsWith('/replay')) {
    if (role === null) return 401
    if (!MAY[role].includes('operate')) return 403
    if (register === 'own') return 'passes'
    return register === 'open' ? 403 : 404
  }
  if (may) return 'passes'
  const isVisible = register === 'open' || (role !== null && register === 'own')
  if (permission === 'read' && isVisible) return 'passes'
  if (role === null) return 401
  return isVisible ? 403 : 404
}

t.test('lists, projections, readiness and operations tell of registers that the caller may see', async (t) => {
  const { service, root } = await guarded(t)
  const own = asking(service, await token(service, { role: 'operator', register: 'own' }))
  const nobody = asking(service, null)
  const names = (items: { id?: string; register?: string }[]) =>
    [...new Set(items.map(({ id, register }) => register ?? id))].sort()
  for (const [ask, wanted] of [
    [root, ['foreign', 'open', 'own']],
    [own, ['open', 'own']],
    [nobody, ['open']],
  ] as const) {
    t.strictSame(names((await ask('GET', '/v1/registers')).body.items), wanted)
    t.strictSame(names((await ask('GET', '/v1/projections')).body.items), wanted)
    const { body } = await ask('GET', '/readyz')
    t.strictSame([names(body.projections), names(body.sealing)], [wanted, wanted])
  }
  const replay = async (register: string | null) => {
    const request = { projections: replayed([]), register, maxRate: null, dropPrevious: false }
    return (await beginReplay(service.db, request)).id
  }
  for (const register of ['foreign', null]) {
    const id = await replay(register)
    const url = `/v1/operations/${id}`
    for (const [ask, method, status] of [
      [root, 'GET', 200],
      [own, 'GET', 404],
      [own, 'DELETE', 404],
      [nobody, 'GET', 404],
      [nobody, 'DELETE', 401],
    ] as const)
      t.equal((await ask(method, url)).status, status, `${method} of a replay of ${register}`)
    t.strictSame((await own('GET', '/v1/projections')).body.operations, [])
    const other = await own('POST', '/v1/projections/all/replay', { register: 'own' })
    t.match([other.status, other.body.detail], [409, 'another replay has not ended'])
    t.notOk('operation' in other.body)
    t.equal((await root('DELETE', url)).status, 200)
  }
  const id = await replay('own')
  t.equal((await own('GET', `/v1/operations/${id}`)).status, 200)
  t.equal((await own('DELETE', `/v1/operations/${id}`)).status, 200)
  t.equal((await own('POST', '/v1/projections/all/replay')).status, 403, 'all registers are not its own')
})

t.test('a poll is answered from memory only to those who may have the answer', async (t) => {
  const { service, root } = await guarded(t)
  const url = '/v1/registers/own/summary'
  const first = await root('GET', url)
  const etag = { 'if-none-match': String(first.headers.etag) }
  const again = await root('GET', url, undefined, etag)
  t.strictSame(
    [again.status, again.headers['cache-control'], first.headers['cache-control']],
    [304, 'no-store', 'no-store'],
  )
  t.equal((await asking(service, null)('GET', url, undefined, etag)).status, 401)
  const other = asking(service, await token(service, { role: 'auditor', register: 'foreign' }))
  t.equal((await other('GET', url, undefined, etag)).status, 404)
  const open = await asking(service, null)('GET', '/v1/registers/open/summary')
  t.strictSame([open.status, open.headers['cache-control']], [200, 'no-cache'])
  const tile = await asking(service, null)('GET', '/v1/registers/open/tile/0/000.p/3')
  t.strictSame([tile.status, tile.headers['cache-control']], [200, 'public, max-age=31536000, immutable'])
})

t.test('what is recorded says who recorded it, by an id whose name can be erased', async (t) => {
  const { service } = await guarded(t)
  const mine = await newToken(service, { role: 'recorder', register: 'own' })
  const ask = asking(service, mine.text)
  const id = `token:${mine.id}`
  for (const [body, headers] of [
    [made('mine'), { 'idempotency-key': 'a' }],
    [`${JSON.stringify(made('other', {}, { id: uuid(7) }))}\n`, NDJSON],
  ] as const)
    t.match((await ask('POST', '/v1/registers/own/events', body, headers)).status, /^20[01]$/)
  const { body } = await ask('GET', '/v1/registers/own/events?after=2')
  t.strictSame(
    body.items.map(({ recordedBy }: { recordedBy: string }) => recordedBy),
    [id, id],
  )
  const other = asking(service, await token(service, { role: 'recorder', register: 'own' }))
  const reused = await other('POST', '/v1/registers/own/events', made('theirs'), { 'idempotency-key': 'a' })
  t.equal(reused.status, 201, 'the keys of one caller are not those of another')
  t.match(await listPrincipals(service.db), [{}, {}, {}])
  t.equal(await forgetPrincipal(service.db, id), true)
  t.equal((await listTokens(service.db)).find((one) => `token:${one.id}` === id)?.name, null)
})

t.test('an import opens a register only for who may open one', async (t) => {
  const { service } = await guarded(t)
  const line = (register: string) =>
    `${JSON.stringify({ ...posted('$register', 'RegisterOpened', '2026-01-01', { ...OPENED, title: register }), id: uuid(9) })}\n`
  const recorder = asking(service, await token(service, { role: 'recorder', register: 'fresh' }))
  const refused = await recorder('POST', '/v1/registers/fresh/events', line('fresh'), NDJSON)
  t.match([refused.status, refused.body.type], [403, '/problems/forbidden'])
  const grants: Grant[] = [
    { role: 'recorder', register: 'fresh' },
    { role: 'admin', register: 'fresh' },
  ]
  const both = asking(service, await token(service, ...grants))
  t.equal((await both('POST', '/v1/registers/fresh/events', line('fresh'), NDJSON)).status, 200)
})

t.test('a token is told once, and what is kept of it opens nothing', async (t) => {
  const { service } = await guarded(t)
  const text = await token(service, { role: 'auditor', register: 'own' })
  t.match(text, /^pledger_[A-Za-z0-9_-]{43}$/)
  const { rows } = await sql<{ row: string }>`select row_to_json(token)::text as row from token`.execute(service.db)
  t.notOk(rows.some(({ row }) => row.includes(text) || row.includes(Buffer.from(text).toString('hex'))))
  const hash = (rows.map(({ row }) => JSON.parse(row) as { hash: string }).at(-1) as { hash: string }).hash.slice(2)
  const url = '/v1/registers/own'
  for (const wrong of [hash, `pledger_${hash}`, `${text}x`, text.slice(0, -1), text.replace('pledger_', '')]) {
    const { status, headers, text: answer } = await asking(service, wrong)('GET', url)
    t.strictSame([status, headers['www-authenticate']], [401, 'Bearer realm="pledger", error="invalid_token"'])
    t.notMatch(answer, wrong)
  }
  for (const header of ['Basic eDp5', 'Bearer', `Bearer ${text} ${text}`, `Token ${text}`, '']) {
    const answer = await service.app.inject({ method: 'GET', url, headers: { authorization: header } })
    t.equal(answer.statusCode, 401, header)
  }
  t.equal((await service.app.inject({ url: `${url}?access_token=${text}` })).statusCode, 401, 'never in an address')
})

t.test('a token ends with its day and with its revocation, open connections too', async (t) => {
  const { service } = await guarded(t)
  const address = await service.app.listen({ host: '127.0.0.1', port: 0 })
  const { id, text } = await newToken(service, { role: 'auditor', register: 'own' })
  const ask = asking(service, text)
  t.equal((await ask('GET', '/v1/registers/own')).status, 200)
  service.clock.now += DAY_MS
  t.equal((await ask('GET', '/v1/registers/own')).status, 401, 'at once, from memory')
  service.clock.now -= DAY_MS
  const followed = await fetch(`${address}/v1/registers/own/events`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${text}` },
  })
  t.equal(followed.status, 200)
  const ended = followed.text().then(
    () => 'ended',
    () => 'ended',
  )
  t.equal(await revokeToken(service.db, id, service.clock.now), true)
  t.equal(await revokeToken(service.db, 'none', service.clock.now), false)
  t.equal(await ended, 'ended')
  t.equal((await ask('GET', '/v1/registers/own')).status, 401)
  t.match(
    (await listTokens(service.db)).find((one) => one.id === id),
    { revokedAt: service.clock.now },
  )
})

t.test('without access control only names of this machine lead in', async (t) => {
  const service = await testService(t, TODAY)
  for (const [host, status] of [
    ['localhost:4180', 200],
    ['127.0.0.1', 200],
    ['[::1]:80', 200],
    ['evil.example', 403],
    ['localhost.evil.example', 403],
    ['127.0.0.1.evil.example:4180', 403],
  ] as const)
    t.equal((await service.get('/v1/registers', { host })).status, status, host)
})

t.test('what is read is kept, before it is answered', async (t) => {
  const { service, root } = await guarded(t, { recordReads: true })
  await sql`alter table read_record disable trigger all`.execute(service.db)
  await sql`delete from read_record`.execute(service.db)
  await sql`alter table read_record enable always trigger read_record_stays`.execute(service.db)
  const mine = await newToken(service, { role: 'auditor', register: 'own' })
  const ask = asking(service, mine.text)
  const filtered = '/v1/registers/own/commitments?lifecycle=open&q=road'
  const { headers } = await ask('GET', filtered)
  await Promise.all([
    ask('GET', filtered, undefined, { 'if-none-match': String(headers.etag) }),
    ask('GET', '/v1/registers/foreign/summary'),
    ask('GET', '/livez'),
    asking(service, null)('GET', '/v1/registers/open/summary'),
    root('GET', '/v1/registers/own/events/1'),
  ])
  const { rows } = await sql<Record<string, unknown>>`select * from read_record order by number`.execute(service.db)
  const reads = rows.map(({ register, caller, method, route, address }) => [register, caller, method, route, address])
  const id = `token:${mine.id}`
  const list = ['own', id, 'GET', '/v1/registers/:register/commitments', filtered]
  const roots = reads.find(([, , , route]) => String(route).endsWith('/:position'))?.[1]
  t.match(roots, /^token:/)
  t.strictSame(reads.slice(0, 1), [list])
  t.strictSame(
    reads.slice(1).map(String).sort(),
    [
      list,
      ['open', null, 'GET', '/v1/registers/:register/summary', '/v1/registers/open/summary'],
      ['own', roots, 'GET', '/v1/registers/:register/events/:position', '/v1/registers/own/events/1'],
    ]
      .map(String)
      .sort(),
  )
  t.match(rows[0], { read_at: new Date(noon(TODAY)) })
  for (const statement of ['update read_record set caller = null', 'delete from read_record', 'truncate read_record'])
    await t.rejects(sql.raw(statement).execute(service.db), /what is published stays/)
})

type Provider = { jwks: string; fetched: () => number; keys: object[] }

/** An identity provider's set of keys, on loopback. */
async function provider(t: Test): Promise<Provider> {
  let fetched = 0
  const keys: object[] = []
  const server = createServer((_request, response) => {
    fetched += 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  return { jwks: `http://127.0.0.1:${port}/keys`, fetched: () => fetched, keys }
}

const ISSUER = 'https://id.example'

t.test('who asks is told what they may do, and nobody else’s grants', async (t) => {
  const service = await testService(t, TODAY, { access: { mode: 'tokens' } })
  const told = async (credentials: string | null) => (await asking(service, credentials)('GET', '/v1/access')).body
  t.strictSame(await told(null), { control: 'tokens', caller: null, grants: [] })
  const grants: Grant[] = [
    { role: 'auditor', register: ALL_REGISTERS },
    { role: 'recorder', register: 'own' },
  ]
  const { id, text } = await newToken(service, ...grants)
  t.strictSame(await told(text), {
    control: 'tokens',
    caller: `token:${id}`,
    grants: [
      { role: 'auditor', register: null },
      { role: 'recorder', register: 'own' },
    ],
  })
  t.equal((await asking(service, 'wrong')('GET', '/v1/access')).status, 401, 'wrong credentials are nobody’s')
  const open = await testService(t, TODAY)
  const { body, headers } = await asking(open, null)('GET', '/v1/access')
  t.equal(body.control, 'none')
  t.equal(headers['cache-control'], 'no-store')
})

t.test('a JWT is believed for its signature by a key of the provider, and for nothing else', async (t) => {
  const { jwks, fetched, keys } = await provider(t)
  const [ec, other, rsa] = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ]
  keys.push({ ...(await exportJWK(ec.publicKey)), kid: 'one', alg: 'ES256' })
  keys.push({ ...(await exportJWK(rsa.publicKey)), kid: 'rsa' })
  const oidc = { issuer: ISSUER, audience: 'pledger', jwks, algorithms: ['ES256'], rolesClaim: 'roles' }
  const { service, root } = await guarded(t, { mode: 'oidc', oidc })
  t.equal((await root('GET', '/v1/registers/own')).status, 200, 'machines have tokens beside it')
  const seconds = Math.floor(service.clock.now / 1_000)
  const claims = { sub: 'anna', roles: ['auditor:own', 'other:thing', 'admin'], preferred_username: 'Anna' }
  const jwt = (changed: object = {}, header: object = {}, key = ec.privateKey) =>
    new SignJWT({ iss: ISSUER, aud: 'pledger', exp: seconds + 600, nbf: seconds - 10, ...claims, ...changed })
      .setProtectedHeader({ alg: 'ES256', kid: 'one', ...header })
      .sign(key)
  const get = async (text: string, register = 'own') =>
    (await asking(service, text)('GET', `/v1/registers/${register}`)).status
  const good = await jwt()
  t.equal(await get(good), 200)
  t.equal(await get(good, 'foreign'), 404)
  let names = await listPrincipals(service.db)
  for (let looks = 0; names.length < 2 && looks < 200; looks += 1) {
    await sleep(20)
    names = await listPrincipals(service.db)
  }
  t.match(names, [{ id: /^oidc:[A-Za-z0-9_-]{27}$/, name: 'Anna' }, { id: /^token:/ }])
  t.equal(await get(await jwt({ roles: 'auditor:own operator:*' })), 200, 'as words of one text too')
  const [head = '', body = ''] = good.split('.')
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const secret = await new SignJWT({ iss: ISSUER, aud: 'pledger', exp: seconds + 600, ...claims })
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .sign(new TextEncoder().encode(ec.publicKey.export({ type: 'spki', format: 'pem' }) as string))
  const wrong: Record<string, string> = {
    'no signature': `${encode({ alg: 'none' })}.${body}.`,
    'the signature cut off': `${head}.${body}.`,
    'the public key as a secret': secret,
    'another issuer': await jwt({ iss: 'https://id.example/' }),
    'another audience': await jwt({ aud: 'other' }),
    'no audience': await jwt({ aud: undefined }),
    expired: await jwt({ exp: seconds - 60 }),
    'no expiry': await jwt({ exp: undefined }),
    'not yet valid': await jwt({ nbf: seconds + 60 }),
    'no subject': await jwt({ sub: undefined }),
    'another key': await jwt({}, {}, other.privateKey),
    'another key that it brings along': await jwt({}, { jwk: await exportJWK(other.publicKey) }, other.privateKey),
    'another key at an address of its own': await jwt({}, { jku: `${jwks}/evil`, kid: 'evil' }, other.privateKey),
    'an algorithm that is not taken': await jwt({}, { alg: 'RS256', kid: 'rsa' }, rsa.privateKey),
    'other claims under the signature': `${head}.${encode({ ...claims, iss: ISSUER, aud: 'pledger', exp: seconds + 600, roles: ['admin:*'] })}.${good.split('.')[2]}`,
    'too long': await jwt({ padding: 'x'.repeat(9_000) }),
  }
  for (const [why, text] of Object.entries(wrong)) t.equal(await get(text), 401, why)
  t.equal(await get(await jwt({ roles: [] })), 404, 'known, but without a role')
  service.clock.now += 640_000
  t.equal(await get(good), 401, 'what was believed ends with its time')
  service.clock.now -= 640_000

  const before = fetched()
  for (let count = 0; count < 50; count += 1) t.equal(await get(await jwt({}, { kid: `unknown-${count}` })), 401)
  t.ok(fetched() - before <= 1, 'whoever invents keys does not have the provider asked each time')
})

t.test('where the keys of the provider cannot be had, nobody is let in and nobody is called a liar', async (t) => {
  const oidc = {
    issuer: ISSUER,
    audience: 'pledger',
    jwks: 'http://127.0.0.1:1/',
    algorithms: ['ES256'],
    rolesClaim: 'roles',
  }
  const service = await testService(t, TODAY, { access: { mode: 'oidc', oidc } })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwt = await new SignJWT({ iss: ISSUER, aud: 'pledger', sub: 'a', exp: 4_000_000_000 })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .sign(privateKey)
  const { status, body, headers } = await asking(service, jwt)('GET', '/v1/registers/own')
  t.match(
    { status, body, headers },
    { status: 503, body: { type: '/problems/identity-unavailable' }, headers: { 'retry-after': '5' } },
  )
})

t.test('a route that does not say what it needs fails at the start', async (t) => {
  const app = fastify()
  guard(app, noAccessControl(await testDatabase(t)), { now: Date.now })
  t.throws(() => app.get('/v1/secret', async () => 'x'), {
    message: 'the route GET /v1/secret does not say what it needs',
  })
  t.doesNotThrow(() => app.get('/v1/told', { config: { permission: 'open' } }, async () => 'x'))
})

t.test('what is looked for in every log of the suite is found', async (t) => {
  const { text } = await newToken(await testService(t, TODAY), { role: 'auditor', register: 'own' })
  t.equal(secretIn(`{"msg":"asked with ${text}"}`), 'a token')
  t.equal(secretIn('{"authorization":"Bearer abcdefghijklmnop"}'), 'a header with credentials')
  t.equal(secretIn(`"${Buffer.from('{"alg":"ES256"}').toString('base64url')}.eyJzdWIiOiJhIn0xxx.x"`), 'a JWT')
  t.equal(secretIn('-----BEGIN PRIVATE KEY-----'), 'a private key')
  t.equal(secretIn('token 0123456789ab: auditor:own, expires 2027-01-01'), null)
})

t.test('what is refused counts as every request does, and shuts nobody else out', async (t) => {
  const rateLimit = { perMinute: 20, isEnforced: true, now: () => 0 }
  const service = await testService(t, TODAY, { access: { mode: 'tokens' }, rateLimit })
  const [own, other] = [
    asking(service, await token(service, { role: 'auditor', register: 'own' })),
    asking(service, await token(service, { role: 'auditor', register: 'other' })),
  ]
  const statuses = async (ask: Asking, url: string) => {
    const all: number[] = []
    for (let count = 0; count < 25; count += 1) all.push((await ask('GET', url)).status)
    return all
  }
  const limited = (status: number) => [...Array(20).fill(status), ...Array(5).fill(429)]
  t.strictSame(await statuses(other, '/v1/registers/guess'), limited(404))
  t.strictSame(await statuses(asking(service, null), '/v1/registers/guess'), limited(401), 'without credentials')
  t.equal((await own('GET', '/v1/registers')).status, 200, 'from the same address, with a token')
  t.strictSame(
    await statuses(asking(service, 'wrong'), '/livez'),
    Array(25).fill(429),
    'that address has had its minute',
  )
  const fresh = await testService(t, TODAY, { access: { mode: 'tokens' }, rateLimit })
  const known = asking(fresh, await token(fresh, { role: 'auditor', register: 'own' }))
  t.equal((await known('GET', '/v1/registers')).status, 200)
  const tried = await statuses(asking(fresh, 'wrong'), '/v1/registers')
  t.strictSame(new Set(tried), new Set([401, 429]))
  t.equal((await known('GET', '/v1/registers')).status, 200, 'whoever tries keys shuts no known key out')
})

t.test('what needs nobody asks for nobody, whatever is sent along', async (t) => {
  const service = await testService(t, TODAY, { access: { mode: 'tokens' } })
  await sql`alter table token rename to gone`.execute(service.db)
  for (const credentials of [`pledger_${'x'.repeat(43)}`, 'wrong'])
    t.equal((await asking(service, credentials)('GET', '/livez')).status, 200)
  const basic = await service.app.inject({ url: '/livez', headers: { authorization: 'Basic eDp5' } })
  t.equal(basic.statusCode, 200)
})

t.test('a page of another origin does nothing where everyone on this machine may', async (t) => {
  const service = await testService(t, TODAY, { corsOrigins: ['https://allowed.example'] })
  const url = '/v1/projections/all/replay'
  const post = async (headers: Record<string, string>) =>
    (await service.app.inject({ method: 'POST', url, headers: { host: 'localhost:4180', ...headers } })).statusCode
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'http://localhost:8080' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])
    t.equal(await post(headers as Record<string, string>), 403, JSON.stringify(headers))
  for (const headers of [
    {},
    { origin: 'http://localhost:4180', 'sec-fetch-site': 'same-origin' },
    { origin: 'https://allowed.example', 'sec-fetch-site': 'cross-site' },
  ])
    t.not(await post(headers as Record<string, string>), 403, JSON.stringify(headers))
})

t.test(
  'a token in an address is read neither in an answer nor in the record of reads, which has all else',
  async (t) => {
    const { service } = await guarded(t, { recordReads: true })
    const { text } = await newToken(service, { role: 'auditor', register: 'own' })
    const ask = asking(service, text)
    for (const url of [`/nope/${text}`, `/v1/registers/own/events/${text}`, `/v1/registers/own/commitments/${text}`])
      t.notMatch((await ask('GET', url)).text, text)
    const parties = Array.from({ length: 90 }, (_, index) => `party=B${'%42'.repeat(30)}${index}`).join('&')
    const url = `/v1/registers/own/commitments?${parties}&q=Oreshnik`
    t.ok(url.length > 8_000)
    t.equal((await ask('GET', url)).status, 200)
    const { rows } = await sql<{ address: string }>`select address from read_record order by number`.execute(service.db)
    t.equal(rows.at(-1)?.address, url)
    t.notOk(rows.some(({ address }) => address.includes(text)))
    t.ok(rows.some(({ address }) => address.includes('pledger_…')))
  },
)

t.test('a provider that fails is not asked for every JWT, and odd subjects are nobody', async (t) => {
  let [fetched, isFailing] = [0, false]
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = [{ ...(await exportJWK(key.publicKey)), kid: 'one', alg: 'ES256' }]
  const server = createServer((_request, response) => {
    fetched += 1
    response.statusCode = isFailing ? 500 : 200
    response.end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)))
  const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const oidc = { issuer: ISSUER, audience: 'pledger', jwks, algorithms: ['ES256'], rolesClaim: 'roles' }
  const service = await testService(t, TODAY, { access: { mode: 'oidc', oidc } })
  const get = async (claims: object, kid = 'one') => {
    const jwt = await new SignJWT({ iss: ISSUER, aud: 'pledger', exp: 4_000_000_000, sub: 'a', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid })
      .sign(key.privateKey)
    return (await asking(service, jwt)('GET', '/v1/registers')).status
  }
  isFailing = true
  for (let count = 0; count < 20; count += 1) t.equal(await get({}, `unknown-${count}`), 503)
  t.equal(fetched, 1)
  isFailing = false
  await sleep(5_100)
  t.equal(await get({}), 200)
  for (const sub of ['', 5, 'x'.repeat(300), ['a']]) t.equal(await get({ sub }), 401, JSON.stringify(sub))
  t.equal(await get({ sub: 'a\u0000b', preferred_username: 'x\u0000\u001b[31m\ny' }), 200)
  let names = await listPrincipals(service.db)
  for (let looks = 0; names.length < 2 && looks < 200; looks += 1) {
    await sleep(20)
    names = await listPrincipals(service.db)
  }
  t.strictSame(names.map(({ name }) => name).sort(), ['a', 'x  [31m y'])
})

// The verifiable log over REST: checkpoints, tiles, proofs and keys, as a caller reads and checks them who trusts none of it.

import { generateKeyPairSync } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { sql } from 'kysely'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import type { Database } from '../../src/database/pool.ts'
import { readLeaves } from '../../src/eventlog/leaves.ts'
import { buildApp } from '../../src/http/app.ts'
import { sealAll, sealOf, startSealer } from '../../src/integrity/sealing/sealer.ts'
import { openCheckpoint } from '../../src/integrity/tlog/checkpoint.ts'
import { isConsistent, isIncluded, leafHash, rootOf, subtreesOf } from '../../src/integrity/tlog/merkle.ts'
import { parseVkey, type Verifier } from '../../src/integrity/tlog/note.ts'
import { hashWithin, newTiles, placeOf, type ResourceId, tilePath, unbundle } from '../../src/integrity/tlog/tiles.ts'
import { noAccessControl } from '../support/access.ts'
import { JSON_TYPE, made, openDemo, posted, problem, refuses, uuid } from '../support/register.ts'
import { type Answer, testService } from '../support/service.ts'

const R = '/v1/registers/demo'
const SIZES = [4, 300, 700]
const IMMUTABLE = 'public, max-age=31536000, immutable'
const key = generateKeyPairSync('ed25519').privateKey
const sealing = { origin: 'log.test', keys: [key], now: () => Date.parse('2026-03-01T12:00:01.000Z') }
const seal = sealOf('demo', sealing)

const service = await testService(t)
await openDemo(service)
let recorded = 4
async function record(count: number): Promise<void> {
  const events = Array.from({ length: count }, () => made(`c-${recorded++}`))
  const { status, text } = await service.post(`${R}/events`, events)
  if (status !== 201) throw new Error(text)
}
/** What was answered before there was any checkpoint. */
const before = {
  checkpoint: await service.get(`${R}/checkpoint`),
  list: await service.get(`${R}/checkpoints`),
  keys: await service.get(`${R}/keys`),
  proof: await service.get(`${R}/events/0/proof`),
  named: await service.get(`${R}/events/0/proof?size=4`),
  consistency: await service.get(`${R}/consistency?first=1`),
  tile: await service.get(`${R}/tile/0/000.p/4`),
}
for (const size of SIZES) {
  if (size > recorded) await record(size - recorded)
  await sealAll(service.db, 'demo', seal)
}
// Not sealed.
await record(2)
const known = (await service.get(`${R}/keys`)).body.keys.map(({ vkey }: { vkey: string }) =>
  parseVkey(vkey),
) as Verifier[]

const bytes = (text: string) => Buffer.from(text, 'base64')
const bytesAt = async (path: string, headers: Record<string, string> = {}) => {
  const { statusCode, headers: sent, rawPayload } = await service.app.inject({ url: `${R}/${path}`, headers })
  return { status: statusCode, headers: sent, bytes: rawPayload }
}

function isProblem(t: Test, answer: Answer, status: number, word: string, ...pointers: string[]) {
  t.strictSame(problem(answer), { status, type: `/problems/${word}`, pointers })
}

/** Asks again with the ETag of an answer: nothing is sent twice, and it may not be used without asking. */
async function isPolled(t: Test, path: string, headers: Record<string, string> = {}) {
  const first = await service.get(path, headers)
  t.equal(first.status, 200)
  t.equal(first.headers['cache-control'], 'no-cache')
  const again = await service.get(path, { ...headers, 'if-none-match': String(first.headers.etag) })
  t.strictSame([again.status, again.text, again.headers.etag], [304, '', first.headers.etag])
  t.equal((await service.get(path, { ...headers, 'if-none-match': '"other"' })).status, 200)
}

t.test('before the first checkpoint the log says that it is not sealed', async (t) => {
  for (const answer of [before.checkpoint, before.proof, before.consistency]) {
    isProblem(t, answer, 409, 'not-sealed')
    t.equal(answer.headers['retry-after'], '1')
    t.equal(answer.headers.etag, undefined)
  }
  isProblem(t, before.named, 409, 'not-sealed')
  t.equal(before.named.body.detail, 'no checkpoint is of size 4; there is none yet')
  isProblem(t, before.tile, 404, 'unknown-route')
  t.strictSame(before.list.body, { items: [], next: null, asOf: null, knownAt: null, rules: '1' })
  t.strictSame(before.keys.body, { keys: [] })
})

t.test('the newest checkpoint is a signed note that any verifier opens', async (t) => {
  const { status, headers, text } = await service.get(`${R}/checkpoint`)
  t.strictSame([status, headers['content-type']], [200, 'text/plain; charset=utf-8'])
  t.match(openCheckpoint(text, known), { origin: 'log.test/demo', size: 700n })
  t.equal(text.split('\n').slice(0, 2).join(), 'log.test/demo,700')
  await isPolled(t, `${R}/checkpoint`)
  isProblem(t, await service.get(`${R}/checkpoint`, { accept: 'application/json' }), 406, 'not-acceptable')
  isProblem(t, await service.get(`${R}/checkpoint?size=4`), 400, 'malformed', '/size')
  isProblem(t, await service.get('/v1/registers/none/checkpoint'), 404, 'unknown-register')
  isProblem(t, await service.post(`${R}/checkpoint`, {}), 405, 'method')
})

t.test('every checkpoint is listed by size, page by page', async (t) => {
  const { body } = await service.get(`${R}/checkpoints`)
  t.strictSame(
    body.items.map(({ size, signedAt }: { size: number; signedAt: string }) => [size, signedAt]),
    SIZES.map((size) => [size, '2026-03-01T12:00:01.000Z']),
  )
  t.strictSame([body.next, body.asOf, body.knownAt, body.rules], [null, null, null, '1'])
  for (const { size, rootHash, note, ...rest } of body.items) {
    t.strictSame(openCheckpoint(note, known), { origin: 'log.test/demo', size: BigInt(size), root: bytes(rootHash) })
    t.strictSame(Object.keys(rest), ['signedAt'])
  }
  t.equal(body.items.at(-1).note, (await service.get(`${R}/checkpoint`)).text)
  const found = []
  let link: string | undefined = `${R}/checkpoints?limit=1`
  while (link !== undefined) {
    const page: Answer = await service.get(link)
    found.push(...page.body.items)
    link = /^<(.+)>; rel="next"$/.exec(String(page.headers.link))?.[1]
    t.equal(page.body.next, link === undefined ? null : String(page.body.items[0].size))
  }
  t.strictSame(found, body.items)
  t.strictSame((await service.get(`${R}/checkpoints?after=700`)).body.items, [])
  t.strictSame((await service.get(`${R}/checkpoints?after=299&limit=1`)).body.items, [body.items[1]])
  await isPolled(t, `${R}/checkpoints?after=4`)
  for (const [query, pointer] of [
    ['after=-1', '/after'],
    ['after=x', '/after'],
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['size=3', '/size'],
  ] as const)
    isProblem(t, await service.get(`${R}/checkpoints?${query}`), 400, 'malformed', pointer)
})

t.test('the keys are listed with the sizes that they signed', async (t) => {
  const { body } = await service.get(`${R}/keys`)
  t.strictSame(body, { keys: [{ vkey: body.keys[0].vkey, fromSize: 4, toSize: null }] })
  t.match(body.keys[0].vkey, /^log\.test\/demo\+[0-9a-f]{8}\+A/)
  await isPolled(t, `${R}/keys`)
})

/** The tiles of a size over HTTP, and any hash of the tree from them. */
async function fetchTree(t: Test, size: number) {
  const tiles = new Map<string, Buffer>()
  for (const tile of newTiles(0n, BigInt(size))) {
    const { status, headers, bytes } = await bytesAt(tilePath(tile))
    t.strictSame(
      [status, headers['content-type'], headers['cache-control'], bytes.length],
      [200, 'application/octet-stream', IMMUTABLE, 32 * tile.width],
      tilePath(tile),
    )
    tiles.set(`${tile.level}/${tile.index}`, bytes)
  }
  const hashOf = (start: bigint, end: bigint) =>
    rootOf(
      subtreesOf({ start, end }).map((node) => {
        const { level, index, offset, count } = placeOf(node)
        return hashWithin(tiles.get(`${level}/${index}`) ?? Buffer.alloc(0), offset, count)
      }),
    )
  return { tiles, hashOf }
}

t.test('the tiles of every published size give its root, and the bundles their leaves', async (t) => {
  const { items } = (await service.get(`${R}/checkpoints`)).body
  for (const { size, rootHash } of items) {
    const { tiles, hashOf } = await fetchTree(t, size)
    t.equal(hashOf(0n, BigInt(size)).toString('base64'), rootHash)
    for (const { level, index, width } of newTiles(0n, BigInt(size)).filter(({ level }) => level === 0)) {
      const entries: ResourceId = { level: 'entries', index, width }
      const sent = await bytesAt(tilePath(entries))
      t.strictSame(
        [sent.status, sent.headers['content-type'], sent.headers['cache-control'], sent.headers.vary],
        [200, 'application/octet-stream', IMMUTABLE, 'Accept-Encoding'],
      )
      const leaves = unbundle(sent.bytes) ?? []
      t.strictSame(Buffer.concat(leaves.map(leafHash)), tiles.get(`${level}/${index}`))
      t.strictSame(leaves, await readLeaves(service.db, 'demo', Number(index) * 256, Number(index) * 256 + width))
    }
  }
  const plain = await bytesAt('tile/entries/001')
  const packed = await bytesAt('tile/entries/001', { 'accept-encoding': 'gzip, identity' })
  t.equal(packed.headers['content-encoding'], 'gzip')
  t.strictSame(gunzipSync(packed.bytes), plain.bytes)
  t.ok(packed.bytes.length < plain.bytes.length)
})

t.test('a tile that no checkpoint has, or that is not written as it has to be, is not there', async (t) => {
  for (const path of [
    // 700 = 2 · 256 + 188; 300 = 256 + 44.
    'tile/0/002',
    'tile/0/003',
    'tile/0/002.p/187',
    'tile/0/002.p/189',
    'tile/0/001.p/43',
    'tile/0/001.p/300',
    'tile/0/000.p/256',
    'tile/0/000.p/0',
    'tile/0/000.p/04',
    'tile/1/000',
    'tile/1/000.p/3',
    'tile/2/000.p/1',
    'tile/63/000.p/1',
    'tile/64/000',
    'tile/00/000',
    'tile/0/0',
    'tile/0/x000/000',
    'tile/0/x999/x999/x999/x999/x999/x999/999',
    'tile/0/000.p/',
    'tile/0/%30%30%30',
    'tile/entries/002',
    'tile/entries/002.p/189',
    'tile/data/000',
    'tile/0/',
  ])
    isProblem(t, await service.get(`${R}/${path}`), 404, 'unknown-route')
  for (const path of ['tile/0/000', 'tile/0/000.p/4', 'tile/0/001.p/44', 'tile/1/000.p/1', 'tile/1/000.p/2'])
    t.equal((await service.get(`${R}/${path}`)).status, 200, path)
  t.strictSame((await bytesAt('tile/0/001.p/44')).bytes, (await bytesAt('tile/0/001')).bytes.subarray(0, 44 * 32))
  isProblem(t, await service.get('/v1/registers/none/tile/0/000'), 404, 'unknown-register')
  isProblem(t, await service.get(`${R}/tile/0/000?x=1`), 400, 'malformed', '/x')
  const refused = await service.post(`${R}/tile/0/000`, {})
  isProblem(t, refused, 405, 'method')
  t.equal(refused.headers.allow, 'GET, HEAD')
})

t.test('a proof shows that an event is in the tree of a checkpoint', async (t) => {
  const { items } = (await service.get(`${R}/checkpoints`)).body
  for (const { size, note, rootHash } of items) {
    const { hashOf } = await fetchTree(t, size)
    for (const position of [0, 3, 255, 256, 299, 511, 699].filter((one) => one < size)) {
      const { status, body } = await service.get(`${R}/events/${position}/proof?size=${size}`)
      const [leaf] = await readLeaves(service.db, 'demo', position, position + 1)
      const hash = leafHash(leaf as Buffer)
      t.strictSame(
        [status, body],
        [
          200,
          {
            leafIndex: position,
            treeSize: size,
            leafHash: hash.toString('base64'),
            auditPath: body.auditPath,
            checkpoint: note,
          },
        ],
      )
      t.ok(isIncluded(BigInt(position), BigInt(size), hash, body.auditPath.map(bytes), bytes(rootHash)))
      t.strictSame(hashOf(BigInt(position), BigInt(position) + 1n), hash)
    }
  }
  const newest = await service.get(`${R}/events/17/proof`)
  t.strictSame(newest.body, (await service.get(`${R}/events/17/proof?size=700`)).body, 'the newest by default')
  await isPolled(t, `${R}/events/17/proof`)
  await isPolled(t, `${R}/events/17/proof?size=300`)
  await isPolled(t, `${R}/events/17/proof`, { accept: 'text/x.tlog-proof' })
})

t.test('a proof comes as C2SP tlog-proof where that is asked for', async (t) => {
  const { body } = await service.get(`${R}/events/299/proof?size=300`)
  const { status, headers, text } = await service.get(`${R}/events/299/proof?size=300`, { accept: 'text/x.tlog-proof' })
  t.strictSame([status, headers['content-type']], [200, 'text/x.tlog-proof; charset=utf-8'])
  t.equal(text, `c2sp.org/tlog-proof@v1\nindex 299\n${body.auditPath.join('\n')}\n\n${body.checkpoint}`)
  t.ok(openCheckpoint(text.slice(text.indexOf('\n\n') + 2), known))
  isProblem(t, await service.get(`${R}/events/299/proof`, { accept: 'text/plain' }), 406, 'not-acceptable')
})

t.test('a proof that there is none of is refused with what there is', async (t) => {
  for (const [path, detail, sizes] of [
    ['700/proof', 'the checkpoint of size 700 does not cover position 700', [700]],
    ['300/proof?size=300', 'the checkpoint of size 300 does not cover position 300', [300]],
    ['0/proof?size=3', 'no checkpoint is of size 3; next to it are 4', [4]],
    ['0/proof?size=299', 'no checkpoint is of size 299; next to it are 4 and 300', [4, 300]],
    ['0/proof?size=702', 'no checkpoint is of size 702; next to it are 700', [700]],
  ] as const) {
    const answer = await service.get(`${R}/events/${path}`)
    isProblem(t, answer, 409, 'not-sealed')
    t.strictSame([answer.body.detail, answer.body.sizes], [detail, sizes])
  }
  for (const position of ['702', '-1', 'x', '1e2', '9999999999999999'])
    isProblem(t, await service.get(`${R}/events/${position}/proof`), 404, 'not-known')
  for (const size of ['0', 'x', '-1', '1.5', ''])
    isProblem(t, await service.get(`${R}/events/0/proof?size=${size}`), 400, 'malformed', '/size')
  isProblem(t, await service.get('/v1/registers/none/events/0/proof'), 404, 'unknown-register')
})

t.test('consistency is shown between any two sealed sizes', async (t) => {
  const { hashOf } = await fetchTree(t, 700)
  const head = (size: number, root: string) => ({ size: BigInt(size), root: bytes(root) })
  for (const [first, second] of [
    [1, 700],
    [4, 300],
    [256, 512],
    [299, 301],
    [300, 700],
    [699, 700],
    [700, 700],
    [1, 1],
  ] as const) {
    const { status, body } = await service.get(`${R}/consistency?first=${first}&second=${second}`)
    t.strictSame([status, body.firstSize, body.secondSize], [200, first, second])
    t.equal(body.firstRoot, hashOf(0n, BigInt(first)).toString('base64'))
    t.equal(body.secondRoot, hashOf(0n, BigInt(second)).toString('base64'))
    t.ok(isConsistent(head(first, body.firstRoot), head(second, body.secondRoot), body.proof.map(bytes)))
    t.strictSame(Object.keys(body), ['firstSize', 'secondSize', 'firstRoot', 'secondRoot', 'proof'])
  }
  t.equal((await service.get(`${R}/consistency?first=5`)).body.secondSize, 700, 'up to the newest by default')
  await isPolled(t, `${R}/consistency?first=5`)
  for (const [query, status, word, pointers] of [
    ['', 400, 'malformed', ['/first']],
    ['first=0', 400, 'malformed', ['/first']],
    ['first=4&second=0', 400, 'malformed', ['/second']],
    ['first=5&second=4', 400, 'malformed', ['/first']],
    ['first=5&second=701', 409, 'not-sealed', []],
    ['first=701', 409, 'not-sealed', []],
  ] as const)
    isProblem(t, await service.get(`${R}/consistency?${query}`), status, word, ...pointers)
  const { body } = await service.get(`${R}/consistency?first=5&second=701`)
  t.strictSame([body.detail, body.sealedSize], ['demo is sealed up to size 700, not yet to 701', 700])
})

t.test('how far the log is sealed is told with how ready the service is', async (t) => {
  const { body } = await service.get('/readyz')
  const signedAt = '2026-03-01T12:00:01.000Z'
  t.strictSame(body.sealing, [
    { register: 'demo', size: 700, signedAt, behindEvents: 2, behindSeconds: 0, refused: null },
  ])
  service.clock.now += 7_000
  t.match((await service.get('/readyz')).body.sealing, [{ behindEvents: 2, behindSeconds: 7 }])
})

/** Changes what the database keeps from being changed. */
async function tamper(db: Database, table: string, change: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`alter table ${sql.table(table)} disable trigger user`.execute(tx)
    const { numAffectedRows } = await sql.raw(change).execute(tx)
    if (numAffectedRows !== 1n) throw new Error(`${numAffectedRows} rows changed`)
  })
}

t.test('what does not come to what was signed is not handed out, and the log says which', async (t) => {
  const lines: string[] = []
  const other = await testService(t)
  await openDemo(other)
  const events = Array.from({ length: 300 }, (_, index) => made(`c-${index}`))
  await other.post(`${R}/events`, events)
  await sealAll(other.db, 'demo', seal)
  const logger = pino({ level: 'error' }, { write: (line: string) => lines.push(JSON.parse(line).err.message) })
  const { db, registers, recorder, heads, clock, runner } = other
  const app = await buildApp(
    { access: noAccessControl(db), db, registers, recorder, heads, now: () => clock.now, wake: runner.wake },
    logger,
  )
  t.teardown(() => app.close())
  const flip = 'set_byte(hashes, 40, (get_byte(hashes, 40) + 1) % 256)'
  await tamper(db, 'tile', `update tile set hashes = ${flip} where level = 0 and index = 0`)
  const fails = async (path: string, message: RegExp) => {
    const { statusCode, body } = await app.inject(`${R}/${path}`)
    t.strictSame([statusCode, JSON.parse(body).type], [500, '/problems/internal'])
    t.notOk('detail' in JSON.parse(body), 'the caller is not told what')
    t.match(lines.pop(), message)
  }
  await fails('events/0/proof', /^demo: the proof of position 0 does not lead to the root of size 304$/)
  await fails(
    'consistency?first=100&second=200',
    /^demo: the proof from size 100 to size 200 does not lead to the root that was signed for size 304$/,
  )
  await tamper(db, 'tile', 'delete from tile where level = 0 and index = 1')
  await fails('events/300/proof', /^demo: the tiles below the checkpoint of size 304: tile 1 of level 0 is not there$/)
  await fails('tile/0/001.p/48', /^demo: tile 1 of level 0 does not hold 48 hashes$/)
  await fails('consistency?first=300', /^demo: the proof from size 300 to size 304: tile 1 of level 0 is not there$/)
  await tamper(db, 'signed_checkpoint', `update signed_checkpoint set note = replace(note, E'\\n304\\n', E'\\n305\\n')`)
  await fails('events/0/proof', /^demo: the checkpoint of size 304 is not what its note says$/)
  await tamper(db, 'event', 'delete from event where position = 300')
  await fails('tile/entries/001.p/48', /^demo: there is no event at position 300$/)
})

t.test('a recording that prefers to wait until it is sealed is answered with its proofs', async (t) => {
  let wake = (_: string) => {}
  const asked: string[] = []
  const waiting = await testService(t, '2026-03-01', { seal: (register) => wake(register) })
  const { db } = waiting
  const sealer = startSealer(db, { ...sealing, now: Date.now, onNewKey: () => {}, onError: (error) => t.error(error) })
  t.teardown(sealer.stop)
  wake = (register) => {
    asked.push(register)
    sealer.wake(register)
  }
  await openDemo(waiting)
  const prefer = (value: string) => ({ ...JSON_TYPE, prefer: value })
  const isProved = async (t: Test, { body, headers }: Answer) => {
    t.equal(headers['preference-applied'], 'wait=sealed')
    t.equal(body.proofs.length, body.events.length)
    for (const [at, proof] of body.proofs.entries()) {
      const { position } = body.events[at]
      t.strictSame(proof, (await waiting.get(`${R}/events/${position}/proof?size=${proof.treeSize}`)).body)
      t.ok(proof.treeSize > position)
    }
  }
  const one = await waiting.post(`${R}/events`, made('one', {}, { id: uuid(1) }), prefer('wait=sealed'))
  t.strictSame([one.status, one.body.size, one.headers.location], [201, 5, `${R}/events/4`])
  await isProved(t, one)
  t.strictSame(asked, ['demo'], 'the sealer was asked to look')
  const again = await waiting.post(`${R}/events`, made('one', {}, { id: uuid(1) }), prefer('wait=sealed'))
  t.equal(again.status, 200)
  await isProved(t, again)
  const many = Array.from({ length: 400 }, (_, index) => made(`many-${index}`))
  const array = await waiting.post(`${R}/events`, many, prefer('respond-async, WAIT="sealed"; x=y, handling=strict'))
  t.equal(array.status, 201)
  await isProved(t, array)
  for (const [value, at] of [
    ['wait=5', 1],
    ['wait=sealed-not', 2],
    ['await=sealed', 3],
    ['return=minimal', 4],
  ] as const) {
    const { status, body, headers } = await waiting.post(`${R}/events`, made(`plain-${at}`), prefer(value))
    t.strictSame([status, 'proofs' in body, headers['preference-applied']], [201, false, undefined], value)
  }
  const invalid = posted('one', 'DeliveryReported', '2027-01-01')
  const refused = await refuses(t, waiting, () => waiting.post(`${R}/events`, invalid, prefer('wait=sealed')), [
    422,
    'in-future',
    '/occurredOn',
  ])
  t.equal(refused.headers['preference-applied'], undefined)

  const opened = await waiting.post(
    '/v1/registers',
    { id: 'second', title: 'Second', parties: [], timeZone: 'UTC' },
    prefer('wait=sealed'),
  )
  t.strictSame([opened.status, opened.headers['preference-applied']], [201, 'wait=sealed'])
  t.strictSame(opened.body.proofs, [(await waiting.get('/v1/registers/second/events/0/proof')).body])
  const redacted = await waiting.post(`${R}/events/4/redact`, { reason: 'Names a person' }, prefer('wait=sealed'))
  t.equal(redacted.status, 201)
  await isProved(t, redacted)
  const line = JSON.stringify(made('imported', {}, { id: uuid(2) }))
  const imported = await waiting.post(`${R}/events`, `${line}\n`, {
    ...prefer('wait=sealed'),
    'content-type': 'application/x-ndjson',
  })
  t.strictSame([imported.status, imported.headers['preference-applied']], [200, 'wait=sealed'])
  t.match(imported.body, { recorded: 1, checkpoint: `\n${imported.body.size}\n` })

  await sealer.stop()
  const began = performance.now()
  const late = await waiting.post(`${R}/events`, made('late'), prefer('wait=sealed'))
  t.ok(performance.now() - began >= 5_000, 'nobody seals')
  t.strictSame([late.status, 'proofs' in late.body, late.headers['preference-applied']], [201, false, undefined])
})

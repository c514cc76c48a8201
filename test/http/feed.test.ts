// The feed: what its four representations say, that none skips or repeats, and what becomes of those who follow it.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import pg from 'pg'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { EVENT_TYPES } from '../../src/domain/admission/posted-event.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { answerEvent } from '../../src/domain/event-answer.ts'
import { streamFeed } from '../../src/eventlog/feed.ts'
import { readFeedLines } from '../../src/eventlog/feed-lines.ts'
import { buildApp } from '../../src/http/app.ts'
import { FOLLOWING, type Following } from '../../src/http/server/event-stream.ts'
import { createRegisterHeads } from '../../src/projections/core/heads.ts'
import { createRecorder } from '../../src/recording/recorder.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { noAccessControl } from '../support/access.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { ask, type Listener, listen } from '../support/event-stream.ts'
import { fact, given, redactedAt } from '../support/events.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { insertRaw } from '../support/raw-log.ts'
import { JSON_TYPE, made, openDemo, posted, problem, uuid } from '../support/register.ts'
import type { Answer, TestService } from '../support/service.ts'

const NDJSON = { accept: 'application/x-ndjson' }
const STREAM = { accept: 'text/event-stream' }
const CLOUD_EVENTS = { accept: 'application/cloudevents-batch+json' }

type FeedService = Pick<TestService, 'app' | 'db' | 'get' | 'post'> & { url: string }

/** A service that listens, without projections: some of the logs here could not be folded. It ends with the test. */
async function feedService(
  t: Test,
  changed: Partial<Following> = {},
  address: string | null = null,
): Promise<FeedService> {
  const db = openDatabase({ connectionString: address ?? (await testDatabaseUrl(t)) })
  const registers = createRegisters()
  const heads = createRegisterHeads(db)
  const recorder = createRecorder(db, registers, { now: Date.now, onRecorded: heads.grew })
  const context = { access: noAccessControl(db), db, registers, heads, recorder, now: Date.now, wake: () => {} }
  const following = { ...FOLLOWING, ...changed }
  const app = await buildApp(context, pino({ level: 'silent' }), { checkAnswers: true, following })
  t.teardown(async () => {
    await app.close()
    await heads.stop()
    await db.destroy()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const send = async (path: string, options: RequestInit): Promise<Answer> => {
    // What should have been refused may never end.
    const response = await fetch(url + path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) })
    const text = await response.text()
    const headers = Object.fromEntries(response.headers)
    const isJson = /^application\/(problem\+)?json/.test(headers['content-type'] ?? '')
    return { status: response.status, headers, text, body: isJson ? JSON.parse(text) : text }
  }
  return {
    app,
    db,
    url,
    get: (path, headers = {}) => send(path, { headers }),
    post: (path, body, headers = JSON_TYPE) => send(path, { method: 'POST', headers, body: JSON.stringify(body) }),
  }
}

const service = await feedService(t)
await openDemo(service)

async function storedEvents(db: Database, register: string): Promise<StoredEvent[]> {
  return Array.fromAsync(streamFeed(db, { register, after: -1, until: Number.MAX_SAFE_INTEGER }))
}

/** A register of its own with so many more events than the one that opens it. */
async function openRegister({ post }: FeedService, id: string, more: number): Promise<void> {
  await post('/v1/registers', { id, title: id, parties: [], timeZone: 'UTC' })
  for (let from = 0; from < more; from += 1_000) {
    const some = Array.from({ length: Math.min(1_000, more - from) }, (_, index) => made(`c${from + index}`))
    const { status, text } = await post(`/v1/registers/${id}/events`, some)
    if (status !== 201) throw new Error(text)
  }
}

/** Erases an event's content, without an event that says so: what the log refuses to everybody. */
async function erase(db: Database, register: string, position: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`alter table event disable trigger event_only_blanked`.execute(tx)
    await sql`update event set occurred_on = null, data = null, citations = null, salt = null
      where register = ${register} and position = ${position}`.execute(tx)
    await sql`alter table event enable always trigger event_only_blanked`.execute(tx)
  })
}

// Whatever JSON escapes, or a text format might stumble over.
const WEIRD =
  'a "quoted" \\ back\\\\slash / \n\r\t\b\f\u0001\u001f\u007f\u0085\u2028\u2029 Зюзя \u{1f4dc} <&> %s {} \'$1\' '
const NUMBERS = { 10: -0, 9: 1e21, small: 1e-7, big: 9007199254740991, half: 0.5, '': '', 'a"b\n': null, '\\': [true] }

t.test('a line is the event to the letter, whatever its type and its text', async (t) => {
  const drafts = EVENT_TYPES.map((type, index) =>
    fact(type, index % 2 === 0 ? '2026-01-02' : '../2025-09', { text: WEIRD, ...NUMBERS, [WEIRD]: [{}, []] }, [
      { source: 'S1', quote: WEIRD, differs: { due: '2020', [WEIRD]: 1.5 } },
    ]),
  )
  // Longer than a page, by count and by bytes.
  const many = Array.from({ length: 2_500 }, () => fact('StatusReaffirmed', '2026-01-02', { note: WEIRD }))
  const long = Array.from({ length: 9 }, () => fact('ProgressReported', '2026-01-02', { note: random(100_000) }))
  const log = redactedAt(given(...drafts, ...many, ...long), [3, EVENT_TYPES.length - 1])
  await insertRaw(service.db, 'weird', log)
  for (const register of ['weird', 'demo']) {
    const { text, status } = await service.get(`/v1/registers/${register}/events`, NDJSON)
    const lines = (await storedEvents(service.db, register)).map((event) => JSON.stringify(answerEvent(event)))
    t.equal(status, 200)
    t.ok(lines.length >= 4)
    // Not compared as a whole: the difference of megabytes would never be told.
    const differs = text.split('\n').findIndex((line, index) => line !== (lines[index] ?? ''))
    t.equal(differs, -1, register)
    t.equal(
      text.length,
      lines.reduce((sum, line) => sum + line.length + 1, 0),
    )
  }
  // As events too, where a line end would begin another field.
  const listener = await listen(`${service.url}/v1/registers/weird/events?until=${EVENT_TYPES.length - 1}`)
  t.equal(await listener.ended, true)
  const lines = (await storedEvents(service.db, 'weird')).map((event) => JSON.stringify(answerEvent(event)))
  t.strictSame(
    listener.frames.slice(1),
    EVENT_TYPES.map((_, index) => ({ id: String(index), data: lines[index] })),
  )
})

/** Text that cannot be compressed. */
function random(length: number): string {
  return randomBytes(length).toString('base64').slice(0, length)
}

// Prints what a client of the standard makes of a stream: each event, and each time it has connected.
const EVENT_SOURCE = `
  setInterval(() => {}, 1_000) // To wait for its time to connect again keeps no process alive.
  const source = new EventSource(process.argv[1])
  const tell = (what) => console.log(Buffer.from(JSON.stringify(what)).toString('base64'))
  source.onopen = () => tell('open')
  source.onmessage = ({ lastEventId, data }) => tell([lastEventId, data])`

t.test('a client of the standard gets the same, and goes on by itself where it was cut off', async (t) => {
  const own = await feedService(t)
  const drafts = Array.from({ length: 600 }, () => fact('StatusReaffirmed', '2026-01-02', { note: WEIRD }))
  const log = given(...drafts, fact('ProgressReported', '2026-01-02', { note: random(300_000) }))
  await insertRaw(own.db, 'standard', log.slice(0, -1))
  const url = `${own.url}/v1/registers/standard/events`
  const child = spawn(process.execPath, ['--experimental-eventsource', '-e', EVENT_SOURCE, url], { stdio: 'pipe' })
  t.teardown(() => child.kill('SIGKILL'))
  const heard: unknown[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    heard.push(JSON.parse(Buffer.from(line, 'base64').toString()))
    if (heard.length === log.length) {
      own.app.server.closeAllConnections()
      await insertRaw(own.db, 'standard', log.slice(-1))
    }
    if (heard.length === log.length + 2) break
  }
  const lines = (await storedEvents(own.db, 'standard')).map((event) => JSON.stringify(answerEvent(event)))
  const events = lines.map((line, position) => [String(position), line])
  t.equal(heard.length, log.length + 2)
  t.ok(isDeepStrictEqual(heard, ['open', ...events.slice(0, -1), 'open', ...events.slice(-1)]))
})

t.test('a page keeps its tag while the log grows, and loses it by what changes it', async (t) => {
  await openRegister(service, 'tagged', 3)
  const tagOf = async (query: string, headers = {}) =>
    String((await service.get(`/v1/registers/tagged/events?${query}`, headers)).headers.etag)
  const middle = await tagOf('limit=2')
  const last = await tagOf('after=1&limit=2')
  const none = await tagOf('after=3')
  const some = await tagOf('stream=c1')
  t.equal(new Set([middle, last, none, some, await tagOf('limit=3'), await tagOf('limit=2', CLOUD_EVENTS)]).size, 6)
  await service.post('/v1/registers/tagged/events', made('other'))
  t.equal(await tagOf('limit=2'), middle, 'a full page is as it was')
  t.not(await tagOf('after=1&limit=2'), last, 'the last one has a next one now')
  t.not(await tagOf('after=3'), none, 'where nothing was is an event now')
  t.equal(await tagOf('stream=c1'), some, 'nothing of the selection was recorded')
  const again = await service.get('/v1/registers/tagged/events?limit=2', { 'if-none-match': middle })
  t.strictSame([again.status, again.text, again.headers.etag], [304, '', middle])
  t.match(middle, /^W\/"[\w-]+"$/, 'weak, as the page says how far the log is')
  t.match(await tagOf('limit=2', CLOUD_EVENTS), /^"[\w-]+"$/, 'strong, as a batch does not')
  await erase(service.db, 'tagged', 1)
  t.not(await tagOf('limit=2'), middle, 'its second event is erased')
  t.equal(await tagOf('stream=c1'), some)
})

t.test('an erased repair changes the tag as well: it loses its reason', async (t) => {
  await openRegister(service, 'repaired', 1)
  const page = '/v1/registers/repaired/events?limit=3'
  const { body } = await service.get(page)
  const retraction = { event: body.items[1].id, reason: 'recorded twice' }
  const repair = posted('c0', 'EventRetracted', '2026-01-02', retraction)
  t.equal((await service.post('/v1/registers/repaired/events', [repair, made('other')])).status, 201)
  const before = await service.get(page)
  t.strictSame(before.body.items[2].data, retraction)
  await erase(service.db, 'repaired', 2)
  // As the redaction does, which is an event itself.
  await service.post('/v1/registers/repaired/events', made('more'))
  const after = await service.get(page, { 'if-none-match': String(before.headers.etag) })
  t.strictSame([after.status, after.body.items?.[2].data], [200, null])
})

t.test('a page of CloudEvents is a batch of the same events, with the next page as a link', async (t) => {
  const first = await service.get('/v1/registers/demo/events?limit=3', CLOUD_EVENTS)
  t.equal(first.headers['content-type'], 'application/cloudevents-batch+json; charset=utf-8')
  t.equal(first.headers.link, '</v1/registers/demo/events?limit=3&after=2>; rel="next"')
  const rest = await service.get('/v1/registers/demo/events?limit=3&after=2', CLOUD_EVENTS)
  t.equal(rest.headers.link, undefined)
  const { items } = (await service.get('/v1/registers/demo/events')).body
  t.strictSame(
    [...JSON.parse(first.text), ...JSON.parse(rest.text)],
    items.map((event: Record<string, unknown>) => ({
      specversion: '1.0',
      id: event.id,
      source: '/v1/registers/demo',
      type: `pledger.${event.type}`,
      subject: event.stream,
      time: event.recordedAt,
      datacontenttype: 'application/json',
      sequence: String(event.position).padStart(16, '0'),
      data: event,
    })),
  )
  t.strictSame(JSON.parse((await service.get('/v1/registers/demo/events?after=3', CLOUD_EVENTS)).text), [])
})

t.test('HEAD says what GET would be, of streams too, and no event', async (t) => {
  for (const accept of Object.values({ ...NDJSON, json: 'application/json', ...{ batch: CLOUD_EVENTS.accept } })) {
    const get = await service.get('/v1/registers/demo/events', { accept })
    const head = await service.app.inject({ method: 'HEAD', url: '/v1/registers/demo/events', headers: { accept } })
    t.strictSame([head.statusCode, head.payload], [200, ''])
    for (const name of ['content-type', 'etag', 'vary'])
      t.equal(head.headers[name], get.headers[name], `${accept} ${name}`)
  }
  const head = await service.app.inject({ method: 'HEAD', url: '/v1/registers/demo/events', headers: STREAM })
  const { statusCode, headers, payload } = head
  t.strictSame(
    [statusCode, headers['content-type'], headers['content-length'], payload],
    [200, 'text/event-stream', undefined, ''],
  )
})

t.test('what cannot be followed is refused, as a problem', async (t) => {
  const refused = async (path: string, headers: Record<string, string>) =>
    problem(await service.get(`/v1/registers/${path}`, { ...STREAM, ...headers }))
  const malformed = { status: 400, type: '/problems/malformed', pointers: [] }
  for (const id of ['x', '-2', '1.5', '', '9'.repeat(20)]) {
    t.strictSame(await refused('demo/events', { 'last-event-id': id }), malformed, id)
  }
  const beyond = { status: 400, type: '/problems/beyond-knowledge', pointers: [] }
  t.strictSame(await refused('demo/events', { 'last-event-id': '4' }), beyond)
  t.equal((await refused('nothing/events', {})).type, '/problems/unknown-register')
  const other = await service.get('/v1/registers/demo/events', { accept: 'text/html' })
  t.strictSame(problem(other), { status: 406, type: '/problems/not-acceptable', pointers: [] })
  t.equal(
    other.body.detail,
    'this resource comes as application/json or application/x-ndjson or text/event-stream or application/cloudevents-batch+json',
  )
})

t.test(
  'who asks for what comes after a position that is not there yet waits for it, as a page of it is empty',
  async (t) => {
    await openRegister(service, 'waiting', 2)
    const path = '/v1/registers/waiting/events?after=4'
    t.strictSame((await service.get(path)).body.items, [])
    const listener = await listen(service.url + path)
    await service.post(
      '/v1/registers/waiting/events',
      ['d', 'e', 'f', 'g'].map((stream) => made(stream)),
    )
    await listener.until((frames) => frames.some(({ data }) => data !== undefined))
    listener.close()
    t.equal(listener.positions()[0], 5)
    const fromTheFirst = await listen(`${service.url}/v1/registers/waiting/events?until=1`, { 'last-event-id': '-1' })
    t.equal(await fromTheFirst.ended, true)
    t.strictSame(fromTheFirst.positions(), [0, 1])
  },
)

t.test('a type is answered with whatever charset it is asked for', async (t) => {
  const path = '/v1/registers/demo/events?until=3'
  for (const [asked, given] of [
    ['application/json; charset=utf-8', 'application/json; charset=utf-8'],
    ['application/json;charset="UTF-8", text/plain;q=0.5', 'application/json; charset=utf-8'],
    ['application/x-ndjson;Charset=utf-8', 'application/x-ndjson; charset=utf-8'],
    ['text/html, text/event-stream ; charset = utf-8 ;q=0.1', 'text/event-stream'],
    ['application/cloudevents-batch+json; charset=UTF-8', 'application/cloudevents-batch+json; charset=utf-8'],
    ['application/json;charset=utf-8;q=0.2, application/x-ndjson;q=0.3', 'application/x-ndjson; charset=utf-8'],
  ] as const) {
    const { status, headers } = await service.get(path, { accept: asked })
    t.strictSame([status, headers['content-type']], [200, given], asked)
  }
})

t.test('a limit is of pages alone, and a whole selection keeps its tag while the log grows after it', async (t) => {
  await openRegister(service, 'bounded', 5)
  const path = '/v1/registers/bounded/events'
  for (const { accept } of [NDJSON, STREAM]) {
    const answer = await service.get(`${path}?limit=3`, { accept })
    t.strictSame(problem(answer), { status: 400, type: '/problems/malformed', pointers: [] })
    t.equal(answer.body.detail, `parameter limit: ${accept} has no pages; until= bounds it`)
  }
  const tag = async (query: string) => (await service.get(path + query, NDJSON)).headers.etag as string
  const [bounded, whole] = [await tag('?until=3'), await tag('')]
  await service.post(path, [made('one-more')])
  const again = await service.get(`${path}?until=3`, { ...NDJSON, 'if-none-match': bounded })
  t.equal(again.status, 304)
  t.not(await tag(''), whole)
})

t.test('who goes on after the end of a selection is told that there is no more', async (t) => {
  const listener = await listen(`${service.url}/v1/registers/demo/events?until=2&stream=bridge`)
  t.equal(await listener.ended, true)
  t.strictSame(listener.frames.slice(1), [{ id: '2' }], 'where to go on from, without an event')
  const again = await service.get('/v1/registers/demo/events?until=2', { ...STREAM, 'last-event-id': '2' })
  t.strictSame([again.status, again.text], [204, ''])
})

/** Follows with one connection after the other, each cut after a while, until all positions below a size are seen. */
async function followCut(url: string, size: number, wanted: number): Promise<number[]> {
  const seen: number[] = []
  let lastId: string | undefined
  while (Number(lastId ?? -1) < size - 1 || seen.length < wanted) {
    const listener: Listener = await listen(url, lastId === undefined ? {} : { 'last-event-id': lastId })
    await sleep(5 + Math.random() * 60)
    listener.close()
    await listener.ended
    seen.push(...listener.positions())
    lastId = listener.frames.findLast(({ id }) => id !== undefined)?.id ?? lastId
  }
  return seen
}

t.test('readers that come and go while events are recorded see each once, in order', async (t) => {
  const size = 401
  const own = await feedService(t, { heartbeatMs: 30 })
  await openRegister(own, 'busy', 0)
  const url = `${own.url}/v1/registers/busy/events`
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let index = 0; index < 100; index += 1) {
      const { status, text } = await own.post('/v1/registers/busy/events', made(`w${writer}-${index}`))
      if (status !== 201) throw new Error(text)
    }
  })
  const types = `${url}?type=RegisterOpened`
  const steady = await listen(url)
  const readers = [...Array.from({ length: 3 }, () => followCut(url, size, size)), followCut(types, size, 1)]
  const all = Array.from({ length: size }, (_, position) => position)
  for (const [index, seen] of (await Promise.all(readers)).entries()) {
    t.strictSame(seen, index < 3 ? all : [0], `reader ${index}`)
  }
  await Promise.all(writers)
  await steady.until((frames) => frames.length > size)
  t.strictSame(steady.positions(), all)
  steady.close()
})

t.test('a follower that selects little hears that the connection lives, and need not look again', async (t) => {
  const own = await feedService(t, { heartbeatMs: 1_500 })
  await openRegister(own, 'quiet', 2)
  const url = `${own.url}/v1/registers/quiet/events`
  const listener = await listen(`${url}?type=RegisterOpened`)
  let isOver = false
  // Never still for as long as a heartbeat takes.
  const busy = (async () => {
    for (let index = 0; !isOver; index += 1) {
      await own.post('/v1/registers/quiet/events', made(`more-${index}`))
      await sleep(10)
    }
  })()
  await listener.until((frames) => frames.filter(({ comment }) => comment !== undefined).length >= 1)
  isOver = true
  await busy
  const [retry, event, beat] = listener.frames
  t.match(retry?.retry, /^[123]\d{3}$/)
  t.equal(event?.id, '0')
  t.strictSame([beat?.comment, beat?.data], ['still here', undefined])
  t.ok(Number(beat?.id) > 2, `${beat?.id}`)
  listener.close()
})

/** Counts the pages of the log that are read from now on, to the end of the test. */
function countReads(t: Test): () => number {
  let reads = 0
  const { query } = pg.Client.prototype
  t.teardown(() => {
    pg.Client.prototype.query = query
  })
  pg.Client.prototype.query = function (this: pg.Client, ...parameters: unknown[]) {
    if (JSON.stringify(parameters[0]).includes('bytes_before')) reads += 1
    return Reflect.apply(query, this, parameters)
    // Safe: it only passes on.
  } as typeof query
  return () => reads
}

t.test('many at the head share one read of what is new', async (t) => {
  const own = await feedService(t)
  await openRegister(own, 'shared', 1)
  const url = `${own.url}/v1/registers/shared/events`
  const listeners = await Promise.all(
    Array.from({ length: 30 }, (_, index) => listen(`${url}?after=1${index % 2 === 0 ? '' : '&stream=new'}`)),
  )
  // Until each has looked for what there is already.
  await sleep(1_000)
  const reads = countReads(t)
  await own.post('/v1/registers/shared/events', made('new'))
  await Promise.all(listeners.map((listener) => listener.until(() => listener.positions().length === 1)))
  t.strictSame(new Set(listeners.flatMap((listener) => listener.positions())), new Set([2]))
  t.equal(reads(), 1)
  for (const listener of listeners) listener.close()
})

t.test('no more than so many follow at once; who leaves makes room', async (t) => {
  const own = await feedService(t, { max: 2 })
  await openDemo(own)
  const url = `${own.url}/v1/registers/demo/events`
  const [first, second] = [await listen(url), await listen(url)]
  await Promise.all([first, second].map((one) => one.until((frames) => frames.length === 5)))
  const refused = await own.get('/v1/registers/demo/events', STREAM)
  t.strictSame(problem(refused), { status: 503, type: '/problems/too-many-followers', pointers: [] })
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.equal((await own.get('/v1/registers/demo/events')).status, 200, 'pages are for everybody')
  first.close()
  await first.ended
  await sleep(50)
  const third = await listen(url)
  t.equal(third.response.statusCode, 200)
  for (const one of [second, third]) one.close()
})

/** A log that no buffer between two processes holds. */
async function insertLong(db: Database, register: string): Promise<number> {
  const log = given(
    ...Array.from({ length: 64 }, () => fact('ProgressReported', '2026-01-02', { note: random(250_000) })),
  )
  await insertRaw(db, register, log)
  return log.length
}

t.test('who takes nothing is cut off and told why; who takes little at a time is not', async (t) => {
  const own = await feedService(t, { slowMs: 1_500, max: 2 })
  const size = await insertLong(own.db, 'long')
  const url = `${own.url}/v1/registers/long/events`
  const slow = await listen(`${url}?until=${size - 1}`)
  slow.response.on('data', () => {
    slow.response.pause()
    setTimeout(() => slow.response.resume(), 2)
  })
  const asleep = await listen(url, {}, { isPaused: true })
  await sleep(2_000)
  asleep.response.resume()
  await asleep.ended
  const last = asleep.frames.at(-1)
  t.ok(asleep.positions().length < size)
  t.equal(last?.event, 'problem')
  const { type, status, detail } = JSON.parse(last?.data ?? '')
  t.strictSame([type, status], ['/problems/too-slow', 503])
  t.equal(detail, 'nothing was taken for 1.5 s: connect again')
  t.ok(areWhole(asleep), 'what it was cut off in is there to its end')
  t.equal(await slow.ended, true)
  t.strictSame(slow.positions(), [...Array(size).keys()])
})

/** Whether every event is one, under its own id. */
function areWhole({ frames }: Listener): boolean {
  const events = frames.filter(({ id, data }) => id !== undefined && data !== undefined)
  return (
    events.length > 0 && events.every(({ id, data = '' }) => data.startsWith(`{"position":${id},`) && /}$/.test(data))
  )
}

t.test('what compresses well is read in pages that are short all the same', async (t) => {
  const note = 'x'.repeat(400_000)
  await insertRaw(
    service.db,
    'dense',
    given(...Array.from({ length: 32 }, () => fact('ProgressReported', '2026', { note }))),
  )
  const query = { register: 'dense', after: -1, until: 31, limit: 1_000 }
  const page = await readFeedLines(service.db, query)
  t.ok(page.length > 1 && page.length < 20, `${page.length} of 32 events`)
  const least = await readFeedLines(service.db, query, 1)
  t.strictSame(
    least.map(({ position }) => position),
    [0],
    'one at least',
  )
})

t.test('a whole selection that cannot be read to its end does not seem whole', async (t) => {
  await insertLong(service.db, 'broken')
  const { response } = await ask(`${service.url}/v1/registers/broken/events`, NDJSON)
  await once(response, 'readable')
  await sql`alter table event rename to away`.execute(service.db)
  response.resume()
  await new Promise((resolve) => response.on('close', resolve))
  await sql`alter table away rename to event`.execute(service.db)
  t.strictSame([response.statusCode, response.complete], [200, false])
})

t.test('a reader that goes away is read for no longer', async (t) => {
  // More than what lies between two processes holds.
  await sql`insert into event
    select 'left', times * 64 + position, gen_random_uuid(), stream, times * 64 + revision, type, type_version, recorded_at,
      recorded_by, occurred_on, data, citations, salt, body_hash, leaf
    from event, generate_series(0, 7) times where register = 'broken'`.execute(service.db)
  await sql`insert into register select 'left', size * 8, last_recorded_at, own_revision from register
    where register = 'broken'`.execute(service.db)
  const reads = countReads(t)
  const { sent, response } = await ask(`${service.url}/v1/registers/left/events`, NDJSON)
  await once(response, 'readable')
  sent.destroy()
  await sleep(300)
  t.ok(reads() <= 50, `${reads()} of 170 pages were read`)
})

t.test('a service that stops ends its streams, and its clients go on at another one', async (t) => {
  const own = await feedService(t)
  await openDemo(own)
  const url = `${own.url}/v1/registers/demo/events`
  const listener = await listen(url)
  await listener.until((frames) => frames.length === 5)
  const from = performance.now()
  await own.app.close()
  t.equal(await listener.ended, true)
  t.ok(performance.now() - from < PATIENCE_MS, `stopped within ${Math.round(performance.now() - from)} ms`)
  t.equal(listener.frames.at(-1)?.comment, 'the service stops')
})

t.test('what comes on an open connection while the service stops is answered as ever', async (t) => {
  const own = await feedService(t)
  await openDemo(own)
  // Followers keep it from stopping for as long as they take their last words.
  const sleeping = await listen(`${own.url}/v1/registers/demo/events`, {}, { isPaused: true })
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1')
  let text = ''
  socket.on('data', (bytes) => {
    text += bytes
  })
  const ended = once(socket, 'close')
  // Waits for the projections, of which there are none here, so that the connection is in use.
  socket.write('GET /v1/registers/demo/summary HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await sleep(100)
  const closed = own.app.close()
  socket.write('GET /v1/registers/demo HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await Promise.all([closed, ended])
  sleeping.close()
  t.match(text, /HTTP\/1\.1 200 OK\r\n.*"size":4/s)
  t.notMatch(text, /Service Unavailable"/)
})

t.test('a service that stops ends the event that it is in', async (t) => {
  const own = await feedService(t)
  const size = await insertLong(own.db, 'long')
  const asleep = await listen(`${own.url}/v1/registers/long/events`, {}, { isPaused: true })
  await sleep(500)
  const closed = own.app.close()
  asleep.response.resume()
  t.equal(await asleep.ended, true)
  await closed
  t.ok(asleep.positions().length < size)
  t.ok(areWhole(asleep))
  t.equal(asleep.frames.at(-1)?.comment, 'the service stops')
})

/** What stands between a service and its database, and can be cut. */
async function cuttable(t: Test, address: string) {
  const { hostname, port } = new URL(address)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const onward = connect({ host: hostname, port: Number(port) })
    for (const one of [socket, onward]) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        socket.destroy()
        onward.destroy()
      })
    }
    socket.pipe(onward).pipe(socket)
  })
  const cut = async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: own } = server.address() as AddressInfo
  t.teardown(cut)
  const url = new URL(address)
  url.port = String(own)
  return {
    url: url.href,
    cut,
    async mend() {
      server.listen(own, '127.0.0.1')
      await once(server, 'listening')
    },
  }
}

t.test('followers outlast the database, and miss nothing', async (t) => {
  const address = await testDatabaseUrl(t)
  const way = await cuttable(t, address)
  const own = await feedService(t, { heartbeatMs: 200 }, way.url)
  await openRegister(own, 'outage', 2)
  const url = `${own.url}/v1/registers/outage/events`
  const listener = await listen(url)
  await listener.until(() => listener.positions().length === 3)
  await way.cut()
  const beats = listener.frames.length
  // Longer than memory answers for the database.
  await listener.until((frames) => frames.length > beats + 10)
  t.equal((await own.get('/v1/registers/outage/events', STREAM)).status, 503)
  // Meanwhile somebody else records.
  const direct = openDatabase({ connectionString: address })
  const other = createRecorder(direct, createRegisters(), { now: Date.now })
  const one = {
    ...made('later'),
    typeVersion: 1,
    citations: [],
    id: uuid(9),
    data: { title: 'x', themes: [], parties: [] },
  }
  await other.record('outage', [[{ ...one, type: 'CommitmentMade' }]], 'local')
  await direct.destroy()
  await way.mend()
  await listener.until(() => listener.positions().length === 4)
  t.strictSame(listener.positions(), [0, 1, 2, 3])
  listener.close()
})

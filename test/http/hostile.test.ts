// What a client can do to the service by what it sends and how: `pledger serve` in a process of its own, and bytes as they
// are. Everything gets its status, the memory of the process stays where it was, and others get their answers meanwhile.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/database/pool.ts'
import { type ProblemWord, problemType } from '../../src/kernel/problem-words.ts'
import { syntheticEvents } from '../../src/samples/synthetic.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { start } from '../support/process.ts'
import { listenTo, open, pour, say } from '../support/sockets.ts'

const MB = 2 ** 20
/** How much the process may grow by what a client does: the garbage of what is refused, and nothing that adds up. */
const GROWTH_BYTES = 270 * MB
const HOST = 'Host: localhost\r\n'
const JSON_BODY = `${HOST}Content-Type: application/json\r\n`

const databaseUrl = await testDatabaseUrl(t)
const { child, says } = start(t, ['serve', '--unsafe-database'], {
  PLEDGER_DATABASE_URL: databaseUrl,
  PLEDGER_PORT: '0',
  PLEDGER_LOG_LEVEL: 'warn',
})
const log: string[] = []
child.stderr?.on('data', (text: string) => log.push(text))
const port = Number((await says(/listens on http:\/\/127\.0\.0\.1:(\d+)/))[1])
const address = `http://127.0.0.1:${port}`
const REGISTER = `${address}/v1/registers/synthetic-310`

/** The processor time that the service has taken, in milliseconds: the same however many others want the processor. */
async function processorMs(): Promise<number> {
  // The 14th and 15th fields, in ticks of a hundredth of a second.
  const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

async function memory(): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
  return 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1])
}

/** Asks for something all the while; what the service did at most until it answered, and what the statuses were. */
function probe() {
  const state = { slowestMs: 0, statuses: new Set<number>(), isOver: false }
  const asking = (async () => {
    while (!state.isOver) {
      const began = await processorMs()
      const { status } = await fetch(`${REGISTER}/summary?asOf=2026-02-26`, {
        signal: AbortSignal.timeout(PATIENCE_MS),
      })
      state.statuses.add(status)
      state.slowestMs = Math.max(state.slowestMs, (await processorMs()) - began)
      await sleep(20)
    }
  })()
  return async () => {
    state.isOver = true
    await asking
    return { slowestMs: state.slowestMs, statuses: [...state.statuses] }
  }
}

/** Does something to the service, and holds that it stays as it was for everybody else. */
async function unharmed(t: Test, attack: () => Promise<void>): Promise<void> {
  const before = await memory()
  const end = probe()
  try {
    await attack()
  } finally {
    const { slowestMs, statuses } = await end()
    t.strictSame(statuses, [200], 'others are answered meanwhile')
    t.ok(slowestMs < 5_000, `within ${Math.round(slowestMs)} ms`)
    const growth = (await memory()) - before
    t.ok(growth < GROWTH_BYTES, `${Math.round(growth / MB)} MB more`)
  }
}

function problemIn(text: string): string | undefined {
  return /"type":"(\/problems\/[a-z-]+)"/.exec(text)?.[1]
}

const events = [...syntheticEvents({ commitments: 310, delivered: 125, late: 14, seed: 1, asOf: '2026-02-26' })]
const ndjson = events.map((event) => `${JSON.stringify(event)}\n`).join('')
const imported = await fetch(`${REGISTER}/events`, {
  method: 'POST',
  headers: { 'content-type': 'application/x-ndjson' },
  body: ndjson,
})
if (imported.status !== 200) throw new Error(await imported.text())
await fetch(`${REGISTER}/summary?minSize=${events.length}`)

// What is sent, what is answered. Where the service cannot know where a request ends, the connection ends.
const SHAPES: [what: string, bytes: string, statuses: number[], word?: ProblemWord][] = [
  [
    'a length and chunks',
    `POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\n${HOST}\r\n`,
    [400],
    'malformed',
  ],
  [
    'two encodings',
    `POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n`,
    [400],
    'malformed',
  ],
  [
    'an unknown encoding',
    `POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    [400],
    'malformed',
  ],
  ['bare line feeds', 'GET /livez HTTP/1.1\nHost: localhost\n\n', [400], 'malformed'],
  ['one bare line feed', `GET /livez HTTP/1.1\r\n${HOST}X: y\nZ: z\r\n\r\n`, [400], 'malformed'],
  ['a folded field', `GET /livez HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, [400], 'malformed'],
  ['a space before the colon', `GET /livez HTTP/1.1\r\n${HOST}Content-Length : 3\r\n\r\nabc`, [400], 'malformed'],
  ['a signed length', `POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Content-Length: +2\r\n\r\n{}`, [400], 'malformed'],
  [
    'a chunk of no length',
    `POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    [400],
    'malformed',
  ],
  [
    'a chunk with an endless extension',
    `POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Transfer-Encoding: chunked\r\n\r\n2;${'a'.repeat(40_000)}\r\n{}\r\n0\r\n\r\n`,
    [400],
    'malformed',
  ],
  [
    'a request as the body of a GET',
    `GET /livez HTTP/1.1\r\n${HOST}Content-Length: 38\r\n\r\nGET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    [400],
    'malformed',
  ],
  ['no host', 'GET /livez HTTP/1.1\r\n\r\n', [400], 'malformed'],
  ['two hosts', `GET /livez HTTP/1.1\r\n${HOST}Host: other\r\n\r\n`, [400], 'malformed'],
  ['NUL in a field', `GET /livez HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, [400], 'malformed'],
  ['NUL in the path', `GET /v1/\0 HTTP/1.1\r\n${HOST}\r\n`, [400], 'malformed'],
  ['NUL in an id', `GET /v1/registers/a%00b HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, [404], 'unknown-register'],
  [
    'a path that is not UTF-8',
    `GET /v1/registers/%C3%28 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    [400],
    'malformed',
  ],
  ['a header of 40 KB', `GET /livez HTTP/1.1\r\n${HOST}X: ${'x'.repeat(40_000)}\r\n\r\n`, [431], 'header-too-large'],
  ['an address of 40 KB', `GET /livez?${'x'.repeat(40_000)} HTTP/1.1\r\n${HOST}\r\n`, [431], 'header-too-large'],
  ['150 header fields', `GET /livez HTTP/1.1\r\n${HOST}${'a:b\r\n'.repeat(150)}\r\n`, [431], 'header-too-large'],
  [
    '100,000 parameters',
    `GET /v1/registers/synthetic-310/commitments?${'theme=a&'.repeat(100_000)} HTTP/1.1\r\n${HOST}\r\n`,
    [431],
    'header-too-large',
  ],
  [
    '5,000 parameters',
    `GET /v1/registers/synthetic-310/commitments?${'a&'.repeat(5_000)} HTTP/1.1\r\n${HOST}\r\n`,
    [400],
    'malformed',
  ],
  [
    '101 values of a parameter',
    `GET /v1/registers/synthetic-310/commitments?${'theme=a&'.repeat(101)} HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    [400],
    'malformed',
  ],
  [
    'a page of 1,001',
    `GET /v1/registers/synthetic-310/commitments?limit=1001 HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    [400],
    'malformed',
  ],
  ['HTTP/1.0', 'GET /livez HTTP/1.0\r\n\r\n', [200]],
  ['HTTP/2 without being asked', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400], 'malformed'],
  ['a method that is none', `BREW /livez HTTP/1.1\r\n${HOST}\r\n`, [400], 'malformed'],
  ['TRACE', `TRACE /livez HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, [405], 'method'],
  ['CONNECT', `CONNECT other:443 HTTP/1.1\r\n${HOST}\r\n`, []],
  [
    'DELETE with a body of a gigabyte',
    `DELETE /v1/registers HTTP/1.1\r\n${HOST}Content-Length: 1000000000\r\n\r\nxxxx`,
    [405],
    'method',
  ],
  [
    'a compressed body',
    `POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}`,
    [415],
    'unsupported-media-type',
  ],
  [
    'CSV',
    `POST /v1/registers/synthetic-310/events HTTP/1.1\r\n${HOST}Content-Type: text/csv\r\nContent-Length: 2\r\n\r\na\n`,
    [415],
    'unsupported-media-type',
  ],
  [
    'a form',
    `POST /v1/registers HTTP/1.1\r\n${HOST}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b`,
    [415],
    'unsupported-media-type',
  ],
  [
    'JSON that is not UTF-8',
    `POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Connection: close\r\nContent-Length: 4\r\n\r\n"\xff\xfe"`,
    [400],
    'malformed',
  ],
]

t.test('what is no request, or one too many, is refused with the right status', async (t) => {
  await unharmed(t, async () => {
    for (const [what, bytes, statuses, word] of SHAPES) {
      const found = await say(port, Buffer.from(bytes, 'latin1'))
      t.strictSame([found.statuses, problemIn(found.text)], [statuses, word && problemType(word)], what)
    }
  })
})

async function post(body: string, type = 'application/json', path = '/v1/registers') {
  const answer = await fetch(`${address}${path}`, { method: 'POST', headers: { 'content-type': type }, body })
  return { status: answer.status, text: await answer.text() }
}

t.test('JSON that is made to be hard is refused in a moment', async (t) => {
  await unharmed(t, async () => {
    for (const [what, body, status] of [
      ['10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 400],
      ['500,000 deep, with a number to look at', `${'['.repeat(500_000)}1e400${']'.repeat(500_000)}`, 400],
      ['100,000 deep, of members', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, 400],
      // A pattern that looks for zeros at the end took minutes for these.
      ['a number of a megabyte', `{"title":1${'0'.repeat(1_000_000)}1}`, 422],
      ['a member that is no member', '{"__proto__":{"id":"x"}}', 400],
      ['half a million numbers', `[${'0,'.repeat(500_000)}1.5e3]`, 422],
    ] as const) {
      const began = await processorMs()
      const answer = await post(body)
      t.equal(answer.status, status, `${what}: ${answer.text.slice(0, 200)}`)
      t.ok((await processorMs()) - began < 5_000, what)
    }
    const began = await processorMs()
    for (let count = 0; count < 20; count += 1) {
      await fetch(REGISTER, { headers: { accept: `application/json${' '.repeat(15_000)}x` } })
    }
    t.ok((await processorMs()) - began < 1_500, 'a header of spaces is read once')
  })
})

t.test('a body of a gigabyte is refused early, and the connection is closed', async (t) => {
  await unharmed(t, async () => {
    const piece = Buffer.alloc(65_536, ' ')
    for (const head of ['Content-Length: 1000000000', 'Transfer-Encoding: chunked']) {
      const socket = await open(port)
      const all = listenTo(socket)
      socket.write(`POST /v1/registers HTTP/1.1\r\n${JSON_BODY}${head}\r\n\r\n`)
      const isChunked = head.startsWith('T')
      const chunk = Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')])
      const sent = await pour(socket, isChunked ? chunk : piece, 1_000_000_000)
      const { statuses, text } = await all
      t.strictSame([statuses, problemIn(text)], [[413], '/problems/too-large'], head)
      t.match(text, /\r\nconnection: close\r\n/i)
      t.ok(sent < 1_000_000_000, `after ${Math.round(sent / MB)} MB`)
    }
  })
})

t.test('a line without an end is counted and not kept, however long it is', async (t) => {
  await unharmed(t, async () => {
    const socket = await open(port)
    const all = listenTo(socket)
    const bytes = 100 * MB
    const type = 'Content-Type: application/x-ndjson'
    const length = `Content-Length: ${bytes}\r\nConnection: close`
    socket.write(`POST /v1/registers/synthetic-310/events HTTP/1.1\r\n${HOST}${type}\r\n${length}\r\n\r\n`)
    await pour(socket, Buffer.alloc(MB, 'x'), bytes)
    const { statuses, text } = await all
    t.strictSame(statuses, [200])
    const { recorded, refused, refusals } = JSON.parse(text.slice(text.indexOf('{"size"')))
    t.strictSame([recorded, refused, refusals[0].type], [0, 1, '/problems/too-large'])
  })
})

t.test('a thousand connections that say nothing, or half a header, keep nobody out', async (t) => {
  await unharmed(t, async () => {
    const sockets = await Promise.all(Array.from({ length: 1_000 }, () => open(port)))
    for (const socket of sockets.slice(0, 300)) socket.write('GET /livez HTTP/1.1\r\nHost: ple')
    for (const socket of sockets.slice(300, 500))
      socket.write(`POST /v1/registers HTTP/1.1\r\n${JSON_BODY}Content-Length: 100\r\n\r\n{`)
    // Gone without a word, as where a cable is cut.
    for (const socket of sockets.slice(500, 700)) socket.resetAndDestroy()
    await sleep(500)
    t.equal((await fetch(`${address}/readyz`)).status, 200)
    for (const socket of sockets) socket.destroy()
  })
})

t.test('requests on one connection are answered in order, and those that are too many end it', async (t) => {
  await unharmed(t, async () => {
    const one = `GET /v1/registers/synthetic-310/events?limit=1 HTTP/1.1\r\n${HOST}\r\n`
    const few = await say(port, `${one.repeat(15)}GET /livez HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`)
    t.strictSame(few.statuses, Array(16).fill(200))
    t.match(few.text, /{"status":"live"}$/)
    const many = await say(port, one.repeat(20_000))
    t.strictSame([...new Set(many.statuses)], [200, 429])
    t.ok(many.statuses.length <= 17, `${many.statuses.length} answers`)
    t.equal(problemIn(many.text), '/problems/rate-limited')
  })
})

t.test('who reads slowly, or not at all, makes the service keep nothing for them', async (t) => {
  await unharmed(t, async () => {
    const accepts = ['application/x-ndjson', 'text/event-stream', 'application/json']
    const sockets = await Promise.all(Array.from({ length: 60 }, () => open(port)))
    for (const [index, socket] of sockets.entries()) {
      socket.pause()
      const accept = accepts[index % 3]
      const path = accept === 'application/json' ? 'commitments?limit=1000' : 'events'
      const one = `GET /v1/registers/synthetic-310/${path} HTTP/1.1\r\n${HOST}Accept: ${accept}\r\n\r\n`
      socket.write(one.repeat(5))
    }
    await sleep(3_000)
    for (const socket of sockets) socket.destroy()
  })
})

t.test('what clients do is no failure of the service, and hardly anything to log', async (t) => {
  const lines = log.join('').split('\n').slice(0, -1)
  const failures = lines.filter((line) => JSON.parse(line).level >= 50)
  t.strictSame(failures, [])
  t.ok(lines.length < 100, `${lines.length} lines`)
})

type Operations = Record<string, Record<string, { requestBody?: unknown }>>

const PARAMETERS: Record<string, string> = {
  register: 'synthetic-310',
  commitment: 'measure-0001',
  projection: 'periods',
  operation: '01890000-0000-7000-8000-000000000000',
  rest: '0/000',
  word: 'internal',
}

t.test('whatever breaks beneath, no answer tells how, and no log what was sent', async (t) => {
  const { paths } = (await (await fetch(`${address}/openapi.json`)).json()) as { paths: Operations }
  const db = openDatabase({ connectionString: databaseUrl, max: 1 })
  t.teardown(() => db.destroy())
  await sql`alter schema public rename to elsewhere`.execute(db)
  const event = {
    stream: 'hunter2-body',
    type: 'CommitmentMade',
    occurredOn: '2026-01-01',
    data: { title: 'hunter2-body' },
  }
  let failed = 0
  for (const [path, operations] of Object.entries(paths)) {
    const filled = path.replaceAll(/\{([^}]+)\}/g, (_, name) => PARAMETERS[name] ?? '1')
    for (const method of Object.keys(operations)) {
      const hasBody = method === 'post'
      const headers = { authorization: 'Bearer hunter2-token', ...(hasBody && { 'content-type': 'application/json' }) }
      const body = hasBody ? JSON.stringify(event) : null
      const url = `${address}${filled}?knownAt=hunter2-query`
      for (const one of hasBody ? [`${address}${filled}`] : [url, `${address}${filled}`]) {
        const answer = await fetch(one, { method, headers, body, signal: AbortSignal.timeout(PATIENCE_MS) })
        const text = await answer.text()
        if (answer.status >= 500) failed += 1
        if (answer.status >= 400)
          t.notMatch(
            text,
            /relation|schema|\bselect\b|\binsert\b|42P01|\.ts:\d|node_modules|postgres/i,
            `${method} ${one}`,
          )
        if (answer.status >= 400) t.match(answer.headers.get('content-type'), /^application\/problem\+json/, path)
      }
    }
  }
  t.ok(failed >= 15, `${failed} failed`)
  await sql`alter schema elsewhere rename to public`.execute(db)
  t.match(log.join(''), /does not exist/, 'what happened is in the log')
  t.notMatch(log.join(''), /hunter2/)
})

// What the service does while its database fails: killed, away, silent, slow, cut off at the worst moment, without space. Real
// processes and a real PostgreSQL; what stands between them and fails is test/support/fault-proxy.ts.

import { execFile, execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { chmod, mkdtemp, open, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { attachEmbedded, openEmbedded } from '../../src/database/embedded/server.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { syntheticEvents } from '../../src/samples/synthetic.ts'
import { type Sent, sender } from '../storm/send.ts'
import { readLog } from '../storm/verdict.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { listen } from '../support/event-stream.ts'
import { faultProxy } from '../support/fault-proxy.ts'
import { PATIENCE_MS, until } from '../support/patience.ts'
import { PLAIN_NODE, pledger } from '../support/process.ts'
import { lines, NDJSON, OPENED, type Posted, posted, uuid } from '../support/register.ts'
import { serving } from '../support/serving.ts'
import { EVENTS, lossOf, openForWriters, post, startWriters } from '../support/writers.ts'

/** How often PostgreSQL is killed; more for a longer look: POSTGRES_KILLS=20. */
const KILLS = Number(process.env.POSTGRES_KILLS ?? 3)
const WRITERS = 8

const QUIETLY = { ...PLAIN_NODE, PLEDGER_LOG_LEVEL: 'warn' }

// Most of it is waiting.
t.jobs = 4

async function directory(t: Test): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'pledger-faults-')))
  // Reachable for the user that PostgreSQL runs under where the tests run as root.
  await chmod(dir, 0o755)
  t.teardown(() => rm(dir, { recursive: true, force: true, maxRetries: 10 }))
  return dir
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    client.end().catch(() => {})
  }
}

const postmasterPid = async (dir: string) =>
  Number((await readFile(join(dir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0])

/** The processes of a PostgreSQL server besides its first. */
function childrenOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number))
  return pairs.flatMap(([child = 0, parent]) => (parent === pid ? [child] : []))
}

function killProcesses(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      // It has ended, as they do when they hear of each other's end.
      if ((error as { code?: string }).code !== 'ESRCH') throw error
    }
  }
}

type Killing = (postmaster: number) => number[]

/** The ways in which PostgreSQL is killed: its first process, all of them at once, and one that ends the sessions of all. */
const KILLINGS: Killing[] = [
  (postmaster) => [postmaster],
  (postmaster) => [postmaster, ...childrenOf(postmaster)],
  (postmaster) => childrenOf(postmaster).slice(0, 1),
]

/** Kills PostgreSQL in a way; returns when it answers again, as another. */
async function kill(dir: string, connectionString: string, killing: Killing): Promise<void> {
  let isGone = false
  const before = new pg.Client({ connectionString })
  before.on('error', () => {
    isGone = true
  })
  await before.connect()
  killProcesses(killing(await postmasterPid(dir)))
  await until('the connection to the killed server ends', () => isGone)
  await until('PostgreSQL is there again', () => answers(connectionString))
}

t.test('PostgreSQL may be killed at any moment: what was acknowledged is there once, and work goes on', async (t) => {
  const dir = await directory(t)
  // Whoever owns an embedded server starts it again.
  const server = await openEmbedded(dir)
  t.teardown(server.stop)
  const { address } = await serving(t, { ...QUIETLY, PLEDGER_DATABASE_URL: server.connectionString })
  const { send, close } = sender(1)
  t.teardown(close)
  await openForWriters({ send, close }, address, WRITERS)
  const writers = startWriters(address, WRITERS)
  const recoveries: number[] = []
  for (let killed = 0; killed < KILLS; killed += 1) {
    await sleep(100 + Math.random() * 400)
    await kill(dir, server.connectionString, KILLINGS[killed % KILLINGS.length] as Killing)
    recoveries.push(await writers.recovered())
  }
  await writers.end()
  const db = openDatabase({ connectionString: server.connectionString, max: 2 })
  t.teardown(() => db.destroy())
  t.strictSame(await lossOf(db, WRITERS, writers), [])
  const slowest = Math.round(Math.max(...recoveries))
  t.comment(`${writers.book.length} events, ${KILLS} kills, recovered within ${slowest} ms of the database's return`)
  t.ok(slowest < PATIENCE_MS)
  const summary = { path: `/v1/registers/demo/summary?minSize=${1 + WRITERS + writers.book.length}` }
  await until('the projections go on', async () => (await send(address, summary))?.status === 200)
  t.equal((await send(address, { path: '/readyz' }))?.status, 200)
})

/** For how long the database is away in the longest of the tests: BLACK_HOLE_SECONDS=30 for a longer look. */
const AWAY_SECONDS = Number(process.env.BLACK_HOLE_SECONDS ?? 3)

const CONTENT = { commitments: 400, delivered: 150, late: 20, seed: 7, asOf: '2026-02-26' }
const events = [...syntheticEvents(CONTENT)]
const ndjson = lines(...events)

const read = (path: string, accept?: string): Sent => ({
  path: `/v1/registers/demo${path}`,
  headers: accept ? { accept } : {},
})

/** One request of each kind that needs the database. */
const kinds = (): Record<string, Sent> => ({
  record: post(EVENTS, posted('measure-0001', 'ProgressReported', '2026-01-02', { percent: 1 })),
  'record an array': post(EVENTS, [posted('measure-0001', 'ProgressReported', '2026-01-02', { percent: 1 })]),
  'record with a key': post(EVENTS, posted('measure-0001', 'ProgressReported', '2026-01-02', { percent: 1 }), {
    'idempotency-key': randomUUID(),
  }),
  import: { method: 'POST', path: EVENTS, headers: NDJSON, body: ndjson },
  'open a register': post('/v1/registers', { id: 'another', ...OPENED }),
  registers: { path: '/v1/registers' },
  register: read(''),
  summary: read('/summary?asOf=2026-02-26'),
  series: read('/summary/series?from=2026-01-01&to=2026-02-26'),
  list: read('/commitments?asOf=2026-02-26&limit=20'),
  commitment: read('/commitments/measure-0001?asOf=2026-02-26'),
  feed: read('/events?limit=100'),
  'feed as NDJSON': read('/events', 'application/x-ndjson'),
  'feed as server-sent events': read('/events', 'text/event-stream'),
  replay: post('/v1/projections/all/replay', { register: 'demo' }),
  operation: { path: `/v1/operations/${randomUUID()}` },
  checkpoint: read('/checkpoint'),
  proof: read('/events/3/proof'),
  readiness: { path: '/readyz' },
})

/** A service by way of a proxy, with a register of some content whose projections and tree are up with it. */
async function served(t: Test) {
  const direct = await testDatabaseUrl(t)
  const proxy = await faultProxy(t, direct)
  const keys = join(await directory(t), 'keys.pem')
  await writeFile(keys, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const service = await serving(t, { ...QUIETLY, PLEDGER_DATABASE_URL: proxy.address, PLEDGER_SIGNING_KEYS: keys })
  const { send: sendTo, close } = sender(40)
  t.teardown(close)
  const send = (sent: Sent) => sendTo(service.address, sent)
  const opened = await send({ method: 'POST', path: EVENTS, headers: NDJSON, body: ndjson })
  t.equal(opened?.body.recorded, events.length)
  const db = openDatabase({ connectionString: direct, max: 2 })
  t.teardown(() => db.destroy())
  /** How many connections to the database there are besides those of the test. */
  const connections = async () => {
    const { rows } = await sql<{ count: number }>`select count(*) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'test'`.execute(db)
    return rows[0]?.count ?? 0
  }
  const isUp = async () => {
    const size = (await send(read('')))?.body.size
    const ready = await send({ path: '/readyz' })
    const sealed = ready?.body.sealing?.every((one: { behindEvents: number }) => one.behindEvents === 0)
    return size && (await send(read(`/summary?minSize=${size}`)))?.status === 200 && ready?.status === 200 && sealed
  }
  await until('everything is up', isUp)
  return { ...service, proxy, send, db, connections, isUp }
}

type Served = Awaited<ReturnType<typeof served>>

/** Asserts that every kind of request is refused for now, in time, and that the service says that it lives. */
async function refusesAll(t: Test, { send }: Served, manner: string): Promise<void> {
  const began = performance.now()
  const refused = Object.entries(kinds()).map(async ([kind, sent]) => {
    const answer = await send(sent)
    t.strictSame(
      [answer?.status, answer?.body.type, answer?.headers['content-type'], answer?.headers['retry-after']],
      [503, '/problems/database-unavailable', 'application/problem+json; charset=utf-8', '1'],
      `${manner}: ${kind}`,
    )
  })
  t.equal((await send({ path: '/livez' }))?.status, 200, `${manner}: it lives`)
  await Promise.all(refused)
  const ms = Math.round(performance.now() - began)
  t.comment(`${manner}: all answered within ${ms} ms`)
  t.ok(ms < PATIENCE_MS)
}

async function memoryOf({ child }: Served): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(child.pid)])
  return Number(stdout) / 1024
}

/** Asserts that a service which is asked on and on while its database is silent refuses all of it and takes no more memory. */
async function staysSmall(t: Test, service: Served): Promise<void> {
  const { send, close } = sender(1_000)
  t.teardown(close)
  const before = await memoryOf(service)
  const asks = Object.values(kinds()).slice(4, 12)
  const answers: Promise<number | undefined>[] = []
  for (const end = Date.now() + AWAY_SECONDS * 1_000; Date.now() < end; await sleep(50)) {
    const ask = asks[answers.length % asks.length] as Sent
    answers.push(send(service.address, ask).then((answer) => answer?.status))
  }
  t.strictSame([...new Set(await Promise.all(answers))], [503])
  const grownMb = Math.round((await memoryOf(service)) - before)
  t.comment(`${answers.length} more requests in ${AWAY_SECONDS} s of silence, memory grew by ${grownMb} MB`)
  t.ok(grownMb < 100)
}

t.test('while the database is away everything is refused in time, and goes on by itself when it is back', async (t) => {
  const service = await served(t)
  const { proxy, send, connections, isUp, address } = service
  const follower = await listen(`${address}${EVENTS}?after=${events.length - 1}`)
  t.teardown(follower.close)
  const startReplay = async (): Promise<Sent> => {
    const replay = await send(post('/v1/projections/all/replay', { register: 'demo', maxRate: 500 }))
    t.equal(replay?.status, 202)
    const operation = { path: `/v1/operations/${replay?.body.id}` }
    await until('the replay has begun', async () => (await send(operation))?.body.done > 0)
    return operation
  }
  let operation: Sent | null = null
  let recorded = 0
  for (const manner of ['refuse', 'reset', 'blackHole'] as const) {
    if (manner === 'blackHole') operation = await startReplay()
    await proxy.become(manner)
    // Until then answers may come from memory.
    await sleep(1_000)
    await Promise.all([refusesAll(t, service, manner), manner === 'blackHole' && staysSmall(t, service)])
    await proxy.become('pass')
    const back = performance.now()
    const event = posted('measure-0001', 'ProgressReported', '2026-01-03', { note: manner })
    await until('it records', async () => (await send(post(EVENTS, event)))?.status === 201)
    recorded += 1
    t.comment(`${manner}: records ${Math.round(performance.now() - back)} ms after the database is back`)
    await until('everything is up', isUp)
    await until('what was given up is closed', async () => (await connections()) <= 14)
  }
  await until('the replay goes on', async () => (await send(operation as Sent))?.body.status === 'caughtUp')
  await follower.until(() => follower.positions().length >= recorded)
  t.strictSame(
    follower.positions(),
    Array.from({ length: follower.positions().length }, (_, index) => events.length + index),
    'a follower has missed nothing, and got nothing twice',
  )
})

t.test('a slow database makes answers slow, and nothing else', async (t) => {
  const { proxy, send, isUp } = await served(t)
  proxy.delay(200)
  const answers = await Promise.all(
    Object.entries(kinds()).map(
      async ([kind, sent]) => [kind, sent.headers?.accept?.includes('event-stream') ? null : await send(sent)] as const,
    ),
  )
  for (const [kind, answer] of answers)
    if (answer && !['replay', 'operation'].includes(kind)) t.ok(answer.status < 300, `${kind}: ${answer.status}`)
  proxy.delay(0)
  await until('everything is up', isUp)
})

t.test('what was recorded when the answer was cut off is recorded once, and answered as it was', async (t) => {
  const { proxy, send, db } = await served(t)
  const ways: [string, Partial<Posted>, Record<string, string>][] = [
    ['by its key', {}, { 'idempotency-key': '"cut"' }],
    ['by its id', { id: uuid(77) }, {}],
  ]
  for (const [how, more, headers] of ways) {
    const event = posted('measure-0002', 'ProgressReported', '2026-01-02', { note: how }, more)
    const cut = proxy.cutNextCommit()
    const first = await send(post(EVENTS, event, headers))
    await cut
    t.strictSame([first?.status, first?.body.type], [503, '/problems/database-unavailable'], how)
    const second = await send(post(EVENTS, event, headers))
    const third = await send(post(EVENTS, event, headers))
    const stored = (await readLog(db, 'demo')).events.filter(({ data }) => (data as { note?: string }).note === how)
    t.strictSame(
      stored.map(({ id, position }) => ({ id, position })),
      [second, third]
        .map((answer) => ({ id: answer?.body.events[0].id, position: answer?.body.events[0].position }))
        .slice(1),
    )
    t.strictSame(second?.body.events[0].id, stored[0]?.id)
    t.ok([200, 201].includes(second?.status ?? 0))
  }
})

const mount = (dir: string, megabytes: number) =>
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', dir], { stdio: 'ignore' })

/** Why there is no small disk for the test, or false where there is. */
function whyNoDisk(): string | false {
  const dir = mkdtempSync(join(tmpdir(), 'pledger-disk-'))
  try {
    mount(dir, 1)
    execFileSync('umount', [dir])
    return false
  } catch {
    return 'a disk of its own cannot be mounted here'
  } finally {
    rmdirSync(dir)
  }
}

/** A small disk of its own. */
async function smallDisk(t: Test, megabytes: number): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'pledger-disk-')))
  mount(dir, megabytes)
  t.teardown(async () => {
    execFileSync('umount', [dir])
    await rm(dir, { recursive: true })
  })
  return dir
}

/** Takes all the space that is left; returns what gives it back. */
async function fill(dir: string): Promise<() => Promise<void>> {
  const file = join(dir, 'ballast')
  const ballast = await open(file, 'w')
  for (let bytes = 1_048_576; bytes >= 512; ) {
    const { bytesWritten } = await ballast.write(Buffer.alloc(bytes, 1)).catch(() => ({ bytesWritten: 0 }))
    if (bytesWritten < bytes) bytes /= 2
  }
  await ballast.close()
  return () => rm(file)
}

t.test(
  'without space nothing is recorded and reading goes on; with space again all goes on by itself',
  { skip: whyNoDisk() },
  async (t) => {
    const dir = await smallDisk(t, 160)
    const { address, child, ended } = await serving(t, { ...QUIETLY, PLEDGER_DATA: dir })
    const { send, close } = sender(4)
    t.teardown(close)
    t.teardown(async () => {
      child.kill('SIGTERM')
      await ended
    })
    const imported = await send(address, { method: 'POST', path: EVENTS, headers: NDJSON, body: ndjson })
    t.equal(imported?.body.recorded, events.length)
    const summary = read(`/summary?asOf=2026-02-26&minSize=${events.length}`)
    await until('it is summed up', async () => (await send(address, summary))?.status === 200)
    let number = 0
    const record = () => {
      number += 1
      const event = posted('measure-0001', 'ProgressReported', '2026-01-03', {
        note: `${number} ${'long '.repeat(700)}`,
      })
      return send(address, post(EVENTS, event))
    }
    const goesOn = async () => {
      const at = performance.now()
      await until('it records again', async () => (await record())?.status === 201)
      const { size } = (await send(address, read('')))?.body ?? {}
      await until(
        'the projections go on',
        async () => (await send(address, read(`/summary?minSize=${size}`)))?.status === 200,
      )
      t.comment(`all goes on ${Math.round(performance.now() - at)} ms after there is space`)
    }

    const giveBack = await fill(dir)
    const refusal = async () => {
      const answer = await record()
      if (answer?.status !== 201)
        t.strictSame([answer?.status, answer?.body.type], [503, '/problems/database-unavailable'])
      return answer?.status === 503
    }
    await until('it is refused', refusal)
    for (const kind of ['registers', 'register', 'summary', 'series', 'list', 'commitment', 'feed', 'feed as NDJSON'])
      t.equal((await send(address, kinds()[kind] as Sent))?.status, 200, `without space: ${kind}`)
    t.equal((await send(address, { path: '/livez' }))?.status, 200)
    await giveBack()
    await goesOn()

    // Where not even what was done can be written down, PostgreSQL gives up, and starts again when it can.
    const giveBackAgain = await fill(dir)
    const connectionString = (await attachEmbedded(dir)).connectionString
    const isGone = async () => {
      await record()
      const client = new pg.Client({ connectionString, connectionTimeoutMillis: PATIENCE_MS })
      client.on('error', () => {})
      try {
        await client.connect()
        await client.query('select pg_switch_wal()')
        return false
      } catch (error) {
        return !['53100', '57P03'].includes((error as { code?: string }).code ?? '')
      } finally {
        client.end().catch(() => {})
      }
    }
    await until('PostgreSQL gives up', isGone)
    t.equal((await send(address, { path: '/livez' }))?.status, 200)
    t.equal((await send(address, { path: '/readyz' }))?.status, 503)
    await giveBackAgain()
    await goesOn()

    const isSealed = async () =>
      (await send(address, { path: '/readyz' }))?.body.sealing?.every(
        ({ behindEvents }: { behindEvents: number }) => behindEvents === 0,
      )
    await until('it is sealed', isSealed)
    const verified = await pledger(t, ['verify', 'log'], { ...PLAIN_NODE, PLEDGER_DATA: dir })
    t.equal(verified.code, 0, `${verified.out} ${verified.err}`)
  },
)

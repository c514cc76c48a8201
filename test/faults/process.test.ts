// How a service stops: what it has taken on is answered, nothing new is taken on, and nothing of it is left behind; also while
// it starts, with clients that never end, and without its database.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { type ClientRequest, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { openEmbedded } from '../../src/database/embedded/server.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { syntheticEvents } from '../../src/samples/synthetic.ts'
import { sender } from '../storm/send.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { ask, listen } from '../support/event-stream.ts'
import { faultProxy } from '../support/fault-proxy.ts'
import { PATIENCE_MS, until } from '../support/patience.ts'
import { PLAIN_NODE, type Started, start } from '../support/process.ts'
import { lines, NDJSON, posted } from '../support/register.ts'
import { serving } from '../support/serving.ts'
import { EVENTS, lossOf, openForWriters, post, startWriters } from '../support/writers.ts'

const WRITERS = 8

const QUIETLY = { ...PLAIN_NODE, PLEDGER_LOG_LEVEL: 'warn' }

t.jobs = 4

async function directory(t: Test): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'pledger-stop-')))
  // Reachable for the user that PostgreSQL runs under where the tests run as root.
  await chmod(dir, 0o755)
  t.teardown(async () => {
    if (existsSync(join(dir, 'postgres/postmaster.pid'))) await (await openEmbedded(dir)).stop()
    await rm(dir, { recursive: true, force: true, maxRetries: 10 })
  })
  return dir
}

async function postmasterOf(dir: string): Promise<number> {
  return Number((await readFile(join(dir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0])
}

/** Whether a process runs: one that has ended may still be listed where nobody asks for its end. */
async function runs(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,stat='])
  return stdout.split('\n').some((line) => {
    const [id, state = ''] = line.trim().split(/\s+/)
    return Number(id) === pid && !state.startsWith('Z')
  })
}

/** Sends SIGTERM and asserts that the process ends in time and in order. */
async function stops(t: Test, { child, ended }: Started, how: string): Promise<void> {
  const began = performance.now()
  child.kill('SIGTERM')
  const { code, signal, err } = await ended
  const ms = Math.round(performance.now() - began)
  t.strictSame({ code, signal }, { code: 0, signal: null }, `${how}: ${err.slice(-500)}`)
  t.comment(`${how}: stopped in ${ms} ms`)
  t.ok(ms < PATIENCE_MS)
}

/** An import whose lines never end. */
function endlessImport(t: Test, address: string): ClientRequest {
  const sending = request(`${address}${EVENTS}`, { method: 'POST', headers: NDJSON })
  sending.on('error', () => {})
  let number = 0
  const timer = setInterval(() => {
    number += 1
    sending.write(lines(posted('w0', 'StatusReported', '2026-01-02', { status: `import ${number}` })))
  }, 10)
  t.teardown(() => {
    clearInterval(timer)
    sending.destroy()
  })
  return sending
}

async function isRefused(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address)
  const socket = connect(Number(port), hostname)
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(false)).once('error', () => resolve(true))
  }).finally(() => socket.destroy()) as Promise<boolean>
}

t.test('under load, what was taken on is answered, and no process is left', async (t) => {
  const dir = await directory(t)
  const service = await serving(t, { ...QUIETLY, PLEDGER_DATA: dir })
  const { address } = service
  const { send, close } = sender(8)
  t.teardown(close)
  await openForWriters({ send, close }, address, WRITERS)
  const content = { commitments: 600, delivered: 200, late: 20, seed: 7, asOf: '2026-02-26' }
  const body = lines(...syntheticEvents(content))
  const imported = await send(address, { method: 'POST', path: '/v1/registers/large/events', headers: NDJSON, body })
  t.equal(imported?.status, 200)
  const postmaster = await postmasterOf(dir)

  const writers = startWriters(address, WRITERS)
  const follower = await listen(`${address}${EVENTS}`)
  t.teardown(follower.close)
  const replay = await send(address, post('/v1/projections/all/replay', { register: 'large', maxRate: 100 }))
  t.equal(replay?.status, 202)
  endlessImport(t, address)
  // One that asks for everything, and takes nothing of it.
  const slow = await ask(`${address}/v1/registers/large/events`, { accept: 'application/x-ndjson' })
  t.teardown(() => slow.sent.destroy())
  slow.response.pause()
  await until('all of them are at it', () => writers.book.length > 100 && follower.positions().length > 100)
  const operation = { path: `/v1/operations/${replay?.body.id}` }
  await until('the replay is on its way', async () => (await send(address, operation))?.body.done > 0)

  const stopped = stops(t, service, 'with writers, a follower, a replay, an import and a slow reader')
  await until('nobody new is let in', () => isRefused(address))
  const answeredBy = writers.book.length
  t.equal(await follower.ended, true, 'a follower is told that it ends')
  await stopped
  await writers.giveUp()
  t.comment(`${writers.book.length} events were acknowledged, ${answeredBy} of them until nobody new was let in`)
  t.notOk(await runs(postmaster), 'PostgreSQL has stopped')
  t.notOk(existsSync(join(dir, 'postgres/postmaster.pid')))

  const server = await openEmbedded(dir)
  t.teardown(server.stop)
  t.equal(server.adopted, false)
  const db = openDatabase({ connectionString: server.connectionString, max: 2 })
  t.teardown(() => db.destroy())
  t.strictSame(await lossOf(db, WRITERS, writers, { hasGivenUp: true }), [])
})

t.test('while it starts it is stopped as soon as it has, and a second signal ends it at once', async (t) => {
  const dir = await directory(t)
  const env = { ...PLAIN_NODE, PLEDGER_PORT: '0', PLEDGER_DATA: dir }
  const starting = start(t, ['serve', '--unsafe-database'], env)
  let log = ''
  starting.child.stderr?.on('data', (text) => {
    log += text
  })
  await until('PostgreSQL starts', () => log.includes('starting PostgreSQL'))
  await stops(t, starting, 'while it starts')
  t.notOk(existsSync(join(dir, 'postgres/postmaster.pid')), 'PostgreSQL has stopped')

  const service = await serving(t, { ...QUIETLY, PLEDGER_DATA: dir })
  const { send, close } = sender(1)
  t.teardown(close)
  await openForWriters({ send, close }, service.address, 1)
  endlessImport(t, service.address)
  await sleep(200)
  service.child.kill('SIGTERM')
  await until('nobody new is let in', () => isRefused(service.address))
  const began = performance.now()
  service.child.kill('SIGTERM')
  const { code, signal } = await service.ended
  t.strictSame({ code, signal }, { code: 143, signal: null })
  t.comment(`the second signal ended it in ${Math.round(performance.now() - began)} ms`)

  const next = await openEmbedded(dir)
  t.equal(next.adopted, true, 'what was left of PostgreSQL is taken over')
  await next.stop()
})

t.test('without its database it stops in time, too', async (t) => {
  const proxy = await faultProxy(t, await testDatabaseUrl(t))
  const service = await serving(t, { ...QUIETLY, PLEDGER_DATABASE_URL: proxy.address })
  const { send, close } = sender(WRITERS)
  t.teardown(close)
  await openForWriters({ send, close }, service.address, WRITERS)
  const writers = startWriters(service.address, WRITERS)
  await until('they are at it', () => writers.book.length > 20)
  await proxy.become('blackHole')
  await sleep(500)
  await stops(t, service, 'with a database that is silent')
  await writers.giveUp()
  t.strictSame(writers.problems, [])
})

t.test('where its start does not come to an end it can be stopped all the same', async (t) => {
  const databaseUrl = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: databaseUrl, max: 2 })
  t.teardown(() => db.destroy())
  await db.transaction().execute(async (tx) => {
    // As whoever migrates does.
    await sql`select pg_advisory_xact_lock(3853314791062309107)`.execute(tx)
    const starting = start(t, ['serve', '--unsafe-database'], {
      ...PLAIN_NODE,
      PLEDGER_PORT: '0',
      PLEDGER_DATABASE_URL: databaseUrl,
    })
    await until('it waits for its turn', async () => {
      const { rows } = await sql`select from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())`.execute(db)
      return rows.length > 0
    })
    await stops(t, starting, 'while another migrates')
  })
})

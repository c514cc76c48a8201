// What the service does while its database fails: killed, away, silent, slow, cut off at the worst moment, without space. Real
// processes and a real PostgreSQL; what stands between them and fails is test/support/fault-proxy.ts.

import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { openEmbedded } from '../../src/database/embedded.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { sender } from '../storm/send.ts'
import { lossOf, openForWriters, serve, startWriters, until } from '../support/serve.ts'

/** How often PostgreSQL is killed; more for a longer look: POSTGRES_KILLS=20. */
const KILLS = Number(process.env.POSTGRES_KILLS ?? 4)
const WRITERS = 8

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
  const pids = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return pids.trim().split(/\s+/).map(Number)
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
  const { address } = await serve(t, { PLEDGER_DATABASE_URL: server.connectionString })
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
  // Measured in milliseconds; the machine may have other things to do.
  t.ok(slowest < 30_000)
  const summary = { path: `/v1/registers/demo/summary?minSize=${1 + WRITERS + writers.book.length}` }
  await until('the projections go on', async () => (await send(address, summary))?.status === 200)
  t.equal((await send(address, { path: '/readyz' }))?.status, 200)
})

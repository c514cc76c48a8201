// What somebody waits for is bounded, without a setting that would stay with a session.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { openDatabases } from '../../src/database/pool.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { NO_PGBOUNCER, pgbouncerUrl } from '../support/pgbouncer.ts'

/** Long enough for whatever takes no time, on a busy machine too. */
const BOUNDS = { statementMs: 1_200, lockMs: 300, idleMs: 600, giveUpMs: 600 }
const directUrl = await testDatabaseUrl(t)

function opened(t: Test, connectionString: string) {
  const databases = openDatabases({ connectionString, max: 1 }, BOUNDS)
  t.teardown(() => databases.db.destroy())
  return databases
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    return code ?? message
  }
}

async function isBounded(t: Test, url: string): Promise<void> {
  const { db, bounded } = opened(t, url)
  const sleep = (seconds: number) => sql`select pg_sleep(${seconds})`
  t.equal(await codeOf(sleep(3_600).execute(bounded)), '57014', 'on its own it is cancelled')
  t.equal(await codeOf(sleep(0.01).execute(bounded)), 'done', 'and the next one is not')
  t.equal(
    await codeOf(bounded.transaction().execute((tx) => sleep(3_600).execute(tx))),
    '57014',
    'in a transaction too',
  )
  t.equal(await codeOf(sleep(1.5).execute(db)), 'done', 'work that takes its time takes it')
  t.equal(await codeOf(db.transaction().execute((tx) => sleep(1.5).execute(tx))), 'done')
  const { rows } = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(bounded)
  t.strictSame(rows, [{ statement_timeout: '0' }], 'nothing stays with the session')
}

t.test('a statement that somebody waits for is cancelled, and others take their time', (t) => isBounded(t, directUrl))

t.test('so it is through a transaction pooler', { skip: NO_PGBOUNCER }, async (t) => {
  await isBounded(t, await pgbouncerUrl(t, directUrl))
})

t.test('a transaction waits for a lock, and its locks for it, only so long', async (t) => {
  const [one, other] = [opened(t, directUrl), opened(t, directUrl)]
  await sql`create table locked (id integer)`.execute(one.db)
  const lock = sql`lock table locked`
  await one.db.transaction().execute(async (tx) => {
    await lock.execute(tx)
    t.equal(await codeOf(other.bounded.transaction().execute((tx) => lock.execute(tx))), '55P03')
  })
  const [locked, taken] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const idle = one.bounded.transaction().execute(async (tx) => {
    await lock.execute(tx)
    locked.resolve()
    await taken.promise
    await sql`select 1`.execute(tx)
  })
  idle.catch(() => {})
  await locked.promise
  t.equal(await codeOf(lock.execute(other.db)), '25P01', 'outside a transaction there is none')
  t.equal(await codeOf(other.db.transaction().execute((tx) => lock.execute(tx))), 'done', 'it was let go')
  taken.resolve()
  t.not(await codeOf(idle), 'done')
})

t.test('a connection that nothing comes from any more is given up, and replaced', async (t) => {
  const { hostname, port } = new URL(directUrl)
  const sockets: Socket[] = []
  let isSilent = false
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.push(from)
      from.on('data', (bytes) => isSilent || to.write(bytes))
      from.on('error', () => {})
      from.on('close', () => to.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  const url = new URL(directUrl)
  url.host = `127.0.0.1:${(proxy.address() as { port: number }).port}`
  const { bounded } = opened(t, url.href)
  const ask = () => codeOf(sql`select 1`.execute(bounded))
  t.equal(await ask(), 'done')
  isSilent = true
  t.match(await ask(), /^Connection terminated/)
  isSilent = false
  t.equal(await ask(), 'done')
})

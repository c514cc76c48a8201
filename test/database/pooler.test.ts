// Everything through pgbouncer in transaction mode, where each transaction may meet another session: nothing that Pledger does
// may rest on what a session remembers. test/storm/storm.test.ts lets its storm loose on the same.

import { sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../src/database/pool.ts'
import { syntheticEvents } from '../../src/samples/synthetic.ts'
import { startFleet } from '../storm/fleet.ts'
import { sender } from '../storm/send.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { NO_PGBOUNCER, pgbouncerUrl } from '../support/pgbouncer.ts'
import { pledger } from '../support/process.ts'

const OPTIONS = { commitments: 300, delivered: 120, late: 20, seed: 5, asOf: '2026-02-26' }
const events = [...syntheticEvents(OPTIONS)]
const ndjson = events.map((event) => `${JSON.stringify(event)}\n`).join('')

t.test(
  'of several that migrate through a pooler at once one does it, and none waits for ever',
  { skip: NO_PGBOUNCER },
  async (t) => {
    const directUrl = await testDatabaseUrl(t)
    const db = openDatabase({ connectionString: directUrl, max: 1 })
    t.teardown(() => db.destroy())
    await sql`drop schema public cascade`.execute(db)
    await sql`create schema public`.execute(db)
    const env = { PLEDGER_DATABASE_URL: await pgbouncerUrl(t, directUrl) }
    for (const round of ['first', 'again']) {
      const ended = await Promise.all([1, 2, 3].map(() => pledger(t, ['migrate'], env)))
      t.strictSame(
        ended.map(({ code, err }) => [code, err]),
        ended.map(() => [0, '']),
        round,
      )
      const applied = ended.filter(({ out }) => out.includes('0001-baseline'))
      t.equal(applied.length, round === 'first' ? 1 : 0)
    }
    const { rows } = await sql`select pid from pg_locks where locktype = 'advisory'`.execute(db)
    t.strictSame(rows, [], 'no session was left with a lock')
  },
)

const ASKED = [
  '/v1/registers',
  ...[
    '',
    '/summary?asOf=2026-02-26',
    '/summary?asOf=2025-06-30&knownAt=900&groupBy=programme,theme,party',
    '/summary/series?from=2024-01-01&to=2026-02-26',
    '/summary/difference?asOf=2026-02-26&from=500&to=1500',
    '/commitments?asOf=2026-02-26&limit=500',
    '/commitments?asOf=2025-01-31&knownAt=1000&sort=-slippageDays&limit=50',
    '/commitments?asOf=2026-02-26&q=measure&figure=late',
    '/commitments/measure-0007?asOf=2026-02-26',
    '/commitments/measure-0007/timeline',
    '/commitments/measure-0007/events',
    '/events?after=100&limit=700',
    '/events/77',
    '/figures?asOf=2026-02-26',
    '/conflicts?asOf=2026-02-26',
    '/sources',
    '/programmes',
  ].map((path) => `/v1/registers/pooled${path}`),
]

t.test('what is imported and read through a pooler is what it is without', { skip: NO_PGBOUNCER }, async (t) => {
  const directUrl = await testDatabaseUrl(t)
  const pooledUrl = await pgbouncerUrl(t, directUrl)
  const [direct, pooled] = [{ PLEDGER_DATABASE_URL: directUrl }, { PLEDGER_DATABASE_URL: pooledUrl }]
  const fleets = await Promise.all(
    [directUrl, pooledUrl].map((databaseUrl) => startFleet(t, { databaseUrl, count: 1 })),
  )
  const imported = await pledger(t, ['import', '-', '--register', 'pooled'], pooled, ndjson)
  t.equal(imported.code, 0, imported.err)
  const exports = await Promise.all([direct, pooled].map((env) => pledger(t, ['export', '--register', 'pooled'], env)))
  t.equal(exports[0]?.out.split('\n').length, events.length + 1, exports[0]?.err ?? '')
  t.equal(exports[1]?.out, exports[0]?.out)

  const { send, close } = sender(2)
  t.teardown(close)
  const [plain = '', through = ''] = fleets.flatMap((fleet) => fleet.addresses())
  const wait = `/v1/registers/pooled/commitments?limit=1&minSize=${events.length}`
  for (const address of [plain, through]) t.equal((await send(address, { path: wait }))?.status, 200)
  for (const path of ASKED) {
    const [wanted, found] = [await send(plain, { path }), await send(through, { path })]
    const again = await send(through, { path, headers: { 'if-none-match': String(wanted?.headers.etag) } })
    t.strictSame([wanted?.status, found?.status, again?.status], [200, 200, 304], path)
    t.strictSame(found?.body, wanted?.body, path)
  }
  for (const fleet of fleets) t.strictSame(await fleet.stop(), [], 'nothing to complain about')
})

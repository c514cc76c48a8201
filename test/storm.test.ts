// Correctness under load: real services and writers, killed at random, on one real database.

import t from 'tap'
import { openDatabase } from '../src/database/pool.ts'
import { randomFrom } from '../src/samples/random.ts'
import { crowd } from './storm/crowd.ts'
import { startFleet } from './storm/fleet.ts'
import { sender } from './storm/send.ts'
import { open, storm } from './storm/storm.ts'
import { logProblems, readLog } from './storm/verdict.ts'
import { testDatabaseUrl } from './support/database.ts'
import { NO_PGBOUNCER, pgbouncerUrl } from './support/pgbouncer.ts'

const seed = Number(process.env.STORM_SEED ?? Math.floor(Math.random() * 1_000_000))
const SO_FAR = { withKeys: false, readers: 0 }

t.test('whatever is killed when, nothing is lost, skipped or repeated', async (t) => {
  const report = await storm(t, { databaseUrl: await testDatabaseUrl(t), seconds: 10, seed, ...SO_FAR })
  t.strictSame(report.problems, [], `STORM_SEED=${seed}`)
  t.comment(report)
})

t.test('nor through a pooler that gives each transaction another session', { skip: NO_PGBOUNCER }, async (t) => {
  const directUrl = await testDatabaseUrl(t)
  const databaseUrl = await pgbouncerUrl(t, directUrl)
  const report = await storm(t, { databaseUrl, directUrl, seconds: 6, seed, ...SO_FAR })
  t.strictSame(report.problems, [], `STORM_SEED=${seed}`)
  t.comment(report)
})

t.test('two hundred connections at once are answered, told "unchanged" or "later", and lose nothing', async (t) => {
  const databaseUrl = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: databaseUrl, max: 1 })
  t.teardown(() => db.destroy())
  const tools = sender(200)
  t.teardown(tools.close)
  const fleet = await startFleet(t, { databaseUrl, count: 1 })
  const [address = ''] = fleet.addresses()
  const opened = (await open(tools, address)).get('storm') ?? 0
  const given = {
    address,
    register: 'storm',
    readers: 150,
    writers: 50,
    seconds: 4,
    random: randomFrom(`${seed} crowd`),
  }
  const { answers, problems, acknowledged } = await crowd({ ...given, send: tools.send })
  t.strictSame(problems, [])
  t.comment(answers)
  const log = await readLog(db, 'storm')
  t.strictSame(logProblems(log), [])
  const places = acknowledged.sort((a, b) => a.position - b.position)
  t.strictSame(
    places,
    log.events.slice(opened).map(({ position, id }) => ({ position, id })),
    'each once, and nothing else',
  )
  t.ok(places.length > 50)
  t.strictSame(await fleet.stop(), [], 'the service had nothing to complain about')
})

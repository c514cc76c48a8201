// Many at once, and one key at several services: real services on one real database.

import t from 'tap'
import { openDatabase } from '../../src/database/pool.ts'
import { randomFrom } from '../../src/samples/random.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { JSON_TYPE, posted } from '../support/register.ts'
import { crowd } from './crowd.ts'
import { startFleet } from './fleet.ts'
import { sender } from './send.ts'
import { open } from './storm.ts'
import { logProblems, readLog } from './verdict.ts'

const seed = Number(process.env.STORM_SEED ?? Math.floor(Math.random() * 1_000_000))

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

t.test('what is sent to three services at once with one Idempotency-Key is recorded once', async (t) => {
  const databaseUrl = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: databaseUrl, max: 1 })
  t.teardown(() => db.destroy())
  const tools = sender(3)
  t.teardown(tools.close)
  const fleet = await startFleet(t, { databaseUrl, count: 3 })
  const addresses = fleet.addresses()
  const opened = (await open(tools, addresses[0] as string)).get('storm') ?? 0
  const path = '/v1/registers/storm/events'
  const post = (address: string, key: string, body: unknown) => {
    const headers = { ...JSON_TYPE, 'idempotency-key': key }
    return tools.send(address, { method: 'POST', path, headers, body: JSON.stringify(body) })
  }
  for (let turn = 0; turn < 40; turn += 1) {
    // With a revision that only the first can find, or as an array of two, or plainly.
    const fact = posted('shared-1', 'StatusReaffirmed', '2025-03-01', { note: `turn ${turn}` })
    const made = posted(`made-${turn}`, 'CommitmentMade', '2025-03-01', { title: 'Made once' }, { expectedRevision: 0 })
    const body = [fact, made, [fact, made]][turn % 3]
    const answers = await Promise.all(addresses.map((address) => post(address, `key-${turn}`, body)))
    const [first] = answers.filter((answer) => answer?.headers['idempotency-replayed'] === undefined)
    t.strictSame(
      answers.map((answer) => [answer?.status, answer?.body]),
      answers.map(() => [201, first?.body]),
    )
    t.equal(answers.filter((answer) => answer?.headers['idempotency-replayed'] === 'true').length, 2)
  }
  const other = await post(addresses[1] as string, 'key-3', posted('shared-2', 'StatusReaffirmed', '2025-03-01'))
  t.strictSame([other?.status, other?.body.type], [422, '/problems/key-reused'])
  const log = await readLog(db, 'storm')
  t.equal(log.events.length - opened, 14 + 13 + 2 * 13)
  t.strictSame(logProblems(log), [])
  t.strictSame(await fleet.stop(), [], 'the services had nothing to complain about')
})

// Correctness under load: real services and writers, killed at random, on one real database.

import t from 'tap'
import { storm } from './storm/storm.ts'
import { testDatabaseUrl } from './support/database.ts'

const seed = Number(process.env.STORM_SEED ?? Math.floor(Math.random() * 1_000_000))

t.test('whatever is killed when, nothing is lost, skipped or repeated', async (t) => {
  const report = await storm(t, {
    databaseUrl: await testDatabaseUrl(t),
    seconds: 10,
    seed,
    withKeys: false,
    readers: 0,
  })
  t.strictSame(report.problems, [], `STORM_SEED=${seed}`)
  t.comment(report)
})

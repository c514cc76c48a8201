// Correctness under load: real services and writers, killed at random, on one real database.

import t from 'tap'
import { testDatabaseUrl } from '../support/database.ts'
import { NO_PGBOUNCER, pgbouncerUrl } from '../support/pgbouncer.ts'
import { storm } from './storm.ts'

const seed = Number(process.env.STORM_SEED ?? Math.floor(Math.random() * 1_000_000))

t.test('whatever is killed when, nothing is lost, skipped or repeated', async (t) => {
  const report = await storm(t, { databaseUrl: await testDatabaseUrl(t), seconds: 10, seed })
  t.strictSame(report.problems, [], `STORM_SEED=${seed}`)
  t.comment(report)
})

t.test('nor through a pooler that gives each transaction another session', { skip: NO_PGBOUNCER }, async (t) => {
  const directUrl = await testDatabaseUrl(t)
  const databaseUrl = await pgbouncerUrl(t, directUrl)
  const report = await storm(t, { databaseUrl, directUrl, seconds: 6, seed })
  t.strictSame(report.problems, [], `STORM_SEED=${seed}`)
  t.comment(report)
})

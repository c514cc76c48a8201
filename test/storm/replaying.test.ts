// A replay in the middle of a storm, on one real database.

import t from 'tap'
import { testDatabaseUrl } from '../support/database.ts'
import { storm } from './storm.ts'

const seed = Number(process.env.STORM_SEED ?? Math.floor(Math.random() * 1_000_000))

t.test('a replay that is killed in the storm and resumed ends with what a fold from scratch gives', async (t) => {
  const databaseUrl = await testDatabaseUrl(t)
  const report = await storm(t, { databaseUrl, seconds: 5, seed, replayKills: 2 })
  t.strictSame(report.problems, [], `STORM_SEED=${seed}`)
  t.comment(report)
})

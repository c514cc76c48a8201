// `--storm`: what test/storm/storm.test.ts does for seconds, for as long as one likes.

import { migrate } from '../../src/database/migrate.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { storm } from '../storm/storm.ts'
import { makeRoles } from '../support/database.ts'
import type { Ending } from '../support/process.ts'
import type { Tell } from './measure.ts'
import { setBareStage } from './stage.ts'

/** Lets a storm loose and tells what came of it; throws where anything was lost, skipped or repeated. */
export async function stormFor(ending: AsyncDisposableStack, seconds: number, tell: Tell): Promise<void> {
  const { connectionString } = await setBareStage(ending)
  const db = openDatabase({ connectionString, max: 1 })
  await migrate(db)
  await makeRoles(db, connectionString)
  await db.destroy()
  const seed = Number(process.env.STORM_SEED ?? Math.floor(Math.random() * 1_000_000))
  tell(`storm: ${seconds} s, STORM_SEED=${seed}`)
  const { problems, ...report } = await storm(endingOf(ending), { databaseUrl: connectionString, seconds, seed })
  tell(`storm: ${JSON.stringify(report)}`)
  if (problems.length > 0) throw new Error(`the storm did harm:\n${problems.join('\n')}`)
}

/** What the tests' helpers put on a test, put on the stack of the run. */
function endingOf(stack: AsyncDisposableStack): Ending {
  return {
    teardown: (work) => {
      stack.defer(async () => {
        await work()
      })
    },
  }
}

// A replay in the middle of a storm, killed at any moment and run again until it has ended by itself. What it leaves live is
// held against a fold from scratch like everything else.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../src/database/pool.ts'
import { unfinishedOperation } from '../../src/projections/replay/operation.ts'
import type { Random } from '../../src/samples/random.ts'
import { asRole, ROLES } from '../support/database.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { type Ending, PLAIN_NODE, start } from '../support/process.ts'

export type ReplayingOptions = {
  db: Database
  databaseUrl: string
  random: Random
  /** How often it is killed before it may come to its end. */
  kills: number
}

/** Slow enough to be killed in the middle of what a storm has recorded. */
const MAX_RATE = 400

async function generations(db: Database): Promise<Map<string, number>> {
  const rows = await db.selectFrom('projection_progress').select(['register', 'projection', 'generation']).execute()
  return new Map(rows.map(({ register, projection, generation }) => [`${projection} of ${register}`, generation]))
}

/** Waits until a process works on the replay: one that waits for a dead one to lose its turn does not yet. */
async function untilWorkedOn(db: Database, lastBeatOfDead: number | undefined, hasEnded: () => boolean): Promise<void> {
  while (!hasEnded()) {
    const replay = await unfinishedOperation(db)
    if (replay?.isOwned && replay.heartbeatAt?.getTime() !== lastBeatOfDead) return
    await sleep(100)
  }
}

/** Replays every projection of every register; returns what went wrong. */
export async function replayThrough(
  ending: Ending,
  { db, databaseUrl, random, kills }: ReplayingOptions,
): Promise<string[]> {
  const env = { ...PLAIN_NODE, PLEDGER_DATABASE_URL: asRole(databaseUrl, ROLES.service), PLEDGER_LOG_LEVEL: 'warn' }
  const before = await generations(db)
  const until = performance.now() + PATIENCE_MS
  let lastBeatOfDead: number | undefined
  for (let killed = 0; ; ) {
    const { child, ended } = start(ending, ['replay', '--max-rate', String(MAX_RATE), '--workers', '1'], env)
    if (killed < kills) {
      await untilWorkedOn(db, lastBeatOfDead, () => child.exitCode !== null)
      const isOver = await Promise.race([ended.then(() => true), sleep(random.int(700, 3_000), false)])
      if (!isOver) {
        child.kill('SIGKILL')
        killed += 1
        await ended
        lastBeatOfDead = (await unfinishedOperation(db))?.heartbeatAt?.getTime()
        continue
      }
    }
    const { code, err } = await ended
    if (code === 0) break
    const isHeld = /under way/.test(err) && performance.now() < until
    if (!isHeld) return [`the replay ended with ${code}: ${err.slice(-2_000)}`]
    await sleep(500)
  }
  const after = await generations(db)
  return [...before].flatMap(([name, generation]) =>
    (after.get(name) ?? generation) > generation ? [] : [`${name} is read from the build of before the replay`],
  )
}

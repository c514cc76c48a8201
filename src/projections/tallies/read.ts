// The projection `tallies`, its questions: the tallies of parts of a register on some days, at a knowledge. The rollup nearest
// to the knowledge is added up by years, months and days, then the changes between it and the knowledge.

import type { Queryable } from '../../database/pool.ts'
import type { Day } from '../../kernel/plain-date.ts'
import { type Live, liveBuilds } from '../core/live.ts'
import { ProjectionBehindError } from '../core/projection.ts'
import { type Changes, changesBetween, readChanges } from '../periods/changes.ts'
import { membershipsUpTo } from '../periods/memberships.ts'
import { Adding, needsOf, type PartTally, type WantedPart } from './adding.ts'
import { keptSums, keptTail } from './memory.ts'
import { EPOCH } from './rollup.ts'
import { readSums } from './sums.ts'

export type TallyQuestion = {
  register: string
  size: number
  parts: readonly WantedPart[]
  /** The days asked about, in ascending order. */
  days: readonly Day[]
  /** Without the days, slippage and earned schedule cannot be computed; the counts alone cost less. */
  withDays: boolean
  /** How many positions a rollup takes in, where not as many as the service's do. */
  epoch?: number
}

/** The tallies of parts, and the build of `periods` that they were read from. */
type TalliesOfBuild = { tallies: PartTally[]; build: string | null }

/**
 * The tallies of the parts, day by day; of a kind of parts those alone that count something by the last day. Throws
 * ProjectionBehindError where `periods` has not read as much, as while it is built anew.
 */
export async function readTallies(db: Queryable, question: TallyQuestion): Promise<PartTally[]> {
  return (await readTalliesOfBuild(db, question)).tallies
}

/** The same, with the build that they are of. */
export async function readTalliesOfBuild(db: Queryable, question: TallyQuestion): Promise<TalliesOfBuild> {
  const { register, size, epoch = EPOCH } = question
  for (;;) {
    const { periods, tallies } = await liveBuilds(db, register)
    if ((periods?.size ?? 0) < size) throw new ProjectionBehindError(register, size)
    const lastRollup = Math.floor((tallies?.size ?? 0) / epoch) * epoch
    const rollup = Math.min(lastRollup, Math.round(size / epoch) * epoch)
    const adding = new Adding(question)
    const rollups = { rollup, lastRollup, epoch, periods, sums: tallies }
    // Where another build or a later rollup has come in between, the question begins anew.
    const isAdded =
      (rollup === 0 || (await addSums(db, question, rollups, adding))) &&
      (await addChanges(db, question, rollups, adding))
    if (isAdded) return { tallies: adding.parts(), build: periods?.build ?? null }
  }
}

type Rollups = { rollup: number; lastRollup: number; epoch: number; periods: Live | undefined; sums: Live | undefined }

/** Adds what was rolled up; false where another build or a later rollup has come in between. */
async function addSums(
  db: Queryable,
  { register, parts, days, withDays }: TallyQuestion,
  { rollup, lastRollup, epoch, sums }: Rollups,
  adding: Adding,
): Promise<boolean> {
  const needs = needsOf(days)
  const whole = new Set(parts.filter(({ part }) => part === null).map(({ partOf }) => partOf))
  for (const { partOf, part } of parts) {
    // A part that is asked for beside all of its kind is read with these.
    if (part !== null && whole.has(partOf)) continue
    const rows =
      part !== null && rollup === lastRollup
        ? await keptSums(db, register, { partOf, part }, { rollup, sums, epoch }, needs)
        : await readSums(db, register, { partOf, part }, { epochs: rollup / epoch, sums }, needs, withDays)
    if (!rows) return false
    for (const row of rows) adding.addSums(row, withDays)
  }
  return true
}

/** Adds what lies between the rollup and the size of the question; false where another build has come in between. */
async function addChanges(
  db: Queryable,
  { register, size, withDays }: TallyQuestion,
  { rollup, lastRollup, epoch, periods }: Rollups,
  adding: Adding,
): Promise<boolean> {
  const { generation = null, build = null } = periods ?? {}
  const add = async (changes: Changes, from: number, upTo: number) => {
    const memberships = await membershipsUpTo(db, register, changes.memberships)
    const sign = size < rollup ? -1 : 1
    adding.addChanges(changesBetween(changes.statuses, changes.knownFrom, from, upTo), sign, memberships)
    if (!withDays) return
    adding.addChanges(changesBetween(changes.days, changes.knownFrom, from, upTo), sign, memberships)
  }
  // From the last rollup to the head, as long as rolling up keeps up.
  if (rollup === lastRollup && size >= rollup && size - rollup <= 2 * epoch) {
    const tail = await keptTail(db, register, size, { rollup, generation, build })
    if (tail) await add(tail, rollup, size)
    return tail !== null
  }
  const [low, high] = size < rollup ? [size, rollup] : [rollup, size]
  for (let from = low; from < high; from += epoch) {
    const upTo = Math.min(high, from + epoch)
    const changes = await readChanges(db, { register, generation }, from, upTo)
    if (changes.live !== build) return false
    await add(changes, from, upTo)
  }
  return true
}

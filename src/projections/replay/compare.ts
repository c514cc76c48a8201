// Compares the new rows of a replay with the old ones, by their digests at one size. The digests are equal unless a
// fold has changed or one of the two is wrong.

import type { Database } from '../../database/pool.ts'
import type { Registers } from '../../registers/registers.ts'
import { type ProjectionDigest, projectionDigest } from '../checking/digest.ts'
import { projectionSize } from '../core/progress.ts'
import type { ProjectionName } from '../core/versions.ts'
import { noteDifference, type Operation } from './operation.ts'
import { readReplayedRegisters } from './progress.ts'

export type Comparison = {
  register: string
  projection: ProjectionName
  size: number
  sha256: string
  /** Where the rows have gone on meanwhile, and a fold of the log stands for them: commitments hold the newest state alone. */
  isOfLog: boolean
  /** That of the rows before; null where nothing had been live, or they have been dropped meanwhile. */
  before: string | null
  isDifferent: boolean
}

/** Compares, register by register, what a replay has made live with what it replaced. Rejects where the signal ends it. */
export async function* comparisons(
  db: Database,
  registers: Registers,
  { id, projections }: Operation,
  signal: AbortSignal,
): AsyncGenerator<Comparison> {
  for (const { register, reached, previous } of await readReplayedRegisters(db, id)) {
    for (const projection of projections) {
      const build = previous?.[projection]
      const size = build && build.size > 0 ? Math.min(reached, build.size) : reached
      if (size === 0) continue
      const question = { projection, register, size, signal }
      const live = await projectionDigest(db, registers, question)
      const before = build && build.size > 0 ? await projectionDigest(db, registers, { ...question, build }) : null
      yield await compared(db, live, before)
    }
  }
}

async function compared(db: Database, live: ProjectionDigest, before: ProjectionDigest | null): Promise<Comparison> {
  const { register, projection, size, sha256 } = live
  const standsAt = await projectionSize(db, register, projection)
  // Rows of a build go all at once: where there are none at all, somebody has dropped them.
  const isGone = before !== null && before.rows === 0 && live.rows > 0
  const isDifferent = before !== null && !isGone && before.sha256 !== sha256
  const isOfLog = projection === 'commitments' && standsAt !== size
  return { register, projection, size, sha256, isOfLog, before: isGone ? null : (before?.sha256 ?? null), isDifferent }
}

/** Writes down which projections came out differently; `GET /v1/operations/{id}` shows it. Returns it in words. */
export async function tellDifference(
  db: Database,
  { id }: Operation,
  different: readonly Comparison[],
): Promise<string> {
  const names = different.map(({ projection, register }) => `${projection} of ${register}`).join(', ')
  const text = `the new rows differ from the old ones: ${names}; the new ones are live, the old ones are kept`
  await noteDifference(db, id, text)
  return text
}

// The digest of a projection: SHA-256 over its rows at a size, as lines of RFC 8785 JSON in a fixed order, each ended
// by a line feed. It covers the content of the rows. Steps, batches, replays and the numbers that they assigned leave
// no trace in it. So rows that were built twice prove each other.

import { createHash } from 'node:crypto'
import type { Database, Queryable } from '../../database/pool.ts'
import { assertNever } from '../../kernel/assert-never.ts'
import { type Registers, stateKnownAt } from '../../registers/registers.ts'
import { canonicalCommitments, canonicalCommitmentsAt } from '../commitments/canonical.ts'
import { progressOf } from '../core/progress.ts'
import { ProjectionBehindError } from '../core/projection.ts'
import { current, type ProjectionName, VERSIONS } from '../core/versions.ts'
import { canonicalPeriods } from '../periods/canonical.ts'
import { canonicalTallies } from '../tallies/canonical.ts'
import { EPOCH } from '../tallies/rollup.ts'

/** There is no such register. */
export class UnknownRegisterError extends Error {}

/** The register does not hold as many events as are asked for. */
export class BeyondLogError extends Error {}

export type DigestQuestion = {
  projection: ProjectionName
  register: string
  /** As of how many events; what the projection has read, where none is given. */
  size?: number | undefined
  /** Another build than the live one, and how far that reaches. */
  build?: { generation: number; size: number } | undefined
  /** How many positions a rollup takes in, where not as many as the service's do. */
  epoch?: number
  /** Ends the work: the promise is rejected with the reason. */
  signal?: AbortSignal
}

export type ProjectionDigest = {
  projection: ProjectionName
  register: string
  version: number
  size: number
  rows: number
  /** In hexadecimal digits. */
  sha256: string
}

/** The rows of a build that stands at a size, or beyond. */
type Stand = { generation: number; reached: number; size: number; timeZone: string }

function canonicalRows(
  tx: Queryable,
  { projection, register, epoch = EPOCH }: DigestQuestion,
  { generation, reached, size, timeZone }: Stand,
): AsyncGenerator<string[]> {
  const place = { register, generation }
  switch (projection) {
    case 'commitments':
      return size === reached
        ? canonicalCommitments(tx, place)
        : canonicalCommitmentsAt(tx, register, { size, timeZone })
    case 'periods':
      return canonicalPeriods(tx, place, size)
    case 'tallies':
      return canonicalTallies(tx, place, Math.floor(size / epoch))
    default:
      return assertNever(projection)
  }
}

async function digested(lines: AsyncGenerator<string[]>, signal: AbortSignal | undefined) {
  const hash = createHash('sha256')
  let rows = 0
  for await (const some of lines) {
    signal?.throwIfAborted()
    for (const line of some) hash.update(`${line}\n`)
    rows += some.length
  }
  return { rows, sha256: hash.digest('hex') }
}

/**
 * The digest of a projection's live rows at a size. Reads every row, page by page, as they are at one moment: it takes
 * time and one connection, and hardly any memory. `commitments` hold the newest state alone: as of an earlier size than
 * they stand at, it is that of a fold of the log. Throws UnknownRegisterError, BeyondLogError, and ProjectionBehindError
 * where the projection has not read as much, or nothing.
 */
export async function projectionDigest(
  db: Database,
  registers: Registers,
  question: DigestQuestion,
): Promise<ProjectionDigest> {
  const { projection, register, signal } = question
  const known = await registers.read(db, register)
  if (!known) throw new UnknownRegisterError(`there is no register ${register}`)
  const held = known.head.size
  if (question.size !== undefined && question.size > held)
    throw new BeyondLogError(`${register} holds ${held} events, not ${question.size}`)
  const version = VERSIONS[projection]
  // One moment for the progress and all pages: rows are written, switched and dropped meanwhile.
  const transaction = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return transaction.execute(async (tx) => {
    const live = question.build ?? (await progressOf(tx, register, current(projection)))
    const reached = live?.size ?? 0
    const size = question.size ?? reached
    if (!live || reached === 0 || reached < size) throw new ProjectionBehindError(register, Math.max(size, 1))
    const { timeZone } = stateKnownAt(known, size)
    const stand = { generation: live.generation, reached, size, timeZone }
    return { projection, register, version, size, ...(await digested(canonicalRows(tx, question, stand), signal)) }
  })
}

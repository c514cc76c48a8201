// The projection `tallies`: sums of the changes that `periods` has written, rolled up epoch by epoch. Answers come from the
// rollup nearest to the question and the changes between; one that is late makes them slower, never wrong.

import type { Queryable } from '../../database/pool.ts'
import type { Projection, RegisterBuild } from '../core/projection.ts'
import { talliesVersion, VERSIONS } from '../core/versions.ts'
import { readChanges } from '../periods/changes.ts'
import { readMemberships } from '../periods/memberships.ts'
import { partsIn } from './parts.ts'
import { EPOCH, type Piece, type PieceHead, pieceOn, type Sums, sumsOf, wholePiece } from './rollup.ts'
import { readPieceHeads, readPieces, savePieces } from './table.ts'

/** The projection that rolls up every `epoch` positions what a version of `periods` has written. */
export function rolledUpEvery(epoch: number, version: number = VERSIONS.periods): Projection {
  return {
    name: 'tallies',
    version: talliesVersion(version),
    follows: { name: 'periods', version, stepEnd: (from) => (Math.floor(from / epoch) + 1) * epoch },
    async apply(db, { register, size, generation, followed = generation }) {
      if (size % epoch !== 0) return
      const build = { register, generation }
      const sums = await sumsOfEpoch(db, { register, generation: followed }, size, epoch)
      const heads = await readPieceHeads(db, build, sums)
      await savePieces(db, build, await piecesOf(db, build, size / epoch - 1, sums, heads))
    },
  }
}

/** What the epoch that ends at a size comes to, from the changes in a build of `periods`. */
export async function sumsOfEpoch(
  db: Queryable,
  periods: RegisterBuild & { table?: string },
  size: number,
  epoch: number,
): Promise<Sums[]> {
  const { statuses, days } = await readChanges(db, periods, size - epoch, size)
  const memberships = await readMemberships(db, periods.register)
  const all = new Int32Array(statuses.numbers.length + days.numbers.length)
  all.set(statuses.numbers)
  all.set(days.numbers, statuses.numbers.length)
  return sumsOf(all, (membership) => partsIn(memberships, membership))
}

/** The pieces that an epoch puts on top of those that are there; `heads` are the newest ones, in the order of the sums. */
export async function piecesOf(
  db: Queryable,
  build: RegisterBuild,
  epoch: number,
  all: readonly Sums[],
  heads: readonly (PieceHead | null)[],
): Promise<Piece[]> {
  const pieces: Piece[] = []
  const due: (Sums & { base: number })[] = []
  for (const [index, sums] of all.entries()) {
    const head = heads[index] ?? null
    const piece = pieceOn(head, epoch, sums)
    if (piece) pieces.push(piece)
    else if (head) due.push({ ...sums, base: head.base })
  }
  const since = await readPieces(db, build, due)
  for (const [index, sums] of due.entries()) pieces.push(wholePiece(epoch, sums, since[index] ?? []))
  return pieces
}

export const tallies = rolledUpEvery(EPOCH)

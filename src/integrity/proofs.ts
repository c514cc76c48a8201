// Proofs as they are handed out: each held against what was signed before it goes, so that a tree that was damaged is found
// here and not by whoever was given a proof that proves nothing.

import type { Queryable } from '../database/pool.ts'
import { parseCheckpoint } from './checkpoint.ts'
import { type Head, isConsistent, isIncluded } from './merkle.ts'
import { parseNote } from './note.ts'
import { checkpointsAt, type PublishedCheckpoint, readConsistency, readInclusions, readRoot } from './stored.ts'

/** What is stored does not come to what was signed; the message says of which register and where. */
export class BrokenTree extends Error {}

/** That an event stands in the tree of a checkpoint. */
export type Inclusion = { position: number; size: number; leafHash: Buffer; proof: Buffer[]; note: string }

/** That the tree of one size extends that of another. */
export type Consistency = { firstRoot: Buffer; secondRoot: Buffer; proof: Buffer[] }

/** The head that the note of a checkpoint states, which is what a proof has to come to. */
function statedHead({ size, root, note }: PublishedCheckpoint): Head | null {
  const stated = parseCheckpoint(parseNote(note)?.text ?? '')
  return stated?.size === BigInt(size) && root.equals(stated.root) ? stated : null
}

/** What cannot be read of a damaged tree is a BrokenTree too. */
async function unbroken<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof RangeError) throw new BrokenTree(`${what}: ${error.message}`)
    throw error
  }
}

/** The inclusion proofs of events that a checkpoint covers. Throws BrokenTree where one does not come to its root. */
export async function provedInclusions(
  db: Queryable,
  register: string,
  positions: readonly number[],
  checkpoint: PublishedCheckpoint,
): Promise<Inclusion[]> {
  const { size, note } = checkpoint
  const head = statedHead(checkpoint)
  if (!head) throw new BrokenTree(`${register}: the checkpoint of size ${size} is not what its note says`)
  const what = `${register}: the tiles below the checkpoint of size ${size}`
  const read = await unbroken(what, () => readInclusions(db, register, positions, size))
  return read.map(({ leafHash, proof }, at) => {
    // Safe: one proof for each position.
    const position = positions[at] as number
    if (!isIncluded(BigInt(position), head.size, leafHash, proof, head.root))
      throw new BrokenTree(`${register}: the proof of position ${position} does not come to the root of size ${size}`)
    return { position, size, leafHash, proof, note }
  })
}

/**
 * The proof that the tree of the second size extends that of the first, 0 < first <= second, both sealed. Throws BrokenTree
 * where it does not hold, or a root is not the one that was signed for its size.
 */
export async function provedConsistency(
  db: Queryable,
  register: string,
  first: number,
  second: number,
): Promise<Consistency> {
  const what = `${register}: the proof from size ${first} to size ${second}`
  const [firstRoot, secondRoot, proof] = await unbroken(what, () =>
    Promise.all([
      readRoot(db, register, first),
      readRoot(db, register, second),
      readConsistency(db, register, first, second),
    ]),
  )
  const heads = [
    { size: BigInt(first), root: firstRoot },
    { size: BigInt(second), root: secondRoot },
  ] as const
  if (!isConsistent(...heads, proof)) throw new BrokenTree(`${what} does not hold`)
  for (const { size, root } of await checkpointsAt(db, register, [first, second]))
    if (!heads.every((head) => head.size !== BigInt(size) || root.equals(head.root)))
      throw new BrokenTree(`${what}: the tiles do not come to the root that was signed for size ${size}`)
  return { firstRoot, secondRoot, proof }
}

/** An inclusion proof as text that carries its checkpoint (C2SP tlog-proof). */
export function tlogProof({ position, proof, note }: Inclusion): string {
  const hashes = proof.map((hash) => `${hash.toString('base64')}\n`)
  return `c2sp.org/tlog-proof@v1\nindex ${position}\n${hashes.join('')}\n${note}`
}

// Proofs for answers. Each is checked against a signed root before it is sent. So a damaged tree is found here, and
// nobody gets a proof that proves nothing.

import type { Queryable } from '../../database/pool.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { isConsistent, isIncluded, type TreeHead } from '../tlog/merkle.ts'
import { parseNote } from '../tlog/note.ts'
import { type PublishedCheckpoint, readConsistency, readInclusions, readRoot } from './stored.ts'

/** What is stored does not come to what was signed; the message says of which register and where. */
export class BrokenTreeError extends Error {}

/** That an event stands in the tree of a checkpoint. */
export type Inclusion = { position: number; size: number; leafHash: Buffer; proof: Buffer[]; note: string }

/** That the tree of one size extends that of another. */
export type Consistency = { firstRoot: Buffer; secondRoot: Buffer; proof: Buffer[] }

/** The head that the note of a checkpoint states, which is what a proof has to come to. Throws BrokenTreeError. */
function headOf(register: string, { size, root, note }: PublishedCheckpoint): TreeHead {
  const stated = parseCheckpoint(parseNote(note)?.text ?? '')
  if (stated?.size === BigInt(size) && root.equals(stated.root)) return stated
  throw new BrokenTreeError(`${register}: the checkpoint of size ${size} is not what its note says`)
}

/** What cannot be read of a damaged tree is a BrokenTreeError too. */
async function unbroken<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof RangeError) throw new BrokenTreeError(`${what}: ${error.message}`)
    throw error
  }
}

/** The inclusion proofs of events that a checkpoint covers. Throws BrokenTreeError where one does not come to its root. */
export async function provedInclusions(
  db: Queryable,
  register: string,
  positions: readonly number[],
  checkpoint: PublishedCheckpoint,
): Promise<Inclusion[]> {
  const { size, note } = checkpoint
  const head = headOf(register, checkpoint)
  const what = `${register}: the tiles below the checkpoint of size ${size}`
  const read = await unbroken(what, () => readInclusions(db, register, positions, size))
  return read.map(({ leafHash, proof }, at) => {
    // Safe: one proof for each position.
    const position = positions[at] as number
    if (!isIncluded(BigInt(position), head.size, leafHash, proof, head.root))
      throw new BrokenTreeError(
        `${register}: the proof of position ${position} does not lead to the root of size ${size}`,
      )
    return { position, size, leafHash, proof, note }
  })
}

/**
 * The proof that the tree of the second size extends that of the first, 0 < first <= second. Throws BrokenTreeError where
 * it does not hold, or where either tree is not what the newest checkpoint, which covers both, was signed over.
 */
export async function provedConsistency(
  db: Queryable,
  register: string,
  { first, second }: { first: number; second: number },
  newest: PublishedCheckpoint,
): Promise<Consistency> {
  const what = `${register}: the proof from size ${first} to size ${second}`
  const [firstRoot, secondRoot, proof, onwards] = await unbroken(what, () =>
    Promise.all([
      readRoot(db, register, first),
      readRoot(db, register, second),
      readConsistency(db, register, first, second),
      readConsistency(db, register, second, newest.size),
    ]),
  )
  const [from, to] = [
    { size: BigInt(first), root: firstRoot },
    { size: BigInt(second), root: secondRoot },
  ]
  // Tiles that were changed agree with themselves: only what was signed tells.
  const signed = headOf(register, newest)
  if (!isConsistent(from, to, proof) || !isConsistent(to, signed, onwards))
    throw new BrokenTreeError(`${what} does not lead to the root that was signed for size ${newest.size}`)
  return { firstRoot, secondRoot, proof }
}

/** An inclusion proof as text that carries its checkpoint (C2SP tlog-proof). */
export function tlogProof({ position, proof, note }: Inclusion): string {
  const hashes = proof.map((hash) => `${hash.toString('base64')}\n`)
  return `c2sp.org/tlog-proof@v1\nindex ${position}\n${hashes.join('')}\n${note}`
}

// The Merkle tree of RFC 9162, section 2.1, over SHA-256: hashes, roots, the nodes of a proof, and verification. It
// knows nothing of events, files or databases: callers bring the hashes of complete subtrees. Sizes and indices are
// BigInt, because a verifier gets those of others, up to 2^64.

import { hash } from 'node:crypto'

export const HASH_BYTES = 32

/** The hash of a complete subtree of 2^level leaves, the index-th of its level; level 0 are the leaves. */
export type Node = { level: number; index: bigint }

/** Leaves from `start` up to and without `end`. */
export type Range = { start: bigint; end: bigint }

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer')
}

/** The root of the tree without leaves. */
export const EMPTY_ROOT: Buffer = sha256(new Uint8Array())

/** HASH(0x00 || leaf), 32 bytes. */
export function leafHash(leaf: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(leaf.length + 1)
  bytes[0] = 0
  bytes.set(leaf, 1)
  return sha256(bytes)
}

/** HASH(0x01 || left || right), 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(1 + 2 * HASH_BYTES)
  bytes[0] = 1
  bytes.set(left, 1)
  bytes.set(right, 1 + HASH_BYTES)
  return sha256(bytes)
}

/**
 * The complete subtrees that leaves are made of, from left to right. The range is one that a tree consists of: it begins at a
 * multiple of the largest power of two within it.
 */
export function subtreesOf({ start, end }: Range): Node[] {
  const nodes: Node[] = []
  for (let from = start; from < end; ) {
    const level = (end - from).toString(2).length - 1
    nodes.push({ level, index: from >> BigInt(level) })
    from += 1n << BigInt(level)
  }
  return nodes
}

/** The root over complete subtrees from left to right, each smaller than the one before it. */
export function rootOf(subtrees: readonly Uint8Array[]): Buffer {
  const last = subtrees.at(-1)
  if (!last) return EMPTY_ROOT
  return subtrees.slice(0, -1).reduceRight<Buffer>((root, left) => nodeHash(left, root), Buffer.from(last))
}

/** The largest power of two that is smaller than a number from 2. */
function split(count: bigint): bigint {
  return 1n << BigInt((count - 1n).toString(2).length - 1)
}

/**
 * The leaves under each hash of the inclusion proof of a leaf in the tree of a size, from its sibling up (RFC 9162, 2.1.3.1).
 * Throws RangeError where the tree has no such leaf.
 */
export function inclusionRanges(index: bigint, size: bigint): Range[] {
  if (index < 0n || index >= size) throw new RangeError(`a tree of size ${size} has no leaf ${index}`)
  const ranges: Range[] = []
  let [start, end] = [0n, size]
  while (end - start > 1n) {
    const middle = start + split(end - start)
    if (index < middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  return ranges.reverse()
}

/**
 * The leaves under each hash of the proof that the tree of the second size extends that of the first (RFC 9162, 2.1.4.1).
 * Throws RangeError unless 0 < first <= second.
 */
export function consistencyRanges(first: bigint, second: bigint): Range[] {
  if (first <= 0n || first > second) throw new RangeError(`nothing leads from size ${first} to size ${second}`)
  const ranges: Range[] = []
  let [start, end] = [0n, second]
  while (end !== first) {
    const middle = start + split(end - start)
    if (first <= middle) {
      ranges.push({ start: middle, end })
      end = middle
    } else {
      ranges.push({ start, end: middle })
      start = middle
    }
  }
  // Where the first tree is a complete subtree of the second, the verifier has its hash already.
  if (start > 0n) ranges.push({ start, end })
  return ranges.reverse()
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((one) => one.length === HASH_BYTES)
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

/**
 * The root that an inclusion proof leads to (RFC 9162, 2.1.3.2). Null if the length of the proof does not fit its
 * index and size, or if an element is no hash.
 */
function rootFromInclusion(index: bigint, size: bigint, leaf: Uint8Array, proof: readonly Uint8Array[]): Buffer | null {
  if (index < 0n || index >= size || !areHashes([leaf, ...proof])) return null
  let [at, last] = [index, size - 1n]
  let root: Buffer = Buffer.from(leaf)
  for (const sibling of proof) {
    if (last === 0n) return null
    if ((at & 1n) === 1n || at === last) {
      root = nodeHash(sibling, root)
      while ((at & 1n) === 0n && at !== 0n) {
        at >>= 1n
        last >>= 1n
      }
    } else {
      root = nodeHash(root, sibling)
    }
    at >>= 1n
    last >>= 1n
  }
  return last === 0n ? root : null
}

/** Whether a proof shows that the tree with this root and size has the leaf at the index. */
export function isIncluded(
  index: bigint,
  size: bigint,
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  const computed = rootFromInclusion(index, size, leaf, proof)
  return computed !== null && isSame(computed, root)
}

/** A tree at a size. */
export type TreeHead = { size: bigint; root: Uint8Array }

/**
 * Whether a proof shows that the second tree extends the first (RFC 9162, 2.1.4.2). From the tree without leaves there is no
 * proof: everything extends it, and saying so proves nothing.
 */
export function isConsistent(first: TreeHead, second: TreeHead, proof: readonly Uint8Array[]): boolean {
  if (first.size <= 0n || first.size > second.size || !areHashes([first.root, second.root, ...proof])) return false
  if (first.size === second.size) return proof.length === 0 && isSame(first.root, second.root)
  const isComplete = (first.size & (first.size - 1n)) === 0n
  const [seed, ...path] = isComplete ? [first.root, ...proof] : proof
  if (!seed) return false
  let [at, last] = [first.size - 1n, second.size - 1n]
  while ((at & 1n) === 1n) {
    at >>= 1n
    last >>= 1n
  }
  let old: Buffer = Buffer.from(seed)
  let grown: Buffer = Buffer.from(seed)
  for (const sibling of path) {
    if (last === 0n) return false
    if ((at & 1n) === 1n || at === last) {
      old = nodeHash(sibling, old)
      grown = nodeHash(sibling, grown)
      while ((at & 1n) === 0n && at !== 0n) {
        at >>= 1n
        last >>= 1n
      }
    } else {
      grown = nodeHash(grown, sibling)
    }
    at >>= 1n
    last >>= 1n
  }
  return last === 0n && isSame(old, first.root) && isSame(grown, second.root)
}

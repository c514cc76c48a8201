// The Merkle tree of RFC 9162, checked in the browser: what a proof shows, computed anew with WebCrypto.

type Bytes = Uint8Array<ArrayBuffer>

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

export async function sha256(...parts: readonly Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', concat(...parts)))
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** The bytes of canonical base64; null where the text is none. */
export function fromBase64(text: string): Bytes | null {
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
    return toBase64(bytes) === text ? bytes : null
  } catch {
    return null
  }
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

/** The hash of a leaf (RFC 9162, 2.1.1). */
export function leafHash(leaf: Uint8Array): Promise<Bytes> {
  return sha256(Uint8Array.of(0), leaf)
}

function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(Uint8Array.of(1), left, right)
}

function areHashes(all: readonly Uint8Array[]): boolean {
  return all.every(({ length }) => length === 32)
}

export type TreeHead = { size: bigint; root: Uint8Array }

/** Whether a path leads from a leaf to the root of a tree (RFC 9162, 2.1.3.2). */
export async function isIncluded(
  index: bigint,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
  { size, root }: TreeHead,
): Promise<boolean> {
  if (index < 0n || index >= size || !areHashes([leaf, root, ...path])) return false
  let [at, last] = [index, size - 1n]
  let hash = leaf
  for (const sibling of path) {
    if (last === 0n) return false
    if ((at & 1n) === 1n || at === last) {
      hash = await nodeHash(sibling, hash)
      while ((at & 1n) === 0n && at !== 0n) {
        at >>= 1n
        last >>= 1n
      }
    } else hash = await nodeHash(hash, sibling)
    at >>= 1n
    last >>= 1n
  }
  return last === 0n && isSame(hash, root)
}

/** Whether a proof shows that the second tree holds everything of the first, unchanged (RFC 9162, 2.1.4.2). */
export async function isConsistent(first: TreeHead, second: TreeHead, proof: readonly Uint8Array[]): Promise<boolean> {
  if (first.size <= 0n || first.size > second.size || !areHashes([first.root, second.root, ...proof])) return false
  if (first.size === second.size) return proof.length === 0 && isSame(first.root, second.root)
  const isPowerOfTwo = (first.size & (first.size - 1n)) === 0n
  const [seed, ...path] = isPowerOfTwo ? [first.root, ...proof] : proof
  if (!seed) return false
  let [at, last] = [first.size - 1n, second.size - 1n]
  while ((at & 1n) === 1n) {
    at >>= 1n
    last >>= 1n
  }
  let [old, grown] = [seed, seed]
  for (const sibling of path) {
    if (last === 0n) return false
    if ((at & 1n) === 1n || at === last) {
      old = await nodeHash(sibling, old)
      grown = await nodeHash(sibling, grown)
      while ((at & 1n) === 0n && at !== 0n) {
        at >>= 1n
        last >>= 1n
      }
    } else grown = await nodeHash(grown, sibling)
    at >>= 1n
    last >>= 1n
  }
  return last === 0n && isSame(old, first.root) && isSame(grown, second.root)
}

// The tree cut into tiles (C2SP tlog-tiles): the content of a tile, its name, and the tiles that hold the hash of a
// subtree. Tables and files of tiles are read and written by these names.

import { HASH_BYTES, type Node, nodeHash, type Range } from './merkle.ts'

/** Levels of the tree between one level of tiles and the next, and hashes in a full tile. */
export const TILE_HEIGHT = 8
export const TILE_WIDTH = 256

/** The n-th tile of a level of tiles; `width` is how many hashes it holds, from 1 to 256. */
export type TileId = { level: number; index: bigint; width: number }

/** As TileId; level `entries` are the leaves themselves. */
export type ResourceId = { level: number | 'entries'; index: bigint; width: number }

/** How many hashes a level of tiles has in a tree of a size. */
function hashesAt(level: number, size: bigint): bigint {
  return size >> BigInt(TILE_HEIGHT * level)
}

/** The tiles of a tree of a size from a size on: those that hold a hash the smaller tree does not have. */
export function newTiles(from: bigint, size: bigint): TileId[] {
  const tiles: TileId[] = []
  for (let level = 0; hashesAt(level, size) > 0n; level++) {
    const [before, count] = [hashesAt(level, from), hashesAt(level, size)]
    for (let index = before / BigInt(TILE_WIDTH); index * BigInt(TILE_WIDTH) < count; index++) {
      if (count === before) break
      tiles.push({ level, index, width: widthOf(level, index, size) })
    }
  }
  return tiles
}

/** How many hashes a tile has in a tree of a size; 0 where it has none. */
export function widthOf(level: number, index: bigint, size: bigint): number {
  const left = hashesAt(level, size) - index * BigInt(TILE_WIDTH)
  return left <= 0n ? 0 : left >= BigInt(TILE_WIDTH) ? TILE_WIDTH : Number(left)
}

/** The sizes of trees that have a tile in this width: a partial one as long as it is the last of its level. */
export function sizesWith({ level, index, width }: ResourceId): Range {
  const leaves = BigInt(TILE_HEIGHT * (level === 'entries' ? 0 : level))
  const hashes = index * BigInt(TILE_WIDTH) + BigInt(width)
  const end = width === TILE_WIDTH ? 2n ** 64n : (hashes + 1n) << leaves
  return { start: hashes << leaves, end }
}

/** Where the hashes under a complete subtree stand: in one tile, from an offset. */
export type NodePlace = { level: number; index: bigint; offset: number; count: number }

/** The place of a complete subtree: of the tile of its own height, or of as many hashes of the one below as it spans. */
export function placeOf({ level, index }: Node): NodePlace {
  const tileLevel = Math.floor(level / TILE_HEIGHT)
  const count = 2 ** (level % TILE_HEIGHT)
  const first = index * BigInt(count)
  return {
    level: tileLevel,
    index: first / BigInt(TILE_WIDTH),
    offset: Number(first % BigInt(TILE_WIDTH)),
    count,
  }
}

/** The hash of the complete subtree over so many neighbouring hashes of a tile; throws where the tile is too short. */
export function hashWithin(tile: Uint8Array, offset: number, count: number): Buffer {
  const from = offset * HASH_BYTES
  if (tile.length < from + count * HASH_BYTES) throw new RangeError('the tile does not reach so far')
  if (count === 1) return Buffer.from(tile.subarray(from, from + HASH_BYTES))
  const half = count / 2
  return nodeHash(hashWithin(tile, offset, half), hashWithin(tile, offset + half, half))
}

/** A number as path: groups of three digits, all but the last marked with an x. */
function numberPath(index: bigint): string {
  const digits = index.toString()
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0')
  const groups = padded.match(/\d{3}/g) ?? []
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/')
}

/** The path of a tile below its log, such as `tile/0/x001/x234/067.p/12`. */
export function tilePath({ level, index, width }: ResourceId): string {
  const partial = width < TILE_WIDTH ? `.p/${width}` : ''
  return `tile/${level}/${numberPath(index)}${partial}`
}

const PATH = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/
const MAX_LEVEL = 63

/** The tile of a path below its log; null where it is not written exactly so. */
export function parseTilePath(path: string): ResourceId | null {
  const [, level, digits, partial] = PATH.exec(path) ?? []
  if (level === undefined || digits === undefined) return null
  // The shortest form alone: leading groups of zeros would give a tile a second name.
  if (digits.startsWith('x000/')) return null
  const width = partial === undefined ? TILE_WIDTH : Number(partial)
  if (partial !== undefined && width >= TILE_WIDTH) return null
  if (level !== 'entries' && Number(level) > MAX_LEVEL) return null
  const index = BigInt(digits.replaceAll(/[x/]/g, ''))
  return { level: level === 'entries' ? level : Number(level), index, width }
}

const MAX_ENTRY_BYTES = 0xffff

/** Leaves as an entry bundle: each after its length, 16 bits, the higher byte first. */
export function bundle(leaves: readonly Uint8Array[]): Buffer {
  const parts = leaves.flatMap((leaf) => {
    if (leaf.length > MAX_ENTRY_BYTES) throw new RangeError('a leaf of an entry bundle has at most 65,535 bytes')
    const length = Buffer.alloc(2)
    length.writeUInt16BE(leaf.length)
    return [length, leaf]
  })
  return Buffer.concat(parts)
}

/** The leaves of an entry bundle; null where its bytes do not add up. */
export function unbundle(bytes: Uint8Array): Buffer[] | null {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const leaves: Buffer[] = []
  for (let at = 0; at < all.length; ) {
    if (at + 2 > all.length) return null
    const end = at + 2 + all.readUInt16BE(at)
    if (end > all.length) return null
    leaves.push(all.subarray(at + 2, end))
    at = end
  }
  return leaves
}

// The tree as the database keeps it: its tiles and checkpoints, and the proofs that are read from them.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import {
  consistencyRanges,
  HASH_BYTES,
  inclusionRanges,
  type Node,
  type Range,
  rootOf,
  subtreesOf,
} from '../tlog/merkle.ts'
import { hashWithin, type NodePlace, placeOf } from '../tlog/tiles.ts'

/** Tiles at hand, by level and index. */
export class Tiles {
  readonly #tiles = new Map<string, Buffer>()
  // Proofs of neighbouring leaves need the same hashes.
  readonly #known = new Map<string, Buffer>()

  get(level: number, index: bigint): Buffer | undefined {
    return this.#tiles.get(`${level}/${index}`)
  }

  set(level: number, index: bigint, hashes: Buffer): void {
    this.#tiles.set(`${level}/${index}`, hashes)
    this.#known.clear()
  }

  /** The hash of a complete subtree; throws RangeError where its tile is not there, or does not reach so far. */
  hashOf(node: Node): Buffer {
    const name = `${node.level}/${node.index}`
    const known = this.#known.get(name)
    if (known) return known
    const { level, index, offset, count } = placeOf(node)
    const tile = this.get(level, index)
    if (!tile) throw new RangeError(`tile ${index} of level ${level} is not there`)
    const hash = hashWithin(tile, offset, count)
    this.#known.set(name, hash)
    return hash
  }

  /** The hash over the leaves of a range that a tree consists of. */
  rangeHash(range: Range): Buffer {
    return rootOf(subtreesOf(range).map((node) => this.hashOf(node)))
  }
}

/** Reads tiles in one statement, as far as there are any. */
async function readTiles(db: Queryable, register: string, places: readonly NodePlace[]): Promise<Tiles> {
  const tiles = new Tiles()
  const names = new Map(places.map(({ level, index }) => [`${level}/${index}`, { level, index }]))
  if (names.size === 0) return tiles
  const levels = [...names.values()].map(({ level }) => level)
  const indexes = [...names.values()].map(({ index }) => index.toString())
  const { rows } = await sql<{ level: number; index: number; hashes: Buffer }>`select t.level, t.index, t.hashes
    from unnest(${levels}::smallint[], ${indexes}::bigint[]) n (level, index)
    join tile t on t.register = ${register} and t.level = n.level and t.index = n.index`.execute(db)
  for (const { level, index, hashes } of rows) tiles.set(level, BigInt(index), hashes)
  return tiles
}

/** The tiles that hold the hashes of ranges. */
export function readTilesOf(db: Queryable, register: string, ranges: readonly Range[]): Promise<Tiles> {
  return readTiles(db, register, ranges.flatMap(subtreesOf).map(placeOf))
}

/** The hashes of ranges, in their order, read in one statement. */
async function readHashes(db: Queryable, register: string, ranges: readonly Range[]): Promise<Buffer[]> {
  const tiles = await readTilesOf(db, register, ranges)
  return ranges.map((range) => tiles.rangeHash(range))
}

/** The root of the tree at a size that has been sealed, 32 bytes. */
export async function readRoot(db: Queryable, register: string, size: number): Promise<Buffer> {
  const tiles = await readTilesOf(db, register, [{ start: 0n, end: BigInt(size) }])
  return tiles.rangeHash({ start: 0n, end: BigInt(size) })
}

/** An inclusion proof, and the hash of the leaf. */
type ReadInclusion = { leafHash: Buffer; proof: Buffer[] }

/** The inclusion proofs of events in the tree of a size that has been sealed, read in one statement. */
export async function readInclusions(
  db: Queryable,
  register: string,
  positions: readonly number[],
  size: number,
): Promise<ReadInclusion[]> {
  const wanted = positions.map((position) => {
    const leaf = { start: BigInt(position), end: BigInt(position) + 1n }
    return { leaf, path: inclusionRanges(BigInt(position), BigInt(size)) }
  })
  const ranges = wanted.flatMap(({ leaf, path }) => [leaf, ...path])
  const tiles = await readTilesOf(db, register, ranges)
  return wanted.map(({ leaf, path }) => ({
    leafHash: tiles.rangeHash(leaf),
    proof: path.map((range) => tiles.rangeHash(range)),
  }))
}

/** As readInclusions, of one event. */
export async function readInclusion(
  db: Queryable,
  register: string,
  position: number,
  size: number,
): Promise<ReadInclusion> {
  // Safe: one proof for each position.
  return (await readInclusions(db, register, [position], size))[0] as ReadInclusion
}

/** The proof that the tree of a size extends that of a smaller one, above 0; both have been sealed. */
export function readConsistency(db: Queryable, register: string, first: number, second: number): Promise<Buffer[]> {
  return readHashes(db, register, consistencyRanges(BigInt(first), BigInt(second)))
}

/** The first hashes of a tile; null where it has not grown so far. */
export async function readTile(
  db: Queryable,
  register: string,
  { level, index, width }: { level: number; index: bigint; width: number },
): Promise<Buffer | null> {
  const tiles = await readTiles(db, register, [{ level, index, offset: 0, count: 1 }])
  const hashes = tiles.get(level, index)
  return hashes && hashes.length >= width * HASH_BYTES ? hashes.subarray(0, width * HASH_BYTES) : null
}

/** A checkpoint as it was published. */
export type PublishedCheckpoint = { size: number; root: Buffer; note: string; signedAt: number }

function publishedCheckpoint(row: { size: number; root: Buffer; note: string; signed_at: Date }): PublishedCheckpoint {
  return { size: row.size, root: row.root, note: row.note, signedAt: row.signed_at.getTime() }
}

/** The newest checkpoint of a register; null before the first. */
export async function newestCheckpoint(db: Queryable, register: string): Promise<PublishedCheckpoint | null> {
  const row = await db
    .selectFrom('signed_checkpoint')
    .selectAll()
    .where('register', '=', register)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row ? publishedCheckpoint(row) : null
}

/** The first checkpoints about more than so many events, by size. */
export async function listCheckpoints(
  db: Queryable,
  register: string,
  { after, limit }: { after: number; limit: number },
): Promise<PublishedCheckpoint[]> {
  const rows = await db
    .selectFrom('signed_checkpoint')
    .selectAll()
    .where('register', '=', register)
    .where('size', '>', after)
    .orderBy('size')
    .limit(limit)
    .execute()
  return rows.map(publishedCheckpoint)
}

/** The checkpoints about exactly these sizes, as far as there are any, by size. */
export async function checkpointsAt(
  db: Queryable,
  register: string,
  sizes: readonly number[],
): Promise<PublishedCheckpoint[]> {
  const rows = await db
    .selectFrom('signed_checkpoint')
    .selectAll()
    .where('register', '=', register)
    .where('size', 'in', sizes)
    .orderBy('size')
    .execute()
  return rows.map(publishedCheckpoint)
}

/** Whether a checkpoint is about a size within a range. */
export async function isPublishedWithin(db: Queryable, register: string, { start, end }: Range): Promise<boolean> {
  // No log is longer, and the database compares no larger numbers.
  if (start > BigInt(Number.MAX_SAFE_INTEGER)) return false
  const until = end > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(end)
  const row = await db
    .selectFrom('signed_checkpoint')
    .select('size')
    .where('register', '=', register)
    .where('size', '>=', Number(start))
    .where('size', '<', until)
    .orderBy('size')
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** The largest published size below a size and the smallest above it; null where there is none. */
export async function publishedBeside(
  db: Queryable,
  register: string,
  size: number,
): Promise<{ below: number | null; above: number | null }> {
  const sizes = db.selectFrom('signed_checkpoint').select('size').where('register', '=', register).limit(1)
  const [below, above] = await Promise.all([
    sizes.where('size', '<', size).orderBy('size', 'desc').executeTakeFirst(),
    sizes.where('size', '>', size).orderBy('size').executeTakeFirst(),
  ])
  return { below: below?.size ?? null, above: above?.size ?? null }
}

/**
 * A key of a register: the size from which on it signs every checkpoint, and the last such size; null while it signs. A key
 * that came back is there once for each time; one that was listed and taken back before it signed ends before it begins.
 */
export type ListedKey = { vkey: string; fromSize: number; toSize: number | null }

/** The keys that sign the checkpoints of a register, or did, by when they began. */
export async function listKeys(db: Queryable, register: string): Promise<ListedKey[]> {
  const rows = await db
    .selectFrom('signing_key')
    .selectAll()
    .where('register', '=', register)
    .orderBy('from_size')
    .orderBy('vkey')
    .execute()
  return rows.map(({ vkey, from_size: fromSize, to_size: toSize }) => ({ vkey, fromSize, toSize }))
}

// Watching a log: its newest checkpoint held against the one that was seen last, by the tiles that the log itself serves.

import type { Checkpoint } from '../tlog/checkpoint.ts'
import {
  consistencyRanges,
  EMPTY_ROOT,
  HASH_BYTES,
  isConsistent,
  type Range,
  rootOf,
  subtreesOf,
} from '../tlog/merkle.ts'
import type { Verifier } from '../tlog/note.ts'
import { hashWithin, placeOf, TILE_WIDTH, type TileId, tilePath, widthOf } from '../tlog/tiles.ts'
import { type LogFiles, readNewest, readTiles, UnavailableLogError } from './log-files.ts'
import { believeCheckpoint } from './verify.ts'

/** What was found; `shown` is the note that the log shows now. */
export type Watched =
  | { kind: 'first' | 'same' | 'grown'; checkpoint: Checkpoint; shown: string }
  /** Two checkpoints that cannot both be of one log that only grows. */
  | { kind: 'fork'; why: string; shown: string }
  /** A checkpoint about less than was seen: a copy that is behind, or a log whose end was cut off. */
  | { kind: 'older'; why: string; shown: string }
  /**
   * Nothing can be believed of what is shown: signed by nobody trusted, of another log, or with tiles that are not its
   * own.
   */
  | { kind: 'refused'; why: string; shown: string }

type Fetched = Map<string, Buffer>

/**
 * The tiles with the hashes of ranges, as a tree of a size has them; a full one where the partial one is gone. Throws
 * RangeError where one is not as long as it is to be.
 */
async function fetchTiles(files: LogFiles, ranges: readonly Range[], size: bigint): Promise<Fetched> {
  const ids = new Map<string, TileId>()
  for (const { level, index } of ranges.flatMap(subtreesOf).map(placeOf))
    ids.set(`${level}/${index}`, { level, index, width: widthOf(level, index, size) })
  const found = await readTiles(files, [...ids.values()])
  const tiles: Fetched = new Map()
  for (const [at, [name, id]] of [...ids].entries()) {
    const [full] = found[at] || id.width === TILE_WIDTH ? [] : await readTiles(files, [{ ...id, width: TILE_WIDTH }])
    const [tile, width] = found[at] ? [found[at], id.width] : [full, TILE_WIDTH]
    if (!tile) throw new UnavailableLogError(`${files.name} has no ${tilePath(id)}`)
    if (tile.length !== width * HASH_BYTES)
      throw new RangeError(
        `${tilePath({ ...id, width })} has ${tile.length} bytes and should have ${width * HASH_BYTES}`,
      )
    tiles.set(name, tile)
  }
  return tiles
}

function rangeHash(tiles: Fetched, range: Range): Buffer {
  const hashes = subtreesOf(range).map((node) => {
    const { level, index, offset, count } = placeOf(node)
    return hashWithin(tiles.get(`${level}/${index}`) ?? Buffer.alloc(0), offset, count)
  })
  return rootOf(hashes)
}

/** Holds the tiles against the root of the checkpoint, and, where it has grown, that against the one that was seen last. */
async function proveTiles(files: LogFiles, last: Checkpoint | null, next: Checkpoint, shown: string): Promise<Watched> {
  const isGrown = last !== null && last.size < next.size
  // Everything extends the empty log.
  const ranges = isGrown && last.size > 0n ? consistencyRanges(last.size, next.size) : []
  const whole = { start: 0n, end: next.size }
  try {
    const tiles = await fetchTiles(files, [...ranges, whole], next.size)
    if (!rangeHash(tiles, whole).equals(next.root)) {
      const why = 'the tiles do not give the root of the checkpoint, so nothing can be proved'
      return { kind: 'refused', why, shown }
    }
    const proof = ranges.map((range) => rangeHash(tiles, range))
    if (ranges.length === 0 || isConsistent(last as Checkpoint, next, proof))
      return { kind: last === null ? 'first' : isGrown ? 'grown' : 'same', checkpoint: next, shown }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return { kind: 'refused', why: error.message, shown }
  }
  const why = `the log at size ${next.size} does not extend the log that was seen at size ${last?.size}: it was rewritten`
  return { kind: 'fork', why, shown }
}

/**
 * Looks at a log once: whether its newest checkpoint is signed, its tiles come to its root, and it extends the one that was
 * seen last (null: none was).
 * Throws UnavailableLogError where it cannot be seen.
 */
export async function watchLog(files: LogFiles, keys: readonly Verifier[], last: Checkpoint | null): Promise<Watched> {
  const shown = await readNewest(files)
  const checkpoint = believeCheckpoint(shown, keys)
  if (typeof checkpoint === 'string') return { kind: 'refused', why: `the checkpoint: ${checkpoint}`, shown }
  if (!last) return proveTiles(files, null, checkpoint, shown)
  if (checkpoint.origin !== last.origin)
    return { kind: 'refused', why: `the log is ${checkpoint.origin} now, and was ${last.origin}`, shown }
  if (checkpoint.size < last.size) {
    const why = `size ${checkpoint.size} is shown, and size ${last.size} was seen before`
    return { kind: 'older', why, shown }
  }
  if (checkpoint.size === last.size && Buffer.compare(checkpoint.root, last.root) !== 0)
    return { kind: 'fork', why: `there are two logs of size ${last.size}, with different roots`, shown }
  if (last.size === 0n && Buffer.compare(last.root, EMPTY_ROOT) !== 0)
    return { kind: 'fork', why: 'the log that was seen at size 0 was not empty', shown }
  return proveTiles(files, last, checkpoint, shown)
}

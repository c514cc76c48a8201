// The sealer: takes the new leaves of a register into its tiles and signs the head that comes of it. One step is one
// transaction under the register's row in `tree`, and depends on the log and the tiles alone: after a crash it is run again.
// It signs nothing that it has not first proved to extend what it signed last.

import { sql } from 'kysely'
import type { Database, Queryable } from '../../database/pool.ts'
import { MissingEventError, readLeaves } from '../../eventlog/leaves.ts'
import { checkpointText, openCheckpoint } from '../tlog/checkpoint.ts'
import { consistencyRanges, isConsistent, leafHash } from '../tlog/merkle.ts'
import { parseVkey, type Signer, signNote, vkeyOf } from '../tlog/note.ts'
import { hashWithin, TILE_WIDTH } from '../tlog/tiles.ts'
import { listKeys, newestCheckpoint, type PublishedCheckpoint, readTilesOf, type Tiles } from './stored.ts'

/** How many leaves one step takes in at most: some 2 MB of them. */
const STEP = 8_192

/** Why nothing was signed: the log, the tiles or the checkpoints are not what they were when the last one was signed. */
export class RefusedToSignError extends Error {}

/** With what a register is sealed. `signers` are not empty; each signs every checkpoint. */
export type Seal = { origin: string; signers: readonly Signer[]; now: () => number }

/** What a step came to: how far the register is sealed, and whether there is more; null where another process is at it. */
export type Sealed = { size: number; signedAt: number; isBehind: boolean } | null

type Tree = { origin: string; size: number }

async function lockTree(db: Queryable, register: string, origin: string): Promise<Tree | null> {
  const lock = () =>
    db
      .selectFrom('tree')
      .select(['origin', 'size'])
      .where('register', '=', register)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst()
  const locked = await lock()
  if (locked) return locked
  await db
    .insertInto('tree')
    .values({ register, origin, size: 0 })
    .onConflict((on) => on.doNothing())
    .execute()
  return (await lock()) ?? null
}

async function sizeOf(db: Queryable, register: string): Promise<number> {
  const row = await db.selectFrom('register').select('size').where('register', '=', register).executeTakeFirst()
  return row?.size ?? 0
}

/** Appends hashes to a level of tiles, and the hash of each tile that is full to the level above; returns what changed. */
function extend(tiles: Tiles, from: bigint, leaves: readonly Buffer[]): Map<string, { level: number; index: bigint }> {
  const changed = new Map<string, { level: number; index: bigint }>()
  let [hashes, first] = [leaves.map(leafHash), from]
  for (let level = 0; hashes.length > 0; level++) {
    const full: Buffer[] = []
    const above = first / BigInt(TILE_WIDTH)
    for (let at = 0; at < hashes.length; ) {
      const index = (first + BigInt(at)) / BigInt(TILE_WIDTH)
      const width = Number((first + BigInt(at)) % BigInt(TILE_WIDTH))
      const added = hashes.slice(at, at + TILE_WIDTH - width)
      const before = width === 0 ? Buffer.alloc(0) : tiles.get(level, index)
      if (!before) throw new RefusedToSignError(`tile ${index} of level ${level} is gone`)
      const tile = Buffer.concat([before, ...added])
      tiles.set(level, index, tile)
      changed.set(`${level}/${index}`, { level, index })
      if (width + added.length === TILE_WIDTH) full.push(hashWithin(tile, 0, TILE_WIDTH))
      at += added.length
    }
    hashes = full
    first = above
  }
  return changed
}

async function writeTiles(
  db: Queryable,
  register: string,
  tiles: Tiles,
  changed: Iterable<{ level: number; index: bigint }>,
): Promise<void> {
  const all = [...changed]
  const levels = all.map(({ level }) => level)
  const indexes = all.map(({ index }) => index.toString())
  const hashes = all.map(({ level, index }) => tiles.get(level, index))
  await sql`insert into tile (register, level, index, hashes)
    select ${register}, n.level, n.index, n.hashes
    from unnest(${levels}::smallint[], ${indexes}::bigint[], ${hashes}::bytea[]) n (level, index, hashes)
    on conflict (register, level, index) do update set hashes = excluded.hashes`.execute(db)
}

/** The newest checkpoint, held against its own signature, the register's row and the tiles. */
async function provedCheckpoint(
  db: Queryable,
  register: string,
  tree: Tree,
  tiles: Tiles,
  { signers }: Seal,
): Promise<PublishedCheckpoint | null> {
  const newest = await newestCheckpoint(db, register)
  if ((newest?.size ?? 0) !== tree.size)
    throw new RefusedToSignError(`the tree is at ${tree.size}, its newest checkpoint is about ${newest?.size ?? 0}`)
  if (!newest) return null
  const listed = (await listKeys(db, register)).flatMap(({ vkey }) => parseVkey(vkey) ?? [])
  const read = openCheckpoint(newest.note, [...signers, ...listed])
  if (!read || read.origin !== tree.origin || read.size !== BigInt(newest.size) || !newest.root.equals(read.root))
    throw new RefusedToSignError(`the checkpoint of size ${newest.size} is not what was signed`)
  if (!tiles.rangeHash({ start: 0n, end: read.size }).equals(newest.root))
    throw new RefusedToSignError(`the tiles do not give the root of the checkpoint of size ${newest.size}`)
  return newest
}

/** Signs the head of the tiles at a size, having proved that it extends the last one. */
function signedHead(tiles: Tiles, last: PublishedCheckpoint | null, size: number, { origin, signers }: Seal) {
  const root = tiles.rangeHash({ start: 0n, end: BigInt(size) })
  const head = { size: BigInt(size), root }
  if (last) {
    const proof = consistencyRanges(BigInt(last.size), head.size).map((range) => tiles.rangeHash(range))
    if (!isConsistent({ size: BigInt(last.size), root: last.root }, head, proof))
      throw new RefusedToSignError(`size ${size} does not extend the checkpoint of size ${last.size}`)
  }
  return { root, note: signNote(checkpointText({ origin, ...head }), signers) }
}

/** Lists the keys that sign from a size on, and ends those that no longer do; returns the ones that were not listed. */
async function listSigners(
  db: Queryable,
  register: string,
  { from, last }: { from: number; last: number },
  seal: Seal,
): Promise<string[]> {
  const vkeys = seal.signers.map(vkeyOf)
  const listed = await listKeys(db, register)
  const signing = listed.filter(({ toSize }) => toSize === null).map(({ vkey }) => vkey)
  const added = vkeys.filter((vkey) => !signing.includes(vkey))
  for (const vkey of added) {
    // It may have been announced from this very size on and then taken back.
    await sql`insert into signing_key (register, vkey, from_size) values (${register}, ${vkey}, ${from})
      on conflict (register, vkey, from_size) do update set to_size = null`.execute(db)
  }
  const ended = signing.filter((vkey) => !vkeys.includes(vkey))
  if (ended.length > 0) {
    await db
      .updateTable('signing_key')
      .set({ to_size: last })
      .where('register', '=', register)
      .where('vkey', 'in', ended)
      .where('to_size', 'is', null)
      .execute()
  }
  return added
}

/**
 * Lists the keys of a sealer now, from the next event of a register on, so that everyone can learn of a new key before
 * it signs. Returns the new ones. Does nothing if the register was never sealed, or under another origin.
 */
export async function announceKeys(db: Database, register: string, seal: Seal): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    const tree = await tx
      .selectFrom('tree')
      .select(['origin', 'size'])
      .where('register', '=', register)
      .forUpdate()
      .executeTakeFirst()
    if (!tree || tree.size === 0 || tree.origin !== seal.origin) return []
    return listSigners(tx, register, { from: tree.size + 1, last: tree.size }, seal)
  })
}

async function step(db: Queryable, register: string, seal: Seal): Promise<Sealed> {
  const tree = await lockTree(db, register, seal.origin)
  if (!tree) return null
  // Without a checkpoint nothing has been said under it yet.
  if (tree.size > 0 && tree.origin !== seal.origin)
    throw new RefusedToSignError(
      `the row of its tree says that it was sealed as ${tree.origin}, and it is now to be sealed as ${seal.origin}`,
    )
  const known = await sizeOf(db, register)
  const size = Math.min(known, tree.size + STEP)
  const signedAt = seal.now()
  if (known < tree.size) throw new RefusedToSignError(`the log ends at ${known}, and ${tree.size} events were sealed`)
  if (size === tree.size) return { size, signedAt, isBehind: false }
  const tiles = await readTilesOf(db, register, [{ start: 0n, end: BigInt(tree.size) }])
  const last = await provedCheckpoint(db, register, tree, tiles, seal)
  const leaves = await readLeaves(db, register, tree.size, size)
  if (leaves.length < size - tree.size) throw new MissingEventError(tree.size + leaves.length)
  const changed = extend(tiles, BigInt(tree.size), leaves)
  await writeTiles(db, register, tiles, changed.values())
  const { root, note } = signedHead(tiles, last, size, seal)
  await listSigners(db, register, { from: size, last: tree.size }, seal)
  const at = new Date(signedAt)
  await db.insertInto('signed_checkpoint').values({ register, size, root, note, signed_at: at }).execute()
  await db
    .updateTable('tree')
    .set({ origin: seal.origin, size, signed_at: at, refused_because: null })
    .where('register', '=', register)
    .execute()
  return { size, signedAt, isBehind: size < known }
}

/**
 * Takes the next leaves of a register into its tree and publishes a checkpoint. Throws RefusedToSignError, and writes why
 * to the register's row in `tree`, where the new head does not extend what was signed last.
 */
export async function sealNext(db: Database, register: string, seal: Seal): Promise<Sealed> {
  try {
    return await db.transaction().execute((tx) => step(tx, register, seal))
  } catch (error) {
    // A tile that is gone or short is found by RangeError, an event that is gone by MissingEventError.
    if (!(error instanceof RefusedToSignError || error instanceof RangeError || error instanceof MissingEventError))
      throw error
    // Where it was about to be sealed for the first time, its row went with the transaction.
    await sql`insert into tree (register, origin, refused_because) values (${register}, ${seal.origin}, ${error.message})
      on conflict (register) do update set refused_because = excluded.refused_because`.execute(db)
    throw error instanceof RefusedToSignError ? error : new RefusedToSignError(error.message)
  }
}

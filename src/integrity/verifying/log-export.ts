// A log written out as files that any web server can host: the names are those under which the REST API has the tiles, and
// what log-files.ts reads.

import { mkdir, open, readdir, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Queryable } from '../../database/pool.ts'
import { streamLines } from '../../eventlog/feed-lines.ts'
import { readHead } from '../../eventlog/heads.ts'
import { readLeaves } from '../../eventlog/leaves.ts'
import { listCheckpoints, listKeys, newestCheckpoint, readTile } from '../sealing/stored.ts'
import { bundle, newTiles, TILE_WIDTH, tilePath, widthOf } from '../tlog/tiles.ts'
import { CHECKPOINT_FILE, CHECKPOINTS_FILE, EVENTS_FILE, KEYS_FILE } from './log-files.ts'

/** The log cannot be written out; the message says why. */
export class ExportError extends Error {}

const TILES_AT_ONCE = 32
const CHECKPOINTS_AT_ONCE = 1_000

/** Told what was written: events, then the leaves of so many events. */
type OnProgress = (done: number, what: 'contents' | 'leaves') => void

async function emptyDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  if ((await readdir(directory)).length > 0) throw new ExportError(`${directory} is not empty`)
}

async function writeBelow(directory: string, path: string, bytes: Buffer): Promise<void> {
  const file = join(directory, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, bytes, { flag: 'wx' })
}

async function writeLines(file: string, texts: AsyncIterable<string>): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    for await (const text of texts) await handle.write(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function* eventLines(db: Queryable, register: string, size: number, onProgress: OnProgress) {
  for await (const { lines, last } of streamLines(db, { register, after: -1, until: size - 1 })) {
    yield lines
    onProgress(last + 1, 'contents')
  }
}

async function* checkpointLines(db: Queryable, register: string) {
  for (let after = -1; ; ) {
    const page = await listCheckpoints(db, register, { after, limit: CHECKPOINTS_AT_ONCE })
    for (const { size, root, note, signedAt } of page) {
      const item = { size, rootHash: root.toString('base64'), signedAt: new Date(signedAt).toISOString(), note }
      yield `${JSON.stringify(item)}\n`
    }
    const last = page.at(-1)
    if (!last || page.length < CHECKPOINTS_AT_ONCE) return
    after = last.size
  }
}

async function writeEntries(db: Queryable, register: string, directory: string, size: number, onProgress: OnProgress) {
  for (let from = 0; from < size; from += TILES_AT_ONCE * TILE_WIDTH) {
    const leaves = await readLeaves(db, register, from, Math.min(size, from + TILES_AT_ONCE * TILE_WIDTH))
    for (let at = 0; at < leaves.length; at += TILE_WIDTH) {
      const index = BigInt((from + at) / TILE_WIDTH)
      const path = tilePath({ level: 'entries', index, width: widthOf(0, index, BigInt(size)) })
      await writeBelow(directory, path, bundle(leaves.slice(at, at + TILE_WIDTH)))
    }
    onProgress(from + leaves.length, 'leaves')
  }
}

async function writeTiles(db: Queryable, register: string, directory: string, size: number): Promise<void> {
  for (const tile of newTiles(0n, BigInt(size))) {
    const hashes = await readTile(db, register, tile)
    if (!hashes) throw new ExportError(`the database has no ${tilePath(tile)}: run pledger verify log`)
    await writeBelow(directory, tilePath(tile), hashes)
  }
}

/**
 * Writes the log of a register at one moment (`db` is a transaction that sees one) into an empty or new directory. The
 * checkpoint comes last, so that a tree without it is an unfinished export. Returns how many events it holds, and how
 * many of them the checkpoint covers. Throws ExportError.
 */
export async function exportLog(
  db: Queryable,
  register: string,
  directory: string,
  onProgress: OnProgress,
): Promise<{ events: number; sealed: number }> {
  const [newest, head] = [await newestCheckpoint(db, register), await readHead(db, register)]
  if (!newest || !head) throw new ExportError(`${register} has no checkpoint yet: pledger seal makes one`)
  await emptyDirectory(directory)
  await writeLines(join(directory, EVENTS_FILE), eventLines(db, register, head.size, onProgress))
  await writeEntries(db, register, directory, newest.size, onProgress)
  await writeTiles(db, register, directory, newest.size)
  await writeLines(join(directory, CHECKPOINTS_FILE), checkpointLines(db, register))
  const keys = JSON.stringify({ keys: await listKeys(db, register) }, null, 2)
  await writeFile(join(directory, KEYS_FILE), `${keys}\n`, { flag: 'wx', flush: true })
  // Under its own name only when it is whole.
  const draft = join(directory, `${CHECKPOINT_FILE}.draft`)
  await writeFile(draft, newest.note, { flag: 'wx', flush: true })
  await rename(draft, join(directory, CHECKPOINT_FILE))
  return { events: head.size, sealed: newest.size }
}

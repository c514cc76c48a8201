// A log as files, to be verified. It is a directory or a web server with the output of `pledger export --tiles`, or
// the REST API of a register, which has the same tiles under the same names.

import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { exactJson, InexactJsonError } from '../../kernel/exact-json.ts'
import { type Line, splitLines } from '../../kernel/lines.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { HASH_BYTES } from '../tlog/merkle.ts'
import { parseNote, type Verifier } from '../tlog/note.ts'
import { TILE_WIDTH, type TileId, tilePath, unbundle, widthOf } from '../tlog/tiles.ts'
import {
  faultAt,
  type LoggedEvent,
  parseEvent,
  parseKeys,
  registerOfOrigin,
  VerificationError,
  wordsOf,
} from './verify.ts'
import type { ListedCheckpoint, LogEntry, LogSource } from './verify-log.ts'

/** The names of an exported tree. `checkpoint` is written last: without it the export was not finished. */
export const CHECKPOINT_FILE = 'checkpoint'
export const CHECKPOINTS_FILE = 'checkpoints.ndjson'
export const EVENTS_FILE = 'events.ndjson'
export const KEYS_FILE = 'keys.json'

/** What is to be read cannot be had: an answer that is none, a file that cannot be opened. Says nothing of the log. */
export class UnavailableLogError extends Error {}

const NOTE_BYTES = 1_000_000
const ENTRIES_BYTES = TILE_WIDTH * (2 + 65_535)
const KEYS_BYTES = 10_000_000
/** An event is posted in a megabyte at most; its line holds a little more. */
const MAX_LINE_BYTES = 4 * 2 ** 20

/** Files by their path below a log. */
export type LogFiles = {
  /** What they are, for people. */
  name: string
  /** A file whole; null where there is none. Throws UnavailableLogError. */
  read: (path: string, maxBytes: number) => Promise<Buffer | null>
  /** A text in pieces; null where there is none. */
  stream: (path: string, mediaType?: string) => Promise<AsyncIterable<Uint8Array> | null>
}

/** The files of a directory. */
export function directoryFiles(directory: string): LogFiles {
  const failed = (error: NodeJS.ErrnoException): null => {
    if (error.code === 'ENOENT') return null
    throw new UnavailableLogError(error.message)
  }
  return {
    name: directory,
    read: (path) => readFile(join(directory, path)).catch(failed),
    async stream(path) {
      const file = createReadStream(join(directory, path), { highWaterMark: 2 ** 18 })
      return new Promise((resolve, reject) => {
        file.once('open', () => resolve(file))
        file.once('error', (error: NodeJS.ErrnoException) =>
          error.code === 'ENOENT' ? resolve(null) : reject(new UnavailableLogError(error.message)),
        )
      })
    },
  }
}

const ANSWER_MS = 30_000
const HEARD_MS = 1_000

/** The files below an address. */
export function webFiles(address: string): LogFiles {
  const base = address.replace(/\/+$/, '')
  const get = async (path: string, accept: string, signal: AbortSignal) => {
    const response = await fetch(`${base}/${path}`, { headers: { accept }, signal }).catch((error: Error) => {
      const cause = error.cause instanceof Error ? error.cause.message : error.message
      throw new UnavailableLogError(`${base}/${path} cannot be fetched: ${cause}`)
    })
    if (response.ok) return response
    await response.body?.cancel()
    if (response.status === 404) return null
    throw new UnavailableLogError(`${base}/${path} was answered with ${response.status}`)
  }
  return {
    name: base,
    async read(path, maxBytes) {
      const response = await get(path, '*/*', AbortSignal.timeout(ANSWER_MS))
      if (!response) return null
      const parts: Uint8Array[] = []
      let length = 0
      for await (const part of response.body ?? []) {
        length += part.length
        if (length > maxBytes) throw new UnavailableLogError(`${base}/${path} is longer than ${maxBytes} bytes`)
        parts.push(part)
      }
      return Buffer.concat(parts)
    },
    async stream(path, mediaType = '*/*') {
      const response = await get(path, mediaType, new AbortController().signal)
      return response?.body ?? null
    },
  }
}

async function* piecesOf(path: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces
  } catch (error) {
    throw new UnavailableLogError(`${path} cannot be read to its end: ${(error as Error).message}`)
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decoded(path: string, { bytes, isEnded }: Line): string {
  if (bytes === null) throw new VerificationError(path, `a line of it is longer than ${MAX_LINE_BYTES} bytes`)
  if (!isEnded) throw new VerificationError(path, 'it ends in the middle of a line')
  try {
    return utf8.decode(bytes)
  } catch {
    throw new VerificationError(path, 'it is not UTF-8')
  }
}

async function* linesOf(path: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const lines of splitLines(piecesOf(path, pieces), MAX_LINE_BYTES)) {
    for (const line of lines) yield decoded(path, line)
  }
}

/** The value of a JSON text; else in words why it is none that can be relied on. */
function jsonOf(text: string): { value: unknown } | string {
  try {
    return { value: exactJson(text) }
  } catch (error) {
    if (error instanceof InexactJsonError) return error.message
    if (error instanceof SyntaxError) return `it is no JSON: ${error.message}`
    throw error
  }
}

// When it was signed no signature binds.
const listedCheckpoint = z.strictObject({
  size: z.int(),
  rootHash: z.string(),
  signedAt: z.string().optional(),
  note: z.string(),
})

function listed(path: string, value: unknown): ListedCheckpoint {
  const parsed = listedCheckpoint.safeParse(value)
  if (parsed.success) return parsed.data
  throw new VerificationError(path, `it lists what is no checkpoint: ${wordsOf(parsed.error)}`)
}

/** How the parts that are not tiles are had. */
type Layout = {
  keys: string
  events: (until: number) => AsyncGenerator<string>
  checkpoints: () => AsyncGenerator<ListedCheckpoint>
  isGrowing: boolean
  redactionsSince: (position: number) => Promise<LoggedEvent[]>
}

async function* readLines(files: LogFiles, path: string, mediaType?: string): AsyncGenerator<string> {
  const pieces = await files.stream(path, mediaType)
  if (!pieces) throw new UnavailableLogError(`${files.name} has no ${path}`)
  yield* linesOf(path, pieces)
}

function exportedLayout(files: LogFiles): Layout {
  return {
    keys: KEYS_FILE,
    events: () => readLines(files, EVENTS_FILE),
    async *checkpoints() {
      let count = 0
      for await (const line of readLines(files, CHECKPOINTS_FILE)) {
        const path = `${CHECKPOINTS_FILE}, line ${++count}`
        const json = jsonOf(line)
        if (typeof json === 'string') throw new VerificationError(path, json)
        yield listed(path, json.value)
      }
    },
    // All of it was written at one moment.
    isGrowing: false,
    redactionsSince: async () => [],
  }
}

const NDJSON_TYPE = 'application/x-ndjson'
const page = z.object({ items: z.array(z.unknown()), next: z.string().nullable() })

function servedLayout(files: LogFiles): Layout {
  return {
    keys: 'keys',
    events: (until) => readLines(files, `events?until=${until}`, NDJSON_TYPE),
    async *checkpoints() {
      for (let after: string | null = '0'; after !== null; ) {
        const path: string = `checkpoints?limit=1000&after=${encodeURIComponent(after)}`
        const text = await files.read(path, KEYS_BYTES)
        const json = jsonOf(text?.toString() ?? '')
        const parsed = page.safeParse(typeof json === 'string' ? null : json.value)
        if (!parsed.success) throw new UnavailableLogError(`${files.name}/${path} is no list`)
        for (const one of parsed.data.items) yield listed(path, one)
        // It ends where it does not go on.
        after = parsed.data.items.length === 0 ? null : parsed.data.next
      }
    },
    isGrowing: true,
    async redactionsSince(position) {
      const events: LoggedEvent[] = []
      // Of several services each hears a moment later of what another has recorded.
      await sleep(HEARD_MS)
      for await (const line of readLines(files, `events?type=EventRedacted&after=${position - 1}`, NDJSON_TYPE)) {
        const event = eventOf(line, position)
        if (event instanceof VerificationError) throw event
        events.push(event)
      }
      return events
    },
  }
}

async function readKeyList(files: LogFiles, path: string): Promise<Verifier[] | null> {
  const text = await files.read(path, KEYS_BYTES)
  if (!text) return null
  const keys = parseKeys(text.toString())
  if (!keys) throw new VerificationError(path, 'it is no list of keys')
  return keys
}

/** The event of a line; else what is wrong with it, at the position at which it should stand. */
function eventOf(line: string, position: number): LoggedEvent | VerificationError {
  const json = jsonOf(line)
  const event = typeof json === 'string' ? json : parseEvent(json.value)
  return typeof event === 'string' ? faultAt(position, `what stands there is no event: ${event}`) : event
}

async function readBundle(files: LogFiles, index: bigint, size: bigint): Promise<Buffer[]> {
  const width = widthOf(0, index, size)
  const path = tilePath({ level: 'entries', index, width })
  const bytes = await files.read(path, ENTRIES_BYTES)
  const first = Number(index) * TILE_WIDTH
  if (!bytes) throw new VerificationError(path, `it is missing, with the leaves from position ${first}`, first)
  const leaves = unbundle(bytes)
  if (leaves?.length === width) return leaves
  throw new VerificationError(path, `it does not hold ${width} leaves from position ${first}`, first)
}

/** Events with the leaves of their bundles; those beyond the checkpoint have none. */
async function* entries(files: LogFiles, layout: Layout, size: bigint): AsyncGenerator<LogEntry[]> {
  const last = size === 0n ? -1n : (size - 1n) / BigInt(TILE_WIDTH)
  const bundleAt = (index: bigint): Promise<Buffer[]> => {
    const read = index <= last ? readBundle(files, index, size) : Promise.resolve([])
    read.catch(() => {})
    return read
  }
  let [count, index] = [0, 0n]
  let next = bundleAt(0n)
  let leaves: Buffer[] = []
  let some: LogEntry[] = []
  for await (const line of layout.events(Number(size) - 1)) {
    if (count % TILE_WIDTH === 0) {
      if (some.length > 0) yield some
      some = []
      leaves = await next
      // The next is fetched while this one is checked.
      next = bundleAt(++index)
    }
    const event = eventOf(line, count)
    some.push(event instanceof VerificationError ? event : { event, leaf: leaves[count % TILE_WIDTH] ?? null })
    count += 1
  }
  if (some.length > 0) yield some
}

/** Tiles of hashes below a log; null for each that is not there. */
export function readTiles(files: LogFiles, ids: readonly TileId[]): Promise<(Buffer | null)[]> {
  return Promise.all(ids.map((id) => files.read(tilePath(id), TILE_WIDTH * HASH_BYTES)))
}

/** The note of the newest checkpoint. Throws UnavailableLogError. */
export async function readNewest(files: LogFiles): Promise<string> {
  const bytes = await files.read(CHECKPOINT_FILE, NOTE_BYTES)
  if (bytes) return bytes.toString()
  throw new UnavailableLogError(`${files.name} has no checkpoint: it is no log, or its export was not finished`)
}

/** A log in files. Throws UnavailableLogError, and VerificationError for what is there and cannot be read. */
export async function filesLog(files: LogFiles): Promise<LogSource> {
  const newest = await readNewest(files)
  const stated = parseCheckpoint(parseNote(newest)?.text ?? '')
  if (!stated) throw new VerificationError(CHECKPOINT_FILE, 'it is not a checkpoint (C2SP signed note)')
  const exported = await readKeyList(files, KEYS_FILE)
  const layout = exported ? exportedLayout(files) : servedLayout(files)
  const listedKeys = exported ?? (await readKeyList(files, layout.keys))
  if (!listedKeys)
    throw new UnavailableLogError(`${files.name} has no ${KEYS_FILE}: it is no log, or its export was not finished`)
  return {
    register: registerOfOrigin(stated.origin),
    size: Number(stated.size),
    newest,
    listedKeys,
    head: null,
    entries: () => entries(files, layout, stated.size),
    tiles: (ids) => readTiles(files, ids),
    checkpoints: layout.checkpoints,
    isGrowing: layout.isGrowing,
    redactionsSince: layout.redactionsSince,
  }
}

// A whole log checked from its first event: contents, leaves, tiles, roots, signatures, and that nothing is out of its place.
// It keeps the right edge of the tree and what repairs are about; where events, tiles and checkpoints come from is the affair
// of a source. It stops at the first thing that does not hold.

import { hash } from 'node:crypto'
import { REGISTER_STREAM } from '../../domain/event.ts'
import { isRepair } from '../../domain/repairs.ts'
import { HASH_BYTES, leafHash, nodeHash, rootOf } from '../tlog/merkle.ts'
import type { Verifier } from '../tlog/note.ts'
import { TILE_HEIGHT, TILE_WIDTH, type TileId, tilePath, widthOf } from '../tlog/tiles.ts'
import { gatherSteps, KEY_BYTES, type Step, type Steps } from './steps.ts'
import {
  type Believed,
  believeCheckpoint,
  checkBody,
  faultAt,
  type LoggedEvent,
  leafDifference,
  VerificationError,
} from './verify.ts'

/**
 * An event where it stands, and its leaf; null where the source has none, beyond what is sealed. Or what is wrong with what
 * stands there, which is told in its turn.
 */
export type LogEntry = { event: LoggedEvent; leaf: Buffer | null } | VerificationError

/** A checkpoint as it is listed: what the list says of it, and its note. */
export type ListedCheckpoint = { size: number; rootHash: string; note: string }

/** Where a log is read from. Each may throw VerificationError for what cannot be read as what it should be. */
export type LogSource = {
  register: string
  /** About how many events it holds, for progress. */
  size: number
  /** The note of the newest checkpoint; null where there is none. */
  newest: string | null
  /** The keys that the log itself lists. */
  listedKeys: readonly Verifier[]
  /** What else is known of the end of the log; null where nothing is. */
  head: { size: number; recordedAt: number | null; ownRevision: number; redactions: number } | null
  /** Every event in order, some at a time. */
  entries: () => AsyncGenerator<LogEntry[]>
  /** Tiles as they are at the newest checkpoint, as far as they are there. */
  tiles: (ids: readonly TileId[]) => Promise<(Buffer | null)[]>
  /** Every checkpoint, by size. */
  checkpoints: () => AsyncGenerator<ListedCheckpoint>
  /** Whether checkpoints may be listed that are newer than the newest: those that were published while the log was read. */
  isGrowing: boolean
  /** The events from a position on that redact: what was recorded while the log was read. */
  redactionsSince: (position: number) => Promise<LoggedEvent[]>
}

export type LogVerdict = {
  fault: VerificationError | null
  events: number
  /** How many events the newest checkpoint covers. */
  sealed: number
  checkpoints: number
  /** Of these, those that were signed by listed keys alone, where others were given. */
  byOtherKeys: number
  redacted: number
  /** Of these, the repairs, of which `event` stays: nothing proves any longer what they were about. */
  redactedRepairs: number
}

export type LogQuestion = {
  /** The keys to believe; null: those that are listed. */
  keys: readonly Verifier[] | null
  onProgress?: (done: number) => void
  /** How many steps are kept in memory; for tests. */
  inMemory?: number
}

/** The tree as far as it was built: its complete subtrees from left to right, and the tiles that are not full yet. */
type Edge = { subtrees: { level: number; hash: Buffer }[]; open: { index: bigint; hashes: Buffer[] }[] }

type BuiltTile = { level: number; index: bigint; hashes: Buffer[] }

function putIntoTile({ open }: Edge, level: number, hash: Buffer): BuiltTile | null {
  open[level] ??= { index: 0n, hashes: [] }
  const tile = open[level]
  tile.hashes.push(hash)
  if (tile.hashes.length < TILE_WIDTH) return null
  open[level] = { index: tile.index + 1n, hashes: [] }
  return { level, ...tile }
}

/** Appends a leaf; returns the tiles that it fills. */
function grow(edge: Edge, leaf: Buffer): BuiltTile[] {
  const full = [putIntoTile(edge, 0, leaf)]
  let [hash, level] = [leaf, 0]
  for (let left = edge.subtrees.at(-1); left?.level === level; left = edge.subtrees.at(-1)) {
    edge.subtrees.pop()
    hash = nodeHash(left.hash, hash)
    level += 1
    if (level % TILE_HEIGHT === 0) full.push(putIntoTile(edge, level / TILE_HEIGHT, hash))
  }
  edge.subtrees.push({ level, hash })
  return full.filter((tile) => tile !== null)
}

const edgeRoot = ({ subtrees }: Edge) => rootOf(subtrees.map(({ hash }) => hash))

/** The fault of a tile that does not hold these hashes; null where it does. A tile that has grown on may hold more. */
function tileFault({ level, index, hashes }: BuiltTile, held: Buffer | null, width: number): VerificationError | null {
  const path = tilePath({ level, index, width })
  const leaves = TILE_WIDTH ** level
  const first = Number(index) * TILE_WIDTH * leaves
  if (!held) return new VerificationError(path, `it is missing, of the leaves from position ${first}`, first)
  if (held.length !== width * HASH_BYTES)
    return new VerificationError(
      path,
      `it has ${held.length} bytes and should have ${width * HASH_BYTES}, from position ${first}`,
      first,
    )
  const at = hashes.findIndex((hash, at) => hash.compare(held, at * HASH_BYTES, (at + 1) * HASH_BYTES) !== 0)
  if (at < 0) return null
  const position = first + at * leaves
  if (level === 0) return faultAt(position, `its leaf does not have the hash that ${path} holds`)
  const range = `positions ${position} to ${position + leaves - 1}`
  return new VerificationError(range, `their leaves do not give the hash that ${path} holds`, position)
}

/** What a walk through a log knows so far. */
type Walk = {
  source: LogSource
  question: LogQuestion
  newest: Believed | null
  edge: Edge
  built: BuiltTile[]
  steps: Steps
  count: number
  lastAt: string
  ownRevision: number
  checkpoints: number
  /** The size of the checkpoint that was listed last. */
  listedSize: number
  byOtherKeys: number
  /** Erased events by id, with what each was a correction of. */
  blanks: Map<string, Blank>
  redactedRepairs: number
  /** What was redacted, by which event. */
  redactions: Map<string, Redactor>
  /** How many events say that they redact. */
  redactors: number
}

/** Where an event stands that has no content, and what it was a correction of. */
type Blank = { position: number; stream: string; corrects: string | null }

/** Where an event stands that redacts. */
type Redactor = { position: number; stream: string }

const sealedOf = ({ newest }: Pick<Walk, 'newest'>) => Number(newest?.size ?? 0n)

/**
 * Holds tiles against those of the source. Throws the VerificationError with the lowest position of the lowest level: a
 * leaf is named before the range that it spoils.
 */
async function compareTiles({ source, newest }: Walk, built: readonly BuiltTile[]): Promise<void> {
  if (built.length === 0) return
  const tiles = built.toSorted((a, b) => a.level - b.level || Number(a.index - b.index))
  const ids = tiles.map(({ level, index }) => ({ level, index, width: widthOf(level, index, newest?.size ?? 0n) }))
  const held = await source.tiles(ids)
  for (const [at, tile] of tiles.entries()) {
    const fault = tileFault(tile, held[at] ?? null, ids[at]?.width ?? 0)
    if (fault) throw fault
  }
}

/** The tiles that are not full yet. */
const openTiles = ({ open }: Edge): BuiltTile[] =>
  open.map((tile, level) => ({ level, ...tile })).filter(({ hashes }) => hashes.length > 0)

/** Holds what has been built against the root of a checkpoint of that size; a tile or leaf that is wrong is named first. */
async function compareRoot(walk: Walk, where: string, root: Uint8Array): Promise<void> {
  if (edgeRoot(walk.edge).equals(root)) return
  await compareTiles(walk, [...walk.built, ...openTiles(walk.edge)])
  throw new VerificationError(where, 'its root is not that of the leaves up to there')
}

/** The next checkpoint of the list; null at its end. Throws VerificationError where the sizes do not ascend. */
async function nextListed(walk: Walk, listed: AsyncGenerator<ListedCheckpoint>): Promise<ListedCheckpoint | null> {
  const next: ListedCheckpoint | null = (await listed.next()).value ?? null
  if (!next) return null
  const where = `checkpoint of size ${next.size}`
  if (next.size < 1) throw new VerificationError(where, 'there is none before the first event')
  if (next.size === walk.listedSize) throw new VerificationError(where, 'it is listed twice')
  if (next.size < walk.listedSize)
    throw new VerificationError(where, `it is listed after that of size ${walk.listedSize}`)
  walk.listedSize = next.size
  return next
}

/** What the list of checkpoints holds beyond the newest one, and whether it holds that. */
function checkListEnd(walk: Walk, checked: number, next: ListedCheckpoint | null): void {
  const sealed = sealedOf(walk)
  if (sealed > 0 && checked !== sealed)
    throw new VerificationError(
      `checkpoint of size ${sealed}`,
      'it is the newest, and is not in the list of checkpoints',
    )
  if (next && !walk.source.isGrowing)
    throw new VerificationError(`checkpoint of size ${next.size}`, `it is listed, and the newest is of size ${sealed}`)
}

async function checkListed(walk: Walk, { size, rootHash, note }: ListedCheckpoint): Promise<void> {
  const where = `checkpoint of size ${size}`
  const { source, question, newest } = walk
  const keys = question.keys ?? source.listedKeys
  const first = believeCheckpoint(note, keys)
  // A key that has retired is listed, and what it signed stands in the tree that the newest checkpoint is about.
  const believed = typeof first === 'string' ? believeCheckpoint(note, source.listedKeys) : first
  if (typeof believed === 'string') throw new VerificationError(where, typeof first === 'string' ? first : believed)
  if (typeof first === 'string') walk.byOtherKeys += 1
  if (believed.size !== BigInt(size)) throw new VerificationError(where, `its note is about size ${believed.size}`)
  if (Buffer.from(believed.root).toString('base64') !== rootHash)
    throw new VerificationError(where, 'it is listed with another root than its note signs')
  if (newest && believed.origin !== newest.origin)
    throw new VerificationError(where, `its origin is ${believed.origin}, that of the newest is ${newest.origin}`)
  await compareRoot(walk, where, believed.root)
  walk.checkpoints += 1
}

const idKey = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex')
const keyId = (key: Buffer) => key.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
const streamKey = (stream: string) => hash('sha256', stream, 'buffer').subarray(0, KEY_BYTES)

const IDS = 0
const REVISIONS = 1
const CORRECTIONS = 2
const MAX_REVISION = 2 ** 31

/** What the repair points to; null where it does not say. */
function targetOf({ data }: LoggedEvent): string | null {
  const target = data?.event
  return typeof target === 'string' && /^[0-9a-f-]{36}$/.test(target) ? target : null
}

function noteRepairs(walk: Walk, event: LoggedEvent, isErased: boolean): void {
  const { position, id, type, stream } = event
  const target = type === 'EventCorrected' || type === 'EventRedacted' ? targetOf(event) : null
  if (isErased) {
    if (type === 'EventRedacted' || type === 'RegisterOpened')
      throw faultAt(position, `its content is gone, and that of ${type} is never erased`)
    walk.blanks.set(id, { position, stream, corrects: type === 'EventCorrected' ? target : null })
    if (isRepair(type)) walk.redactedRepairs += 1
  }
  if (type === 'EventRedacted') {
    if (target === null) throw faultAt(position, 'it redacts, and does not say what')
    if (!walk.redactions.has(target)) walk.redactions.set(target, { position, stream })
    walk.redactors += 1
  } else if (type === 'EventCorrected' && target !== null && !isErased) {
    walk.steps.add(CORRECTIONS, idKey(target), 0, position)
  }
}

/** Checks an event by itself and against the one before it. Throws VerificationError. */
function checkEntry(walk: Walk, { event, leaf }: Exclude<LogEntry, VerificationError>): void {
  const { count, source, steps } = walk
  const { position, revision, stream, id, recordedAt } = event
  if (position > count) throw faultAt(count, `there is no event; the next one is at ${position}`)
  if (position < count) throw faultAt(position, 'it stands there twice, or not in its place')
  const difference = leaf && leafDifference(source.register, event, leaf)
  if (difference) throw faultAt(position, difference)
  const body = checkBody(event)
  if (body instanceof VerificationError) throw body
  // Both are written alike, so that text compares as time does.
  if (recordedAt < walk.lastAt)
    throw faultAt(position, `recorded ${recordedAt}, which is before the event before it (${walk.lastAt})`)
  if (revision < 1 || revision >= MAX_REVISION) throw faultAt(position, `no stream has a revision ${revision}`)
  walk.lastAt = recordedAt
  if (stream === REGISTER_STREAM) walk.ownRevision = revision
  steps.add(IDS, idKey(id), 1, position)
  steps.add(REVISIONS, streamKey(stream), revision, position)
  noteRepairs(walk, event, body === 'blank')
}

async function walkEntries(walk: Walk): Promise<void> {
  const { source, edge, newest } = walk
  const sealed = sealedOf(walk)
  const listed = source.checkpoints()
  let next = await nextListed(walk, listed)
  let checked = 0
  for await (const page of source.entries()) {
    for (const entry of page) {
      if (entry instanceof VerificationError) throw entry
      checkEntry(walk, entry)
      walk.count += 1
      if (walk.count > sealed) continue
      if (!entry.leaf) throw faultAt(walk.count - 1, 'its leaf is missing')
      walk.built.push(...grow(edge, leafHash(entry.leaf)))
      if (next?.size === walk.count) {
        await checkListed(walk, next)
        checked = next.size
        next = await nextListed(walk, listed)
      }
      if (newest && walk.count === sealed) {
        await compareRoot(walk, `checkpoint of size ${sealed}`, newest.root)
        walk.built.push(...openTiles(edge))
      }
    }
    await compareTiles(walk, walk.built)
    walk.built = []
    walk.question.onProgress?.(walk.count)
  }
  if (walk.count < sealed) throw faultAt(walk.count, `the log ends before it, and a checkpoint covers ${sealed} events`)
  checkListEnd(walk, checked, next)
}

/** What the register says of its end, against what was found there. */
function checkHead({ source: { head }, count, lastAt, ownRevision, redactors }: Walk): void {
  if (!head) return
  if (count > head.size)
    throw faultAt(head.size, `there is an event, and the register ends before it, at size ${head.size}`)
  if (count < head.size) throw faultAt(count, `there is no event, and the register is of size ${head.size}`)
  const last = head.recordedAt === null ? '' : new Date(head.recordedAt).toISOString()
  if (last !== lastAt)
    throw new VerificationError('the register', `its last event was recorded ${lastAt}, it says ${last}`)
  if (ownRevision !== head.ownRevision)
    throw new VerificationError(
      'the register',
      `its own stream is at revision ${ownRevision}, it says ${head.ownRevision}`,
    )
  if (redactors !== head.redactions)
    throw new VerificationError(
      'the register',
      `its log holds ${redactors} EventRedacted, it counts ${head.redactions}`,
    )
}

/** What was found of each key of a part before: where an id stands, and how far a stream has counted. */
type Seen = { ids: Map<string, number>; revisions: Map<string, number> }

/** What is wrong with a step where an event is redacted: content of it that is still there. */
function redactionFault({ redactions, blanks }: Walk, { kind, key, position }: Step): VerificationError | null {
  if (kind === REVISIONS || redactions.size === 0) return null
  const id = keyId(key)
  const by = redactions.get(id)?.position
  if (by === undefined) return null
  if (kind === IDS && by <= position)
    return faultAt(by, `it redacts the event at position ${position}, which comes after it`)
  if (kind === IDS && !blanks.has(id))
    return faultAt(position, `its content is still there, although the event at position ${by} redacts it`)
  if (kind === CORRECTIONS && by > position)
    return faultAt(
      position,
      `its content is still there, although the event at position ${by} redacts what it corrects`,
    )
  return null
}

function stepFault({ ids, revisions }: Seen, { kind, key, number, position }: Step): VerificationError | null {
  const name = key.toString('latin1')
  if (kind === IDS) {
    const at = ids.get(name)
    if (at === undefined) ids.set(name, position)
    return at === undefined ? null : faultAt(position, `its id is that of the event at position ${at}`)
  }
  if (kind !== REVISIONS) return null
  const before = revisions.get(name) ?? 0
  revisions.set(name, number)
  if (number === before + 1) return null
  if (before === 0) return faultAt(position, `its stream begins with revision ${number}`)
  return faultAt(position, `its revision is ${number}, that of the event before it in its stream is ${before}`)
}

/** The faults that only the whole log shows: ids, revisions, and what was to be erased and is not. */
function wholeFaults(walk: Walk): VerificationError[] {
  const faults: VerificationError[] = []
  const present = new Set<string>()
  for (const part of walk.steps.parts()) {
    const seen: Seen = { ids: new Map(), revisions: new Map() }
    for (const step of part) {
      if (step.kind === IDS && walk.redactions.size > 0) {
        const id = keyId(step.key)
        if (walk.redactions.has(id)) present.add(id)
      }
      const fault = redactionFault(walk, step) ?? stepFault(seen, step)
      if (fault) faults.push(fault)
    }
  }
  for (const [id, { position }] of walk.redactions)
    if (!present.has(id)) faults.push(faultAt(position, `it redacts ${id}, which is not in the log`))
  return faults
}

/**
 * Whether redactions say why an event has no content. What a blank correction was about nothing proves; but it stands in the
 * stream of that, and went when that was redacted.
 */
function isExplained(redactions: ReadonlyMap<string, Redactor>, id: string, { position, stream, corrects }: Blank) {
  return [id, corrects].some((target) => {
    const by = target === null ? undefined : redactions.get(target)
    return by !== undefined && by.stream === stream && by.position > position
  })
}

async function unexplainedBlanks(walk: Walk): Promise<VerificationError[]> {
  const { blanks, redactions, source, count } = walk
  const unexplained = [...blanks].filter(([id, blank]) => !isExplained(redactions, id, blank))
  if (unexplained.length === 0) return []
  const later = new Map<string, Redactor>()
  for (const event of await source.redactionsSince(count)) {
    const target = event.type === 'EventRedacted' && checkBody(event) === 'content' ? targetOf(event) : null
    if (target !== null && event.position >= count) later.set(target, event)
  }
  return unexplained
    .filter(([id, blank]) => !isExplained(later, id, blank))
    .map(([, { position }]) => faultAt(position, 'its content is gone, and no EventRedacted says why'))
}

async function check(walk: Walk): Promise<void> {
  await walkEntries(walk)
  checkHead(walk)
  const faults = [...wholeFaults(walk), ...(await unexplainedBlanks(walk))]
  const [first] = faults.sort((a, b) => (a.position ?? 0) - (b.position ?? 0))
  if (first) throw first
}

/** The newest checkpoint, believed; null where there is none. Throws VerificationError. */
function believedNewest({ newest, listedKeys, register }: LogSource, { keys }: LogQuestion): Believed | null {
  if (newest === null) return null
  const believed = believeCheckpoint(newest, keys ?? listedKeys)
  if (typeof believed === 'string') throw new VerificationError('the newest checkpoint', believed)
  if (!believed.origin.endsWith(`/${register}`))
    throw new VerificationError('the newest checkpoint', `it is of ${believed.origin}, not of the register ${register}`)
  if (believed.size < 1n)
    throw new VerificationError('the newest checkpoint', 'it is of size 0: there is none before the first event')
  if (believed.size > BigInt(Number.MAX_SAFE_INTEGER))
    throw new VerificationError(
      'the newest checkpoint',
      `it is about ${believed.size} events, more than Pledger counts`,
    )
  return believed
}

/**
 * Reads a log from its first event to its last and checks all its statements about itself. It ends at the first fault;
 * of faults that only the whole log shows, at the one with the lowest position. Memory holds the redactions, and a
 * fixed part.
 */
export async function verifyLog(source: LogSource, question: LogQuestion): Promise<LogVerdict> {
  const walk: Walk = {
    source,
    question,
    newest: null,
    edge: { subtrees: [], open: [] },
    built: [],
    steps: gatherSteps(question.inMemory),
    count: 0,
    lastAt: '',
    ownRevision: 0,
    checkpoints: 0,
    listedSize: 0,
    byOtherKeys: 0,
    blanks: new Map(),
    redactedRepairs: 0,
    redactions: new Map(),
    redactors: 0,
  }
  let fault: VerificationError | null = null
  try {
    walk.newest = believedNewest(source, question)
    await check(walk)
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error
    fault = error
  } finally {
    walk.steps.discard()
  }
  const { count: events, checkpoints, byOtherKeys, redactedRepairs, blanks } = walk
  return { fault, events, sealed: sealedOf(walk), checkpoints, byOtherKeys, redacted: blanks.size, redactedRepairs }
}

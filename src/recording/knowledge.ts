// What admission goes by, read from the log or remembered. Most recordings need no read: of a stream that holds a standing
// CommitmentMade and plain facts, its revision tells admission all it asks. Memory may be behind the log; append re-checks
// every revision, and what was overtaken is tried again by what the log says.

import { LRUCache } from 'lru-cache'
import type { Queryable } from '../database/pool.ts'
import { NEEDING_WHOLE_STREAM } from '../domain/admission/admit.ts'
import { REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { isRepair } from '../domain/repairs.ts'
import type { Appended, NewEvent } from '../eventlog/append.ts'
import { readEventsByIds } from '../eventlog/events.ts'
import { readBriefs, readStreams } from '../eventlog/streams.ts'
import type { KnownRegister, Registers } from '../registers/registers.ts'
import { type Group, type KnownLog, type KnownStream, revisionOf } from './admission.ts'

/** A stream without any of these is plain. */
const notPlain = new Set<string>(NEEDING_WHOLE_STREAM)

const MAX_REGISTERS = 200
/** Some 10 MB. */
const MAX_STREAMS = 50_000

/** What a process remembers of the log. */
export type Memory = {
  registers: Registers
  /** Registers as this process last saw them. */
  seen: LRUCache<string, KnownRegister>
  /** The revisions of plain streams, by register and stream. */
  revisions: LRUCache<string, number>
}

/** A memory that holds nothing yet. */
export function createMemory(registers: Registers): Memory {
  return {
    registers,
    seen: new LRUCache({ max: MAX_REGISTERS }),
    revisions: new LRUCache({ max: MAX_STREAMS }),
  }
}

/** No id holds a space. */
const streamKey = (register: string, stream: string) => `${register} ${stream}`

/** All that admission can ask about some events, from the log. */
export async function readLog(
  db: Queryable,
  { registers }: Memory,
  register: string,
  events: Group,
): Promise<KnownLog> {
  const names = new Set(events.map(({ stream }) => stream))
  names.delete(REGISTER_STREAM)
  const ids = [...events.flatMap(({ id }) => id ?? []), ...targetsOf(events)]
  // Side by side, and so perhaps of different moments: append checks that each is still true when it writes.
  const [known, streams, byId] = await Promise.all([
    registers.read(db, register),
    knownStreams(db, register, [...names]),
    knownById(db, register, ids),
  ])
  streams.set(REGISTER_STREAM, ownStream(known))
  // Append does not check a refusal. An event may come into its stream after it was looked for by its id, for example
  // by the first sending of a repeated recording. It must not be refused for that.
  const asked = new Set(ids)
  for (const { events: loaded } of streams.values()) {
    for (const event of loaded) if (asked.has(event.id)) byId.set(event.id, event)
  }
  return { register: known, streams, byId }
}

/**
 * The same from memory, with few reads or none. Streams are known by their revisions. Events are not looked up by
 * their ids, since append does that anyway. Null if the register is not known.
 */
export async function recallLog(
  db: Queryable,
  memory: Memory,
  register: string,
  events: Group,
): Promise<KnownLog | null> {
  const known = memory.seen.get(register) ?? (await memory.registers.read(db, register))
  if (!known) return null
  const [streams, byId] = await Promise.all([
    recallStreams(db, memory, register, events),
    knownById(db, register, targetsOf(events)),
  ])
  streams.set(REGISTER_STREAM, ownStream(known))
  return { register: known, streams, byId }
}

async function recallStreams(
  db: Queryable,
  { revisions }: Memory,
  register: string,
  events: Group,
): Promise<KnownLog['streams']> {
  const recalled: KnownLog['streams'] = new Map()
  const whole: string[] = []
  const unknown: string[] = []
  for (const [stream, ofStream] of Map.groupBy(events, (event) => event.stream)) {
    const revision = revisions.get(streamKey(register, stream))
    if (stream === REGISTER_STREAM) continue
    if (ofStream.some(({ type }) => notPlain.has(type))) whole.push(stream)
    else if (revision !== undefined) recalled.set(stream, { unread: revision, events: [] })
    // What begins with a promise is taken to be new; append says so where it is not.
    else if (ofStream[0]?.type === 'CommitmentMade') recalled.set(stream, { unread: 0, events: [] })
    else unknown.push(stream)
  }
  const briefs = unknown.length > 0 ? await readBriefs(db, register, unknown, NEEDING_WHOLE_STREAM) : []
  for (const { stream, revision, isPlain } of briefs) {
    if (isPlain) recalled.set(stream, { unread: revision, events: [] })
    else whole.push(stream)
  }
  for (const [stream, known] of await knownStreams(db, register, whole)) recalled.set(stream, known)
  return recalled
}

/** Takes in what a round appended, and forgets every stream that turned out to be otherwise than it was known. */
export function remember(
  { seen, revisions }: Memory,
  register: string,
  known: KnownLog,
  events: readonly NewEvent[],
  appended: readonly Appended[],
): void {
  const overtaken = new Set(
    events.filter((_, index) => appended[index]?.kind !== 'appended').map(({ stream }) => stream),
  )
  for (const [stream, grown] of known.streams) {
    const key = streamKey(register, stream)
    if (stream !== REGISTER_STREAM && !overtaken.has(stream) && isPlain(grown)) revisions.set(key, revisionOf(grown))
    else revisions.delete(key)
  }
  const last = appended.findLast((outcome) => outcome.kind === 'appended')
  const isDefined = events.some(({ stream }) => stream === REGISTER_STREAM)
  if (last && known.register && overtaken.size === 0 && !isDefined) {
    const head = { ...known.register.head, size: last.position + 1, recordedAt: last.recordedAt }
    seen.set(register, { ...known.register, head })
  } else seen.delete(register)
}

/** True where the number of events tells admission all it asks about the stream. */
function isPlain({ unread, events }: KnownStream): boolean {
  const isMade = unread > 0 || events.some(({ type }) => type === 'CommitmentMade')
  return isMade && events.every(({ type, salt }) => salt !== null && !notPlain.has(type))
}

/** The ids of what the repairs among these events point to. */
function targetsOf(events: Group): string[] {
  // Safe: every repair has an `event`, validated as an id.
  return events.filter(({ type }) => isRepair(type)).map(({ data }) => (data as { event: string }).event)
}

async function knownById(db: Queryable, register: string, ids: readonly string[]): Promise<KnownLog['byId']> {
  const events = ids.length > 0 ? await readEventsByIds(db, register, [...new Set(ids)]) : []
  return new Map(events.map((event): [string, StoredEvent] => [event.id, event]))
}

async function knownStreams(db: Queryable, register: string, names: readonly string[]): Promise<KnownLog['streams']> {
  const loaded = Map.groupBy(names.length > 0 ? await readStreams(db, register, names) : [], ({ stream }) => stream)
  return new Map(names.map((name) => [name, { unread: 0, events: loaded.get(name) ?? [] }]))
}

/** The register's own stream, of which all is always known. */
function ownStream(known: KnownRegister | null): KnownStream {
  return { unread: 0, events: [...(known?.events ?? [])] }
}

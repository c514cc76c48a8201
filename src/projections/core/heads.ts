// What is known in memory of the heads of registers and of their projections, so that an answer need not ask the database
// whether it still holds. What this process does is known at once; what others do is looked up by adaptive polling, one
// statement for all registers that somebody asks about. NOTIFY only hurries that: everything works without it, as behind
// a transaction pooler.

import { CompiledQuery } from 'kysely'
import type { Database } from '../../database/pool.ts'
import { type Hints, openHints } from './notifications.ts'
import { VERSIONS } from './versions.ts'

type ProjectionHead = {
  version: number
  size: number
  generation: number
  /** Which event has stopped it, in words; null where it goes on. */
  stopped: string | null
}

export type RegisterHead = {
  register: string
  size: number
  /** When its last event was recorded, milliseconds since the epoch. */
  recordedAt: number | null
  ownRevision: number
  /** How often content has been erased: answers at every size may hold less since. */
  redactions: number
  projections: ReadonlyMap<string, ProjectionHead>
}

export type Heads = {
  /**
   * What memory holds where it is fresh; null where it has to be read. Never older than what this process has written, and
   * else by no more than the pause between two looks. Makes no query; asking keeps the register watched for a while.
   */
  peek: (register: string) => RegisterHead | null
  /** Reads the register's head from the database now; null where there is none. */
  read: (register: string) => Promise<RegisterHead | null>
  /** Calls back whenever the size or a projection is seen to have changed; returns what ends it. */
  follow: (register: string, listener: (head: RegisterHead) => void) => () => void
  /**
   * This process has just appended (then with the size) or moved a projection: what memory holds is not used again before
   * it is read anew, and other processes are told, off the append's transaction.
   */
  grew: (register: string, size?: number) => void
  stop: () => Promise<void>
}

export type HeadsOptions = {
  /** Where to listen for what other processes say; without it nothing is listened to. */
  connectionString?: string
  /** Called when another process says that it has appended. */
  onHint?: () => void
  onError?: (error: unknown) => void
}

/** Between two looks while something changes and somebody cares, and at most while nothing does. */
const QUICK_MS = 20
const IDLE_MS = 250
/** How long this process's own writes are gathered before a look: whoever cannot wait reads. */
const NEWS_MS = 5
/** Each pause without a change is so much longer than the one before. */
const SLOWER = 1.5
/** A look that takes long is followed by a pause of so many times as long: looking never is the main work. */
const REST_FACTOR = 10
/** Memory that was read longer ago is not used, whatever holds the next look up. */
const MAX_AGE_MS = 750
/** A register that nobody has asked about for so long is not looked at. */
const WATCH_MS = 5_000
const MAX_WATCHED = 500
const AFTER_ERROR_MS = 1_000

type Listener = (head: RegisterHead) => void

type Watched = {
  head: RegisterHead | null
  /** When the read that gave it began, as a number in the order of all reads and as a time. */
  readOrder: number
  readAt: number
  /** Reads that began before this do not know what this process has written. */
  staleBefore: number
  askedAt: number
  listeners: Set<Listener>
  /** The read that is under way, for whoever asks meanwhile. */
  reading: { order: number; done: Promise<RegisterHead | null> } | null
}

type Row = {
  register: string
  size: number
  recorded_ms: number | null
  own_revision: number
  redactions: number
  projection: string | null
  version: number
  reached: number
  generation: number
  stopped: string | null
}

/** Other versions of a projection are the business of the services that read them. */
const OURS = Object.entries(VERSIONS).map(([name, version]) => `('${name}', ${version})`)

// As text, and not built anew each time: it runs several times a second.
const HEADS = `select r.register, r.size, (extract(epoch from r.last_recorded_at) * 1000)::bigint as recorded_ms,
    r.own_revision, r.redactions, c.projection, c.version, c.size as reached, c.generation, c.stopped_because as stopped
  from register r left join checkpoint c on c.register = r.register and (c.projection, c.version) in (${OURS})
  where r.register = any($1::text[]) and r.size > 0`

async function readHeads(db: Database, registers: readonly string[]): Promise<Map<string, RegisterHead>> {
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(HEADS, [registers]))
  const heads = new Map<string, RegisterHead & { projections: Map<string, ProjectionHead> }>()
  for (const row of rows) {
    const { register, size, recorded_ms: recordedAt, own_revision: ownRevision, redactions } = row
    const head = heads.get(register) ?? { register, size, recordedAt, ownRevision, redactions, projections: new Map() }
    heads.set(register, head)
    if (row.projection === null) continue
    const { version, reached, generation, stopped } = row
    head.projections.set(row.projection, { version, size: reached, generation, stopped })
  }
  return heads
}

function isSame(a: RegisterHead | null, b: RegisterHead): boolean {
  if (a === null || a.size !== b.size || a.redactions !== b.redactions) return false
  if (a.projections.size !== b.projections.size) return false
  for (const [name, { version, size, generation, stopped }] of b.projections) {
    const before = a.projections.get(name)
    if (before?.size !== size || before.generation !== generation) return false
    if (before.version !== version || before.stopped !== stopped) return false
  }
  return true
}

/** When to look next: one look at a time, none sooner than a rest that the last one has earned. */
class Looks {
  readonly #look: () => Promise<number>
  #timer: NodeJS.Timeout | null = null
  #dueAt = Number.POSITIVE_INFINITY
  #restUntil = 0
  #looking: Promise<void> | null = null
  #isStopped = false

  /** `look` looks once, asks for the next, and says how many milliseconds that may not come before. */
  constructor(look: () => Promise<number>) {
    this.#look = look
  }

  /** Sees to it that there is a look after so many milliseconds at the latest. */
  within(ms: number): void {
    const now = performance.now()
    const dueAt = Math.max(now + ms, this.#restUntil)
    if (this.#isStopped || dueAt >= this.#dueAt) return
    this.#dueAt = dueAt
    if (this.#looking) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    // Looking alone keeps no process alive.
    this.#timer = setTimeout(() => this.#run(), dueAt - now).unref()
  }

  #run(): void {
    this.#timer = null
    this.#dueAt = Number.POSITIVE_INFINITY
    const from = performance.now()
    this.#looking = this.#look().then((leastMs) => {
      const now = performance.now()
      this.#looking = null
      this.#restUntil = now + Math.max(leastMs, REST_FACTOR * (now - from))
      // Asked for while it looked: by now it may have to wait for the rest.
      const dueAt = this.#dueAt
      this.#dueAt = Number.POSITIVE_INFINITY
      if (dueAt < Number.POSITIVE_INFINITY) this.within(dueAt - now)
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#looking
  }
}

/** Starts knowing heads; polling begins with the first register that somebody asks about. */
export function createHeads(db: Database, options: HeadsOptions = {}): Heads {
  const { onError = () => {} } = options
  const watched = new Map<string, Watched>()
  let order = 0
  let pauseMs = QUICK_MS
  const looks = new Looks(lookAtAll)
  const hints: Hints = openHints(db, {
    ...options,
    onError,
    onRegisters(registers) {
      if (registers.some((register) => watched.has(register))) looks.within(0)
    },
  })

  function entryOf(register: string): Watched {
    const known = watched.get(register)
    if (known) return known
    if (watched.size >= MAX_WATCHED) forgetOne()
    const none = { head: null, readOrder: 0, readAt: Number.NEGATIVE_INFINITY, staleBefore: 0, reading: null }
    const entry: Watched = { ...none, askedAt: performance.now(), listeners: new Set() }
    watched.set(register, entry)
    return entry
  }

  /** The one that was asked about longest ago, unless somebody follows it. */
  function forgetOne(): void {
    const idle = [...watched].filter(([, { listeners }]) => listeners.size === 0)
    const [oldest] = idle.sort(([, a], [, b]) => a.askedAt - b.askedAt)
    if (oldest) watched.delete(oldest[0])
  }

  function isWatched({ askedAt, listeners }: Watched): boolean {
    return listeners.size > 0 || performance.now() - askedAt < WATCH_MS
  }

  /** Takes what a read found, unless a later one was faster. */
  function take(entry: Watched, found: RegisterHead | null, readOrder: number, readAt: number): void {
    if (readOrder < entry.readOrder) return
    const isChanged = found !== null && !isSame(entry.head, found)
    // What is the same stays the same object: whoever keeps it sees at a glance that nothing has changed.
    Object.assign(entry, { head: isChanged ? found : found && entry.head, readOrder, readAt })
    if (!isChanged) return
    pauseMs = QUICK_MS
    // A copy: a listener may end itself.
    for (const listener of [...entry.listeners]) listener(found)
  }

  async function lookAtAll(): Promise<number> {
    const asked = [...watched].filter(([, entry]) => isWatched(entry))
    for (const [register, entry] of watched) if (!isWatched(entry)) watched.delete(register)
    pauseMs = asked.length === 0 ? QUICK_MS : Math.min(IDLE_MS, pauseMs * SLOWER)
    if (asked.length === 0) return 0
    const [readOrder, readAt] = [++order, performance.now()]
    try {
      const names = asked.map(([register]) => register)
      const found = await readHeads(db, names)
      for (const [register, entry] of asked) take(entry, found.get(register) ?? null, readOrder, readAt)
      looks.within(pauseMs)
      return 0
    } catch (error) {
      onError(error)
      looks.within(AFTER_ERROR_MS)
      return AFTER_ERROR_MS
    }
  }

  async function readOne(register: string, entry: Watched, readOrder: number): Promise<RegisterHead | null> {
    const readAt = performance.now()
    try {
      const found = (await readHeads(db, [register])).get(register) ?? null
      take(entry, found, readOrder, readAt)
      // What is not there is not watched: anybody can ask for any name.
      if (found === null && entry.listeners.size === 0 && watched.get(register) === entry) watched.delete(register)
      else looks.within(pauseMs)
      return found
    } finally {
      if (entry.reading?.order === readOrder) entry.reading = null
    }
  }

  return {
    peek(register) {
      const entry = watched.get(register)
      if (!entry) return null
      const now = performance.now()
      entry.askedAt = now
      looks.within(pauseMs)
      return entry.readOrder > entry.staleBefore && now - entry.readAt < MAX_AGE_MS ? entry.head : null
    },
    read(register) {
      const entry = entryOf(register)
      entry.askedAt = performance.now()
      if (entry.reading && entry.reading.order > entry.staleBefore) return entry.reading.done
      const readOrder = ++order
      const done = readOne(register, entry, readOrder)
      entry.reading = { order: readOrder, done }
      return done
    },
    follow(register, listener) {
      const entry = entryOf(register)
      entry.listeners.add(listener)
      looks.within(0)
      return () => {
        entry.listeners.delete(listener)
      }
    },
    grew(register, size) {
      hints.tell(register, size !== undefined)
      const entry = watched.get(register)
      if (!entry) return
      entry.staleBefore = order
      if (isWatched(entry)) looks.within(NEWS_MS)
    },
    async stop() {
      await hints.stop()
      await looks.stop()
    },
  }
}

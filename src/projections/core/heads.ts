// What is known in memory of the heads of registers and of their projections, so that an answer need not ask the database
// whether it still holds. What this process does is known at once; what others do is looked up by adaptive polling, one
// statement for all registers that somebody asks about. NOTIFY only hurries that: everything works without it, as behind
// a transaction pooler.

import type { Database } from '../../database/pool.ts'
import { type Notifications, openNotifications } from './notifications.ts'
import { PollSchedule } from './poll-schedule.ts'
import { isSameHead, type RegisterHead, readRegisterHeads } from './register-head.ts'
import {
  isWatched,
  type Listener,
  type ReadBegun,
  type WatchedRegister,
  WatchedRegisters,
} from './watched-registers.ts'

export type RegisterHeads = {
  /**
   * What memory holds where it is fresh; null where it has to be read. Never older than what this process has written, and
   * else by no more than the pause between two polls. Makes no query; asking keeps the register watched for a while.
   */
  peek: (register: string) => RegisterHead | null
  /** Reads the register's head from the database now; null where there is none. */
  read: (register: string) => Promise<RegisterHead | null>
  /** Calls back whenever the size or a projection is seen to have changed; returns what ends it. */
  follow: (register: string, listener: (head: RegisterHead) => void) => () => void
  /**
   * This process has just appended (then with the size) or moved a projection. The head in memory is not used again
   * before it is read anew. Other processes are notified, off the append's transaction.
   */
  grew: (register: string, size?: number) => void
  stop: () => Promise<void>
}

export type RegisterHeadsOptions = {
  /** Where to listen for what other processes say; without it nothing is listened to. */
  connectionString?: string
  /** Called when another process says that it has appended. */
  onAppend?: () => void
  onError?: (error: unknown) => void
}

/** Between two polls while something changes and somebody cares, and at most while nothing does. */
const QUICK_MS = 20
const IDLE_MS = 250
/** How long this process's own writes are gathered before a poll: those who cannot wait read. */
const NEWS_MS = 5
/** Each pause without a change is so much longer than the one before. */
const SLOWER = 1.5
/** Memory that was read longer ago is not used, whatever holds the next poll up. */
const MAX_AGE_MS = 750
const AFTER_ERROR_MS = 1_000

/** Starts knowing heads; polling begins with the first register that somebody asks about. */
export function createRegisterHeads(db: Database, options: RegisterHeadsOptions = {}): RegisterHeads {
  const watch = new HeadWatch(db, options)
  return {
    peek: (register) => watch.peek(register),
    read: (register) => watch.read(register),
    follow: (register, listener) => watch.follow(register, listener),
    grew: (register, size) => watch.grew(register, size),
    stop: () => watch.stop(),
  }
}

class HeadWatch {
  readonly #db: Database
  readonly #onError: (error: unknown) => void
  readonly #watched = new WatchedRegisters()
  readonly #schedule = new PollSchedule(() => this.#poll())
  readonly #notifications: Notifications
  #reads = 0
  #pauseMs = QUICK_MS

  constructor(db: Database, options: RegisterHeadsOptions) {
    this.#db = db
    this.#onError = options.onError ?? (() => {})
    this.#notifications = openNotifications(db, {
      ...options,
      onError: this.#onError,
      onRegisters: (registers) => {
        if (registers.some((register) => this.#watched.has(register))) this.#schedule.within(0)
      },
    })
  }

  peek(register: string): RegisterHead | null {
    const entry = this.#watched.get(register)
    if (!entry) return null
    const now = performance.now()
    entry.askedAt = now
    this.#schedule.within(this.#pauseMs)
    return entry.read.order > entry.staleUntil && now - entry.read.at < MAX_AGE_MS ? entry.head : null
  }

  read(register: string): Promise<RegisterHead | null> {
    const entry = this.#watched.open(register)
    entry.askedAt = performance.now()
    if (entry.reading && entry.reading.order > entry.staleUntil) return entry.reading.done
    const begun = this.#beginRead()
    const done = this.#readOne(register, entry, begun)
    entry.reading = { order: begun.order, done }
    return done
  }

  follow(register: string, listener: Listener): () => void {
    const entry = this.#watched.open(register)
    entry.listeners.add(listener)
    this.#schedule.within(0)
    return () => {
      entry.listeners.delete(listener)
    }
  }

  grew(register: string, size?: number): void {
    this.#notifications.tell(register, size !== undefined)
    const entry = this.#watched.get(register)
    if (!entry) return
    entry.staleUntil = this.#reads
    if (isWatched(entry)) this.#schedule.within(NEWS_MS)
  }

  async stop(): Promise<void> {
    await this.#notifications.stop()
    await this.#schedule.stop()
  }

  #beginRead(): ReadBegun {
    this.#reads += 1
    return { order: this.#reads, at: performance.now() }
  }

  /** Reads the heads of all registers that somebody asks about; returns the least pause before the next poll. */
  async #poll(): Promise<number> {
    const asked = this.#watched.current()
    this.#pauseMs = asked.length === 0 ? QUICK_MS : Math.min(IDLE_MS, this.#pauseMs * SLOWER)
    if (asked.length === 0) return 0
    const begun = this.#beginRead()
    try {
      const names = asked.map(([register]) => register)
      const found = await readRegisterHeads(this.#db, names)
      for (const [register, entry] of asked) this.#take(entry, found.get(register) ?? null, begun)
      this.#schedule.within(this.#pauseMs)
      return 0
    } catch (error) {
      this.#onError(error)
      this.#schedule.within(AFTER_ERROR_MS)
      return AFTER_ERROR_MS
    }
  }

  async #readOne(register: string, entry: WatchedRegister, begun: ReadBegun): Promise<RegisterHead | null> {
    try {
      const found = (await readRegisterHeads(this.#db, [register])).get(register) ?? null
      this.#take(entry, found, begun)
      // A missing register is not watched: anybody can ask for any name.
      const isForgotten = found === null && this.#watched.forget(register, entry)
      if (!isForgotten) this.#schedule.within(this.#pauseMs)
      return found
    } finally {
      if (entry.reading?.order === begun.order) entry.reading = null
    }
  }

  /** Takes what a read found, unless a later one was faster. */
  #take(entry: WatchedRegister, found: RegisterHead | null, begun: ReadBegun): void {
    if (begun.order < entry.read.order) return
    const isChanged = found !== null && !isSameHead(entry.head, found)
    // What is the same stays the same object: who keeps it sees at a glance that nothing has changed.
    Object.assign(entry, { head: isChanged ? found : found && entry.head, read: begun })
    if (!isChanged) return
    this.#pauseMs = QUICK_MS
    // A copy: a listener may end itself.
    for (const listener of [...entry.listeners]) listener(found)
  }
}

// Telling a database that is slow from one that cannot be reached. A statement may rightly take minutes; where nothing has come
// back for a while, the database is asked whether it is there, over a connection of its own. Where it is not, the connections
// that wait are cut, and what they were asked fails as on any connection that broke. Knows nothing of what is asked.

import type { Socket } from 'node:net'
import { setImmediate as afterReading } from 'node:timers/promises'
import pg from 'pg'

const LOOK_MS = 1_000
/** A connection that waits and hears nothing for so long is doubted. */
const QUIET_MS = 3_000
/** How long connecting may take. */
const CONNECT_MS = 5_000
/** How long the other end may take to hear that a connection ends. */
const END_MS = 1_000

/** What every connection has: also one that is idle notices within half a minute that the other end has gone. */
export const CONNECTING = {
  connectionTimeoutMillis: CONNECT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
} as const satisfies pg.ClientConfig

function streamOf(client: pg.Client): Socket {
  // Safe: nothing else is configured.
  return client.connection.stream as Socket
}

function unreachable(): Error {
  return Object.assign(new Error('the database does not answer'), { code: 'ETIMEDOUT' })
}

/** Whether a server answers at all, be it to say no. */
async function isReached(config: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...config, ...CONNECTING })
  // What breaks it fails connecting, too.
  client.on('error', () => {})
  try {
    await client.connect()
    return true
  } catch (error) {
    return error instanceof pg.DatabaseError
  } finally {
    streamOf(client).destroy()
  }
}

/** What a connection that waits has received when it was last looked at, and since when it has been no more. */
type Quiet = { bytes: number; since: number }

/** Watches over connections to one database. */
export class Watch {
  readonly #config: pg.ClientConfig
  readonly #open = new Set<pg.Client>()
  readonly #waiting = new Map<pg.Client, Quiet>()
  #timer: NodeJS.Timeout | null = null
  #asking: Promise<void> | null = null

  constructor(config: pg.ClientConfig) {
    this.#config = config
  }

  /** The client to connect with: pg's own, watched, and with an end that no silence holds up. */
  readonly Client: new (config?: string | pg.ClientConfig) => pg.Client = watchedBy(this)

  opened(client: pg.Client): void {
    this.#open.add(client)
    client.on('drain', () => this.#waiting.delete(client))
    client.on('end', () => {
      this.#waiting.delete(client)
      this.#open.delete(client)
    })
  }

  asks(client: pg.Client): void {
    if (!this.#waiting.has(client)) {
      this.#waiting.set(client, { bytes: streamOf(client).bytesRead, since: performance.now() })
    }
    // Keeps no process alive: what is waited for does.
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
  }

  /** Cuts every connection: what waits fails. */
  cut(): void {
    for (const client of this.#open) streamOf(client).destroy(unreachable())
  }

  #look(): void {
    const now = performance.now()
    for (const [client, quiet] of this.#waiting) {
      const bytes = streamOf(client).bytesRead
      if (bytes !== quiet.bytes) this.#waiting.set(client, { bytes, since: now })
    }
    if (this.#waiting.size === 0 && this.#timer) {
      clearInterval(this.#timer)
      this.#timer = null
    }
    const doubted = [...this.#waiting].filter(([, { since }]) => now - since >= QUIET_MS)
    if (doubted.length > 0) this.#asking ??= this.#ask(doubted).finally(() => (this.#asking = null))
  }

  async #ask(doubted: [pg.Client, Quiet][]): Promise<void> {
    const isThere = await isReached(this.#config)
    // Where this process was busy, answers may wait to be read.
    await afterReading()
    for (const [client, quiet] of doubted) {
      if (this.#waiting.get(client) !== quiet || streamOf(client).bytesRead !== quiet.bytes) continue
      if (isThere) this.#waiting.set(client, { ...quiet, since: performance.now() })
      else streamOf(client).destroy(unreachable())
    }
  }
}

function watchedBy(watch: Watch) {
  return class extends pg.Client {
    constructor(config?: string | pg.ClientConfig) {
      super(config)
      watch.opened(this)
      // Safe: handed on as it comes; pg has an overload for each way to ask.
      this.query = ((...asked: unknown[]) => {
        watch.asks(this)
        return Reflect.apply(super.query, this, asked)
      }) as typeof this.query
    }

    override end(): Promise<void>
    override end(callback: (error: Error) => void): void
    override end(callback?: (error: Error) => void): Promise<void> | void {
      const late = setTimeout(() => streamOf(this).destroy(), END_MS)
      this.once('end', () => clearTimeout(late))
      return callback ? super.end(callback) : super.end()
    }
  }
}

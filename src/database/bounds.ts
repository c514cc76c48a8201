// How long a statement of a request may take. No bound is a setting of the session, because a transaction pooler would
// hand it to others. A transaction takes its bounds with its `begin`. A single statement is timed here and cancelled
// by the protocol's own request, which poolers pass on.

import { connect } from 'node:net'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import type pg from 'pg'

export type Bounds = {
  /** After so long a statement is cancelled. */
  statementMs: number
  /** A statement of a transaction waits so long for a lock. */
  lockMs: number
  /** So long a transaction may be idle: a process that was stopped in the middle of one keeps its locks no longer. */
  idleMs: number
  /** After so long without an answer to the cancelling, the connection is given up. */
  giveUpMs: number
}

export const BOUNDS: Bounds = { statementMs: 30_000, lockMs: 20_000, idleMs: 60_000, giveUpMs: 5_000 }

/** What a client has to be told apart from others by; pg has it, and its types leave it out. */
type Cancellable = pg.PoolClient & { host: string; port: number; processID: number | null; secretKey: number | null }

const CANCEL_REQUEST = 80_877_102
const CANCEL_MS = 5_000

/** Asks the server to cancel what a client waits for; resolves when it has heard, or cannot be reached. */
function cancel({ host, port, processID, secretKey }: Cancellable): Promise<void> {
  const request = Buffer.alloc(16)
  request.writeInt32BE(request.length, 0)
  request.writeInt32BE(CANCEL_REQUEST, 4)
  request.writeInt32BE(processID ?? 0, 8)
  request.writeInt32BE(secretKey ?? 0, 12)
  return new Promise((resolve) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host)
    socket.setTimeout(CANCEL_MS, () => socket.destroy())
    // Whether it was heard shows in the statement.
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    // The other side closes when it has passed it on: a pooler forgets it where this side does so first.
    socket.write(request)
    socket.resume()
  })
}

/** Runs a statement of a client, cancelled where it takes too long; the connection is not free before that is through. */
async function within<T>(client: Cancellable, { statementMs, giveUpMs }: Bounds, run: () => Promise<T>): Promise<T> {
  let cancelling: Promise<void> | undefined
  let givingUp: NodeJS.Timeout | undefined
  const tooLong = setTimeout(() => {
    cancelling = cancel(client)
    // With a statement under way this cuts the connection, and the statement fails.
    givingUp = setTimeout(() => void (client as unknown as pg.Client).end().catch(() => {}), giveUpMs)
  }, statementMs)
  try {
    return await run()
  } finally {
    clearTimeout(tooLong)
    clearTimeout(givingUp)
    // Else the next statement of this connection might be the one that is cancelled.
    if (cancelling) await cancelling
  }
}

function boundedClient(client: Cancellable, bounds: Bounds): PostgresPoolClient {
  const { statementMs, lockMs, idleMs } = bounds
  const begin =
    `begin; set local statement_timeout = ${statementMs}; set local lock_timeout = ${lockMs}; ` +
    `set local idle_in_transaction_session_timeout = ${idleMs}`
  const query = (text: string, parameters: unknown[]) => {
    if (text === 'begin') return within(client, bounds, () => client.query(begin))
    return within(client, bounds, () => client.query(text, parameters))
  }
  // Safe: of the ways to ask, kysely uses this one; cursors are not configured.
  return { query, release: (broken: boolean) => client.release(broken) } as unknown as PostgresPoolClient
}

/** The same pool, with every statement bounded; ending it does nothing. */
export function boundedPool(pool: pg.Pool, bounds: Bounds): PostgresPool {
  // kysely knows its connections by their client.
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>()
  return {
    async connect() {
      // Safe: see the type.
      const client = (await pool.connect()) as Cancellable
      const known = clients.get(client) ?? boundedClient(client, bounds)
      clients.set(client, known)
      return known
    },
    end: async () => {},
    options: pool.options,
  }
}

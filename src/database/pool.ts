// The connection to PostgreSQL: one pool, one dialect. Knows how values arrive; knows nothing of what they mean.

import { type DialectAdapter, Kysely, PostgresAdapter, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { BOUNDS, type Bounds, boundedPool } from './bounds.ts'
import type { Tables } from './tables.ts'
import { CONNECTING, Watch } from './watch.ts'

export type Database = Kysely<Tables>
/** A transaction or the pool itself: what a statement runs on. */
export type Queryable = Database | Transaction<Tables>

const { INT8, DATE } = pg.types.builtins
const DATE_ARRAY = 1182
const INT8_ARRAY = 1016

/** int8 as number; throws beyond 2^53, where a number would lie. */
function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 beyond 2^53: ${text}`)
  return value
}

function integerOrNull(text: string): number | null {
  return text === 'NULL' ? null : safeInteger(text)
}

function typeParsers(): pg.CustomTypesConfig {
  const types = new pg.TypeOverrides()
  types.setTypeParser(INT8, safeInteger)
  types.setTypeParser(INT8_ARRAY, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',').map(integerOrNull)))
  // Days stay text: a Date would be midnight in the time zone of this process.
  types.setTypeParser(DATE, (text) => text)
  types.setTypeParser(DATE_ARRAY, (text) => (text === '{}' ? [] : text.slice(1, -1).split(',')))
  return types
}

/** Leaves locking to `migrate`: what kysely would lock belongs to a session, and there may be a transaction pooler. */
class LocklessAdapter extends PostgresAdapter {
  override async acquireMigrationLock(): Promise<void> {}
  override async releaseMigrationLock(): Promise<void> {}
}

class Dialect extends PostgresDialect {
  override createAdapter(): DialectAdapter {
    return new LocklessAdapter()
  }
}

export type PoolOptions = { connectionString: string; max?: number; onError?: (error: Error) => void }

/** How long what is under way may take to end once a pool is closed. */
const LAST_STATEMENTS_MS = 2_000

/** A pool that ends in time: connections that wait for an answer then are cut. */
class WatchedPool extends pg.Pool {
  readonly #watch: Watch

  constructor(config: pg.PoolConfig) {
    const watch = new Watch(config)
    // Safe: pg makes its clients with a configuration, which its types leave out.
    super({ ...config, Client: watch.Client as new () => pg.Client })
    this.#watch = watch
  }

  override end(): Promise<void>
  override end(callback: () => void): void
  override end(callback?: () => void): Promise<void> | void {
    const late = setTimeout(() => this.#watch.cut(), LAST_STATEMENTS_MS)
    const ended = super.end().finally(() => clearTimeout(late))
    return callback ? void ended.then(callback) : ended
  }
}

function openPool({ connectionString, max = 10, onError = () => {} }: PoolOptions): pg.Pool {
  const pool = new WatchedPool({ connectionString, max, types: typeParsers(), ...CONNECTING })
  pool.on('error', onError)
  // The pool listens to idle clients only; one that breaks while it is out, before its first query, would end the process.
  pool.on('connect', (client) => client.on('error', onError))
  return pool
}

/**
 * Opens a pool. It connects when first used; an idle connection that breaks is reported to `onError` and replaced. Where the
 * database does not answer any more, what was asked fails within some ten seconds, however long it may take otherwise.
 */
export function openDatabase(options: PoolOptions): Database {
  return new Kysely<Tables>({ dialect: new Dialect({ pool: openPool(options) }) })
}

/** A pool twice: `db` for work that takes its time, `bounded` for what somebody waits for (see bounds.ts). */
export type Databases = { db: Database; bounded: Database }

/** Opens a pool as `openDatabase` does; to destroy `db` is to destroy both. */
export function openDatabases(options: PoolOptions, bounds: Bounds = BOUNDS): Databases {
  const pool = openPool(options)
  const bounded = new Kysely<Tables>({ dialect: new Dialect({ pool: boundedPool(pool, bounds) }) })
  return { db: new Kysely<Tables>({ dialect: new Dialect({ pool }) }), bounded }
}

/** A connection of its own, to be connected; like those of a pool it does not wait for ever. */
export function newClient(connectionString: string): pg.Client {
  const config = { connectionString, types: typeParsers(), ...CONNECTING }
  return new new Watch(config).Client(config)
}

/** One connection, for a stream of rows and for statements about them in the same transaction. */
export type SingleConnection = { client: pg.Client; db: Database; close: () => Promise<void> }

/** Opens one connection of its own; statements of `db` and of `client` run on it, one at a time. */
export async function openSingle(connectionString: string): Promise<SingleConnection> {
  const client = newClient(connectionString)
  // What breaks it also fails the statement in hand.
  client.on('error', () => {})
  await client.connect()
  const pool = {
    connect: async () => Object.assign(client, { release() {} }),
    end: () => client.end(),
    options: {},
  }
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  return { client, db, close: () => client.end() }
}

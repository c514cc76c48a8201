// Opening the database that the configuration names, migrated and of a version that Pledger runs on.

import { sql } from 'kysely'
import type { Config } from '../config.ts'
import { attachEmbedded, type EmbeddedServer, openEmbedded } from './embedded.ts'
import { migrate, NewerSchema } from './migrate.ts'
import { type Database, openDatabase } from './pool.ts'

const OLDEST_VERSION = 150_000

/** The database cannot be used as it is; the message says why. */
export class UnusableDatabase extends Error {}

export type Connection = {
  db: Database
  /** Where it is, with everything that connecting takes: not for people. */
  connectionString: string
  /** What it is, for people: never with a password. */
  description: string
  /** The names of the migrations that were applied now. */
  migrated: string[]
  close: () => Promise<void>
}

export type ConnectOptions = {
  /** `own` for the service, which keeps others out of an embedded database; `attach` for a short command. */
  mode: 'own' | 'attach'
  log?: (line: string) => void
  onError?: (error: Error) => void
}

async function checkVersion(db: Database): Promise<void> {
  const { rows } = await sql<{
    version: number
  }>`select current_setting('server_version_num')::integer as version`.execute(db)
  const version = rows[0]?.version ?? 0
  if (version >= OLDEST_VERSION) return
  throw new UnusableDatabase(`PostgreSQL ${Math.floor(version / 10_000)} is too old: Pledger needs 15 or newer`)
}

function describe(config: Config, server: EmbeddedServer | null): string {
  if (server) return `embedded PostgreSQL in ${config.dataDir}`
  const { hostname, port, pathname } = new URL(config.databaseUrl ?? '')
  return `PostgreSQL at ${hostname}:${port || 5432}${pathname}`
}

/** No such database, or not for us: said by PostgreSQL in a sentence (SQLSTATE 3D000, class 28). Or not for this version. */
function refusal(error: unknown): UnusableDatabase | null {
  if (error instanceof NewerSchema) return new UnusableDatabase(error.message)
  const { code, message } = error as { code?: unknown; message?: string }
  const isRefused = typeof code === 'string' && (code === '3D000' || code.startsWith('28'))
  return isRefused ? new UnusableDatabase(`the database cannot be used: ${message}`) : null
}

/** Opens the database, starting the embedded one where no other is configured, and brings its schema up to date. */
export async function connect(config: Config, { mode, log, onError }: ConnectOptions): Promise<Connection> {
  const start = mode === 'own' ? openEmbedded : attachEmbedded
  const server = config.databaseUrl === null ? await start(config.dataDir, log) : null
  const connectionString = server?.connectionString ?? config.databaseUrl ?? ''
  const db = openDatabase({ connectionString, ...(onError ? { onError } : {}) })
  const close = async () => {
    await db.destroy()
    await server?.stop()
  }
  try {
    await checkVersion(db)
    return { db, connectionString, description: describe(config, server), migrated: await migrate(db), close }
  } catch (error) {
    await close()
    throw refusal(error) ?? error
  }
}

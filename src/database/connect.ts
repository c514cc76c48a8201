// Opening the database that the configuration names, migrated and of a version that Pledger runs on.

import { sql } from 'kysely'
import type { Config } from '../config.ts'
import type { EmbeddedServer } from './embedded/owner.ts'
import { attachEmbedded, hasEmbedded, openEmbedded } from './embedded/server.ts'
import { grantRoles } from './grants.ts'
import { migrate, NewerSchemaError, OlderSchemaError, pendingMigrations } from './migrate.ts'
import { type Database, type Databases, openDatabases } from './pool.ts'
import { type Finding, maySeal, mayServe, sessionOf, unsafeFindings } from './safety.ts'

const OLDEST_VERSION = 150_000

/** The database cannot be used as it is; the message says why. */
export class UnusableDatabaseError extends Error {}

export type Connection = Databases & {
  /** The same database as a role that may seal; null where there is none. */
  sealing: Database | null
  /** What is unsafe about the database or the role; only the service asks. */
  unsafe: readonly Finding[]
  /** Where it is, with everything that connecting takes: not for people. */
  connectionString: string
  /** What it is, for people: never with a password. */
  description: string
  /** The names of the migrations that were applied now. */
  migrated: string[]
  close: () => Promise<void>
}

export type ConnectOptions = {
  /**
   * `own` for the service, which keeps others out of an embedded database. `attach` for a short command. `look` for
   * one that creates no database and leaves the schema as it is.
   */
  mode: 'own' | 'attach' | 'look'
  /** The service connects to a database that is unsafe, too. */
  unsafeDatabase?: boolean
  log?: (line: string) => void
  onError?: (error: Error) => void
}

async function checkVersion(db: Database): Promise<void> {
  const { rows } = await sql<{
    version: number
  }>`select current_setting('server_version_num')::integer as version`.execute(db)
  const version = rows[0]?.version ?? 0
  if (version >= OLDEST_VERSION) return
  throw new UnusableDatabaseError(`PostgreSQL ${Math.floor(version / 10_000)} is too old: Pledger needs 15 or newer`)
}

function describe(config: Config, server: EmbeddedServer | null): string {
  if (server) return `embedded PostgreSQL in ${config.dataDir}`
  const { hostname, port, pathname } = new URL(config.databaseUrl ?? '')
  return `PostgreSQL at ${hostname}:${port || 5432}${pathname}`
}

/** No such database, or not for us: said by PostgreSQL in a sentence (SQLSTATE 3D000, class 28). Or not for this version. */
function refusal(error: unknown): UnusableDatabaseError | null {
  if (error instanceof NewerSchemaError || error instanceof OlderSchemaError) {
    return new UnusableDatabaseError(error.message)
  }
  const { code, message } = error as { code?: unknown; message?: string }
  const isRefused = typeof code === 'string' && (code === '3D000' || code.startsWith('28'))
  return isRefused ? new UnusableDatabaseError(`the database cannot be used: ${message}`) : null
}

/**
 * Brings the schema up to date; returns the names of what was applied. A role that may not change it finds it so, or is
 * refused.
 */
async function bringUpToDate(db: Database): Promise<string[]> {
  const { names, mayApply } = await pendingMigrations(db)
  if (mayApply) return migrate(db)
  if (names.length === 0) return []
  const { role } = await sessionOf(db)
  const missing = names.length === 1 ? `the migration ${names[0]}` : `${names.length} migrations up to ${names.at(-1)}`
  throw new UnusableDatabaseError(
    `the database lacks ${missing}, and the role ${role} may not change its schema: run pledger migrate as its owner`,
  )
}

/** The roles of the embedded server: its superuser owns everything, the service runs as one and seals as the other. */
const EMBEDDED_ROLES = { service: 'pledger_service', sealer: 'pledger_sealer' } as const

type Addresses = { service: string; sealer: string | null }

/** Makes the roles that are missing, with the superuser's password; whether there were any. */
async function makeRoles(db: Database, password: string): Promise<boolean> {
  const roles = Object.values(EMBEDDED_ROLES)
  const { rows } = await sql<{ role: string }>`select rolname as role from pg_roles
    where rolname = any(${roles}::text[])`.execute(db)
  const missing = roles.filter((role) => rows.every((row) => row.role !== role))
  for (const role of missing) await sql`create role ${sql.id(role)} login password ${sql.lit(password)}`.execute(db)
  return missing.length > 0
}

/**
 * Migrates an embedded database with its superuser, who is not needed afterwards; returns the addresses for its other
 * roles.
 */
async function prepareEmbedded(db: Database, connectionString: string): Promise<Addresses & { migrated: string[] }> {
  const migrated = await bringUpToDate(db)
  const url = new URL(connectionString)
  const areNew = await makeRoles(db, decodeURIComponent(url.password))
  if (areNew || migrated.length > 0) await grantRoles(db, EMBEDDED_ROLES)
  const addressFor = (role: string) => Object.assign(new URL(url), { username: role }).href
  return { service: addressFor(EMBEDDED_ROLES.service), sealer: addressFor(EMBEDDED_ROLES.sealer), migrated }
}

/** One line for each finding, with what mends it. */
export function tellFindings(findings: readonly Finding[]): string {
  return findings.map(({ what, mend }) => `  - ${what}\n    mend: ${mend}`).join('\n')
}

/** What is unsafe, of the service's connection and of the sealer's. */
async function findingsOf(db: Database, sealing: Database | null): Promise<Finding[]> {
  const own = await unsafeFindings(db)
  const others = sealing === null || sealing === db ? [] : await unsafeFindings(sealing)
  return [...own, ...others.filter(({ what }) => own.every((one) => one.what !== what))]
}

function refuseUnsafe(findings: readonly Finding[]): void {
  if (findings.length === 0) return
  throw new UnusableDatabaseError(
    `what is recorded would not be safe in this database:\n${tellFindings(findings)}\n` +
      '  pledger serve --unsafe-database serves all the same, and says so in /readyz',
  )
}

/** A command that only reads creates no database to read. */
function refuseMissing({ databaseUrl, dataDir }: Config): void {
  if (databaseUrl !== null || hasEmbedded(dataDir)) return
  throw new UnusableDatabaseError(
    `there is no embedded PostgreSQL in ${dataDir}: pledger serve creates one; PLEDGER_DATA names another directory, ` +
      'PLEDGER_DATABASE_URL another database',
  )
}

/** Opens the database, starting the embedded one where no other is configured, and brings its schema up to date. */
export async function connect(config: Config, options: ConnectOptions): Promise<Connection> {
  const { mode, log, onError } = options
  if (mode === 'look') refuseMissing(config)
  const start = mode === 'own' ? openEmbedded : attachEmbedded
  const server = config.databaseUrl === null ? await start(config.dataDir, log) : null
  const address = server?.connectionString ?? config.databaseUrl ?? ''
  const pools: Database[] = []
  const open = (connectionString: string, max = 10) => {
    const both = openDatabases({ connectionString, max, ...(onError ? { onError } : {}) })
    pools.push(both.db)
    return both
  }
  const close = async () => {
    await Promise.all(pools.map((pool) => pool.destroy()))
    await server?.stop()
  }
  try {
    const opened = await (mode === 'own' ? openOwn : openAttached)(config, options, { server, address, open })
    return { ...opened, description: describe(config, server), close }
  } catch (error) {
    await close()
    throw refusal(error) ?? error
  }
}

type Opening = {
  server: EmbeddedServer | null
  address: string
  open: (connectionString: string, max?: number) => Databases
}
type Opened = Omit<Connection, 'description' | 'close'>

async function openAttached(_: Config, { mode }: ConnectOptions, { address, open }: Opening): Promise<Opened> {
  const { db, bounded } = open(address)
  await checkVersion(db)
  // Who only looks is refused a newer schema too.
  if (mode === 'look') await pendingMigrations(db)
  const migrated = mode === 'look' ? [] : await bringUpToDate(db)
  return { db, bounded, sealing: db, unsafe: [], connectionString: address, migrated }
}

/** How many connections sealing needs. */
const SEALING_CONNECTIONS = 2

/**
 * For the service: as a role that may do no more than it needs, as far as that is in our hands, and refused where it is
 * not.
 */
async function openOwn(config: Config, options: ConnectOptions, { server, address, open }: Opening): Promise<Opened> {
  const first = open(address, server ? 1 : 10)
  await checkVersion(first.db)
  const external: Addresses = { service: address, sealer: config.sealerDatabaseUrl }
  const {
    service,
    sealer,
    migrated = null,
  } = server ? await prepareEmbedded(first.db, address) : { ...external, migrated: undefined }
  const { db, bounded } = server ? open(service) : first
  // Before the schema is touched by a role that should not be there.
  const other = sealer === null ? null : open(sealer, SEALING_CONNECTIONS).db
  const unsafe = await findingsOf(db, other)
  if (!server && !options.unsafeDatabase) refuseUnsafe(unsafe)
  const done = migrated ?? (await bringUpToDate(db))
  const sealing = other ?? db
  if (!(await mayServe(db))) {
    const { role } = await sessionOf(db)
    throw new UnusableDatabaseError(
      `the role ${role} lacks what a service needs: run pledger migrate --grant-service ${role} as the owner`,
    )
  }
  const mine = (await maySeal(sealing)) ? sealing : null
  return { db, bounded, sealing: mine, unsafe, connectionString: service, migrated: done }
}

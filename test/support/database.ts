// A database for a test file: cloned from the migrated template of the run, dropped when the file is done.

import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Test } from 'tap'
import { grantRoles } from '../../src/database/grants.ts'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { CONNECTING } from '../../src/database/watch.ts'
import { PATIENCE_MS } from './patience.ts'

// On a busy machine connecting takes longer than the service gives it: here that is no sign of a database that is away.
Object.assign(CONNECTING, { connectionTimeoutMillis: PATIENCE_MS })

export type TestServer = { dataDir: string; connectionString: string }

/** Where a run keeps the address of its server: in its own folder (mark.ts), so that runs side by side do each other no harm. */
export const RUN_FILE = join(tmpdir(), 'database.json')

/** The roles of the run's server beside its superuser: granted what they need in every test database. */
export const ROLES = { service: 'test_service', sealer: 'test_sealer' } as const

/** Makes those roles, with the password of the address, and grants them what they need in a migrated database. */
export async function makeRoles(db: Database, connectionString: string): Promise<void> {
  const { password } = new URL(connectionString)
  for (const role of Object.values(ROLES))
    await sql`create role ${sql.id(role)} login password ${sql.lit(password)}`.execute(db)
  await grantRoles(db, ROLES)
}

/** The address of a test database for one of those roles, which have the superuser's password. */
export function asRole(connectionString: string, role: string): string {
  return Object.assign(new URL(connectionString), { username: role }).href
}

/** Drops a database when its last connection has gone, for which PostgreSQL waits five seconds; then by force. */
async function drop(admin: Database, name: string): Promise<void> {
  const isDropped = await sql`drop database ${sql.id(name)}`.execute(admin).catch(() => null)
  if (!isDropped) await sql`drop database ${sql.id(name)} with (force)`.execute(admin)
}

/** The address of a new, migrated, empty database; it is dropped at the end of the test. */
export async function testDatabaseUrl(t: Test): Promise<string> {
  const { connectionString } = JSON.parse(await readFile(RUN_FILE, 'utf8')) as TestServer
  const address = (name: string) => connectionString.replace(/\/pledger(\?|$)/, `/${name}$1`)
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const admin = openDatabase({ connectionString: address('postgres'), max: 1 })
  await sql`create database ${sql.id(name)} template pledger_template`.execute(admin)
  t.teardown(async () => {
    await drop(admin, name)
    await admin.destroy()
  })
  return address(name)
}

/** A new, migrated, empty database with its pool, both gone at the end of the test. */
export async function testDatabase(t: Test): Promise<Database> {
  const db = openDatabase({ connectionString: await testDatabaseUrl(t) })
  t.teardown(() => db.destroy())
  return db
}

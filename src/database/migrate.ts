// Brings a database to this version's schema: the files of migrations/, forward only, each once, one migrator at a time.

import { readdir, readFile } from 'node:fs/promises'
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'

const FOLDER = new URL('../../migrations/', import.meta.url)

async function migrations(): Promise<Record<string, Migration>> {
  const files = (await readdir(FOLDER)).filter((file) => /^\d{4}-.*\.sql$/.test(file))
  const named = files.map(async (file) => {
    const text = await readFile(new URL(file, FOLDER), 'utf8')
    const up = (db: Kysely<unknown>) =>
      sql
        .raw(text)
        .execute(db)
        .then(() => {})
    return [file.slice(0, -'.sql'.length), { up }] as const
  })
  return Object.fromEntries(await Promise.all(named))
}

/**
 * One migrator at a time, by a lock that ends with the transaction. What kysely takes of itself belongs to the session: behind
 * a transaction pooler it is given back in another one, and nobody ever migrates again. The same key, so that both exclude
 * each other.
 */
const LOCK = sql`select pg_advisory_xact_lock(3853314791062309107)`

/** The names of the migrations that the database does not have yet, and whether this role may apply them. Changes nothing. */
export async function pendingMigrations<Schema>(db: Kysely<Schema>): Promise<{ names: string[]; mayApply: boolean }> {
  const { rows } = await sql<{
    isThere: boolean
    mayApply: boolean
  }>`select to_regclass('migration') is not null as "isThere",
    coalesce((select pg_has_role(relowner, 'USAGE') from pg_class where oid = to_regclass('event')),
      has_schema_privilege(current_schema(), 'CREATE')) as "mayApply"`.execute(db)
  const { isThere = false, mayApply = false } = rows[0] ?? {}
  const all = Object.keys(await migrations()).sort()
  if (!isThere) return { names: all, mayApply }
  const applied = await sql<{ name: string }>`select name from migration`.execute(db)
  const done = new Set(applied.rows.map(({ name }) => name))
  return { names: all.filter((name) => !done.has(name)), mayApply }
}

/** Applies what is missing, in one transaction; returns the names of what it applied. Throws where a migration fails. */
export async function migrate<Schema>(db: Kysely<Schema>): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    await LOCK.execute(tx)
    const migrator = new Migrator({
      db: tx,
      provider: { getMigrations: migrations },
      migrationTableName: 'migration',
      migrationLockTableName: 'migration_lock',
    })
    const { error, results } = await migrator.migrateToLatest()
    if (error) throw error
    return (results ?? []).map((result) => result.migrationName)
  })
}

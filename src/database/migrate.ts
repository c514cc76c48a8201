// Brings a database to this version's schema: the files of migrations/, forward only, each once, one migrator at a time.

import { readdir, readFile } from 'node:fs/promises'
import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { Database, Queryable } from './pool.ts'

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

/** The schema is that of a newer version, which alone knows what its tables mean. */
export class NewerSchemaError extends Error {
  constructor(unknown: readonly string[]) {
    super(
      `the database is of a newer version of Pledger: it has the migration ${unknown.join(', ')}, unknown to this one; ` +
        'run that version or a later one, or restore a backup from before it',
    )
  }
}

const BASELINE = '0001-baseline'

/** The migrations of before 0.1.0, in order: together they give the schema of the baseline. */
const BEFORE_BASELINE = [
  '0001-log',
  '0002-commitments',
  '0003-periods-and-tallies',
  '0004-generations',
  '0005-recording',
  '0006-replay',
  '0007-statistics',
  '0008-integrity',
  '0009-redaction',
  '0010-signing-key-ranges',
  '0011-access',
  '0012-roles',
  '0013-erased-events',
]

/** A commit that still has the migrations of before the baseline. */
const LAST_BEFORE_BASELINE = '5bfc4ba'

/** The schema is older than the baseline, and the steps from there to it are no longer part of Pledger. */
export class OlderSchemaError extends Error {
  constructor(newest: string) {
    super(
      `the database is of a version of Pledger before 0.1.0: it ends with the migration ${newest}; bring it to ` +
        `${BEFORE_BASELINE.at(-1)} first, with \`npm ci && npm run pledger -- migrate\` at the commit ${LAST_BEFORE_BASELINE} of ` +
        'Pledger, and run this version again',
    )
  }
}

/** The names of the applied migrations, in order; none where there is no schema yet. */
async function namesApplied(db: Queryable): Promise<string[]> {
  const { rows } = await sql<{ isThere: boolean }>`select to_regclass('migration') is not null as "isThere"`.execute(db)
  if (!rows[0]?.isThere) return []
  const applied = await sql<{ name: string }>`select name from migration order by name`.execute(db)
  return applied.rows.map(({ name }) => name)
}

/**
 * Whether the database stands at the last migration of before the baseline, and so has its schema already. Throws NewerSchemaError
 * where something was applied that this version does not know, and OlderSchemaError where the schema is older than the baseline.
 */
function isBeforeBaseline(applied: readonly string[], known: readonly string[]): boolean {
  const unknown = applied.filter((name) => !known.includes(name) && !BEFORE_BASELINE.includes(name))
  if (unknown.length > 0) throw new NewerSchemaError(unknown)
  const newest = applied.findLast((name) => BEFORE_BASELINE.includes(name))
  if (newest === undefined) return false
  if (newest !== BEFORE_BASELINE.at(-1)) throw new OlderSchemaError(newest)
  return true
}

/** Notes the baseline as applied, when the last of the migrations that it replaces was. */
async function markBaseline(tx: Queryable): Promise<void> {
  await sql`insert into migration (name, timestamp)
    select ${BASELINE}, timestamp from migration where name = ${BEFORE_BASELINE.at(-1)}`.execute(tx)
  await sql`delete from migration where name = any(${BEFORE_BASELINE}::text[])`.execute(tx)
}

/**
 * The names of the migrations that the database does not have yet, and whether this role may apply them. Changes nothing. Throws
 * NewerSchemaError and OlderSchemaError.
 */
export async function pendingMigrations(db: Queryable): Promise<{ names: string[]; mayApply: boolean }> {
  const { rows } = await sql<{ mayApply: boolean }>`select
    coalesce((select pg_has_role(relowner, 'USAGE') from pg_class where oid = to_regclass('event')),
      has_schema_privilege(current_schema(), 'CREATE')) as "mayApply"`.execute(db)
  const all = Object.keys(await migrations()).sort()
  const applied = await namesApplied(db)
  isBeforeBaseline(applied, all)
  return { names: all.filter((name) => !applied.includes(name)), mayApply: rows[0]?.mayApply ?? false }
}

/**
 * Applies what is missing, in one transaction; returns the names of what it applied. A database that has the schema of the baseline
 * from the migrations of before it is only marked. Throws where a migration fails, and NewerSchemaError and OlderSchemaError, with
 * nothing changed.
 */
export async function migrate(db: Database): Promise<string[]> {
  return db.transaction().execute(async (tx) => {
    await LOCK.execute(tx)
    const ours = await migrations()
    if (isBeforeBaseline(await namesApplied(tx), Object.keys(ours))) await markBaseline(tx)
    const migrator = new Migrator({
      db: tx,
      provider: { getMigrations: async () => ours },
      migrationTableName: 'migration',
      migrationLockTableName: 'migration_lock',
    })
    const { error, results } = await migrator.migrateToLatest()
    if (error) throw error
    return (results ?? []).map((result) => result.migrationName)
  })
}

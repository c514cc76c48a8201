// Upgrades: the database of every release, brought to this version's schema by real processes; and one that is newer.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { openDatabase } from '../../src/database/pool.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { dumpSchema } from '../support/dump-schema.ts'
import { pledger } from '../support/process.ts'
import { made } from '../support/register.ts'
import { loadRelease, type ReleasedDigest, releaseKeys, releases } from '../support/release.ts'
import { clockAt, serving, soon, stopped, temporaryDirectory } from '../support/serving.ts'

const MIGRATIONS = join(import.meta.dirname, '../../migrations')

async function run(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(text)
  await client.end()
}

/** An empty database beside one of the run's, gone with it. */
async function emptyDatabase(t: Test): Promise<string> {
  const url = await testDatabaseUrl(t)
  await run(url, 'drop schema public cascade; create schema public')
  return url
}

async function rows(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const found = await client.query({ text, rowMode: 'array' })
  await client.end()
  return found.rows.map((row: unknown[]) => row.map(String))
}

async function schemaOf(url: string): Promise<string> {
  const db = openDatabase({ connectionString: url, max: 1 })
  return dumpSchema(db).finally(() => db.destroy())
}

/**
 * The parts of a dumped schema, as they are dumped once more from a database that it was loaded into: PostgreSQL then writes every
 * expression in one way. Without partitions: replays made those of a release.
 */
async function schemaParts(t: Test, schema: string): Promise<string[]> {
  const url = await emptyDatabase(t)
  await run(url, schema)
  const parts = (await schemaOf(url)).split('\n\n')
  return parts.filter((part) => !/^create table \S+ partition of/.test(part))
}

async function checkSchema(t: Test, url: string): Promise<void> {
  const generated = await readFile(join(MIGRATIONS, 'schema.sql'), 'utf8')
  t.strictSame(
    await schemaParts(t, await schemaOf(url)),
    await schemaParts(t, generated),
    'the schema is that of a new database',
  )
  const names = (await readdir(MIGRATIONS)).filter((file) => /^\d/.test(file)).sort()
  t.strictSame(
    await rows(url, `select name || '.sql' from migration order by name`),
    names.map((name) => [name]),
    'exactly the migrations of this version are noted as applied',
  )
}

/** What no migration may change. */
const KEPT = {
  events: `select register, position, id, stream, revision, type, type_version, recorded_at, recorded_by, occurred_on,
    data::text, citations::text, salt, body_hash, leaf from event order by 1, 2`,
  registers: 'select register, size, last_recorded_at, own_revision, redactions from register order by 1',
  checkpoints: 'select register, size, root, note, signed_at from signed_checkpoint order by 1, 2',
  tiles: 'select register, level, index, hashes from tile order by 1, 2, 3',
  keys: 'select register, vkey, from_size, to_size from signing_key order by 1, 2',
  idempotency:
    'select register, recorded_by, key, fingerprint, outcomes::text, kept_at from idempotency_key order by 1, 2, 3',
}

async function kept(url: string): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {}
  for (const [what, text] of Object.entries(KEPT)) found[what] = await rows(url, text)
  return found
}

/** Processes whose clock stands an hour after the release: a service forgets idempotency keys of more than 48 hours ago. */
async function soonAfter(t: Test, url: string): Promise<Record<string, string>> {
  const [[released] = []] = (await rows(
    url,
    'select extract(epoch from max(last_recorded_at)) * 1000 from register',
  )) as string[][]
  return clockAt(await temporaryDirectory(t), Number(released) + 3_600_000)
}

async function checkUpgrade(t: Test, file: string): Promise<void> {
  const url = await emptyDatabase(t)
  const digests = await loadRelease(file, url)
  const before = await kept(url)
  for (const [what, found] of Object.entries(before)) t.ok(found.length > 0, `the release has ${what}`)
  const env = {
    ...(await soonAfter(t, url)),
    PLEDGER_DATABASE_URL: url,
    PLEDGER_SIGNING_KEYS: await releaseKeys(join(await temporaryDirectory(t), 'keys.pem')),
  }
  t.match(await pledger(t, ['migrate'], env), { code: 0 })
  await checkSchema(t, url)
  t.strictSame(await kept(url), before, 'every event, position, leaf, checkpoint and key is as it was')
  const verified = await pledger(t, ['verify', 'log'], env)
  t.equal(verified.code, 0, verified.err)
  const service = await serving(t, env)
  const isThere = async (one: ReleasedDigest) => {
    const { body } = await service.get(`/v1/registers/${one.register}/projections/${one.projection}/digest`)
    return body.sha256 === one.sha256 || body.version !== one.version
  }
  for (const one of digests) {
    t.ok(
      await soon(`${one.projection} of ${one.register} answers`, () => isThere(one)),
      'the digests are those of the release',
    )
  }
  const [[, size]] = before.registers as [string[]]
  const R = '/v1/registers/mended'
  t.equal((await service.post(`${R}/events`, made('harbour'))).status, 201)
  await soon(
    'it is sealed on',
    async () => Number((await service.get(`${R}/checkpoint`)).text.split('\n')[1]) > Number(size),
  )
  t.match(await stopped(service), { code: 0 })
}

t.test('the database of every release comes to this schema with all that it holds', async (t) => {
  for (const file of await releases()) await t.test(file, (t) => checkUpgrade(t, file))
})

t.test('services that migrate at once do no harm', async (t) => {
  const url = await emptyDatabase(t)
  const [file = ''] = await releases()
  await loadRelease(file, url)
  const before = await kept(url)
  const clock = await soonAfter(t, url)
  const fresh = await emptyDatabase(t)
  for (const [PLEDGER_DATABASE_URL, isFilled] of [
    [url, true],
    [fresh, false],
  ] as const) {
    const env = { ...clock, PLEDGER_DATABASE_URL }
    const all = await Promise.all([serving(t, env), serving(t, env), pledger(t, ['migrate'], env)])
    t.equal(all[2].code, 0, all[2].err)
    const [one, two] = all
    for (const service of [one, two]) t.equal((await service.get('/livez')).status, 200)
    const applied = await rows(
      PLEDGER_DATABASE_URL,
      'select name, count(*) from migration group by 1 having count(*) <> 1',
    )
    t.strictSame(applied, [], 'each was applied once')
    if (isFilled) t.strictSame(await kept(PLEDGER_DATABASE_URL), before)
    for (const service of [one, two]) t.equal((await stopped(service)).code, 0)
  }
})

t.test('a schema that is newer than the service is refused by every command, in one line', async (t) => {
  const url = await testDatabaseUrl(t)
  const env = { PLEDGER_DATABASE_URL: url }
  await rows(url, `insert into migration values ('9999-of-a-later-version', now()::text) returning name`)
  const said =
    'pledger: the database is of a newer version of Pledger: it has the migration 9999-of-a-later-version, unknown to this ' +
    'one; run that version or a later one, or restore a backup from before it\n'
  const commands = [
    ['serve', '--unsafe-database'],
    ['seal', '--once'],
    ['replay'],
    ['import', '-', '--register', 'demo'],
    ['verify', 'log'],
  ]
  const ended = await Promise.all(commands.map((command) => pledger(t, command, env)))
  for (const [at, one] of ended.entries()) {
    t.strictSame(one, { code: 1, signal: null, out: '', err: said }, (commands[at] as string[]).join(' '))
  }
})

/** A database at one of the migrations of before 0.1.0, as far as anything looks before it migrates. */
async function oldDatabase(t: Test, names: readonly string[]): Promise<string> {
  const url = await emptyDatabase(t)
  await run(url, 'create table migration (name varchar(255) primary key, "timestamp" varchar(255) not null)')
  for (const name of names) await run(url, `insert into migration values ('${name}', '2026-11-01T00:00:00.000Z')`)
  return url
}

t.test('a schema of before the baseline is refused, and it is said which version brings it further', async (t) => {
  const names = ['0001-log', '0002-commitments', '0003-periods-and-tallies', '0004-generations']
  const url = await oldDatabase(t, names)
  const said =
    'pledger: the database is of a version of Pledger before 0.1.0: it ends with the migration 0004-generations; bring it to ' +
    '0013-erased-events first, with `npm ci && npm run pledger -- migrate` at the commit 5bfc4ba of Pledger, and run this ' +
    'version again\n'
  const commands = [['migrate'], ['serve', '--unsafe-database'], ['verify', 'log']]
  for (const command of commands) {
    const ended = await pledger(t, command, { PLEDGER_DATABASE_URL: url })
    t.strictSame(ended, { code: 1, signal: null, out: '', err: said }, command.join(' '))
  }
  const left = await rows(
    url,
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'`,
  )
  t.strictSame(left, [['migration']], 'no table was made')
  t.strictSame(
    await rows(url, 'select name from migration order by name'),
    names.map((name) => [name]),
  )
})

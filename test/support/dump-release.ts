// Writes test/releases/{newest migration}.sql: a database of this version with some of everything in it, which every later
// version has to bring to its own schema without losing any of it. Run once for a release: node test/support/dump-release.ts

import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { attachEmbedded } from '../../src/database/embedded/server.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { dumpSchema } from './dump-schema.ts'
import { type Ended, start } from './process.ts'
import { made, OPENED, posted } from './register.ts'
import { DIGESTS, RELEASES, releaseKeys } from './release.ts'

const ending: (() => unknown)[] = []
const script = { teardown: (end: () => unknown) => void ending.push(end) } as Parameters<typeof start>[0]

async function post(url: string, body: unknown, key: string): Promise<{ events: { id: string }[] }> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (answer.status !== 201) throw new Error(`${url}: ${await answer.text()}`)
  return (await answer.json()) as { events: { id: string }[] }
}

/** Facts, repairs of each kind, repairs of repairs, an erased event, in a register of its own. */
async function mend(address: string): Promise<void> {
  const R = `${address}/v1/registers/mended`
  await post(`${address}/v1/registers`, { id: 'mended', ...OPENED }, 'open')
  const facts = [
    made('bridge', { due: '2026-03', themes: ['tolls'], parties: ['A'] }),
    posted('bridge', 'DeliveryReported', '2026-02-01'),
    made('tunnel', { due: '2026-06-30' }),
    posted('tunnel', 'StatusReaffirmed', '2026-02-02', { note: 'a name that is to go' }),
  ]
  const [bridge, delivery] = (await post(`${R}/events`, facts, 'facts')).events.map(({ id }) => id)
  const reason = 'it was recorded wrongly'
  const repairs = [
    posted('bridge', 'EventCorrected', '2026-02-03', { event: delivery, occurredOn: '2026-01-31', reason }),
    posted('bridge', 'EventRetracted', '2026-02-04', { event: delivery, reason }),
    posted('bridge', 'EventCorrected', '2026-02-05', { event: bridge, occurredOn: '2025-12', reason }),
  ]
  const [, retraction] = (await post(`${R}/events`, repairs, 'repairs')).events.map(({ id }) => id)
  await post(`${R}/events`, posted('bridge', 'EventRetracted', '2026-02-06', { event: retraction, reason }), 'undone')
  await post(`${R}/events/4/redact`, { reason: 'it names somebody' }, 'redacted')
}

async function pledger(args: string[], env: Record<string, string>): Promise<Ended> {
  const ended = await start(script, args, env).ended
  if (ended.code !== 0) throw new Error(`pledger ${args.join(' ')}: ${ended.err}`)
  return ended
}

/** Every row of a table as JSON, a line each, in a statement that puts them back. */
async function rowsOf(client: pg.Client, table: string): Promise<string> {
  const { rows } = await client.query<{ row: string }>(
    `select to_json(t)::text as row from ${table} t order by t::text`,
  )
  if (rows.length === 0) return ''
  const lines = rows.map(({ row }) => row).join(',\n')
  return `insert into ${table} select * from json_populate_recordset(null::${table}, $rows$[\n${lines}\n]$rows$);\n\n`
}

async function dump(connectionString: string, digests: unknown): Promise<{ name: string; text: string }> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  const db = openDatabase({ connectionString, max: 1 })
  await client.query("set timezone to 'UTC'")
  const names = async (text: string) => (await client.query<{ name: string }>(text)).rows.map(({ name }) => name)
  const applied = await names('select name from migration order by name')
  const parts = [
    `-- Written by test/support/dump-release.ts at ${applied.at(-1)}; never edited.\n${DIGESTS}${JSON.stringify(digests)}\n\n`,
    'create table migration (name varchar(255) primary key, "timestamp" varchar(255) not null);\n\n',
    'create table migration_lock (id varchar(255) primary key, is_locked integer not null default 0);\n\n',
    // Functions name tables that are there by then.
    await dumpSchema(db),
    '\n',
  ]
  const tables = await names(`select quote_ident(relname) as name from pg_class where relkind in ('r', 'p')
    and not relispartition and relnamespace = 'public'::regnamespace order by relname`)
  for (const table of tables) parts.push(await rowsOf(client, table))
  const { rows } = await client.query('select last_value from generation_number')
  parts.push(`select setval('generation_number', ${rows[0].last_value});\n`)
  await db.destroy()
  await client.end()
  return { name: `${applied.at(-1)?.slice(0, 4)}.sql`, text: parts.join('') }
}

const dir = await mkdtemp(join(tmpdir(), 'pledger-release-'))
try {
  await chmod(dir, 0o755)
  const data = join(dir, 'data')
  const env = { PLEDGER_DATA: data, PLEDGER_PORT: '0', PLEDGER_SIGNING_KEYS: await releaseKeys(join(dir, 'keys.pem')) }
  const service = start(script, ['serve', '--unsafe-database'], env)
  const [, address = ''] = await service.says(/listens on (http:\/\/127\.0\.0\.1:\d+)\n/)
  await pledger(['sample', 'union-state'], env)
  await pledger(['sample', 'synthetic', '--commitments', '10', '--delivered', '4', '--late', '1'], env)
  await mend(address)
  await pledger(['replay', '--drop-previous'], env)
  await pledger(['seal', '--once'], env)
  const { out } = await pledger(['digest', '--json'], env)
  const { name, text } = await dump((await attachEmbedded(data)).connectionString, JSON.parse(out))
  await mkdir(RELEASES, { recursive: true })
  if ((await readdir(RELEASES)).includes(name)) throw new Error(`${name} is there already, and is never written again`)
  await writeFile(join(RELEASES, name), text)
  process.stdout.write(`${name}: ${text.length} characters\n`)
  service.child.kill('SIGTERM')
  await service.ended
} finally {
  for (const end of ending) await end()
  await rm(dir, { recursive: true, force: true, maxRetries: 10 })
}

// What survives a service that is killed: real processes, the embedded database, an import of 50,000 events.

import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, realpath, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { attachEmbedded, openEmbedded } from '../src/database/embedded/server.ts'
import { type Database, openDatabase } from '../src/database/pool.ts'
import { REGISTER_STREAM, type StoredEvent } from '../src/domain/event.ts'
import { streamFeed } from '../src/eventlog/feed.ts'
import { canonicalJson } from '../src/kernel/canonical-json.ts'
import { project } from '../src/projections/commitments/project.ts'
import { saveCommitments } from '../src/projections/commitments/table.ts'
import { syntheticEvents } from '../src/samples/synthetic.ts'
import { until } from './support/patience.ts'
import { type Started, start } from './support/process.ts'
import { NDJSON } from './support/register.ts'

const EVENTS = 50_000
const REGISTER = 'crash'

function* importLines(): Generator<string> {
  const commitments = Math.ceil(EVENTS / 7)
  const options = { commitments, delivered: Math.floor(commitments / 2), late: Math.floor(commitments / 20), seed: 3 }
  for (const event of syntheticEvents({ ...options, asOf: '2026-02-26' })) yield `${JSON.stringify(event)}\n`
}

async function directory(t: Test): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'pledger-crash-')))
  // Reachable for the user that PostgreSQL runs under where the tests run as root.
  await chmod(dir, 0o755)
  t.teardown(async () => {
    if (existsSync(join(dir, 'postgres/postmaster.pid'))) await (await openEmbedded(dir)).stop()
    await rm(dir, { recursive: true, force: true, maxRetries: 10 })
  })
  return dir
}

type Service = Started & { address: string }

async function serve(t: Test, dir: string, ...flags: string[]): Promise<Service> {
  const started = start(t, ['serve', ...flags], { PLEDGER_DATA: dir, PLEDGER_PORT: '0' })
  const [, address = ''] = await started.says(/listens on (http:\/\/127\.0\.0\.1:\d+)\n/)
  return { ...started, address }
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads out of an answer is asserted, not typed.
async function getJson(url: string): Promise<any> {
  return (await fetch(url)).json()
}

/** How far the summary knows the register once it has caught up with `size`; it waits five seconds at a time. */
async function projectedSize(address: string, size: number): Promise<number> {
  for (let turn = 0; turn < 60; turn += 1) {
    const answer = await getJson(`${address}/v1/registers/${REGISTER}/summary?minSize=${size}`)
    if (answer.knownAt) return answer.knownAt.size
  }
  return 0
}

const sizeOf = async (address: string) => (await getJson(`${address}/v1/registers/${REGISTER}`)).size ?? 0

/** Imports every line; the answer's body, or null where the service died. */
async function load(address: string): Promise<Record<string, unknown> | null> {
  const sending = request(`${address}/v1/registers/${REGISTER}/events`, { method: 'POST', headers: NDJSON })
  const answered = new Promise<string>((resolve, reject) => {
    sending.on('error', reject)
    sending.on('response', async (response) => {
      response.on('error', reject)
      let text = ''
      for await (const chunk of response.setEncoding('utf8')) text += chunk
      resolve(text)
    })
  })
  const sent = pipeline(Readable.from(importLines()), sending)
  try {
    const [text] = await Promise.all([answered, sent])
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function postmasterPid(dir: string): Promise<string | undefined> {
  return (await readFile(join(dir, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]
}

const exitOf = async ({ ended }: Started) => {
  const { code, signal } = await ended
  return { code, signal }
}

async function rowsDigest(db: Database, register: string): Promise<{ rows: number; digest: string }> {
  const rows = await db.selectFrom('commitment').selectAll().where('register', '=', register).orderBy('id').execute()
  const text = rows.map(({ register: _, ...row }) => canonicalJson(JSON.parse(JSON.stringify(row)))).join('\n')
  return { rows: rows.length, digest: hash('sha256', text) }
}

t.test(
  'a service killed in the middle of an import has lost nothing, and the import is simply run again',
  async (t) => {
    const dir = await directory(t)
    const first = await serve(t, dir)
    const broken = load(first.address)
    while ((await sizeOf(first.address)) < EVENTS / 3) await sleep(20)
    const server = await postmasterPid(dir)
    first.child.kill('SIGKILL')
    t.equal(await broken, null)
    t.strictSame(await exitOf(first), { code: null, signal: 'SIGKILL' })

    const second = await serve(t, dir)
    t.equal(await postmasterPid(dir), server, 'the database is the one that the killed service left running')
    const kept = await sizeOf(second.address)
    t.ok(kept >= EVENTS / 3, `${kept} events were kept`)
    const report = await load(second.address)
    const total = [...importLines()].length
    t.ok(kept < total, `it was killed in the middle: at ${kept} of ${total}`)
    t.strictSame(report, { size: total, recorded: total - kept, alreadyRecorded: kept, refused: 0, refusals: [] })
    t.equal(await projectedSize(second.address, total), total)

    const { connectionString } = await attachEmbedded(dir)
    const db = openDatabase({ connectionString, max: 2 })
    t.teardown(() => db.destroy())
    const events: StoredEvent[] = []
    for await (const event of streamFeed(db, { register: REGISTER, after: -1, until: total })) events.push(event)
    t.strictSame(
      events.map(({ position, id }) => `${position} ${id}`),
      [...importLines()].map((line, position) => `${position} ${JSON.parse(line).id}`),
      'every event is there once, in the order of its line, without a gap',
    )

    const streams: Map<string, StoredEvent[]> = Map.groupBy(events, ({ stream }) => stream)
    streams.delete(REGISTER_STREAM)
    const folded = [...streams].flatMap(([id, stream]) => project(id, stream, { size: total, timeZone: 'UTC' }) ?? [])
    // Written by the same writer under another name, so that rows are compared with rows.
    for (let from = 0; from < folded.length; from += 500)
      await saveCommitments(db, { register: 'folded', generation: 0 }, folded.slice(from, from + 500))
    const projected = await rowsDigest(db, REGISTER)
    t.equal(projected.rows, streams.size)
    t.strictSame(projected, await rowsDigest(db, 'folded'), 'the projection is a fold of the log')
    await db.destroy()

    second.child.kill('SIGTERM')
    t.strictSame(await exitOf(second), { code: 0, signal: null })
    t.notOk(existsSync(join(dir, 'postgres/postmaster.pid')), 'the database is stopped')
  },
)

t.test('a directory is one service’s, which signals stop cleanly', async (t) => {
  const dir = await directory(t)
  const first = await serve(t, dir, '--samples')
  const refused = start(t, ['serve'], { PLEDGER_DATA: dir, PLEDGER_PORT: '0' })
  const { code, out, err } = await refused.ended
  t.strictSame(
    { code, out, err: err.split('\n').at(-2) },
    {
      code: 1,
      out: '',
      err:
        `pledger: another pledger service, process ${first.child.pid}, is using ${dir}; ` +
        'stop it, or set PLEDGER_DATA to another directory',
    },
  )
  const sizes = async ({ address }: Service) =>
    (await getJson(`${address}/v1/registers`)).items.map(({ id, size }: { id: string; size: number }) => [id, size])
  const loaded = await sizes(first)
  t.strictSame(
    loaded.map(([id]: [string]) => id),
    ['synthetic-310', 'union-state'],
  )
  t.equal((await fetch(`${first.address}/readyz`)).status, 200)
  const keysOf = async ({ address }: Service) => (await getJson(`${address}/v1/registers/union-state/keys`)).keys
  for (const [register, size] of loaded) {
    const sealed = async () => (await getJson(`${first.address}/v1/registers/${register}/checkpoints`)).items?.at(-1)
    await until(`${register} is sealed without a word`, async () => (await sealed())?.size === size)
  }
  t.equal((await stat(join(dir, 'signing-keys.pem'))).mode & 0o777, 0o600)
  const keys = await keysOf(first)
  t.match(keys, [{ vkey: /^pledger\.localhost\/union-state\+/, toSize: null }])

  await t.test('a command uses the database of the running service and leaves it running', async (t) => {
    const status = await start(t, ['status', '--json'], { PLEDGER_DATA: dir }).ended
    t.equal(status.code, 0)
    t.strictSame(
      JSON.parse(status.out).registers.map(({ register, size }: { register: string; size: number }) => [
        register,
        size,
      ]),
      loaded,
    )
    t.equal((await fetch(`${first.address}/readyz`)).status, 200)
  })

  first.child.kill('SIGTERM')
  t.strictSame(await exitOf(first), { code: 0, signal: null })
  t.notOk(existsSync(join(dir, 'postgres/postmaster.pid')))

  const second = await serve(t, dir, '--samples')
  t.strictSame(await sizes(second), loaded, 'samples are loaded once')
  t.strictSame(await keysOf(second), keys, 'and sealed with the same key')
  const occupied = start(t, ['serve'], {
    PLEDGER_DATA: join(dir, 'other'),
    PLEDGER_PORT: new URL(second.address).port,
  })
  t.match((await occupied.ended).err, /pledger: cannot listen on 127\.0\.0\.1:\d+: port \d+ is in use/)
  t.equal((await occupied.ended).code, 1)
  t.notOk(existsSync(join(dir, 'other/postgres/postmaster.pid')))
  second.child.kill('SIGINT')
  t.strictSame(await exitOf(second), { code: 0, signal: null })
  t.notOk(existsSync(join(dir, 'postgres/postmaster.pid')))
})

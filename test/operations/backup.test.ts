// Backups as docs/operations.md says step by step: the copy verifies to the same checkpoints and replays to the same digests.

import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import t, { type Test } from 'tap'
import { attachEmbedded } from '../../src/database/embedded/server.ts'
import { NO_POSTGRES_TOOLS, newCluster, ownDirectory, startCluster, tool } from '../support/debian-postgres.ts'
import { pledger } from '../support/process.ts'
import { made, OPENED, posted } from '../support/register.ts'
import { type Serving, serving, signingKeys, soon, stopped, temporaryDirectory } from '../support/serving.ts'

const run = promisify(execFile)
const R = '/v1/registers/demo'
type Env = Record<string, string>

/** A register with something of everything: facts, repairs, an erased event, checkpoints. */
async function fill(service: Serving): Promise<void> {
  await service.post('/v1/registers', { id: 'demo', ...OPENED })
  const events = Array.from({ length: 40 }, (_, at) => [
    made(`c-${at}`, { due: '2026-02-01', themes: ['a'] }),
    posted(`c-${at}`, 'DeliveryReported', `2026-01-${String((at % 28) + 1).padStart(2, '0')}`),
  ])
  const { body } = await service.post(`${R}/events`, events.flat())
  const wrong = { event: body.events[1].id, reason: 'it was another' }
  await service.post(`${R}/events`, posted('c-0', 'EventRetracted', '2026-01-30', wrong))
  await service.post(`${R}/events/4/redact`, { reason: 'a name' })
  await sealed(service, 83)
}

async function sealed({ get }: Serving, size: number): Promise<void> {
  await soon(`a checkpoint of size ${size}`, async () => {
    const { status, text } = await get(`${R}/checkpoint`)
    return status === 200 && Number(text.split('\n')[1]) >= size
  })
  await get(`${R}/summary?minSize=${size}`)
}

/** Records until it is told to stop; then says how many of its recordings were acknowledged. */
function writing({ post }: Serving): () => Promise<number> {
  let isOver = false
  const wrote = (async () => {
    let count = 0
    for (; !isOver; count += 1) {
      const { status } = await post(`${R}/events`, made(`w-${count}`))
      if (status !== 201) throw new Error(`refused: ${status}`)
    }
    return count
  })()
  return () => {
    isOver = true
    return wrote
  }
}

async function checkpointsOf(t: Test, url: string): Promise<Map<number, string>> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('select size, note from signed_checkpoint order by size')
  await client.end()
  t.ok(rows.length > 0)
  return new Map(rows.map(({ size, note }) => [Number(size), note]))
}

const digestAt = async (t: Test, env: Env, size: number) => {
  const { code, out, err } = await pledger(t, ['digest', '--register', 'demo', '--size', String(size)], env)
  t.equal(code, 0, err)
  return out
}

/** Everything that a copy has to be; returns how much of the log it holds. */
async function checkCopy(t: Test, original: Env & { url: string }, copy: Env & { url: string }): Promise<number> {
  const verified = await pledger(t, ['verify', 'log', '--register', 'demo'], copy)
  t.equal(verified.code, 0, verified.err)
  const size = Number(/demo: (\d+) events, every content/.exec(verified.out)?.[1])
  const [theirs, ours] = [await checkpointsOf(t, original.url), await checkpointsOf(t, copy.url)]
  // The copy of a service that runs has sealed what it holds at sizes of its own: of the same log, which watching shows below.
  const both = [...ours].filter(([at]) => theirs.has(at))
  t.ok(both.length > 0 && Math.max(...both.map(([at]) => at)) >= 83)
  t.strictSame(
    both,
    [...theirs].filter(([at]) => ours.has(at)),
    'the same checkpoints, byte for byte',
  )
  const replayed = await pledger(t, ['replay', '--register', 'demo'], copy)
  t.equal(replayed.code, 0, replayed.err)
  t.equal(await digestAt(t, copy, size), await digestAt(t, original, size), 'replayed from position 0')
  return size
}

t.test('a base backup of the embedded database, copied while it is written to, is the register', async (t) => {
  const dir = await temporaryDirectory(t)
  const [data, restored, state] = [join(dir, 'data'), join(dir, 'restored'), join(dir, 'state')]
  const env = { PLEDGER_DATA: data }
  const service = await serving(t, env)
  await fill(service)
  const keys = join(dir, 'keys.json')
  await writeFile(keys, (await service.get(`${R}/keys`)).text)
  const watch = ({ address }: Serving) =>
    pledger(t, ['verify', 'watch', `${address}${R}`, '--key', keys, '--state', state])
  t.equal((await watch(service)).code, 0)

  const stopWriting = writing(service)
  const { connectionString: url } = await attachEmbedded(data)
  const session = new pg.Client({ connectionString: url })
  await session.connect()
  await session.query("select pg_backup_start('pledger', fast => true)")
  const archive = join(dir, 'backup.tar')
  const without = ['postmaster.pid', 'postmaster.opts', 'pg_wal/*'].map((path) => `--exclude=postgres/${path}`)
  // A file that changes or goes while it is read is mended by the log that is copied after it: tar says so by exit code 1.
  await run('tar', ['-C', data, '-cf', archive, ...without, '.']).catch((error) => {
    if (error.code !== 1) throw error
  })
  const { rows } = await session.query('select labelfile from pg_backup_stop(wait_for_archive => false)')
  await writeFile(join(dir, 'backup_label'), rows[0].labelfile)
  await run('tar', ['-C', data, '-rf', archive, './postgres/pg_wal']).catch((error) => {
    if (error.code !== 1) throw error
  })
  await session.end()
  const written = await stopWriting()
  t.ok(written > 0, `${written} recordings meanwhile`)
  await sealed(service, 83 + written)

  await run('mkdir', [restored])
  await run('tar', ['-C', restored, '-xpf', archive])
  await run('cp', [join(dir, 'backup_label'), join(restored, 'postgres/backup_label')])
  await run('chown', ['--reference', join(restored, 'postgres/PG_VERSION'), join(restored, 'postgres/backup_label')])
  await run('chmod', ['600', join(restored, 'postgres/backup_label')])
  const copy = await serving(t, { PLEDGER_DATA: restored })
  const { connectionString: copyUrl } = await attachEmbedded(restored)
  const size = await checkCopy(t, { ...env, url }, { PLEDGER_DATA: restored, url: copyUrl })
  t.ok(size >= 83 && size <= 83 + written, `${size} events`)
  await sealed(copy, size)
  t.match(await watch(copy), { code: 0 }, 'it extends what was seen of the original before the backup')

  await t.test('one that is older than what was published says so to whoever watches', async (t) => {
    await service.post(
      `${R}/events`,
      Array.from({ length: 100 }, (_, at) => made(`later-${at}`)),
    )
    await sealed(service, 183 + written)
    t.match(await watch(service), { code: 0 })
    const older = await watch(copy)
    t.equal(older.code, 3)
    t.match(older.err, /^pledger: OLDER: .* and size \d+ was seen before; /)
    await copy.post(
      `${R}/events`,
      Array.from({ length: 400 }, (_, at) => made(`other-${at}`)),
    )
    await sealed(copy, size + 400)
    const fork = await watch(copy)
    t.equal(fork.code, 3)
    t.match(fork.err, /^pledger: FORK: .* it was rewritten; both notes are signed and prove it/)
  })
  for (const one of [service, copy]) t.equal((await stopped(one)).code, 0)
})

t.test('pg_dump and pg_basebackup take the register with them', { skip: NO_POSTGRES_TOOLS }, async (t) => {
  const dir = await temporaryDirectory(t)
  const addressOf = await startCluster(t, await newCluster(dir))
  const admin = new pg.Client({ connectionString: addressOf('postgres') })
  await admin.connect()
  await admin.query('create database pledger')
  await admin.query('create database restored')
  await admin.end()
  const url = addressOf('pledger')
  const keys = { PLEDGER_SIGNING_KEYS: await signingKeys(dir) }
  const env = { PLEDGER_DATABASE_URL: url, ...keys, url }
  const service = await serving(t, env)
  await fill(service)
  const out = await ownDirectory(dir, 'backups')

  const stopWriting = writing(service)
  await tool('pg_dump', '--format=custom', '--file', join(out, 'pledger.dump'), url)
  await tool('pg_basebackup', '--checkpoint=fast', '-D', join(out, 'base'), '-d', addressOf(''))
  const written = await stopWriting()
  await sealed(service, 83 + written)

  await t.test('pg_dump and pg_restore', async (t) => {
    const to = addressOf('restored')
    await tool('pg_restore', '--exit-on-error', '--no-owner', '-d', to, join(out, 'pledger.dump'))
    t.ok((await checkCopy(t, env, { PLEDGER_DATABASE_URL: to, url: to })) >= 83)
  })
  await t.test('pg_basebackup', async (t) => {
    await tool('pg_verifybackup', join(out, 'base'))
    const to = (await startCluster(t, join(out, 'base')))('pledger')
    t.ok((await checkCopy(t, env, { PLEDGER_DATABASE_URL: to, url: to })) >= 83)
  })
  t.equal((await stopped(service)).code, 0)
})

// Sealing as it is run: the commands, what they refuse, and sealers that are killed at any moment while others record.

import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { sealingOf } from '../../../src/cli/sealing.ts'
import { parseConfig } from '../../../src/config.ts'
import { type Database, openDatabase } from '../../../src/database/pool.ts'
import { parsePosted } from '../../../src/domain/admission/posted-event.ts'
import { readLeaves } from '../../../src/eventlog/leaves.ts'
import { sealAll, sealOf } from '../../../src/integrity/sealing/sealer.ts'
import { listCheckpoints, listKeys, newestCheckpoint, readConsistency } from '../../../src/integrity/sealing/stored.ts'
import { openCheckpoint } from '../../../src/integrity/tlog/checkpoint.ts'
import {
  consistencyRanges,
  isConsistent,
  leafHash,
  nodeHash,
  rootOf,
  subtreesOf,
} from '../../../src/integrity/tlog/merkle.ts'
import { parseVkey, type Verifier } from '../../../src/integrity/tlog/note.ts'
import { createRecorder } from '../../../src/recording/recorder.ts'
import { createRegisters } from '../../../src/registers/registers.ts'
import { type Random, randomFrom } from '../../../src/samples/random.ts'
import { asRole, ROLES, testDatabaseUrl } from '../../support/database.ts'
import { until } from '../../support/patience.ts'
import { PLAIN_NODE, pledger, type Started, start, withoutHaste } from '../../support/process.ts'
import { OPENED, posted } from '../../support/register.ts'

const REGISTER = 'demo'
/** How often a sealer is killed; more for a longer look: SEAL_KILLS=50. */
const KILLS = Number(process.env.SEAL_KILLS ?? 15)
const seed = Number(process.env.STORM_SEED ?? Math.floor(Math.random() * 1_000_000))

async function keyFile(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pledger-sealing-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const file = join(dir, 'keys.pem')
  await writeFile(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return file
}

/** A database with a register of one event, and what records more: so many commitments at a time. */
async function log(t: Test) {
  const url = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: url, max: 4 })
  t.teardown(() => db.destroy())
  const recorder = createRecorder(db, createRegisters(), { now: Date.now })
  let made = 0
  const group = (stream: string, type: string, data: Record<string, unknown>) => {
    const parsed = parsePosted(posted(stream, type, '2026-01-01', data))
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
    return [parsed.value]
  }
  await recorder.record(REGISTER, [group('$register', 'RegisterOpened', OPENED)], 'local')
  const record = async (count: number) => {
    const groups = Array.from({ length: count }, () => group(`c-${made}`, 'CommitmentMade', { title: `${made++}` }))
    await recorder.record(REGISTER, groups, 'local')
  }
  const env = {
    ...PLAIN_NODE,
    PLEDGER_DATABASE_URL: asRole(url, ROLES.service),
    PLEDGER_SEALER_DATABASE_URL: asRole(url, ROLES.sealer),
    PLEDGER_PORT: '0',
  }
  return { url, db, record, env }
}

/** Waits until the newest checkpoint has come to a size. */
function sealed(db: Database, size: number): Promise<void> {
  return until(`size ${size} is sealed`, async () => (await newestCheckpoint(db, REGISTER))?.size === size)
}

async function stopped(t: Test, started: Started): Promise<{ out: string; err: string }> {
  started.child.kill('SIGTERM')
  const { code, out, err } = await started.ended
  t.equal(code, 0)
  return { out, err }
}

const one = (line: string) => ({ code: 1, signal: null, out: '', err: `pledger: ${line}\n` })

// Processes start side by side; the storm below has the machine to itself.
t.jobs = 2

t.test('a log is sealed once, or for as long as the sealer is left to run', async (t) => {
  const { db, record, env } = await log(t)
  const keys = { ...env, PLEDGER_SIGNING_KEYS: await keyFile(t) }
  const seal = (...flags: string[]) => pledger(t, ['seal', ...flags], keys)
  await record(19)
  t.strictSame(await seal('--once'), {
    code: 0,
    signal: null,
    out: 'demo: sealed at size 20, 20 new\n',
    err: '',
  })
  t.equal((await seal('--once', '--register', REGISTER)).out, 'demo: sealed at size 20, 0 new\n')
  t.strictSame(await seal('--register', 'none'), one('there is no register none'))

  const running = start(t, ['seal', '--register', REGISTER], keys)
  await running.says(/^Pledger seals demo in PostgreSQL at .* as pledger\.localhost\/demo\. Ctrl-C stops\.\n/)
  await record(1_200)
  await sealed(db, 1_220)
  await record(1)
  await sealed(db, 1_221)
  const { err } = await stopped(t, running)
  t.match(err, /^\{"level":30,.*"msg":"stopping"\}\n$/)
  t.match((await pledger(t, ['status'], env)).out, '\n  checkpoints: sealed at size 1,221\n')
})

t.test('what cannot be sealed as it is asked for is refused in one line', async (t) => {
  const { env, record } = await log(t)
  const keys = { ...env, PLEDGER_SIGNING_KEYS: await keyFile(t) }
  t.strictSame(
    await pledger(t, ['seal', '--once'], env),
    one('there are no keys to sign with: PLEDGER_SIGNING_KEYS is not set'),
  )
  t.strictSame(
    await pledger(t, ['serve'], { PLEDGER_ACCESS: 'tokens', ...env, PLEDGER_SIGNING_KEYS: '/no/such.pem' }),
    one('cannot read the signing keys in /no/such.pem: there is no such file'),
  )
  const mine = { ...keys, PLEDGER_ORIGIN: 'log.example/v1' }
  t.equal((await pledger(t, ['seal', '--once'], mine)).out, 'demo: sealed at size 1, 1 new\n')
  for (const command of ['serve', 'seal'])
    t.strictSame(
      await pledger(t, [command], { ...keys, PLEDGER_ACCESS: 'tokens', PLEDGER_ORIGIN: 'elsewhere.example' }),
      one(
        'demo is sealed as log.example/v1, and PLEDGER_ORIGIN is elsewhere.example: the origin is fixed with the first ' +
          'checkpoint; set PLEDGER_ORIGIN=log.example/v1 or leave it out',
      ),
    )
  await record(1)
  t.equal((await pledger(t, ['seal', '--once'], keys)).out, 'demo: sealed at size 2, 1 new\n', 'as before by default')

  const service = start(t, ['serve'], { ...env, PLEDGER_ACCESS: 'tokens' })
  await service.says(/\n {2}sealing {4}none: PLEDGER_SIGNING_KEYS is not set\n/)
  const { err } = await stopped(t, service)
  t.strictSame(
    err
      .split('\n')
      .filter((line) => /"level":40/.test(line))
      .map((line) => JSON.parse(line).msg),
    ['sealing: nothing is sealed by this process: PLEDGER_SIGNING_KEYS is not set'],
  )
})

t.test('a refusal to sign is told wherever somebody may look', async (t) => {
  const { db, env, record } = await log(t)
  const keys = { ...env, PLEDGER_SIGNING_KEYS: await keyFile(t) }
  await record(9)
  await pledger(t, ['seal', '--once'], keys)
  await record(5)
  await db.transaction().execute(async (tx) => {
    await sql`alter table tile disable trigger user`.execute(tx)
    await sql`update tile set hashes = set_byte(hashes, 40, (get_byte(hashes, 40) + 1) % 256)`.execute(tx)
  })
  const reason = 'the tiles do not give the root of the checkpoint of size 10'
  t.strictSame(await pledger(t, ['seal', '--once'], keys), one(`refuses to sign demo: ${reason}`))
  const status = await pledger(t, ['status'], env)
  t.equal(status.code, 1)
  t.match(status.out, `\n  checkpoints: refused at size 10: ${reason}\n`)
  // The guards of its tiles are off, which the service would refuse.
  const service = start(t, ['serve', '--unsafe-database'], keys)
  const [, address = ''] = await service.says(/listens on (http:\/\/127\.0\.0\.1:\d+)\n/)
  // Safe: the answer of a service that is ready.
  const { sealing } = (await (await fetch(`${address}/readyz`)).json()) as { sealing: Record<string, unknown>[] }
  t.match(sealing, [{ register: REGISTER, size: 10, behindEvents: 5, refused: reason }])
  const { err } = await stopped(t, service)
  const [told] = err.split('\n').filter((line) => /"level":50/.test(line))
  t.match(JSON.parse(told ?? '{}'), {
    register: REGISTER,
    reason,
    msg: `sealing: REFUSES TO SIGN demo: ${reason}; see pledger verify log`,
  })
})

/** Whether a sealer is in the middle of a step. */
async function isSealing(db: Database): Promise<boolean> {
  const { rows } =
    await sql`select 1 from pg_stat_activity where datname = current_database() and xact_start is not null
    and pid <> pg_backend_pid() and query ~ '"tree"|signed_checkpoint|into tile|signing_key|join tile|"leaf"'`.execute(
      db,
    )
  return rows.length > 0
}

type Sealers = { ready: () => number[]; restart: (index: number) => void; end: () => Promise<string[]> }

/** Two sealers and a service that seals, each started again whenever it is killed. */
function startSealers(t: Test, env: Record<string, string>): Sealers {
  const complaints: string[] = []
  const ready = new Set<number>()
  const run = (index: number) => {
    const started = start(t, index === 2 ? ['serve'] : ['seal'], {
      PLEDGER_ACCESS: 'tokens',
      ...env,
      PLEDGER_LOG_LEVEL: 'error',
    })
    const begun = started.says(/\n/).then(
      () => ready.add(index),
      () => {},
    )
    started.ended.then(({ code, signal, err }) => {
      if (withoutHaste(err) !== '' || (signal !== 'SIGKILL' && code !== 0)) complaints.push(`${code ?? signal}: ${err}`)
    })
    return { ...started, begun }
  }
  const processes = [0, 1, 2].map(run)
  return {
    ready: () => [...ready],
    restart(index) {
      ready.delete(index)
      processes[index]?.child.kill('SIGKILL')
      processes[index] = run(index)
    },
    async end() {
      await Promise.all(processes.map(({ begun }) => begun))
      for (const { child } of processes) child.kill('SIGTERM')
      await Promise.all(processes.map(({ ended }) => ended))
      return complaints
    },
  }
}

/** Kills at random; one time in five in the middle of a step, then all, since it may be any's. Returns how often that was. */
async function kill(db: Database, { ready, restart }: Sealers, random: Random): Promise<number> {
  let inStep = 0
  for (let kills = 0; kills < KILLS; ) {
    await sleep(random.int(0, 300))
    const until = performance.now() + (random.int(1, 5) === 1 ? 1_000 : 0)
    let isCaught = false
    while (!isCaught && performance.now() < until) isCaught = await isSealing(db)
    // Whoever is still starting seals nothing; one is left to go on, or all that is ever sealed is what a start begins with.
    const victims = isCaught ? ready() : ready().slice(0, -1).slice(0, 1)
    if (isCaught && victims.length > 0) inStep += 1
    for (const index of victims) restart(index)
    kills += victims.length
  }
  return inStep
}

/** The hash over any leaves that a tree consists of, computed from nothing but the leaves. */
function inputs(leaves: readonly Buffer[]) {
  const levels = [leaves.map(leafHash)]
  for (let below = levels[0] ?? []; below.length > 1; below = levels.at(-1) ?? [])
    levels.push(
      Array.from({ length: below.length >> 1 }, (_, at) =>
        nodeHash(below[2 * at] as Buffer, below[2 * at + 1] as Buffer),
      ),
    )
  return (start: bigint, end: bigint) =>
    rootOf(subtreesOf({ start, end }).map(({ level, index }) => levels[level]?.[Number(index)] as Buffer))
}

t.test('however sealers are killed, they have signed one history of one log', { buffered: false }, async (t) => {
  const { db, record, env } = await log(t)
  const random = randomFrom(`${seed} sealing`)
  const sealers = startSealers(t, { ...env, PLEDGER_SIGNING_KEYS: await keyFile(t) })
  const seen = new Map<number, string>()
  let isOver = false
  const recording = (async () => {
    while (!isOver) {
      // Now and then so many that it is sealed at once.
      await record(random.int(1, 40) === 1 ? 1_100 : random.int(1, 10))
      const newest = await newestCheckpoint(db, REGISTER)
      if (newest) seen.set(newest.size, newest.note)
      await sleep(random.int(10, 80))
    }
  })()
  const inStep = await kill(db, sealers, random)
  isOver = true
  await recording
  const size = (await db.selectFrom('register').select('size').executeTakeFirstOrThrow()).size
  await sealed(db, size)
  t.strictSame(await sealers.end(), [], `STORM_SEED=${seed}`)

  const published = await listCheckpoints(db, REGISTER, { after: 0, limit: 100_000 })
  const known = (await listKeys(db, REGISTER)).map(({ vkey }) => parseVkey(vkey) as Verifier)
  t.equal(known.length, 1)
  const hashOf = inputs(await readLeaves(db, REGISTER, 0, size))
  const heads = published.map(({ size, root }) => ({ size: BigInt(size), root }))
  for (const { size, root, note } of published) {
    const expected = { origin: 'pledger.localhost/demo', size: BigInt(size), root }
    if (!hashOf(0n, BigInt(size)).equals(root)) t.fail(`the root of size ${size} is not that of the log`)
    const signed = openCheckpoint(note, known)
    if (signed?.size !== expected.size || signed.origin !== expected.origin || !root.equals(signed.root))
      t.fail(`size ${size} is not what was signed`)
  }
  for (const [at, second] of heads.entries()) {
    for (const first of heads.slice(0, at)) {
      const proof = consistencyRanges(first.size, second.size).map(({ start, end }) => hashOf(start, end))
      if (!isConsistent(first, second, proof)) t.fail(`size ${first.size} does not lead to ${second.size}`)
    }
    const before = heads[at - 1]
    const stored = before && (await readConsistency(db, REGISTER, Number(before.size), Number(second.size)))
    if (before && stored && !isConsistent(before, second, stored)) t.fail(`nor do the tiles at ${second.size}`)
  }
  t.strictSame(
    [...seen].filter(([size, note]) => published.find((one) => one.size === size)?.note !== note),
    [],
    'what was once read is still there, word for word',
  )
  t.equal(published.at(-1)?.size, size)
  t.ok(published.length > 3, `${published.length} checkpoints`)
  t.comment({ seed, events: size, checkpoints: published.length, kills: KILLS, inStep })
})

t.test('a key that is lost is not replaced by itself where registers were sealed', async (t) => {
  const { db } = await log(t)
  const dir = await mkdtemp(join(tmpdir(), 'pledger-lost-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const parsed = parseConfig({ PLEDGER_DATA: dir })
  if (!parsed.ok) throw new Error(parsed.problem)
  const made = await sealingOf(parsed.config, db)
  t.equal(made.keys?.length, 1, 'one is made where there was none')
  await sealAll(db, REGISTER, sealOf(REGISTER, { origin: made.origin, keys: made.keys ?? [], now: Date.now }))
  await rm(join(dir, 'signing-keys.pem'))
  const lost = await sealingOf(parsed.config, db)
  t.equal(lost.keys, null)
  t.match(lost.why, /signing-keys\.pem, whose key has signed checkpoints, is gone: put it back/)
  await t.rejects(stat(join(dir, 'signing-keys.pem')), { code: 'ENOENT' })
})

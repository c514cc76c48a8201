// Sealing a register: the tiles and checkpoints that come of it, the proofs in them, and what it refuses to sign.

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../../src/database/pool.ts'
import { readLeaves } from '../../../src/eventlog/leaves.ts'
import { readOrMakeKeys, UnusableKeysError } from '../../../src/integrity/sealing/keys.ts'
import { announceKeys, RefusedToSignError, type Seal, sealNext } from '../../../src/integrity/sealing/seal.ts'
import { sealAll, sealOf, startSealer } from '../../../src/integrity/sealing/sealer.ts'
import {
  listCheckpoints,
  listKeys,
  newestCheckpoint,
  readConsistency,
  readInclusion,
  readRoot,
  readTile,
} from '../../../src/integrity/sealing/stored.ts'
import { openCheckpoint } from '../../../src/integrity/tlog/checkpoint.ts'
import { isConsistent, isIncluded, leafHash, rootOf, subtreesOf } from '../../../src/integrity/tlog/merkle.ts'
import { parseVkey, type Verifier, vkeyOf } from '../../../src/integrity/tlog/note.ts'
import { createRecorder } from '../../../src/recording/recorder.ts'
import { createRegisters } from '../../../src/registers/registers.ts'
import { testDatabaseUrl } from '../../support/database.ts'
import { until } from '../../support/patience.ts'
import { OPENED, posted } from '../../support/register.ts'

const newKey = () => generateKeyPairSync('ed25519').privateKey

async function log(t: Test) {
  const db = openDatabase({ connectionString: await testDatabaseUrl(t) })
  t.teardown(() => db.destroy())
  const recorder = createRecorder(db, createRegisters(), { now: Date.now })
  let made = 0
  const record = async (count: number) => {
    const groups = Array.from({ length: count }, () => {
      const [type, stream, data] =
        made === 0
          ? (['RegisterOpened', '$register', OPENED] as const)
          : (['CommitmentMade', `c-${made}`, { title: `Commitment ${made}` }] as const)
      made += 1
      // Safe: what `posted` gives is what a body is parsed to.
      return [{ typeVersion: 1, citations: [], ...posted(stream, type, '2026-01-01', data) }] as never
    })
    if (made === count) await recorder.record('demo', groups.splice(0, 1), 'local')
    const outcomes = await recorder.record('demo', groups, 'local')
    t.ok(outcomes.every(([outcome]) => outcome?.kind === 'recorded'))
  }
  return { db, record, seal: sealWith(newKey()) }
}

const sealWith = (...keys: KeyObject[]): Seal => sealOf('demo', { origin: 'log.test', keys, now: Date.now })

/** The root over the leaves of the log, from nothing but them. */
async function rootOfLog(db: Database, size: number): Promise<Buffer> {
  const leaves = (await readLeaves(db, 'demo', 0, size)).map(leafHash)
  const subtree = (level: number, index: number): Buffer =>
    level === 0 ? (leaves[index] as Buffer) : rootOf([subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1)])
  return rootOf(subtreesOf({ start: 0n, end: BigInt(size) }).map(({ level, index }) => subtree(level, Number(index))))
}

t.test('a register is sealed at every size that it had, with one tree', async (t) => {
  const { db, record, seal } = await log(t)
  t.equal(await newestCheckpoint(db, 'demo'), null)
  const sizes = [3, 255, 256, 257, 600, 1_500]
  let before = 0
  for (const size of sizes) {
    await record(size - before)
    before = size
    t.equal(await sealAll(db, 'demo', seal), size)
    t.strictSame((await newestCheckpoint(db, 'demo'))?.root, await rootOfLog(db, size), `the root of size ${size}`)
  }
  const [key] = await listKeys(db, 'demo')
  t.match(key, { fromSize: 3, toSize: null, vkey: /^log\.test\/demo\+[0-9a-f]{8}\+/ })
  const known = [parseVkey(key?.vkey ?? '') as Verifier]
  const published = await listCheckpoints(db, 'demo', { after: 0, limit: 100 })
  t.strictSame(
    published.map(({ size }) => size),
    sizes,
  )
  for (const { size, root, note } of published) {
    t.strictSame(openCheckpoint(note, known), { origin: 'log.test/demo', size: BigInt(size), root })
    t.strictSame(await readRoot(db, 'demo', size), root, 'the tiles still come to it')
  }
  t.match(await sealNext(db, 'demo', seal), { size: 1_500, isBehind: false })
  t.equal(
    (await listCheckpoints(db, 'demo', { after: 0, limit: 100 })).length,
    sizes.length,
    'nothing new, nothing signed',
  )

  let proofs = 0
  for (const { size, root } of published) {
    for (let position = 0; position < size; position += 1 + Math.floor(size / 20)) {
      const { leafHash, proof } = await readInclusion(db, 'demo', position, size)
      if (!isIncluded(BigInt(position), BigInt(size), leafHash, proof, root)) t.fail(`${position} in ${size}`)
      proofs++
    }
    for (const older of published.filter((one) => one.size <= size)) {
      const proof = await readConsistency(db, 'demo', older.size, size)
      const [first, second] = [
        { size: BigInt(older.size), root: older.root },
        { size: BigInt(size), root },
      ]
      if (!isConsistent(first, second, proof)) t.fail(`${older.size} to ${size}`)
      proofs++
    }
  }
  t.ok(proofs > 100, `${proofs} proofs`)
  t.equal((await readTile(db, 'demo', { level: 0, index: 0n, width: 256 }))?.length, 8_192)
  t.equal((await readTile(db, 'demo', { level: 1, index: 0n, width: 5 }))?.length, 160)
  t.equal(await readTile(db, 'demo', { level: 1, index: 0n, width: 6 }), null)
})

t.test('two sealers at once sign one history', async (t) => {
  const { db, record, seal } = await log(t)
  await record(2)
  const errors: unknown[] = []
  const keys = seal.signers.map(({ privateKey }) => privateKey)
  const options = {
    origin: 'log.test',
    keys,
    now: Date.now,
    onNewKey: () => {},
    onError: (error: unknown) => errors.push(error),
  }
  const sealers = [startSealer(db, options), startSealer(db, options)]
  for (let round = 0; round < 12; round++) {
    await record(40)
    for (const sealer of sealers) sealer.wake('demo')
  }
  await until('all is sealed', async () => (await newestCheckpoint(db, 'demo'))?.size === 482)
  for (const sealer of sealers) await sealer.stop()
  t.strictSame(errors, [])
  const published = await listCheckpoints(db, 'demo', { after: 0, limit: 1_000 })
  t.equal(published.at(-1)?.size, 482)
  for (const [at, { size, root }] of published.entries()) {
    t.strictSame(root, await rootOfLog(db, size))
    const older = published[at - 1]
    if (!older) continue
    const proof = await readConsistency(db, 'demo', older.size, size)
    t.ok(isConsistent({ ...older, size: BigInt(older.size) }, { size: BigInt(size), root }, proof))
  }
})

/** Changes what the database keeps from being changed. */
async function tamper(db: Database, table: string, change: string): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`alter table ${sql.table(table)} disable trigger user`.execute(tx)
    const { numAffectedRows } = await sql.raw(change).execute(tx)
    if (numAffectedRows !== 1n) throw new Error(`${numAffectedRows} rows changed`)
  })
}

for (const [what, table, change, why] of [
  [
    'a tile on the edge',
    'tile',
    `update tile set hashes = set_byte(hashes, 40, (get_byte(hashes, 40) + 1) % 256) where level = 0 and index = 1`,
    /the tiles do not give the root of the checkpoint of size 300/,
  ],
  [
    'a tile that is shorter',
    'tile',
    `update tile set hashes = substring(hashes for 64) where level = 0 and index = 1`,
    /does not reach so far/,
  ],
  ['a tile that is gone', 'tile', `delete from tile where level = 1`, /tile 0 of level 1 is not there/],
  [
    'the root of a checkpoint',
    'signed_checkpoint',
    `update signed_checkpoint set root = set_byte(root, 0, (get_byte(root, 0) + 1) % 256)`,
    /the checkpoint of size 300 is not what was signed/,
  ],
  [
    'the note of a checkpoint',
    'signed_checkpoint',
    `update signed_checkpoint set note = replace(note, E'\\n300\\n', E'\\n301\\n')`,
    /the checkpoint of size 300 is not what was signed/,
  ],
  [
    'a checkpoint that is gone',
    'signed_checkpoint',
    'delete from signed_checkpoint',
    /the tree is at 300, its newest checkpoint is about 0/,
  ],
  ['an event that is gone', 'event', 'delete from event where position = 305', /there is no event at position 305/],
] as const)
  t.test(`nothing is signed after ${what} was changed`, async (t) => {
    const { db, record, seal } = await log(t)
    await record(300)
    await sealAll(db, 'demo', seal)
    await record(10)
    await tamper(db, table, change)
    await t.rejects(sealNext(db, 'demo', seal), { message: why, constructor: RefusedToSignError })
    t.ok(((await newestCheckpoint(db, 'demo'))?.size ?? 0) <= 300)
    const { refused_because: because } = await db.selectFrom('tree').selectAll().executeTakeFirstOrThrow()
    t.match(because, why)
  })

t.test('a log that is shorter than what was signed is not signed', async (t) => {
  const { db, record, seal } = await log(t)
  await record(20)
  await sealAll(db, 'demo', seal)
  await sql`update register set size = 19`.execute(db)
  await t.rejects(sealNext(db, 'demo', seal), { message: 'the log ends at 19, and 20 events were sealed' })
})

t.test('the origin is fixed with the first checkpoint', async (t) => {
  const { db, record, seal } = await log(t)
  await record(2)
  await sealAll(db, 'demo', seal)
  await record(1)
  const keys = seal.signers.map(({ privateKey }) => privateKey)
  const other = sealOf('demo', { origin: 'elsewhere.test', keys, now: Date.now })
  await t.rejects(sealNext(db, 'demo', other), {
    message:
      'the row of its tree says that it was sealed as log.test/demo, and it is now to be sealed as elsewhere.test/demo',
  })
  t.equal(await sealAll(db, 'demo', seal), 3, 'and goes on under the first')
})

t.test('a key is replaced with an overlap, and stays listed with what it signed', async (t) => {
  const { db, record } = await log(t)
  const [old, fresh] = [newKey(), newKey()]
  for (const [count, seal] of [
    [2, sealWith(old)],
    [3, sealWith(old, fresh)],
    [4, sealWith(fresh)],
  ] as const) {
    await record(count)
    await sealAll(db, 'demo', seal)
  }
  const keys = await listKeys(db, 'demo')
  t.match(keys, [
    { fromSize: 2, toSize: 5 },
    { fromSize: 5, toSize: null },
  ])
  const [first, second] = keys.map(({ vkey }) => parseVkey(vkey) as Verifier) as [Verifier, Verifier]
  const notes = (await listCheckpoints(db, 'demo', { after: 0, limit: 10 })).map(({ note }) => note)
  const isBelieved = (known: Verifier) => notes.map((note) => openCheckpoint(note, [known]) !== null)
  t.strictSame(
    [isBelieved(first), isBelieved(second)],
    [
      [true, true, false],
      [false, true, true],
    ],
  )
})

t.test('a new key is listed before it signs, and a key that comes back is listed for each time', async (t) => {
  const { db, record } = await log(t)
  const [old, fresh] = [newKey(), newKey()]
  const vkeys = [old, fresh].map((key) => sealWith(key).signers.map(vkeyOf)[0])
  t.strictSame(await announceKeys(db, 'demo', sealWith(old)), [], 'nothing was sealed yet')
  await record(2)
  await sealAll(db, 'demo', sealWith(old))
  t.strictSame(await announceKeys(db, 'demo', sealWith(old)), [], 'it is listed')
  const elsewhere = sealOf('demo', { origin: 'elsewhere.test', keys: [fresh], now: Date.now })
  t.strictSame(await announceKeys(db, 'demo', elsewhere), [], 'it is sealed under another origin')
  t.strictSame(await announceKeys(db, 'demo', sealWith(old, fresh)), [vkeys[1]])
  t.strictSame(await announceKeys(db, 'demo', sealWith(old)), [], 'taken back')
  t.strictSame(await announceKeys(db, 'demo', sealWith(fresh)), [vkeys[1]], 'and announced again')
  await record(3)
  await sealAll(db, 'demo', sealWith(fresh))
  await announceKeys(db, 'demo', sealWith(old))
  t.strictSame(await listKeys(db, 'demo'), [
    { vkey: vkeys[0], fromSize: 2, toSize: 2 },
    { vkey: vkeys[1], fromSize: 3, toSize: 5 },
    { vkey: vkeys[0], fromSize: 6, toSize: null },
  ])
})

t.test('what is published cannot be changed', async (t) => {
  const { db, record, seal } = await log(t)
  await record(3)
  await sealAll(db, 'demo', seal)
  for (const statement of [
    'update signed_checkpoint set size = 4',
    'delete from signed_checkpoint',
    'truncate signed_checkpoint',
    'delete from tile',
    'truncate tile',
    "update tile set hashes = decode(repeat('00', 96), 'hex')",
    'update tile set hashes = substring(hashes for 64)',
    'update tile set index = 1',
    'delete from signing_key',
    'delete from tree',
  ])
    await t.rejects(sql.raw(statement).execute(db), { code: '23001' }, statement)
})

t.test('keys are made once, for their owner alone', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'pledger-keys-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const file = join(dir, 'keys.pem')
  const [one = [], other = []] = await Promise.all([readOrMakeKeys(file), readOrMakeKeys(file)])
  t.ok(one[0]?.equals(other[0] as KeyObject))
  t.equal((await stat(file)).mode & 0o777, 0o600)
  t.match(await readFile(file, 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/)
  await writeFile(file, 'nothing')
  await t.rejects(readOrMakeKeys(file), {
    constructor: UnusableKeysError,
    message: /cannot use the signing keys in .*keys\.pem: there is no private key/,
  })
  await t.rejects(readOrMakeKeys(join(dir, 'none', 'keys.pem')), { message: /cannot make a signing key/ })
})

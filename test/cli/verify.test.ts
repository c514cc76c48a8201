// What anyone checks with files and a public key: `verify event`, `verify watch`, `verify log`, and the tree that `export
// --tiles` writes for it.

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { append } from '../../src/eventlog/append.ts'
import { sealAll, sealOf } from '../../src/integrity/sealing/sealer.ts'
import { newestCheckpoint, readInclusion } from '../../src/integrity/sealing/stored.ts'
import { parseVkey, signer, type Verifier, vkeyOf } from '../../src/integrity/tlog/note.ts'
import { exportLog } from '../../src/integrity/verifying/log-export.ts'
import { directoryFiles, filesLog, webFiles } from '../../src/integrity/verifying/log-files.ts'
import { type Believed, believeCheckpoint, parseKeys, VerificationError } from '../../src/integrity/verifying/verify.ts'
import {
  parseEventFile,
  readProof,
  UnreadableFileError,
  verifyEvent,
} from '../../src/integrity/verifying/verify-event.ts'
import { verifyLog } from '../../src/integrity/verifying/verify-log.ts'
import { watchLog } from '../../src/integrity/verifying/verify-watch.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { projectionDigest } from '../../src/projections/checking/digest.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import type { ProjectionName } from '../../src/projections/core/versions.ts'
import { createRecorder } from '../../src/recording/recorder.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { pledger, start } from '../support/process.ts'
import { made, OPENED, openDemo, posted, uuid } from '../support/register.ts'
import { testService } from '../support/service.ts'

t.jobs = 2

const newKey = () => generateKeyPairSync('ed25519').privateKey
const vkey = (key: KeyObject, name = 'log.test/demo') => vkeyOf(signer(name, key))
const verifier = (key: KeyObject) => parseVkey(vkey(key)) as Verifier
/** What a watch remembers of a note that it saw; safe: the key signed it. */
const rememberedOf = (note: string, key: KeyObject) => believeCheckpoint(note, [verifier(key)]) as Believed

async function directory(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pledger-verify-test-'))
  await chmod(dir, 0o755)
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}

async function register(t: Test, key = newKey()) {
  const url = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: url })
  t.teardown(() => db.destroy())
  const registers = createRegisters()
  const recorder = createRecorder(db, registers, { now: Date.now })
  let size = 0
  const record = async (upTo: number, title = 'Commitment') => {
    const groups = Array.from({ length: upTo - size }, (_, at) => {
      const id = uuid(size + at)
      const opening = posted('$register', 'RegisterOpened', '2026-01-01', OPENED, { id })
      const event = size + at === 0 ? opening : made(`c-${size + at}`, { title, themes: [], parties: [] }, { id })
      return [{ typeVersion: 1, citations: [], ...event }]
    })
    size = upTo
    // Safe: these are what a body is parsed to.
    await recorder.record('demo', groups as never, 'local')
  }
  const seal = () => sealAll(db, 'demo', sealOf('demo', { origin: 'log.test', keys: [key], now: Date.now }))
  await record(1)
  return { url, env: { PLEDGER_DATABASE_URL: url }, db, registers, record, seal, key }
}

/** Serves the files below a directory, which may be another one later. */
async function serve(t: Test, files: { from: string }): Promise<string> {
  const server = createServer((request, response) => {
    readFile(join(files.from, request.url ?? ''))
      .then((bytes) => response.end(bytes))
      .catch(() => response.writeHead(404).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => new Promise((resolve) => server.close(resolve)).then(() => {}))
  server.keepAliveTimeout = 1
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The event at a position with its proof, as the REST API answers both. */
async function eventAndProof(db: Database, position: number) {
  const newest = await newestCheckpoint(db, 'demo')
  if (!newest) throw new Error('not sealed')
  const { leafHash, proof } = await readInclusion(db, 'demo', position, newest.size)
  const base64 = (hash: Buffer) => hash.toString('base64')
  const json = {
    leafIndex: position,
    treeSize: newest.size,
    leafHash: base64(leafHash),
    auditPath: proof.map(base64),
    checkpoint: newest.note,
  }
  const hashes = proof.map((hash) => `${base64(hash)}\n`).join('')
  return { json, text: `c2sp.org/tlog-proof@v1\nindex ${position}\n${hashes}\n${newest.note}` }
}

/** The event and the proof of texts as files of these names would hold them. */
function givenAs(text: string, proofText: string | null = null) {
  const { event, proof } = parseEventFile({ name: 'event.json', text })
  const own = proof ?? readProof({ name: 'proof', text: proofText ?? '' })
  return { event, proof: own }
}

/** How texts are refused: 1 where they cannot be read, 3 where they were; and why. */
function refusalOf(text: string, proofText: string | null = null): [1 | 3, string] | null {
  try {
    givenAs(text, proofText)
    return null
  } catch (error) {
    if (error instanceof UnreadableFileError) return [1, error.message]
    if (error instanceof VerificationError) return [3, error.message]
    throw error
  }
}

const SIGNED_ALONE = '  not verified: signedAt, fromSize and toSize: no signature binds them\n'

t.test(
  'an exported tree is verified from its directory and from a web server, and every damage in it is named',
  async (t) => {
    const { env, record, seal, key } = await register(t)
    const dir = await directory(t)
    const tree = join(dir, 'tree')
    const exported = (to: string) => pledger(t, ['export', '--register', 'demo', '--tiles', to], env)
    t.match(await exported(tree), { code: 1, err: 'pledger: demo has no checkpoint yet: pledger seal makes one\n' })
    await record(260)
    await seal()
    await record(300)
    await seal()
    await record(303)
    t.match(await exported(tree), { code: 0, out: '', err: 'demo: 303 events exported, 300 of them sealed\n' })
    t.strictSame((await readdir(tree)).sort(), [
      'checkpoint',
      'checkpoints.ndjson',
      'events.ndjson',
      'keys.json',
      'tile',
    ])
    t.strictSame((await readdir(join(tree, 'tile'), { recursive: true })).sort(), [
      '0',
      '0/000',
      '0/001.p',
      '0/001.p/44',
      '1',
      '1/000.p',
      '1/000.p/1',
      'entries',
      'entries/000',
      'entries/001.p',
      'entries/001.p/44',
    ])
    t.match(await exported(tree), { code: 1, err: `pledger: ${tree} is not empty\n` })
    const address = await serve(t, { from: tree })
    const name = vkey(key).split('+', 2).join('+')
    const said = `demo: 303 events, every content, leaf, place and time as it was recorded; 300 sealed, every tile and 2 checkpoints hold; believed: ${name}`
    const open = `  not verified: the last 3 events: no checkpoint covers them yet, so the operator can still change them\n${SIGNED_ALONE}`
    t.match(await pledger(t, ['verify', 'log', tree, '--key', vkey(key)]), {
      code: 0,
      out: `${said}\n${open}`,
      err: '',
    })
    const listed = `${said}, which the log itself lists (give --key)\n${open}`
    t.match(await pledger(t, ['verify', 'log', address, '--register', 'demo']), { code: 0, out: listed, err: '' })
    t.match(await pledger(t, ['verify', 'log', tree, '--register', 'other']), {
      code: 3,
      err: 'pledger: verification failed: the checkpoint: it is of the register demo, not of other\n',
    })
    t.match(await pledger(t, ['verify', 'log', join(dir, 'none')]), {
      code: 1,
      err: /has no checkpoint: it is no log, or its export was not finished\n$/,
    })
    for (const target of ['ftp://log.test/demo', 'file:///tmp'])
      t.match(await pledger(t, ['verify', 'log', target]), {
        code: 2,
        err: `pledger: ${target} is no http, https or postgres address, and no directory\n`,
      })
    t.match(await pledger(t, ['verify', 'log', tree, '--key', vkey(newKey(), 'other.test/demo')]), {
      code: 2,
      err: 'pledger: none of the keys is of the log of demo: they are of other.test/demo\n',
    })
    await rename(join(tree, 'keys.json'), join(dir, 'keys.json'))
    const keyless = `${tree} has no keys.json: it is no log, or its export was not finished`
    for (const more of [[], ['--key', vkey(key)]])
      t.match(await pledger(t, ['verify', 'log', tree, ...more]), { code: 1, err: `pledger: ${keyless}\n` })
    await rename(join(dir, 'keys.json'), join(tree, 'keys.json'))

    const damaged = async (path: string, change: (bytes: Buffer) => Buffer) => {
      const copy = join(dir, 'copy')
      await cp(tree, copy, { recursive: true })
      await writeFile(join(copy, path), change(await readFile(join(copy, path))))
      const found = await filesLog(directoryFiles(copy))
        .then((source) => verifyLog(source, { keys: [verifier(key)] }))
        .then(({ fault }) => fault?.message)
        .catch((error) => (error instanceof VerificationError ? error.message : Promise.reject(error)))
      await rm(copy, { recursive: true })
      return found
    }
    const flip = (at: number) => (bytes: Buffer) => {
      bytes[at] = (bytes[at] as number) ^ 1
      return bytes
    }
    const text = (from: string | RegExp, to: string) => (bytes: Buffer) =>
      Buffer.from(bytes.toString().replace(from, to))
    const withoutLine = (line: number) => (bytes: Buffer) =>
      Buffer.from(bytes.toString().split('\n').toSpliced(line, 1).join('\n'))
    t.equal(
      await damaged('tile/0/000', flip(7 * 32)),
      'position 7: its leaf does not have the hash that tile/0/000 holds',
    )
    t.equal(
      await damaged('tile/0/001.p/44', flip(32)),
      'position 257: its leaf does not have the hash that tile/0/001.p/44 holds',
    )
    t.match(await damaged('tile/1/000.p/1', flip(5)), /^positions 0 to 255: their leaves do not give/)
    t.match(await damaged('tile/entries/001.p/44', flip(40)), /^position 256: /)
    t.match(
      await damaged('tile/entries/000', (bytes) => bytes.subarray(1)),
      /^tile\/entries\/000: it does not hold 256 leaves/,
    )
    t.match(await damaged('checkpoint', text('\n300\n', '\n301\n')), /^the newest checkpoint: its signature is not of/)
    t.equal(
      await damaged('checkpoints.ndjson', text('\\n260\\n', '\\n261\\n')),
      'checkpoint of size 260: its signature is not of the keys at hand',
    )
    t.match(
      await damaged('events.ndjson', text('Commitment', 'commitment')),
      /^position 1: type is "commitmentMade", its leaf says/,
    )
    t.match(
      await damaged('events.ndjson', text('"title":"Commitment"', '"title":"commitment"')),
      /^position 1: .* do not hash to its bodyHash/,
    )
    t.equal(await damaged('events.ndjson', withoutLine(5)), 'position 5: there is no event; the next one is at 6')
    t.equal(
      await damaged('events.ndjson', (bytes) =>
        Buffer.from(`${bytes.toString().split('\n').slice(0, 290).join('\n')}\n`),
      ),
      'position 290: the log ends before it, and a checkpoint covers 300 events',
    )
    t.match(
      await damaged('events.ndjson', (bytes) => bytes.subarray(0, -9)),
      /^events.ndjson: it ends in the middle of a line/,
    )
    const line = (at: number, from: string | RegExp, to: string) => (bytes: Buffer) =>
      Buffer.from(
        bytes
          .toString()
          .split('\n')
          .with(at, bytes.toString().split('\n')[at]?.replace(from, to) ?? '')
          .join('\n'),
      )
    t.equal(
      await damaged('events.ndjson', line(200, '{"position"', '{"approvedBy":"the minister","position"')),
      'position 200: what stands there is no event: it has the member "approvedBy", which nothing proves',
    )
    t.equal(
      await damaged(
        'events.ndjson',
        line(302, '"data":{', '"data":{"title":"Shown","title":"Checked","x":{"title":1},'),
      ),
      'position 302: what stands there is no event: the name "title" stands twice in one object',
      'beyond the checkpoint, too',
    )
    t.equal(
      await damaged('events.ndjson', line(200, '"data":{', '"data":{"__proto__":{"title":"Shown"},')),
      'position 200: what stands there is no event: it has the name "__proto__", which readers treat differently',
    )
    t.match(
      await damaged('events.ndjson', line(200, '{', '')),
      /^position 200: what stands there is no event: it is no JSON/,
    )
    const twice = (bytes: Buffer) => Buffer.from(line(200, '"data":{', '"x":{')(line(150, 'Commitment"', 'x"')(bytes)))
    t.match(
      await damaged('events.ndjson', twice),
      /^position 150: .* do not hash to its bodyHash/,
      'the first, of two in a page',
    )

    const lists = (change: (listed: string[]) => string[]) => (bytes: Buffer) =>
      Buffer.from(
        change(bytes.toString().split('\n').slice(0, -1))
          .map((one) => `${one}\n`)
          .join(''),
      )
    for (const [change, fault] of [
      [() => [], 'checkpoint of size 300: it is the newest, and is not in the list of checkpoints'],
      [
        ([first]: string[]) => [first],
        'checkpoint of size 300: it is the newest, and is not in the list of checkpoints',
      ],
      [([first, second]: string[]) => [first, first, second], 'checkpoint of size 260: it is listed twice'],
      [([first, second]: string[]) => [first, second, second], 'checkpoint of size 300: it is listed twice'],
      [([first, second]: string[]) => [second, first], 'checkpoint of size 260: it is listed after that of size 300'],
      [
        ([first, second]: string[]) => [first, second, first?.replace('"size":260', '"size":302')],
        'checkpoint of size 302: it is listed, and the newest is of size 300',
      ],
      [
        ([first, second]: string[]) => [first?.replace('"size":260', '"size":259'), second],
        'checkpoint of size 259: its note is about size 260',
      ],
      [
        ([first, second]: string[]) => [first, second?.replace('{', '{"seenBy":"everyone",')],
        'checkpoints.ndjson, line 2: it lists what is no checkpoint: it has the member "seenBy", which nothing proves',
      ],
      [
        ([first, second]: string[]) => [first?.replace('{', '{"size":2,'), second],
        'checkpoints.ndjson, line 1: the name "size" stands twice in one object',
      ],
    ] as const)
      t.equal(await damaged('checkpoints.ndjson', lists(change as (listed: string[]) => string[])), fault)
    t.match(await damaged('keys.json', text('"keys"', '"locks"')), 'keys.json: it is no list of keys')
    const notRead = await pledger(t, ['verify', 'log', tree, '--key', 'nonsense'])
    t.match(notRead, { code: 2, err: 'pledger: --key "nonsense" is no public key (name+id+base64) and no file\n' })
    await rm(join(tree, 'checkpoint'))
    t.match(await pledger(t, ['verify', 'log', tree]), { code: 1, err: /its export was not finished/ })
  },
)

t.test('an event is verified offline with its proof, and nothing else passes for it', async (t) => {
  const { env, record, seal, key, db } = await register(t)
  await record(20)
  await seal()
  const dir = await directory(t)
  const { out } = await pledger(t, ['export', '--register', 'demo'], env)
  const event = JSON.parse(out.split('\n')[7] as string)
  const proof = await eventAndProof(db, 7)
  const [both, alone, text, keys] = ['both.json', 'event.json', 'event.tlog-proof', 'keys'].map((name) =>
    join(dir, name),
  ) as [string, string, string, string]
  await writeFile(both, JSON.stringify({ event, proof: proof.json }))
  await writeFile(alone, JSON.stringify(event))
  await writeFile(text, proof.text)
  await writeFile(keys, `# the keys of demo\n${vkey(newKey())}\n${vkey(key)}\n`)
  const name = vkey(key).split('+', 2).join('+')
  const said =
    `event ${uuid(7)}, CommitmentMade of c-7, position 7\n` +
    '  verified: occurredOn, data and citations are those that were recorded: they hash to bodyHash\n' +
    `  verified: the checkpoint of log.test/demo at size 20 is signed by ${name}\n` +
    `  verified: the event stands at position 7 of that log, recorded ${event.recordedAt}\n` +
    '  not verified: that what it says is true: only that it was recorded, then, as it is here\n' +
    '  not verified: that others are shown the same log: pledger verify watch, and checkpoints kept elsewhere, tell that\n'
  t.match(await pledger(t, ['verify', 'event', both, '--key', vkey(key)]), { code: 0, out: said, err: '' })
  t.match(await pledger(t, ['verify', 'event', alone, '--proof', text, '--key', keys]), { code: 0, out: said, err: '' })
  const wrong = await pledger(t, ['verify', 'event', both, '--key', vkey(newKey())])
  t.match(wrong, {
    code: 3,
    err: 'pledger: verification failed: the checkpoint: its signature is not of the keys at hand\n',
  })
  t.match(await pledger(t, ['verify', 'event', join(dir, 'none'), '--key', vkey(key)]), { code: 1, err: /ENOENT/ })
  const both2 = ['--proof', text, '--key', vkey(key)]
  t.match(await pledger(t, ['verify', 'event', alone, '--key', vkey(key)]), {
    code: 2,
    err: `pledger: there is no proof: ${alone} must hold {"event": …, "proof": …}, or give --proof\n`,
  })
  t.match(await pledger(t, ['verify', 'event', both, ...both2]), {
    code: 2,
    err: /^pledger: there are two proofs: one in /,
  })
  const found = (changes: object, ofProof: object = {}, register?: string) => {
    const given = JSON.stringify({ event: { ...event, ...changes }, proof: { ...proof.json, ...ofProof } })
    return verifyEvent(givenAs(given), { keys: [verifier(key)], register }).fault
  }
  t.equal(found({}), null)
  t.equal(found({}, {}, 'demo'), null)
  t.equal(found({}, {}, 'other'), 'the checkpoint is of the register demo, not of other')
  const other = 'what the event says of itself, as an event of demo, is not what was sealed: its leaf has another hash'
  for (const changes of [
    { recordedBy: 'x' },
    { id: uuid(8) },
    { revision: 2 },
    { type: 'X' },
    { recordedAt: '2020-01-01T00:00:00.000Z' },
  ])
    t.equal(found(changes), other, JSON.stringify(changes))
  t.match(found({ occurredOn: '2026-01-02' }), /^position 7: .* do not hash to its bodyHash$/)
  t.equal(found({ position: 8 }), 'the proof is of position 7, the event says 8')
  t.equal(found({}, { treeSize: 21 }), 'the proof is for size 21, its checkpoint is of size 20')
  const path = proof.json.auditPath
  const leads = 'the proof does not lead from the leaf of this event to the root of the checkpoint'
  for (const auditPath of [path.slice(1), path.slice(0, -1), [...path, path[0]], path.toReversed(), []])
    t.equal(found({}, { auditPath }), leads)
  const erased = { occurredOn: null, data: null, citations: null, salt: null }
  t.equal(found(erased), null, 'of an event without its content the place is proved')
  t.match(found({ ...erased, citations: [] }), /its salt is gone, and not all of its content/)
  await writeFile(both, JSON.stringify({ event: { ...event, ...erased }, proof: proof.text }))
  const blank = await pledger(t, ['verify', 'event', both, '--key', vkey(key)])
  t.equal(blank.code, 0)
  const gone =
    '  not verified: what the event said: its content is not here; whether it was redacted this file cannot tell: only the hash of it is left\n'
  t.match(blank.out, gone)
  t.notMatch(blank.out, 'verified: occurredOn, data')

  // What is shown beside what is proved is refused, and said to be so.
  const shown = (changes: object, ofProof: object = {}, beside: object = {}) =>
    refusalOf(JSON.stringify({ event: { ...event, ...changes }, proof: { ...proof.json, ...ofProof }, ...beside }))
  const member = (name: string) => `has the member "${name}", which nothing proves`
  t.strictSame(shown({ approvedBy: 'x' }), [3, `event.json: as an event: it ${member('approvedBy')}`])
  t.strictSame(shown({ stream: 'c-7, position 7\n  verified: everything' }), [
    3,
    'event.json: as an event: stream: expected printable ASCII without space, quote and backslash',
  ])
  t.strictSame(shown({}, { note: 'x' }), [3, `event.json: as a proof: it ${member('note')}`])
  t.strictSame(shown({}, {}, { title: 'x' }), [3, `event.json: it ${member('title')}`])
  const replaced = (from: string, to: string) =>
    refusalOf(JSON.stringify({ event, proof: proof.json }).replace(from, to))
  t.strictSame(replaced('"data":{', '"data":{"title":"Shown",'), [
    3,
    'event.json: the name "title" stands twice in one object',
  ])
  t.strictSame(replaced('"position":7', '"position":7,"posit\\u0069on":7'), [
    3,
    'event.json: the name "position" stands twice in one object',
  ])
  t.match(replaced('"data":{', '"data":{"__proto__":{"title":"Shown"},'), [
    3,
    /^event.json: it has the name "__proto__"/,
  ])
  t.match(replaced('"revision":1', '"revision":1.00000000000000000001'), [3, /^event.json: the number 1.000000/])
  t.equal(replaced('"revision":1,', '"revision": 1.0e0 ,'), null, 'other ways to write the same are the same')
  t.match(replaced('"revision":1', '"revision":9007199254740993'), [3, /^event.json: as an event: revision: /])

  // What cannot be read (1) and what was read and is not what a log gives out (3), each under the name of its file.
  const asProof = (text: string) => refusalOf(JSON.stringify(event), text)
  t.match(refusalOf('', proof.text), [1, /^event.json: it is no JSON: /])
  t.match(refusalOf('[1]', proof.text), [1, /^event.json: there is no event in it: /])
  t.match(refusalOf(proof.text, proof.text), [1, 'event.json: it is a proof (tlog-proof), and an event is expected'])
  t.match(asProof('nothing'), [1, /^proof: it is neither JSON nor a tlog-proof: /])
  t.match(asProof(JSON.stringify(event)), [1, /^proof: there is no proof in it/])
  t.match(asProof(proof.text.replaceAll('\n', '\r\n')), [
    1,
    'proof: it is a tlog-proof whose lines end with CR LF; they are to end with LF alone',
  ])
  t.match(asProof(proof.text.replace('@v1', '@v2')), [
    1,
    'proof: it is a tlog-proof of version "v2"; what is known is "v1"',
  ])
  t.match(asProof(proof.text.replace('@v1', '@v1 extra')), [3, /^proof: .* its first line says more than its version/])
  t.match(asProof(proof.text.replaceAll('\n\n', '\n')), [3, /^proof: .* it holds no checkpoint/])
  const [hash = ''] = path
  const noHash = [3, /^proof: it is a tlog-proof, and a hash in it is not 32 bytes in canonical base64$/]
  t.match(asProof(proof.text.replace(hash, hash.replace('=', ''))), noHash)
  t.match(asProof(proof.text.replace('index 7', 'index 07')), [3, /^proof: it is a tlog-proof, and it says no index$/])
  const parted = givenAs(JSON.stringify(event), proof.text.replace('index 7', 'index 7\n'))
  t.match(verifyEvent(parted, { keys: [verifier(key)] }).fault, /^the checkpoint: /)
  for (const auditPath of [[hash.replace('=', '')], [`${hash}\n`], [`${hash}AAAA`]])
    t.match(shown({}, { auditPath }), [
      3,
      /^event.json: as a proof: auditPath.0: expected 32 bytes in canonical base64$/,
    ])
  for (const leafIndex of [-1, 7.5, null, '7'])
    t.match(shown({}, { leafIndex }), [
      3,
      /^event.json: as a proof: leafIndex: expected a whole number from 0, below 2\^64$/,
    ])
  const extra = proof.text.replace('index', 'extra AAAA\nindex')
  t.strictSame(verifyEvent(givenAs(JSON.stringify(event), extra), { keys: [verifier(key)] }).open.slice(0, 1), [
    'the extra data of the proof: it is no part of the log',
  ])
  t.match(asProof(extra.replace('AAAA', 'AAA')), [3, /its extra data is not canonical base64$/])
  const huge = JSON.stringify({ event, proof: proof.json }).replace('"leafIndex":7', '"leafIndex":18446744073709551615')
  t.equal(givenAs(huge).proof.leafIndex, 2n ** 64n - 1n, 'not the number that a double would make of it')
  t.match(refusalOf(huge.replace('18446744073709551615', '18446744073709551616')), [3, /leafIndex/])
  await writeFile(alone, Buffer.from([0x7b, 0xff, 0x7d]))
  t.match(await pledger(t, ['verify', 'event', alone, ...both2]), {
    code: 1,
    err: `pledger: ${alone}: it is not UTF-8\n`,
  })
  await writeFile(alone, JSON.stringify(event))
  await writeFile(text, proof.text.replace('index 7', 'index 07'))
  t.match(await pledger(t, ['verify', 'event', alone, ...both2]), {
    code: 3,
    err: `pledger: verification failed: ${text}: it is a tlog-proof, and it says no index\n`,
  })
  t.equal(parseKeys('nothing'), null)
  t.strictSame(parseKeys(JSON.stringify({ keys: [{ vkey: vkey(key), fromSize: 1, toSize: null }] })), [verifier(key)])
})

t.test('a watch proves that a log only grew, and keeps both notes of one that was rewritten', async (t) => {
  const key = newKey()
  const [honest, rewritten] = await Promise.all([register(t, key), register(t, key)])
  const dir = await directory(t)
  const treeAt = async ({ db, record, seal }: typeof honest, size: number, title = 'Commitment') => {
    await record(size, title)
    await seal()
    const to = join(dir, `${title}-${size}`)
    await exportLog(db, 'demo', to, () => {})
    return to
  }
  const served = { from: dir }
  const address = await serve(t, served)
  const state = join(dir, 'state')
  const command = ['verify', 'watch', address, '--key', vkey(key), '--state', state]
  const watch = () => pledger(t, command)
  served.from = await treeAt(honest, 5)
  // A log whose tiles do not come to what is signed is not begun with.
  const spoilt = await treeAt(honest, 6)
  await writeFile(join(spoilt, 'tile/0/000.p/6'), Buffer.alloc(6 * 32, 7))
  served.from = spoilt
  const noRoot = 'the tiles do not give the root of the checkpoint, so nothing can be proved'
  t.match(await watch(), { code: 3, out: '', err: `pledger: verification failed: ${noRoot}\n` })
  served.from = join(dir, 'Commitment-5')
  const first =
    /^\S+Z demo at size 5, root \S+=: trusted on first use: its tiles give that root, and there is nothing yet to hold it against\n$/
  t.match(await watch(), { code: 0, out: first, err: '' })
  const tile = join(dir, 'Commitment-5/tile/0/000.p/5')
  const held = await readFile(tile)
  await writeFile(tile, Buffer.alloc(5 * 32))
  t.match(await watch(), { code: 3, out: '', err: `pledger: verification failed: ${noRoot}\n` }, 'nor at a later look')
  await writeFile(tile, Buffer.concat([held, held]))
  t.match(await watch(), { code: 3, err: /tile\/0\/000.p\/5 has 320 bytes and should have 160\n$/ })
  await writeFile(tile, held)
  t.match(await watch(), { code: 0, out: /: unchanged, its tiles give that root\n$/ })

  // What was seen last is believed for its signature, as everything else.
  const first5 = await readFile(join(state, 'checkpoint'), 'utf8')
  const lost = `the checkpoint seen last is lost, unless an earlier key signed it, which then is to be given as well`
  for (const [what, changed] of [
    ['its root', first5.replace(/(\n5\n)./, (_all, size) => `${size}${first5.includes('\n5\nA') ? 'B' : 'A'}`)],
    ['its size', first5.replace('\n5\n', '\n500\n')],
    ['its signature', first5.replace(/(.{20})....(=*\n)$/, '$1AAAA$2')],
  ] as const) {
    t.not(changed, first5, what)
    await writeFile(join(state, 'checkpoint'), changed)
    t.match(await watch(), {
      code: 1,
      out: '',
      err: `pledger: ${join(state, 'checkpoint')}: its signature is not of the keys at hand: ${lost}\n`,
    })
  }
  await writeFile(join(state, 'checkpoint'), first5)
  t.match(await watch(), { code: 0, out: /: unchanged/ })
  t.match(await pledger(t, [...command.slice(0, -1), tile]), {
    code: 1,
    err: `pledger: --state ${tile} is no directory\n`,
  })
  const elsewhere = [
    'verify',
    'watch',
    address,
    '--key',
    vkey(newKey(), 'other.test/demo'),
    '--state',
    join(dir, 'new'),
  ]
  t.match(await pledger(t, elsewhere), {
    code: 2,
    err: 'pledger: the checkpoint: it is of log.test/demo, and the keys at hand are of other.test/demo\n',
  })
  const honest700 = await treeAt(honest, 700)
  const before = await readFile(join(honest700, 'checkpoint'), 'utf8')
  served.from = honest700
  t.match(await watch(), {
    code: 0,
    out: /^\S+Z demo at size 700, root \S+=: proved to extend size 5, its tiles give that root\n$/,
    err: '',
  })

  const last = rememberedOf(before, key)
  const found = async (from: string, keys = [verifier(key)]) => {
    const watched = await watchLog(directoryFiles(from), keys, last)
    return 'why' in watched ? [watched.kind, watched.why] : [watched.kind]
  }
  const other700 = await treeAt(rewritten, 700, 'Another')
  const other900 = await treeAt(rewritten, 900, 'Another')
  t.strictSame(await found(honest700), ['same'])
  t.strictSame(await found(other700), ['fork', 'there are two logs of size 700, with different roots'])
  t.strictSame(await found(join(dir, 'Commitment-5')), ['older', 'size 5 is shown, and size 700 was seen before'])
  const unsigned = ['refused', 'the checkpoint: its signature is not of the keys at hand']
  t.strictSame(await found(honest700, [verifier(newKey())]), unsigned)
  await t.rejects(found(dir), { message: `${dir} has no checkpoint: it is no log, or its export was not finished` })

  served.from = other900
  const { code, out, err } = await watch()
  t.strictSame([code, out], [3, ''])
  const rewrote = `pledger: FORK: ${address}: the log at size 900 does not extend the log that was seen at size 700: it was rewritten`
  t.equal(err.slice(0, rewrote.length), rewrote)
  const [, seen = '', shown = ''] = /show them to others: (\S+), (\S+)\n$/.exec(err) ?? []
  t.equal(await readFile(seen, 'utf8'), before)
  t.equal(await readFile(shown, 'utf8'), await readFile(join(other900, 'checkpoint'), 'utf8'))
  t.equal(await readFile(join(state, 'checkpoint'), 'utf8'), before, 'what is remembered stays')
  t.equal((await readdir(state)).length, 3, 'and nothing half written')

  // Tiles that are damaged prove nothing, and are not taken for a fork.
  const honest701 = await treeAt(honest, 701)
  const edge = join(honest701, 'tile/0/002.p/189')
  const bytes = await readFile(edge)
  await writeFile(edge, Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) as number) ^ 1])]))
  t.strictSame(await found(honest701), ['refused', noRoot])
  await writeFile(edge, bytes.subarray(0, 32))
  t.strictSame(await found(honest701), ['refused', 'tile/0/002.p/189 has 32 bytes and should have 6048'])
  await rm(edge)
  await t.rejects(found(honest701), { message: `${honest701} has no tile/0/002.p/189` })
  await writeFile(edge, bytes)
  served.from = honest701
  const { child, says, ended } = start(t, [...command, '--interval', '1'])
  await says(/proved to extend size 700, .*\n.*unchanged, .*\n/)
  child.kill('SIGINT')
  t.equal((await ended).code, 130)
})

t.test('a register that is served over REST is verified, watched, and its events proved', async (t) => {
  const service = await testService(t)
  const key = newKey()
  const { db } = service
  await openDemo(service)
  const seal = () => sealAll(db, 'demo', sealOf('demo', { origin: 'log.test', keys: [key], now: Date.now }))
  const address = `${await service.app.listen({ port: 0, host: '127.0.0.1' })}/v1/registers/demo`
  const files = webFiles(address)
  await t.rejects(filesLog(files), { message: `${address}/checkpoint was answered with 409` })
  await seal()
  const more = Array.from({ length: 300 }, (_, at) => made(`c-${at}`, {}, { id: uuid(at) }))
  await service.post('/v1/registers/demo/events', more)
  await seal()
  const first = await watchLog(files, [verifier(key)], null)
  t.equal(first.kind, 'first')
  await service.post('/v1/registers/demo/events', [made('later')])
  const whole = {
    fault: null,
    events: 304,
    sealed: 304,
    checkpoints: 2,
    byOtherKeys: 0,
    redacted: 0,
    redactedRepairs: 0,
  }
  t.strictSame(await verifyLog(await filesLog(files), { keys: [verifier(key)] }), whole)
  await seal()
  t.equal((await watchLog(files, [verifier(key)], rememberedOf(first.shown, key))).kind, 'grown')

  const { text: event } = await service.get('/v1/registers/demo/events/42')
  for (const accept of ['application/json', 'text/x.tlog-proof']) {
    const { text: proof } = await service.get('/v1/registers/demo/events/42/proof', { accept })
    t.equal(verifyEvent(givenAs(event, proof), { keys: [verifier(key)], register: 'demo' }).fault, null, accept)
  }

  // Redacted after the newest checkpoint: what says so is looked for beyond it.
  await sql`alter table event disable trigger user`.execute(db)
  await sql`update event set occurred_on = null, data = null, citations = null, salt = null where id = ${uuid(7)}`.execute(
    db,
  )
  const silent = await verifyLog(await filesLog(files), { keys: null })
  t.equal(silent.fault?.message, 'position 11: its content is gone, and no EventRedacted says why')
  const redacted = posted('c-7', 'EventRedacted', '2026-01-03', { event: uuid(7), reason: 'r' })
  const envelope = { group: 1, id: uuid(999), typeVersion: 1, recordedBy: 'local', citations: [], seenRevision: 1 }
  const place = { register: 'demo', open: false, now: Date.now(), ownRevision: 3 }
  t.match(await append(db, { ...place, events: [{ ...redacted, ...envelope }] }), [{ kind: 'appended', position: 305 }])
  service.heads.grew('demo', 306)
  const told = await verifyLog(await filesLog(files), { keys: null })
  t.strictSame(told, { ...whole, events: 305, sealed: 305, checkpoints: 3, redacted: 1 })

  // Why content is not here, the event that erased it proves.
  const retracts = posted('c-8', 'EventRetracted', '2026-01-03', { event: uuid(8), reason: 'r' }, { id: uuid(998) })
  await service.post('/v1/registers/demo/events', [retracts])
  await seal()
  await sql`update event set occurred_on = null, citations = null, salt = null,
    data = json_build_object('event', ${uuid(8)}::text) where id = ${uuid(998)}`.execute(db)
  const provedAt = async (position: number) => {
    const [{ text: event }, { text: proof }] = [
      await service.get(`/v1/registers/demo/events/${position}`),
      await service.get(`/v1/registers/demo/events/${position}/proof`),
    ]
    return givenAs(event, proof)
  }
  const [blank, redaction, other, retraction] = [
    await provedAt(11),
    await provedAt(305),
    await provedAt(12),
    await provedAt(306),
  ]
  const verified = (given: typeof blank, by?: typeof blank) => {
    const { holds, open, fault } = verifyEvent(given, { keys: [verifier(key)], redaction: by })
    return fault ?? [holds.at(-1), ...open.slice(0, -2)]
  }
  const left = 'what the event said: its content is not here; it was redacted, and only the hash of it is left'
  t.match(verified(blank, redaction), [/^it was redacted by the event at position 305, recorded 20\S+: "r"$/, left])
  const by = 'the event that is to have redacted it'
  t.equal(verified(blank, other), `${by}: it is CommitmentMade, not EventRedacted`)
  t.equal(verified(other, redaction), `${by}: it redacts "${uuid(7)}", not ${uuid(8)}`)
  t.equal(verified(blank, retraction), `${by}: its content is not here, so it says of nothing that`)
  t.match(
    verified(blank, { ...redaction, proof: blank.proof }),
    `${by}: the proof is of position 11, the event says 305`,
  )
  t.match(verified(retraction), [
    /^the event stands at position 306/,
    /^what the event said: its content is not here; whether it was redacted this file cannot tell/,
    `data.event, "${uuid(8)}": which event it was about; the hash of that can no longer be checked`,
  ])
})

t.test('a database is verified with its projections, and the exit code tells what was found', async (t) => {
  const { url, env, db, registers, record, seal, key } = await register(t)
  await record(40)
  t.match(await pledger(t, ['verify', 'log'], env), {
    code: 0,
    out: /demo: 40 events, .*; not sealed: there is no checkpoint/,
  })
  await seal()
  for (const projection of PROJECTIONS) await catchUp(db, registers, projection, 'demo')
  await record(41)
  const { code, out, err } = await pledger(t, ['verify', 'log', url, '--key', vkey(key)])
  t.strictSame([code, err], [0, ''])
  t.match(out, /^demo: 41 events, every .*; 40 sealed, every tile and 1 checkpoint hold; believed: log\.test\/demo\+/)
  const lines = out.split('\n').slice(1, -1)
  const digest = async (projection: ProjectionName) =>
    (await projectionDigest(db, registers, { register: 'demo', projection })).sha256
  t.strictSame(lines, [
    `  commitments of demo at size 40, 1 events behind the log: digest ${await digest('commitments')}, as the log gives it`,
    `  periods of demo at size 40, 1 events behind the log: digest ${await digest('periods')}, as the log gives it`,
    '  not verified: tallies of demo: it sums up every 16384 events, and there were fewer',
    '  not verified: the last 1 events: no checkpoint covers them yet, so the operator can still change them',
    SIGNED_ALONE.slice(0, -1),
  ])
  t.match(await pledger(t, ['verify', 'log', url, '--register', 'none']), {
    code: 1,
    err: 'pledger: there is no register none\n',
  })
  await sql`update commitment set title = 'spoilt' where id = 'c-7'`.execute(db)
  t.match(await pledger(t, ['verify', 'log', url], {}), {
    code: 3,
    err: 'pledger: verification failed: commitments of demo at size 40: its row of c-7 differs from the log; run pledger replay\n',
  })
  await sql`update commitment set title = 'Commitment' where id = 'c-7'`.execute(db)
  await sql`update register set redactions = 2`.execute(db)
  t.match(await pledger(t, ['verify', 'log', url], {}), {
    code: 3,
    err: 'pledger: verification failed: the register: its log holds 0 EventRedacted, it counts 2\n',
  })
  await sql`update register set redactions = 0`.execute(db)

  // Whoever may only read can verify, and is told what else it takes.
  const role = `auditor_${new URL(url).pathname.slice(1, 21)}`
  await sql`create role ${sql.id(role)} login password 'auditor'`.execute(db)
  t.teardown(() => sql`drop owned by ${sql.id(role)}; drop role ${sql.id(role)}`.execute(db))
  const asAuditor = Object.assign(new URL(url), { username: role, password: 'auditor' }).href
  const denied = await pledger(t, ['verify', 'log', asAuditor])
  t.match(denied, {
    code: 1,
    err: /^pledger: permission denied for table \w+: to verify takes select on every table\n$/,
  })
  await sql`grant select on all tables in schema public to ${sql.id(role)}`.execute(db)
  for (const [target, environment] of [
    [[asAuditor], {}],
    [[], { PLEDGER_DATABASE_URL: asAuditor }],
  ] as const)
    t.match(await pledger(t, ['verify', 'log', ...target, '--key', vkey(key)], environment), { code: 0, out, err: '' })
  await sql`alter table event disable trigger user`.execute(db)
  await sql`update event set recorded_by = 'mallory' where position = 7`.execute(db)
  t.match(await pledger(t, ['verify', 'log'], env), {
    code: 3,
    out: '',
    err: 'pledger: verification failed: position 7: recordedBy is "mallory", its leaf says "local"\n',
  })

  await sql`update event set recorded_by = 'local' where position = 7`.execute(db)

  // What nothing vouches for is said not to be verified, and why.
  await sql`update projection_progress set version = 99 where projection = 'commitments'`.execute(db)
  t.match(await pledger(t, ['verify', 'log', url], {}), {
    code: 0,
    out: /not verified: commitments of demo: it was built by version 99 of its rules, and version \d+ is what is checked here; the service/,
  })
  await sql`delete from projection_progress where projection = 'commitments'`.execute(db)
  t.match(await pledger(t, ['verify', 'log', url], {}), {
    code: 3,
    err: 'pledger: verification failed: commitments of demo at size 0: it has rows, and nothing says from which of the log they come; run pledger replay\n',
  })
  await sql`delete from commitment`.execute(db)
  t.match(await pledger(t, ['verify', 'log', url], {}), {
    code: 0,
    out: /not verified: commitments of demo: nothing of it was built yet; the service builds it anew before it answers from it\n/,
  })
  await sql`update tree set origin = 'elsewhere.test/demo'`.execute(db)
  t.match(await pledger(t, ['verify', 'log', url], {}), {
    code: 3,
    err: 'pledger: verification failed: the tree: its row says that it is elsewhere.test/demo, its newest checkpoint that it is log.test/demo\n',
  })
  await sql`update tree set origin = 'log.test/demo'`.execute(db)

  // A register of which nothing but its events is left is found by these.
  const missing = 'the register: its row is missing, or says that it is empty: nothing reads its log any more'
  await sql`alter table register disable trigger user`.execute(db)
  await sql`delete from register`.execute(db)
  t.match(await pledger(t, ['verify', 'log'], env), { code: 3, err: `pledger: verification failed: ${missing}\n` })
  await sql`alter table tree disable trigger user`.execute(db)
  await sql`delete from tree`.execute(db)
  t.match(await pledger(t, ['verify', 'log', '--register', 'demo'], env), {
    code: 3,
    err: `pledger: verification failed: ${missing}\n`,
  })
})

// What the page checks in the browser: the public vectors, and an event with its evidence, of which everything is changed in turn.

import { createHash, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import type { EventAnswer, KeysAnswer, ProofAnswer } from '../../src/dashboard/answers.ts'
import { type Asked, checkEvent, checkHistory, leafText, type Step } from '../../src/dashboard/verify/event.ts'
import { isSigned, parseCheckpoint, parseNote, parseVkey } from '../../src/dashboard/verify/note.ts'
import { fromBase64, isConsistent, isIncluded } from '../../src/dashboard/verify/tree.ts'
import { checkpointText } from '../../src/integrity/tlog/checkpoint.ts'
import {
  consistencyRanges,
  inclusionRanges,
  leafHash,
  nodeHash,
  type Range,
  rootOf,
  subtreesOf,
} from '../../src/integrity/tlog/merkle.ts'
import { signer, signNote, vkeyOf } from '../../src/integrity/tlog/note.ts'
import { vectors } from '../support/vectors.ts'

type Vector<T> = T & { proof: string[] | null; desc: string; wantErr: boolean }
type Merkle = {
  inclusion: Vector<{ leafIdx: bigint; treeSize: bigint; root: string; leafHash: string }>[]
  consistency: Vector<{ size1: bigint; size2: bigint; root1: string; root2: string }>[]
}

const bytes = (text: string | null) => fromBase64(text ?? '') ?? new Uint8Array()

t.test('proofs are accepted and refused as the vectors say', async (t) => {
  const { inclusion, consistency } = vectors<Merkle>('merkle')
  for (const { leafIdx, treeSize, root, leafHash, proof, desc, wantErr } of inclusion) {
    const head = { size: treeSize, root: bytes(root) }
    t.equal(await isIncluded(leafIdx, bytes(leafHash), (proof ?? []).map(bytes), head), !wantErr, desc)
  }
  for (const { size1, size2, root1, root2, proof, desc, wantErr } of consistency) {
    const [first, second] = [
      { size: size1, root: bytes(root1) },
      { size: size2, root: bytes(root2) },
    ]
    t.equal(await isConsistent(first, second, (proof ?? []).map(bytes)), !wantErr, desc)
  }
})

t.test('a note of others is held against the key that signed it', async (t) => {
  const { vkey, note } = vectors<{ vkey: string; note: string }>('notes')
  const parsed = parseNote(note)
  if (!parsed) return t.fail('the note was not read')
  t.equal(parsed.text, 'This is an example message.\n')
  t.equal(await isSigned(parsed, [vkey]), true)
  t.equal(await isSigned(parsed, []), false, 'nobody known')
  t.equal(await isSigned({ ...parsed, text: 'This is an example massage.\n' }, [vkey]), false, 'another text')
  t.equal(await isSigned({ ...parsed, signatures: [] }, [vkey]), false, 'no signature')
  t.equal(await parseVkey(vkey.replace('530d903a', '530d903b')), null, 'an id that is not its hash')
  t.equal(await parseVkey(vkey.replace('foo', 'fou')), null, 'another name')
  for (const wrong of [note.slice(0, -1), note.replace('\n\n', '\n'), note.replace('yaQM=', 'yaQN='), ''])
    t.equal(parseNote(wrong), null, JSON.stringify(wrong.slice(-40)))
  for (const wrong of ['o\n-1\nAA==\n', 'o\n01\n', '\n1\n', 'o\n1\nAA==\n'])
    t.equal(parseCheckpoint(wrong), null, wrong)
})

const REGISTER = 'r'
const ORIGIN = `log.test/${REGISTER}`
const SIZE = 11
const POSITION = 6

function eventAt(position: number): EventAnswer {
  const salt = Buffer.alloc(32, position + 1)
  const body = {
    citations: [{ source: 'S1', claimedBy: 'A' }],
    data: { reason: `ä ${position}` },
    occurredOn: '2025-12',
  }
  // Written out by hand as RFC 8785 orders it: citations, data, occurredOn.
  const text = `{"citations":[{"claimedBy":"A","source":"S1"}],"data":{"reason":"ä ${position}"},"occurredOn":"2025-12"}`
  const bodyHash = createHash('sha256').update(salt).update(text).digest('base64')
  const id = `00000000-0000-7000-8000-${String(position).padStart(12, '0')}`
  const stamp = { recordedAt: '2026-01-02T03:04:05.678Z', recordedBy: 'local' }
  const place = { position, id, stream: 'c', revision: position + 1, type: 'DeliveryDisputed', typeVersion: 1 }
  return { ...place, ...stamp, ...body, salt: salt.toString('base64'), bodyHash }
}

const events = Array.from({ length: SIZE }, (_, position) => eventAt(position))
const hashes = events.map((event) => leafHash(Buffer.from(leafText(REGISTER, event))))

function hashOf(range: Range): Buffer {
  const node = (level: number, index: bigint): Buffer =>
    level === 0
      ? (hashes[Number(index)] as Buffer)
      : nodeHash(node(level - 1, 2n * index), node(level - 1, 2n * index + 1n))
  return rootOf(subtreesOf(range).map(({ level, index }) => node(level, index)))
}

const rootAt = (size: number) => hashOf({ start: 0n, end: BigInt(size) })
const key = signer(ORIGIN, generateKeyPairSync('ed25519').privateKey)
const keys: KeysAnswer['keys'] = [{ vkey: vkeyOf(key), fromSize: 1, toSize: null }]

function noteAt(size: number, by = key): string {
  return signNote(checkpointText({ origin: ORIGIN, size: BigInt(size), root: rootAt(size) }), [by])
}

function proofAt(position: number, size = SIZE): ProofAnswer {
  return {
    leafIndex: position,
    treeSize: size,
    leafHash: (hashes[position] as Buffer).toString('base64'),
    auditPath: inclusionRanges(BigInt(position), BigInt(size)).map((range) => hashOf(range).toString('base64')),
    checkpoint: noteAt(size),
  }
}

const sound = {
  register: REGISTER,
  asked: { position: POSITION },
  event: eventAt(POSITION),
  proof: proofAt(POSITION),
  keys,
}

type Evidence = Omit<typeof sound, 'asked'> & { asked: Asked }

async function outcomes(evidence: Evidence): Promise<Record<string, Step['outcome']>> {
  const { steps } = await checkEvent(evidence)
  return Object.fromEntries(steps.map(({ step, outcome }) => [step, outcome]))
}

const HELD = { body: 'held', leaf: 'held', path: 'held', signature: 'held' }

t.test('an event with its evidence holds, at every position', async (t) => {
  for (const event of events) {
    const { position } = event
    t.strictSame(
      await outcomes({ ...sound, asked: { position }, event, proof: proofAt(position) }),
      HELD,
      `position ${position}`,
    )
  }
  const { head } = await checkEvent(sound)
  t.strictSame(head && { ...head, root: Buffer.from(head.root) }, { origin: ORIGIN, size: 11n, root: rootAt(SIZE) })
})

t.test('whatever is changed in an event is found, by the step that it concerns', async (t) => {
  const { event } = sound
  const changed = (change: Partial<EventAnswer>) => outcomes({ ...sound, event: { ...event, ...change } })
  for (const change of [
    { occurredOn: '2025-11' },
    { data: { reason: 'another' } },
    { citations: [] },
    { salt: Buffer.alloc(32, 99).toString('base64') },
    { salt: 'no base64' },
    { salt: null },
  ])
    t.strictSame(await changed(change), { ...HELD, body: 'failed' }, JSON.stringify(change))
  for (const change of [
    { id: '00000000-0000-7000-8000-000000000099' },
    { stream: 'd' },
    { revision: 99 },
    { type: 'DeliveryVerified' },
    { typeVersion: 2 },
    { recordedAt: '2026-01-02T03:04:05.679Z' },
    { recordedBy: 'another' },
  ])
    t.strictSame(await changed(change), { ...HELD, leaf: 'failed', path: 'failed' }, JSON.stringify(change))
  t.match(await changed({ bodyHash: Buffer.alloc(32).toString('base64') }), { body: 'failed', leaf: 'failed' })
  t.match(await outcomes({ ...sound, register: 's' }), { leaf: 'failed', path: 'failed', signature: 'failed' })
  const another = { event: eventAt(5), proof: proofAt(5) }
  t.match(await outcomes({ ...sound, ...another }), { leaf: 'failed' }, 'a sound event that was not asked for')
  t.strictSame(await outcomes({ ...sound, asked: { stream: 'c' } }), HELD)
  t.match(await outcomes({ ...sound, asked: { stream: 'd' } }), { leaf: 'failed' }, 'of another commitment')
})

t.test('erased content is said not to be checked, and the rest still holds', async (t) => {
  const erased = { ...sound.event, occurredOn: null, data: null, citations: null, salt: null }
  t.strictSame(await outcomes({ ...sound, event: erased }), { ...HELD, body: 'open' })
  const repair = { ...erased, data: { event: 'x' } }
  t.match(await outcomes({ ...sound, event: repair }), { body: 'open' }, 'a repair still says what it repairs')
})

function flipped(text: string): string {
  const copy = Buffer.from(text, 'base64')
  copy[0] = (copy[0] ?? 0) ^ 1
  return copy.toString('base64')
}

t.test('whatever is changed in a proof or its checkpoint is found', async (t) => {
  const { proof } = sound
  const changed = (change: Partial<ProofAnswer>) => outcomes({ ...sound, proof: { ...proof, ...change } })
  const PATH = { ...HELD, path: 'failed' }
  for (const [at, hash] of proof.auditPath.entries()) {
    t.strictSame(await changed({ auditPath: proof.auditPath.with(at, flipped(hash)) }), PATH, `hash ${at}`)
    t.strictSame(await changed({ auditPath: proof.auditPath.toSpliced(at, 1) }), PATH, `without hash ${at}`)
  }
  t.strictSame(await changed({ auditPath: [...proof.auditPath, proof.leafHash] }), PATH, 'a hash more')
  t.strictSame(await changed({ leafIndex: POSITION - 1 }), PATH, 'another index')
  t.strictSame(await changed({ treeSize: SIZE - 1 }), PATH, 'another size')
  t.match(await changed({ leafHash: flipped(proof.leafHash) }), { leaf: 'failed' })
  const other = signer(ORIGIN, generateKeyPairSync('ed25519').privateKey)
  t.strictSame(await changed({ checkpoint: noteAt(SIZE, other) }), { ...HELD, signature: 'failed' }, 'an unknown key')
  t.strictSame(await changed({ checkpoint: noteAt(SIZE - 1) }), PATH, 'another checkpoint')
  const forged = proof.checkpoint.replace(rootAt(SIZE).toString('base64'), flipped(rootAt(SIZE).toString('base64')))
  t.strictSame(await changed({ checkpoint: forged }), { ...HELD, path: 'failed', signature: 'failed' }, 'another root')
  t.strictSame(await changed({ checkpoint: '' }), { ...HELD, path: 'failed', signature: 'failed' }, 'no checkpoint')
  const retired = [{ ...keys[0], vkey: vkeyOf(key), fromSize: 1, toSize: SIZE - 1 }]
  t.strictSame(await outcomes({ ...sound, keys: retired }), { ...HELD, signature: 'failed' }, 'a key of other sizes')
})

t.test('a log that grew is told from one that was rewritten', async (t) => {
  const head = (size: number) => ({ size: BigInt(size), root: rootAt(size) })
  const between = (first: number, second: number) =>
    consistencyRanges(BigInt(first), BigInt(second)).map((range) => hashOf(range).toString('base64'))
  for (let first = 1; first <= SIZE; first++) {
    const step = await checkHistory(head(first), head(SIZE), between(first, SIZE))
    t.equal(step.outcome, 'held', `from ${first}`)
    const rewritten = { ...head(first), root: Buffer.alloc(32) }
    t.equal((await checkHistory(rewritten, head(SIZE), between(first, SIZE))).outcome, 'failed', `not from ${first}`)
  }
  t.equal((await checkHistory(head(SIZE), head(7), between(7, SIZE))).outcome, 'held', 'an older one looked at later')
  t.equal((await checkHistory(head(7), head(SIZE), [])).outcome, 'failed', 'without a proof')
})

// The tree, its tiles and its notes: public vectors, an independent verifier, and every proof of every tree up to 300 leaves.

import { createHash, generateKeyPairSync } from 'node:crypto'
import { verifyMerkleInclusion } from '@sigstore/verify/dist/tlog/merkle.js'
import t from 'tap'
import { checkpointText, openCheckpoint, parseCheckpoint } from '../../../src/integrity/tlog/checkpoint.ts'
import {
  consistencyRanges,
  EMPTY_ROOT,
  inclusionRanges,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
  type Range,
  rootOf,
  subtreesOf,
} from '../../../src/integrity/tlog/merkle.ts'
import {
  openNote,
  parseNote,
  parseVkey,
  privateKeys,
  signer,
  signNote,
  type Verifier,
  vkeyOf,
} from '../../../src/integrity/tlog/note.ts'
import {
  bundle,
  hashWithin,
  newTiles,
  parseTilePath,
  placeOf,
  tilePath,
  unbundle,
  widthOf,
} from '../../../src/integrity/tlog/tiles.ts'
import { vectors } from '../../support/vectors.ts'

type Merkle = {
  leafInputsHex: string[]
  nodeHashesHexByLevel: string[][]
  rootHashesHexBySize: string[]
  inclusion: Proof<{ leafIdx: bigint; treeSize: bigint; root: string; leafHash: string }>[]
  consistency: Proof<{ size1: bigint; size2: bigint; root1: string; root2: string }>[]
}
type Proof<T> = T & { proof: string[] | null; desc: string; wantErr: boolean }

const merkle = vectors<Merkle>('merkle')
const bytes = (text: string | null) => Buffer.from(text ?? '', 'base64')

/** The hash over leaves by the recursion of the RFC, as slow and as plain as it stands there. */
function mth(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest()
  const [only] = leaves
  if (leaves.length === 1 && only)
    return createHash('sha256')
      .update(Buffer.from([0]))
      .update(only)
      .digest()
  let k = 1
  while (2 * k < leaves.length) k *= 2
  const hash = createHash('sha256').update(Buffer.from([1]))
  return hash
    .update(mth(leaves.slice(0, k)))
    .update(mth(leaves.slice(k)))
    .digest()
}

/** Hashes of ranges of a tree, from the hashes of its leaves. */
function hasher(leaves: readonly Buffer[]) {
  const kept = new Map<string, Buffer>()
  const node = (level: number, index: bigint): Buffer => {
    const name = `${level} ${index}`
    const found = kept.get(name)
    if (found) return found
    const made =
      level === 0
        ? (leaves[Number(index)] as Buffer)
        : nodeHash(node(level - 1, 2n * index), node(level - 1, 2n * index + 1n))
    kept.set(name, made)
    return made
  }
  return (range: Range) => rootOf(subtreesOf(range).map(({ level, index }) => node(level, index)))
}

t.test('hashes and roots are those of the reference leaves', async (t) => {
  const leaves = merkle.leafInputsHex.map((hex) => Buffer.from(hex, 'hex'))
  const hashes = leaves.map(leafHash)
  t.strictSame(
    hashes.map((hash) => hash.toString('hex')),
    merkle.nodeHashesHexByLevel[0],
  )
  const hashOf = hasher(hashes)
  for (const [level, expected] of merkle.nodeHashesHexByLevel.entries()) {
    const width = 2n ** BigInt(level)
    for (const [index, hex] of expected.entries()) {
      const start = BigInt(index) * width
      t.equal(hashOf({ start, end: start + width }).toString('hex'), hex, `level ${level}, index ${index}`)
    }
  }
  for (const [size, hex] of merkle.rootHashesHexBySize.entries())
    t.equal(hashOf({ start: 0n, end: BigInt(size) }).toString('hex'), hex, `size ${size}`)
  t.equal(EMPTY_ROOT.toString('hex'), merkle.rootHashesHexBySize[0])
})

t.test('inclusion proofs are accepted and refused as the vectors say', async (t) => {
  for (const { leafIdx, treeSize, root, leafHash, proof, desc, wantErr } of merkle.inclusion) {
    const hashes = (proof ?? []).map(bytes)
    t.equal(isIncluded(leafIdx, treeSize, bytes(leafHash), hashes, bytes(root)), !wantErr, desc)
  }
})

t.test('consistency proofs are accepted and refused as the vectors say', async (t) => {
  for (const { size1, size2, root1, root2, proof, desc, wantErr } of merkle.consistency) {
    const [first, second] = [
      { size: size1, root: bytes(root1) },
      { size: size2, root: bytes(root2) },
    ]
    t.equal(isConsistent(first, second, (proof ?? []).map(bytes)), !wantErr, desc)
  }
})

const MOST = 300
const leaves = Array.from({ length: MOST }, (_, index) => Buffer.from(`leaf ${index}`))
const hashes = leaves.map(leafHash)
const hashOf = hasher(hashes)

/** Whether another verifier accepts an inclusion proof. */
function isIncludedElsewhere(index: bigint, size: bigint, leaf: Buffer, proof: Buffer[], root: Buffer): boolean {
  const inclusionProof = {
    logIndex: `${index}`,
    hashes: proof,
    rootHash: root,
    treeSize: `${size}`,
    checkpoint: undefined,
  }
  // Safe: the verifier reads these alone of an entry, and these two of a checkpoint.
  const entry = { canonicalizedBody: leaf, inclusionProof } as unknown as Parameters<typeof verifyMerkleInclusion>[0]
  const checkpoint = { logSize: size, logHash: root } as unknown as Parameters<typeof verifyMerkleInclusion>[1]
  try {
    verifyMerkleInclusion(entry, checkpoint)
    return true
  } catch {
    return false
  }
}

function flipped(hash: Buffer, bit: number): Buffer {
  const other = Buffer.from(hash)
  other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return other
}

t.test('every inclusion proof of every tree is accepted here and elsewhere', async (t) => {
  let proofs = 0
  for (let size = 1; size <= MOST; size++) {
    const root = hashOf({ start: 0n, end: BigInt(size) })
    if (size % 37 === 0) t.strictSame(root, mth(leaves.slice(0, size)), `the root of size ${size}`)
    for (let index = 0; index < size; index++) {
      const proof = inclusionRanges(BigInt(index), BigInt(size)).map(hashOf)
      const [leaf, hash] = [leaves[index] as Buffer, hashes[index] as Buffer]
      const here = isIncluded(BigInt(index), BigInt(size), hash, proof, root)
      const there = isIncludedElsewhere(BigInt(index), BigInt(size), leaf, proof, root)
      if (!here || !there) t.fail(`leaf ${index} of ${size}: here ${here}, elsewhere ${there}`)
      proofs++
    }
  }
  t.equal(proofs, (MOST * (MOST + 1)) / 2)
})

/** An inclusion proof with one thing wrong. */
type Claim = { index: bigint; size: bigint; hash: Buffer; proof: Buffer[]; root: Buffer }

/** Each way in which a claim may be wrong by one bit, index, size or hash. */
function* wrongs(claim: Claim, bit: number): Generator<[string, Claim]> {
  const { index, size, hash, proof, root } = claim
  yield ['leaf', { ...claim, hash: flipped(hash, bit) }]
  yield ['root', { ...claim, root: flipped(root, bit) }]
  yield ['next index', { ...claim, index: index + 1n }]
  yield ['index before', { ...claim, index: index - 1n }]
  yield ['index far off', { ...claim, index: index + 2n ** 63n }]
  yield ['one hash more', { ...claim, proof: [...proof, root] }]
  yield ['one hash before', { ...claim, proof: [hash, ...proof] }]
  yield ['size of the leaf', { ...claim, size: index }]
  if (proof.length > 0) yield ['one hash less', { ...claim, proof: proof.slice(1) }]
  if (proof.length > 0) yield ['a short hash', { ...claim, proof: [hash.subarray(1), ...proof.slice(1)] }]
  for (const [at, sibling] of proof.entries())
    yield [`bit of hash ${at}`, { ...claim, proof: proof.with(at, flipped(sibling, bit)) }]
  if (size === 1n) yield ['no leaves', { ...claim, size: 0n }]
}

t.test('no inclusion proof with something wrong is accepted', async (t) => {
  let refused = 0
  for (let size = 1; size <= MOST; size++) {
    const root = hashOf({ start: 0n, end: BigInt(size) })
    for (let index = size % 3; index < size; index += 3) {
      const proof = inclusionRanges(BigInt(index), BigInt(size)).map(hashOf)
      const claim = { index: BigInt(index), size: BigInt(size), hash: hashes[index] as Buffer, proof, root }
      for (const [wrong, { index: at, size: of, hash, proof, root }] of wrongs(claim, (size * 7 + index) % 256)) {
        if (isIncluded(at, of, hash, proof, root)) t.fail(`leaf ${index} of ${size}: ${wrong} accepted`)
        refused++
      }
    }
  }
  t.ok(refused > 200_000, `${refused} refused`)
})

t.test(
  'a proof holds for the size whose root it comes to, and for another only where that asks for the same hashes',
  async (t) => {
    // A root does not tell its size: a leaf far to the left has the same path in trees that differ only to its right. What
    // binds size and root to each other is the signature under both.
    for (let size = 2; size <= 64; size++) {
      const root = hashOf({ start: 0n, end: BigInt(size) })
      for (let index = 0; index < size; index++) {
        const proof = inclusionRanges(BigInt(index), BigInt(size)).map(hashOf)
        for (const other of [size - 1, size + 1]) {
          const here = isIncluded(BigInt(index), BigInt(other), hashes[index] as Buffer, proof, root)
          const there = isIncludedElsewhere(BigInt(index), BigInt(other), leaves[index] as Buffer, proof, root)
          if (here !== there) t.fail(`leaf ${index} of ${size} as of ${other}: here ${here}, elsewhere ${there}`)
        }
      }
    }
  },
)

t.test('every consistency proof is accepted, and none with something wrong', async (t) => {
  let refused = 0
  for (let second = 1; second <= MOST; second++) {
    const grown = { size: BigInt(second), root: hashOf({ start: 0n, end: BigInt(second) }) }
    for (let first = 1; first <= second; first++) {
      const old = { size: BigInt(first), root: hashOf({ start: 0n, end: BigInt(first) }) }
      const proof = consistencyRanges(old.size, grown.size).map(hashOf)
      if (!isConsistent(old, grown, proof)) t.fail(`${first} to ${second} refused`)
      if (first % 5 !== second % 5) continue
      const bit = (first * 13 + second) % 256
      const wrong: [string, boolean][] = [
        ['old root', isConsistent({ ...old, root: flipped(old.root, bit) }, grown, proof)],
        ['new root', isConsistent(old, { ...grown, root: flipped(grown.root, bit) }, proof)],
        ['one hash more', isConsistent(old, grown, [...proof, grown.root])],
        ['turned round', first < second && isConsistent(grown, old, proof)],
        ['from nothing', isConsistent({ size: 0n, root: EMPTY_ROOT }, grown, proof)],
        ['another new size', isConsistent(old, { ...grown, size: grown.size - 1n }, proof) && first === second],
        ...proof.map((hash, at): [string, boolean] => [
          `bit of hash ${at}`,
          isConsistent(old, grown, proof.with(at, flipped(hash, bit))),
        ]),
        ...proof.map((_, at): [string, boolean] => [
          `without hash ${at}`,
          isConsistent(old, grown, proof.toSpliced(at, 1)),
        ]),
      ]
      for (const [what, isAccepted] of wrong) if (isAccepted) t.fail(`${first} to ${second}: ${what} accepted`)
      refused += wrong.length
    }
  }
  t.ok(refused > 100_000, `${refused} refused`)
  t.throws(() => consistencyRanges(0n, 5n), RangeError)
  t.throws(() => consistencyRanges(6n, 5n), RangeError)
  t.throws(() => inclusionRanges(5n, 5n), RangeError)
})

type Notes = { vkey: string; note: string; tilePaths: { n: bigint; path: string }[] }
const notes = vectors<Notes>('notes')

t.test('a note of others is read, and with one thing changed it is not', async (t) => {
  const known = parseVkey(notes.vkey) as Verifier
  t.equal(vkeyOf(known), notes.vkey)
  t.equal(known.name, 'example.com/foo')
  t.strictSame(openNote(notes.note, [known]), { text: 'This is an example message.\n', by: [known] })
  t.equal(openNote(notes.note, []), null, 'nobody known has signed it')
  t.equal(openNote(notes.note.replace('example message', 'example massage'), [known]), null, 'another text')
  t.equal(openNote(notes.note.replace('Uw2QOk', 'Uw2QOl'), [known]), null, 'another id')
  t.equal(openNote(notes.note.replace('RKuwHj', 'RKuwHk'), [known]), null, 'another signature')
  for (const [what, wrong] of [
    ['no line feed at its end', notes.note.slice(0, -1)],
    ['no empty line', notes.note.replace('\n\n', '\n')],
    ['a hyphen', notes.note.replace('—', '-')],
    ['a carriage return', notes.note.replace('message.', 'message.\r')],
    ['base64 with bits left over', notes.note.replace('yaQM=', 'yaQN=')],
    ['base64 without padding', notes.note.replace('yaQM=', 'yaQM')],
    ['two spaces', notes.note.replace('foo U', 'foo  U')],
  ] as const)
    t.equal(parseNote(wrong), null, what)
  for (const [what, wrong] of [
    ['another id', notes.vkey.replace('530d903a', '530d903b')],
    ['another name', notes.vkey.replace('foo', 'fou')],
    ['a space in its name', notes.vkey.replace('example', 'exam ple')],
    ['another type of key', `example.com/foo+530d903a+${Buffer.alloc(33, 2).toString('base64')}`],
    ['nothing', ''],
  ] as const)
    t.equal(parseVkey(wrong), null, what)
})

function newSigner(name: string) {
  return signer(name, generateKeyPairSync('ed25519').privateKey)
}

t.test('a checkpoint is signed by each key, and believed by any one of them', async (t) => {
  const [one, other, third] = [newSigner('log.test/demo'), newSigner('log.test/demo'), newSigner('log.test/demo')]
  const checkpoint = { origin: 'log.test/demo', size: 20_852_163n, root: hashes[0] as Buffer }
  const note = signNote(checkpointText(checkpoint), [one, other])
  const read = parseVkey(vkeyOf(one)) as Verifier
  t.strictSame(openCheckpoint(note, [read]), checkpoint)
  t.strictSame(openCheckpoint(note, [other]), checkpoint)
  t.equal(openCheckpoint(note, [third]), null)
  t.equal(openCheckpoint(note.replace('20852163', '20852164'), [one]), null)
  // A line in the name of a key that did not write it spoils the note, though another has signed.
  const [text = '', lines = ''] = note.split('\n\n')
  const forged = `${text}\n\n${lines.split('\n')[0]}\n${signNote('x\n', [other]).split('\n')[2]}\n`
  t.equal(openCheckpoint(forged, [one, other]), null)
  t.strictSame(openCheckpoint(forged, [one]), checkpoint, 'a line of an unknown key is left aside')
})

t.test('the text of a checkpoint is read strictly', async (t) => {
  const root = (hashes[0] as Buffer).toString('base64')
  t.strictSame(parseCheckpoint(`log.test/demo\n0\n${root}\nsomething else\n`), {
    origin: 'log.test/demo',
    size: 0n,
    root: hashes[0],
  })
  t.equal(parseCheckpoint(`log.test/demo\n18446744073709551615\n${root}\n`)?.size, 2n ** 64n - 1n)
  for (const wrong of [
    `log.test/demo\n01\n${root}\n`,
    `log.test/demo\n-1\n${root}\n`,
    `log.test/demo\n18446744073709551616\n${root}\n`,
    `log.test/demo\n1\n${root}`,
    `log.test/demo\n1\n${root.slice(0, -1)}\n`,
    `log.test/demo\n1\n${Buffer.alloc(31).toString('base64')}\n`,
    `log.test/demo\n1\n${root}\n\n`,
    `\n1\n${root}\n`,
    'log.test/demo\n1\n',
    '',
  ])
    t.equal(parseCheckpoint(wrong), null, JSON.stringify(wrong))
})

t.test('keys come from PEM, and only those of Ed25519', async (t) => {
  const pem = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  t.equal(privateKeys(`${pem()}\n# and the next\n${pem()}`).length, 2)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  t.throws(() => privateKeys(rsa.export({ type: 'pkcs8', format: 'pem' }).toString()), TypeError)
  t.throws(() => privateKeys('nothing'), TypeError)
  t.throws(() => signer('log.test/demo', rsa), TypeError)
  t.throws(() => newSigner('a name'), TypeError)
  t.throws(() => newSigner('a+b'), TypeError)
})

t.test('tiles have the paths of the vectors, and one path each', async (t) => {
  for (const { n: index, path } of notes.tilePaths) {
    t.equal(tilePath({ level: 0, index, width: 256 }), `tile/0/${path}`)
    t.strictSame(parseTilePath(`tile/0/${path}`), { level: 0, index, width: 256 })
    t.equal(tilePath({ level: 'entries', index, width: 7 }), `tile/entries/${path}.p/7`)
    t.strictSame(parseTilePath(`tile/entries/${path}.p/7`), { level: 'entries', index, width: 7 })
  }
  for (const wrong of [
    'tile/00/000',
    'tile/64/000',
    'tile/0/0',
    'tile/0/1000',
    'tile/0/x000/001',
    'tile/0/001/000',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p',
    'tile/x/000',
    '/tile/0/000',
  ])
    t.equal(parseTilePath(wrong), null, wrong)
})

t.test('a tree of 70,000 has the tiles that the specification counts', async (t) => {
  const tiles = newTiles(0n, 70_000n)
  const count = (level: number, width: number) =>
    tiles.filter((one) => one.level === level && one.width === width).length
  t.strictSame([count(0, 256), count(0, 112), count(1, 256), count(1, 17), count(2, 1)], [273, 1, 1, 1, 1])
  t.equal(tiles.length, 277)
  t.strictSame(newTiles(0n, 256n), [
    { level: 0, index: 0n, width: 256 },
    { level: 1, index: 0n, width: 1 },
  ])
  t.strictSame(newTiles(70_000n, 70_001n), [{ level: 0, index: 273n, width: 113 }])
  t.strictSame(newTiles(70_000n, 70_000n), [])
  t.equal(widthOf(0, 274n, 70_000n), 0)
})

t.test('the hash of a subtree is found in its tile', async (t) => {
  const tile = Buffer.concat(hashes.slice(0, 256))
  const place = placeOf({ level: 3, index: 5n })
  t.strictSame(place, { level: 0, index: 0n, offset: 40, count: 8 })
  t.strictSame(hashWithin(tile, place.offset, place.count), hashOf({ start: 40n, end: 48n }))
  t.strictSame(placeOf({ level: 8, index: 257n }), { level: 1, index: 1n, offset: 1, count: 1 })
  t.throws(() => hashWithin(tile.subarray(32), 248, 8), RangeError)
})

t.test('leaves go into a bundle and come out of it', async (t) => {
  const some = [Buffer.alloc(0), ...leaves.slice(0, 5), Buffer.alloc(65_535, 1)]
  t.strictSame(unbundle(bundle(some)), some)
  t.equal(unbundle(bundle(some).subarray(0, -1)), null)
  t.equal(unbundle(Buffer.concat([bundle(some), Buffer.from([0])])), null)
  t.throws(() => bundle([Buffer.alloc(65_536)]), RangeError)
})

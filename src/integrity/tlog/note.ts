// Signed notes (C2SP signed-note) with Ed25519: text, keys and signatures. It knows nothing of what a note says.

import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { decodeBase64 } from './base64.ts'

const ED25519 = 1
const KEY_BYTES = 32
const ID_BYTES = 4
const SIGNATURE_BYTES = 64
const MAX_SIGNATURES = 64
const MAX_NOTE_LENGTH = 1_000_000

/** A key that verifies: who it is of, and the first four bytes of SHA-256(name, line feed, type, key) by which notes name it. */
export type Verifier = { name: string; id: Buffer; key: Buffer }

/** A key that signs under a name. */
export type Signer = Verifier & { privateKey: KeyObject }

/** Whether a text may be the name of a key: no spaces, no plus, no control characters. */
function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\s+\p{Cc}]/u.test(name)
}

function keyId(name: string, key: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ED25519]), key]), 'buffer').subarray(
    0,
    ID_BYTES,
  )
}

/** The 32 bytes of the public half of a key. */
function rawPublic(key: KeyObject): Buffer {
  const { x } = key.export({ format: 'jwk' })
  return Buffer.from(x ?? '', 'base64url')
}

/** Signs under a name with an Ed25519 private key; throws TypeError where name or key cannot be. */
export function signer(name: string, privateKey: KeyObject): Signer {
  if (!isKeyName(name)) throw new TypeError(`${JSON.stringify(name)} cannot be the name of a key`)
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new TypeError('the key is not of Ed25519')
  const key = rawPublic(createPublicKey(privateKey))
  return { name, id: keyId(name, key), key, privateKey }
}

/** A verifier as text: `name+id in hex+base64 of type and key`. */
export function vkeyOf({ name, id, key }: Verifier): string {
  return `${name}+${id.toString('hex')}+${Buffer.concat([Buffer.from([ED25519]), key]).toString('base64')}`
}

/** The verifier of a text; null where it is not one of Ed25519, or its id is not that of its name and key. */
export function parseVkey(text: string): Verifier | null {
  const [, name = '', hex = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text) ?? []
  const typed = decodeBase64(encoded)
  if (!isKeyName(name) || typed?.length !== 1 + KEY_BYTES || typed[0] !== ED25519) return null
  const key = typed.subarray(1)
  const id = keyId(name, key)
  return id.toString('hex') === hex ? { name, id, key } : null
}

/** A line of a note that signs it. */
type Signature = { name: string; id: Buffer; signature: Buffer }

/** A note taken apart. `text` ends with a line feed. */
export type Note = { text: string; signatures: Signature[] }

/** Signs a text, which ends with a line feed, with each of the signers in their order. */
export function signNote(text: string, signers: readonly Signer[]): string {
  const lines = signers.map(({ name, id, privateKey }) => {
    const signature = sign(null, Buffer.from(text), privateKey)
    return `— ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`
  })
  return `${text}\n${lines.join('')}`
}

// A line feed is the only control character.
const CONTROL = /[^\P{Cc}\n\u{7f}-\u{9f}]/u

function parseSignature(line: string): Signature | null {
  const [, name = '', encoded = ''] = /^— (\S+) (\S+)$/u.exec(line) ?? []
  const bytes = decodeBase64(encoded)
  if (!isKeyName(name) || !bytes || bytes.length <= ID_BYTES) return null
  return { name, id: bytes.subarray(0, ID_BYTES), signature: bytes.subarray(ID_BYTES) }
}

/** Takes a note apart without believing it; null where it is none. */
export function parseNote(note: string): Note | null {
  if (note.length > MAX_NOTE_LENGTH || !note.isWellFormed() || CONTROL.test(note)) return null
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return null
  const lines = note.slice(end + 2, -1).split('\n')
  const signatures = lines.map(parseSignature)
  if (lines.length > MAX_SIGNATURES) return null
  const isWhole = (all: (Signature | null)[]): all is Signature[] => all.every((one) => one !== null)
  return isWhole(signatures) ? { text: note.slice(0, end + 1), signatures } : null
}

// What precedes the 32 bytes in the SubjectPublicKeyInfo of a key of Ed25519 (RFC 8410).
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')

function isSigned(text: string, key: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' })
  return verify(null, Buffer.from(text), publicKey, signature)
}

/**
 * The text of a note and the known keys that have signed it. Null if it is no note, if no known key has signed it, or
 * if a line in the name of a known key is not its signature. Lines of other keys are ignored.
 */
export function openNote(note: string, known: readonly Verifier[]): { text: string; by: Verifier[] } | null {
  const parsed = parseNote(note)
  if (!parsed) return null
  const by = new Set<Verifier>()
  for (const { name, id, signature } of parsed.signatures) {
    const verifier = known.find((one) => one.name === name && one.id.equals(id))
    if (!verifier) continue
    if (!isSigned(parsed.text, verifier.key, signature)) return null
    by.add(verifier)
  }
  return by.size > 0 ? { text: parsed.text, by: [...by] } : null
}

/** The Ed25519 private keys of a PEM text, in their order; throws TypeError where it holds another or none. */
export function privateKeys(pem: string): KeyObject[] {
  const blocks = pem.match(/-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----/g) ?? []
  if (blocks.length === 0) throw new TypeError('there is no private key (PEM, PKCS #8) in it')
  return blocks.map((block) => {
    const key = createPrivateKey(block)
    if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('a key in it is not of Ed25519')
    return key
  })
}

// Checkpoints as C2SP signed notes: what they say, and whether one of the keys has signed it.

import { concat, fromBase64, isSame, sha256 } from './tree.ts'

const TEXT = new TextEncoder()
const ED25519 = 1
const SIGNATURE = /^— (\S+) (\S+)$/

export type Checkpoint = { origin: string; size: bigint; root: Uint8Array }

type Signature = { name: string; id: Uint8Array; bytes: Uint8Array<ArrayBuffer> }

type Note = { text: string; signatures: Signature[] }

/** The text of a note, with the newline that ends it, and its signatures; null where it is none. */
export function parseNote(note: string): Note | null {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.endsWith('\n')) return null
  const lines = note.slice(end + 2, -1).split('\n')
  const signatures = lines.map((line): Signature | null => {
    const [, name = '', text = ''] = SIGNATURE.exec(line) ?? []
    const bytes = fromBase64(text)
    return bytes && bytes.length > 4 ? { name, id: bytes.slice(0, 4), bytes: bytes.slice(4) } : null
  })
  const good = signatures.filter((one) => one !== null)
  return good.length === lines.length ? { text: note.slice(0, end + 1), signatures: good } : null
}

/** What the text of a checkpoint says (C2SP tlog-checkpoint); null where it is none. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const [origin = '', size = '', root = ''] = text.split('\n')
  const bytes = fromBase64(root)
  if (origin === '' || !/^(?:0|[1-9]\d{0,18})$/.test(size) || bytes?.length !== 32) return null
  return { origin, size: BigInt(size), root: bytes }
}

type Key = { name: string; id: Uint8Array; key: Uint8Array<ArrayBuffer> }

/** The key of a verifier (C2SP signed-note), whose id is held against what it is the hash of; null where it is none. */
export async function parseVkey(vkey: string): Promise<Key | null> {
  const [, name = '', id = '', text = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(vkey) ?? []
  const bytes = fromBase64(text)
  if (bytes?.length !== 33 || bytes[0] !== ED25519) return null
  const hash = (await sha256(TEXT.encode(`${name}\n`), bytes)).slice(0, 4)
  const isItsHash = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('') === id
  return isItsHash ? { name, id: hash, key: bytes.slice(1) } : null
}

/** Whether one of the keys signed a note; null where this browser knows no Ed25519. */
export async function isSigned({ text, signatures }: Note, vkeys: readonly string[]): Promise<boolean | null> {
  const keys = (await Promise.all(vkeys.map(parseVkey))).filter((key) => key !== null)
  for (const { name, id, key } of keys) {
    for (const signature of signatures) {
      if (signature.name !== name || !isSame(signature.id, id)) continue
      try {
        const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
        if (await crypto.subtle.verify('Ed25519', imported, signature.bytes, concat(TEXT.encode(text)))) return true
      } catch {
        return null
      }
    }
  }
  return false
}

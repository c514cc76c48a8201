// The checkpoint of a register: origin, size and root of its tree as text (C2SP tlog-checkpoint), which a note signs.

import { decodeBase64 } from './base64.ts'
import { HASH_BYTES, type TreeHead } from './merkle.ts'
import { openNote, type Verifier } from './note.ts'

/** A head and which log it is of. */
export type Checkpoint = TreeHead & { origin: string }

/** The text of a checkpoint. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`
}

const MAX_SIZE = 2n ** 64n

/** The checkpoint of a text, lines that it does not know left aside; null where it is none. */
export function parseCheckpoint(text: string): Checkpoint | null {
  const [origin = '', count = '', encoded = '', ...extensions] = text.slice(0, -1).split('\n')
  if (!text.endsWith('\n') || origin === '' || extensions.includes('')) return null
  if (!/^(?:0|[1-9]\d{0,19})$/.test(count) || BigInt(count) >= MAX_SIZE) return null
  const root = decodeBase64(encoded)
  if (root?.length !== HASH_BYTES) return null
  return { origin, size: BigInt(count), root }
}

/** The checkpoint of a note that one of the keys has signed; null where there is none to believe. */
export function openCheckpoint(note: string, known: readonly Verifier[]): Checkpoint | null {
  const opened = openNote(note, known)
  return opened && parseCheckpoint(opened.text)
}

// The body of an event and its hash: what the leaf commits to, and what tells a repeated recording from a reused id.

import { hash, randomFillSync } from 'node:crypto'
import type { Citation } from '../domain/event.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'

export type Body = { occurredOn: string; data: unknown; citations: Citation[] }

const SALT_BYTES = 32

/** A new salt of 32 random bytes. */
export function newSalt(): Buffer {
  return randomFillSync(Buffer.allocUnsafe(SALT_BYTES))
}

/** SHA-256(salt ‖ JCS({occurredOn, data, citations})), in base64: the body as stored, validated, with its defaults. */
export function bodyHash(salt: Uint8Array, { occurredOn, data, citations }: Body): string {
  const text = canonicalJson({ occurredOn, data, citations })
  return hash('sha256', Buffer.concat([salt, Buffer.from(text)]), 'base64')
}

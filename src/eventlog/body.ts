// The body of an event and its hash. The leaf commits to the hash. The hash tells a repeated recording from a reused id.

import { hash, randomFillSync } from 'node:crypto'
import type { Citation } from '../domain/event.ts'
import { canonicalJson } from '../kernel/canonical-json.ts'

export type EventBody = { occurredOn: string; data: unknown; citations: Citation[] }

const SALT_BYTES = 32

/** New salts of 32 random bytes each. */
export function newSalts(count: number): Buffer[] {
  // All at once, since each call costs more than its bytes.
  const bytes = randomFillSync(Buffer.allocUnsafe(SALT_BYTES * count))
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * SALT_BYTES, (index + 1) * SALT_BYTES))
}

/** SHA-256(salt ‖ JCS({occurredOn, data, citations})), in base64: the body as stored, validated, with its defaults. */
export function bodyHash(salt: Uint8Array, { occurredOn, data, citations }: EventBody): string {
  const text = canonicalJson({ occurredOn, data, citations })
  return hash('sha256', Buffer.concat([salt, Buffer.from(text)]), 'base64')
}

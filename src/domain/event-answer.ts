// An event as answers and exports give it: as stored, hashes and salt in base64.

import { z } from 'zod'
import { citation, type StoredEvent } from './event.ts'

export const eventAnswer = z
  .strictObject({
    position: z.int(),
    id: z.string(),
    stream: z.string(),
    revision: z.int(),
    type: z.string(),
    typeVersion: z.int(),
    recordedAt: z.string(),
    recordedBy: z.string(),
    occurredOn: z.string().nullable(),
    data: z.record(z.string(), z.unknown()).nullable(),
    citations: z.array(citation).nullable(),
    salt: z.string().nullable(),
    bodyHash: z.string(),
  })
  .meta({ id: 'Event', description: 'An event as stored; redacted content is null' })

export type EventAnswer = z.output<typeof eventAnswer>

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

/** An event as answers and exports give it. */
export function answerEvent(event: StoredEvent): z.output<typeof eventAnswer> {
  return {
    position: event.position,
    id: event.id,
    stream: event.stream,
    revision: event.revision,
    type: event.type,
    typeVersion: event.typeVersion,
    recordedAt: new Date(event.recordedAt).toISOString(),
    recordedBy: event.recordedBy,
    occurredOn: event.occurredOn,
    // Safe: the data of every type is an object.
    data: event.data as Record<string, unknown> | null,
    citations: event.citations,
    salt: event.salt && base64(event.salt),
    bodyHash: base64(event.bodyHash),
  }
}

// An event as answers and exports give it: as stored, hashes and salt in base64.

import { z } from 'zod'
import { citation, type StoredEvent } from './event.ts'

export const eventAnswer = z
  .strictObject({
    position: z.int().meta({ description: 'Its place in the log of the register, from 0' }),
    id: z.string().meta({ description: 'Its id, a UUID' }),
    stream: z.string().meta({ description: 'Its stream: the id of a commitment, or `$register`' }),
    revision: z.int().meta({ description: 'Its place in its stream, from 1' }),
    type: z.string().meta({ description: 'Its type, such as `DeliveryReported`' }),
    typeVersion: z.int().meta({ description: 'The version of the shape of its data' }),
    recordedAt: z.string().meta({ description: 'Transaction time: when the service recorded it, in UTC' }),
    recordedBy: z.string().meta({ description: 'The opaque id of the caller who recorded it' }),
    occurredOn: z.string().nullable().meta({
      description: 'Valid time: the date on which the fact became true, as precise as its source; null: redacted',
    }),
    data: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'What the fact says, in the shape of its type; null: redacted' }),
    citations: z.array(citation).nullable().meta({ description: 'The documents that say so; null: redacted' }),
    salt: z.string().nullable().meta({ description: '32 random bytes in base64, part of the hash; null: redacted' }),
    bodyHash: z.string().meta({
      description: 'SHA-256 of the salt and of occurredOn, data and citations, in base64; it outlives a redaction',
    }),
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

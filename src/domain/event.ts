// What every event has: its place in the log, its content, and citations. The types themselves stand with what they are about
// (register/events.ts, commitment/events.ts, repairs.ts).

import { z } from 'zod'
import { date, listOf, number, sourceId, text } from './fields.ts'

/** The stream of facts about the register itself. */
export const REGISTER_STREAM = '$register'

const differs = z.record(text(100), z.union([text(), number, z.boolean(), z.null()]))

/** Where a fact stands: the source, the place in it, who says so and when, and what this source says instead. */
export const citation = z
  .strictObject({
    source: sourceId,
    locator: text().optional().meta({ description: 'The place in the source, such as a page' }),
    quote: text().optional().meta({ description: 'The words of the source' }),
    claimedBy: text().optional().meta({ description: 'Who says so in the source' }),
    claimedOn: date.optional().meta({ description: 'When it was said, as precise as the source' }),
    differs: differs.optional().meta({ description: 'What this source states instead, by field' }),
  })
  .meta({ id: 'Citation', description: 'Where in a source a fact stands, as recorded' })
export type Citation = z.output<typeof citation>

export const citations = listOf(citation).meta({ description: 'The documents that say so' })

/** One recorded fact or repair, as the log holds it. Redacted content is null. */
export type StoredEvent = {
  position: number
  id: string
  stream: string
  revision: number
  type: string
  typeVersion: number
  /** Milliseconds since the epoch. */
  recordedAt: number
  recordedBy: string
  occurredOn: string | null
  data: unknown
  citations: Citation[] | null
  /** 32 random bytes; null once redacted. */
  salt: Uint8Array | null
  /** SHA-256(salt ‖ JCS({occurredOn, data, citations})). */
  bodyHash: Uint8Array
}

/** What folds need of an event. */
export type EventToFold = Omit<StoredEvent, 'recordedBy' | 'bodyHash'>

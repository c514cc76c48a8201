// The feed as CloudEvents 1.0 (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md): a page as a batch.

import { z } from 'zod'
import type { StoredEvent } from '../../domain/event.ts'
import { answerEvent, eventAnswer } from '../../domain/event-answer.ts'

export const CLOUD_EVENTS_TYPE = 'application/cloudevents-batch+json'

export const cloudEvents = z.array(
  z.strictObject({
    specversion: z.literal('1.0').meta({ description: 'The version of CloudEvents' }),
    id: z.string().meta({ description: 'The id of the event' }),
    source: z.string().meta({ description: 'The register: /v1/registers/{register}' }),
    type: z.string().meta({ description: 'pledger. and the type of the event' }),
    subject: z.string().meta({ description: 'The stream' }),
    time: z.string().meta({ description: 'When it was recorded, in UTC' }),
    datacontenttype: z.literal('application/json').meta({ description: 'The media type of `data`' }),
    sequence: z.string().meta({ description: 'The position, with leading zeros: sorts as text' }),
    data: eventAnswer,
  }),
)

// As many digits as a position can have (2^53).
const SEQUENCE_DIGITS = 16

/** An event in the envelope of CloudEvents. */
export function cloudEvent(register: string, event: StoredEvent): z.output<typeof cloudEvents>[number] {
  const data = answerEvent(event)
  return {
    specversion: '1.0',
    id: event.id,
    source: `/v1/registers/${register}`,
    type: `pledger.${event.type}`,
    subject: event.stream,
    time: data.recordedAt,
    datacontenttype: 'application/json',
    sequence: String(event.position).padStart(SEQUENCE_DIGITS, '0'),
    data,
  }
}

// How answers give dates and citations: every field is there, unknown is null.

import { z } from 'zod'
import { answerDate } from '../kernel/plain-date.ts'
import type { Citation } from './event.ts'

/** A date as given, with its first and last day; null where that end is open. */
export const dateAnswer = z
  .strictObject({ value: z.string(), earliest: z.string().nullable(), latest: z.string().nullable() })
  .meta({ id: 'ImpreciseDate', description: 'A date as given, and its first and last day (null: open)' })

export type DateAnswer = z.output<typeof dateAnswer>

export const citationAnswer = z
  .strictObject({
    event: z.int().meta({ description: 'Position of the event that cites' }),
    source: z.string(),
    locator: z.string().nullable(),
    quote: z.string().nullable(),
    claimedBy: z.string().nullable(),
    claimedOn: dateAnswer.nullable(),
    differs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).nullable(),
  })
  .meta({ id: 'CitationAnswer' })

export type CitationAnswer = z.output<typeof citationAnswer>

/** A citation with the position of the event that cites it. */
export function answerCitation(citation: Citation, event: number): z.output<typeof citationAnswer> {
  return {
    event,
    source: citation.source,
    locator: citation.locator ?? null,
    quote: citation.quote ?? null,
    claimedBy: citation.claimedBy ?? null,
    claimedOn: citation.claimedOn === undefined ? null : answerDate(citation.claimedOn),
    differs: citation.differs ?? null,
  }
}

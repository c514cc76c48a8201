// How answers give dates and citations: every field is there, unknown is null.

import { z } from 'zod'
import { answerDate } from '../kernel/plain-date.ts'
import type { Citation } from './event.ts'

/** A date as given, with its first and last day; null where that end is open. */
export const dateAnswer = z
  .strictObject({
    value: z.string().meta({ description: 'The date as given: YYYY, YYYY-MM, YYYY-MM-DD, A/B, A/.. or ../B' }),
    earliest: z.string().nullable().meta({ description: 'Its first day, YYYY-MM-DD; null: the start is open' }),
    latest: z.string().nullable().meta({ description: 'Its last day, YYYY-MM-DD; null: the end is open' }),
  })
  .meta({ id: 'ImpreciseDate', description: 'A date as given, and its first and last day' })

export type DateAnswer = z.output<typeof dateAnswer>

export const citationAnswer = z
  .strictObject({
    event: z.int().meta({ description: 'Position of the event that cites' }),
    source: z.string().meta({ description: 'The id of the source' }),
    locator: z.string().nullable().meta({ description: 'The place in the source, such as a page; null: not recorded' }),
    quote: z.string().nullable().meta({ description: 'The words of the source; null: not recorded' }),
    claimedBy: z.string().nullable().meta({ description: 'Who says so in the source; null: not recorded' }),
    claimedOn: dateAnswer.nullable().meta({ description: 'When it was said; null: not recorded' }),
    differs: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .nullable()
      .meta({ description: 'What this source states instead, by field; null: nothing else' }),
  })
  .meta({ id: 'CitationAnswer', description: 'Where in a source a fact stands' })

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

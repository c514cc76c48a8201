// What contradicts what: the type of a conflict, and the ways to build one. A conflict takes no side and is never guessed
// from free text: it names the events and citations that cannot all hold.

import { z } from 'zod'
import { answerCitation, citationAnswer } from './answers.ts'
import type { Citation } from './event.ts'

export const CONFLICT_KINDS = [
  'made-twice',
  'delivery-days-differ',
  'delivery-disputed',
  'source-differs',
  'status-differs',
  'rebaselined-after-delivery',
  'undefined-reference',
  'reports-differ',
] as const

export const conflictAnswer = z
  .strictObject({
    kind: z.enum(CONFLICT_KINDS).meta({ description: 'What cannot hold, as a word' }),
    detail: z.string().meta({ description: 'What cannot hold, as a sentence' }),
    events: z.array(z.int()).meta({ description: 'Positions of the events that cannot all hold' }),
    citations: z.array(citationAnswer).meta({ description: 'What these events cite' }),
  })
  .meta({ id: 'Conflict', description: 'Things in the record that cannot all hold' })
export type Conflict = z.output<typeof conflictAnswer>
export type ConflictKind = (typeof CONFLICT_KINDS)[number]

/** A fact by its position, with what it cites. */
export type CitedFact = { position: number; citations: readonly Citation[] }

/** Citations gathered from several facts, each with the position of the event that cites. */
export type GatheredCitations = readonly (Citation & { event: number })[]

/** A conflict between facts, with the citations of all of them. */
export function conflictOf(kind: ConflictKind, detail: string, facts: readonly CitedFact[]): Conflict {
  return {
    kind,
    detail,
    events: facts.map((fact) => fact.position).sort((a, b) => a - b),
    citations: facts.flatMap((fact) => fact.citations.map((citation) => answerCitation(citation, fact.position))),
  }
}

/** What citations say instead, as conflicts of the facts that cite: one for each citation that differs. */
export function differingCitations(citations: GatheredCitations): Conflict[] {
  return citations.flatMap(({ event, ...citation }) => {
    if (!citation.differs) return []
    const says = Object.entries(citation.differs).map(([field, value]) => `${field}: ${JSON.stringify(value)}`)
    const fact = { position: event, citations: [citation] }
    return [conflictOf('source-differs', `${citation.source} says ${says.join(', ')}`, [fact])]
  })
}

/** A reference of facts to what the register no longer defines; `what` names it, as in `party A`. */
export function undefinedReference(what: string, facts: readonly CitedFact[]): Conflict {
  return conflictOf('undefined-reference', `${what} is not defined`, facts)
}

/** Citations from sources that the register no longer defines: one conflict for each such source. */
export function undefinedSources(
  citations: GatheredCitations,
  { sources }: { sources: ReadonlyMap<string, unknown> },
): Conflict[] {
  const missing = citations.filter(({ source }) => !sources.has(source))
  return [...Map.groupBy(missing, ({ source }) => source)].map(([source, citing]) =>
    undefinedReference(
      `source ${source}`,
      citing.map(({ event, ...citation }) => ({ position: event, citations: [citation] })),
    ),
  )
}

/** What the event of a definition or report cites itself, without the citations of what it amends. */
export function ownCitations({ position, citations }: { position: number; citations: GatheredCitations }): Citation[] {
  return citations.filter(({ event }) => event === position).map(({ event, ...citation }) => citation)
}

// The parts of docs/contract.md that follow from the code. Everything else on the page is written by hand.

import { z } from 'zod'
import { COMMITMENT_EVENTS } from '../../../src/domain/commitment/events.ts'
import { FIGURE_NAMES, FIGURES } from '../../../src/domain/figures.ts'
import { summaryFigures } from '../../../src/domain/portfolio/summary.ts'
import { REGISTER_EVENTS } from '../../../src/domain/register/events.ts'
import { REPAIR_EVENTS } from '../../../src/domain/repairs.ts'
import { PROBLEM_WORDS, problemStatus, problemTitle } from '../../../src/kernel/problem-words.ts'
import { citationFields, eventFields, eventTypes } from './event-fields.ts'
import { code, table, withParts } from './markdown.ts'

function problemWords(): string {
  const rows = PROBLEM_WORDS.map((word) => [code(word), String(problemStatus(word)), problemTitle(word)])
  return table(['word', 'status', 'title'], rows)
}

/** What stands at a dotted path of the summary's figures, null or not. */
function memberAt(path: string): unknown {
  const member = path.split('.').reduce<unknown>((schema, key) => {
    const shape = schema instanceof z.ZodObject ? schema.shape : {}
    return (shape as Record<string, unknown>)[key]
  }, z.strictObject(summaryFigures))
  return member instanceof z.ZodNullable ? member.unwrap() : member
}

function figures(): string {
  const rows = FIGURE_NAMES.map((name) => {
    const member = memberAt(name)
    const members = member instanceof z.ZodObject ? Object.keys(member.shape).map(code).join(', ') : 'a number'
    const { numerator, denominator } = FIGURES[name]
    const outOf = denominator.words === numerator.words && name !== 'inScope' ? 'the same' : denominator.words
    return [code(name), numerator.words, outOf, members]
  })
  return table(['figure', 'numerator', 'denominator', 'members in the answer'], rows)
}

/** The page with its generated parts as the code has them now. */
export function contractPage(page: string): string {
  return withParts(page, {
    citation: citationFields(),
    'event-fields': eventFields(),
    'events-of-commitments': eventTypes(COMMITMENT_EVENTS),
    'events-of-the-record': eventTypes(REPAIR_EVENTS),
    'events-of-the-register': eventTypes(REGISTER_EVENTS),
    figures: figures(),
    'problem-words': problemWords(),
  })
}

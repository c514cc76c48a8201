// What the page takes from the tables of the domain: it holds none of the service's code, so their words are written out for it.

import type { z } from 'zod'
import { EVENT_TYPES, EVENTS } from '../../../src/domain/admission/posted-event.ts'
import { leavesOf } from '../../../src/domain/field-walk.ts'
import { baselineDate, date, dueDate, FIELD_MEANINGS } from '../../../src/domain/fields.ts'
import { FIGURE_NAMES, FIGURES, SHARE_NAMES } from '../../../src/domain/figures.ts'
import { isField } from '../fields.ts'

function quoted(text: string): string {
  return text.includes("'") ? JSON.stringify(text) : `'${text}'`
}

function keyOf(name: string): string {
  return /^\w+$/.test(name) ? name : quoted(name)
}

function recordOf(entries: readonly (readonly [name: string, text: string])[]): string {
  return `{\n${entries.map(([name, text]) => `  ${keyOf(name)}: ${quoted(text)},`).join('\n')}\n}`
}

/** What the page shows otherwise than as text: dates, and references to parties and programmes, by the names of the fields. */
function fieldKinds(): [name: string, kind: string][] {
  const kinds = new Map<string, string>()
  for (const { data } of Object.values(EVENTS)) {
    for (const { path, schema } of leavesOf(data)) {
      const [name, ...rest] = path
      const kind = kindOf(schema)
      if (name !== undefined && kind !== null && rest.every((step) => step === '*')) kinds.set(name, kind)
    }
  }
  return [...kinds]
}

function kindOf(schema: z.ZodType): string | null {
  if ([date, dueDate, baselineDate].some((known) => isField(schema, known))) return 'date'
  const meaning = FIELD_MEANINGS.get(schema)
  if (meaning?.kind !== 'reference') return null
  return meaning.to === 'party' || meaning.to === 'programme' ? meaning.to : null
}

/** src/dashboard/generated.ts */
export function pageWords(): string {
  const figures = (member: 'kind' | 'title' | 'note') =>
    recordOf(FIGURE_NAMES.map((name) => [name, FIGURES[name][member]]))
  const shares = SHARE_NAMES.map((name) => `  ${quoted(name)},`).join('\n')
  return `// Generated from the tables of figures and of event types (src/domain/figures.ts, event-entry.ts): npm run generate.

/** What kind of number a figure is. */
export const FIGURE_KINDS: Record<string, string> = ${figures('kind')}

/** What a figure is called. */
export const FIGURE_WORDS: Record<string, string> = ${figures('title')}

/** What a figure means, in one sentence. */
export const FIGURE_NOTES = ${figures('note')} as const

/** The figures that are a count of a whole, with a percentage. */
export const SHARES = [\n${shares}\n] as const

/** What the types of events are called. */
export const EVENT_WORDS: Record<string, string> = ${recordOf(EVENT_TYPES.map((type) => [type, EVENTS[type].title]))}

/** Which fields of events are dates, or references to parties and programmes. */
export const FIELD_KINDS: Record<string, string> = ${recordOf(fieldKinds())}
`
}

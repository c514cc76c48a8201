// What a fact refers to, found in the schema of its data and of its citations, and whether the register defines it.

import type { z } from 'zod'
import { citations } from '../event.ts'
import { everyTextAt, type FieldPath, meaningfulFields, textsAt } from '../field-walk.ts'
import type { FieldMeaning } from '../fields.ts'
import type { RegisterState } from '../register/state.ts'

type Target = Extract<FieldMeaning, { kind: 'reference' }>['to']

/** What the register defines, by the kinds of things that a fact refers to; null for those that it does not define. */
const DEFINED = {
  party: ({ parties }) => parties,
  programme: ({ programmes }) => programmes,
  source: ({ sources }) => sources,
  // What supersedes a commitment may be promised later.
  commitment: null,
  // Which event a repair is about is looked for in the log.
  event: null,
} as const satisfies Record<Target, ((register: RegisterState) => ReadonlyMap<string, unknown>) | null>

type Definable = { [T in Target]: (typeof DEFINED)[T] extends null ? never : T }[Target]

// Safe: these are the keys of the record, of which every one that is left has a function.
const DEFINABLE = (Object.keys(DEFINED) as Target[]).filter((to): to is Definable => DEFINED[to] !== null)

/** A reference to something that the register does not define; `pointer` leads to it below the fact. */
export type UnknownReference = { to: Definable; id: string; pointer: string }

type Reference = { to: Definable; path: FieldPath }

const known = new WeakMap<z.ZodType, Reference[]>()

/** The references in a schema to what the register defines, by kind. */
function referencesIn(schema: z.ZodType): Reference[] {
  const found = known.get(schema)
  if (found) return found
  const fields = meaningfulFields(schema)
  const references = DEFINABLE.flatMap((to) =>
    fields
      .filter(({ meaning }) => meaning.kind === 'reference' && meaning.to === to)
      .map(({ path }): Reference => ({ to, path })),
  )
  known.set(schema, references)
  return references
}

function firstUnknown(
  schema: z.ZodType,
  data: unknown,
  base: string,
  register: RegisterState,
): UnknownReference | null {
  for (const { to, path } of referencesIn(schema)) {
    const defined = DEFINED[to](register)
    // Nearly always all are defined, and every recording asks: where they stand is worked out only where one is not.
    if (everyTextAt(data, path, (text) => defined.has(text))) continue
    const unknown = textsAt(data, path, base).find(({ text }) => !defined.has(text))
    if (unknown) return { to, id: unknown.text, pointer: unknown.pointer }
  }
  return null
}

/**
 * The first reference of a fact to what the register does not define: parties before programmes before sources, and its data,
 * which its schema has parsed, before its citations. Null where everything is defined.
 */
export function unknownReferenceOf(
  { schema, data, citations }: { schema: z.ZodType | null; data: unknown; citations: unknown },
  register: RegisterState,
): UnknownReference | null {
  return (schema && firstUnknown(schema, data, '/data', register)) ?? unknownSourceOf(citations, register)
}

/** The first citation from a source that the register does not define; null where all are defined. */
export function unknownSourceOf(cited: unknown, register: RegisterState): UnknownReference | null {
  return firstUnknown(citations, cited, '/citations', register)
}

// What a register defines: its sources and its programmes.

import { z } from 'zod'
import { answerCitation, citationAnswer, dateAnswer } from '../domain/answers.ts'
import type { FactRef } from '../domain/commitment/state.ts'
import { type Conflict, conflictAnswer, undefinedReference } from '../domain/conflict.ts'
import { type ConflictsOf, conflictsOfDefinition, conflictsOfProgramme } from '../domain/register/conflicts.ts'
import type { RegisterPart } from '../domain/register/events.ts'
import {
  type Definition,
  definedAt,
  namedAt,
  type ProgrammeData,
  redactedInRegister,
  type SourceData,
} from '../domain/register/state.ts'
import { isRepair } from '../domain/repairs.ts'
import { answerDate } from '../kernel/plain-date.ts'
import { readCommitments, readStates } from '../projections/commitments/read.ts'
import type { Clocks } from './clocks.ts'
import { frameOf, listAnswer } from './frame.ts'
import type { Question } from './question.ts'
import { answerRedacted, redactedAnswer, redactedOfCommitments } from './redacted.ts'
import type { QuestionContext } from './register.ts'

const nullableText = z.string().nullable()
const defined = {
  title: nullableText.meta({ description: 'Its title; null: an event refers to it, but it is no longer defined' }),
  event: z
    .int()
    .nullable()
    .meta({ description: 'Position of the event that defines it; null: it is no longer defined' }),
  citations: z.array(citationAnswer).meta({ description: 'The citations of all its definitions in force' }),
  conflicts: z.array(conflictAnswer).meta({ description: 'The conflicts that it is part of' }),
}

const sourceAnswer = z
  .strictObject({
    id: z.string().meta({ description: 'The id by which citations name the source' }),
    publisher: nullableText.meta({ description: 'Who published it; null: not recorded' }),
    author: nullableText.meta({ description: 'Who wrote it; null: not recorded' }),
    url: nullableText.meta({ description: 'Its web address; null: not recorded' }),
    publishedOn: dateAnswer.nullable().meta({ description: 'When it was published; null: not recorded' }),
    retrievedAt: nullableText.meta({
      description: 'When it was retrieved: an instant with its offset from UTC; null: not recorded',
    }),
    contentHash: nullableText.meta({ description: 'A hash of the document as retrieved; null: not recorded' }),
    archivedUrl: nullableText.meta({ description: 'The web address of an archived copy; null: not recorded' }),
    ...defined,
  })
  .meta({ id: 'Source', description: 'A document that facts are cited from' })

const scopeAnswer = z.strictObject({
  value: z.number().meta({ description: 'The reported number, in `unit`' }),
  unit: z.string().meta({ description: 'The things that `value` counts, such as `measures`' }),
})

const programmeAnswer = z
  .strictObject({
    id: z.string().meta({ description: 'The id by which commitments name the programme' }),
    parent: nullableText.meta({ description: 'The id of the programme that it belongs to; null: none' }),
    period: dateAnswer.nullable().meta({ description: 'The period that the programme is for; null: not recorded' }),
    scope: scopeAnswer.nullable().meta({ description: 'The scope as reported, not computed; null: none is reported' }),
    ...defined,
  })
  .meta({ id: 'Programme', description: 'A named group of commitments' })

export const sourceListAnswer = listAnswer(sourceAnswer).extend(redactedAnswer)
export const programmeListAnswer = listAnswer(programmeAnswer).extend(redactedAnswer)

export type SourceAnswer = z.output<typeof sourceAnswer>
export type ProgrammeAnswer = z.output<typeof programmeAnswer>

type Reference = Pick<FactRef, 'position' | 'citations'>

/** What is defined, or only referred to, with its conflicts; without a definition where the register has none. */
type Shown<T> = { id: string; definition: Definition<T> | null; conflicts: Conflict[] }

function answerDefined({ definition, conflicts }: Shown<{ title: string }>) {
  if (!definition) return { title: null, event: null, citations: [], conflicts }
  const { position, citations, data } = definition
  return {
    title: data.title,
    event: position,
    citations: citations.map(({ event, ...citation }) => answerCitation(citation, event)),
    conflicts,
  }
}

function answerSource(shown: Shown<SourceData>) {
  const data = shown.definition?.data
  return {
    id: shown.id,
    publisher: data?.publisher ?? null,
    author: data?.author ?? null,
    url: data?.url ?? null,
    publishedOn: data?.publishedOn === undefined ? null : answerDate(data.publishedOn),
    retrievedAt: data?.retrievedAt ?? null,
    contentHash: data?.contentHash ?? null,
    archivedUrl: data?.archivedUrl ?? null,
    ...answerDefined(shown),
  }
}

function answerProgramme(shown: Shown<ProgrammeData>) {
  const data = shown.definition?.data
  return {
    id: shown.id,
    parent: data?.parent ?? null,
    period: data?.period === undefined ? null : answerDate(data.period),
    scope: data?.scope ?? null,
    ...answerDefined(shown),
  }
}

type Kind = 'sources' | 'programmes'

/** The facts by which the commitments of the day refer to programmes or sources, by the id that they name. */
async function referencesOf(context: QuestionContext, clocks: Clocks, kind: Kind): Promise<Map<string, Reference[]>> {
  const references = new Map<string, Reference[]>()
  const refer = (id: string, reference: Reference) => references.set(id, [...(references.get(id) ?? []), reference])
  const records = await readCommitments(context.db, clocks)
  for (const { states } of await readStates(context.db, clocks, records)) {
    const { programme, programmeBy, citations } = states.latest
    if (kind === 'programmes' && programme !== null) refer(programme, programmeBy)
    if (kind === 'sources') {
      for (const { event, ...citation } of citations) refer(citation.source, { position: event, citations: [citation] })
    }
  }
  return references
}

/** A list of what is defined, with the redacted events that it may lack. */
type DefinitionList<A> = Omit<z.output<typeof sourceListAnswer>, 'items'> & { items: A[] }

const WORDS = { sources: 'source', programmes: 'programme' }

type Listing<T, A> = {
  kind: Kind
  pick: (clocks: Clocks) => Map<string, Definition<T>[]>
  conflictsIn: ConflictsOf<T>
  answer: (shown: Shown<T>) => A
  /** The facts that its items are made of. */
  madeOf: readonly RegisterPart[]
}

/** What is in force on the day, and what commitments refer to that is defined only later, or no longer. */
async function shownAt<T>(
  context: QuestionContext,
  clocks: Clocks,
  { kind, pick, conflictsIn, madeOf }: Listing<T, unknown>,
): Promise<{ shown: Shown<T>[]; redacted: number[] }> {
  const known = pick(clocks)
  const show = (id: string, definition: Definition<T>): Shown<T> => {
    return { id, definition, conflicts: conflictsIn(known.get(id) ?? [], definition, clocks.state) }
  }
  const inForce = [...known].flatMap(([id, versions]) => {
    const definition = definedAt(versions, clocks.asOf)
    return definition ? [show(id, definition)] : []
  })
  // A commitment may refer to what is defined only later, or, after a repair, no longer: asked only where that can be.
  const isWhole = inForce.length === known.size && !clocks.known.events.some(({ type }) => isRepair(type))
  const references = isWhole ? new Map<string, Reference[]>() : await referencesOf(context, clocks, kind)
  for (const { id } of inForce) references.delete(id)
  // Commitments are read in no particular order.
  const inOrder = [...references].sort(([a], [b]) => (a < b ? -1 : 1))
  const referredTo = inOrder.map(([id, by]): Shown<T> => {
    const definition = namedAt(known.get(id), clocks.asOf)
    if (definition) return show(id, definition)
    return { id, definition, conflicts: [undefinedReference(`${WORDS[kind]} ${id}`, by)] }
  })
  // A redacted event may have referred to a definition that nothing refers to any longer.
  const ofCommitments = isWhole ? [] : await redactedOfCommitments(context.db, clocks, null)
  const redacted = [...redactedInRegister(clocks.state, madeOf), ...ofCommitments]
  return { shown: [...inForce, ...referredTo], redacted }
}

/** The definitions of one kind, as a question without parameters of its own. */
function listing<T, A>(listing: Listing<T, A>): Question<object, DefinitionList<A>> {
  return {
    source: 'log',
    async ask(context, clocks) {
      const { shown, redacted } = await shownAt(context, clocks, listing)
      return { items: shown.map(listing.answer), next: null, ...frameOf(clocks), ...answerRedacted(redacted) }
    },
  }
}

/** The documents that facts are cited from. */
export const sources = listing<SourceData, SourceAnswer>({
  kind: 'sources',
  pick: ({ state }) => state.sources,
  conflictsIn: conflictsOfDefinition,
  answer: answerSource,
  madeOf: ['sources'],
})

/** The programmes. */
export const programmes = listing<ProgrammeData, ProgrammeAnswer>({
  kind: 'programmes',
  pick: ({ state }) => state.programmes,
  conflictsIn: conflictsOfProgramme,
  answer: answerProgramme,
  // Its conflicts name the sources that are not defined.
  madeOf: ['programmes', 'sources'],
})

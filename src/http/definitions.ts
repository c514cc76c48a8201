// What a register defines: its sources and its programmes.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { answerCitation, citationAnswer, dateAnswer } from '../domain/answers.ts'
import { RULES } from '../domain/commitment/answer.ts'
import { conflictAnswer, conflictOf, differingDefinition } from '../domain/commitment/conflicts.ts'
import type { Mention } from '../domain/commitment/state.ts'
import { type Definition, definedAt, type ProgrammeData, type SourceData } from '../domain/register/state.ts'
import { isRepair } from '../domain/repairs.ts'
import { answerDate, formatDay } from '../kernel/plain-date.ts'
import { readCommitments, readStates } from '../projections/commitments/read.ts'
import { listAnswer } from './commitments.ts'
import { type Clocks, type Context, clockParameters, listFrame, registerOf, resolveClocks } from './context.ts'
import { isUnchanged } from './negotiate.ts'
import { problems } from './problem.ts'

const nullableText = z.string().nullable()
const defined = {
  title: nullableText.meta({ description: 'null: referred to, but no longer defined' }),
  event: z.int().nullable().meta({ description: 'Position of the event that defines it' }),
  citations: z.array(citationAnswer),
  conflicts: z.array(conflictAnswer),
}

const sourceAnswer = z
  .strictObject({
    id: z.string(),
    publisher: nullableText,
    author: nullableText,
    url: nullableText,
    publishedOn: dateAnswer.nullable(),
    retrievedAt: nullableText,
    contentHash: nullableText,
    archivedUrl: nullableText,
    ...defined,
  })
  .meta({ id: 'Source' })

const programmeAnswer = z
  .strictObject({
    id: z.string(),
    parent: nullableText,
    period: dateAnswer.nullable(),
    scope: z
      .strictObject({ value: z.number(), unit: z.string() })
      .nullable()
      .meta({ description: 'As reported, not counted' }),
    ...defined,
  })
  .meta({ id: 'Programme' })

type Reference = Pick<Mention, 'position' | 'citations'>

function frameOf(id: string, definition: Definition<{ title: string }> | null, references: readonly Reference[]) {
  if (!definition) {
    const conflict = conflictOf('undefined-reference', `${id} is not defined`, references)
    return { title: null, event: null, citations: [], conflicts: [conflict] }
  }
  const { position, citations, data } = definition
  return {
    title: data.title,
    event: position,
    citations: citations.map((citation) => answerCitation(citation, position)),
    conflicts: differingDefinition(definition),
  }
}

function answerSource(id: string, definition: Definition<SourceData> | null, references: readonly Reference[]) {
  const data = definition?.data
  return {
    id,
    publisher: data?.publisher ?? null,
    author: data?.author ?? null,
    url: data?.url ?? null,
    publishedOn: data?.publishedOn === undefined ? null : answerDate(data.publishedOn),
    retrievedAt: data?.retrievedAt ?? null,
    contentHash: data?.contentHash ?? null,
    archivedUrl: data?.archivedUrl ?? null,
    ...frameOf(id, definition, references),
  }
}

function answerProgramme(id: string, definition: Definition<ProgrammeData> | null, references: readonly Reference[]) {
  const data = definition?.data
  return {
    id,
    parent: data?.parent ?? null,
    period: data?.period === undefined ? null : answerDate(data.period),
    scope: data?.scope ?? null,
    ...frameOf(id, definition, references),
  }
}

type Kind = 'sources' | 'programmes'

/** What commitments refer to that the register, as known then, does not define. Only sought where a definition was taken back. */
async function undefinedOnes(
  context: Context,
  clocks: Clocks,
  kind: Kind,
  repairs: boolean,
): Promise<Map<string, Reference[]>> {
  const references = new Map<string, Reference[]>()
  if (!repairs) return references
  const refer = (id: string, reference: Reference) => {
    if (!clocks.state[kind].has(id)) references.set(id, [...(references.get(id) ?? []), reference])
  }
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

async function definitions<T extends { title: string }, A>(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: Kind,
  pick: (clocks: Clocks) => Map<string, Definition<T>[]>,
  answer: (id: string, definition: Definition<T> | null, references: readonly Reference[]) => A,
) {
  const known = await registerOf(context, request)
  const clocks = await resolveClocks(context, request, known, 'log')
  if (isUnchanged(request, reply, { size: clocks.size, asOf: formatDay(clocks.asOf) })) return reply.send()
  const wasRepaired = known.events.some(({ type, position }) => isRepair(type) && position < clocks.size)
  const gone = await undefinedOnes(context, clocks, kind, wasRepaired)
  const inForce = [...pick(clocks)].flatMap(([id, versions]) => {
    const definition = definedAt(versions, clocks.asOf)
    return definition ? [answer(id, definition, [])] : []
  })
  const items = [...inForce, ...[...gone].map(([id, references]) => answer(id, null, references))]
  return { items, next: null, ...listFrame(clocks), rules: RULES }
}

export function definitionRoutes(app: FastifyInstance, context: Context): void {
  const querystring = z.strictObject(clockParameters)
  app.get(
    '/v1/registers/:register/sources',
    {
      schema: {
        summary: 'List the documents that facts are cited from',
        tags: ['definitions'],
        querystring,
        response: { 200: listAnswer(sourceAnswer), ...problems },
      },
    },
    (request, reply) => definitions(context, request, reply, 'sources', ({ state }) => state.sources, answerSource),
  )
  app.get(
    '/v1/registers/:register/programmes',
    {
      schema: {
        summary: 'List the programmes',
        tags: ['definitions'],
        querystring,
        response: { 200: listAnswer(programmeAnswer), ...problems },
      },
    },
    (request, reply) =>
      definitions(context, request, reply, 'programmes', ({ state }) => state.programmes, answerProgramme),
  )
}

// What a register defines: its sources and its programmes.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { answerCitation, citationAnswer, dateAnswer } from '../domain/answers.ts'
import { RULES } from '../domain/commitment/answer.ts'
import { conflictAnswer, conflictOf, differingDefinition } from '../domain/commitment/conflicts.ts'
import type { Mention } from '../domain/commitment/state.ts'
import { type Definition, definedAt, namedAt, type ProgrammeData, type SourceData } from '../domain/register/state.ts'
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
    citations: citations.map(({ event, ...citation }) => answerCitation(citation, event)),
    conflicts: differingDefinition(citations),
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

/** The facts by which the commitments of the day refer to programmes or sources, by the id that they name. */
async function referencesOf(context: Context, clocks: Clocks, kind: Kind): Promise<Map<string, Reference[]>> {
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

async function definitions<T extends { title: string }, A>(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  kind: Kind,
  pick: (clocks: Clocks) => Map<string, Definition<T>[]>,
  answer: (id: string, definition: Definition<T> | null, references: readonly Reference[]) => A,
) {
  const register = await registerOf(context, request)
  const clocks = await resolveClocks(context, request, register, 'log')
  if (isUnchanged(request, reply, { size: clocks.size, asOf: formatDay(clocks.asOf) })) return reply.send()
  const known = pick(clocks)
  const inForce = [...known].flatMap(([id, versions]) => {
    const definition = definedAt(versions, clocks.asOf)
    return definition ? [{ id, definition }] : []
  })
  // A commitment may refer to what is defined only later, or, after a repair, no longer: asked only where that can be.
  const isWhole = inForce.length === known.size && !register.events.some(({ type }) => isRepair(type))
  const references = isWhole ? new Map<string, Reference[]>() : await referencesOf(context, clocks, kind)
  for (const { id } of inForce) references.delete(id)
  const items = [
    ...inForce.map(({ id, definition }) => answer(id, definition, [])),
    ...[...references].map(([id, by]) => answer(id, namedAt(known.get(id), clocks.asOf), by)),
  ]
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

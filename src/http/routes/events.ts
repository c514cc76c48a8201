// Events: recording one, an array or an import; reading a single one.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { RefusalWord } from '../../domain/admission/admit.ts'
import { type PostedEvent, parsePosted, postedEvent } from '../../domain/admission/posted-event.ts'
import { answerEvent, eventAnswer } from '../../domain/event-answer.ts'
import { isSlug } from '../../domain/fields.ts'
import { readEvent } from '../../eventlog/events.ts'
import { instantText } from '../../kernel/instant.ts'
import { problemTitle } from '../../kernel/problem-words.ts'
import type { EventOutcome } from '../../recording/admission.ts'
import { importLines, NoRegisterError } from '../../recording/import.ts'
import { checkMay, recordedBy } from '../server/access.ts'
import { JSON_TYPE, NDJSON_TYPE, parseJson } from '../server/body.ts'
import { type Context, pathPart, registerOf } from '../server/context.ts'
import { idempotencyHeaders, recordGroup } from '../server/idempotency.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { parsePosition } from '../server/parameters.ts'
import { invalidBody, Problem, validator } from '../server/problem.ts'
import type { App } from '../server/typed.ts'
import { noteText } from './checkpoints.ts'
import { preferHeader, proofAnswer, type SealedProofs, whenSealed } from './proofs.ts'

const MAX_ARRAY = 1_000

/** The problem of an event that was not recorded; pointers are given where the caller's body has them. */
export function withRefusal(outcome: EventOutcome | undefined, at: (pointer: string) => string): Problem {
  switch (outcome?.kind) {
    case 'refused': {
      const errors = outcome.issues.map(({ pointer, detail }) => ({ pointer: at(pointer), detail }))
      return new Problem(outcome.word, { detail: errors[0]?.detail ?? problemTitle(outcome.word), errors })
    }
    case 'revisionConflict': {
      const { expected, actual } = outcome
      const detail = `expected revision ${expected}, the stream is at ${actual}`
      return new Problem('revision-conflict', {
        detail,
        expected,
        actual,
        errors: [{ pointer: at('/expectedRevision'), detail }],
      })
    }
    default:
      return new Problem('internal')
  }
}

function parseEvents(body: unknown): { events: PostedEvent[]; at: (index: number) => string } {
  const isArray = Array.isArray(body)
  const bodies: unknown[] = isArray ? body : [body]
  const at = (index: number) => (isArray ? `/${index}` : '')
  if (bodies.length === 0 || bodies.length > MAX_ARRAY) {
    throw invalidBody([{ pointer: '', detail: `expected 1 to ${MAX_ARRAY} events` }])
  }
  const parsed = bodies.map((one, index) => parsePosted(one, at(index)))
  const errors = parsed.flatMap((one) => (one.ok ? [] : one.issues))
  if (errors.length > 0) throw invalidBody(errors)
  return { events: parsed.flatMap((one) => (one.ok ? [one.value] : [])), at }
}

const sizeAnswer = z.int().meta({ description: 'How many events the register now holds' })

const recordedEvent = z.strictObject({
  position: z.int().meta({ description: 'Its place in the log, from 0' }),
  id: z.string().meta({ description: 'Its id, a UUID; made by the service where the caller gave none' }),
  revision: z.int().meta({ description: 'Its place in its stream, from 1' }),
  recordedAt: z.string().meta({ description: 'When the service recorded it, in UTC' }),
  recorded: z.boolean().meta({ description: 'False if the log already held it' }),
})

export const recordedAnswer = z
  .strictObject({
    size: sizeAnswer,
    events: z.array(recordedEvent).meta({ description: 'What became of each event, in the order of the request' }),
    proofs: z.array(proofAnswer).optional().meta({
      description: 'With `Prefer: wait=sealed`: the proof of each event, if a checkpoint covered all within 5 seconds',
    }),
  })
  .meta({ id: 'Recorded', description: 'What became of the events of a request' })

const recordHeaders = idempotencyHeaders.extend(preferHeader.shape)

const recordBody = z.union([postedEvent, z.array(postedEvent).min(1).max(MAX_ARRAY)])

const refusalAnswer = z.strictObject({
  line: z.int().meta({ description: 'The number of the line, from 1' }),
  id: z.string().nullable().meta({ description: 'The id that the line gives; null: it gives none' }),
  type: z.string().meta({ description: 'The type of the problem: /problems/{word}' }),
  pointer: z.string().meta({ description: 'A JSON pointer to the wrong member; empty: the line as a whole' }),
  detail: z.string().meta({ description: 'What is wrong there' }),
})

const importAnswer = z
  .strictObject({
    size: sizeAnswer,
    recorded: z.int().meta({ description: 'How many lines were recorded' }),
    alreadyRecorded: z.int().meta({ description: 'How many lines the log held already' }),
    refused: z.int().meta({ description: 'How many lines were refused' }),
    refusals: z.array(refusalAnswer).meta({ description: 'The first 1,000 refused lines' }),
    checkpoint: noteText.optional().meta({
      description:
        'With `Prefer: wait=sealed`: a checkpoint that covers the whole import, if it was signed within 5 seconds',
    }),
  })
  .meta({ id: 'Imported', description: 'The result of an import; refusals lists the first 1,000' })

/** The register to record in. That it exists is for the recorder to find, except where an event would open it. */
async function targetRegister(
  context: Context,
  request: FastifyRequest,
  events: readonly PostedEvent[],
): Promise<string> {
  const register = pathPart(request, 'register')
  if (isSlug(register) && !events.some(({ type }) => type === 'RegisterOpened')) return register
  return (await registerOf(context, request)).register
}

type Recorded = z.output<typeof recordedAnswer>

async function recordEvents(context: Context, request: FastifyRequest, reply: FastifyReply): Promise<Recorded> {
  const { events, at } = parseEvents(request.body)
  const register = await targetRegister(context, request, events)
  const outcomes = await recordGroup(context, request, reply, register, events)
  // The others of the array are skipped: nothing is wrong with them.
  const failed = outcomes.findIndex(({ kind }) => kind === 'refused' || kind === 'revisionConflict')
  if (failed >= 0) throw withRefusal(outcomes[failed], (pointer) => at(failed) + pointer)
  return answerRecorded(context, reply, register, outcomes)
}

/** The answer about events that are in the log. */
export async function answerRecorded(
  context: Context,
  reply: FastifyReply,
  register: string,
  outcomes: readonly EventOutcome[],
): Promise<z.output<typeof recordedAnswer>> {
  const answers = outcomes.flatMap((outcome) => {
    if (outcome.kind !== 'recorded' && outcome.kind !== 'alreadyRecorded') return []
    const { position, id, revision, recordedAt, kind } = outcome
    return [{ position, id, revision, recordedAt: instantText(recordedAt), recorded: kind === 'recorded' }]
  })
  const isNew = answers.some(({ recorded }) => recorded)
  const size = isNew ? 1 + Math.max(...answers.map(({ position }) => position)) : await sizeOf(context, register)
  reply.code(isNew ? 201 : 200).header('pledger-size', String(size))
  if (isNew && answers.length === 1)
    reply.header('location', `/v1/registers/${register}/events/${answers[0]?.position}`)
  return { size, events: answers }
}

/** An answer about recorded events, with their proofs where the caller prefers to wait until they are sealed. */
export function withProofs(
  sealedProofs: SealedProofs,
  request: FastifyRequest,
  reply: FastifyReply,
  recorded: Recorded,
): Promise<Recorded> {
  const register = pathPart(request, 'register')
  const positions = recorded.events.map(({ position }) => position)
  return whenSealed(request, reply, recorded, async () => {
    const proofs = await sealedProofs.proofs(register, positions, reply)
    return proofs && { proofs }
  })
}

async function sizeOf({ db, registers }: Context, register: string): Promise<number> {
  return (await registers.read(db, register))?.head.size ?? 0
}

async function importEvents(
  context: Context,
  sealedProofs: SealedProofs,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  const register = pathPart(request, 'register')
  if (!isSlug(register)) throw new Problem('unknown-register', { detail: `${register} cannot be the id of a register` })
  if (request.headers['idempotency-key'] !== undefined) {
    const detail =
      'an import takes no Idempotency-Key: every line has its id, and what is sent again is not written again'
    throw new Problem('not-available', { detail })
  }
  // The first line may open the register.
  if ((await sizeOf(context, register)) === 0) checkMay(request, 'administer', register)
  try {
    // Safe: the parser of this media type hands over the stream itself.
    const lines = request.body as AsyncIterable<Uint8Array>
    const report = await importLines(lines, {
      recorder: context.recorder,
      register,
      recordedBy: recordedBy(request),
      parseJson,
    })
    const size = await sizeOf(context, register)
    if (size === 0) throw new NoRegisterError(register, report.refusals[0] ?? null)
    reply.header('pledger-size', String(size))
    return await whenSealed(request, reply, { size, ...report }, async () => {
      const checkpoint = await sealedProofs.checkpoint(register, size, reply)
      return checkpoint && { checkpoint: checkpoint.note }
    })
  } catch (error) {
    if (error instanceof NoRegisterError) throw new Problem('unknown-register', { detail: error.message })
    throw error
  }
}

async function answerOneEvent(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const { register } = await registerOf(context, request)
  const position = pathPart(request, 'position')
  const number = parsePosition(position)
  const event = number === null ? null : await readEvent(context.db, register, number)
  if (!event) throw new Problem('not-known', { detail: `there is no event at position ${position}` })
  if (isUnchanged(request, reply, { size: event.position, projection: event.salt === null ? 'redacted' : '' }))
    return reply.send()
  return answerEvent(event)
}

/** Why an event can be refused; a word that admission gains is missing here for the compiler. */
const REFUSALS: Record<RefusalWord, true> = {
  'not-made': true,
  'already-made': true,
  'unknown-party': true,
  'unknown-programme': true,
  'unknown-source': true,
  'unknown-event': true,
  'wrong-stream': true,
  'not-a-fact': true,
  'after-withdrawal': true,
  'in-future': true,
  'not-retractable': true,
  redacted: true,
  'not-available': true,
  'invalid-body': true,
}

export function eventRoutes(app: App, context: Context, sealedProofs: SealedProofs): void {
  app.post(
    '/v1/registers/:register/events',
    {
      config: {
        permission: 'record',
        problems: [
          // Safe: its keys are refusals alone.
          ...(Object.keys(REFUSALS) as RefusalWord[]),
          'revision-conflict',
          'id-reused',
          'in-flight',
          'key-reused',
          'queue-full',
        ],
        consumes: [JSON_TYPE, NDJSON_TYPE],
      },
      // The route parses the body itself: it must say which of 1,000 events is wrong, and an import is a stream.
      validatorCompiler: (route) =>
        // Safe: the schema of that part, where fastify's type says that of the whole route.
        route.httpPart === 'querystring'
          ? validator(route.schema as unknown as z.ZodType)
          : (value: unknown) => ({ value }),
      schema: {
        operationId: 'recordEvents',
        summary: 'Record events',
        description:
          'One event, or an array that is recorded as a whole or refused as a whole, or an import as NDJSON. If a JSON ' +
          'member is repeated, the last one counts. Events with an id that the log already holds are not written again.',
        tags: ['events'],
        consumes: [JSON_TYPE, NDJSON_TYPE],
        querystring: z.strictObject({}),
        headers: recordHeaders,
        body: recordBody,
        response: {
          200: z.union([recordedAnswer, importAnswer]),
          201: recordedAnswer,
        },
      },
    },
    async (request, reply) => {
      const isImport = request.headers['content-type']?.toLowerCase().startsWith(NDJSON_TYPE)
      if (isImport) return importEvents(context, sealedProofs, request, reply)
      return withProofs(sealedProofs, request, reply, await recordEvents(context, request, reply))
    },
  )

  app.get(
    '/v1/registers/:register/events/:position',
    {
      config: { permission: 'read', problems: ['not-known'] },
      schema: {
        operationId: 'readEvent',
        summary: 'Read one event',
        description: 'The event as it is stored. The content of a redacted event is null.',
        tags: ['events'],
        querystring: z.strictObject({}),
        response: { 200: eventAnswer },
      },
    },
    (request, reply) => answerOneEvent(context, request, reply),
  )
}

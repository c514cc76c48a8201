// Redaction: an operator has the content of an event erased.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { isSlug, text } from '../../domain/fields.ts'
import { redactFromRows } from '../../projections/redact.ts'
import { giveUpInterrupted } from '../../projections/replay/end.ts'
import { holdOffReplays } from '../../projections/replay/operation.ts'
import { type FoldedRows, redact } from '../../recording/redact.ts'
import { recordedBy } from '../server/access.ts'
import { JSON_TYPE } from '../server/body.ts'
import { type Context, pathPart } from '../server/context.ts'
import { idempotencyHeaders, recordOnce } from '../server/idempotency.ts'
import { parsePosition } from '../server/parameters.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'
import { answerRecorded, recordedAnswer, withProofs } from './events.ts'
import { preferHeader, type SealedProofs } from './proofs.ts'

const reason = text()
  .refine((value) => value.trim() !== '', { error: 'expected a reason, not only white space' })
  .meta({ description: 'The reason. It is recorded, and everyone who may read the register can read it' })

const redactBody = z
  .strictObject({ reason })
  .meta({ id: 'Redaction', description: 'Why the content of an event is erased' })

const ROWS: FoldedRows = { giveUpInterrupted, holdOffReplays, redactRows: redactFromRows }

async function redactEvent(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { reason }: z.output<typeof redactBody>,
) {
  const [register, named] = [pathPart(request, 'register'), pathPart(request, 'position')]
  if (!isSlug(register)) throw new Problem('unknown-register', { detail: `there is no register ${register}` })
  const position = parsePosition(named)
  if (position === null) throw new Problem('not-known', { detail: `there is no event at position ${named}` })
  const by = recordedBy(request)
  const outcomes = await recordOnce(context, request, reply, register, async (key) => {
    const now = context.now()
    const outcome = await redact(context.db, ROWS, {
      register,
      position,
      reason,
      recordedBy: by,
      now,
      key,
    })
    if (outcome.kind === 'refused') throw new Problem(outcome.word, { detail: outcome.detail })
    context.heads.grew(register, outcome.position + 1)
    context.wake()
    return [outcome]
  })
  return answerRecorded(context, reply, register, outcomes)
}

export function redactionRoutes(app: App, context: Context, sealedProofs: SealedProofs): void {
  app.post(
    '/v1/registers/:register/events/:position/redact',
    {
      config: {
        permission: 'redact',
        problems: [
          'not-known',
          'redacted',
          'not-available',
          'not-retractable',
          'id-reused',
          'in-flight',
          'key-reused',
          'queue-full',
          'not-a-fact',
        ],
        consumes: [JSON_TYPE],
      },
      schema: {
        operationId: 'redactEvent',
        summary: 'Redact an event',
        description:
          'For operators. Erases occurredOn, data, citations and salt of the event and of its corrections, at every size. ' +
          'An EventRedacted in its stream records that. Place, hash and proofs stay. Nobody can undo a redaction.',
        tags: ['events'],
        querystring: z.strictObject({}),
        headers: idempotencyHeaders.extend(preferHeader.shape),
        body: redactBody,
        response: { 201: recordedAnswer },
      },
    },
    async (request, reply) =>
      withProofs(sealedProofs, request, reply, await redactEvent(context, request, reply, request.body)),
  )
}

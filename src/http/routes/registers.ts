// Registers: opening, listing, reading.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { RULES } from '../../domain/commitment/answer.ts'
import { slug } from '../../domain/fields.ts'
import { registerOpened } from '../../domain/register/events.ts'
import { listHeads } from '../../eventlog/heads.ts'
import { dayInZone, formatDay } from '../../kernel/plain-date.ts'
import type { RegisterHead } from '../../projections/core/register-head.ts'
import type { Basis } from '../../questions/basis.ts'
import { clocklessFrameAnswer, lastPage } from '../../questions/frame.ts'
import { answerRegister, readRegisters, registerAnswer } from '../../questions/registers.ts'
import { stateKnownAt } from '../../registers/registers.ts'
import { checkMay, visibleOnes } from '../server/access.ts'
import { JSON_TYPE } from '../server/body.ts'
import { type Context, registerOf } from '../server/context.ts'
import { idempotencyHeaders, recordGroup } from '../server/idempotency.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'
import { withRefusal } from './events.ts'
import { preferHeader, proofAnswer, type SealedProofs, whenSealed } from './proofs.ts'

const openedAnswer = registerAnswer
  .extend({
    proofs: z.array(proofAnswer).optional().meta({
      description:
        'With `Prefer: wait=sealed`: the proof of its first event, if a checkpoint covered it within 5 seconds',
    }),
  })
  .meta({ id: 'OpenedRegister', description: 'A register as it was opened' })

const newRegister = registerOpened
  .extend({ id: slug.meta({ description: 'The id of the new register, as in its addresses' }) })
  .meta({ id: 'NewRegister', description: 'A register to open' })

const registerList = z.strictObject({
  items: z.array(registerAnswer).meta({ description: 'The registers that the caller may see, in order of id' }),
  next: lastPage,
  ...clocklessFrameAnswer,
})

async function openRegister(
  context: Context,
  sealedProofs: SealedProofs,
  request: FastifyRequest,
  reply: FastifyReply,
  { id, ...data }: z.output<typeof newRegister>,
) {
  checkMay(request, 'administer', id)
  const occurredOn = formatDay(dayInZone(context.now(), data.timeZone))
  const event = {
    stream: '$register',
    type: 'RegisterOpened' as const,
    typeVersion: 1,
    occurredOn,
    data,
    citations: [],
  }
  const [outcome] = await recordGroup(context, request, reply, id, [event])
  if (outcome?.kind !== 'recorded') throw withRefusal(outcome, (pointer) => pointer.replace('/data', ''))
  const known = await context.registers.read(context.db, id)
  if (!known) throw new Problem('internal')
  reply.code(201).header('location', `/v1/registers/${id}`).header('pledger-size', '1')
  // The register as it was opened, without later events: the same answer to a caller who asks again with the same key.
  const head = { ...known.head, size: 1, recordedAt: outcome.recordedAt }
  const answer = answerRegister({ ...known, head, state: stateKnownAt(known, 1) })
  return whenSealed(request, reply, answer, async () => {
    const proofs = await sealedProofs.proofs(id, [0], reply)
    return proofs && { proofs }
  })
}

/** What is read off the head alone. */
function headBasis(head: RegisterHead): Basis {
  return { head, source: 'log', size: 'head', dayIn: null }
}

async function listRegisters(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const heads = await visibleOnes(context.access, request, await listHeads(context.db))
  const size = heads.reduce((sum, head) => sum + head.size, 0)
  const redactions = heads.reduce((sum, head) => sum + head.redactions, 0)
  if (isUnchanged(request, reply, { size, projection: `${heads.map(({ register }) => register)}.${redactions}` }))
    return reply.send()
  const items = await readRegisters(
    context,
    heads.map(({ register }) => register),
  )
  return { items, next: null, asOf: null, knownAt: null, rules: RULES }
}

async function readRegister(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  if (isUnchanged(request, reply, { size: known.head.size, basis: headBasis(known.head) })) return reply.send()
  return answerRegister(known)
}

export function registerRoutes(app: App, context: Context, sealedProofs: SealedProofs): void {
  app.post(
    '/v1/registers',
    {
      config: {
        permission: 'administer',
        problems: ['already-made', 'id-reused', 'in-flight', 'key-reused', 'queue-full'],
        consumes: [JSON_TYPE],
      },
      schema: {
        operationId: 'openRegister',
        summary: 'Open a register',
        description:
          'Records `RegisterOpened` as the first event of a new register. The caller may administer registers.',
        tags: ['registers'],
        querystring: z.strictObject({}),
        headers: idempotencyHeaders.extend(preferHeader.shape),
        body: newRegister,
        response: { 201: openedAnswer },
      },
    },
    (request, reply) => openRegister(context, sealedProofs, request, reply, request.body),
  )

  app.get(
    '/v1/registers',
    {
      config: { permission: 'visible' },
      schema: {
        operationId: 'listRegisters',
        summary: 'List the registers',
        description: 'The registers that the caller may read, each with the size of its log.',
        tags: ['registers'],
        querystring: z.strictObject({}),
        response: {
          200: registerList,
        },
      },
    },
    (request, reply) => listRegisters(context, request, reply),
  )

  app.get(
    '/v1/registers/:register',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'readRegister',
        summary: 'Read a register',
        description: 'Its title, parties, time zone and size.',
        tags: ['registers'],
        querystring: z.strictObject({}),
        response: { 200: registerAnswer },
      },
    },
    (request, reply) => readRegister(context, request, reply),
  )
}

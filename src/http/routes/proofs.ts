// Inclusion proofs: of one event on request, and of new events for a caller who waits until they are sealed.

import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type Inclusion, provedInclusions, tlogProof } from '../../integrity/sealing/proofs.ts'
import {
  checkpointsAt,
  newestCheckpoint,
  type PublishedCheckpoint,
  publishedBeside,
} from '../../integrity/sealing/stored.ts'
import type { AskedRegister } from '../../questions/register.ts'
import { JSON_TYPE } from '../server/body.ts'
import { type Context, pathPart, registerOf } from '../server/context.ts'
import { answerType, isUnchanged } from '../server/negotiate.ts'
import { parsePosition, wholeNumber } from '../server/parameters.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'
import { base64, newestOf, noteText } from './checkpoints.ts'

const TLOG_PROOF_TYPE = 'text/x.tlog-proof'

export const proofAnswer = z
  .strictObject({
    leafIndex: z.int().meta({ description: 'The position of the event' }),
    treeSize: z.int().meta({ description: 'How many events the checkpoint covers' }),
    leafHash: base64.meta({ description: 'The hash of its leaf, in base64' }),
    auditPath: z
      .array(base64)
      .meta({ description: 'The hashes of the inclusion proof, as in RFC 9162, section 2.1.3' }),
    checkpoint: noteText,
  })
  .meta({ id: 'Proof', description: 'A proof that an event is in the log, with the checkpoint that it leads to' })

export type ProofAnswer = z.output<typeof proofAnswer>

function answerProof({ position, size, leafHash, proof, note }: Inclusion): z.output<typeof proofAnswer> {
  return {
    leafIndex: position,
    treeSize: size,
    leafHash: leafHash.toString('base64'),
    auditPath: proof.map((hash) => hash.toString('base64')),
    checkpoint: note,
  }
}

const proofParameters = z.strictObject({
  size: wholeNumber('expected a size, from 1 on', 1)
    .optional()
    .meta({ description: 'The size of the checkpoint that the proof leads to; the newest by default' }),
})

/** The position that a request names; throws Problem `not-known` where the register has no event there. */
async function positionOf({ heads }: Context, request: FastifyRequest, known: AskedRegister): Promise<number> {
  const position = pathPart(request, 'position')
  const number = parsePosition(position) ?? Number.NaN
  if (number < known.head.size) return number
  // Another process may have recorded it since.
  const newest = await heads.read(known.register)
  if (newest && number < newest.size) return number
  throw new Problem('not-known', { detail: `there is no event at position ${position}` })
}

/** The checkpoint of a size; throws Problem `not-sealed` with the ones beside it where there is none. */
async function checkpointOf({ db }: Context, register: string, size: number): Promise<PublishedCheckpoint> {
  const [found] = await checkpointsAt(db, register, [size])
  if (found) return found
  const { below, above } = await publishedBeside(db, register, size)
  const beside = [below, above].filter((one) => one !== null)
  const known = beside.length === 0 ? 'there is none yet' : `next to it are ${beside.join(' and ')}`
  throw new Problem('not-sealed', { detail: `no checkpoint is of size ${size}; ${known}`, sizes: beside })
}

async function proof(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { size }: z.output<typeof proofParameters>,
) {
  const known = await registerOf(context, request)
  const { register } = known
  const position = await positionOf(context, request, known)
  const checkpoint = await (size === undefined ? newestOf(context, register) : checkpointOf(context, register, size))
  if (position >= checkpoint.size) {
    const detail = `the checkpoint of size ${checkpoint.size} does not cover position ${position}`
    throw new Problem('not-sealed', { detail, sizes: [checkpoint.size] })
  }
  if (isUnchanged(request, reply, { size: checkpoint.size, projection: checkpoint.note })) return reply.send()
  // Safe: one proof for the one position.
  const [inclusion] = (await provedInclusions(context.db, register, [position], checkpoint)) as [Inclusion]
  if (answerType(request) === JSON_TYPE) return answerProof(inclusion)
  return reply.header('content-type', `${TLOG_PROOF_TYPE}; charset=utf-8`).send(tlogProof(inclusion))
}

export function proofRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/events/:position/proof',
    {
      config: { permission: 'read', problems: ['not-known', 'not-sealed'], produces: [JSON_TYPE, TLOG_PROOF_TYPE] },
      schema: {
        operationId: 'readProof',
        summary: 'Prove that an event is in the log',
        description:
          'The inclusion proof of its leaf in the tree of a checkpoint, as JSON or as C2SP tlog-proof. 409 not-sealed while no checkpoint covers the event, or if no checkpoint has that size.',
        tags: ['integrity'],
        querystring: proofParameters,
        response: {
          200: {
            description: 'The proof, with its checkpoint',
            content: { [JSON_TYPE]: { schema: proofAnswer }, [TLOG_PROOF_TYPE]: { schema: z.string() } },
          },
        },
      },
    },
    (request, reply) => proof(context, request, reply, request.query),
  )
}

const WAIT_MS = 5_000
const LOOK_MS = 25

/** Whether a request wants to be answered when what it records is sealed (RFC 7240: `Prefer: wait=sealed`). */
function prefersSealed(request: FastifyRequest): boolean {
  const preferences = [request.headers.prefer ?? []].flat().join(',')
  return preferences.split(',').some((one) => /^\s*wait\s*=\s*(?:sealed|"sealed")\s*(?:;|$)/i.test(one))
}

/** Header of what records, where it can wait to be sealed. */
export const preferHeader = z.strictObject({
  prefer: z.string().optional().meta({
    description:
      'wait=sealed: waits up to 5 seconds until a checkpoint covers the recording. The answer then has the proofs and the header Preference-Applied',
  }),
})

type Proofs = z.output<typeof proofAnswer>[]

/** Waits for checkpoints; each gives null where there was none in time, or nobody waits any more. */
export type SealedProofs = {
  /** The proofs of what was recorded at these positions. */
  proofs: (register: string, positions: readonly number[], reply: FastifyReply) => Promise<Proofs | null>
  /** The first checkpoint that covers so many events. */
  checkpoint: (register: string, size: number, reply: FastifyReply) => Promise<PublishedCheckpoint | null>
}

/** Creates the waiting for checkpoints; `seal` asks the sealer to look at a register now. */
export function createSealedProofs({ db }: Context, seal: (register: string) => void): SealedProofs {
  const looks = new Map<string, Promise<PublishedCheckpoint | null>>()
  /** The newest checkpoint in a moment: one look for everybody who waits for the register. */
  const look = (register: string) => {
    const under = looks.get(register)
    if (under) return under
    const next = sleep(LOOK_MS)
      .then(() => newestCheckpoint(db, register))
      .finally(() => looks.delete(register))
    looks.set(register, next)
    return next
  }
  const checkpoint = async (register: string, size: number, reply: FastifyReply) => {
    const until = performance.now() + WAIT_MS
    seal(register)
    // Nobody waits for the answer any more where the connection is gone.
    while (performance.now() < until && !reply.raw.destroyed) {
      const found = await look(register)
      if (found && found.size >= size) return found
    }
    return null
  }
  const proofs = async (register: string, positions: readonly number[], reply: FastifyReply) => {
    const found = await checkpoint(register, 1 + Math.max(...positions), reply)
    return found && (await provedInclusions(db, register, positions, found)).map(answerProof)
  }
  return { proofs, checkpoint }
}

/**
 * An answer about what was recorded, with what is awaited of its seal where the caller prefers that. It is recorded, whatever
 * becomes of its proofs: an error in them is logged, and the answer goes without.
 */
export async function whenSealed<A extends object, S extends object>(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: A,
  wait: () => Promise<S | null>,
): Promise<A & Partial<S>> {
  if (!prefersSealed(request)) return answer
  const sealed = await wait().catch((error: unknown) => {
    request.log.error({ err: error, register: pathPart(request, 'register') }, 'recorded, but without its proofs')
    return null
  })
  if (!sealed) return answer
  reply.header('preference-applied', 'wait=sealed')
  return { ...answer, ...sealed }
}

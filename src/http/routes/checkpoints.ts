// Checkpoints: the newest as a signed note, all of them, what leads from one size to another, and the keys that sign.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { RULES } from '../../domain/commitment/answer.ts'
import { provedConsistency } from '../../integrity/sealing/proofs.ts'
import {
  listCheckpoints,
  listKeys,
  newestCheckpoint,
  type PublishedCheckpoint,
} from '../../integrity/sealing/stored.ts'
import { instantText } from '../../kernel/instant.ts'
import { clocklessFrameAnswer, nextPage } from '../../questions/frame.ts'
import { type Context, registerOf } from '../server/context.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { pageLimit, wholeNumber } from '../server/parameters.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'

const TEXT_TYPE = 'text/plain'

export const base64 = z.string().meta({ description: 'Base64 of 32 bytes' })
export const noteText = z.string().meta({ description: 'A checkpoint as C2SP signed note' })

const checkpointItem = z
  .strictObject({
    size: z.int().meta({ description: 'How many events it covers' }),
    rootHash: base64.meta({ description: 'The root of the Merkle tree over these events, in base64' }),
    signedAt: z.string().meta({ description: 'When the service signed it, in UTC' }),
    note: noteText,
  })
  .meta({ id: 'Checkpoint', description: 'The signed head of the Merkle tree over a register’s log, at one size' })

export type CheckpointAnswer = z.output<typeof checkpointItem>

const checkpointList = z.strictObject({
  items: z.array(checkpointItem).meta({ description: 'The checkpoints of this page, the smallest first' }),
  next: nextPage,
  ...clocklessFrameAnswer,
})

const checkpointParameters = z.strictObject({
  after: wholeNumber('expected a size', 0)
    .default(0)
    .meta({ description: 'Checkpoints about more events; from the first by default' }),
  limit: pageLimit.default(100),
})

const consistencyAnswer = z
  .strictObject({
    firstSize: z.int().meta({ description: 'The smaller size, in events' }),
    secondSize: z.int().meta({ description: 'The larger size, in events' }),
    firstRoot: base64.meta({ description: 'The root of the tree over the smaller size, in base64' }),
    secondRoot: base64.meta({ description: 'The root of the tree over the larger size, in base64' }),
    proof: z.array(base64).meta({ description: 'The hashes of the consistency proof, as in RFC 9162, section 2.1.4' }),
  })
  .meta({
    id: 'Consistency',
    description: 'A proof that the log at the larger size extends the log at the smaller one',
  })

const size = wholeNumber('expected a size, from 1 on', 1)
const consistencyParameters = z.strictObject({
  first: size.meta({ description: 'A size not above the newest checkpoint; it need not have a checkpoint of its own' }),
  second: size.optional().meta({ description: 'The later size; that of the newest checkpoint by default' }),
})

const keyAnswer = z.strictObject({
  vkey: z.string().meta({ description: 'The public key as C2SP signed notes name it' }),
  fromSize: z.int().meta({
    description: 'The key signs every checkpoint from this size on; a new key is listed before the next event',
  }),
  toSize: z.int().nullable().meta({
    description: 'The last size that it signed; null while it signs. Below fromSize if it never signed',
  }),
})

const keysAnswer = z.strictObject({
  keys: z.array(keyAnswer).meta({ description: 'Every key of the register, the oldest first' }),
})

export type ConsistencyAnswer = z.output<typeof consistencyAnswer>
export type KeysAnswer = z.output<typeof keysAnswer>

/** The newest checkpoint of a register; throws Problem `not-sealed` before the first. */
export async function newestOf({ db }: Context, register: string): Promise<PublishedCheckpoint> {
  const newest = await newestCheckpoint(db, register)
  if (newest) return newest
  const detail = `${register} has no checkpoint yet; one comes within a second where the service has signing keys`
  throw new Problem('not-sealed', { detail, sealedSize: 0, headers: { 'retry-after': '1' } })
}

async function checkpoint(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const { register } = await registerOf(context, request)
  const { size, note } = await newestOf(context, register)
  if (isUnchanged(request, reply, { size, projection: note })) return reply.send()
  return reply.header('content-type', `${TEXT_TYPE}; charset=utf-8`).send(note)
}

async function checkpoints(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { after, limit }: z.output<typeof checkpointParameters>,
) {
  const { register } = await registerOf(context, request)
  // One more than asked for tells whether there is a next page.
  const found = await listCheckpoints(context.db, register, { after, limit: limit + 1 })
  const page = found.slice(0, limit)
  const last = page.at(-1)
  const next = found.length > limit && last ? String(last.size) : null
  const version = { size: last?.size ?? 0, projection: JSON.stringify([page.length, next, last?.note]) }
  if (isUnchanged(request, reply, version)) return reply.send()
  if (next !== null) {
    const parameters = new URLSearchParams({ after: next, limit: String(limit) })
    reply.header('link', `</v1/registers/${register}/checkpoints?${parameters}>; rel="next"`)
  }
  const items = page.map(({ size, root, note, signedAt }) => ({
    size,
    rootHash: root.toString('base64'),
    signedAt: instantText(signedAt),
    note,
  }))
  return { items, next, asOf: null, knownAt: null, rules: RULES }
}

async function consistency(
  context: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { first, second: asked }: z.output<typeof consistencyParameters>,
) {
  const { register } = await registerOf(context, request)
  const newest = await newestOf(context, register)
  const second = asked ?? newest.size
  const furthest = Math.max(first, second)
  if (furthest > newest.size) {
    const detail = `${register} is sealed up to size ${newest.size}, not yet to ${furthest}`
    throw new Problem('not-sealed', { detail, sealedSize: newest.size })
  }
  if (first > second) {
    const detail = `nothing leads from size ${first} to size ${second}: first is to be the smaller`
    throw new Problem('malformed', { detail, errors: [{ pointer: '/first', detail }] })
  }
  // What lies between two sealed sizes never changes, unless somebody changed the database.
  const { firstRoot, secondRoot, proof } = await provedConsistency(context.db, register, { first, second }, newest)
  const roots = { firstRoot: firstRoot.toString('base64'), secondRoot: secondRoot.toString('base64') }
  if (isUnchanged(request, reply, { size: second, projection: JSON.stringify(roots) })) return reply.send()
  return { firstSize: first, secondSize: second, ...roots, proof: proof.map((hash) => hash.toString('base64')) }
}

async function keys(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const { register } = await registerOf(context, request)
  const listed = await listKeys(context.db, register)
  if (isUnchanged(request, reply, { size: 0, projection: JSON.stringify(listed) })) return reply.send()
  return { keys: listed }
}

export function checkpointRoutes(app: App, context: Context): void {
  const tags = ['integrity']
  app.get(
    '/v1/registers/:register/checkpoint',
    {
      config: { permission: 'read', problems: ['not-sealed'], produces: [TEXT_TYPE] },
      schema: {
        operationId: 'readCheckpoint',
        summary: 'Read the newest checkpoint',
        description:
          'The signed head of the Merkle tree over the log (C2SP tlog-checkpoint, a C2SP signed note). 409 not-sealed before the first checkpoint.',
        tags,
        querystring: z.strictObject({}),
        response: {
          200: { description: 'A signed note', content: { [TEXT_TYPE]: { schema: noteText } } },
        },
      },
    },
    (request, reply) => checkpoint(context, request, reply),
  )
  app.get(
    '/v1/registers/:register/checkpoints',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'listCheckpoints',
        summary: 'List every published checkpoint',
        description: '`next` is the `after` of the next page.',
        tags,
        querystring: checkpointParameters,
        response: { 200: checkpointList },
      },
    },
    (request, reply) => checkpoints(context, request, reply, request.query),
  )
  app.get(
    '/v1/registers/:register/consistency',
    {
      config: { permission: 'read', problems: ['not-sealed', 'not-known'] },
      schema: {
        operationId: 'proveConsistency',
        summary: 'Prove that the log at one size extends the log at another',
        description: 'A consistency proof (RFC 9162) between two sizes, with both roots.',
        tags,
        querystring: consistencyParameters,
        response: { 200: consistencyAnswer },
      },
    },
    (request, reply) => consistency(context, request, reply, request.query),
  )
  app.get(
    '/v1/registers/:register/keys',
    {
      config: { permission: 'read' },
      schema: {
        operationId: 'listKeys',
        summary: 'List the keys that sign checkpoints',
        description: 'Each key with the sizes that it signs. A key that was replaced stays listed.',
        tags,
        querystring: z.strictObject({}),
        response: { 200: keysAnswer },
      },
    },
    (request, reply) => keys(context, request, reply),
  )
}

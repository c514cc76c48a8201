// The digest of a projection over REST: what an operator compares before and after a replay, or between two databases.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { BeyondLogError, type ProjectionDigest, projectionDigest } from '../../projections/checking/digest.ts'
import { VERSIONS } from '../../projections/core/versions.ts'
import { registerId } from '../../questions/frame.ts'
import { type Context, pathPart, registerOf } from '../server/context.ts'
import { mayBeSilent } from '../server/limits.ts'
import { wholeNumber } from '../server/parameters.ts'
import { Problem } from '../server/problem.ts'
import type { App } from '../server/typed.ts'

// Safe: the keys of the object are these names.
const NAMES = Object.keys(VERSIONS) as ProjectionDigest['projection'][]

const digestAnswer = z
  .strictObject({
    projection: z.enum(NAMES).meta({ description: 'The name of the projection' }),
    register: registerId,
    version: z.int().meta({ description: 'The version of its fold' }),
    size: z.int().meta({ description: 'The size that the digest is of, in events' }),
    rows: z.int().meta({ description: 'How many rows the projection has at that size' }),
    sha256: z.string().meta({
      description: 'SHA-256 (hexadecimal) over the rows, each a line of RFC 8785 JSON, in order of their key',
    }),
  })
  .meta({ id: 'Digest', description: 'The hash over the rows of a projection in one register' })

const querystring = z.strictObject({
  size: wholeNumber('expected a size', 0)
    .optional()
    .meta({ description: 'The size to digest; by default all events that the projection has read' }),
})

async function digest(
  context: Context,
  request: FastifyRequest,
  { size }: z.output<typeof querystring>,
  signal: AbortSignal,
): Promise<ProjectionDigest> {
  const { register } = await registerOf(context, request)
  const name = pathPart(request, 'projection')
  const projection = NAMES.find((known) => known === name)
  if (!projection) throw new Problem('not-known', { detail: `there is no projection ${name}` })
  try {
    return await projectionDigest(context.db, context.registers, { projection, register, size, signal })
  } catch (error) {
    if (error instanceof BeyondLogError) throw new Problem('beyond-knowledge', { detail: error.message })
    throw error
  }
}

export function digestRoutes(app: App, context: Context): void {
  let isAtWork = false
  app.get(
    '/v1/registers/:register/projections/:projection/digest',
    {
      config: { permission: 'read', problems: ['not-known', 'queue-full'] },
      schema: {
        operationId: 'readDigest',
        summary: 'Read the digest of a projection',
        description:
          'Reads every row of the projection, a few thousand a second. It is meant for operators, one at a time: 503 `queue-full` while another is at work. The same log gives the same digest however the rows were built.',
        tags: ['projections'],
        querystring,
        response: { 200: digestAnswer },
      },
    },
    async (request, reply) => {
      if (isAtWork) {
        const detail = 'another digest is being worked out'
        throw new Problem('queue-full', { detail, headers: { 'retry-after': '5' } })
      }
      isAtWork = true
      mayBeSilent(request)
      // Nobody waits for the answer any more.
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      try {
        const answer = await digest(context, request, request.query, gone.signal)
        reply.header('cache-control', 'no-store')
        return answer
      } catch (error) {
        if (!gone.signal.aborted) throw error
        return reply.hijack()
      } finally {
        isAtWork = false
      }
    },
  )
}

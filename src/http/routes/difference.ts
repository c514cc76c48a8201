// What changed between two states of knowledge about one day.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { slug } from '../../domain/fields.ts'
import { formatDay } from '../../kernel/plain-date.ts'
import { difference, differenceAnswer, resolveCompared } from '../../questions/difference.ts'
import { programmeFilter } from '../../questions/parameters.ts'
import { wantedSize } from '../server/answer.ts'
import { type Context, registerOf } from '../server/context.ts'
import { cursors, linkNext } from '../server/cursor.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { asOfParameter, cursorParameter, minSizeParameter, pageLimit } from '../server/parameters.ts'
import type { App } from '../server/typed.ts'

const DEFAULT_LIMIT = 100
const SIZE_FORMS = 'a size, an instant, or a day (its end)'

const differenceParameters = z.strictObject({
  asOf: asOfParameter,
  from: z
    .string()
    .optional()
    .meta({ description: `The earlier knowledge: ${SIZE_FORMS}; required without a cursor` }),
  to: z
    .string()
    .optional()
    .meta({ description: `The later knowledge: ${SIZE_FORMS}; everything recorded by default` }),
  programme: programmeFilter,
  minSize: minSizeParameter,
  limit: pageLimit.optional(),
  cursor: cursorParameter,
})
type DifferenceQuery = z.output<typeof differenceParameters>

const pages = cursors('difference', differenceParameters, z.strictObject({ after: slug }))

async function answer(context: Context, request: FastifyRequest, reply: FastifyReply, given: DifferenceQuery) {
  const asked = await registerOf(context, request)
  const { query, place } = pages.read(asked.register, given, request.url)
  const minSize = wantedSize(request, query.minSize)
  const compared = await resolveCompared(context, asked, { ...query, minSize })
  const { from, to, basis, version } = compared
  const asOf = formatDay(to.asOf)
  if (isUnchanged(request, reply, { size: to.size, asOf, projection: version, basis })) return reply.send()
  const page = await difference(context, compared, query.programme, { place, limit: query.limit ?? DEFAULT_LIMIT })
  const pinned = { asOf, from: String(from.size), to: String(to.size) }
  const next = page.next && pages.write(asked.register, query, pinned, page.next)
  linkNext(reply, `/v1/registers/${asked.register}/summary/difference`, next, query.limit)
  return { ...page, next }
}

export function differenceRoutes(app: App, context: Context): void {
  app.get(
    '/v1/registers/:register/summary/difference',
    {
      config: { permission: 'read', problems: ['beyond-knowledge'] },
      schema: {
        operationId: 'readDifference',
        summary: 'Compare two states of knowledge about one day',
        description:
          'The commitments whose status as of the day changed between two sizes of the log, with the events that changed ' +
          'it. Repairs of the record are told apart from news. With the figures before and after.',
        tags: ['figures'],
        querystring: differenceParameters,
        response: { 200: differenceAnswer },
      },
    },
    (request, reply) => answer(context, request, reply, request.query),
  )
}

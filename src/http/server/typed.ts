// Routes whose parameters and answers have the types of their zod schemas.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyTypeProvider, RawServerDefault } from 'fastify'
import type { z } from 'zod'

/** As ZodTypeProvider of fastify-type-provider-zod, but for handlers that may also return the reply, as where they have sent it as a 304. */
export interface RouteTypes extends FastifyTypeProvider {
  validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> | FastifyReply : unknown
}

/** A service on which `request.query` and `request.body` are what the schema of the route makes of them. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, RouteTypes>

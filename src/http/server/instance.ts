// The server of requests itself: its limits, its log, and how it checks what comes in, writes what goes out and says no.

import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import type { z } from 'zod'
import { withoutTokens } from '../../access/tokens.ts'
import { PATIENCE, type Patience, serverLimits } from './limits.ts'
import { answerError, answerUnmatched, answerUnreadable, validator } from './problem.ts'

/** Whether each answer is logged. */
function isEachLogged({ level }: FastifyBaseLogger): boolean {
  return level === 'debug' || level === 'trace'
}

function logAnswers(app: FastifyInstance): void {
  // Where nothing would be written, nothing is put together.
  if (!isEachLogged(app.log)) return
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url } = request
    const ms = Math.round(reply.elapsedTime)
    request.log.debug({ method, url: withoutTokens(url.split('?')[0] ?? ''), status: reply.statusCode, ms }, 'answered')
    done()
  })
}

export type InstanceOptions = {
  /** Holds every answer against its schema and fails where they differ: for tests. */
  checkAnswers?: boolean
  /** The addresses of proxies whose word on who asks is taken; TLS is then taken to be in front. */
  trustProxy?: readonly string[]
  /** How long a client may take, where not as usual. */
  patience?: Patience
}

/** How fastify treats connections, paths and what it cannot read. */
function fastifyOptions(logger: FastifyBaseLogger, { trustProxy, patience = PATIENCE }: InstanceOptions) {
  return {
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    ...serverLimits(patience),
    // Without a list X-Forwarded-For and the like say nothing.
    trustProxy: trustProxy?.length ? [...trustProxy] : false,
    forceCloseConnections: 'idle' as const,
    // What still comes on an open connection while the service stops is answered as ever; the connection goes with it.
    return503OnClosing: false,
    clientErrorHandler: answerUnreadable,
    // An id that is too long is not there, as any other that is none: the routes say so.
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 10_000 },
  }
}

/** A server without routes: what is not there it answers with a problem. */
export function createInstance(logger: FastifyBaseLogger, options: InstanceOptions): FastifyInstance {
  const { checkAnswers = false } = options
  const app: FastifyInstance = fastify({
    ...fastifyOptions(logger, options),
    // The number of a request is of use only beside the line that says how it was answered.
    childLoggerFactory: (log, bindings, options) => (isEachLogged(log) ? log.child(bindings, options) : log),
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
  })
  app.setValidatorCompiler<z.ZodType>(({ schema }) => validator(schema))
  // Answers are built to their schemas; nothing is checked or dropped on the way out, which would cost more than the rest.
  app.setSerializerCompiler<z.ZodType>(
    ({ schema }) =>
      (data) =>
        JSON.stringify(checkAnswers ? schema.parse(data) : data),
  )
  app.setErrorHandler(answerError)
  answerUnmatched(app)
  logAnswers(app)
  return app
}

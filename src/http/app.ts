// The HTTP service's table of contents: every plugin and every room of routes, registered by name. It knows requests and
// answers; the rules are elsewhere.

import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import { withoutTokens } from '../access/tokens.ts'
import { callerRoutes } from './routes/caller.ts'
import { checkpointRoutes } from './routes/checkpoints.ts'
import { commitmentRoutes } from './routes/commitments.ts'
import { conflictRoutes } from './routes/conflicts.ts'
import { definitionRoutes } from './routes/definitions.ts'
import { differenceRoutes } from './routes/difference.ts'
import { digestRoutes } from './routes/digest.ts'
import { eventRoutes } from './routes/events.ts'
import { feedRoutes } from './routes/feed.ts'
import { figureRoutes } from './routes/figures.ts'
import { healthRoutes } from './routes/health.ts'
import { metricRoutes } from './routes/metrics.ts'
import { operationRoutes } from './routes/operations.ts'
import { pageRoutes } from './routes/page.ts'
import { planRoutes } from './routes/plan.ts'
import { projectionRoutes } from './routes/projections.ts'
import { createSealedProofs, proofRoutes } from './routes/proofs.ts'
import { redactionRoutes } from './routes/redaction.ts'
import { registerRoutes } from './routes/registers.ts'
import { seriesRoutes } from './routes/series.ts'
import { slippageRoutes } from './routes/slippage.ts'
import { summaryRoutes } from './routes/summary.ts'
import { tileRoutes } from './routes/tiles.ts'
import { trendRoutes } from './routes/trend.ts'
import { guard, isKnown } from './server/access.ts'
import { NDJSON_TYPE, readBodies } from './server/body.ts'
import { allowOrigins, DOCS_POLICY, guardBrowsers } from './server/browsers.ts'
import type { Context } from './server/context.ts'
import { answerPolls } from './server/etag-cache.ts'
import { FOLLOWING, type Following } from './server/event-stream.ts'
import { limitRequests, PATIENCE, type Patience, serverLimits } from './server/limits.ts'
import { negotiate } from './server/negotiate.ts'
import { answerError, answerUnmatched, answerUnreadable, problemRoutes, validator } from './server/problem.ts'
import { countRates, type RateLimit } from './server/rates.ts'
import type { RouteTypes } from './server/typed.ts'

const API = {
  info: {
    title: 'Pledger',
    version: '1',
    description:
      'Commitments against delivery: what was promised, by whom, by when, what was delivered, and who says so.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  openapi: '3.1.0',
} as const

const BEARER = {
  type: 'http',
  scheme: 'bearer',
  description: 'A token (pledger token create) or a JWT of the identity provider; without access control none',
} as const

/** The names of the component schemas that a part of the document refers to. */
function referredTo(part: unknown): string[] {
  const names = JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)
  return [...names].map(([, name = '']) => name)
}

/** Drops component schemas that nothing refers to: every schema is registered both as input and as output. */
function withoutUnused<T extends object>(document: T): T {
  const { components, ...rest } = document as T & { components?: { schemas?: Record<string, unknown> } }
  const schemas = components?.schemas ?? {}
  const used = new Set<string>()
  const waiting = referredTo(rest)
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (used.has(name)) continue
    used.add(name)
    waiting.push(...referredTo(schemas[name] ?? null))
  }
  const kept = Object.entries(schemas).filter(([name]) => used.has(name))
  return { ...document, components: { ...components, schemas: Object.fromEntries(kept) } }
}

type Operations = Record<string, Record<string, { requestBody?: { content?: Record<string, unknown> } }>>

/** Says of a body of lines that it is text: the schema of the route is that of its JSON. */
function withLines<T extends { paths?: unknown }>(document: T): T {
  for (const path of Object.values((document.paths ?? {}) as Operations)) {
    for (const { requestBody } of Object.values(path)) {
      if (!requestBody?.content?.[NDJSON_TYPE]) continue
      const description = 'A line is an event as posted, with its id, or as exported'
      requestBody.content[NDJSON_TYPE] = { schema: { type: 'string', description } }
    }
  }
  return document
}

type Named = Record<string, { parameters?: { in: string; name: string }[] }>

/** Gives the rest of a path, which the router calls `*`, a name that clients can be generated with. */
function withNamedRest<T extends { paths?: unknown }>(document: T): T {
  const paths = Object.entries((document.paths ?? {}) as Record<string, Named>).map(([path, operations]) => {
    for (const { parameters = [] } of Object.values(operations)) {
      for (const parameter of parameters) if (parameter.in === 'path' && parameter.name === '*') parameter.name = 'rest'
    }
    return [path.replace('{*}', '{rest}'), operations]
  })
  return { ...document, paths: Object.fromEntries(paths) }
}

/** Says of an operation what its caller has to be permitted. */
const withPermission: typeof jsonSchemaTransform = (given) => {
  const { schema, url } = jsonSchemaTransform(given)
  const permission = given.route.config?.permission
  const security = permission === 'open' ? [] : [{ bearer: [] }, {}]
  return { schema: { ...schema, security, 'x-permission': permission } as typeof schema, url }
}

function documented(app: FastifyInstance): void {
  app.register(swagger, {
    openapi: { ...API, components: { securitySchemes: { bearer: BEARER } } },
    transform: withPermission,
    transformObject: (document) => withoutUnused(withNamedRest(withLines(jsonSchemaTransformObject(document)))),
  })
  app.register(swaggerUi, { routePrefix: '/docs', staticCSP: DOCS_POLICY })
}

/** Whether each answer is told. */
function isTold({ level }: FastifyBaseLogger): boolean {
  return level === 'debug' || level === 'trace'
}

function logged(app: FastifyInstance): void {
  // Where nothing would be written, nothing is put together.
  if (!isTold(app.log)) return
  app.addHook('onResponse', (request, reply, done) => {
    const { method, url } = request
    const ms = Math.round(reply.elapsedTime)
    request.log.debug({ method, url: withoutTokens(url.split('?')[0] ?? ''), status: reply.statusCode, ms }, 'answered')
    done()
  })
}

export type AppOptions = {
  /** Holds every answer against its schema and fails where they differ: for tests. */
  checkAnswers?: boolean
  /** How the log is followed, where not as usual. */
  following?: Following
  /** Has a process work on a replay; without it replays are begun, and wait. */
  startReplay?: (operation: string) => void
  /** Has the sealer look at a register now; without it whoever waits for a checkpoint waits for another process. */
  seal?: (register: string) => void
  /** What is unsafe about the database, in words. */
  unsafeDatabase?: readonly string[]
  /** The addresses of proxies whose word on who asks is taken; TLS is then taken to be in front. */
  trustProxy?: readonly string[]
  /** The origins of pages that may read answers, besides the service's own. */
  corsOrigins?: readonly string[]
  rateLimit?: RateLimit
  /** How long a client may take, where not as usual. */
  patience?: Patience
}

/** Requests a minute of one caller, where nothing else is said. */
export const REQUESTS_PER_MINUTE = 6_000

/** What every request goes through before its route, in this order. */
async function guarded(app: FastifyInstance, context: Context, options: AppOptions): Promise<void> {
  const { trustProxy = [], corsOrigins = [], patience = PATIENCE } = options
  const { rateLimit = { perMinute: REQUESTS_PER_MINUTE, isEnforced: false } } = options
  guardBrowsers(app, trustProxy.length > 0)
  await allowOrigins(app, corsOrigins)
  const { limitFailures, limitCallers, refused } = countRates(rateLimit)
  limitFailures(app, (request) => isKnown(context.access, request))
  guard(app, context.access, { now: context.now, refused, corsOrigins })
  answerPolls(app, context)
  limitCallers(app)
  limitRequests(app)
  readBodies(app, patience)
  negotiate(app)
}

/** Builds the service; the caller listens and closes. */
export async function buildApp(
  context: Context,
  logger: FastifyBaseLogger,
  options: AppOptions = {},
): Promise<FastifyInstance> {
  const {
    checkAnswers = false,
    following = FOLLOWING,
    startReplay = () => {},
    seal = () => {},
    unsafeDatabase = [],
  } = options
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    // The number of a request is of use only beside the line that says how it was answered.
    childLoggerFactory: (log, bindings, options) => (isTold(log) ? log.child(bindings, options) : log),
    ...serverLimits(options.patience ?? PATIENCE),
    // Without a list X-Forwarded-For and the like say nothing.
    trustProxy: options.trustProxy?.length ? [...options.trustProxy] : false,
    forceCloseConnections: 'idle',
    // What still comes on an open connection while the service stops is answered as ever; the connection goes with it.
    return503OnClosing: false,
    clientErrorHandler: answerUnreadable,
    frameworkErrors: (error, request, reply) => answerError(error, request, reply),
    // An id that is too long is not there, as any other that is none: the routes say so.
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 10_000 },
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
  logged(app)
  await guarded(app, context, options)
  documented(app)
  app.register(async (plain) => {
    const api = plain.withTypeProvider<RouteTypes>()
    const sealedProofs = createSealedProofs(context, seal)
    registerRoutes(api, context, sealedProofs)
    eventRoutes(api, context, sealedProofs)
    redactionRoutes(api, context, sealedProofs)
    feedRoutes(api, context, following)
    commitmentRoutes(api, context)
    summaryRoutes(api, context)
    seriesRoutes(api, context)
    slippageRoutes(api, context)
    planRoutes(api, context)
    trendRoutes(api, context)
    differenceRoutes(api, context)
    figureRoutes(api, context)
    conflictRoutes(api, context)
    definitionRoutes(api, context)
    checkpointRoutes(api, context)
    tileRoutes(api, context)
    proofRoutes(api, context)
    operationRoutes(api, context, startReplay)
    callerRoutes(api, context)
    healthRoutes(api, context, unsafeDatabase)
    metricRoutes(api, context)
    projectionRoutes(api, context)
    digestRoutes(api, context)
    problemRoutes(api)
    api.get('/openapi.json', { config: { permission: 'open' } }, async () => app.swagger())
    pageRoutes(api)
  })
  await app.ready()
  return app
}

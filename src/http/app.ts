// The HTTP service's table of contents: every plugin and every room of routes, registered by name. It knows requests and
// answers; the rules are elsewhere.

import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
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
import { readBodies } from './server/body.ts'
import { allowOrigins, guardBrowsers } from './server/browsers.ts'
import type { Context } from './server/context.ts'
import { answerPolls } from './server/etag-cache.ts'
import { FOLLOWING, type Following } from './server/event-stream.ts'
import { type Examples, readExamples } from './server/examples.ts'
import { createInstance, type InstanceOptions } from './server/instance.ts'
import { limitRequests, PATIENCE } from './server/limits.ts'
import { holdToNamedProblems } from './server/named-problems.ts'
import { negotiate } from './server/negotiate.ts'
import { describeRoutes, openapiRoute } from './server/openapi.ts'
import { problemRoutes } from './server/problem.ts'
import { countRates, type RateLimit } from './server/rates.ts'
import type { App, RouteTypes } from './server/typed.ts'

export type AppOptions = InstanceOptions & {
  /** How the log is followed, where not as usual. */
  following?: Following
  /** Has a process work on a replay; without it replays are begun, and wait. */
  startReplay?: (operation: string) => void
  /**
   * Has the sealer look at a register now. Without it, a caller who waits for a checkpoint waits for another process.
   */
  seal?: (register: string) => void
  /** What is unsafe about the database, in words. */
  unsafeDatabase?: readonly string[]
  /** The origins of pages that may read answers, besides the service's own. */
  corsOrigins?: readonly string[]
  rateLimit?: RateLimit
  /** The examples of the API's description, where not those that were generated. */
  examples?: Examples
}

/** Requests a minute of one caller, where nothing else is said. */
export const REQUESTS_PER_MINUTE = 6_000

/** What every request goes through before its route, in this order. */
async function addPlugins(app: FastifyInstance, context: Context, options: AppOptions): Promise<void> {
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
  if (options.checkAnswers) holdToNamedProblems(app)
  describeRoutes(app, options.examples ?? readExamples())
}

/** Every resource that there is. */
function addRoutes(app: App, context: Context, options: AppOptions): void {
  const { following = FOLLOWING, startReplay = () => {}, seal = () => {}, unsafeDatabase = [] } = options
  const sealedProofs = createSealedProofs(context, seal)
  registerRoutes(app, context, sealedProofs)
  eventRoutes(app, context, sealedProofs)
  redactionRoutes(app, context, sealedProofs)
  feedRoutes(app, context, following)
  commitmentRoutes(app, context)
  summaryRoutes(app, context)
  seriesRoutes(app, context)
  slippageRoutes(app, context)
  planRoutes(app, context)
  trendRoutes(app, context)
  differenceRoutes(app, context)
  figureRoutes(app, context)
  conflictRoutes(app, context)
  definitionRoutes(app, context)
  checkpointRoutes(app, context)
  tileRoutes(app, context)
  proofRoutes(app, context)
  operationRoutes(app, context, startReplay)
  callerRoutes(app, context)
  healthRoutes(app, context, unsafeDatabase)
  metricRoutes(app, context)
  projectionRoutes(app, context)
  digestRoutes(app, context)
  problemRoutes(app)
  openapiRoute(app)
  pageRoutes(app)
}

/** Builds the service; the caller listens and closes. */
export async function buildApp(
  context: Context,
  logger: FastifyBaseLogger,
  options: AppOptions = {},
): Promise<FastifyInstance> {
  const app = createInstance(logger, options)
  await addPlugins(app, context, options)
  app.register(async (api) => addRoutes(api.withTypeProvider<RouteTypes>(), context, options))
  await app.ready()
  return app
}

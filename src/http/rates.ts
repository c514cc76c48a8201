// How often a caller may ask: counted by minute in the memory of each process, and told in the headers of
// draft-ietf-httpapi-ratelimit-headers-10, which @fastify/rate-limit does not write yet; it counts.

import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Problem } from './problem.ts'

export type RateLimit = {
  /** Requests a minute of one caller; 0: nothing is counted or told. */
  perMinute: number
  /** False: what is left is told, and nobody is refused. */
  isEnforced: boolean
}

const WINDOW_SECONDS = 60
/** The callers that are remembered; of more, those that asked longest ago begin anew. */
const MAX_CALLERS = 50_000

/** Who asks: whom a credential names, else the address (of IPv6 the network, as one household has all of it). */
function callerOf(request: FastifyRequest): string {
  // Access control says who it is, where there is any.
  const { caller } = request as { caller?: { id?: string } | null }
  return caller?.id === undefined ? addressOf(request) : `caller ${caller.id}`
}

function addressOf({ ip }: FastifyRequest): string {
  return rateLimit.normalizeIP(ip)
}

type Counted = { remaining: number; seconds: number; isExceeded: boolean }

function policyOf({ perMinute }: RateLimit): string {
  return `"default";q=${perMinute};w=${WINDOW_SECONDS}`
}

function refusal({ perMinute }: RateLimit, { seconds }: Counted): Problem {
  const detail = `more than ${perMinute} requests in a minute`
  return new Problem('rate-limited', { detail, headers: { 'retry-after': String(Math.max(1, seconds)) } })
}

/** What counts, by a key of the caller's; `increment: false` only looks. */
async function counters(app: FastifyInstance, { perMinute }: RateLimit) {
  await app.register(rateLimit, { global: false })
  const counter = (keyGenerator: (request: FastifyRequest) => string) => {
    // Each has a store of its own, of that many.
    const options = { max: perMinute, timeWindow: WINDOW_SECONDS * 1_000, cache: MAX_CALLERS, keyGenerator }
    const count = app.createRateLimit(options)
    return async (request: FastifyRequest, increment: boolean): Promise<Counted> => {
      const counted = await count(request, { increment })
      if (counted.isAllowed) throw new Error('there is no list of callers who are not counted')
      const { remaining, ttlInSeconds, isExceeded } = counted
      return {
        remaining,
        seconds: ttlInSeconds || WINDOW_SECONDS,
        isExceeded: isExceeded || (!increment && remaining === 0),
      }
    }
  }
  return { callers: counter(callerOf), failures: counter(addressOf) }
}

export type Rates = {
  /** To be called before access control: whoever keeps trying credentials is refused before those are looked at. */
  limitFailures: (app: FastifyInstance) => void
  /** To be called after it, and after polls are answered from memory. */
  limitCallers: (app: FastifyInstance) => void
}

/** Counts requests. An answer 304 does not count; so what may become one is counted when it has been answered. */
export async function countRates(app: FastifyInstance, limit: RateLimit): Promise<Rates> {
  if (limit.perMinute === 0) return { limitFailures: () => {}, limitCallers: () => {} }
  const { callers, failures } = await counters(app, limit)
  const policy = policyOf(limit)
  return {
    limitFailures(app) {
      if (!limit.isEnforced) return
      app.addHook('onRequest', async (request) => {
        if (request.headers.authorization === undefined) return
        const counted = await failures(request, false)
        if (counted.isExceeded) throw refusal(limit, counted)
      })
      app.addHook('onError', async (request, _reply, error: unknown) => {
        if (error instanceof Problem && error.word === 'unauthorized') await failures(request, true)
      })
    },
    limitCallers(app) {
      app.addHook('onRequest', async (request, reply) => {
        const isConditional = request.headers['if-none-match'] !== undefined
        const counted = await callers(request, !isConditional)
        reply.header('ratelimit-policy', policy)
        reply.header('ratelimit', `"default";r=${counted.remaining};t=${counted.seconds}`)
        if (counted.isExceeded && limit.isEnforced) throw refusal(limit, counted)
        if (!isConditional) return
        reply.raw.once('close', () => {
          if (reply.statusCode !== 304)
            callers(request, true).catch((error) => request.log.error({ err: error }, 'not counted'))
        })
      })
    },
  }
}

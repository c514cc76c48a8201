// How often a caller may ask: counted by minute in the memory of each process, and told in the headers of
// draft-ietf-httpapi-ratelimit-headers-10. Counted here and not by @fastify/rate-limit, which does not write those and took
// 6 µs for each request: a twentieth of what a whole answer takes.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { LOCAL } from '../../access/grants.ts'
import { Problem } from './problem.ts'

export type RateLimit = {
  /** Requests a minute of one caller; 0: nothing is counted or told. */
  perMinute: number
  /** False: what is left is told, and nobody is refused. */
  isEnforced: boolean
  /** A clock in milliseconds that is never set back; by default that of the process. */
  now?: () => number
}

const WINDOW_SECONDS = 60
/** The callers that are counted at once. Of more, the caller who has not asked for longest begins a new minute. */
const MAX_CALLERS = 50_000

/** Who asks: whom a credential names, else the address (of IPv6 the network, as one household has all of it). */
function callerOf(request: FastifyRequest): string {
  const { caller } = request
  return caller === null || caller === LOCAL ? addressOf(request) : `caller ${caller.id}`
}

/** The first 64 bits of an address of IPv6; any other address as it is. */
function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip
  const mapped = /^::ffff:([\d.]+)$/i.exec(ip)?.[1]
  if (mapped !== undefined) return mapped
  const [before = [], after = []] = ip.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const left = Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(left).fill('0'), ...after]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

function addressOf({ ip }: FastifyRequest): string {
  return networkOf(ip)
}

type Counted = { remaining: number; seconds: number; isExceeded: boolean }

function policyOf({ perMinute }: RateLimit): string {
  return `"default";q=${perMinute};w=${WINDOW_SECONDS}`
}

function refusal({ perMinute }: RateLimit, { seconds }: Counted): Problem {
  const detail = `more than ${perMinute} requests in a minute`
  return new Problem('rate-limited', { detail, headers: { 'retry-after': String(Math.max(1, seconds)) } })
}

type Minute = { count: number; endsAt: number }

/** What counts, by a key of the caller's; unless it is to count, it only looks. */
function counter(
  { perMinute, now: read = () => performance.now() }: RateLimit,
  keyOf: (request: FastifyRequest) => string,
) {
  const minutes = new LRUCache<string, Minute>({ max: MAX_CALLERS })
  const begin = (key: string, now: number): Minute => {
    const minute = { count: 0, endsAt: now + WINDOW_SECONDS * 1_000 }
    minutes.set(key, minute)
    return minute
  }
  return (request: FastifyRequest, isCounted: boolean): Counted => {
    // Whole milliseconds: the sum and difference of fractions can be a little more than the minute, whose ceiling is 61 seconds.
    const [key, now] = [keyOf(request), Math.floor(read())]
    const known = minutes.get(key)
    const minute = known && known.endsAt > now ? known : begin(key, now)
    if (isCounted) minute.count += 1
    return {
      remaining: Math.max(0, perMinute - minute.count),
      seconds: Math.ceil((minute.endsAt - now) / 1_000),
      isExceeded: isCounted ? minute.count > perMinute : minute.count >= perMinute,
    }
  }
}

function isConditional({ headers }: FastifyRequest): boolean {
  return headers['if-none-match'] !== undefined
}

export type Rates = {
  /** Call it before access control: an address that keeps trying credentials is refused before they are looked at. */
  limitFailures: (app: FastifyInstance, isKnown: (request: FastifyRequest) => boolean) => void
  /** The answer to a request that access control refuses: it counts as every other one. */
  refused: (request: FastifyRequest, reply: FastifyReply, error: Error) => Error
  /** To be called after it, and after polls are answered from memory. */
  limitCallers: (app: FastifyInstance) => void
}

/** Counts requests. An answer 304 does not count; so what may become one is counted when it has been answered. */
export function countRates(limit: RateLimit): Rates {
  if (limit.perMinute === 0)
    return { limitFailures: () => {}, limitCallers: () => {}, refused: (_request, _reply, error) => error }
  const [callers, failures] = [counter(limit, callerOf), counter(limit, addressOf)]
  const policy = policyOf(limit)
  const tell = (reply: FastifyReply, { remaining, seconds }: Counted) => {
    reply.header('ratelimit-policy', policy)
    reply.header('ratelimit', `"default";r=${remaining};t=${seconds}`)
  }
  return {
    refused(request, reply, error) {
      const counted = callers(request, true)
      tell(reply, counted)
      return counted.isExceeded && limit.isEnforced ? refusal(limit, counted) : error
    },
    limitFailures(app, isKnown) {
      if (!limit.isEnforced) return
      app.addHook('onRequest', (request, _reply, done) => {
        if (request.headers.authorization === undefined) return done()
        const counted = failures(request, false)
        // A holder of a key is not locked out by others who try keys from the same address.
        done(counted.isExceeded && !isKnown(request) ? refusal(limit, counted) : undefined)
      })
      app.addHook('onError', (request, _reply, error: unknown, done) => {
        const isTried = request.headers.authorization !== undefined
        if (isTried && error instanceof Problem && error.word === 'unauthorized') failures(request, true)
        done()
      })
    },
    limitCallers(app) {
      app.addHook('onRequest', (request, reply, done) => {
        const counted = callers(request, !isConditional(request))
        tell(reply, counted)
        if (counted.isExceeded && limit.isEnforced) return done(refusal(limit, counted))
        if (isConditional(request)) {
          reply.raw.once('close', () => {
            if (reply.statusCode !== 304) callers(request, true)
          })
        }
        done()
      })
    },
  }
}

// The ETags of answers that were given, by address. A caller that polls for an answer that it has is told so from memory, before
// its parameters are parsed and without a query.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { type Day, dayInZone, endOfDayInZone } from '../../kernel/plain-date.ts'
import type { RegisterHeads } from '../../projections/core/heads.ts'
import type { RegisterHead } from '../../projections/core/register-head.ts'
import { type Basis, dependence, reachOf, type Source } from '../../questions/basis.ts'

type Known = Basis & {
  etag: string
  register: string
  dependsOn: string
  /** The milliseconds since the epoch between which the day stays the same. */
  from: number
  until: number
}

/** What all entries may take, about. */
export const MAX_BYTES = 4 * 2 ** 20
const MAX_ADDRESS_LENGTH = 4_000
/** What an entry takes besides its address. */
const ENTRY_BYTES = 400

/** A request as far as it decides its answer. */
type Asked = { raw: Pick<FastifyRequest['raw'], 'method' | 'url' | 'headers'> }

/** What the answers are held against. */
type Memory = { heads: Pick<RegisterHeads, 'peek'>; now: () => number }

type Span = { timeZone: string; day: Day; from: number; until: number }

/** The ETags of answers that were given, the last asked for first in line to stay. */
export class EtagCache {
  readonly #heads: Pick<RegisterHeads, 'peek'>
  readonly #now: () => number
  readonly #known = new LRUCache<string, Known>({
    maxSize: MAX_BYTES,
    sizeCalculation: (_, name) => 2 * name.length + ENTRY_BYTES,
  })
  #today: Span | null = null

  constructor({ heads, now }: Memory) {
    this.#heads = heads
    this.#now = now
  }

  /** How many bytes the entries take, about. */
  get bytes(): number {
    return this.#known.calculatedSize
  }

  /** Keeps the ETag of the answer to a request. */
  remember(request: Asked, etag: string, basis: Basis): void {
    const name = nameOf(request)
    if (request.raw.method !== 'GET' || name.length > MAX_ADDRESS_LENGTH) return
    const { from, until } = basis.dayIn === null ? ALWAYS : this.#spanOfToday(basis.dayIn)
    const dependsOn = dependence(basis.head, basis)
    this.#known.set(name, { ...basis, etag, register: basis.head.register, dependsOn, from, until })
  }

  /** The ETag that the answer to a request has now; null where memory does not tell. */
  etagOf(request: Asked): string | null {
    const name = nameOf(request)
    const known = this.#known.get(name)
    if (!known) return null
    const head = this.#heads.peek(known.register)
    if (!head || !this.#isCurrent(known, head)) return null
    return isReached(request, head, known.source) ? known.etag : null
  }

  #isCurrent(known: Known, head: RegisterHead): boolean {
    if (known.dayIn !== null) {
      const now = this.#now()
      if (now < known.from || now >= known.until) return false
    }
    if (known.head === head) return true
    if (dependence(head, known) !== known.dependsOn) return false
    known.head = head
    return true
  }

  #spanOfToday(timeZone: string): Span {
    const day = dayInZone(this.#now(), timeZone)
    if (this.#today?.timeZone !== timeZone || this.#today.day !== day) {
      const [from, until] = [endOfDayInZone(day - 1, timeZone) + 1, endOfDayInZone(day, timeZone) + 1]
      this.#today = { timeZone, day, from, until }
    }
    return this.#today
  }
}

const ALWAYS = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY }

/** What of a request decides its answer, the clocks and the register aside. */
function nameOf({ raw: { url, headers } }: Asked): string {
  return headers.accept === undefined ? (url ?? '') : `${url} ${headers.accept}`
}

/** Whether what the caller wants to be known at least is known; an unreadable wish is for the route to refuse. */
function isReached({ raw: { headers } }: Asked, head: RegisterHead, source: Source): boolean {
  const wanted = headers['pledger-size']
  if (wanted === undefined) return true
  return typeof wanted === 'string' && /^\d{1,15}$/.test(wanted) && Number(wanted) <= reachOf(head, source)
}

/** The headers of every answer with an ETag, beside it. */
const TAGGED: Record<string, string> = { 'cache-control': 'no-cache', vary: 'Accept' }

/** Instead, where only some may have the answer. */
const PRIVATE = { 'cache-control': 'no-store' }

/** Gives an answer its ETag. */
export function tagged(reply: FastifyReply, etag: string): FastifyReply {
  const vary = reply.getHeader('vary')
  reply.header('etag', etag).headers(TAGGED)
  return vary === undefined ? reply : reply.header('vary', `${vary}, ${TAGGED.vary}`)
}

/** What a page of another origin needs to be let see, where one is allowed. */
function originHeaders(reply: FastifyReply): Record<string, string> {
  const { vary, ...headers } = reply.getHeaders()
  // Safe: @fastify/cors sets single texts.
  const told = Object.entries(headers).filter(([name]) => name.startsWith('access-control-')) as [string, string][]
  return { ...TAGGED, ...Object.fromEntries(told), vary: `${vary}, ${TAGGED.vary}` }
}

declare module 'fastify' {
  interface FastifyInstance {
    etags: EtagCache
  }
}

/** Answers polls from memory. Whatever decides who may ask has to be registered before this. */
export function answerPolls(app: FastifyInstance, context: Memory): void {
  const etags = new EtagCache(context)
  app.decorate('etags', etags)
  app.addHook('onRequest', (request, reply, done) => {
    const known = request.raw.headers['if-none-match']
    if (known === undefined || request.raw.method !== 'GET' || etags.etagOf(request) !== known) return done()
    // Past what fastify does to a reply with a body: of all answers this one is given most.
    reply.hijack()
    const headers = reply.hasHeader('vary') ? originHeaders(reply) : TAGGED
    reply.raw.writeHead(304, { etag: known, ...headers, ...(request.isPrivate && PRIVATE) }).end()
  })
}

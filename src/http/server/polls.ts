// Polls: what an answer rests on, and the ETags of answers that have been given, by address. A caller that asks again for what
// it has is told so from memory, before its parameters are parsed and without a query.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Day, dayInZone, endOfDayInZone } from '../../kernel/plain-date.ts'
import type { Heads, RegisterHead } from '../../projections/core/heads.ts'

/** What an answer is read from: the log itself, or projections of it. */
export type Source = 'log' | 'commitments' | 'periods' | readonly ('commitments' | 'periods')[]

/** How far the source of an answer has read the log. */
export function reachOf(head: RegisterHead, source: Source): number {
  if (source === 'log') return head.size
  if (typeof source === 'string') return head.projections.get(source)?.size ?? 0
  return Math.min(...source.map((projection) => reachOf(head, projection)))
}

/** Which event has stopped the source of an answer, in words; null where it goes on. */
export function stoppedBy(head: RegisterHead, source: Source): string | null {
  if (source === 'log') return null
  const names = typeof source === 'string' ? [source] : source
  const [stopped] = names.flatMap((name) => {
    const because = head.projections.get(name)?.stopped ?? null
    return because === null ? [] : [`${name} has stopped: ${because}`]
  })
  return stopped ?? null
}

/**
 * Which builds of its rows the source of an answer has, and how often content was erased from them: at any size and day
 * another build may hold other rows, and every answer less than it did.
 */
export function buildsOf({ projections, redactions }: RegisterHead, source: Source): string {
  if (source === 'log') return String(redactions)
  const generations = [source].flat().map((projection) => projections.get(projection)?.generation ?? 0)
  return [...generations, redactions].join('.')
}

/** What the clocks of an answer were resolved by, and so what can make the same question give another answer. */
export type Basis = {
  head: RegisterHead
  source: Source
  /** Where the size comes from: the head, a size that the question names, or an instant that it names. */
  size: 'head' | 'named' | 'instant'
  /** The time zone whose calendar day is part of the question, because it names none; null where it plays no part. */
  dayIn: string | null
}

/** What of a head the answer depends on, as one text. */
function dependence(head: RegisterHead, { source, size, dayIn }: Omit<Basis, 'head'>): string {
  const builds = buildsOf(head, source)
  // The time zone that decides the day may be corrected by any event of the register's own.
  const zone = dayIn === null ? '' : head.ownRevision
  const reached = size === 'named' ? '' : reachOf(head, source)
  return `${builds} ${zone} ${reached} ${size === 'instant' ? head.size : ''}`
}

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
type Memory = { heads: Pick<Heads, 'peek'>; now: () => number }

type Span = { timeZone: string; day: Day; from: number; until: number }

/** The ETags of answers that were given, the last asked for first in line to stay. */
export class Polls {
  readonly #heads: Pick<Heads, 'peek'>
  readonly #now: () => number
  // Two halves: whatever is asked for moves to the young one, and when that is full the old one goes.
  #young = new Map<string, Known>()
  #old = new Map<string, Known>()
  #youngBytes = 0
  #oldBytes = 0
  #today: Span | null = null

  constructor({ heads, now }: Memory) {
    this.#heads = heads
    this.#now = now
  }

  /** How many bytes the entries take, about. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes
  }

  /** Keeps the ETag of the answer to a request. */
  remember(request: Asked, etag: string, basis: Basis): void {
    const name = nameOf(request)
    if (request.raw.method !== 'GET' || name.length > MAX_ADDRESS_LENGTH) return
    const { from, until } = basis.dayIn === null ? ALWAYS : this.#spanOfToday(basis.dayIn)
    const dependsOn = dependence(basis.head, basis)
    this.#keep(name, { ...basis, etag, register: basis.head.register, dependsOn, from, until })
  }

  /** The ETag that the answer to a request has now; null where memory does not tell. */
  etagOf(request: Asked): string | null {
    const name = nameOf(request)
    const known = this.#young.get(name) ?? this.#fromOld(name)
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

  #fromOld(name: string): Known | undefined {
    const known = this.#old.get(name)
    if (!known) return undefined
    this.#old.delete(name)
    this.#keep(name, known)
    return known
  }

  #keep(name: string, known: Known): void {
    const bytes = this.#young.has(name) ? 0 : 2 * name.length + ENTRY_BYTES
    if (this.#youngBytes + bytes > MAX_BYTES / 2) {
      this.#old = this.#young
      this.#oldBytes = this.#youngBytes
      this.#young = new Map()
      this.#youngBytes = 0
    }
    this.#young.set(name, known)
    this.#youngBytes += bytes
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
    polls: Polls
  }
}

/** Answers polls from memory. Whatever decides who may ask has to be registered before this. */
export function answerPolls(app: FastifyInstance, context: Memory): void {
  const polls = new Polls(context)
  app.decorate('polls', polls)
  app.addHook('onRequest', (request, reply, done) => {
    const known = request.raw.headers['if-none-match']
    if (known === undefined || request.raw.method !== 'GET' || polls.etagOf(request) !== known) return done()
    // Past what fastify does to a reply with a body: of all answers this one is given most.
    reply.hijack()
    const headers = reply.hasHeader('vary') ? originHeaders(reply) : TAGGED
    reply.raw.writeHead(304, { etag: known, ...headers, ...(request.isPrivate && PRIVATE) }).end()
  })
}

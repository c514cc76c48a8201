// Following the log as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Every follower
// goes at its own pace from a position that it names, so none gets an event twice or misses one, and none is waited for:
// what it cannot take is not kept for it but read again. Those at the head share one read of what is new.

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../../database/pool.ts'
import { isDatabaseUnavailable, isTakingTooLong } from '../../database/unavailable.ts'
import { type FeedLine, type FeedQuery, readFeedLines } from '../../eventlog/feed.ts'
import { readHead } from '../../eventlog/load.ts'
import { atMost } from '../../kernel/at-most.ts'
import { type ProblemWord, problemStatus, problemTitle, problemType } from '../../kernel/problem-words.ts'
import type { Context } from './context.ts'
import { Problem } from './problem.ts'

export const EVENT_STREAM_TYPE = 'text/event-stream'

const HEADERS = {
  'content-type': EVENT_STREAM_TYPE,
  'cache-control': 'no-store',
  // Some proxies gather an answer before they hand it on.
  'x-accel-buffering': 'no',
  vary: 'Accept',
}

export type Following = {
  /** How many followers a process takes. */
  max: number
  /** After so long without an event a follower is told that the connection lives, and how far the log is. */
  heartbeatMs: number
  /** A follower that takes nothing for so long is cut off. */
  slowMs: number
}

export const FOLLOWING: Following = { max: 500, heartbeatMs: 15_000, slowMs: 10_000 }

/** How long a client waits before it connects again: at random between these, so that not all of them come at once. */
const RETRY_MS = [1_000, 3_000] as const
/** How long the database is left alone where it cannot be reached. */
const UNAVAILABLE_MS = 1_000
const STOPS = ': the service stops\n\n'
/** How long the last words to a follower may take: one that was too slow is given time, a service that stops has none. */
const LAST_WORDS_MS = 10_000
const LAST_WORDS_AT_STOP_MS = 1_000
/** What is read for a follower at once: each may hold as much, and there may be many. */
const PAGE = 250
const PAGE_BYTES = 128 * 1024
/** How many bytes are written before it is asked whether the client has taken them. */
const PIECE_BYTES = 64 * 1024
/** How many pages are read at once for all followers together, so that recording and answering keep their connections. */
const READS_AT_ONCE = 3

type Selection = Omit<FeedQuery, 'limit'>

export type Followers = {
  /** Answers with the events of a selection, those that are yet to come among them. `size` is the log's, as far as known. */
  follow: (
    request: FastifyRequest,
    reply: FastifyReply,
    selection: Selection & { size: number },
  ) => Promise<FastifyReply | undefined>
  /** Ends all of them; resolves when they have taken their last words, or have had the time to. */
  close: () => Promise<void>
}

/** The position that a client has had last, and goes on after; null where it names none. Throws Problem `malformed`. */
function lastEventId(request: FastifyRequest): number | null {
  const last = request.headers['last-event-id']
  if (last === undefined) return null
  if (typeof last === 'string' && /^(?:-1|\d{1,15})$/.test(last)) return Number(last)
  throw new Problem('malformed', { detail: 'header Last-Event-ID: expected a position' })
}

/** An event as its follower gets it. Ids are numbers and lines hold no line break, so nothing can pass for another field. */
function frame({ position, line }: FeedLine): string {
  return `id: ${position}\ndata: ${line}\n\n`
}

/** No event, as it has no data: only where the client goes on from. What it does not want is not looked at again then. */
function placeFrame(position: number): string {
  return position >= 0 ? `id: ${position}\n\n` : '\n'
}

/** A "no" in the middle of a stream. */
function problemFrame(word: ProblemWord, detail: string): string {
  const problem = { type: problemType(word), title: problemTitle(word), status: problemStatus(word), detail }
  return `event: problem\ndata: ${JSON.stringify(problem)}\n\n`
}

/**
 * Frames as they go over the wire, in pieces that even a slow client takes one of in time: an event may be of a megabyte, and
 * whoever is cut off in the middle of one begins it again.
 */
function piecesOf(lines: readonly FeedLine[]): Uint8Array[] {
  const bytes = Buffer.from(lines.map(frame).join(''))
  const count = Math.ceil(bytes.length / PIECE_BYTES)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES))
}

function retryMs(): number {
  const [least, most] = RETRY_MS
  return Math.round(least + Math.random() * (most - least))
}

type Piece = string | Uint8Array

/** One connection. */
class Follower {
  readonly #response: ServerResponse
  readonly #slowMs: number
  isOpen = true
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>
  #wroteAt = performance.now()
  #unwritten: readonly Piece[] = []
  /** Woken since it last looked: then there is no rest. */
  #isWoken = false
  /** Ends the rest, and the wait for the client, where there is one. */
  #endRest: () => void = () => {}
  #endWait: (isDrained: boolean) => void = () => {}

  constructor(response: ServerResponse, slowMs: number) {
    this.#response = response
    this.#slowMs = slowMs
    response.on('drain', () => this.#endWait(true))
    this.gone = new Promise((resolve) => response.on('close', resolve))
    response.on('close', () => this.#stop())
    response.on('error', () => this.#stop())
  }

  #stop(): void {
    this.isOpen = false
    this.#endRest()
    this.#endWait(false)
  }

  wake(): void {
    this.#isWoken = true
    this.#endRest()
  }

  /** Says that what it is woken for after this has not been looked at yet. */
  look(): void {
    this.#isWoken = false
  }

  /** For how long nothing has been written. */
  get quietMs(): number {
    return performance.now() - this.#wroteAt
  }

  /** Resolves after so long, or when it is woken or closed, or has been woken since it looked. */
  rest(ms: number): Promise<void> {
    if (!this.isOpen || this.#isWoken) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#endRest(), ms)
      this.#endRest = () => {
        clearTimeout(timer)
        this.#endRest = () => {}
        resolve()
      }
    })
  }

  /**
   * Writes piece by piece, at the pace of the client; the last piece ends a frame, others need not. False where the client has
   * gone, or takes nothing: then it is cut off.
   */
  async write(...pieces: readonly Piece[]): Promise<boolean> {
    this.#unwritten = pieces
    while (this.isOpen) {
      const [piece, ...rest] = this.#unwritten
      if (piece === undefined) return true
      this.#unwritten = rest
      this.#wroteAt = performance.now()
      if (!this.#response.write(piece) && !(await this.#drained())) this.#cutOff()
    }
    return false
  }

  #drained(): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#endWait(false), this.#slowMs)
      this.#endWait = (isDrained) => {
        clearTimeout(late)
        this.#endWait = () => {}
        resolve(isDrained)
      }
    })
  }

  /** Tells why, where it can still be told, and closes. */
  #cutOff(): void {
    this.end(problemFrame('too-slow', `nothing was taken for ${this.#slowMs / 1_000} s: connect again`), LAST_WORDS_MS)
  }

  end(lastWords: string, withinMs = LAST_WORDS_AT_STOP_MS): void {
    if (!this.isOpen) return
    // What was begun is ended first: whatever followed half an event would end it as a whole one.
    for (const piece of this.#unwritten) this.#response.write(piece)
    this.#response.end(lastWords)
    // What is not taken now never will be.
    const cut = setTimeout(() => this.#response.destroy(), withinMs)
    this.#response.on('close', () => clearTimeout(cut))
    this.#stop()
  }
}

/** Reads of the same page at the same time are one; not too many at once. */
function sharedReads(db: Database) {
  const inTurn = atMost(READS_AT_ONCE)
  const reads = new Map<string, Promise<FeedLine[]>>()
  const read = (query: Selection) => inTurn(() => readFeedLines(db, { ...query, limit: PAGE }, PAGE_BYTES))
  return {
    read,
    readShared(register: string, after: number, until: number): Promise<FeedLine[]> {
      const name = `${register} ${after} ${until}`
      const known = reads.get(name)
      if (known) return known
      const lines = read({ register, after, until }).finally(() => reads.delete(name))
      reads.set(name, lines)
      return lines
    },
  }
}

/** The next events of a selection, and how far they were looked for. */
type Next = { pieces: readonly Uint8Array[]; last: number | null; upTo: number }

/** The followers of a process. */
export function createFollowers({ db, heads }: Context, following: Following): Followers {
  const open = new Set<Follower>()
  let isStopping = false
  const { read, readShared } = sharedReads(db)
  /** The pieces of shared pages: put together once for all who take all of them. */
  const shared = new WeakMap<readonly FeedLine[], readonly Uint8Array[]>()

  function nextOf(lines: readonly FeedLine[], upTo: number): Next {
    const pieces = shared.get(lines) ?? piecesOf(lines)
    return { pieces, last: lines.at(-1)?.position ?? null, upTo }
  }

  async function next({ register, streams = [], types = [] }: Selection, after: number, until: number): Promise<Next> {
    const isWhole = streams.length === 0 && types.length === 0
    if (!isWhole && until - after > PAGE) {
      const lines = await read({ register, after, until, streams, types })
      return nextOf(lines, lines.at(-1)?.position ?? until)
    }
    const all = await readShared(register, after, until)
    const upTo = all.at(-1)?.position ?? until
    if (isWhole) {
      if (!shared.has(all)) shared.set(all, piecesOf(all))
      return nextOf(all, upTo)
    }
    const isWanted = ({ stream, type }: FeedLine) =>
      (streams.length === 0 || streams.includes(stream)) && (types.length === 0 || types.includes(type))
    return nextOf(all.filter(isWanted), upTo)
  }

  /** What there is after a position, if there is anything yet and if the database can be reached now. */
  async function look(selection: Selection, position: number): Promise<Next | 'nothing' | 'unavailable'> {
    try {
      const head = heads.peek(selection.register) ?? (await heads.read(selection.register))
      const until = Math.min(selection.until, (head?.size ?? 0) - 1)
      return position < until ? await next(selection, position, until) : 'nothing'
    } catch (error) {
      // Not the follower's fault, and a browser that is refused when it comes again never comes back: it waits here.
      if (isDatabaseUnavailable(error) || isTakingTooLong(error)) return 'unavailable'
      throw error
    }
  }

  /** Writes what there is and what is to come, from a position on, until the follower has gone or has everything. */
  async function run(follower: Follower, selection: Selection, start: number): Promise<void> {
    // How far it has been looked, and how far the client knows of.
    let position = start
    let told = start
    while (follower.isOpen && position < selection.until) {
      if (follower.quietMs >= following.heartbeatMs) {
        if (!(await follower.write(`: still here\n${placeFrame(position)}`))) return
        told = position
      }
      follower.look()
      const found = await look(selection, position)
      if (typeof found === 'string') {
        const leftMs = Math.max(0, following.heartbeatMs - follower.quietMs)
        await follower.rest(found === 'nothing' ? leftMs : Math.min(leftMs, UNAVAILABLE_MS))
        continue
      }
      if (!(await follower.write(...found.pieces))) return
      told = found.last ?? told
      position = found.upTo
    }
    follower.end(told < position ? placeFrame(position) : '')
  }

  async function serve(follower: Follower, selection: Selection, start: number): Promise<void> {
    // It has been let in while the others were sent away.
    if (isStopping) return follower.end(STOPS)
    open.add(follower)
    const unfollow = heads.follow(selection.register, () => follower.wake())
    try {
      if (await follower.write(`retry: ${retryMs()}\n\n`)) await run(follower, selection, start)
    } catch (error) {
      follower.end(problemFrame('internal', problemTitle('internal')))
      throw error
    } finally {
      unfollow()
      open.delete(follower)
    }
  }

  /** Refuses a position that was told and that the log does not have, as after it was lost: what comes would be missed. */
  async function checkStart(register: string, start: number, size: number): Promise<void> {
    if (start < size) return
    // Another process may know of more, and have told the client.
    const now = (await readHead(db, register))?.size ?? 0
    if (start < now) return
    throw new Problem('beyond-knowledge', { detail: `${register} holds ${now} events: there is no position ${start}` })
  }

  return {
    async follow(request, reply, { size, ...selection }) {
      const last = lastEventId(request)
      if (last !== null) await checkStart(selection.register, last, size)
      const start = last ?? selection.after
      // To a client that asks again for what has ended, 204 says that there is no more.
      if (start >= selection.until) return reply.code(204).send()
      if (request.method === 'HEAD') return reply.headers(HEADERS).send(Readable.from([]))
      if (open.size >= following.max) {
        const detail = `${following.max} followers are connected already`
        throw new Problem('too-many-followers', { detail, headers: { 'retry-after': '5' } })
      }
      const vary = [reply.getHeader('vary') ?? [], HEADERS.vary].flat().join(', ')
      // Safe: what has been set is set.
      const headers = { ...reply.getHeaders(), ...HEADERS, vary } as OutgoingHttpHeaders
      reply.hijack()
      // The connection goes with the answer: a service that stops does not wait for what might be asked on it.
      reply.raw.writeHead(200, { ...headers, connection: 'close' })
      const follower = new Follower(reply.raw, following.slowMs)
      serve(follower, selection, start).catch((error) => request.log.error({ err: error }, 'a follower was lost'))
      return undefined
    },
    async close() {
      isStopping = true
      const last = [...open]
      for (const follower of last) follower.end(STOPS)
      await Promise.all(last.map(({ gone }) => gone))
    },
  }
}

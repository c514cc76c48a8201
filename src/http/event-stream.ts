// Following the log as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Every follower
// goes at its own pace from a position that it names, so none gets an event twice or misses one, and none is waited for:
// what it cannot take is not kept for it but read again. Those at the head share one read of what is new.

import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '../database/pool.ts'
import { type FeedLine, type FeedQuery, readFeedLines } from '../eventlog/feed.ts'
import { type ProblemWord, problemStatus, problemTitle, problemType } from '../kernel/problem-words.ts'
import type { Context } from './context.ts'
import { isDatabaseUnavailable, Problem } from './problem.ts'

export const EVENT_STREAM_TYPE = 'text/event-stream'

export type Following = {
  /** How many followers a process takes. */
  max: number
  /** After so long without an event a follower is told that the connection lives, and how far the log is. */
  heartbeatMs: number
  /** A follower that takes nothing for so long is cut off. */
  slowMs: number
}

export const FOLLOWING: Following = { max: 500, heartbeatMs: 15_000, slowMs: 10_000 }

/** How long a client waits before it connects again. */
const RETRY_MS = 1_000
const PAGE = 1_000

type Selection = Omit<FeedQuery, 'limit'>

export type Followers = {
  /** Answers with the events of a selection, those that are yet to come among them. `size` is the log's, read now. */
  follow: (
    request: FastifyRequest,
    reply: FastifyReply,
    selection: Selection & { size: number },
  ) => FastifyReply | undefined
  /** Ends all of them. */
  close: () => void
}

/** The position that a client names to go on after. Throws Problem `malformed` or `beyond-knowledge`. */
function startOf(request: FastifyRequest, { register, after, size }: Selection & { size: number }): number {
  const last = request.headers['last-event-id']
  if (last !== undefined && !(typeof last === 'string' && /^\d{1,15}$/.test(last))) {
    throw new Problem('malformed', { detail: 'header Last-Event-ID: expected a position' })
  }
  const start = last === undefined ? after : Number(last)
  if (start < size) return start
  throw new Problem('beyond-knowledge', { detail: `${register} holds ${size} events: there is no position ${start}` })
}

/** An event as its follower gets it. Ids are numbers and lines hold no line break, so nothing can pass for another field. */
function frame({ position, line }: FeedLine): string {
  return `id: ${position}\ndata: ${line}\n\n`
}

/** A "no" in the middle of a stream. */
function problemFrame(word: ProblemWord, detail: string): string {
  const problem = { type: problemType(word), title: problemTitle(word), status: problemStatus(word), detail }
  return `event: problem\ndata: ${JSON.stringify(problem)}\n\n`
}

/** One connection. */
class Follower {
  readonly #response: ServerResponse
  readonly #slowMs: number
  isOpen = true
  /** Ends whatever it waits for. */
  #wake: () => void = () => {}

  constructor(response: ServerResponse, slowMs: number) {
    this.#response = response
    this.#slowMs = slowMs
    response.on('close', () => this.#stop())
    response.on('error', () => this.#stop())
  }

  #stop(): void {
    this.isOpen = false
    this.#wake()
  }

  wake(): void {
    this.#wake()
  }

  /** Resolves after so long, or when it is woken or closed. */
  rest(ms: number): Promise<void> {
    if (!this.isOpen) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Writes, and waits until the client has taken it. False where it has not for too long: it is cut off then. */
  async write(text: string): Promise<boolean> {
    if (!this.isOpen) return false
    if (this.#response.write(text)) return true
    const isDrained = await new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), this.#slowMs)
      const done = (drained: boolean) => {
        clearTimeout(late)
        resolve(drained)
      }
      this.#response.once('drain', () => done(true))
      this.#response.once('close', () => done(false))
    })
    if (!isDrained && this.isOpen) this.#cutOff()
    return isDrained
  }

  /** Tells why, where it can still be told, and closes. */
  #cutOff(): void {
    this.#response.end(problemFrame('too-slow', `nothing was taken for ${this.#slowMs / 1_000} s: connect again`))
    // What is not taken now never will be.
    setTimeout(() => this.#response.destroy(), RETRY_MS).unref()
    this.#stop()
  }

  end(text: string): void {
    if (this.isOpen) this.#response.end(text)
    this.#stop()
  }
}

/** Reads of the same page at the same time are one. */
function sharedReads(db: Database) {
  const reads = new Map<string, Promise<FeedLine[]>>()
  return (register: string, after: number, until: number): Promise<FeedLine[]> => {
    const name = `${register} ${after} ${until}`
    const known = reads.get(name)
    if (known) return known
    const read = readFeedLines(db, { register, after, until, limit: PAGE }).finally(() => reads.delete(name))
    reads.set(name, read)
    return read
  }
}

/** The followers of a process. */
export function createFollowers({ db, heads }: Context, following: Following): Followers {
  const open = new Set<Follower>()
  const readShared = sharedReads(db)

  /** The next events after a position, and how far they were looked for. */
  async function next(selection: Selection, after: number, size: number): Promise<{ lines: FeedLine[]; upTo: number }> {
    const { register, streams = [], types = [] } = selection
    const until = Math.min(selection.until, size - 1)
    const isWhole = streams.length === 0 && types.length === 0
    if (!isWhole && until - after > PAGE) {
      const lines = await readFeedLines(db, { ...selection, after, until, limit: PAGE })
      return { lines, upTo: lines.at(-1)?.position ?? until }
    }
    const all = await readShared(register, after, until)
    const isWanted = ({ stream, type }: FeedLine) =>
      (streams.length === 0 || streams.includes(stream)) && (types.length === 0 || types.includes(type))
    return { lines: isWhole ? all : all.filter(isWanted), upTo: all.at(-1)?.position ?? until }
  }

  async function run(follower: Follower, selection: Selection, start: number): Promise<void> {
    const { register, until } = selection
    let position = start
    let told = start
    while (follower.isOpen) {
      const head = heads.peek(register) ?? (await heads.read(register))
      const size = head?.size ?? 0
      if (position < Math.min(until, size - 1)) {
        const { lines, upTo } = await next(selection, position, size)
        if (lines.length > 0 && !(await follower.write(lines.map(frame).join('')))) return
        told = lines.at(-1)?.position ?? told
        position = upTo
      } else if (position >= until) {
        return follower.end(told < position ? `id: ${position}\n\n` : '')
      } else {
        const from = performance.now()
        await follower.rest(following.heartbeatMs)
        const isQuiet = performance.now() - from >= following.heartbeatMs - 1
        // An id without data is no event, but where the client goes on from: what it does not want is not looked at again.
        if (
          isQuiet &&
          !(await follower.write(position >= 0 ? `: still here\nid: ${position}\n\n` : ': still here\n\n'))
        )
          return
        if (isQuiet) told = position
      }
    }
  }

  async function serve(follower: Follower, selection: Selection, start: number): Promise<void> {
    const unfollow = heads.follow(selection.register, () => follower.wake())
    open.add(follower)
    try {
      if (await follower.write(`retry: ${RETRY_MS}\n\n`)) await run(follower, selection, start)
    } catch (error) {
      const word = isDatabaseUnavailable(error) ? 'database-unavailable' : 'internal'
      follower.end(problemFrame(word, problemTitle(word)))
      if (word === 'internal') throw error
    } finally {
      unfollow()
      open.delete(follower)
    }
  }

  return {
    follow(request, reply, { size, ...selection }) {
      const start = startOf(request, { ...selection, size })
      // To a client that asks again for what has ended, 204 says that there is no more.
      if (start >= selection.until) return reply.code(204).send()
      if (open.size >= following.max) {
        const detail = `${following.max} followers are connected already`
        throw new Problem('too-many-followers', { detail, headers: { 'retry-after': '5' } })
      }
      const headers = {
        'content-type': EVENT_STREAM_TYPE,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        vary: 'Accept',
      }
      if (request.method === 'HEAD') return reply.headers(headers).send()
      reply.hijack()
      reply.raw.writeHead(200, headers)
      const follower = new Follower(reply.raw, following.slowMs)
      serve(follower, selection, start).catch((error) => request.log.error({ err: error }, 'a follower was lost'))
      return undefined
    },
    close() {
      for (const follower of open) follower.end(': the service stops\n\n')
    },
  }
}

// Following the log as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Every
// follower advances at its own pace from a position that it names, so none gets an event twice or misses one. The
// service waits for none: events that a follower cannot take yet are not kept, but read again. Followers at the head
// share one read of the new events.

import type { OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isDatabaseUnavailable, isTakingTooLong } from '../../database/unavailable.ts'
import { readHead } from '../../eventlog/heads.ts'
import { problemTitle } from '../../kernel/problem-words.ts'
import type { Context } from './context.ts'
import { createPageReader, type FeedPage, type ReadPage, type Selection } from './feed-pages.ts'
import { Follower, placeFrame, problemFrame } from './follower.ts'
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

/** What the followers of a process share. */
type Shared = Pick<Context, 'db' | 'heads'> & { following: Following; readPage: ReadPage }

/** Creates the followers of a process. */
export function createFollowers({ db, heads }: Context, following: Following): Followers {
  const shared = { db, heads, following, readPage: createPageReader(db) }
  const open = new Set<Follower>()
  let isStopping = false

  async function serve(follower: Follower, selection: Selection, start: number): Promise<void> {
    // It has been let in while the others were sent away.
    if (isStopping) return follower.end(STOPS)
    open.add(follower)
    try {
      await serveFollower(shared, follower, selection, start)
    } finally {
      open.delete(follower)
    }
  }

  return {
    async follow(request, reply, { size, ...selection }) {
      const start = await startOf(shared, request, selection, size)
      // To a client that asks again for what has ended, 204 says that there is no more.
      if (start >= selection.until) return reply.code(204).send()
      if (request.method === 'HEAD') return reply.headers(HEADERS).send(Readable.from([]))
      if (open.size >= following.max) {
        const detail = `${following.max} followers are connected already`
        throw new Problem('too-many-followers', { detail, headers: { 'retry-after': '5' } })
      }
      const follower = connect(reply, following.slowMs)
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

/**
 * The position after which a client goes on: the one it has had last, else the one it asks for. Throws Problem `malformed`, and
 * `beyond-knowledge` for one that the log does not have, as after it was lost: events would be missed.
 */
async function startOf(
  { db }: Shared,
  request: FastifyRequest,
  { register, after }: Selection,
  size: number,
): Promise<number> {
  const last = lastEventId(request)
  if (last === null) return after
  if (last < size) return last
  // Another process may know of more, and have told the client.
  const now = (await readHead(db, register))?.size ?? 0
  if (last < now) return last
  throw new Problem('beyond-knowledge', { detail: `${register} holds ${now} events: there is no position ${last}` })
}

/** The position that a client has had last; null where it names none. Throws Problem `malformed`. */
function lastEventId(request: FastifyRequest): number | null {
  const last = request.headers['last-event-id']
  if (last === undefined) return null
  if (typeof last === 'string' && /^(?:-1|\d{1,15})$/.test(last)) return Number(last)
  throw new Problem('malformed', { detail: 'header Last-Event-ID: expected a position' })
}

/** Begins the answer, and takes the connection out of the hands of fastify. */
function connect(reply: FastifyReply, slowMs: number): Follower {
  const vary = [reply.getHeader('vary') ?? [], HEADERS.vary].flat().join(', ')
  // Safe: what has been set is set.
  const headers = { ...reply.getHeaders(), ...HEADERS, vary } as OutgoingHttpHeaders
  reply.hijack()
  // The connection goes with the answer: a service that stops does not wait for what might be asked on it.
  reply.raw.writeHead(200, { ...headers, connection: 'close' })
  return new Follower(reply.raw, slowMs)
}

/** Serves a follower until it has gone or has everything. */
async function serveFollower(shared: Shared, follower: Follower, selection: Selection, start: number): Promise<void> {
  const unfollow = shared.heads.follow(selection.register, () => follower.wake())
  try {
    if (await follower.write(`retry: ${retryMs()}\n\n`)) await writeEvents(shared, follower, selection, start)
  } catch (error) {
    follower.end(problemFrame('internal', problemTitle('internal')))
    throw error
  } finally {
    unfollow()
  }
}

function retryMs(): number {
  const [least, most] = RETRY_MS
  return Math.round(least + Math.random() * (most - least))
}

/** Writes what there is and what is to come, from a position on, until the follower has gone or has everything. */
async function writeEvents(shared: Shared, follower: Follower, selection: Selection, start: number): Promise<void> {
  const { heartbeatMs } = shared.following
  // How far the log was looked through, and the position that the client has had last.
  let position = start
  let sent = start
  while (follower.isOpen && position < selection.until) {
    if (follower.quietMs >= heartbeatMs) {
      if (!(await follower.write(`: still here\n${placeFrame(position)}`))) return
      sent = position
    }
    follower.beginLook()
    const found = await look(shared, selection, position)
    if (typeof found === 'string') {
      const leftMs = Math.max(0, heartbeatMs - follower.quietMs)
      await follower.rest(found === 'nothing' ? leftMs : Math.min(leftMs, UNAVAILABLE_MS))
      continue
    }
    if (!(await follower.write(...found.pieces))) return
    sent = found.last ?? sent
    position = found.upTo
  }
  follower.end(sent < position ? placeFrame(position) : '')
}

/** What there is after a position, if there is anything yet and if the database can be reached now. */
async function look(
  { heads, readPage }: Shared,
  selection: Selection,
  position: number,
): Promise<FeedPage | 'nothing' | 'unavailable'> {
  try {
    const head = heads.peek(selection.register) ?? (await heads.read(selection.register))
    const until = Math.min(selection.until, (head?.size ?? 0) - 1)
    return position < until ? await readPage(selection, position, until) : 'nothing'
  } catch (error) {
    // Not the follower's fault, and a browser that is refused when it comes again never comes back: it waits here.
    if (isDatabaseUnavailable(error) || isTakingTooLong(error)) return 'unavailable'
    throw error
  }
}

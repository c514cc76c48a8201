// What one request and one connection may take of the service. What a body may hold is in body.ts, how often a caller may ask
// in rates.ts, how long a statement may take in database/bounds.ts.

import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { endWith, hasBody, Problem } from './problem.ts'

const MAX_HEADER_BYTES = 16_384
const MAX_HEADERS = 100
const MAX_PARAMETERS = 1_000
/** Requests of one connection under way at once: node:http begins with whatever has come, answered or not. */
const MAX_PIPELINED = 16

const HEADERS_MS = 20_000
/** A whole JSON body. One of lines is as long as it is: it has to keep coming. */
const BODY_MS = 30_000
/** A connection on which nothing comes and nothing is taken. */
const SILENT_MS = 120_000
const KEEP_ALIVE_MS = 72_000
const LOOK_EVERY_MS = 2_000

/** How long a client may take, for tests to shorten. */
export type Patience = { headersMs: number; bodyMs: number; silentMs: number }

export const PATIENCE: Patience = { headersMs: HEADERS_MS, bodyMs: BODY_MS, silentMs: SILENT_MS }

/** The limits that node:http keeps by itself. */
export function serverLimits({ headersMs, silentMs }: Patience) {
  return {
    connectionTimeout: silentMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // Not for a whole request: an import may take hours. See `bodyDeadline`.
    requestTimeout: 0,
    http: {
      // Refused with a problem, as everything is: see `check`.
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: headersMs,
      connectionsCheckingInterval: LOOK_EVERY_MS,
    },
  }
}

function parameterCount(url: string): number {
  let count = 0
  for (let at = url.indexOf('?'); at >= 0; at = url.indexOf('&', at + 1)) count += 1
  return count
}

function hostCount({ rawHeaders }: IncomingMessage): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

function check({ raw, routeOptions }: FastifyRequest): void {
  const hosts = hostCount(raw)
  if (hosts > 1 || (hosts === 0 && raw.httpVersion === '1.1')) {
    throw new Problem('malformed', { detail: `a request names one host, not ${hosts}` })
  }
  if (raw.rawHeaders.length > 2 * MAX_HEADERS) {
    throw new Problem('header-too-large', { detail: `a request has at most ${MAX_HEADERS} header fields` })
  }
  if (parameterCount(raw.url ?? '') > MAX_PARAMETERS) {
    throw new Problem('malformed', { detail: `a request has at most ${MAX_PARAMETERS} parameters` })
  }
  if (!routeOptions.config.consumes && routeOptions.url !== undefined && hasBody(raw)) {
    throw new Problem('malformed', { detail: `${raw.method} takes no body here` })
  }
}

const underWay = Symbol('requests under way')

type Connection = IncomingMessage['socket'] & { [underWay]?: number }

/** Refuses one request too many; throws Problem `rate-limited`. */
function checkPipeline(
  { raw: request }: FastifyRequest,
  response: { once: (event: 'close', done: () => void) => void },
) {
  const socket: Connection = request.socket
  const count = (socket[underWay] ?? 0) + 1
  socket[underWay] = count
  response.once('close', () => {
    socket[underWay] = (socket[underWay] ?? 1) - 1
  })
  if (count <= MAX_PIPELINED) return
  const detail = `a connection has at most ${MAX_PIPELINED} requests under way`
  throw new Problem('rate-limited', { detail, headers: { 'retry-after': '1' } })
}

/** Refuses what no request of a client in good faith has, before anything is done about it. */
export function limitRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    // What is left of it is not read: the connection goes with the answer.
    if (hasBody(request.raw) && !request.routeOptions.config.consumes) reply.header('connection', 'close')
    try {
      check(request)
      checkPipeline(request, reply.raw)
      done()
    } catch (error) {
      reply.header('connection', 'close')
      done(error as Error)
    }
  })
}

/** Lets the connection of a request be silent for as long as its answer takes. */
export function mayBeSilent({ raw: { socket } }: FastifyRequest): void {
  // What fastify injects comes without a connection.
  if (socket instanceof Socket) socket.setTimeout(0)
}

const deadline = Symbol('when the body has to be there')

declare module 'fastify' {
  interface FastifyRequest {
    [deadline]?: NodeJS.Timeout
  }
}

function cutOff({ socket }: IncomingMessage, detail: string): void {
  // What fastify injects comes without a connection.
  if (socket instanceof Socket) endWith(socket, new Problem('slow-request', { detail }))
}

/** Cuts off a request whose body has not come as a whole by then; `bodyIsThere` ends that. */
export function awaitBody(request: FastifyRequest, ms: number): void {
  const { raw } = request
  request[deadline] = setTimeout(() => {
    if (!raw.complete && !raw.destroyed) cutOff(raw, `the body was not there after ${ms / 1_000} s`)
  }, ms)
  request[deadline].unref()
}

export function bodyIsThere(request: FastifyRequest): void {
  clearTimeout(request[deadline])
}

const LEAST_BYTES = 1_024

/** Cuts off a request whose body comes a few bytes at a time: a body of lines is as long as it is, but it has to keep coming. */
export function awaitLines({ raw }: FastifyRequest, ms: number): void {
  let before = raw.socket.bytesRead
  const look = setInterval(() => {
    if (raw.complete || raw.destroyed) return clearInterval(look)
    const { bytesRead } = raw.socket
    // What has come and is not taken waits for the database, not for the client.
    const isSlow = raw.readableLength === 0 && bytesRead - before < LEAST_BYTES
    before = bytesRead
    if (isSlow) cutOff(raw, `fewer than ${LEAST_BYTES} bytes came in ${ms / 1_000} s`)
  }, ms)
  // A process does not stay for it: what is injected, and not read, neither ends nor closes.
  look.unref()
  for (const end of ['end', 'close']) raw.once(end, () => clearInterval(look))
}

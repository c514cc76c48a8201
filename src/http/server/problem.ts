// Every error as RFC 9457 problem+json: a closed list of words, each with its status; router and parser errors included.

import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { withoutTokens } from '../../access/tokens.ts'
import { isDatabaseUnavailable, isTakingTooLong } from '../../database/unavailable.ts'
import { issuesOf, type ParseIssue } from '../../domain/admission/posted-event.ts'
import { UnreadableEventError } from '../../domain/repairs.ts'
import {
  PROBLEM_WORDS,
  type ProblemWord,
  problemStatus,
  problemTitle,
  problemType,
} from '../../kernel/problem-words.ts'
import { ProjectionBehindError } from '../../projections/core/projection.ts'
import { RefusalError } from '../../questions/refusal.ts'
import { QueueFullError } from '../../recording/recorder.ts'
import { problemAnswer } from './named-problems.ts'

type Details = { detail?: string; errors?: ParseIssue[]; headers?: Record<string, string> } & Record<string, unknown>

/** A problem to answer with; thrown from a route, answered by the error handler. */
export class Problem extends Error {
  readonly word: ProblemWord
  readonly details: Details

  constructor(word: ProblemWord, details: Details = {}) {
    super(details.detail ?? problemTitle(word))
    this.word = word
    this.details = details
  }
}

/** A parameter, header or body that its schema refused. */
class InvalidInputError extends Error {
  readonly error: z.core.$ZodError
  validationContext?: string

  constructor(error: z.core.$ZodError) {
    super('invalid input')
    this.error = error
  }
}

/** The validator of a part of a request: what its schema makes of it, or why it refuses it. */
export function validator(schema: z.ZodType) {
  return (data: unknown) => {
    const parsed = schema.safeParse(data)
    return parsed.success ? { value: parsed.data } : { error: new InvalidInputError(parsed.error) }
  }
}

const MEDIA_TYPE = 'application/problem+json; charset=utf-8'

function problemBody({ word, details }: Problem, instance: string) {
  const { headers: _, ...rest } = details
  return { type: problemType(word), title: problemTitle(word), status: problemStatus(word), instance, ...rest }
}

/** True for a request that something follows. */
export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/** How long a client may take to read why it is cut off. */
const LAST_WORDS_MS = 1_000

/**
 * Lets a closing connection read on for a moment and discards the data. If sent data were left unread, the client's
 * system would throw away the answer with it.
 */
function linger(socket: Socket): void {
  // Called by node:http when the last answer has been written.
  socket.destroySoon = () => {
    socket.end()
    setTimeout(() => socket.destroy(), LAST_WORDS_MS)
  }
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  // The query is left out: it may hold what a log or a screenshot should not.
  const [instance] = request.url.split('?', 1)
  // What has not come of it will not be read.
  if (!request.raw.complete && hasBody(request.raw)) {
    reply.header('connection', 'close')
    linger(request.raw.socket)
  }
  return reply
    .code(problemStatus(problem.word))
    .removeHeader('etag')
    .headers(problem.details.headers ?? {})
    .header('cache-control', 'no-store')
    .header('content-type', MEDIA_TYPE)
    .serializer((body: unknown) => withoutTokens(JSON.stringify(body)))
    .send(problemBody(problem, instance ?? '/'))
}

const MAX_ERRORS = 100

/** The problem of a body that its schema refuses, with the first 100 of what is wrong. */
export function invalidBody(issues: readonly ParseIssue[]): Problem {
  const [first] = issues
  const where = first?.pointer ? `${first.pointer}: ` : ''
  return new Problem('invalid-body', { detail: `${where}${first?.detail}`, errors: issues.slice(0, MAX_ERRORS) })
}

function invalidInput({ error, validationContext }: InvalidInputError): Problem {
  if (validationContext === 'body') return invalidBody(issuesOf(error))
  const errors = issuesOf(error).map(({ pointer, detail }) => ({
    pointer,
    detail: detail === 'unknown field' ? 'there is no such parameter' : detail,
  }))
  const first = errors[0]
  const what = validationContext === 'headers' ? 'header' : 'parameter'
  return new Problem('malformed', { detail: `${what} ${first?.pointer.slice(1)}: ${first?.detail}`, errors })
}

const FROM_FASTIFY: Record<string, ProblemWord> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed',
  FST_ERR_BAD_URL: 'malformed',
  FST_ERR_ASYNC_CONSTRAINT: 'malformed',
  FST_ERR_MAX_LIMIT_REACHED: 'too-large',
}

/** The problem of a question that was refused. */
function refusal({ word, details: { detail, parameter, retryAfterSeconds, redacted } }: RefusalError): Problem {
  if (parameter !== undefined) {
    const errors = [{ pointer: `/${parameter}`, detail }]
    return new Problem(word, { detail: `parameter ${parameter}: ${detail}`, errors })
  }
  return new Problem(word, {
    detail,
    ...(redacted === undefined ? {} : { redacted }),
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
  })
}

/** The problem that an error is answered with. */
function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof RefusalError) return refusal(error)
  if (error instanceof InvalidInputError) return invalidInput(error)
  if (error instanceof QueueFullError) {
    const detail = 'more recordings wait than the service takes on; nothing of this one was recorded'
    return new Problem('queue-full', { detail, headers: { 'retry-after': '1' } })
  }
  if (error instanceof ProjectionBehindError) {
    return new Problem('projection-behind', { detail: error.message, headers: { 'retry-after': '1' } })
  }
  // What no fold of this version can read: that it is there is no fault of the request, and a newer service may answer.
  if (error instanceof UnreadableEventError) {
    return new Problem('projection-behind', { detail: error.message, headers: { 'retry-after': '10' } })
  }
  if (isDatabaseUnavailable(error)) return new Problem('database-unavailable', { headers: { 'retry-after': '1' } })
  const { code, statusCode, message } = error as Partial<FastifyError>
  if (isTakingTooLong(error)) return new Problem('took-too-long', { headers: { 'retry-after': '5' } })
  const word = code && FROM_FASTIFY[code]
  if (word) return new Problem(word, message === undefined ? {} : { detail: message })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new Problem('malformed')
  return new Problem('internal')
}

/**
 * The error handler: answers with the problem. An unforeseen error is logged whole and answered without its insides.
 */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { raw } = request
  // The client has gone in the middle of what it sent: its connection has broken, not that of the database.
  const problem = raw.destroyed && !raw.complete ? new Problem('malformed') : problemOf(error)
  if (problem.word === 'internal') request.log.error({ err: error }, 'request failed')
  // Foreseen, and under load there may be thousands: a line each, without a stack.
  else if (problemStatus(problem.word) >= 500)
    request.log.warn({ problem: problem.word, reason: (error as Error).message || problem.message }, 'request refused')
  return sendProblem(request, reply, problem)
}

type KnownRoute = { matches: RegExp; method: string }

function pathPattern(url: string): RegExp {
  const escaped = url
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/:[A-Za-z]+/g, '[^/]+')
    .replaceAll('*', '.+')
  return new RegExp(`^${escaped}$`)
}

/** Answers what no route matches: 405 with `Allow` where the resource has other methods, else 404. */
export function answerUnmatched(app: FastifyInstance): void {
  const routes: KnownRoute[] = []
  app.addHook('onRoute', ({ url, method }) => {
    // Of @fastify/cors, for preflights: it has every path, and so says nothing of which there are.
    if (url === '*') return
    for (const one of [method].flat()) routes.push({ matches: pathPattern(url), method: one })
  })
  app.setNotFoundHandler((request, reply) => {
    const [path = '/'] = request.url.split('?', 1)
    const methods = [...new Set(routes.filter(({ matches }) => matches.test(path)).map(({ method }) => method))]
    const problem =
      methods.length === 0
        ? new Problem('unknown-route', { detail: `there is no ${path}` })
        : new Problem('method', {
            detail: `${request.method} is not one of ${methods.join(', ')}`,
            headers: { allow: methods.join(', ') },
          })
    return sendProblem(request, reply, problem)
  })
}

/** Answers past fastify, and ends the connection: whatever else comes on it cannot be told apart from what is refused. */
export function endWith(socket: Socket, problem: Problem): void {
  const body = JSON.stringify(problemBody(problem, '/'))
  const status = problemStatus(problem.word)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${MEDIA_TYPE}\r\nCache-Control: no-store\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
  setTimeout(() => socket.destroy(), LAST_WORDS_MS)
}

const UNREADABLE: Record<string, ProblemWord> = {
  HPE_HEADER_OVERFLOW: 'header-too-large',
  ERR_HTTP_REQUEST_TIMEOUT: 'slow-request',
}

/** Answers what node:http cannot even read as a request. */
export function answerUnreadable({ code }: Error & { code?: string }, socket: Socket): void {
  if (code === 'ECONNRESET' || !socket.writable) return
  const word = UNREADABLE[code ?? ''] ?? 'malformed'
  endWith(socket, new Problem(word, word === 'malformed' ? { detail: 'the request is not readable as HTTP/1.1' } : {}))
}

/** `/problems/{word}`: the meaning of a problem's type, for a reader who follows it. */
export function problemRoutes(app: FastifyInstance): void {
  const { type, title, status } = problemAnswer.shape
  app.get(
    '/problems/:word',
    {
      config: { permission: 'open', problems: ['unknown-route'] },
      schema: {
        operationId: 'readProblem',
        summary: 'Read what a kind of problem means',
        description: 'The address of this answer is the `type` of the problem.',
        tags: ['problems'],
        response: { 200: z.strictObject({ type, title, status }) },
      },
    },
    async (request) => {
      const { word } = request.params as { word: string }
      const known = PROBLEM_WORDS.find((other) => other === word)
      if (!known) throw new Problem('unknown-route')
      return { type: problemType(known), title: problemTitle(known), status: problemStatus(known) }
    },
  )
}

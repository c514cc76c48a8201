// Representations: which media type to answer in, and whether the caller has the answer already.

import { hash } from 'node:crypto'
import accepts from 'accepts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { RULES } from '../../domain/commitment/answer.ts'
import { type Basis, buildsOf } from '../../questions/basis.ts'
import { JSON_TYPE } from './body.ts'
import { tagged } from './etag-cache.ts'
import { Problem } from './problem.ts'

/**
 * The charset of a type that is asked for. Every answer is in UTF-8, which serves a client that asks for another
 * charset better than a refusal.
 */
const CHARSET = /;\s*charset\s*=\s*(?:"[^"]*"|[^\s;,"]*)/gi

const JSON_ALONE: readonly string[] = [JSON_TYPE]

/** The media type to answer in: the first that the caller accepts of those that the route has. */
export function answerType(request: FastifyRequest): string {
  const produces = request.routeOptions.config.produces ?? JSON_ALONE
  const { accept } = request.raw.headers
  // What nearly every caller sends; to read a header by the rules costs more than many an answer.
  if (accept === undefined || accept === '*/*' || accept === produces[0]) return produces[0] as string
  // Safe: of a request only the headers are looked at.
  const asked = { headers: { accept: accept.replaceAll(CHARSET, '') } } as FastifyRequest['raw']
  const type = accepts(asked).type([...produces])
  if (typeof type === 'string') return type
  throw new Problem('not-acceptable', { detail: `this resource comes as ${produces.join(' or ')}` })
}

/** Refuses requests for representations that a route does not have, before anything is done. */
export function negotiate(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    try {
      if (request.url.startsWith('/v1/') && request.routeOptions.url) answerType(request)
      done()
    } catch (error) {
      done(error as Error)
    }
  })
}

/**
 * What decides an answer besides the address: everything that a number depends on. With a basis, the same question is answered
 * from memory as long as that stands.
 */
export type Version = {
  size: number
  asOf?: string
  projection?: number | string
  basis?: Basis
  /** The parameters that were answered, where they are not those of the request. */
  parameters?: unknown
  /** Where the answer also tells what is no reason to send it again. */
  isWeak?: boolean
}

const MAX_DIGESTS = 2_000
const MAX_DIGESTED_LENGTH = 1_000
const digests = new LRUCache<string, string>({ max: MAX_DIGESTS })

/** A short text that stands for a long one; those of what dashboards ask about are kept. */
function digestOf(text: string): string {
  const known = digests.get(text)
  if (known !== undefined) return known
  const digest = hash('sha256', text, 'base64url').slice(0, 27)
  if (text.length > MAX_DIGESTED_LENGTH) return digest
  digests.set(text, digest)
  return digest
}

/**
 * Sets the ETag of an answer, and tells whether the caller has it already; then the reply is a 304 without a body. The tag
 * is over all that decides the answer, after defaults, so that it can be compared before any table is read.
 */
export function isUnchanged(request: FastifyRequest, reply: FastifyReply, version: Version): boolean {
  const [path] = request.url.split('?', 1)
  const type = answerType(request)
  const { size, asOf, projection = 0, basis, isWeak = false, parameters: answered = request.query } = version
  // The clocks stand in the version, resolved: `asOf` left out and today given are one question.
  // Safe: the schemas of all routes parse their parameters into objects.
  const { asOf: _, knownAt: __, minSize: ___, ...parameters } = answered as Record<string, unknown>
  const builds = basis ? buildsOf(basis.head, basis.source) : ''
  // What changes from poll to poll stands in the tag as it is, so that the rest need not be hashed anew each time.
  const opaque = `"${size}-${asOf ?? ''}-${digestOf(JSON.stringify([path, parameters, projection, builds, RULES, type]))}"`
  const tag = isWeak ? `W/${opaque}` : opaque
  tagged(reply, tag)
  if (basis) request.server.etags.remember(request, tag, basis)
  const known = request.headers['if-none-match']
  if (known === undefined) return false
  const isKnown = known.trim() === '*' || known.split(',').some((other) => other.trim().replace(/^W\//, '') === opaque)
  if (isKnown) reply.code(304)
  return isKnown
}

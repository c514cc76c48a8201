// Representations: which media type to answer in, and whether the caller has the answer already.

import { hash } from 'node:crypto'
import accepts from 'accepts'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RULES } from '../domain/commitment/answer.ts'
import { JSON_TYPE } from './body.ts'
import { Problem } from './problem.ts'

/** The media type to answer in: the first that the caller accepts of those that the route has. */
export function answerType(request: FastifyRequest): string {
  const produces = [...(request.routeOptions.config.produces ?? [JSON_TYPE])]
  const type = accepts(request.raw).type(produces)
  if (typeof type === 'string') return type
  throw new Problem('not-acceptable', { detail: `this resource comes as ${produces.join(' or ')}` })
}

/** Refuses requests for representations that a route does not have, before anything is done. */
export function negotiate(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/v1/') && request.routeOptions.url) answerType(request)
  })
}

/** What decides an answer besides the address: everything that a number depends on. */
export type Version = { size: number; asOf?: string; projection?: number | string }

/**
 * Sets the ETag of an answer, and tells whether the caller has it already; then the reply is a 304 without a body. The tag
 * is over all that decides the answer, after defaults, so that it can be compared before any table is read.
 */
export function isUnchanged(request: FastifyRequest, reply: FastifyReply, version: Version): boolean {
  const [path] = request.url.split('?', 1)
  const type = answerType(request)
  // The clocks stand in the version, resolved: `asOf` left out and today given are one question.
  const { asOf: _, knownAt: __, minSize: ___, ...parameters } = request.query as Record<string, unknown>
  const parts = [path, parameters, version.size, version.asOf ?? null, version.projection ?? 0, RULES, type]
  const tag = `"${hash('sha256', JSON.stringify(parts), 'base64url').slice(0, 27)}"`
  reply.header('etag', tag).header('cache-control', 'no-cache').header('vary', 'Accept')
  const known = request.headers['if-none-match']
  if (known === undefined) return false
  const isKnown = known.trim() === '*' || known.split(',').some((other) => other.trim().replace(/^W\//, '') === tag)
  if (isKnown) reply.code(304)
  return isKnown
}

// Reading bodies: strictly the media types that a route takes, UTF-8 that is UTF-8, and numbers that a double holds.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import sjson from 'secure-json-parse'
import { isExactly } from '../../kernel/decimal.ts'
import { awaitBody, awaitLines, bodyIsThere, type Patience } from './limits.ts'
import { hasBody, Problem } from './problem.ts'

export const JSON_TYPE = 'application/json'
export const NDJSON_TYPE = 'application/x-ndjson'

/** Bytes of a JSON body, and of one line of an import. */
const MAX_JSON_BYTES = 1_048_576

// A number in which a double could lose something: many digits, or an exponent. Most bodies have neither. Where a number can
// stand, that is: within an id, digits and an e mean nothing.
const PERHAPS_INEXACT = /(?:^|[[:,])\s*-?(?:[\d.]{16}|[\d.]+[eE])/

/** What a double holds is written in 25 characters; beyond so many a number is padded with zeros, and not looked at closer. */
const MAX_NUMBER_LENGTH = 500

/** NaN, which no schema accepts, in place of a number that a double does not hold as written. */
function exactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value
  if (context.source.length > MAX_NUMBER_LENGTH) return Number.NaN
  return isExactly(value, context.source) ? value : Number.NaN
}

/** How deep JSON may be nested: an event needs a tenth of it, and whatever reads a value may do so by recursion. */
const MAX_JSON_DEPTH = 64

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth === 0) return true
  for (const part of Object.values(value)) if (isDeeperThan(part, depth - 1)) return true
  return false
}

function plainJson(text: string): unknown {
  const value: unknown = sjson.parse(text, { protoAction: 'error', constructorAction: 'error' })
  if (isDeeperThan(value, MAX_JSON_DEPTH)) throw new SyntaxError(`it is nested more than ${MAX_JSON_DEPTH} deep`)
  return value
}

/**
 * Parses JSON text. Of a repeated member the last counts, as RFC 8259 lets it and ECMAScript does; `__proto__` is refused.
 * A number that a double does not hold as written becomes NaN, for the schema to point at. Throws SyntaxError, also where it is
 * nested too deeply.
 */
export function parseJson(text: string): unknown {
  const value: unknown = plainJson(text)
  return PERHAPS_INEXACT.test(text) ? JSON.parse(text, exactNumber) : value
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Parses a JSON body; throws Problem `malformed` where it is not UTF-8 or not JSON. */
function parseJsonBytes(bytes: Uint8Array): unknown {
  try {
    return parseJson(utf8.decode(bytes))
  } catch (error) {
    throw new Problem('malformed', { detail: `the body is not JSON: ${(error as Error).message}` })
  }
}

/** The media type of a request's body, without a charset of utf-8; null where it is none that we read, to the letter. */
function bodyType(request: FastifyRequest): string | null {
  const match = /^([a-z]+\/[a-z0-9.+-]+)(?: *; *charset="?utf-8"?)?$/i.exec(request.headers['content-type'] ?? '')
  return match?.[1]?.toLowerCase() ?? null
}

/** Installs the parsers, and the check that a POST has a body of a type that its route takes (`config.consumes`). */
export function readBodies(app: FastifyInstance, { bodyMs }: Patience): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer', bodyLimit: MAX_JSON_BYTES }, (request, body, done) => {
    bodyIsThere(request)
    try {
      const isEmpty = (body as Buffer).length === 0 && request.routeOptions.config.mayLackBody
      done(null, isEmpty ? null : parseJsonBytes(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })
  // The route reads the stream itself: an import is as long as it is.
  app.addContentTypeParser(NDJSON_TYPE, (request, payload, done) => {
    awaitLines(request, bodyMs)
    done(null, payload)
  })
  app.addHook('onRequest', (request, _reply, done) => {
    const { consumes } = request.routeOptions.config
    if (!consumes) return done()
    try {
      checkBody(request, consumes)
      if (bodyType(request) === JSON_TYPE) awaitBody(request, bodyMs)
      done()
    } catch (error) {
      done(error as Error)
    }
  })
}

/** Refuses a request whose body the route cannot take; throws Problem. */
function checkBody(request: FastifyRequest, consumes: readonly string[]): void {
  if (request.headers['if-match'] !== undefined) {
    throw new Problem('malformed', { detail: 'If-Match is not used here: give expectedRevision with the event' })
  }
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw new Problem('unsupported-media-type', {
      detail: `Content-Encoding ${encoding} is not taken: send it plain`,
    })
  }
  if (request.routeOptions.config.mayLackBody && !hasBody(request.raw)) return
  const type = bodyType(request)
  if (type !== null && consumes.includes(type)) return
  const given = request.headers['content-type']
  const detail = `${given === undefined ? 'there is no Content-Type' : `not ${given}`}: send ${consumes.join(' or ')}`
  throw new Problem('unsupported-media-type', { detail, headers: { accept: consumes.join(', ') } })
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The media types of bodies that the route takes. */
    consumes?: readonly string[]
    /** Nothing at all will do as well. */
    mayLackBody?: boolean
    /** The media types that the route can answer in, the first by default; JSON where it does not say. */
    produces?: readonly string[]
  }
}

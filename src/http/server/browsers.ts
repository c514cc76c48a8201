// What browsers are told: what a page of this origin may load, and which other origins may read answers. The headers are
// worked out once by helmet; to run its dozen functions for every answer would cost as much as many an answer does.

import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import helmet from 'helmet'

/** Nothing but what the page at / brings itself: its scripts and styles are files, and it talks to this service alone. */
const PAGE_POLICY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'connect-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'frame-ancestors': ["'none'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
}

/** The same for the description of the API: the page of swagger-ui loads its own files, and a logo from within its styles. */
export const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

const YEAR_SECONDS = 31_536_000

/** The headers of every answer; those that browsers no longer heed are left out. */
function securityHeaders(isBehindTls: boolean): Record<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  const apply = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: PAGE_POLICY },
    // Said over plain HTTP it would be ignored; said where no TLS is, it would lock browsers out for a year.
    strictTransportSecurity: isBehindTls && { maxAge: YEAR_SECONDS },
    xFrameOptions: { action: 'deny' },
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })
  apply(request, response, (error) => {
    if (error !== undefined) throw error
  })
  // Safe: helmet sets single texts.
  return response.getHeaders() as Record<string, string>
}

/** Says with every answer what browsers may do with it. */
export function guardBrowsers(app: FastifyInstance, isBehindTls: boolean): void {
  const headers = securityHeaders(isBehindTls)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers)
    done()
  })
}

const EXPOSED = [
  'ETag',
  'Link',
  'Location',
  'Pledger-Size',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Idempotency-Replayed',
  'Preference-Applied',
]
const PREFLIGHT_SECONDS = 600

/** Lets pages of these origins read answers and record, with a token of theirs: cookies play no part. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST'],
    exposedHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
    // Else an OPTIONS that is no preflight is refused in plain text.
    strictPreflight: false,
  })
}

// Access control over HTTP: every route says what it needs, every request is held against that before anything else looks at
// it. What a caller may not see is answered as what is not there.

import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Access } from '../../access/access.ts'
import { type Action, ALL_REGISTERS, type Caller, LOCAL, may, mayAnywhere } from '../../access/grants.ts'
import { KeysUnavailableError } from '../../access/oidc.ts'
import { withoutTokens } from '../../access/tokens.ts'
import { isSlug } from '../../domain/fields.ts'
import { Problem } from './problem.ts'

/**
 * The permission that a route needs. `open`: none, and it tells nothing of any register. `visible`: none, but it tells
 * only of registers that the caller may see. `everything`: a role for all registers. Otherwise the action, in the
 * register of the path. A route without a register in its path needs it in any register, and looks more closely
 * itself.
 */
type Permission = 'open' | 'visible' | 'everything' | Action

declare module 'fastify' {
  interface FastifyContextConfig {
    permission?: Permission
    /** The answer may go on for long: that the caller may have it is looked at again and again. */
    isLong?: boolean
  }
  interface FastifyRequest {
    /** Who asks; null: nobody who is known. */
    caller: Caller | null
    /** What is answered is for this caller alone. */
    isPrivate: boolean
  }
}

/** How often it is looked whether somebody may still have what goes on being answered. */
const LOOK_AGAIN_MS = 5_000

/** Routes of plugins, which cannot say it themselves. */
const OF_PLUGINS: [prefix: string, Permission][] = [['/docs', 'open']]

function declared({ url, config }: Pick<RouteOptions, 'url' | 'config'>): Permission | null {
  if (config?.permission) return config.permission
  const found = OF_PLUGINS.find(([prefix]) => url === prefix || url.startsWith(`${prefix}/`))
  return found?.[1] ?? null
}

function challenge(error?: string): Record<string, string> {
  // RFC 6750, section 3
  return { 'www-authenticate': error ? `Bearer realm="pledger", error="${error}"` : 'Bearer realm="pledger"' }
}

function unauthorized(): Problem {
  const detail = 'send a token: Authorization: Bearer …'
  return new Problem('unauthorized', { detail, headers: challenge() })
}

function forbidden(action: string): Problem {
  return new Problem('forbidden', {
    detail: `no role of yours permits to ${action} here`,
    headers: challenge('insufficient_scope'),
  })
}

function unknownRegister(register: string): Problem {
  return new Problem('unknown-register', { detail: `there is no register ${register}` })
}

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

/** The credentials of a request; null where it has none. Throws Problem `unauthorized` where they are not a bearer token. */
function credentialsOf({ raw: { headers } }: FastifyRequest): string | null {
  if (headers.authorization === undefined) return null
  const token = BEARER.exec(headers.authorization)?.[1]
  if (token !== undefined) return token
  const detail = 'header Authorization: expected Bearer and a token'
  throw new Problem('unauthorized', { detail, headers: challenge('invalid_request') })
}

/**
 * Who asks, without waiting where memory knows. Throws Problem `unauthorized` where credentials are given that are no
 * good.
 */
function identify(access: Access, request: FastifyRequest): Caller | null | Promise<Caller> {
  const credentials = credentialsOf(request)
  if (credentials === null) return null
  const known = access.peek(credentials)
  if (known === undefined) return access.read(credentials).then(trusted, unavailable)
  return trusted(known)
}

function trusted(caller: Caller | null): Caller {
  if (caller) return caller
  throw new Problem('unauthorized', {
    detail: 'the token is not known, has expired or was revoked',
    headers: challenge('invalid_token'),
  })
}

function unavailable(error: unknown): never {
  if (!(error instanceof KeysUnavailableError)) throw error
  const detail = 'the keys of the identity provider cannot be read, so no token can be checked'
  throw new Problem('identity-unavailable', { detail, headers: { 'retry-after': '5' } })
}

const PHRASES: Record<Action, string> = {
  read: 'read',
  record: 'record',
  operate: 'replay',
  redact: 'redact',
  administer: 'open registers',
}

/** Throws where a caller may not do this with a register. */
function check(caller: Caller | null, action: Action, register: string, isPublic: boolean): void {
  if (caller && may(caller, action, register)) return
  const isVisible = isPublic || (caller !== null && may(caller, 'read', register))
  if (action === 'read' && isVisible) return
  if (caller === null) throw unauthorized()
  throw isVisible ? forbidden(PHRASES[action]) : unknownRegister(register)
}

/** Throws Problem where the caller of a request may not do this with a register that its path does not name. */
export async function checkAction(
  access: Access,
  request: FastifyRequest,
  action: Action,
  register: string,
): Promise<void> {
  check(request.caller, action, register, await access.publicRegisters.has(register))
}

/** Throws Problem `forbidden` where the caller may not do this with a register, there or not; null: with all of them. */
export function checkMay({ caller }: FastifyRequest, action: Action, register: string | null): void {
  if (!caller || !may(caller, action, register)) throw forbidden(PHRASES[action])
}

/** Those of these registers that the caller of a request may see. */
export async function visibleOnes<R extends { register: string }>(
  { publicRegisters }: Access,
  { caller }: FastifyRequest,
  all: readonly R[],
): Promise<R[]> {
  if (caller && may(caller, 'read', null)) return [...all]
  const open = await Promise.all(all.map(({ register }) => publicRegisters.has(register)))
  return all.filter(({ register }, index) => open[index] || (caller !== null && may(caller, 'read', register)))
}

/** Whether the caller of a request may see what is about a register, or about all of them (null). */
export async function isVisible(access: Access, request: FastifyRequest, register: string | null): Promise<boolean> {
  if (request.caller && may(request.caller, 'read', register)) return true
  return register !== null && (await access.publicRegisters.has(register))
}

/** The id that events keep of who recorded them. */
export function recordedBy({ caller }: FastifyRequest): string {
  // What records needs a caller.
  if (caller === null) throw new Problem('internal')
  return caller.id
}

/** Holds a request that is known to be from this caller against what its route needs. */
function admit(access: Access, request: FastifyRequest, caller: Caller | null): void | Promise<void> {
  request.caller = caller
  const { config } = request.routeOptions
  const permission = config.permission as Permission
  request.isPrivate = permission !== 'open'
  if (permission === 'open' || permission === 'visible') return
  if (permission === 'everything') {
    if (caller === null) throw unauthorized()
    if (!caller.grants.some(({ register }) => register === ALL_REGISTERS)) throw forbidden('read about all registers')
    return
  }
  const { register } = request.params as { register?: string }
  if (register === undefined) {
    if (caller === null) throw unauthorized()
    if (!mayAnywhere(caller, permission)) throw forbidden(PHRASES[permission])
    return
  }
  const isOpen = isSlug(register) ? access.publicRegisters.peek(register) : false
  const decide = (isPublic: boolean) => {
    request.isPrivate = !isPublic
    check(caller, permission, register, isPublic)
  }
  return isOpen === undefined ? access.publicRegisters.has(register).then(decide) : decide(isOpen)
}

/** Ends what goes on being answered once its caller may no longer have it. */
function lookAgain(access: Access, request: FastifyRequest, reply: FastifyReply): void {
  const look = async () => {
    try {
      await admit(access, request, await identify(access, request))
    } catch (error) {
      // Only a refusal ends it: what cannot be looked up now is looked up again.
      if (error instanceof Problem && error.word !== 'identity-unavailable') reply.raw.destroy()
    }
  }
  const timer = setInterval(look, LOOK_AGAIN_MS).unref()
  reply.raw.once('close', () => clearInterval(timer))
}

/** A name of this machine, as a browser sends it that was led here. */
const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/** If everyone on this machine may write, a page of another site must not reach it by a name that leads here. */
function checkHost({ raw: { headers } }: FastifyRequest): void {
  const { host } = headers
  // No browser leaves it out.
  if (host === undefined || LOOPBACK_HOST.test(host)) return
  throw new Problem('forbidden', {
    detail: 'without access control the service answers to names of this machine alone (localhost)',
  })
}

async function keep({ recordRead }: Access, request: FastifyRequest, now: () => number): Promise<void> {
  const { register } = request.params as { register?: string }
  if (!recordRead || register === undefined || request.routeOptions.config.permission !== 'read') return
  const { method, caller, routeOptions, url: address } = request
  const route = routeOptions.url ?? ''
  await recordRead({
    register,
    caller: caller?.id ?? null,
    method,
    route,
    address: withoutTokens(address),
    readAt: now(),
  })
}

/** Whether the credentials of a request are known to be good, as far as memory tells. */
export function isKnown(access: Access, { raw: { headers } }: FastifyRequest): boolean {
  const token = BEARER.exec(headers.authorization ?? '')?.[1]
  return token !== undefined && (access.peek(token) ?? null) !== null
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']

/**
 * If everyone on this machine may write, a page of another origin must not. Browsers send a POST without a body
 * without asking first, but they name the page's origin.
 */
function checkOrigin({ raw: { method, headers } }: FastifyRequest, corsOrigins: readonly string[]): void {
  if (SAFE_METHODS.includes(method ?? '')) return
  const { origin, host } = headers
  const site = headers['sec-fetch-site']
  const isForeign = origin === undefined ? site === 'cross-site' || site === 'same-site' : hostOf(origin) !== host
  if (!isForeign || (origin !== undefined && corsOrigins.includes(origin))) return
  throw new Problem('forbidden', { detail: 'a page of another origin may not do that here' })
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null
}

export type Guard = {
  now: () => number
  /** What a refused request is answered with, in place of the error. */
  refused?: (request: FastifyRequest, reply: FastifyReply, error: Error) => Error
  /** The origins of pages that may write, besides the service's own. */
  corsOrigins?: readonly string[]
}

/** Registers the checks. Whatever answers has to be registered after this. */
export function guard(
  app: FastifyInstance,
  access: Access,
  { now, refused = (_request, _reply, error) => error, corsOrigins = [] }: Guard,
): void {
  app.decorateRequest('caller', null)
  app.decorateRequest('isPrivate', false)
  app.addHook('onRoute', (route) => {
    const permission = declared(route)
    if (permission === null) throw new Error(`the route ${route.method} ${route.url} does not say what it needs`)
    route.config = { ...route.config, permission }
  })
  const isOpen = access.mode === 'none'
  const { recordRead } = access
  app.addHook('onRequest', (request, reply, done) => {
    try {
      // What no route matches is not there, for anyone.
      if (request.is404) return done()
      if (isOpen) {
        checkHost(request)
        checkOrigin(request, corsOrigins)
        request.caller = LOCAL
        if (!recordRead) return done()
        keep(access, request, now).then(() => done(), done)
        return
      }
      // What tells nothing needs nobody, and no database either.
      if (request.routeOptions.config.permission === 'open') return done()
      const caller = identify(access, request)
      const admitted =
        caller instanceof Promise ? caller.then((one) => admit(access, request, one)) : admit(access, request, caller)
      if (request.routeOptions.config.isLong) lookAgain(access, request, reply)
      if (!admitted && !recordRead) return done()
      Promise.resolve(admitted)
        .then(() => keep(access, request, now))
        .then(
          () => done(),
          (error: Error) => done(refused(request, reply, error)),
        )
    } catch (error) {
      done(refused(request, reply, error as Error))
    }
  })
  if (isOpen) return
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.isPrivate) reply.header('cache-control', 'no-store')
    done(null, payload)
  })
}

// Bearer tokens of an identity provider: JWTs, checked with jose against keys from one configured address.

import { hash } from 'node:crypto'
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { type Caller, parseGrant } from './grants.ts'

export type OidcSettings = {
  issuer: string
  audience: string
  /** Where the provider's keys are. */
  jwks: string
  /** By public keys alone: never `none`, nor one whose secret the service would have to hold. */
  algorithms: readonly string[]
  /** The claim with the grants: texts of the form `role:register`. */
  rolesClaim: string
}

/** After it could not be read it is asked again so often at most. */
const AFTER_FAILURE_MS = 5_000

/** How far the clocks of two machines may be apart. */
const TOLERANCE_SECONDS = 30
const JWKS_TIMEOUT_MS = 3_000
/** An unknown key id has the keys read again, but so often at most. */
const COOLDOWN_MS = 30_000
const JWKS_MAX_AGE_MS = 600_000
const MAX_LENGTH = 8_192
/** A token that was checked is known for so long; its keys may be withdrawn meanwhile. */
const STALE_MS = 60_000
const MAX_KNOWN = 10_000

/** How long a subject may be, and how long a name is kept. */
const MAX_SUBJECT = 255
const MAX_NAME = 200

/** The provider's keys cannot be read: that says nothing about a token. */
export class KeysUnavailableError extends Error {}

export type Oidc = {
  peek: (jwt: string) => Caller | null | undefined
  /** Who has this JWT; null where it is not to be trusted. Throws KeysUnavailableError. */
  read: (jwt: string) => Promise<Caller | null>
}

/** The opaque id of somebody: the same for the same subject of the same issuer, and nothing that could be read out of it. */
function callerId(issuer: string, subject: string): string {
  return `oidc:${hash('sha256', JSON.stringify([issuer, subject]), 'base64url').slice(0, 27)}`
}

/** A name without what a terminal or a database stumbles over. */
function printable(name: string): string {
  return name.replaceAll(/\p{C}/gu, ' ').trim().slice(0, MAX_NAME) || '?'
}

/** Whether an error says that the provider's keys cannot be read, or are none, and nothing of the token. */
function isUnreadable(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) return true
  return error.code === 'ERR_JOSE_GENERIC' || error instanceof errors.JWKSInvalid
}

function grantsOf(claim: unknown) {
  const texts = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(/\s+/) : []
  // A role that is none of ours belongs to another service.
  return texts.flatMap((text) => (typeof text === 'string' ? (parseGrant(text) ?? []) : []))
}

type NameListener = (id: string, name: string) => void

/** `named` is told once of everybody who comes, with what the provider calls them. */
export function createOidc(settings: OidcSettings, now: () => number, named: NameListener): Oidc {
  const { issuer, audience, jwks, algorithms, rolesClaim } = settings
  const remote = createRemoteJWKSet(new URL(jwks), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: JWKS_MAX_AGE_MS,
  })
  let restsUntil = 0
  const keys: JWTVerifyGetKey = async (header, token) => {
    const last = remote.jwks()
    if (performance.now() < restsUntil) {
      if (!last) throw new KeysUnavailableError()
      return createLocalJWKSet(last)(header, token).catch(() => {
        throw new KeysUnavailableError()
      })
    }
    try {
      return await remote(header, token)
    } catch (error) {
      if (isUnreadable(error)) restsUntil = performance.now() + AFTER_FAILURE_MS
      throw error
    }
  }
  const known = new Map<string, { caller: Caller; until: number }>()
  const told = new Set<string>()

  const callerOf = (payload: JWTPayload & { sub: string; exp: number }): Caller => {
    const id = callerId(issuer, payload.sub)
    const { preferred_username: username } = payload as { preferred_username?: unknown }
    if (!told.has(id)) named(id, printable(typeof username === 'string' && username !== '' ? username : payload.sub))
    told.add(id)
    return { id, grants: grantsOf(payload[rolesClaim]), expiresAt: payload.exp * 1_000 }
  }
  const check = async (jwt: string): Promise<Caller | null> => {
    try {
      const { payload } = await jwtVerify(jwt, keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: TOLERANCE_SECONDS,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(now()),
      })
      // jose looks whether it is there, not what it is.
      if (typeof payload.sub !== 'string' || payload.sub === '' || payload.sub.length > MAX_SUBJECT) return null
      // Safe: both are required above.
      return callerOf(payload as JWTPayload & { sub: string; exp: number })
    } catch (error) {
      if (isUnreadable(error)) throw new KeysUnavailableError()
      return null
    }
  }
  const isExpired = ({ expiresAt }: Caller) => expiresAt !== null && now() >= expiresAt + TOLERANCE_SECONDS * 1_000
  const peek = (jwt: string) => {
    if (jwt.length > MAX_LENGTH) return null
    const found = known.get(hash('sha256', jwt, 'base64'))
    if (!found || performance.now() >= found.until) return undefined
    return isExpired(found.caller) ? null : found.caller
  }
  return {
    peek,
    async read(jwt) {
      const soon = peek(jwt)
      if (soon !== undefined) return soon
      const caller = await check(jwt)
      if (caller === null) return null
      known.set(hash('sha256', jwt, 'base64'), { caller, until: performance.now() + STALE_MS })
      for (const oldest of known.keys()) if (known.size > MAX_KNOWN) known.delete(oldest)
      return caller
    },
  }
}

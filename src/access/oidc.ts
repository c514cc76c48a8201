// Bearer tokens of an identity provider: JWTs, checked with jose against keys from one configured address.

import { hash } from 'node:crypto'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import { LRUCache } from 'lru-cache'
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

/** After the keys could not be read, the provider is left alone for so long. */
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
  /** Who has this JWT, as far as memory knows; undefined where it has to be checked, null where it is not to be trusted. */
  peek: (jwt: string) => Caller | null | undefined
  /** Who has this JWT; null where it is not to be trusted. Throws KeysUnavailableError. */
  read: (jwt: string) => Promise<Caller | null>
}

/** Called once for every caller, with the name that the provider gives. */
type NameListener = (id: string, name: string) => void

/** Creates the check of a provider's tokens. `now` is the service's clock, milliseconds since the epoch. */
export function createOidc(settings: OidcSettings, now: () => number, onName: NameListener): Oidc {
  const keys = createProviderKeys(settings.jwks)
  const callerOf = createCallers(settings, onName)
  const checked = new LRUCache<string, Caller>({ max: MAX_KNOWN, ttl: STALE_MS })

  const peek = (jwt: string) => {
    if (jwt.length > MAX_LENGTH) return null
    const caller = checked.get(digestOf(jwt))
    return caller && isExpired(caller, now()) ? null : caller
  }
  return {
    peek,
    async read(jwt) {
      const known = peek(jwt)
      if (known !== undefined) return known
      const payload = await verify(jwt, keys, settings, now())
      if (payload === null) return null
      const caller = callerOf(payload)
      checked.set(digestOf(jwt), caller)
      return caller
    },
  }
}

function digestOf(jwt: string): string {
  return hash('sha256', jwt, 'base64')
}

function isExpired({ expiresAt }: Caller, now: number): boolean {
  return expiresAt !== null && now >= expiresAt + TOLERANCE_SECONDS * 1_000
}

/**
 * The keys of the provider, fetched when they are needed. After a failure the provider is left alone for a while.
 * Meanwhile the last keys decide alone. A token that they do not verify is neither trusted nor refused
 * (KeysUnavailableError).
 */
function createProviderKeys(jwks: string): JWTVerifyGetKey {
  const remote = createRemoteJWKSet(new URL(jwks), {
    timeoutDuration: JWKS_TIMEOUT_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: JWKS_MAX_AGE_MS,
  })
  let restsUntil = 0
  return async (header, token) => {
    if (performance.now() < restsUntil) return lastKey(remote.jwks(), header, token)
    try {
      return await remote(header, token)
    } catch (error) {
      if (isUnreadable(error)) restsUntil = performance.now() + AFTER_FAILURE_MS
      throw error
    }
  }
}

/** The key of a token among those that were read last. */
async function lastKey(last: JSONWebKeySet | undefined, ...[header, token]: Parameters<JWTVerifyGetKey>) {
  if (!last) throw new KeysUnavailableError()
  return createLocalJWKSet(last)(header, token).catch(() => {
    throw new KeysUnavailableError()
  })
}

/** Whether an error says that the provider's keys cannot be read, or are none, and nothing of the token. */
function isUnreadable(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || !(error instanceof errors.JOSEError)) return true
  return error.code === 'ERR_JOSE_GENERIC' || error instanceof errors.JWKSInvalid
}

type VerifiedPayload = JWTPayload & { sub: string; exp: number }

/** What a JWT says; null where it is not to be trusted. Throws KeysUnavailableError. */
async function verify(
  jwt: string,
  keys: JWTVerifyGetKey,
  { issuer, audience, algorithms }: OidcSettings,
  now: number,
): Promise<VerifiedPayload | null> {
  try {
    const { payload } = await jwtVerify(jwt, keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: TOLERANCE_SECONDS,
      requiredClaims: ['exp', 'sub'],
      currentDate: new Date(now),
    })
    // jose looks whether it is there, not what it is.
    if (typeof payload.sub !== 'string' || payload.sub === '' || payload.sub.length > MAX_SUBJECT) return null
    // Safe: both are required above.
    return payload as VerifiedPayload
  } catch (error) {
    if (isUnreadable(error)) throw new KeysUnavailableError()
    return null
  }
}

/** Makes callers of what verified tokens say, and tells of each once what the provider calls them. */
function createCallers(
  { issuer, rolesClaim }: OidcSettings,
  onName: NameListener,
): (payload: VerifiedPayload) => Caller {
  const named = new Set<string>()
  return (payload) => {
    const { sub, exp } = payload
    const id = callerId(issuer, sub)
    const { preferred_username: username } = payload as { preferred_username?: unknown }
    if (!named.has(id)) onName(id, printable(typeof username === 'string' && username !== '' ? username : sub))
    named.add(id)
    return { id, grants: grantsOf(payload[rolesClaim]), expiresAt: exp * 1_000 }
  }
}

/** The opaque id of a caller: the same for the same subject of the same issuer; neither can be read out of it. */
function callerId(issuer: string, subject: string): string {
  return `oidc:${hash('sha256', JSON.stringify([issuer, subject]), 'base64url').slice(0, 27)}`
}

/** A name without what a terminal or a database stumbles over. */
function printable(name: string): string {
  return name.replaceAll(/\p{C}/gu, ' ').trim().slice(0, MAX_NAME) || '?'
}

function grantsOf(claim: unknown) {
  const texts = Array.isArray(claim) ? claim : typeof claim === 'string' ? claim.split(/\s+/) : []
  // A role that is none of ours belongs to another service.
  return texts.flatMap((text) => (typeof text === 'string' ? (parseGrant(text) ?? []) : []))
}

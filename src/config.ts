// The environment, parsed once. Every variable is defined in one table below, from which its check, the complaint
// about it and its line in `--help` are derived. Nothing else in the service may read process.env.
import { BlockList, isIP } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'

/** Signatures by a public key; never none, nor one whose secret the service would have to hold. */
const OIDC_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export type Config = {
  /** null: the embedded PostgreSQL. */
  databaseUrl: string | null
  /** Absolute. */
  dataDir: string
  /** The same database for a role that may seal; null: with databaseUrl. */
  sealerDatabaseUrl: string | null
  host: string
  /** 0: any free port. */
  port: number
  logLevel: (typeof logLevels)[number]
  /** null: not said. */
  access: 'none' | 'tokens' | 'oidc' | null
  /** null: not all of it is said. */
  oidc: OidcConfig | null
  /** Whether it is recorded who reads what. */
  recordReads: boolean
  /** How many connections may follow the log at once. */
  maxFollowers: number
  /** How many connections are open at once. */
  maxConnections: number
  /** Requests a minute of one caller; 0: not counted; null: as many as usual, and only told where nobody but this machine asks. */
  rateLimit: number | null
  /** Addresses and networks of proxies. */
  trustProxy: string[]
  /** Origins of web pages that may read answers. */
  corsOrigins: string[]
  /** Where checkpoints are said to come from; null: as before, or the default. */
  origin: string | null
  /** The private keys that sign checkpoints; null: those beside the embedded PostgreSQL, or none. */
  signingKeyFile: string | null
}

/** The identity provider whose JWTs are taken. */
type OidcConfig = { issuer: string; audience: string; jwks: string; algorithms: string[]; rolesClaim: string }

export type ParsedConfig = { ok: true; config: Config } | { ok: false; problem: string }

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return rest.length === 0 && most > 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most))
}

/** An origin as browsers write it. */
function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text
}

/** Comma separated, each of them as it has to be. */
function listOf(isOne: (text: string) => boolean) {
  return z
    .string()
    .transform((text) => text.split(',').map((one) => one.trim()))
    .refine((items) => items.every(isOne))
    .optional()
}

// `accepts` completes "expected …" in a complaint; `description` and the prefault, or `fallback` where the default depends on
// others, are what --help shows.
const variables = z.strictObject({
  PLEDGER_DATABASE_URL: z.string().refine(isPostgresUrl).optional().meta({
    description: 'the PostgreSQL to use; unset: the embedded one',
    accepts: 'a postgres:// or postgresql:// URL',
    secret: true,
  }),
  PLEDGER_SEALER_DATABASE_URL: z.string().refine(isPostgresUrl).optional().meta({
    description: 'the same PostgreSQL for the role that seals; unset: PLEDGER_DATABASE_URL',
    accepts: 'a postgres:// or postgresql:// URL',
    secret: true,
  }),
  PLEDGER_DATA: z.string().prefault('.pledger').meta({
    description: 'directory of the embedded PostgreSQL',
    accepts: 'a directory',
  }),
  PLEDGER_HOST: z
    .string()
    .refine((text) => isIP(text) !== 0 || /^[A-Za-z0-9.-]+$/.test(text))
    .prefault('127.0.0.1')
    .meta({ description: 'address to listen on', accepts: 'an IP address or a host name' }),
  PLEDGER_PORT: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .refine((port) => port <= 65535)
    .prefault('4180')
    .meta({ description: 'port to listen on; 0: any free one', accepts: 'a whole number from 0 to 65535' }),
  PLEDGER_LOG_LEVEL: z
    .enum(logLevels)
    .prefault('info')
    .meta({ description: `how much to log: ${logLevels.join(', ')}`, accepts: `one of ${logLevels.join(', ')}` }),
  PLEDGER_ACCESS: z.enum(['none', 'tokens', 'oidc']).optional().meta({
    description: 'who may read and write: none (everyone on this machine), tokens or oidc',
    accepts: 'none, tokens or oidc',
  }),
  PLEDGER_OIDC_ISSUER: z.string().optional().meta({
    description: 'oidc: the issuer of the JWTs, exactly as in their iss',
    accepts: 'the iss of the tokens',
  }),
  PLEDGER_OIDC_AUDIENCE: z.string().optional().meta({
    description: 'oidc: the audience that the JWTs are for, their aud',
    accepts: 'the aud of the tokens',
  }),
  PLEDGER_OIDC_JWKS: z.string().refine(isKeysUrl).optional().meta({
    description: 'oidc: where the public keys of the provider are',
    accepts: 'an https:// URL, or http:// of this machine',
  }),
  PLEDGER_OIDC_ALGORITHMS: z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(OIDC_ALGORITHMS)).min(1))
    .prefault('RS256,ES256,EdDSA')
    .meta({
      description: 'oidc: the accepted signature algorithms',
      accepts: `some of ${OIDC_ALGORITHMS.join(',')}, with commas`,
    }),
  PLEDGER_OIDC_ROLES_CLAIM: z.string().prefault('pledger_roles').meta({
    description: 'oidc: the claim with roles such as ["auditor:demo","operator:*"]',
    accepts: 'the name of a claim',
  }),
  PLEDGER_RECORD_READS: z.literal('yes').optional().meta({
    description: 'yes: record who read which register, with which filter',
    accepts: 'yes, or nothing',
  }),
  PLEDGER_MAX_FOLLOWERS: z
    .string()
    .regex(/^\d{1,6}$/)
    .transform(Number)
    .prefault('500')
    .meta({
      description: 'connections that may follow the log (text/event-stream) at once',
      accepts: 'a whole number from 0 to 999999',
    }),
  PLEDGER_CONNECTIONS: z
    .string()
    .regex(/^[1-9]\d{0,5}$/)
    .transform(Number)
    .prefault('10000')
    .meta({ description: 'connections that may be open at once', accepts: 'a whole number from 1 to 999999' }),
  PLEDGER_RATE_LIMIT: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .optional()
    .meta({
      description: 'requests a minute of one caller; unset: 6000; 0: any number',
      accepts: 'a whole number from 0 to 999999999',
    }),
  PLEDGER_TRUST_PROXY: listOf(isNetwork).meta({
    description: 'trusted proxies, whose X-Forwarded-* counts; says that TLS is in front',
    accepts: 'IP addresses or networks such as 10.0.0.0/8, comma separated',
  }),
  PLEDGER_CORS_ORIGINS: listOf(isOrigin).meta({
    description: 'origins of web pages that may read answers, comma separated',
    accepts: 'origins such as https://dashboard.example.org, comma separated',
  }),
  PLEDGER_ORIGIN: z
    .string()
    .regex(/^[A-Za-z0-9._~:/-]{1,200}$/)
    .refine((text) => !text.includes('://') && !/^\/|\/$|\/\//.test(text))
    .optional()
    .meta({
      description: 'origin of checkpoints, before the register; the first one fixes it',
      fallback: 'pledger.localhost',
      accepts: 'a URL without its scheme and without a slash at its end, such as pledger.example.org/v1/registers',
    }),
  PLEDGER_SIGNING_KEYS: z.string().optional().meta({
    description: 'Ed25519 keys (PEM) that sign checkpoints; unset: in PLEDGER_DATA',
    fallback: 'signing-keys.pem',
    accepts: 'a file',
  }),
})

type Name = keyof typeof variables.shape
const names = Object.keys(variables.shape) as Name[] // Object.keys gives string[]; these are the shape's own keys

/** A variable of the environment as its readers see it; `fallback` is empty where it has no default. */
export type ConfigVariable = { name: string; fallback: string; description: string; accepts: string }

/** Every variable, in the order in which help lists them. */
export const CONFIG_VARIABLES: readonly ConfigVariable[] = names.map((name) => {
  const { description, accepts } = variables.shape[name].meta() ?? {}
  return { name, fallback: fallbackOf(name), description: String(description), accepts: String(accepts) }
})

/** What `--help` says about the environment: one aligned line a variable, with its default. Ends without a newline. */
export const configHelp: string = table([
  ['variable', 'default', 'meaning'],
  ...CONFIG_VARIABLES.map(({ name, fallback, description }) => [name, fallback, description]),
])

/**
 * Reads the configuration from the variables that begin with PLEDGER_; an empty one counts as unset.
 * Refuses with one line that names the variable, its value and what is accepted; never shows a password.
 */
export function parseConfig(env: Record<string, string | undefined>): ParsedConfig {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => name.startsWith('PLEDGER_') && value !== undefined && value !== ''),
  )
  const parsed = variables.safeParse(given)
  if (!parsed.success) return { ok: false, problem: describe(parsed.error.issues[0], given) }
  const config = toConfig(parsed.data)
  if (config.sealerDatabaseUrl !== null && config.databaseUrl === null)
    return { ok: false, problem: 'PLEDGER_SEALER_DATABASE_URL is set; expected PLEDGER_DATABASE_URL beside it' }
  if (config.access === 'oidc' && config.oidc === null)
    return {
      ok: false,
      problem:
        'PLEDGER_ACCESS is "oidc"; expected PLEDGER_OIDC_ISSUER, PLEDGER_OIDC_AUDIENCE and PLEDGER_OIDC_JWKS beside it',
    }
  return { ok: true, config }
}

function toOidc(values: z.output<typeof variables>): OidcConfig | null {
  const { PLEDGER_OIDC_ISSUER: issuer, PLEDGER_OIDC_AUDIENCE: audience, PLEDGER_OIDC_JWKS: jwks } = values
  if (issuer === undefined || audience === undefined || jwks === undefined) return null
  const { PLEDGER_OIDC_ALGORITHMS: algorithms, PLEDGER_OIDC_ROLES_CLAIM: rolesClaim } = values
  return { issuer, audience, jwks, algorithms, rolesClaim }
}

function toConfig(values: z.output<typeof variables>): Config {
  return {
    databaseUrl: values.PLEDGER_DATABASE_URL ?? null,
    sealerDatabaseUrl: values.PLEDGER_SEALER_DATABASE_URL ?? null,
    dataDir: resolve(values.PLEDGER_DATA),
    host: values.PLEDGER_HOST,
    port: values.PLEDGER_PORT,
    logLevel: values.PLEDGER_LOG_LEVEL,
    access: values.PLEDGER_ACCESS ?? null,
    oidc: toOidc(values),
    recordReads: values.PLEDGER_RECORD_READS === 'yes',
    maxFollowers: values.PLEDGER_MAX_FOLLOWERS,
    maxConnections: values.PLEDGER_CONNECTIONS,
    rateLimit: values.PLEDGER_RATE_LIMIT ?? null,
    trustProxy: values.PLEDGER_TRUST_PROXY ?? [],
    corsOrigins: values.PLEDGER_CORS_ORIGINS ?? [],
    origin: values.PLEDGER_ORIGIN ?? null,
    signingKeyFile: values.PLEDGER_SIGNING_KEYS === undefined ? null : resolve(values.PLEDGER_SIGNING_KEYS),
  }
}

function describe(issue: z.core.$ZodIssue | undefined, given: Record<string, unknown>): string {
  // Only the name: a misspelt PLEDGER_DATABASE_URL holds a password.
  if (issue?.code === 'unrecognized_keys') return `${issue.keys[0]} is not known; known are ${names.join(', ')}`
  const name = names.find((known) => known === issue?.path[0])
  if (name === undefined) throw new Error(`an issue without a variable: ${issue?.message}`)
  const meta = variables.shape[name].meta()
  const value = String(given[name])
  return `${name} is ${meta?.secret ? scheme(value) : JSON.stringify(value)}; expected ${meta?.accepts}`
}

// Beyond its scheme nothing of a malformed URL can be told apart from the password with certainty.
function scheme(url: string): string {
  const found = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)
  return found ? `"${found[0]}…"` : 'set, but not shown as it may hold a password'
}

/**
 * Who may read and write what is served with this configuration: as it says, and where it says nothing everyone on this machine.
 * That is for the embedded database on a loopback address alone; elsewhere `problem` says what is missing.
 */
export function accessOf(
  { access, host, databaseUrl }: Config,
  unsafeDatabase: boolean,
): { mode: 'none' | 'tokens' | 'oidc' } | { problem: string } {
  if (access === 'tokens' || access === 'oidc') return { mode: access }
  const configured = 'PLEDGER_ACCESS=tokens (see pledger token create) or oidc'
  if (!isLoopback(host)) {
    const where = 'without access control expected a loopback address (127.0.0.0/8, ::1 or localhost)'
    return { problem: `PLEDGER_HOST is ${JSON.stringify(host)}; ${where}, or ${configured}` }
  }
  if (databaseUrl !== null && !unsafeDatabase)
    return { problem: `a database of one's own is not served without access control: expected ${configured}` }
  return { mode: 'none' }
}

function isKeysUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')))
}

/** True for an address that only this machine reaches. */
function isLoopback(host: string): boolean {
  const family = isIP(host)
  return family === 0 ? host.toLowerCase() === 'localhost' : loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}

function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text)
}

function fallbackOf(name: Name): string {
  const { def } = variables.shape[name]
  return 'defaultValue' in def ? String(def.defaultValue) : String(variables.shape[name].meta()?.fallback ?? '')
}

function table(rows: string[][]): string {
  const width = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const [first, second] = [width(0), width(1)]
  return rows.map(([a = '', b = '', c = '']) => `${a.padEnd(first)}  ${b.padEnd(second)}  ${c}`).join('\n')
}

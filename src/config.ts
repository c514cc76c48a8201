// The environment, parsed once. Every variable is defined in one table below, from which its check, the complaint
// about it and its line in `--help` are derived. Nothing else in the service may read process.env.
import { BlockList, isIP } from 'node:net'
import { resolve } from 'node:path'
import { z } from 'zod'

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export type Config = {
  /** null: the embedded PostgreSQL. */
  databaseUrl: string | null
  /** Absolute. */
  dataDir: string
  host: string
  /** 0: any free port. */
  port: number
  logLevel: (typeof logLevels)[number]
  open: boolean
  /** How many connections may follow the log at once. */
  maxFollowers: number
  /** Where checkpoints are said to come from; null: as before, or the default. */
  origin: string | null
  /** The private keys that sign checkpoints; null: those beside the embedded PostgreSQL, or none. */
  signingKeyFile: string | null
}

export type ParsedConfig = { ok: true; config: Config } | { ok: false; problem: string }

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

// `accepts` completes "expected …" in a complaint; `description` and the prefault, or `fallback` where the default depends on
// others, are what --help shows.
const variables = z.strictObject({
  PLEDGER_DATABASE_URL: z.string().refine(isPostgresUrl).optional().meta({
    description: 'PostgreSQL to use; unset: the embedded one',
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
  PLEDGER_OPEN: z.literal('yes').optional().meta({
    description: 'yes: everyone may read and write; needed to listen beyond this machine',
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
  PLEDGER_ORIGIN: z
    .string()
    .regex(/^[A-Za-z0-9._~:/-]{1,200}$/)
    .refine((text) => !text.includes('://') && !/^\/|\/$|\/\//.test(text))
    .optional()
    .meta({
      description: 'origin of the checkpoints, before the register; fixed with the first one',
      fallback: 'pledger.localhost',
      accepts: 'a URL without its scheme and without a slash at its end, such as pledger.example.org/v1/registers',
    }),
  PLEDGER_SIGNING_KEYS: z.string().optional().meta({
    description: 'Ed25519 keys (PEM) that sign checkpoints; with PLEDGER_DATABASE_URL there is no default',
    fallback: 'signing-keys.pem in PLEDGER_DATA',
    accepts: 'a file',
  }),
})

type Name = keyof typeof variables.shape
const names = Object.keys(variables.shape) as Name[] // Object.keys gives string[]; these are the shape's own keys

/** What `--help` says about the environment: one aligned line a variable, with its default. Ends without a newline. */
export const configHelp: string = table([
  ['variable', 'default', 'meaning'],
  ...names.map((name) => [name, fallbackOf(name), String(variables.shape[name].meta()?.description)]),
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
  if (!config.open && !isLoopback(config.host)) return { ok: false, problem: notLoopback(config.host) }
  return { ok: true, config }
}

function toConfig(values: z.output<typeof variables>): Config {
  return {
    databaseUrl: values.PLEDGER_DATABASE_URL ?? null,
    dataDir: resolve(values.PLEDGER_DATA),
    host: values.PLEDGER_HOST,
    port: values.PLEDGER_PORT,
    logLevel: values.PLEDGER_LOG_LEVEL,
    open: values.PLEDGER_OPEN === 'yes',
    maxFollowers: values.PLEDGER_MAX_FOLLOWERS,
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

function notLoopback(host: string): string {
  return (
    `PLEDGER_HOST is ${JSON.stringify(host)}; without access control expected a loopback address ` +
    '(127.0.0.0/8, ::1 or localhost), or PLEDGER_OPEN=yes, which says that everyone may read and write'
  )
}

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

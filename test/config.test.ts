import { resolve } from 'node:path'
import t from 'tap'
import { accessOf, configHelp, parseConfig } from '../src/config.ts'

const defaults = {
  sealerDatabaseUrl: null,
  databaseUrl: null,
  dataDir: resolve('.pledger'),
  host: '127.0.0.1',
  port: 4180,
  logLevel: 'info',
  access: null,
  oidc: null,
  recordReads: false,
  maxFollowers: 500,
  maxConnections: 10_000,
  rateLimit: null,
  trustProxy: [],
  corsOrigins: [],
  origin: null,
  signingKeyFile: null,
}

const accepts = (env: Record<string, string | undefined>, changed: object) =>
  t.strictSame(parseConfig(env), { ok: true, config: { ...defaults, ...changed } })

const refuses = (env: Record<string, string | undefined>, problem: string) =>
  t.strictSame(parseConfig(env), { ok: false, problem })

t.test('an environment without PLEDGER_ variables gives the defaults', async () => {
  accepts({ PATH: '/bin', PGHOST: 'elsewhere' }, {})
})

t.test('an empty or undefined variable counts as unset', async () => {
  accepts(
    { PLEDGER_DATABASE_URL: '', PLEDGER_DATA: '', PLEDGER_PORT: '', PLEDGER_ACCESS: '', PLEDGER_HOST: undefined },
    {},
  )
})

t.test('every variable is read', async () => {
  accepts(
    {
      PLEDGER_DATABASE_URL: 'postgresql://u:p%40ss@db.example:5432/pledger',
      PLEDGER_SEALER_DATABASE_URL: 'postgresql://s:p%40ss@db.example:5432/pledger',
      PLEDGER_DATA: '/srv/pledger',
      PLEDGER_HOST: '::1',
      PLEDGER_PORT: '0',
      PLEDGER_LOG_LEVEL: 'silent',
      PLEDGER_ACCESS: 'oidc',
      PLEDGER_OIDC_ISSUER: 'https://id.example',
      PLEDGER_OIDC_AUDIENCE: 'pledger',
      PLEDGER_OIDC_JWKS: 'https://id.example/keys',
      PLEDGER_OIDC_ALGORITHMS: 'ES256,PS512',
      PLEDGER_OIDC_ROLES_CLAIM: 'roles',
      PLEDGER_RECORD_READS: 'yes',
      PLEDGER_MAX_FOLLOWERS: '20',
      PLEDGER_CONNECTIONS: '100',
      PLEDGER_RATE_LIMIT: '0',
      PLEDGER_TRUST_PROXY: '10.0.0.0/8, ::1',
      PLEDGER_CORS_ORIGINS: 'https://a.example,http://localhost:3000',
      PLEDGER_ORIGIN: 'pledger.example.org/v1/registers',
      PLEDGER_SIGNING_KEYS: '/etc/pledger/keys.pem',
    },
    {
      databaseUrl: 'postgresql://u:p%40ss@db.example:5432/pledger',
      sealerDatabaseUrl: 'postgresql://s:p%40ss@db.example:5432/pledger',
      dataDir: '/srv/pledger',
      host: '::1',
      port: 0,
      logLevel: 'silent',
      access: 'oidc',
      oidc: {
        issuer: 'https://id.example',
        audience: 'pledger',
        jwks: 'https://id.example/keys',
        algorithms: ['ES256', 'PS512'],
        rolesClaim: 'roles',
      },
      recordReads: true,
      maxFollowers: 20,
      maxConnections: 100,
      rateLimit: 0,
      trustProxy: ['10.0.0.0/8', '::1'],
      corsOrigins: ['https://a.example', 'http://localhost:3000'],
      origin: 'pledger.example.org/v1/registers',
      signingKeyFile: '/etc/pledger/keys.pem',
    },
  )
  accepts(
    { PLEDGER_DATABASE_URL: 'postgres://h/d', PLEDGER_PORT: '65535' },
    { databaseUrl: 'postgres://h/d', port: 65535 },
  )
})

t.test('a relative data directory is made absolute', async () => {
  accepts({ PLEDGER_DATA: 'a/../b' }, { dataDir: resolve('b') })
})

t.test('a port that is not a whole number from 0 to 65535 is refused', async () => {
  for (const port of ['65536', '-1', '1.5', '0x50', ' 80', 'http', '99999999999999999999']) {
    refuses({ PLEDGER_PORT: port }, `PLEDGER_PORT is ${JSON.stringify(port)}; expected a whole number from 0 to 65535`)
  }
})

t.test('a list with an address, a network or an origin that is none is refused', async () => {
  for (const value of ['10.0.0.0/33', 'proxy', '10.0.0.1,', '::/129', '10.0.0.0/8/8', '10.0.0.1 10.0.0.2']) {
    const expected = 'expected IP addresses or networks such as 10.0.0.0/8, comma separated'
    refuses({ PLEDGER_TRUST_PROXY: value }, `PLEDGER_TRUST_PROXY is ${JSON.stringify(value)}; ${expected}`)
  }
  for (const value of [
    '*',
    'null',
    'a.example',
    'https://a.example/',
    'https://A.example',
    'https://a.example/x',
    'ftp://a',
  ]) {
    const expected = 'expected origins such as https://dashboard.example.org, comma separated'
    refuses({ PLEDGER_CORS_ORIGINS: value }, `PLEDGER_CORS_ORIGINS is ${JSON.stringify(value)}; ${expected}`)
  }
})

t.test('an origin that is none is refused', async () => {
  for (const origin of ['https://pledger.example.org', 'pledger.example.org/', '/v1', 'a//b', 'a b', 'a+b']) {
    refuses(
      { PLEDGER_ORIGIN: origin },
      `PLEDGER_ORIGIN is ${JSON.stringify(origin)}; expected a URL without its scheme and without a slash at its end, ` +
        'such as pledger.example.org/v1/registers',
    )
  }
})

t.test('a number of followers that is none is refused', async () => {
  for (const count of ['-1', '1e3', 'many', '1000000']) {
    refuses(
      { PLEDGER_MAX_FOLLOWERS: count },
      `PLEDGER_MAX_FOLLOWERS is ${JSON.stringify(count)}; expected a whole number from 0 to 999999`,
    )
  }
})

t.test('an unknown log level is refused', async () => {
  refuses(
    { PLEDGER_LOG_LEVEL: 'verbose' },
    'PLEDGER_LOG_LEVEL is "verbose"; expected one of trace, debug, info, warn, error, fatal, silent',
  )
})

t.test('a database URL of another kind is refused, and no more than its scheme is shown', async () => {
  const problem = (shown: string) => `PLEDGER_DATABASE_URL is ${shown}; expected a postgres:// or postgresql:// URL`
  refuses({ PLEDGER_DATABASE_URL: 'mysql://u:hunter2@h/d' }, problem('"mysql://…"'))
  refuses({ PLEDGER_DATABASE_URL: 'postgres://u:hunter2@h:999999/d' }, problem('"postgres://…"'))
  refuses({ PLEDGER_DATABASE_URL: 'u:hunter2@h/d' }, problem('set, but not shown as it may hold a password'))
})

t.test('access control is one of three kinds, and oidc needs to know the provider', async () => {
  for (const access of ['yes', 'open', 'NONE'])
    refuses({ PLEDGER_ACCESS: access }, `PLEDGER_ACCESS is "${access}"; expected none, tokens or oidc`)
  const missing =
    'PLEDGER_ACCESS is "oidc"; expected PLEDGER_OIDC_ISSUER, PLEDGER_OIDC_AUDIENCE and PLEDGER_OIDC_JWKS beside it'
  refuses({ PLEDGER_ACCESS: 'oidc' }, missing)
  refuses({ PLEDGER_ACCESS: 'oidc', PLEDGER_OIDC_ISSUER: 'i', PLEDGER_OIDC_AUDIENCE: 'a' }, missing)
  for (const jwks of ['http://id.example/keys', 'ftp://127.0.0.1/keys', 'keys'])
    refuses(
      { PLEDGER_OIDC_JWKS: jwks },
      `PLEDGER_OIDC_JWKS is "${jwks}"; expected an https:// URL, or http:// of this machine`,
    )
  accepts({ PLEDGER_OIDC_JWKS: 'http://127.0.0.1:8080/keys' }, {})
  for (const algorithms of ['HS256', 'none', 'RS256,HS512', 'rs256', ','])
    t.match(parseConfig({ PLEDGER_OIDC_ALGORITHMS: algorithms }), {
      ok: false,
      problem: /^PLEDGER_OIDC_ALGORITHMS is /,
    })
})

t.test('an unknown variable that begins with PLEDGER_ is refused by name, without its value', async () => {
  refuses(
    { PLEDGER_DATABSE_URL: 'postgres://u:hunter2@h/d' },
    'PLEDGER_DATABSE_URL is not known; known are PLEDGER_DATABASE_URL, PLEDGER_SEALER_DATABASE_URL, PLEDGER_DATA, ' +
      'PLEDGER_HOST, PLEDGER_PORT, PLEDGER_LOG_LEVEL, PLEDGER_ACCESS, PLEDGER_OIDC_ISSUER, PLEDGER_OIDC_AUDIENCE, ' +
      'PLEDGER_OIDC_JWKS, PLEDGER_OIDC_ALGORITHMS, PLEDGER_OIDC_ROLES_CLAIM, PLEDGER_RECORD_READS, PLEDGER_MAX_FOLLOWERS, ' +
      'PLEDGER_CONNECTIONS, PLEDGER_RATE_LIMIT, PLEDGER_TRUST_PROXY, PLEDGER_CORS_ORIGINS, PLEDGER_ORIGIN, PLEDGER_SIGNING_KEYS',
  )
})

const access = (env: Record<string, string>, unsafeDatabase = false) => {
  const parsed = parseConfig(env)
  return parsed.ok ? accessOf(parsed.config, unsafeDatabase) : parsed
}

t.test('without access control the embedded database is served, on a loopback address', async (t) => {
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', 'localhost', 'LOCALHOST']) {
    t.strictSame(access({ PLEDGER_HOST: host }), { mode: 'none' })
    t.strictSame(access({ PLEDGER_HOST: host, PLEDGER_ACCESS: 'none' }), { mode: 'none' })
  }
})

t.test('any other address or database takes access control', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.168.1.2', '128.0.0.1', 'pledger.example', 'localhost.example', '127.1']) {
    const problem =
      `PLEDGER_HOST is "${host}"; without access control expected a loopback address (127.0.0.0/8, ::1 or localhost), ` +
      'or PLEDGER_ACCESS=tokens (see pledger token create) or oidc'
    t.strictSame(access({ PLEDGER_HOST: host }), { problem })
    t.strictSame(access({ PLEDGER_HOST: host, PLEDGER_ACCESS: 'none' }, true), { problem }, 'nothing overrides that')
    t.strictSame(access({ PLEDGER_HOST: host, PLEDGER_ACCESS: 'tokens' }), { mode: 'tokens' })
  }
  const own = { PLEDGER_DATABASE_URL: 'postgres://h/d' }
  const problem =
    "a database of one's own is not served without access control: expected PLEDGER_ACCESS=tokens (see pledger token create) or oidc"
  t.strictSame(access(own), { problem })
  t.strictSame(access({ ...own, PLEDGER_ACCESS: 'none' }), { problem })
  t.strictSame(access(own, true), { mode: 'none' })
  t.strictSame(access({ ...own, PLEDGER_ACCESS: 'tokens' }), { mode: 'tokens' })
})

t.test('a host that is no address and no name is refused', async () => {
  refuses(
    { PLEDGER_HOST: 'http://0.0.0.0', PLEDGER_ACCESS: 'tokens' },
    'PLEDGER_HOST is "http://0.0.0.0"; expected an IP address or a host name',
  )
})

t.test('the help names every variable in one aligned line with its default', async () => {
  const lines = configHelp.split('\n')
  t.strictSame(
    lines.map((line) => line.slice(0, 46).trimEnd()),
    [
      'variable                     default',
      'PLEDGER_DATABASE_URL',
      'PLEDGER_SEALER_DATABASE_URL',
      'PLEDGER_DATA                 .pledger',
      'PLEDGER_HOST                 127.0.0.1',
      'PLEDGER_PORT                 4180',
      'PLEDGER_LOG_LEVEL            info',
      'PLEDGER_ACCESS',
      'PLEDGER_OIDC_ISSUER',
      'PLEDGER_OIDC_AUDIENCE',
      'PLEDGER_OIDC_JWKS',
      'PLEDGER_OIDC_ALGORITHMS      RS256,ES256,EdDSA',
      'PLEDGER_OIDC_ROLES_CLAIM     pledger_roles',
      'PLEDGER_RECORD_READS',
      'PLEDGER_MAX_FOLLOWERS        500',
      'PLEDGER_CONNECTIONS          10000',
      'PLEDGER_RATE_LIMIT',
      'PLEDGER_TRUST_PROXY',
      'PLEDGER_CORS_ORIGINS',
      'PLEDGER_ORIGIN               pledger.localhost',
      'PLEDGER_SIGNING_KEYS         signing-keys.pem',
    ],
  )
  t.strictSame(
    lines.filter((line) => line.charAt(47) !== ' ' || line.charAt(48) === ' ' || line.length > 120),
    [],
  )
})

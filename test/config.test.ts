import { resolve } from 'node:path'
import t from 'tap'
import { configHelp, parseConfig } from '../src/config.ts'

const defaults = {
  databaseUrl: null,
  dataDir: resolve('.pledger'),
  host: '127.0.0.1',
  port: 4180,
  logLevel: 'info',
  open: false,
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
    { PLEDGER_DATABASE_URL: '', PLEDGER_DATA: '', PLEDGER_PORT: '', PLEDGER_OPEN: '', PLEDGER_HOST: undefined },
    {},
  )
})

t.test('every variable is read', async () => {
  accepts(
    {
      PLEDGER_DATABASE_URL: 'postgresql://u:p%40ss@db.example:5432/pledger',
      PLEDGER_DATA: '/srv/pledger',
      PLEDGER_HOST: '::1',
      PLEDGER_PORT: '0',
      PLEDGER_LOG_LEVEL: 'silent',
      PLEDGER_OPEN: 'yes',
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
      dataDir: '/srv/pledger',
      host: '::1',
      port: 0,
      logLevel: 'silent',
      open: true,
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

t.test('PLEDGER_OPEN is yes or nothing', async () => {
  for (const open of ['true', '1', 'YES', 'no']) {
    refuses({ PLEDGER_OPEN: open }, `PLEDGER_OPEN is "${open}"; expected yes, or nothing`)
  }
})

t.test('an unknown variable that begins with PLEDGER_ is refused by name, without its value', async () => {
  refuses(
    { PLEDGER_DATABSE_URL: 'postgres://u:hunter2@h/d' },
    'PLEDGER_DATABSE_URL is not known; known are PLEDGER_DATABASE_URL, PLEDGER_DATA, PLEDGER_HOST, PLEDGER_PORT, ' +
      'PLEDGER_LOG_LEVEL, PLEDGER_OPEN, PLEDGER_MAX_FOLLOWERS, ' +
      'PLEDGER_CONNECTIONS, PLEDGER_RATE_LIMIT, PLEDGER_TRUST_PROXY, PLEDGER_CORS_ORIGINS, PLEDGER_ORIGIN, PLEDGER_SIGNING_KEYS',
  )
})

t.test('a loopback host needs no leave', async () => {
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', 'localhost', 'LOCALHOST']) {
    accepts({ PLEDGER_HOST: host }, { host })
  }
})

t.test('any other host is refused unless PLEDGER_OPEN=yes', async () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.2', '128.0.0.1', 'pledger.example', 'localhost.example', '127.1']) {
    refuses(
      { PLEDGER_HOST: host },
      `PLEDGER_HOST is "${host}"; without access control expected a loopback address ` +
        '(127.0.0.0/8, ::1 or localhost), or PLEDGER_OPEN=yes, which says that everyone may read and write',
    )
    accepts({ PLEDGER_HOST: host, PLEDGER_OPEN: 'yes' }, { host, open: true })
  }
})

t.test('a host that is no address and no name is refused even when open', async () => {
  refuses(
    { PLEDGER_HOST: 'http://0.0.0.0', PLEDGER_OPEN: 'yes' },
    'PLEDGER_HOST is "http://0.0.0.0"; expected an IP address or a host name',
  )
})

t.test('the help names every variable in one aligned line with its default', async () => {
  const lines = configHelp.split('\n')
  t.strictSame(
    lines.map((line) => line.slice(0, 34).trimEnd()),
    [
      'variable               default',
      'PLEDGER_DATABASE_URL',
      'PLEDGER_DATA           .pledger',
      'PLEDGER_HOST           127.0.0.1',
      'PLEDGER_PORT           4180',
      'PLEDGER_LOG_LEVEL      info',
      'PLEDGER_OPEN',
      'PLEDGER_MAX_FOLLOWERS  500',
      'PLEDGER_CONNECTIONS    10000',
      'PLEDGER_RATE_LIMIT',
      'PLEDGER_TRUST_PROXY',
      'PLEDGER_CORS_ORIGINS',
      'PLEDGER_ORIGIN',
      'PLEDGER_SIGNING_KEYS',
    ],
  )
  t.strictSame(
    lines.filter((line) => line.charAt(33) !== ' ' || line.charAt(34) === ' ' || line.length > 120),
    [],
  )
})

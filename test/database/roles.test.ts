// What the roles of the service and of the sealer may do and may not, on a real server with real roles, and that a service
// refuses a database in which what is recorded is not safe.

import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { openEmbedded } from '../../src/database/embedded/server.ts'
import { RIGHTS } from '../../src/database/grants.ts'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { type Finding, roleFindings, unsafeFindings } from '../../src/database/safety.ts'
import { sealAll, sealOf } from '../../src/integrity/sealing/sealer.ts'
import { syntheticEvents } from '../../src/samples/synthetic.ts'
import { asRole, ROLES, testDatabase, testDatabaseUrl } from '../support/database.ts'
import { PLAIN_NODE, pledger, type Started, start } from '../support/process.ts'
import { made, openDemo, posted } from '../support/register.ts'
import { testService } from '../support/service.ts'

const DENIED = '42501'
const RESTRICTED = '23001'

function as(t: Test, url: string, role: string): Database {
  const db = openDatabase({ connectionString: asRole(url, role), max: 2 })
  t.teardown(() => db.destroy())
  return db
}

/** The SQLSTATE that a statement ends with; null where it is done. */
async function stateOf(db: Database, statement: string): Promise<string | null> {
  return sql
    .raw(statement)
    .execute(db)
    .then(
      () => null,
      (error: { code?: string }) => error.code ?? String(error),
    )
}

/** A service with the register `demo` of four events, the last of which makes the commitment `bridge`. */
async function recorded(t: Test) {
  const service = await testService(t)
  await openDemo(service)
  return service
}

const NOBODY_MAY = [
  "update event set leaf = '' where position = 1",
  'update event set data = null where position = 1',
  'delete from event where position = 2',
  'truncate event',
  'insert into event select * from event where position = 2',
  'alter table event disable trigger event_only_blanked',
  'alter table event disable trigger all',
  'drop trigger event_append_only on event',
  'create trigger mine before insert on event for each row execute function commitment_search()',
  'create rule mine as on insert to event do instead nothing',
  'alter table event add column more text',
  'drop table event',
  'update register set size = 1',
  'delete from register',
  "select * from register where register = 'demo' for update",
  'drop function redact_event',
  'alter function redact_event reset all',
  "create or replace function refuse_change() returns trigger language plpgsql as 'begin return null; end'",
  'create function mine() returns void language sql as $$ $$',
  'create table mine (a integer)',
  'set session_replication_role = replica',
  'drop schema public cascade',
  'delete from tile',
  'truncate tile',
  "update signed_checkpoint set note = ''",
  'delete from signed_checkpoint',
  'delete from tree',
  'delete from signing_key',
  "insert into migration values ('9999-mine', 'now')",
  'delete from migration',
  'alter role current_user superuser',
]

t.test('the service reads, and appends and erases by the functions alone', async (t) => {
  const { url, db } = await recorded(t)
  const service = as(t, url, ROLES.service)
  const forbidden = [
    ...NOBODY_MAY,
    "insert into tile values ('demo', 0, 0, decode(repeat('00', 32), 'hex'))",
    'update tile set hashes = hashes || hashes',
    "insert into signed_checkpoint values ('demo', 1, '', '', now())",
    "insert into tree (register, origin) values ('demo', 'x')",
    'update tree set size = 0',
    "insert into signing_key values ('demo', 'x', 0)",
    "select create_partition('event', 7)",
    "select drop_partition('register', 0)",
  ]
  for (const statement of forbidden) t.equal(await stateOf(service, statement), DENIED, statement)
  const { rows } = await sql<{ id: string }>`select id from event where position = 3`.execute(db)
  t.equal(await stateOf(service, `select redact_event('demo', '${rows[0]?.id}')`), RESTRICTED, 'unannounced')
  t.equal(await stateOf(service, "select redact_event('demo', gen_random_uuid())"), null, 'of nothing')
  const left = await sql<{ position: number }>`select position from event where salt is not null order by 1`.execute(db)
  t.strictSame(
    left.rows,
    [0, 1, 2, 3].map((position) => ({ position })),
  )
  t.equal(await stateOf(service, 'select count(*) from event, tile, tree, signed_checkpoint, signing_key'), null)
  t.strictSame(await unsafeFindings(service), [])
})

t.test('nothing that a session sets leads the functions of the owner astray', async (t) => {
  const { url, get } = await recorded(t)
  const service = as(t, url, ROLES.service)
  const announced = await service
    .transaction()
    .execute(async (tx) => {
      await sql`create temporary table event (like public.event)`.execute(tx)
      await sql`insert into event select * from public.event`.execute(tx)
      await sql`update event set type = 'EventRedacted', data = json_build_object('event', (select id from public.event
      where position = 3)), stream = 'bridge', position = 9 where position = 2`.execute(tx)
      await sql`set local search_path = pg_temp, public`.execute(tx)
      await sql`select public.redact_event('demo', (select id from public.event where position = 3))`.execute(tx)
    })
    .catch((error: { code?: string }) => error.code ?? String(error))
  t.equal(announced, RESTRICTED)
  t.equal((await get('/v1/registers/demo/events/3')).body.data.title, 'bridge')
})

t.test('a sealer seals and does nothing else', async (t) => {
  const { url, db, post, get } = await recorded(t)
  const sealer = as(t, url, ROLES.sealer)
  const keys = { origin: 'log.example', keys: [generateKeyPairSync('ed25519').privateKey], now: Date.now }
  t.equal(await sealAll(sealer, 'demo', sealOf('demo', keys)), 4)
  const forbidden = [
    ...NOBODY_MAY,
    'select data from event',
    'select * from commitment',
    'delete from commitment',
    'select * from idempotency_key',
    'insert into projection_progress select * from projection_progress',
    "select append_events('demo', true, now(), 0, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')",
    "select redact_event('demo', gen_random_uuid())",
    "select lock_register('demo')",
    "select create_partition('tally', 7)",
  ]
  for (const statement of forbidden) t.equal(await stateOf(sealer, statement), DENIED, statement)
  t.equal(await stateOf(sealer, "update tile set hashes = decode(repeat('00', 32), 'hex')"), RESTRICTED)
  t.strictSame(await unsafeFindings(sealer), [])
  // It goes on with what it has begun.
  t.equal((await post('/v1/registers/demo/events', made('c'))).status, 201)
  t.equal(await sealAll(sealer, 'demo', sealOf('demo', keys)), 5)
  t.match((await get('/v1/registers/demo/checkpoint')).text, 'log.example/demo\n5\n')
  const others = [generateKeyPairSync('ed25519').privateKey]
  t.equal((await post('/v1/registers/demo/events', made('d'))).status, 201)
  t.equal(
    await sealAll(sealer, 'demo', sealOf('demo', { ...keys, keys: others })),
    6,
    'with a key in place of the other',
  )
  t.equal((await sql`select from signing_key`.execute(db)).rows.length, 2)
})

t.test('of every table it is said who may do what, and what runs as the owner is not for everyone', async (t) => {
  const db = await testDatabase(t)
  const { rows } = await sql<{ name: string }>`select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`.execute(db)
  t.strictSame(
    rows.map(({ name }) => name),
    Object.keys(RIGHTS).sort(),
  )
  const open = await sql`select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef
    and (has_function_privilege('public', oid, 'execute') or has_function_privilege(${ROLES.sealer}, oid, 'execute')
      or not has_function_privilege(${ROLES.service}, oid, 'execute') or proconfig is null)`.execute(db)
  t.strictSame(open.rows, [])
})

const words = (findings: readonly Finding[]) => findings.map(({ what }) => what)

t.test('whatever a role could do to what is recorded is found', async (t) => {
  const url = await testDatabaseUrl(t)
  const db = openDatabase({ connectionString: url, max: 2 })
  const [role, group] = ['r', 'g'].map((one) => `test_${one}_${randomUUID().slice(0, 8)}`) as [string, string]
  t.teardown(async () => {
    for (const one of [role, group]) {
      await sql`drop owned by ${sql.id(one)}`.execute(db)
      await sql`drop role ${sql.id(one)}`.execute(db)
    }
    await db.destroy()
  })
  const run = (statement: string) => sql.raw(statement.replaceAll('ROLE', role).replaceAll('GROUP', group)).execute(db)
  await run(`create role ROLE login password '${new URL(url).password}'; create role GROUP`)
  const cases: [what: string, done: string, undone: string, findings: string[]][] = [
    ['nothing', 'select 1', 'select 1', []],
    [
      'a right',
      'grant update on event to ROLE',
      'revoke update on event from ROLE',
      ['the role ROLE may update event'],
    ],
    [
      'columns',
      'grant update (data) on event to ROLE',
      'revoke update (data) on event from ROLE',
      ['the role ROLE may update event'],
    ],
    [
      'delete',
      'grant delete, truncate, trigger on event to ROLE',
      'revoke all on event from ROLE',
      ['the role ROLE may delete event', 'the role ROLE may truncate event', 'the role ROLE may trigger event'],
    ],
    [
      'a membership',
      'grant GROUP to ROLE; grant delete on event to GROUP',
      'revoke GROUP from ROLE; revoke all on event from GROUP',
      ['the role ROLE, as a member of GROUP, may delete event'],
    ],
    [
      'one that has to be taken on',
      'alter role ROLE noinherit; grant GROUP to ROLE; grant delete on event to GROUP',
      'alter role ROLE inherit; revoke GROUP from ROLE; revoke all on event from GROUP',
      ['the role ROLE, as a member of GROUP, may delete event'],
    ],
    [
      'everything for writing',
      'grant pg_write_all_data to ROLE',
      'revoke pg_write_all_data from ROLE',
      [
        'delete event',
        'delete public_register',
        'delete read_record',
        'delete register',
        'delete signed_checkpoint',
        'delete signing_key',
        'delete tile',
        'delete token',
        'delete tree',
        'insert public_register',
        'insert token',
        'update event',
        'update public_register',
        'update read_record',
        'update register',
        'update signed_checkpoint',
      ].map((may) => `the role ROLE, as a member of pg_write_all_data, may ${may}`),
    ],
    [
      'an owner',
      'alter table event owner to ROLE',
      'alter table event owner to pledger',
      ['the role ROLE owns the table event, and so may change it and switch its guards off'],
    ],
    [
      'a member of the owner',
      'alter table tile owner to GROUP; grant GROUP to ROLE',
      'alter table tile owner to pledger; revoke GROUP from ROLE',
      ['the role ROLE, as a member of GROUP, owns the table tile, and so may change it and switch its guards off'],
    ],
    [
      'a function',
      'alter function redact_event owner to ROLE',
      'alter function redact_event owner to pledger',
      ['the role ROLE owns the function redact_event, and so may replace it'],
    ],
    [
      'the schema',
      'alter schema public owner to ROLE',
      'alter schema public owner to pg_database_owner',
      ['the role ROLE owns the schema public, and so may drop every table'],
    ],
    [
      'create',
      'grant create on schema public to public',
      'revoke create on schema public from public',
      ["the role ROLE may create objects in the schema public, which the owner's functions would find"],
    ],
    [
      'triggers',
      'grant set on parameter session_replication_role to ROLE',
      'revoke set on parameter session_replication_role from ROLE',
      ['the role ROLE may set session_replication_role'],
    ],
    [
      'files',
      'grant pg_execute_server_program to ROLE',
      'revoke pg_execute_server_program from ROLE',
      ['the role ROLE is a member of pg_execute_server_program, and so reaches the files of the server'],
    ],
    [
      'attributes',
      'alter role ROLE createrole bypassrls',
      'alter role ROLE nocreaterole nobypassrls',
      ['the role ROLE bypasses row security', 'the role ROLE may create roles and grant memberships'],
    ],
    [
      'a superuser',
      'alter role ROLE superuser',
      'alter role ROLE nosuperuser',
      ['the role ROLE is a superuser: it may change and delete everything'],
    ],
    [
      'a member of one',
      'alter role GROUP superuser; grant GROUP to ROLE',
      'alter role GROUP nosuperuser; revoke GROUP from ROLE',
      ['the role ROLE is a member of the superuser GROUP: it may change and delete everything'],
    ],
  ]
  for (const [what, done, undone, findings] of cases) {
    await run(done)
    const found = words(await roleFindings(db, role)).sort()
    t.strictSame(found, findings.map((one) => one.replaceAll('ROLE', role).replaceAll('GROUP', group)).sort(), what)
    await run(undone)
    t.strictSame(await roleFindings(db, role), [], `${what}, taken back`)
  }
})

t.test(
  'settings that lose what was answered, and guards that are off, are found with where they were set',
  async (t) => {
    const url = await testDatabaseUrl(t)
    const db = openDatabase({ connectionString: url, max: 1 })
    t.teardown(() => db.destroy())
    const name = new URL(url).pathname.slice(1)
    const found = async (address = asRole(url, ROLES.service)) => {
      const other = openDatabase({ connectionString: address, max: 1 })
      const findings = await unsafeFindings(other)
      await other.destroy()
      return findings
    }
    t.strictSame(await found(), [])
    const because = 'synchronous_commit is off: what was answered as recorded is lost with a crash'
    await sql`alter database ${sql.id(name)} set synchronous_commit = off`.execute(db)
    t.strictSame(await found(), [{ what: because, mend: `alter database ${name} reset synchronous_commit` }])
    await sql`alter database ${sql.id(name)} reset synchronous_commit`.execute(db)
    await sql`alter role ${sql.id(ROLES.service)} in database ${sql.id(name)} set synchronous_commit = off`.execute(db)
    t.strictSame(await found(), [
      { what: because, mend: `alter role ${ROLES.service} in database ${name} reset synchronous_commit` },
    ])
    await sql`alter role ${sql.id(ROLES.service)} in database ${sql.id(name)} reset synchronous_commit`.execute(db)
    t.strictSame(words(await found(`${asRole(url, ROLES.service)}?options=-c%20synchronous_commit%3Doff`)), [because])
    await sql`alter table event disable trigger event_only_blanked`.execute(db)
    await sql`alter table tile enable replica trigger tile_stays`.execute(db)
    t.strictSame(words(await found()), [
      'the trigger event_only_blanked of event is gone or switched off',
      'the trigger tile_stays of tile is gone or switched off',
    ])
  },
)

async function stopped({ child, ended }: Started): Promise<string> {
  child.kill('SIGTERM')
  return (await ended).err
}

async function keyFile(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pledger-roles-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const file = join(dir, 'keys.pem')
  await writeFile(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return file
}

/** A database of an owner who is no superuser, and two roles without a right. */
async function ownedDatabase(t: Test) {
  const url = new URL(await testDatabaseUrl(t))
  const [owner, service, sealer] = ['o', 'v', 's'].map((one) => `test_${one}_${randomUUID().slice(0, 8)}`) as [
    string,
    string,
    string,
  ]
  const roles = [owner, service, sealer]
  const name = `${url.pathname.slice(1)}_owned`
  const admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
  for (const role of roles) await admin.query(`create role ${role} login password '${url.password}'`)
  await admin.query(`create database ${name} owner ${owner}`)
  t.teardown(async () => {
    await admin.query(`drop database ${name} with (force)`)
    for (const role of roles) await admin.query(`drop role ${role}`)
    await admin.end()
  })
  url.pathname = `/${name}`
  const env = (role: string) => ({
    // On the day of the machine, as the database, with whose clock `doctor` compares its own.
    NODE_OPTIONS: '',
    PLEDGER_DATABASE_URL: asRole(url.href, role),
    PLEDGER_ACCESS: 'tokens',
    PLEDGER_PORT: '0',
    PLEDGER_LOG_LEVEL: 'warn',
  })
  return { url: url.href, owner, service, sealer, env }
}

const LISTENS = /listens on (http:\/\/127\.0\.0\.1:\d+)\n/

t.test('as documented: the owner migrates and grants, the service serves, and nobody else may', async (t) => {
  const { url, owner, service, sealer, env } = await ownedDatabase(t)
  const early = await pledger(t, ['serve'], env(service))
  t.match(
    early.err,
    /^pledger: the database lacks (the migration \S+|\d+ migrations up to \S+), and the role \S+ may not change its schema: run pledger migrate as its owner\n$/,
  )
  t.equal(early.code, 1)
  t.match(
    (await pledger(t, ['migrate', '--grant-service', 'nobody_here'], env(owner))).err,
    /^pledger: role "nobody_here" does not exist: create it first/,
  )
  for (const round of ['first', 'again']) {
    const { code, out, err } = await pledger(
      t,
      round === 'first' ? ['migrate', '--grant-service', service, '--grant-sealer', sealer] : ['migrate'],
      env(owner),
    )
    t.strictSame({ code, err }, { code: 0, err: '' }, round)
    t.match(out, `granted to ${service} what a service needs\ngranted to ${sealer} what a sealer needs\n`, round)
  }
  t.match((await pledger(t, ['migrate'], env(service))).out, /: up to date\n$/)
  const refused = await pledger(t, ['serve'], env(owner))
  t.equal(refused.code, 1)
  t.match(
    refused.err,
    `the role ${owner} owns the table event, and so may change it and switch its guards off\n    mend: `,
  )
  t.match(refused.err, '--unsafe-database')
  t.match((await pledger(t, ['serve'], env('pledger'))).err, 'the role pledger is a superuser')

  const ndjson = [...syntheticEvents({ commitments: 60, delivered: 20, late: 5, seed: 5, asOf: '2026-02-26' })]
  const input = ndjson.map((event) => `${JSON.stringify(event)}\n`).join('')
  const imported = await pledger(t, ['import', '-', '--register', 'demo'], env(service), input)
  t.equal(imported.code, 0, imported.err)
  const keys = { PLEDGER_SIGNING_KEYS: await keyFile(t) }
  const unsealing = start(t, ['serve'], { ...env(service), ...keys })
  await unsealing.says(
    /sealing {4}none: its role may not write tiles: set PLEDGER_SEALER_DATABASE_URL, or run pledger seal beside it\n/,
  )
  await stopped(unsealing)

  const grants = ['--role', 'recorder', '--role', 'operator', '--register', 'demo']
  const create = ['token', 'create', '--name', 'Test', ...grants, '--expires', '1h']
  const forbidden = await pledger(t, create, env(service))
  t.match(
    [forbidden.code, forbidden.err],
    [1, /^pledger: permission denied for table [a-z]+: it takes another role [^\n]*\n$/],
    'a service lets nobody in',
  )
  const token = (await pledger(t, create, env(owner))).out.trim()
  const started = start(t, ['serve'], { ...env(service), ...keys, PLEDGER_SEALER_DATABASE_URL: asRole(url, sealer) })
  const [, address = ''] = await started.says(LISTENS)
  const ask = async (path: string, options: RequestInit = {}) => {
    const headers = { ...options.headers, authorization: `Bearer ${token}` }
    const response = await fetch(`${address}${path}`, { ...options, headers })
    // Safe: read as JSON, asserted below.
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const json = { method: 'POST', headers: { 'content-type': 'application/json', 'idempotency-key': '"one"' } }
  const event = JSON.stringify(posted('new', 'CommitmentMade', '2026-01-02', { title: 'New' }))
  const first = await ask('/v1/registers/demo/events', { ...json, body: event })
  t.strictSame(
    [first.status, (await ask('/v1/registers/demo/events', { ...json, body: event })).body],
    [201, first.body],
  )
  const redaction = {
    ...json,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'a name' }),
  }
  t.equal((await ask(`/v1/registers/demo/events/${ndjson.length}/redact`, redaction)).status, 201)
  const size = ndjson.length + 2
  t.equal((await ask(`/v1/registers/demo/commitments?limit=1&minSize=${size}`)).status, 200)
  const replay = await pledger(t, ['replay', '--workers', '2', '--drop-previous'], env(service))
  // Where the machine is busy it tells how far it is.
  t.match([replay.code, replay.err], [0, /^(?:replay: [^\n]*\n)*$/], replay.out)
  let sealed: unknown
  for (let looks = 0; looks < 100 && sealed !== size; looks += 1) {
    const { body } = await ask('/readyz')
    t.strictSame(body.unsafeDatabase, [])
    sealed = (body.sealing as { size: number }[])[0]?.size
    await sleep(50)
  }
  t.equal(sealed, size)
  t.equal(await stopped(started), '')
  const doctor = await pledger(t, ['doctor'], env(service))
  t.strictSame([doctor.code, doctor.err], [0, ''], doctor.out)
  t.match(doctor.out, /ok {3}safety {4}nothing to complain about\n$/)

  const unsafe = start(t, ['serve', '--unsafe-database'], env(owner))
  const [, there = ''] = await unsafe.says(LISTENS)
  const readiness = async (headers: Record<string, string>) => {
    const answer = (await (await fetch(`${there}/readyz`, { headers })).json()) as { unsafeDatabase: string[] }
    return answer.unsafeDatabase
  }
  t.strictSame(await readiness({}), ['ask with a role: what it is, is not for everyone'])
  const unsafeDatabase = await readiness({ authorization: `Bearer ${token}` })
  t.ok(
    unsafeDatabase.includes(`the role ${owner} owns the table event, and so may change it and switch its guards off`),
  )
  t.match(await stopped(unsafe), 'database: UNSAFE: ')
  const ill = await pledger(t, ['doctor'], env(owner))
  t.equal(ill.code, 1)
  t.match(ill.out, `BAD  safety    what is recorded is not safe:\n`)
})

t.test('the embedded database is safe as it comes, and a service says so where it is made unsafe', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'pledger-roles-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await chmod(dir, 0o755)
  const env = { ...PLAIN_NODE, PLEDGER_DATA: dir, PLEDGER_PORT: '0', PLEDGER_LOG_LEVEL: 'warn' }
  const unsafe = async () => {
    const service = start(t, ['serve'], env)
    const [, address = ''] = await service.says(LISTENS)
    const { unsafeDatabase } = (await (await fetch(`${address}/readyz`)).json()) as { unsafeDatabase: string[] }
    return { unsafeDatabase, err: await stopped(service) }
  }
  t.strictSame(await unsafe(), { unsafeDatabase: [], err: '' })
  const server = await openEmbedded(dir)
  const admin = new pg.Client({ connectionString: server.connectionString })
  await admin.connect()
  for (const name of ['fsync', 'full_page_writes']) await admin.query(`alter system set ${name} = off`)
  await admin.end()
  await server.stop()
  const { unsafeDatabase, err } = await unsafe()
  t.strictSame(unsafeDatabase, [
    'fsync is off: what was answered as recorded is lost with a crash of the machine, and the rest with it',
    'full_page_writes is off: a crash of the machine can leave pages that are half written',
  ])
  t.equal(err.split('\n').length, 2, 'in one line')
  t.match(err, 'database: UNSAFE: fsync is off')
})

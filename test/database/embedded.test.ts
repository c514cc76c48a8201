import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { EmbeddedError } from '../../src/database/embedded/files.ts'
import { attachEmbedded, openEmbedded } from '../../src/database/embedded/server.ts'
import { PATIENCE_MS } from '../support/patience.ts'

t.jobs = 2

const isRoot = process.getuid?.() === 0
const ended = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null
const ofLines = (text: string) => text.split('\n')

// Reachable for the user that PostgreSQL runs under where the tests run as root.
async function directory(t: Test): Promise<string> {
  const dir = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'pledger-embedded-')))
  await fs.chmod(dir, 0o755)
  t.teardown(async () => {
    if (existsSync(join(dir, 'postgres/postmaster.pid'))) await (await openEmbedded(dir)).stop()
    await fs.rm(dir, { recursive: true, force: true, maxRetries: 10 })
  })
  return dir
}

type Answer = { connectionString: string; adopted: boolean } | { refused: string }
type Service = { pid: number; answer: Promise<Answer>; stop(): Promise<number | null>; kill(): Promise<void> }

// A service in a process of its own: says what it got, then stops the server at the end of its input.
const script = `
  const [, url, how, dir] = process.argv
  const embedded = await import(url)
  try {
    const server = await embedded[how](dir)
    console.log(JSON.stringify(server))
    process.stdin.resume().on('end', () => server.stop())
  } catch (error) {
    console.log(JSON.stringify({ refused: String(error) }))
  }`

function service(t: Test, dir: string, how = 'openEmbedded', account: { uid?: number; gid?: number } = {}): Service {
  const url = new URL('../../src/database/embedded/server.ts', import.meta.url).href
  const args = ['--input-type=module', '--eval', script, url, how, dir]
  // Without tap's own options: an ordinary user may not write where it counts coverage. `env` keeps the process id.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, ...args]
  const child = spawn('/usr/bin/env', command, { stdio: ['pipe', 'pipe', 'inherit'], ...account })
  const gone = new Promise<number | null>((done) => child.once('exit', done))
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const kill = async () => {
    if (!ended(child)) child.kill('SIGKILL')
    await gone
  }
  t.teardown(kill)
  return {
    pid: child.pid ?? 0,
    answer: (async () => {
      while (!output.includes('\n') && !ended(child)) await sleep(10)
      return JSON.parse(output)
    })(),
    stop: () => {
      child.stdin.end()
      return gone
    },
    kill,
  }
}

async function query(connectionString: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error) => error.code,
  )
}

async function problemOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error) => {
      if (!(error instanceof EmbeddedError)) throw error
      return error.message
    },
  )
}

const postmasterPid = async (dir: string) =>
  Number(ofLines(await fs.readFile(join(dir, 'postgres/postmaster.pid'), 'utf8'))[0])

async function until(condition: () => unknown): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await condition()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error('it did not come to that')
  }
}

/** Whether this process holds the lock that makes a server its own. */
async function isOwned({ connectionString }: { connectionString: string }): Promise<boolean> {
  const owners = `select from pg_stat_activity join pg_locks using (pid)
    where locktype = 'advisory' and application_name = 'pledger owner ${process.pid}'`
  return (await query(connectionString, owners).catch(() => [])).length === 1
}

const inUseBy = (pid: number, dir: string) =>
  `another pledger service, process ${pid}, is using ${dir}; stop it, or set PLEDGER_DATA to another directory`

t.test('a new directory gets a server that only this machine and only the password can reach', async (t) => {
  const dir = join(await directory(t), 'not/there/yet')
  const server = await openEmbedded(dir)
  t.equal(server.adopted, false)
  const settings = await query(
    server.connectionString,
    `select name, setting from pg_settings where name in
     ('fsync', 'listen_addresses', 'max_connections', 'server_encoding', 'TimeZone', 'unix_socket_directories')
     order by name collate "C"`,
  )
  t.strictSame(settings, [
    { name: 'TimeZone', setting: 'UTC' },
    { name: 'fsync', setting: 'on' },
    { name: 'listen_addresses', setting: '127.0.0.1' },
    { name: 'max_connections', setting: '100' },
    { name: 'server_encoding', setting: 'UTF8' },
    { name: 'unix_socket_directories', setting: '' },
  ])
  t.strictSame(
    await query(
      server.connectionString,
      `select current_user as who, datname, datlocprovider, datlocale, (select rolpassword from pg_authid
       where rolname = 'pledger') like 'SCRAM-SHA-256$%' as scram from pg_database where datname = current_database()`,
    ),
    [{ who: 'pledger', datname: 'pledger', datlocprovider: 'b', datlocale: 'C.UTF-8', scram: true }],
  )
  t.equal(await codeOf(query(server.connectionString.replace(/:[^:@]+@/, ':wrong@'), 'select')), '28P01')
  t.equal((await fs.stat(join(dir, 'postgres.password'))).mode & 0o777, 0o600)
  t.equal((await fs.stat(join(dir, 'postgres'))).mode & 0o777, 0o700)
  await Promise.all([server.stop(), server.stop()])
  t.equal(await codeOf(query(server.connectionString, 'select')), 'ECONNREFUSED')
  t.strictSame((await fs.readdir(dir)).sort(), ['postgres', 'postgres.log', 'postgres.password'])
})

t.test('a directory is one service’s at a time', async (t) => {
  const dir = await directory(t)

  await t.test('of two that start at the same instant in a new directory exactly one wins', async (t) => {
    const both = [service(t, dir), service(t, dir)]
    const answers = await Promise.all(both.map((one) => one.answer))
    const winner = answers.findIndex((answer) => 'connectionString' in answer)
    t.strictSame(answers[1 - winner], { refused: `EmbeddedError: ${inUseBy(both[winner]?.pid ?? 0, dir)}` })
    t.strictSame((await fs.readdir(dir)).sort(), ['postgres', 'postgres.log', 'postgres.password'])
    t.equal(await both[1 - winner]?.stop(), 0)
    t.equal(await both[winner]?.stop(), 0)
    t.notOk(existsSync(join(dir, 'postgres/postmaster.pid')))
  })

  await t.test('a second one is refused and does the first no harm', async (t) => {
    const first = await openEmbedded(dir)
    t.equal(await problemOf(openEmbedded(dir)), inUseBy(process.pid, dir))
    t.strictSame(await query(first.connectionString, 'select 1 as one'), [{ one: 1 }])
    await first.stop()
  })

  await t.test('when the service is killed, the next one adopts its server with every row, and stops it', async (t) => {
    const killed = service(t, dir)
    const answer = await killed.answer
    if ('refused' in answer) throw new Error(answer.refused)
    await query(answer.connectionString, `create table kept as select 'row' as word`)
    const pid = await postmasterPid(dir)
    await killed.kill()

    const next = await openEmbedded(dir)
    t.strictSame(next.connectionString, answer.connectionString)
    t.equal(next.adopted, true)
    t.equal(await postmasterPid(dir), pid)
    t.equal(await problemOf(openEmbedded(dir)), inUseBy(process.pid, dir))
    t.strictSame(await query(next.connectionString, 'select * from kept'), [{ word: 'row' }])
    await next.stop()
    t.equal(await codeOf(query(next.connectionString, 'select')), 'ECONNREFUSED')

    const later = await openEmbedded(dir)
    t.equal(later.adopted, false)
    t.strictSame(await query(later.connectionString, 'select * from kept'), [{ word: 'row' }])
    await later.stop()
  })

  await t.test('a short command uses a running service’s server and leaves it running', async (t) => {
    const owner = service(t, dir)
    const answer = await owner.answer
    const attached = await attachEmbedded(dir)
    t.strictSame({ connectionString: attached.connectionString, adopted: attached.adopted }, answer)
    await attached.stop()
    t.strictSame(await query(attached.connectionString, 'select 1 as one'), [{ one: 1 }])

    await owner.kill()
    const orphaned = await attachEmbedded(dir)
    await orphaned.stop()
    t.strictSame(await query(orphaned.connectionString, 'select 1 as one'), [{ one: 1 }])
    const adopting = await openEmbedded(dir)
    t.equal(adopting.adopted, true)
    await adopting.stop()
  })

  await t.test('a short command without a service starts the server and stops it', async (t) => {
    const command = await attachEmbedded(dir)
    t.strictSame(await query(command.connectionString, 'select 1 as one'), [{ one: 1 }])
    t.equal(await problemOf(openEmbedded(dir)), inUseBy(process.pid, dir))
    await command.stop()
    t.equal(await codeOf(query(command.connectionString, 'select')), 'ECONNREFUSED')
  })

  await t.test('a server that dies is started again by its owner, at the same address', async (t) => {
    const lines: string[] = []
    const owner = await openEmbedded(dir, (line) => lines.push(line))
    for (let death = 0; death < 2; death += 1) {
      const pid = await postmasterPid(dir)
      process.kill(pid, 'SIGKILL')
      await until(async () => (await postmasterPid(dir).catch(() => pid)) !== pid && (await isOwned(owner)))
      t.not(await postmasterPid(dir), pid)
      t.strictSame(await query(owner.connectionString, 'select * from kept'), [{ word: 'row' }])
    }
    t.equal(await problemOf(openEmbedded(dir)), inUseBy(process.pid, dir))

    const killed = await postmasterPid(dir)
    process.kill(killed, 'SIGKILL')
    await until(() => lines.filter((line) => line.includes('has closed its owner’s connection')).length === 3)
    await owner.stop()
    t.equal(await codeOf(query(owner.connectionString, 'select')), 'ECONNREFUSED', 'also where it is stopped meanwhile')
    // Where nothing was started any more, the file of the killed one is left. It names this process instead where the killed
    // one was still a zombie when it was looked for: a zombie has no command line, so that its id passes for another program's.
    const left = await postmasterPid(dir).catch(() => killed)
    t.ok([killed, process.pid].includes(left), `no other server is left: ${left} is none`)
  })

  await t.test('where another process uses the directory then, the owner leaves its server alone', async (t) => {
    const lines: string[] = []
    const owner = await openEmbedded(dir, (line) => lines.push(line))
    const port = Number(new URL(owner.connectionString).port)
    // As where a command was quicker, here because the owner cannot start it: first there is none, then its address is taken.
    const version = join(dir, 'postgres/PG_VERSION')
    await fs.rename(version, `${version}.away`)
    process.kill(await postmasterPid(dir), 'SIGKILL')
    await until(() => lines.some((line) => line.endsWith('is not there')))
    const taken = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
    t.teardown(() => taken.close())
    await once(taken, 'listening')
    await fs.rename(`${version}.away`, version)
    const next = service(t, dir)
    const answer = await next.answer
    if ('refused' in answer) throw new Error(answer.refused)
    await until(() => lines.some((line) => line.endsWith(`process ${next.pid} is using ${dir}`)))
    await owner.stop()
    t.strictSame(await query(answer.connectionString, 'select * from kept'), [{ word: 'row' }])
    t.equal(await next.stop(), 0)
  })

  await t.test('the owner stays the owner when one of PostgreSQL’s processes crashes', async (t) => {
    const lines: string[] = []
    const owner = await openEmbedded(dir, (line) => lines.push(line))
    const [found] = await query(
      owner.connectionString,
      `select pid from pg_stat_activity where backend_type = 'checkpointer'`,
    )
    process.kill((found as { pid: number }).pid, 'SIGKILL') // the one column selected
    await until(() => lines.includes('the embedded PostgreSQL has closed its owner’s connection'))
    await until(() => isOwned(owner))
    t.equal(await problemOf(openEmbedded(dir)), inUseBy(process.pid, dir))
    await owner.stop()
    t.equal(await codeOf(query(owner.connectionString, 'select')), 'ECONNREFUSED')
  })

  await t.test('what crashes leave behind does not prevent the next start', async (t) => {
    const pidFile = join(dir, 'postgres/postmaster.pid')
    const { uid, gid } = await fs.stat(join(dir, 'postgres'))
    const startsOver = async (t: Test, text: string) => {
      await fs.writeFile(pidFile, text)
      await fs.chown(pidFile, uid, gid)
      await fs.utimes(pidFile, 0, 0)
      const server = await openEmbedded(dir)
      t.equal(server.adopted, false)
      t.strictSame(await query(server.connectionString, 'select * from kept'), [{ word: 'row' }])
      await server.stop()
    }
    const listing = (pid: number) => `${pid}\n${dir}/postgres\n1700000000\n1\n\n127.0.0.1\n  1  1\nready   \n`
    const other = spawn('/bin/sleep', ['60'], isRoot ? { uid, gid } : {})
    t.teardown(() => other.kill('SIGKILL'))

    await t.test('a postmaster.pid of a dead process', (t) => startsOver(t, listing(2 ** 22 - 1)))
    await t.test('a postmaster.pid without content', (t) => startsOver(t, ''))
    await t.test(
      'a postmaster.pid whose id now belongs to another process of the same user',
      { skip: process.platform !== 'linux' && 'what a process runs is looked up in /proc' },
      (t) => startsOver(t, listing(other.pid ?? 0)),
    )
    await t.test('the stage of a killed initdb', async (t) => {
      const stage = join(dir, `postgres.init-${2 ** 22 - 1}-AbCdEf`)
      await fs.mkdir(join(stage, 'data'), { recursive: true })
      await startsOver(t, listing(2 ** 22 - 1))
      t.notOk(existsSync(stage))
    })
  })

  await t.test('a lost password file is named', async (t) => {
    const file = join(dir, 'postgres.password')
    await fs.rename(file, `${file}.away`)
    t.equal(
      await problemOf(openEmbedded(dir)),
      `${file} is missing; put it back, it belongs to ${join(dir, 'postgres')}`,
    )
    t.notOk(existsSync(join(dir, 'postgres/postmaster.pid')))
    await fs.rename(`${file}.away`, file)
  })

  await t.test('where PostgreSQL does not start, its log’s last lines say why', async (t) => {
    await fs.appendFile(join(dir, 'postgres/postgresql.conf'), '\nnonsense = 1\n')
    const problem = ofLines(await problemOf(openEmbedded(dir)))
    t.equal(problem[0], `PostgreSQL did not start in ${dir}/postgres. The end of ${dir}/postgres.log:`)
    t.match(problem[1], /unrecognized configuration parameter "nonsense" in file/)
    t.equal(problem.length, 3)
  })
})

t.test('a service killed in the middle of initdb leaves nothing that prevents the next start', async (t) => {
  const dir = await directory(t)
  const killed = service(t, dir)
  killed.answer.catch(() => {}) // it gives none
  const inTheMiddle = async () => {
    const stage = (await fs.readdir(dir)).find((name) => name.startsWith('postgres.init-'))
    return stage !== undefined && existsSync(join(dir, stage, 'data'))
  }
  await until(inTheMiddle)
  await killed.kill()
  t.notOk(existsSync(join(dir, 'postgres')))

  const server = await openEmbedded(dir)
  t.strictSame(await query(server.connectionString, 'select 1 as one'), [{ one: 1 }])
  await server.stop()
})

t.test('what the user has to mend is said in one message', async (t) => {
  const dir = await directory(t)
  const cluster = join(dir, 'postgres')

  await t.test('files that are no cluster', async (t) => {
    await fs.mkdir(join(cluster, 'base'), { recursive: true })
    t.equal(
      await problemOf(openEmbedded(dir)),
      `${cluster} holds files but no PostgreSQL database (no PG_VERSION); restore it or move it away, ` +
        'or set PLEDGER_DATA to another directory',
    )
  })

  await t.test('a cluster of another major version', async (t) => {
    await fs.writeFile(join(cluster, 'PG_VERSION'), '17\n')
    t.equal(
      await problemOf(openEmbedded(dir)),
      `${cluster} was made by PostgreSQL 17, and the embedded one is 18; export the registers with the release that ` +
        'made it and import them here, or set PLEDGER_DATABASE_URL to a server of that version',
    )
  })

  await t.test('a path that PostgreSQL’s tools cannot quote', async (t) => {
    t.equal(
      await problemOf(openEmbedded(join(dir, 'a$b'))),
      `PostgreSQL's tools cannot work in "${dir}/a$b": a path may not contain any of " $ \` \\ or a line break`,
    )
  })

  await t.test('a file where the directory should be', async (t) => {
    await fs.writeFile(join(dir, 'file'), '')
    t.match(await problemOf(openEmbedded(join(dir, 'file'))), `cannot use the data directory ${dir}/file: EEXIST`)
  })

  await t.test('a directory that the user PostgreSQL runs under cannot reach', { skip: !isRoot }, async (t) => {
    const closed = join(dir, 'closed')
    await fs.mkdir(closed, { mode: 0o700 })
    const problem = await problemOf(openEmbedded(join(closed, 'data')))
    t.match(
      problem,
      /^PostgreSQL does not run as root, and the user it runs as instead \(id \d+\) cannot reach .*\/closed\/data\. /,
    )
    t.ok(problem.includes('(chmod o+x), or run as an ordinary user, or set PLEDGER_DATA to a directory elsewhere'))
    t.strictSame(await fs.readdir(join(closed, 'data')), [])
  })
})

t.test('an ordinary user’s server runs as that user, whom root follows', { skip: !isRoot }, async (t) => {
  const dir = await directory(t)
  const nobody = { uid: 65534, gid: 65534 }
  await fs.chown(dir, nobody.uid, nobody.gid)
  const ordinary = service(t, dir, 'openEmbedded', nobody)
  t.match(await ordinary.answer, { adopted: false })
  await ordinary.kill()

  const root = await openEmbedded(dir)
  t.equal(root.adopted, true)
  await root.stop()
  t.equal((await fs.stat(join(dir, 'postgres.log'))).uid, nobody.uid)

  const again = service(t, dir, 'openEmbedded', nobody)
  t.match(await again.answer, { adopted: false })
  t.equal(await again.stop(), 0)
})

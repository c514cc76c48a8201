// A PostgreSQL of the operating system's with its tools: the embedded one has neither pg_dump nor pg_basebackup. Of the oldest
// version that Pledger runs on, so that a test of backups also is one of that.

import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, chown, mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Test } from 'tap'

const run = promisify(execFile)
const HOME = '/usr/lib/postgresql'
const TOOLS = ['initdb', 'pg_ctl', 'pg_dump', 'pg_restore', 'pg_basebackup', 'pg_verifybackup']

function binaries(): string | null {
  const versions = existsSync(HOME) ? readdirSync(HOME).sort((a, b) => Number(a) - Number(b)) : []
  const folders = versions.filter((version) => Number(version) >= 15).map((version) => join(HOME, version, 'bin'))
  return folders.find((folder) => TOOLS.every((tool) => existsSync(join(folder, tool)))) ?? null
}

const BINARIES = binaries()

/** Why there can be none; false where there can. */
export const NO_POSTGRES_TOOLS =
  BINARIES === null && `no PostgreSQL 15 or newer with pg_dump and pg_basebackup in ${HOME}`

async function account(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null
  const [uid, gid] = await Promise.all([run('id', ['-u', 'postgres']), run('id', ['-g', 'postgres'])])
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
}

/** Runs a tool as the user who may run PostgreSQL; returns what it printed. */
export async function tool(name: (typeof TOOLS)[number], ...given: string[]): Promise<string> {
  const as = await account()
  const { stdout } = await run(join(BINARIES ?? '', name), given, { cwd: '/', ...(as ?? {}) })
  return stdout
}

/** A directory below another, of the user who may run PostgreSQL. */
export async function ownDirectory(dir: string, name: string): Promise<string> {
  const path = join(dir, name)
  await mkdir(path)
  await chmod(path, 0o700)
  const as = await account()
  if (as) await chown(path, as.uid, as.gid)
  return path
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Starts a server on what is in a directory; it is stopped with the test. Returns the address of a database of it. */
export async function startCluster(t: Test, cluster: string): Promise<(database: string) => string> {
  const port = await freePort()
  const options = `-p ${port} -h 127.0.0.1 -c unix_socket_directories='' -c fsync=on`
  await tool('pg_ctl', 'start', '-w', '-s', '-D', cluster, '-l', join(cluster, 'log'), '-o', options)
  t.teardown(async () => {
    await tool('pg_ctl', 'stop', '-w', '-s', '-m', 'immediate', '-D', cluster).catch(() => {})
  })
  return (database) => `postgres://postgres@127.0.0.1:${port}/${database}`
}

/** A new, empty cluster. */
export async function newCluster(dir: string): Promise<string> {
  const cluster = await ownDirectory(dir, 'cluster')
  await tool('initdb', '-D', cluster, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N')
  return cluster
}

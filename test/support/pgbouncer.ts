// A pgbouncer in transaction mode in front of a test's database: a process of its own, gone with the test.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { ROLES } from './database.ts'
import { PATIENCE_MS } from './patience.ts'
import type { Ending } from './process.ts'

/** The program; null where it is not installed. Debian puts it where only root's path leads. */
function program(): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const isThere = (path: string) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  }
  return folders.map((folder) => join(folder, 'pgbouncer')).find(isThere) ?? null
}

/** Why there can be none; false where there can. */
export const NO_PGBOUNCER = program() === null && 'pgbouncer is not installed'

/** It refuses to run as root; then it runs as the user that PostgreSQL runs as, or as nobody. */
async function lowerUser(): Promise<{ uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const [, , uid, gid] = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody') ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Safe: a TCP server has an address of this kind.
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

const POOL = 6

/** Clients are many and servers few, so that hardly two statements in a row meet the same session. */
function settings(dir: string, port: number, { hostname, port: serverPort }: URL): string {
  return `[databases]
* = host=${hostname} port=${serverPort || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(dir, 'users.txt')}
logfile = ${join(dir, 'pgbouncer.log')}
pidfile =
pool_mode = transaction
default_pool_size = ${POOL}
max_client_conn = 200
server_round_robin = 1
ignore_startup_parameters = extra_float_digits
`
}

async function answers(connectionString: string, log: () => Promise<string>): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const client = new pg.Client({ connectionString })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
      return
    } catch (error) {
      if (performance.now() > until) throw new Error(`pgbouncer does not answer: ${error}\n${await log()}`)
      await sleep(50)
    } finally {
      await client.end().catch(() => {})
    }
  }
}

/** The address of a database through a pgbouncer in transaction mode that is started for it; it ends with the test. */
export async function pgbouncerUrl(ending: Ending, connectionString: string): Promise<string> {
  const file = program()
  if (file === null) throw new Error(String(NO_PGBOUNCER))
  const dir = await mkdtemp(join(tmpdir(), 'pledger-pgbouncer-'))
  const url = new URL(connectionString)
  const port = await freePort()
  await writeFile(join(dir, 'pgbouncer.ini'), settings(dir, port, url))
  const users = [url.username, ...Object.values(ROLES)]
  await writeFile(
    join(dir, 'users.txt'),
    users.map((name) => `"${name}" "${decodeURIComponent(url.password)}"\n`),
  )
  const user = await lowerUser()
  for (const path of [dir, join(dir, 'pgbouncer.ini'), join(dir, 'users.txt')]) {
    await chmod(path, path === dir ? 0o700 : 0o600)
    if (user) await chown(path, user.uid, user.gid)
  }
  const child = spawn(file, [join(dir, 'pgbouncer.ini')], { ...user, stdio: 'ignore', cwd: dir })
  const ended = once(child, 'close')
  ending.teardown(async () => {
    child.kill('SIGKILL')
    await ended
    await rm(dir, { recursive: true, force: true })
  })
  url.host = `127.0.0.1:${port}`
  await answers(url.href, () => readFile(join(dir, 'pgbouncer.log'), 'utf8').catch(() => 'no log'))
  return url.href
}

// Starting and stopping the server's process, by pg_ctl.

import { constants } from 'node:fs'
import { open, rename, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ran, run, type Tools, toolsFor } from './account.ts'
import { ensureCluster } from './cluster.ts'
import { EmbeddedError, logTail, type ServerFiles } from './files.ts'
import { findServer } from './pid-file.ts'

// Longer than crash recovery after a large import is expected to take.
const startSeconds = 300
const stopSeconds = 120
const maxLogBytes = 16 * 1024 * 1024

/**
 * Starts the server, creating its files if they are missing. Returns false if another process was quicker. Throws EmbeddedError
 * with the last lines of PostgreSQL's log.
 */
export async function startServer(files: ServerFiles, port?: number): Promise<boolean> {
  const tools = await toolsFor(files)
  await ensureCluster(files, tools)
  const from = await prepareLog(files, tools)
  for (let attempt = 1; ; attempt++) {
    const ran = await pgCtlStart(files, tools, port ?? (await freePort()))
    if (ran.code === 0) return true
    if ((await findServer(files)) !== 'none') return false
    const said = await logTail(files, from)
    if (!mayPass(said) || attempt === 10) {
      throw new EmbeddedError(`PostgreSQL did not start in ${files.cluster}.${said || ` ${ran.output}`}`)
    }
    await sleep(500)
  }
}

// Somebody took the free port first, or a killed server's last processes are still ending, or another process's attempt
// that has failed by now stood in the way.
function mayPass(said: string): boolean {
  return ['could not bind', 'pre-existing shared memory block', 'lock file'].some((words) => said.includes(words))
}

function pgCtlStart(files: ServerFiles, tools: Tools, port: number): Promise<Ran> {
  files.log(`starting PostgreSQL in ${files.cluster} on port ${port}`)
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=''`, 'max_connections=100']
  const options = settings.map((setting) => `-c ${setting}`).join(' ')
  const wait = ['-w', '-t', String(startSeconds)]
  return run(tools.pg_ctl, ['start', ...wait, '-D', files.cluster, '-l', files.logFile, '-o', options], tools.account)
}

/** Stops the server, and waits for it. Throws EmbeddedError if it still runs after two minutes. */
export async function stopServer(files: ServerFiles): Promise<void> {
  const tools = await toolsFor(files)
  const wait = ['-w', '-t', String(stopSeconds)]
  const ran = await run(tools.pg_ctl, ['stop', '-m', 'fast', ...wait, '-D', files.cluster], tools.account)
  // It may have died before.
  if (ran.code === 0 || (await findServer(files)) === 'none') return
  throw new EmbeddedError(`PostgreSQL in ${files.cluster} did not stop: ${ran.output}${await logTail(files, 0)}`)
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done, fail) => probe.once('error', fail).listen(0, '127.0.0.1', done))
  const address = probe.address()
  await new Promise((done) => probe.close(done))
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

/** Returns the length of the log file, which is made if it is missing. A log over 16 MiB is renamed to `….old` first. */
async function prepareLog(files: ServerFiles, tools: Tools): Promise<number> {
  const before = await stat(files.logFile).catch(() => null)
  if (before && before.size > maxLogBytes) await rename(files.logFile, `${files.logFile}.old`)
  const file = await open(files.logFile, constants.O_CREAT | constants.O_APPEND | constants.O_WRONLY, 0o600)
  try {
    if (tools.account) await file.chown(tools.account.uid, tools.account.gid)
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

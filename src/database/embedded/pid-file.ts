// Reads postmaster.pid: whether a server runs, and on which port. A file that a crash left behind counts as no server.

import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { codeOf, readIfThere, type ServerFiles } from './files.ts'

export type SettledState = 'none' | { port: number }
export type ServerState = SettledState | 'pending'

/** The state of the server by its postmaster.pid: none, pending while it starts, or the port it listens on. */
export async function findServer(files: ServerFiles): Promise<ServerState> {
  const file = join(files.cluster, 'postmaster.pid')
  const text = await readIfThere(file)
  if (text === null) return 'none'
  const [pid = 0, port = 0] = [0, 3].map((line) => Number(text.split('\n')[line]))
  if (text.trim() === '') return removeEmptyPidFile(file)
  if (!isAlive(pid)) return 'none'
  if (isForeign(pid, text.split('\n')[1] ?? '', files.cluster)) {
    disown(file, text)
    return 'none'
  }
  return port > 0 ? { port } : 'pending'
}

// PostgreSQL writes the file right after creating it; one that stays empty is left from a power loss, and PostgreSQL
// would refuse to start over it.
async function removeEmptyPidFile(file: string): Promise<ServerState> {
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

/** Whether a process of that id exists, ours or not. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

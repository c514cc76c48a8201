// The embedded server's files below the data directory, and the messages for a directory that cannot be used.

import { mkdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'

/** An expected failure; its message tells the user what is wrong and what to do. */
export class EmbeddedError extends Error {
  override name = 'EmbeddedError'
}

/** The directory of a server's own files, below the data directory. */
export const CLUSTER = 'postgres'

export type Log = (line: string) => void
/** Paths of one data directory, and where to say what happens there. */
export type ServerFiles = { dir: string; cluster: string; passwordFile: string; logFile: string; log: Log }

/** The paths below a data directory, which is made if it is missing. Throws EmbeddedError where PostgreSQL cannot use the path. */
export async function serverFiles(dataDir: string, log: Log): Promise<ServerFiles> {
  await mkdir(dataDir, { recursive: true })
  // One name for one directory, however it was reached: it is compared with what postmaster.pid says.
  const dir = await realpath(dataDir)
  refuseUnquotable(dir)
  return {
    dir,
    cluster: join(dir, CLUSTER),
    passwordFile: join(dir, 'postgres.password'),
    logFile: join(dir, 'postgres.log'),
    log,
  }
}

// initdb and pg_ctl put these paths between double quotes in shell commands of their own.
export function refuseUnquotable(path: string): void {
  if (!/["$`\\\n]/.test(path)) return
  throw new EmbeddedError(
    `PostgreSQL's tools cannot work in ${JSON.stringify(path)}: a path may not contain any of " $ \` \\ or a line break`,
  )
}

/** The last lines of PostgreSQL's log, none from before the byte `from`, laid out to follow a sentence. */
export async function logTail(files: ServerFiles, from: number): Promise<string> {
  const bytes = await readFile(files.logFile).catch(() => Buffer.alloc(0))
  const lines = bytes.subarray(from).toString('utf8').trimEnd().split('\n').slice(-10)
  return lines.join('') === '' ? '' : ` The end of ${files.logFile}:\n${lines.join('\n')}`
}

// What the file system refuses is the user's to mend; anything else is a bug and stays as it is.
export async function explained<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
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

export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

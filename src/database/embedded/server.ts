// The embedded PostgreSQL: a server of its own below the data directory, run by PostgreSQL's own initdb and pg_ctl.
// This folder knows how such a server is made (cluster.ts), started and stopped (postmaster.ts), found (pid-file.ts), reached
// (connection.ts), owned and adopted (owner.ts). It must not know what is stored in it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { connectionString, ensureDatabase, tryConnect, untilAnswered, whileItLasts } from './connection.ts'
import { CLUSTER, EmbeddedError, explained, type Log, type ServerFiles, serverFiles } from './files.ts'
import { claimServer, type EmbeddedServer } from './owner.ts'

/**
 * Starts the server below `dataDir`, or adopts one whose owner was killed, and owns it until `stop`, which stops it.
 * Creates the directory, the server's files and the database `pledger` where missing.
 * Throws EmbeddedError where another live process owns it and wherever the user has to act.
 */
export async function openEmbedded(dataDir: string, log: Log = () => {}): Promise<EmbeddedServer> {
  return explained(dataDir, async () => {
    const files = await serverFiles(dataDir, log)
    const claim = await claimServer(files)
    if ('server' in claim) return claim.server
    throw new EmbeddedError(
      `another pledger service, process ${claim.ownerPid}, is using ${files.dir}; ` +
        'stop it, or set PLEDGER_DATA to another directory',
    )
  })
}

/** Whether a server's files stand below `dataDir`. */
export function hasEmbedded(dataDir: string): boolean {
  return existsSync(join(dataDir, CLUSTER, 'PG_VERSION'))
}

/**
 * Connects a short command to the server below `dataDir`. It uses a running server of any owner, and `stop` leaves
 * that running; otherwise it does the same as `openEmbedded`. Throws EmbeddedError if the user has to act.
 */
export async function attachEmbedded(dataDir: string, log: Log = () => {}): Promise<EmbeddedServer> {
  return explained(dataDir, async () => {
    const files = await serverFiles(dataDir, log)
    const running = await attach(files)
    if (running) return running
    const claim = await claimServer(files)
    if ('server' in claim) return claim.server
    // Another process started it in between.
    const theirs = await attach(files)
    if (theirs) return theirs
    throw new EmbeddedError(`the embedded PostgreSQL in ${files.dir} is being stopped by another process; try again`)
  })
}

/** Null where no server runs. */
async function attach(files: ServerFiles): Promise<EmbeddedServer | null> {
  const found = await untilAnswered(files, async (state) => {
    if (state === 'none') return { server: null }
    const client = await tryConnect(files, state.port, `pledger ${process.pid}`)
    return (
      client &&
      whileItLasts(client, async () => {
        await ensureDatabase(client) // the owner may not have come to it yet
        await client.end()
        return {
          server: { connectionString: connectionString(client, state.port), adopted: false, stop: async () => {} },
        }
      })
    )
  })
  return found.server
}

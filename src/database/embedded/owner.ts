// Owning a server: one process at a time holds the owner's lock, starts the server again where it ends by itself, and stops it.
// Nothing here relies on a clean end: the next owner copes with anything that a kill leaves behind.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { connectionString, ensureDatabase, pollMs, tryConnect, untilAnswered, whileItLasts } from './connection.ts'
import { EmbeddedError, explained, type ServerFiles } from './files.ts'
import { isAlive } from './pid-file.ts'
import { startServer, stopServer } from './postmaster.ts'

/**
 * `adopted`: the server outlived an earlier owner that was killed. `stop` may be called more than once. Until then a server
 * that ends by itself is started again, at the same address.
 */
export type EmbeddedServer = { connectionString: string; adopted: boolean; stop(): Promise<void> }

/** The server that this process owns now, or the process that owns it. */
type Claim = { server: EmbeddedServer } | { ownerPid: number }

const ownerName = 'pledger owner'
// Any constant will do: nobody else takes advisory locks in the database `postgres`.
const ownerLock = 4180
// Between two attempts to start a server again that ended by itself, at most.
const restartPauseMs = 10_000
// A killed owner's lock goes when its backend notices; a living owner keeps it, so waiting longer only delays the "no".
const graceMs = { alive: 500, dead: 10_000 }

/** Starts what does not run, until the owner's lock is ours or a living process holds it. */
export async function claimServer(files: ServerFiles): Promise<Claim> {
  let started = false
  try {
    return await untilAnswered(files, async (state) => {
      if (state !== 'none') return claimOwnership(files, state.port, !started)
      started = await startServer(files)
      return null
    })
  } catch (error) {
    if (started) await stopServer(files).catch(() => {}) // the first error is the one to tell
    throw error
  }
}

/** Null if the server went away meanwhile or is not ready: the caller looks again. */
async function claimOwnership(files: ServerFiles, port: number, adopted: boolean): Promise<Claim | null> {
  const owner = await tryConnect(files, port, `${ownerName} ${process.pid}`)
  return (
    owner &&
    whileItLasts(owner, async () => {
      const holder = await lockOrHolder(owner)
      if (holder === null) {
        await ensureDatabase(owner)
        if (adopted) files.log(`adopting the PostgreSQL that runs in ${files.cluster} on port ${port}`)
        return { server: ownedServer(files, owner, port, adopted) }
      }
      await owner.end()
      return holder === 'unknown' ? null : { ownerPid: holder }
    })
  )
}

/** Null if the lock is ours. Otherwise the process that has it, after the time that a killed owner's lock may linger. */
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

function ownedServer(files: ServerFiles, first: pg.Client, port: number, adopted: boolean): EmbeddedServer {
  const stopping = new AbortController()
  let stopped: Promise<void> | undefined
  let owner: Promise<pg.Client | null> = Promise.resolve(first)
  const watch = (client: pg.Client): pg.Client =>
    client.once('end', () => {
      if (stopping.signal.aborted) return
      files.log('the embedded PostgreSQL has closed its owner’s connection')
      owner = regain(files, port, stopping.signal).then((next) => next && watch(next))
    })
  const stop = async () => {
    const client = await owner
    // Without the lock, the server that runs here may be another process's.
    if (client === null) return
    await stopServer(files)
    await client.end().catch(() => {}) // the server is gone, and the connection with it
  }
  watch(first)
  return {
    connectionString: connectionString(first, port),
    adopted,
    stop: () => {
      stopping.abort()
      stopped ??= explained(files.dir, stop)
      return stopped
    },
  }
}

/**
 * Takes the lock again after PostgreSQL closed the connection that held it. PostgreSQL closes every connection when one of its
 * processes crashes, and runs on; a server that is gone is started again. A full disk, or another process that uses the directory
 * now, is logged and waited for. Null if `stop` came first.
 */
async function regain(files: ServerFiles, port: number, stopping: AbortSignal): Promise<pg.Client | null> {
  for (let pauseMs = pollMs; !stopping.aborted; pauseMs = Math.min(2 * pauseMs, restartPauseMs)) {
    try {
      const held = await tryRegain(files, port, stopping)
      if (held) return held.client
    } catch (error) {
      files.log(`the embedded PostgreSQL does not run, and will be started again: ${(error as Error).message}`)
    }
    await sleep(pauseMs, undefined, { signal: stopping }).catch(() => {})
  }
  return null
}

/** Null where it has to be tried again. */
async function tryRegain(
  files: ServerFiles,
  port: number,
  stopping: AbortSignal,
): Promise<{ client: pg.Client | null } | null> {
  return untilAnswered(files, async (state) => {
    if (state === 'none') {
      if (stopping.aborted) return { client: null }
      // As where a disk was taken away: a new, empty database in its place would only hide that.
      if (!existsSync(join(files.cluster, 'PG_VERSION'))) throw new EmbeddedError(`${files.cluster} is not there`)
      await startServer(files, port)
      return null
    }
    const client = await tryConnect(files, state.port, `${ownerName} ${process.pid}`)
    return (
      client &&
      whileItLasts(client, async () => {
        const ours = state.port === port
        const holder = ours ? await lockOrHolder(client) : await lockOrStarter(client)
        if (holder === null && ours) return { client }
        // The process that started it is gone, and clients that have its address would not find it here.
        if (holder === null) await stopServer(files)
        await client.end().catch(() => {}) // it may be stopped
        if (holder === null) return null
        throw new EmbeddedError(`process ${holder} is using ${files.dir}`)
      })
    )
  })
}

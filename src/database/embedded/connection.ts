// Talking to a server that may be starting, stopping or crashing. An answer of null means "not now": the caller looks again.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { SUPERUSER } from './cluster.ts'
import { codeOf, EmbeddedError, logTail, type ServerFiles } from './files.ts'
import { findServer, type SettledState } from './pid-file.ts'

const database = 'pledger'
export const pollMs = 50
const answerSeconds = 120

/** Asks the server that runs here, again while the answer is null. Throws EmbeddedError after two minutes without one. */
export async function untilAnswered<T>(
  files: ServerFiles,
  ask: (state: SettledState) => Promise<T | null>,
): Promise<T> {
  const deadline = Date.now() + answerSeconds * 1000
  for (;;) {
    const state = await findServer(files)
    const answer = state === 'pending' ? null : await ask(state)
    if (answer !== null) return answer
    // Having just started it took its own time.
    if (state !== 'none' && Date.now() > deadline) throw await silent(files)
    await sleep(pollMs)
  }
}

/** Null where the server goes away in the middle of the work. */
export async function whileItLasts<T>(client: pg.Client, work: () => Promise<T>): Promise<T | null> {
  try {
    return await work()
  } catch (error) {
    client.end().catch(() => {}) // it may be broken already; what broke it is what counts
    if (isGoingAway(error)) return null
    throw error
  }
}

/** Null where nobody answers, or not yet, or not any more. */
export async function tryConnect(files: ServerFiles, port: number, applicationName: string): Promise<pg.Client | null> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER,
    password: await readPassword(files),
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
      throw new EmbeddedError(`the password in ${files.passwordFile} is not the one ${files.cluster} was made with`)
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

/** Creates the database `pledger` if it is missing. */
export async function ensureDatabase(client: pg.Client): Promise<void> {
  const found = await client.query('select from pg_database where datname = $1', [database])
  if (found.rowCount !== 0) return
  try {
    await client.query(`create database ${database}`)
  } catch (error) {
    // Another process was quicker: 42P04 is its database seen in time, 23505 seen at the last moment.
    if (!['42P04', '23505'].includes(codeOf(error) ?? '')) throw error
  }
}

/** The address of the database `pledger`, with the password of the client. */
export function connectionString(client: pg.Client, port: number): string {
  return `postgresql://${SUPERUSER}:${client.password}@127.0.0.1:${port}/${database}`
}

async function readPassword(files: ServerFiles): Promise<string> {
  const text = await readFile(files.passwordFile, 'utf8').catch((error) => {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new EmbeddedError(`${files.passwordFile} is missing; put it back, it belongs to ${files.cluster}`)
  })
  return text.trim()
}

async function silent(files: ServerFiles): Promise<EmbeddedError> {
  return new EmbeddedError(
    `the embedded PostgreSQL in ${files.cluster} does not answer after ${answerSeconds} seconds. ` +
      `If the process named in postmaster.pid is not PostgreSQL, remove that file.${await logTail(files, 0)}`,
  )
}

// `pledger doctor`: what an operator would look at first, printed in one go. Changes nothing, not even the schema.

import { statfs } from 'node:fs/promises'
import type { Command } from 'commander'
import { sql } from 'kysely'
import pg from 'pg'
import { tellFindings } from '../database/connect.ts'
import { pendingMigrations } from '../database/migrate.ts'
import type { Database } from '../database/pool.ts'
import { sessionOf, unsafeFindings } from '../database/safety.ts'
import { sealStates } from '../integrity/sealing/status.ts'
import { configuration, counted, type Session, withDatabase } from './program.ts'

/** A line of the report; one that is not well makes the command fail. */
type Line = { label: string; text: string; isWell: boolean }

const well = (label: string, text: string): Line => ({ label, text, isWell: true })

/** Clocks may differ by so much before answers about today do. */
const CLOCK_MS = 2_000
const ASKED = 5

/** How long the database takes to answer, the median of some times, and how far its clock is ahead of this one. */
async function clockLines(db: Database): Promise<Line[]> {
  const asked: { tookMs: number; aheadMs: number }[] = []
  for (let time = 0; time < ASKED; time += 1) {
    const began = Date.now()
    const since = performance.now()
    const { rows } = await sql<{
      ms: number
    }>`select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`.execute(db)
    const tookMs = performance.now() - since
    asked.push({ tookMs, aheadMs: (rows[0]?.ms ?? 0) - began - tookMs / 2 })
  }
  // Safe: it was asked.
  const { tookMs, aheadMs } = asked.sort((a, b) => a.tookMs - b.tookMs)[Math.floor(ASKED / 2)] as (typeof asked)[0]
  const ahead = `the database is ${Math.abs(aheadMs).toFixed(0)} ms ${aheadMs < 0 ? 'behind' : 'ahead'}`
  return [
    well('latency', `${tookMs.toFixed(1)} ms`),
    { label: 'clocks', text: ahead, isWell: Math.abs(aheadMs) <= CLOCK_MS },
  ]
}

/** A pooler tells its clients numbers of processes that are its own. */
async function poolerLine(connectionString: string): Promise<Line> {
  const client = new pg.Client({ connectionString })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    // Safe: pg has it, and its types leave it out.
    const told = (client as unknown as { processID: number | null }).processID
    return well('pooler', told === rows[0]?.pid ? 'none' : 'there is one')
  } finally {
    await client.end()
  }
}

const GIB = 2 ** 30
const LEAST_FREE_BYTES = GIB

async function diskLines(db: Database): Promise<Line[]> {
  const { rows } = await sql<{ bytes: number }>`select pg_database_size(current_database()) as bytes`.execute(db)
  const size = well('size', `${((rows[0]?.bytes ?? 0) / GIB).toFixed(2)} GiB`)
  const { databaseUrl, dataDir } = configuration()
  // Of an external server nobody but its own machine knows.
  if (databaseUrl !== null) return [size]
  const { bavail, bsize } = await statfs(dataDir)
  const free = bavail * bsize
  return [size, { label: 'disk', text: `${(free / GIB).toFixed(2)} GiB free`, isWell: free >= LEAST_FREE_BYTES }]
}

async function schemaLines(db: Database): Promise<Line[]> {
  const { names } = await pendingMigrations(db)
  if (names.length > 0)
    return [{ label: 'schema', text: `lacks ${names.join(', ')}: run pledger migrate`, isWell: false }]
  const states = await sealStates(db, Date.now())
  return [
    well('schema', 'up to date'),
    ...states.map(({ register, size, behindEvents, refusedBecause }) => ({
      label: 'sealing',
      text: `${register}: size ${counted(size)}, ${counted(behindEvents)} behind${refusedBecause === null ? '' : `, refused: ${refusedBecause}`}`,
      isWell: refusedBecause === null,
    })),
  ]
}

/** An embedded server is looked at as its superuser, who does not serve: only what is true of the server counts. */
async function safetyLine(db: Database): Promise<Line> {
  const isEmbedded = configuration().databaseUrl === null
  const findings = await unsafeFindings(db, { ofRole: !isEmbedded })
  if (findings.length === 0) return well('safety', 'nothing to complain about')
  return { label: 'safety', text: `what is recorded is not safe:\n${tellFindings(findings)}`, isWell: false }
}

async function report({ db, connectionString, description }: Session, version: string): Promise<Line[]> {
  const { rows } = await sql<{ version: string }>`select current_setting('server_version') as version`.execute(db)
  const { role } = await sessionOf(db)
  return [
    well('versions', `Pledger ${version}, Node ${process.versions.node}, PostgreSQL ${rows[0]?.version}`),
    well('database', `${description}, as ${role}`),
    await poolerLine(connectionString),
    ...(await clockLines(db)),
    ...(await diskLines(db)),
    ...(await schemaLines(db)),
    await safetyLine(db),
  ]
}

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check the database, its roles, the clocks and the checkpoints')
    .action(() =>
      withDatabase(
        async (session) => {
          const lines = await report(session, program.version() ?? '')
          for (const { label, text, isWell } of lines)
            process.stdout.write(`${isWell ? 'ok ' : 'BAD'}  ${label.padEnd(8)}  ${text}\n`)
          if (lines.some(({ isWell }) => !isWell)) process.exitCode = 1
        },
        { mode: 'look' },
      ),
    )
}

// What sealing costs. Rows `seal-record` and `seal-lag`: recordings to a service that seals, beside one that does not, each on a
// database of its own on the same server; and how long an event waits for its checkpoint meanwhile. Row `seal`: leaves
// taken into the tree, beside leaves that are only read. Row `verify-log`: all of that checked, beside events that are only read.

import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { sealAll, sealOf } from '../../src/integrity/sealing/sealer.ts'
import { databaseLog } from '../../src/integrity/verifying/log-database.ts'
import { verifyLog } from '../../src/integrity/verifying/verify-log.ts'
import { EVENT_COLUMNS } from './feed.ts'
import { type Measured, measure, measured, median, perSecond, type Row, type Tell } from './measure.ts'
import { recording } from './record.ts'
import { importAll, settle, syntheticNdjson } from './service.ts'
import { type Stage, setBareStage } from './stage.ts'

export const SEALING_ROWS = ['seal-record', 'seal-lag', 'seal', 'verify-log'] as const

const LAG_LIMIT_MS = 2_000
const REGISTER = 'bench-seal'
const OPTIONS = { commitments: 7_000, delivered: 2_800, late: 310, seed: 1, asOf: '2026-02-26' }
const FETCHED = 1_000

/** A key of the bench's own, in a file as the service reads it. */
async function newKeys(ending: AsyncDisposableStack): Promise<{ key: KeyObject; file: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'pledger-bench-keys-'))
  ending.defer(() => rm(dir, { recursive: true, force: true }))
  const key = generateKeyPairSync('ed25519').privateKey
  const file = join(dir, 'keys.pem')
  await writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  return { key, file }
}

/** The rows about sealing that are wanted, on a stage of their own. */
export async function sealingRows(
  ending: AsyncDisposableStack,
  rows: readonly string[],
  rounds: number,
  tell: Tell,
): Promise<{ measured: Measured[]; pool: pg.Pool }> {
  const stage = await setBareStage(ending)
  const measuredRows: Measured[] = []
  const { key, file } = await newKeys(ending)
  const { url, pid } = await stage.start(['src/main.ts', 'serve', '--unsafe-database'])
  const plain: Stage = { ...stage, service: url, servicePid: pid }
  if (rows.includes('seal-record') || rows.includes('seal-lag')) {
    const { row, lag } = await recordRow(ending, plain, file)
    const recorded = await measure(row, rounds, tell)
    if (rows.includes('seal-record')) measuredRows.push(recorded)
    if (rows.includes('seal-lag')) measuredRows.push(measured('seal-lag', 'ms', await lag(), LAG_LIMIT_MS))
  }
  if (rows.includes('seal') || rows.includes('verify-log')) {
    const { seal, verify } = await leafRows(ending, plain, key)
    if (rows.includes('seal')) measuredRows.push(await measure(seal, rounds, tell))
    if (rows.includes('verify-log')) measuredRows.push(await measure(verify, rounds, tell))
  }
  return { measured: measuredRows, pool: stage.pool }
}

/** A service that seals, on a database beside the stage's. */
async function sealingService(ending: AsyncDisposableStack, stage: Stage, file: string) {
  await stage.pool.query('create database sealed')
  const address = new URL(stage.connectionString)
  address.pathname = '/sealed'
  const settings = { PLEDGER_DATABASE_URL: address.href, PLEDGER_SIGNING_KEYS: file }
  const { url, pid } = await stage.start(['src/main.ts', 'serve', '--unsafe-database'], settings)
  const pool = new pg.Pool({ connectionString: address.href, max: 2 })
  pool.on('error', () => {})
  ending.defer(() => pool.end())
  return { ...stage, service: url, servicePid: pid, pool }
}

async function recordRow(ending: AsyncDisposableStack, plain: Stage, file: string) {
  const sealing = await sealingService(ending, plain, file)
  const on = await recording(sealing, REGISTER)
  const off = await recording(plain, REGISTER)
  const { rows } = await sealing.pool.query('select size from register where register = $1', [REGISTER])
  const row: Row = { row: 'seal-record', unit: 'events/s', value: on.value, limit: off.value }
  return { row, lag: () => lagOf(sealing.pool, Number(rows[0]?.size)) }
}

/** How many milliseconds all but a hundredth of the events from a position on waited for their checkpoint at most. */
async function lagOf(pool: pg.Pool, from: number): Promise<number> {
  const { rows } = await pool.query<{ p99: string }>(
    `select percentile_disc(0.99) within group (order by extract(epoch from c.signed_at - e.recorded_at) * 1000) as p99
     from event e cross join lateral (select signed_at from signed_checkpoint c
       where c.register = e.register and c.size > e.position order by c.size limit 1) c
     where e.register = $1 and e.position >= $2`,
    [REGISTER, from],
  )
  return Number(rows[0]?.p99)
}

const TABLES = ['tile', 'signed_checkpoint', 'signing_key', 'tree']

/** Takes back all sealing: only a superuser can, who says so. */
async function unseal({ pool }: Stage): Promise<void> {
  for (const table of TABLES) {
    await pool.query(`alter table ${table} disable trigger user`)
    await pool.query(`truncate ${table}`)
  }
}

async function leafRows(ending: AsyncDisposableStack, stage: Stage, key: KeyObject) {
  const lines = syntheticNdjson(OPTIONS)
  const register = `${REGISTER}-leaves`
  await importAll(stage.service, register, lines)
  await settle(stage.service, register)
  const db = openDatabase({ connectionString: stage.connectionString, max: 2 })
  ending.defer(() => db.destroy())
  const seal = sealOf(register, { origin: 'bench.test', keys: [key], now: Date.now })
  const spent: number[] = []
  const sealRow: Row = {
    row: 'seal',
    unit: 'events/s',
    async value() {
      await unseal(stage)
      const before = process.cpuUsage()
      const rate = await perSecond(lines.count, async () => {
        const size = await sealAll(db, register, seal)
        if (size !== lines.count) throw new Error(`${size} events were sealed, not ${lines.count}`)
      })
      const { user, system } = process.cpuUsage(before)
      spent.push((user + system) / lines.count)
      return rate
    },
    limit: () => perSecond(lines.count, () => readRows(stage.pool, register, 'position, leaf')),
    remark: () => `an event takes ${median(spent).toFixed(1)} µs of the sealer's CPU`,
  }
  await sealAll(db, register, seal)
  return { seal: sealRow, verify: verifyRow(db, stage, register, lines.count) }
}

/** In process, as `pledger verify log` does it; its start, and what it says of projections, are left out. */
function verifyRow(db: Database, { pool }: Stage, register: string, count: number): Row {
  const verify = () =>
    db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (tx) => {
        const { events, sealed, fault } = await verifyLog(await databaseLog(tx, register), { keys: null })
        if (fault || events !== count || sealed !== count)
          throw fault ?? new Error(`${sealed} of ${events} were checked`)
      })
  return {
    row: 'verify-log',
    unit: 'events/s',
    value: () => perSecond(count, verify),
    limit: () => perSecond(count, () => readRows(pool, register, `${EVENT_COLUMNS}, leaf`)),
  }
}

/** Reads columns of a register's events through a cursor. */
async function readRows(pool: pg.Pool, register: string, columns: string): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const select = `select ${columns} from event where register = '${register}' order by position`
    await client.query(`declare leaves no scroll cursor for ${select}`)
    while ((await client.query(`fetch ${FETCHED} from leaves`)).rows.length > 0);
    await client.query('commit')
  } finally {
    client.release()
  }
}

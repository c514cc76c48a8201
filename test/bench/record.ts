// Rows `record` and `record-insert`: one event a request, each validated, admitted, hashed and durable before its answer.
// Beside it, a bare route that inserts the same JSON, asked by the same load; and the same inserts without HTTP.

import { fire, type Load, median, perSecond, type Row } from './measure.ts'
import { importAll, settle, syntheticNdjson } from './service.ts'
import { CONNECTIONS, type Stage } from './stage.ts'

const COMMITMENTS = 4_000
const RECORDINGS = 6_000
const INSERTS = 20_000
const RECORDING_CONNECTIONS = 64
/** The sizes of the bare route's pool among which its best is looked for. */
const POOL_SIZES = [8, 16, 32, 64]
const POOL_TRIAL = 6_000

function progressOn(stream: string, item: number): string {
  return JSON.stringify({
    stream,
    type: 'ProgressReported',
    occurredOn: '2026-02-26',
    data: { percent: 40, note: 'Half of the offices connected' },
    citations: [{ source: 'bulletin', locator: `item ${item}`, claimedOn: '2026-02-26' }],
  })
}

/** The load of recordings: one event a request, each on the next of the streams. */
export function recordLoad(service: string, register: string, streams: readonly string[], amount = RECORDINGS): Load {
  return {
    address: service,
    connections: RECORDING_CONNECTIONS,
    amount,
    headers: { 'content-type': 'application/json' },
    requests: streams.map((stream, index) => ({
      method: 'POST',
      path: `/v1/registers/${register}/events`,
      body: progressOn(stream, index + 1),
    })),
  }
}

export type Recording = {
  /** Records a load and waits until the projections have read it; returns how many recordings a second were answered. */
  value: () => Promise<number>
  /** How long the projections took to catch up after the last answer. */
  remark: () => string
  bodies: readonly string[]
}

/** Recordings to a new register of some thousand commitments, each row its own: streams grow by what is recorded. */
export async function recording({ service }: Stage, register: string): Promise<Recording> {
  const options = { commitments: COMMITMENTS, delivered: 1_600, late: 180, seed: 1, asOf: '2026-02-26' }
  await importAll(service, register, syntheticNdjson(options))
  await settle(service, register)
  const streams = Array.from({ length: COMMITMENTS }, (_, index) => `measure-${String(index + 1).padStart(4, '0')}`)
  const load = recordLoad(service, register, streams)
  const settled: number[] = []
  return {
    async value() {
      const rate = await fire(load)
      const from = performance.now()
      await settle(service, register)
      settled.push(performance.now() - from)
      return rate
    },
    remark: () => `the projections had caught up ${Math.round(median(settled))} ms after ${RECORDINGS} recordings`,
    bodies: load.requests.map(({ body }) => body ?? ''),
  }
}

async function createTable(pool: Stage['pool']): Promise<void> {
  await pool.query(
    'create table if not exists bench_insert (id bigint generated always as identity primary key, body json not null)',
  )
}

/** Row `record`: beside a bare route with the best of some sizes of its pool. */
export async function recordRow(stage: Stage): Promise<Row> {
  const { value, remark, bodies } = await recording(stage, 'bench-record')
  await createTable(stage.pool)
  const { url } = await stage.start(['test/bench/bare-record.ts'])
  const load: Load = {
    address: url,
    connections: RECORDING_CONNECTIONS,
    amount: RECORDINGS,
    headers: { 'content-type': 'application/json' },
    requests: bodies.map((body) => ({ method: 'POST', path: '/', body })),
  }
  const size = await bestPool(load)
  return {
    row: 'record',
    unit: 'events/s',
    value,
    limit: () => fire(load),
    remark: () => `${remark()}; the bare route has a pool of ${size}`,
  }
}

/** Tries each size of the pool by turns, twice, and leaves the bare route with that which did most. */
async function bestPool(load: Load): Promise<number> {
  const best = { size: 0, rate: 0 }
  const use = (size: number) => fetch(`${load.address}/pool/${size}`, { method: 'PUT' })
  for (const size of [...POOL_SIZES, ...POOL_SIZES]) {
    await use(size)
    const rate = await fire({ ...load, amount: POOL_TRIAL })
    if (rate > best.rate) Object.assign(best, { size, rate })
  }
  await use(best.size)
  return best.size
}

/** Row `record-insert`: beside the same inserts by this process through pg. */
export async function recordInsertRow(stage: Stage): Promise<Row> {
  const { value, bodies } = await recording(stage, 'bench-record-insert')
  await createTable(stage.pool)
  return {
    row: 'record-insert',
    unit: 'events/s',
    value,
    limit: () => perSecond(INSERTS, () => insertAll(stage.pool, bodies)),
  }
}

async function insertAll(pool: Stage['pool'], bodies: readonly string[]): Promise<void> {
  const insert = { name: 'insert', text: 'insert into bench_insert (body) values ($1)' }
  let left = INSERTS
  const one = async () => {
    const client = await pool.connect()
    try {
      while (left-- > 0) await client.query({ ...insert, values: [bodies[left % bodies.length]] })
    } finally {
      client.release()
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
}

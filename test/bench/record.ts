// Row `record`: one event a request, each validated, admitted, hashed and durable before its answer; beside it, as many
// durable one-row inserts through pg.

import { fire, type Load, perSecond, type Row } from './measure.ts'
import { importAll, settle, syntheticNdjson } from './service.ts'
import { CONNECTIONS, type Stage } from './stage.ts'

const COMMITMENTS = 2_000
const RECORDINGS = 6_000
const INSERTS = 20_000
const REGISTER = 'bench-record'

function progressOn(commitment: number): string {
  return JSON.stringify({
    stream: `measure-${String(commitment).padStart(4, '0')}`,
    type: 'ProgressReported',
    occurredOn: '2026-02-26',
    data: { percent: 40, note: 'Half of the offices connected' },
    citations: [{ source: 'bulletin', locator: `item ${commitment}`, claimedOn: '2026-02-26' }],
  })
}

export async function recordRow({ service, pool }: Stage): Promise<Row> {
  const options = { commitments: COMMITMENTS, delivered: 800, late: 90, seed: 1, asOf: '2026-02-26' }
  await importAll(service, REGISTER, syntheticNdjson(options))
  await settle(service, REGISTER)
  const bodies = Array.from({ length: COMMITMENTS }, (_, index) => progressOn(index + 1))
  const path = `/v1/registers/${REGISTER}/events`
  const load: Load = {
    address: service,
    connections: CONNECTIONS,
    amount: RECORDINGS,
    headers: { 'content-type': 'application/json' },
    requests: bodies.map((body) => ({ method: 'POST', path, body })),
  }
  await pool.query('create table bench_insert (id bigint generated always as identity primary key, body json not null)')
  return {
    row: 'record',
    unit: 'events/s',
    async value() {
      const rate = await fire(load)
      await settle(service, REGISTER)
      return rate
    },
    limit: () => perSecond(INSERTS, () => insertAll(pool, bodies)),
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

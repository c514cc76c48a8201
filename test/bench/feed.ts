// Row `feed`: all of a register's log as NDJSON over HTTP; beside it, the same events read through a cursor of PostgreSQL into
// plain rows, without HTTP and without any shape of their own.

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { perSecond, type Row } from './measure.ts'
import { memoryNow } from './memory.ts'
import { importAll, settle, syntheticNdjson } from './service.ts'
import type { Stage } from './stage.ts'

const OPTIONS = { commitments: 7_000, delivered: 2_800, late: 310, seed: 1, asOf: '2026-02-26' }
const REGISTER = 'bench-feed'
const FETCHED = 1_000
/** What a reader of the log is given. */
export const EVENT_COLUMNS = `position, id, stream, revision, type, type_version, recorded_at, recorded_by, occurred_on, data, citations,
  salt, body_hash`

export async function feedRow({ service, servicePid, pool }: Stage): Promise<Row> {
  const lines = syntheticNdjson(OPTIONS)
  await importAll(service, REGISTER, lines)
  await settle(service, REGISTER)
  const all = async (read: () => Promise<number>) => {
    const count = await read()
    if (count !== lines.count) throw new Error(`${count} events were read, not ${lines.count}`)
  }
  const held: number[] = []
  return {
    row: 'feed',
    unit: 'events/s',
    async value() {
      const rate = await perSecond(lines.count, () => all(() => countLines(service)))
      // Elsewhere than on Linux nothing is told.
      held.push(Math.round(await memoryNow(servicePid).catch(() => Number.NaN)))
      return rate
    },
    limit: () => perSecond(lines.count, () => all(() => countRows(pool))),
    remark: () => `${lines.count} events a time; after each time the service held ${held.join(', ')} MB`,
  }
}

/** Reads the feed as NDJSON and returns how many lines it had. */
async function countLines(service: string): Promise<number> {
  const asking = request(`${service}/v1/registers/${REGISTER}/events`, { headers: { accept: 'application/x-ndjson' } })
  asking.end()
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  let count = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) count += 1
  }
  return count
}

/** Reads the same events through a cursor and returns how many rows it had. */
async function countRows(pool: Stage['pool']): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const select = `select ${EVENT_COLUMNS} from event where register = '${REGISTER}' order by position`
    await client.query(`declare feed no scroll cursor for ${select}`)
    let count = 0
    for (;;) {
      const { rows } = await client.query(`fetch ${FETCHED} from feed`)
      if (rows.length === 0) break
      count += rows.length
    }
    await client.query('commit')
    return count
  } finally {
    client.release()
  }
}

// Row `import`: NDJSON over HTTP, each line validated, admitted and hashed; beside it, COPY of the very rows that come of it
// into a table of the same shape with the same indexes.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pgCopy from 'pg-copy-streams'
import { perSecond, type Row } from './measure.ts'
import { importAll, settle, syntheticNdjson } from './service.ts'
import type { Stage } from './stage.ts'

const OPTIONS = { commitments: 3_000, delivered: 1_200, late: 130, seed: 1, asOf: '2026-02-26' }

export async function importRow({ service, pool }: Stage): Promise<Row> {
  const lines = syntheticNdjson(OPTIONS)
  await pool.query('create table bench_event (like event including all)')
  let imports = 0
  let rows: Buffer[] = []
  return {
    row: 'import',
    unit: 'events/s',
    async value() {
      imports += 1
      const register = `bench-import-${imports}`
      const rate = await perSecond(lines.count, () => importAll(service, register, lines))
      await settle(service, register)
      if (rows.length === 0) rows = await copyOut(pool, register)
      return rate
    },
    async limit() {
      await pool.query('truncate bench_event')
      return perSecond(lines.count, () => copyIn(pool, rows))
    },
  }
}

async function copyOut(pool: Stage['pool'], register: string): Promise<Buffer[]> {
  const client = await pool.connect()
  try {
    const select = `select * from event where register = '${register}' order by position`
    return await Array.fromAsync(client.query(pgCopy.to(`copy (${select}) to stdout (format binary)`)))
  } finally {
    client.release()
  }
}

async function copyIn(pool: Stage['pool'], rows: readonly Buffer[]): Promise<void> {
  const client = await pool.connect()
  try {
    await pipeline(Readable.from(rows), client.query(pgCopy.from('copy bench_event from stdin (format binary)')))
  } finally {
    client.release()
  }
}

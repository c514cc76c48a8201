// Rows `poll-304` and `summary-200`: what dashboards do all day. A poll that finds nothing new, beside a bare fastify route
// with a constant; and a summary as of another day each time, beside a bare fastify route with one indexed select.

import { dayOf, formatDay } from '../../src/kernel/plain-date.ts'
import { fire, type Row } from './measure.ts'
import { importAll, settle, syntheticNdjson } from './service.ts'
import type { Stage } from './stage.ts'

const OPTIONS = { commitments: 310, delivered: 125, late: 14, seed: 1, asOf: '2026-02-26' }
const REGISTER = 'synthetic-310'
const SUMMARY = `/v1/registers/${REGISTER}/summary`
const CONNECTIONS = 8
const POLLS = 20_000
const SUMMARIES = 10_000

async function load({ service }: Stage): Promise<void> {
  await importAll(service, REGISTER, syntheticNdjson(OPTIONS))
  await settle(service, REGISTER)
}

/** Row `poll-304`: every poll is the summary of today with the ETag that the service has given for it. */
export async function pollRow(stage: Stage): Promise<Row> {
  const { service, start } = stage
  await load(stage)
  const { url: bare } = await start(['test/bench/constant-route.ts'])
  const etag = async () => {
    const response = await fetch(`${service}${SUMMARY}`)
    await response.arrayBuffer()
    return response.headers.get('etag') ?? ''
  }
  return {
    row: 'poll-304',
    unit: 'requests/s',
    async value() {
      const headers = { 'if-none-match': await etag() }
      const requests = [{ path: SUMMARY }]
      return fire({ address: service, connections: CONNECTIONS, amount: POLLS, requests, headers, status: 304 })
    },
    limit: () => fire({ address: bare, connections: CONNECTIONS, amount: POLLS, requests: [{ path: '/' }] }),
  }
}

// Of the years before and after the last fact. A day comes up again once in a round; no answer is kept, and none is a 304.
const DAYS = 9_600
const STEP = 1_009 // Coprime to DAYS: neighbours in time are not neighbours in the order of asking.

/** Row `summary-200`. */
export async function summary200Row(stage: Stage): Promise<Row> {
  const { service, start } = stage
  await load(stage)
  const { url: bare } = await start(['test/bench/bare-route.ts'])
  const from = dayOf(OPTIONS.asOf) - DAYS / 2
  let asked = 0
  const nextDay = () => formatDay(from + ((asked++ * STEP) % DAYS))
  const ids = Array.from({ length: OPTIONS.commitments }, (_, index) => `measure-${String(index + 1).padStart(4, '0')}`)
  const selects = ids.map((id) => ({ path: `/${REGISTER}/${id}` }))
  return {
    row: 'summary-200',
    unit: 'requests/s',
    value() {
      const requests = Array.from({ length: SUMMARIES }, () => ({ path: `${SUMMARY}?asOf=${nextDay()}` }))
      return fire({ address: service, connections: CONNECTIONS, amount: SUMMARIES, requests, status: 200 })
    },
    limit: () => fire({ address: bare, connections: CONNECTIONS, amount: SUMMARIES, requests: selects }),
  }
}

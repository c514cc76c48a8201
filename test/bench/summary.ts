// Row `summary`: the figures of 310 commitments, asked about another day each time; beside it, a bare fastify route that does
// one indexed select through pg.

import { dayOf, formatDay } from '../../src/kernel/plain-date.ts'
import { fire, type Row } from './measure.ts'
import { importAll, settle, syntheticNdjson } from './service.ts'
import type { Stage } from './stage.ts'

const OPTIONS = { commitments: 310, delivered: 125, late: 14, seed: 1, asOf: '2026-02-26' }
const REGISTER = 'synthetic-310'
const CONNECTIONS = 8
const SUMMARIES = 600
const SELECTS = 10_000
// As many days as warming up and five rounds ask about.
const DAYS = 4_800
const STEP = 1_009 // Coprime to DAYS: neighbours in time are not neighbours in the order of asking.

/** Each day once, of the years after the last fact, or of those before it. */
function days(which: 'after' | 'before'): string[] {
  const from = dayOf(OPTIONS.asOf) - (which === 'before' ? DAYS : 0)
  return Array.from({ length: DAYS }, (_, index) => formatDay(from + ((index * STEP) % DAYS)))
}

/** Row `summary`: days on which the newest state answers, as dashboards ask. */
export function summaryRow(stage: Stage): Promise<Row> {
  return row('summary', days('after'), stage)
}

/** Row `summary-past`: days within the register's history, for which streams are folded from the log. */
export function pastSummaryRow(stage: Stage): Promise<Row> {
  return row('summary-past', days('before'), stage)
}

async function row(name: string, all: string[], { service, start }: Stage): Promise<Row> {
  await importAll(service, REGISTER, syntheticNdjson(OPTIONS))
  await settle(service, REGISTER)
  const { url: bare } = await start(['test/bench/bare-route.ts'])
  const path = `/v1/registers/${REGISTER}/summary`
  const commitments = Array.from({ length: 310 }, (_, index) => `measure-${String(index + 1).padStart(4, '0')}`)
  const selects = commitments.map((id) => ({ path: `/${REGISTER}/${id}` }))
  return {
    row: name,
    unit: 'requests/s',
    value() {
      const requests = all.splice(0, SUMMARIES).map((day) => ({ path: `${path}?asOf=${day}` }))
      return fire({ address: service, connections: CONNECTIONS, amount: SUMMARIES, requests })
    },
    limit: () => fire({ address: bare, connections: CONNECTIONS, amount: SELECTS, requests: selects }),
  }
}

// The examples of the API's description: a real service is asked one question for each operation. It holds a sample register and
// its clock stands still. What differs from run to run (salts and thus hashes, ids, the database's clock) is replaced.

import { createHash, createPrivateKey } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Database } from '../../../src/database/pool.ts'
import { buildApp } from '../../../src/http/app.ts'
import { JSON_TYPE, NDJSON_TYPE, parseJson } from '../../../src/http/server/body.ts'
import { CLOUD_EVENTS_TYPE } from '../../../src/http/server/cloud-events.ts'
import type { Examples } from '../../../src/http/server/examples.ts'
import { sealAll, sealOf } from '../../../src/integrity/sealing/sealer.ts'
import { PROJECTIONS } from '../../../src/projections/all.ts'
import { createRegisterHeads } from '../../../src/projections/core/heads.ts'
import { startRunner } from '../../../src/projections/core/run.ts'
import { importLines } from '../../../src/recording/import.ts'
import { createRecorder } from '../../../src/recording/recorder.ts'
import { createRegisters } from '../../../src/registers/registers.ts'
import { unionStateEvents } from '../../../src/samples/union-state.ts'
import { noAccessControl } from '../access.ts'

const NOW = Date.parse('2026-03-01T12:00:00.000Z')
const REGISTER = 'union-state'

/** A question to ask for an example; `url` of the operation before it may be named by a function of its answer. */
type Asked = {
  operation: string
  method?: 'POST' | 'DELETE'
  url: string
  accept?: string
  type?: string
  body?: unknown
}

const R = `/v1/registers/${REGISTER}`
const DAY = 'asOf=2026-02-26'

/** Questions about the sample register, none of which changes anything. */
const QUESTIONS: readonly Asked[] = [
  { operation: 'listRegisters', url: '/v1/registers' },
  { operation: 'readRegister', url: R },
  { operation: 'readLog', url: `${R}/events?after=54&limit=2` },
  { operation: 'readLog', url: `${R}/events?after=54&limit=1`, accept: CLOUD_EVENTS_TYPE },
  { operation: 'readEvent', url: `${R}/events/56` },
  { operation: 'listCommitments', url: `${R}/commitments?${DAY}&figure=late&limit=1` },
  { operation: 'readCommitment', url: `${R}/commitments/communication-tariffs?${DAY}` },
  { operation: 'readTimeline', url: `${R}/commitments/communication-tariffs/timeline` },
  { operation: 'readStream', url: `${R}/commitments/communication-tariffs/events?limit=2` },
  { operation: 'readSummary', url: `${R}/summary?${DAY}&groupBy=theme` },
  { operation: 'readSeries', url: `${R}/summary/series?from=2025-01-01&to=2025-12-31&step=quarter` },
  { operation: 'readSlippage', url: `${R}/summary/slippage?${DAY}` },
  { operation: 'readPlan', url: `${R}/summary/plan?${DAY}` },
  { operation: 'readTrend', url: `${R}/trend?${DAY}&scheduleOriginal=deliveredLate&limit=1` },
  { operation: 'readDifference', url: `${R}/summary/difference?${DAY}&from=56&to=57` },
  { operation: 'listReportedFigures', url: `${R}/figures?${DAY}&programme=programmes-2024-26` },
  { operation: 'listConflicts', url: `${R}/conflicts?${DAY}&limit=1` },
  { operation: 'listSources', url: `${R}/sources?${DAY}` },
  { operation: 'listProgrammes', url: `${R}/programmes?${DAY}` },
  { operation: 'listCheckpoints', url: `${R}/checkpoints` },
  { operation: 'proveConsistency', url: `${R}/consistency?first=57` },
  { operation: 'listKeys', url: `${R}/keys` },
  { operation: 'readProof', url: `${R}/events/56/proof` },
  { operation: 'readAccess', url: '/v1/access' },
  { operation: 'isAlive', url: '/livez' },
  { operation: 'isReady', url: '/readyz' },
  { operation: 'listProjections', url: '/v1/projections' },
  { operation: 'readDigest', url: `${R}/projections/periods/digest` },
  { operation: 'readProblem', url: '/problems/not-made' },
]

const LINES = [
  {
    id: '7d1f2c34-0000-8000-8000-000000000001',
    stream: '$register',
    type: 'SourceAdded',
    occurredOn: '2026-02-27',
    data: { source: 'S1', title: 'Annual report of the road agency' },
  },
  {
    id: '7d1f2c34-0000-8000-8000-000000000002',
    stream: 'ring-road',
    type: 'CommitmentMade',
    occurredOn: '2025-03',
    data: { title: 'Ring road open to traffic', parties: ['agency'], due: '2025-12-31' },
    citations: [{ source: 'S1', locator: 'page 12' }],
  },
  {
    id: '7d1f2c34-0000-8000-8000-000000000003',
    stream: 'bridge',
    type: 'DeliveryReported',
    occurredOn: '2026-02-20',
    data: {},
  },
]

/** Changes, in this order: each needs those before it. */
const CHANGES: readonly Asked[] = [
  {
    operation: 'openRegister',
    url: '/v1/registers',
    body: {
      id: 'roads',
      title: 'Road programme',
      parties: [{ id: 'agency', name: 'Road Agency' }],
      timeZone: 'Europe/Minsk',
    },
  },
  {
    operation: 'recordEvents',
    url: '/v1/registers/roads/events',
    type: NDJSON_TYPE,
    body: LINES.map((line) => `${JSON.stringify(line)}\n`).join(''),
  },
  {
    operation: 'recordEvents',
    url: '/v1/registers/roads/events',
    body: {
      stream: 'ring-road',
      type: 'DeliveryReported',
      occurredOn: '2026-01-20',
      data: {},
      citations: [{ source: 'S1', locator: 'page 12', quote: 'The ring road was opened to traffic on 20 January.' }],
      expectedRevision: 1,
    },
  },
  {
    operation: 'redactEvent',
    url: '/v1/registers/roads/events/3/redact',
    body: { reason: 'The quotation names a private person.' },
  },
  { operation: 'startReplay', url: '/v1/projections/periods/replay', body: { register: REGISTER, maxRate: 5_000 } },
]

function isJson(type: string): boolean {
  return type === JSON_TYPE || type.endsWith('+json')
}

/** A made-up value for each one that differs from run to run: the same for the same. */
function replacer() {
  const known = new Map<string, string>()
  return (value: string, make: (seed: Buffer, number: number) => string) => {
    const number = known.size + 1
    const made = known.get(value) ?? make(createHash('sha512').update(`example ${number}`).digest(), number)
    known.set(value, made)
    return made
  }
}

const MOST_ITEMS = 2

/**
 * Makes examples of answers. What differs from run to run is replaced, and lists are cut short: an example shows what an item
 * is, not how many there are.
 */
function createExampleMaker(): (value: unknown) => unknown {
  const replace = replacer()
  const steady = (text: string) =>
    text
      // The signature of a note, after its key's name.
      .replaceAll(/(?<=— \S+ )[A-Za-z0-9+/]{90,}={0,2}/g, (found) =>
        replace(found, (seed) => Buffer.concat([seed, seed]).subarray(0, 68).toString('base64')),
      )
      .replaceAll(/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=/g, (found) =>
        replace(found, (seed) => seed.subarray(0, 32).toString('base64')),
      )
      .replaceAll(/\b[0-9a-f]{64}\b/g, (found) => replace(found, (seed) => seed.toString('hex').slice(0, 64)))
      // Ids that the service made; those of the samples are of version 8, and stay.
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, (found) =>
        replace(found, (_, number) => `019ca8f0-1c80-7000-8000-${String(number).padStart(12, '0')}`),
      )
  const exampleOf = (value: unknown, key = ''): unknown => {
    // The database's clock, and the numbers of builds, which projections get in any order.
    if (typeof value === 'string')
      return /^(?:started|finished)At$/.test(key) ? new Date(NOW).toISOString() : steady(value)
    if (typeof value === 'number') return key === 'generation' ? 1 : value
    if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map((item) => exampleOf(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, below]) => [name, exampleOf(below, name)]))
  }
  return exampleOf
}

type Answered = { status: number; type: string; text: string }

async function ask(
  app: FastifyInstance,
  { method, url, accept = JSON_TYPE, type = JSON_TYPE, body }: Asked,
): Promise<Answered> {
  const hasBody = body !== undefined
  const response = await app.inject({
    method: method ?? (hasBody ? 'POST' : 'GET'),
    url,
    headers: { accept, ...(hasBody && { 'content-type': type }) },
    ...(hasBody && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const { statusCode: status, payload: text } = response
  if (status >= 300) throw new Error(`${url} is answered with ${status}: ${text}`)
  return { status, type: String(response.headers['content-type']).split(';')[0] as string, text }
}

/** A signing key that is the same on every machine, and secret nowhere. */
function exampleKey() {
  const seed = createHash('sha256').update('example').digest()
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

async function* sampleLines(): AsyncGenerator<Uint8Array> {
  for (const event of unionStateEvents()) yield Buffer.from(`${JSON.stringify(event)}\n`)
}

/** Waits until both kinds of questions are answered at the size of the sample. */
async function whenRead(app: FastifyInstance, size: number): Promise<void> {
  for (const url of [`${R}/summary?minSize=${size}`, `${R}/commitments?limit=1&minSize=${size}`]) {
    while ((await app.inject(url)).statusCode === 503) await sleep(100)
  }
}

async function askAll(app: FastifyInstance): Promise<Examples> {
  const examples: Examples = {}
  const exampleOf = createExampleMaker()
  const add = async (asked: Asked): Promise<string> => {
    const { status, type, text } = await ask(app, asked)
    const entry = examples[asked.operation] ?? { responses: {} }
    examples[asked.operation] = entry
    const value = isJson(type) ? exampleOf(JSON.parse(text)) : text
    entry.responses[status] = { ...entry.responses[status], [type]: value }
    if (asked.body !== undefined) entry.request = { ...entry.request, [asked.type ?? JSON_TYPE]: asked.body }
    return text
  }
  for (const asked of QUESTIONS) await add(asked)
  let last = ''
  for (const asked of CHANGES) last = await add(asked)
  const url = `/v1/operations/${JSON.parse(last).id}`
  await add({ operation: 'readOperation', url })
  await add({ operation: 'cancelOperation', method: 'DELETE', url })
  return examples
}

/** The examples, from a service on an empty database that holds the sample afterwards. */
export async function exampleAnswers(db: Database): Promise<Examples> {
  const now = () => NOW
  const registers = createRegisters()
  const heads = createRegisterHeads(db)
  const fail = (error: unknown) => {
    throw error
  }
  const runner = startRunner(db, registers, PROJECTIONS, fail, heads.grew)
  const onRecorded = (register: string, size: number) => {
    heads.grew(register, size)
    runner.logGrew()
  }
  const recorder = createRecorder(db, registers, { now, onRecorded })
  const app = await buildApp(
    { access: noAccessControl(db), db, registers, heads, recorder, now, wake: runner.wake },
    pino({ level: 'silent' }),
  )
  try {
    const { recorded } = await importLines(sampleLines(), {
      recorder,
      register: REGISTER,
      recordedBy: 'local',
      parseJson,
    })
    await sealAll(db, REGISTER, sealOf(REGISTER, { origin: 'pledger.example', keys: [exampleKey()], now }))
    await whenRead(app, recorded)
    return await askAll(app)
  } finally {
    await app.close()
    await runner.stop()
    await heads.stop()
  }
}

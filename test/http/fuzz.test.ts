// Every operation of openapi.json asked at random: 2,000 requests here, as many as FUZZ_REQUESTS says with `npm run fuzz`.

import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { sealAll, sealOf } from '../../src/integrity/sealing/sealer.ts'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { type Ask, fuzz, fuzzTable } from '../fuzz/fuzz.ts'
import type { Document, Known } from '../fuzz/requests.ts'
import { ODD_TEXTS } from '../fuzz/schema.ts'
import { testService } from '../support/service.ts'

const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 2_000)
/** The same in every run of the suite, so that what it finds is found again; another one for a search. */
const SEED = Number(process.env.FUZZ_SEED ?? (process.env.FUZZ_REQUESTS ? Date.now() % 2 ** 31 : 20_261_123))

async function subject(t: Test): Promise<{ ask: Ask; known: Known }> {
  const service = await testService(t)
  const events = unionStateEvents()
  const lines = events.map((event) => JSON.stringify(event)).join('\n')
  const { body } = await service.post('/v1/registers/union-state/events', lines, {
    'content-type': 'application/x-ndjson',
  })
  t.match(body, { size: events.length, refused: 0 })
  const { privateKey } = generateKeyPairSync('ed25519')
  await sealAll(
    service.db,
    'union-state',
    sealOf('union-state', { origin: 'o.test', keys: [privateKey], now: Date.now }),
  )
  const commitments = [...new Set(events.map(({ stream }) => stream))]
  return {
    ask: async ({ method, url, headers, payload }) => {
      // Safe: methods of the document.
      const answer = await service.app.inject({ method: method as 'GET', url, headers, payload })
      return { status: answer.statusCode, headers: answer.headers, text: answer.payload }
    },
    known: {
      registers: ['union-state', 'union-state', 'union-state', 'fuzzed', 'nowhere'],
      commitments,
      positions: ['0', '1', '50', String(events.length - 1), String(events.length)],
      ids: events.flatMap(({ id }) => id ?? []),
      cursors: [],
      operations: ['00000000-0000-4000-8000-000000000000'],
      sizes: ['0', '20', String(events.length), String(events.length), String(events.length + 1_000)],
    },
  }
}

t.test('whatever is asked is answered as the description says, and never with a fault of the service', async (t) => {
  const document = JSON.parse(
    await readFile(new URL('../../openapi/openapi.json', import.meta.url), 'utf8'),
  ) as Document
  const { ask, known } = await subject(t)
  const isLong = REQUESTS > 2_000
  const report = await fuzz({
    document,
    ask,
    known,
    requests: REQUESTS,
    seed: SEED,
    onRound: (asked) => isLong && asked % 10_000 < 300 && t.comment(`${asked} asked`),
  })
  t.comment(`FUZZ_SEED=${report.seed} FUZZ_REQUESTS=${report.requests}\n${fuzzTable(report)}`)
  t.equal(report.requests, REQUESTS)
  t.strictSame(report.faults.slice(0, 5), [], `${report.faults.length} of ${report.requests} answers are wrong`)
  const wellAnswered = [...report.answers].flatMap(([name, counts]) =>
    [...counts.keys()].some((status) => status < 300) ? [name] : [],
  )
  const all = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  t.strictSame(
    all.filter((name) => !wellAnswered.includes(name)),
    [],
    'the search reaches behind the checks of every operation',
  )
})

t.test('the judge finds what it is to find', async (t) => {
  const schema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }
  const content = { 'application/json': { schema } }
  const document = {
    openapi: '3.1.0',
    paths: {
      '/x': { get: { responses: { 200: { content }, '4XX': { content: { 'application/problem+json': {} } } } } },
    },
    components: { schemas: {} },
  } as Document
  const judged = async (status: number, type: string, text: string) => {
    const known = { registers: [], commitments: [], positions: [], ids: [], cursors: [], operations: [], sizes: [] }
    const ask = async () => ({ status, headers: { 'content-type': type }, text })
    const { faults } = await fuzz({ document, ask, known, requests: 1, seed: 1 })
    return faults[0]?.why ?? null
  }
  t.equal(await judged(200, 'application/json; charset=utf-8', '{"a":"b"}'), null)
  t.equal(await judged(404, 'application/problem+json', '{}'), null)
  t.match(await judged(200, 'application/json', '{"a":1}'), /must be string/)
  t.match(await judged(200, 'application/json', '{"a":"b","c":1}'), /must NOT have additional/)
  t.equal(await judged(200, 'text/html', 'x'), 'text/html is not documented')
  t.equal(await judged(201, 'application/json', '{"a":"b"}'), 'the status is not documented')
  t.equal(await judged(404, 'application/json', '{}'), 'an error is told as application/json')
  t.equal(await judged(503, 'application/problem+json', '{}'), 'a fault of the service')
  t.ok(ODD_TEXTS.length > 20)
})

import { request } from 'node:http'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type SyntheticOptions, syntheticEvents } from '../../src/samples/synthetic.ts'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { lines, made, NDJSON, OPENED, posted, problem, uuid } from '../support/register.ts'
import { type Answer, testService } from '../support/service.ts'

const opening = posted('$register', 'RegisterOpened', '2026-01-01', OPENED, { id: uuid(1) })
const bridge = made('bridge', {}, { id: uuid(2) })
const tunnel = made('tunnel', {}, { id: uuid(3) })

const service = await testService(t)
let registers = 0
function newRegister(): string {
  registers += 1
  return `r${registers}`
}

const load = (register: string, text: string) => service.post(`/v1/registers/${register}/events`, text, NDJSON)

/** Imports a stream of chunks as they come. */
async function loadChunks(register: string, chunks: Iterable<Uint8Array>): Promise<Answer> {
  const response = await service.app.inject({
    method: 'POST',
    url: `/v1/registers/${register}/events`,
    headers: NDJSON,
    payload: Readable.from(chunks),
  })
  return { status: response.statusCode, headers: response.headers, body: response.json(), text: response.payload }
}

async function exported(register: string): Promise<string> {
  const answer = await service.get(`/v1/registers/${register}/events`, { accept: 'application/x-ndjson' })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.text
}

async function streams(register: string): Promise<string[]> {
  const { body } = await service.get(`/v1/registers/${register}/events?limit=1000`)
  return body.items.map(({ stream }: { stream: string }) => stream)
}

function imported(answer: Answer) {
  const { size, recorded, alreadyRecorded, refused } = answer.body
  return { status: answer.status, size, recorded, alreadyRecorded, refused }
}

t.test('a first line that opens the register opens it', async (t) => {
  const answer = await load('new', lines(opening, bridge))
  t.equal(answer.status, 200)
  t.strictSame(answer.body, { size: 2, recorded: 2, alreadyRecorded: 0, refused: 0, refusals: [] })
  t.equal(answer.headers['pledger-size'], '2')
  t.equal((await service.get('/v1/registers/new')).body.title, 'Demo')
})

t.test('without a register and a first line that opens it nothing is recorded', async (t) => {
  for (const text of [lines(bridge), lines(bridge, opening), '', '\n\n', 'nonsense\n']) {
    const register = newRegister()
    t.strictSame(problem(await load(register, text)), { status: 404, type: '/problems/unknown-register', pointers: [] })
    t.equal(await service.size(register), 0, JSON.stringify(text.slice(0, 60)))
  }
  for (const id of ['%00', 'Upper', 'a'.repeat(101)]) {
    t.strictSame(problem(await load(id, lines(opening))), {
      status: 404,
      type: '/problems/unknown-register',
      pointers: [],
    })
  }
})

t.test('a refused line is reported with its number, and the rest goes on', async (t) => {
  const register = newRegister()
  const { id: _, ...nameless } = tunnel
  const answer = await load(
    register,
    lines(
      opening,
      '{"stream":',
      bridge,
      { ...tunnel, occurredOn: '2026-02-30' },
      { ...tunnel, colour: 1 },
      nameless,
      { ...tunnel, id: 'x' },
      { ...tunnel, id: uuid(2) },
      { ...bridge, id: uuid(4) },
      { ...tunnel, occurredOn: '2027' },
      { ...tunnel, expectedRevision: 3 },
      { ...tunnel, data: { title: 'x', parties: ['Z'] } },
      { ...tunnel, typeVersion: 9 },
      'null',
      posted('bridge', 'EventRedacted', '2026-01-01', { event: uuid(2), reason: 'r' }, { id: uuid(5) }),
      { ...tunnel, data: { title: '__proto__' } },
    ),
  )
  t.strictSame(imported(answer), { status: 200, size: 3, recorded: 3, alreadyRecorded: 0, refused: 13 })
  t.strictSame(
    answer.body.refusals.map(({ line, id, type, pointer }: Record<string, unknown>) => [line, id, type, pointer]),
    [
      [2, null, '/problems/malformed', ''],
      [4, uuid(3), '/problems/invalid-body', '/occurredOn'],
      [5, uuid(3), '/problems/invalid-body', '/colour'],
      [6, null, '/problems/invalid-body', '/id'],
      [7, 'x', '/problems/invalid-body', '/id'],
      [8, uuid(2), '/problems/id-reused', '/id'],
      [9, uuid(4), '/problems/already-made', '/type'],
      [10, uuid(3), '/problems/in-future', '/occurredOn'],
      [11, uuid(3), '/problems/revision-conflict', '/expectedRevision'],
      [12, uuid(3), '/problems/unknown-party', '/data/parties/0'],
      [13, uuid(3), '/problems/invalid-body', '/typeVersion'],
      [14, null, '/problems/invalid-body', ''],
      [15, uuid(5), '/problems/not-available', '/type'],
    ],
  )
  t.ok(answer.body.refusals.every(({ detail }: { detail: string }) => detail.length > 5))
  t.strictSame(await streams(register), ['$register', 'bridge', 'tunnel'])
})

t.test('refusals of different batches come in the order of their lines, the first 1,000 of them', async (t) => {
  const register = newRegister()
  const wrong = Array.from({ length: 2_500 }, (_, index) =>
    index % 2 === 0 ? 'x' : { ...bridge, id: uuid(10 + index) },
  )
  const answer = await load(register, lines(opening, bridge, ...wrong))
  t.strictSame(imported(answer), { status: 200, size: 2, recorded: 2, alreadyRecorded: 0, refused: 2_500 })
  t.strictSame(
    answer.body.refusals.map(({ line }: { line: number }) => line),
    Array.from({ length: 1_000 }, (_, index) => index + 3),
  )
})

t.test('blank lines are lines, CRLF ends one, and the last needs no end', async (t) => {
  const register = newRegister()
  const text = `${JSON.stringify(opening)}\r\n\r\n\n  \n${JSON.stringify(bridge)}\r\nx\r\n${JSON.stringify(tunnel)}`
  const answer = await load(register, text)
  t.strictSame(imported(answer), { status: 200, size: 3, recorded: 3, alreadyRecorded: 0, refused: 1 })
  t.equal(answer.body.refusals[0].line, 6)
})

t.test('a line of 256 KiB is read, a longer one is refused and passed over', async (t) => {
  const register = newRegister()
  const padded = (event: object, bytes: number) => {
    const text = JSON.stringify(event)
    return text + ' '.repeat(bytes - text.length)
  }
  const answer = await load(
    register,
    lines(opening, padded(bridge, 262_144), padded(tunnel, 262_145), 'x'.repeat(3_000_000), tunnel),
  )
  t.strictSame(imported(answer), { status: 200, size: 3, recorded: 3, alreadyRecorded: 0, refused: 2 })
  t.strictSame(
    answer.body.refusals.map(({ line, id, type, pointer }: Record<string, unknown>) => [line, id, type, pointer]),
    [
      [3, null, '/problems/too-large', ''],
      [4, null, '/problems/too-large', ''],
    ],
  )
})

t.test('it does not matter where the chunks of a body end', async (t) => {
  const title = 'Мост 橋 𝄞'
  const text = Buffer.from(lines(opening, { ...bridge, data: { title } }, { ...tunnel, data: { title } }))
  for (const bytes of [1, 2, 3, 7, 64, 1_000]) {
    const register = newRegister()
    const chunks = Array.from({ length: Math.ceil(text.length / bytes) }, (_, index) =>
      text.subarray(index * bytes, (index + 1) * bytes),
    )
    const answer = await loadChunks(register, chunks)
    t.strictSame(imported(answer), { status: 200, size: 3, recorded: 3, alreadyRecorded: 0, refused: 0 })
    t.equal((await service.get(`/v1/registers/${register}/events/2`)).body.data.title, title)
  }
})

t.test('a line that is not UTF-8 is refused, the others are not', async (t) => {
  const register = newRegister()
  const answer = await loadChunks(register, [
    Buffer.from(lines(opening)),
    Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a]),
    Buffer.from(lines(bridge)),
  ])
  t.strictSame(imported(answer), { status: 200, size: 2, recorded: 2, alreadyRecorded: 0, refused: 1 })
  t.strictSame([answer.body.refusals[0].line, answer.body.refusals[0].type], [2, '/problems/malformed'])
})

t.test('an import that breaks off keeps the batches that it had recorded and can be run again', async (t) => {
  const register = newRegister()
  await load(register, lines(opening))
  const events = Array.from({ length: 2_500 }, (_, index) => made(`c${index}`, {}, { id: uuid(10 + index) }))
  const address = await service.app.listen({ port: 0, host: '127.0.0.1' })
  const sending = request(`${address}/v1/registers/${register}/events`, { method: 'POST', headers: NDJSON })
  sending.on('error', () => {})
  sending.write(lines(...events.slice(0, 2_100)))
  // Two batches of 1,000 after the first event, which goes alone; the rest waits for the end of its batch.
  while ((await service.size(register)) < 2_002) await sleep(10)
  sending.destroy()
  await sleep(100)
  t.equal(await service.size(register), 2_002)
  const again = await load(register, lines(opening, ...events))
  t.strictSame(imported(again), { status: 200, size: 2_501, recorded: 499, alreadyRecorded: 2_002, refused: 0 })
})

t.test('what the service sets is ignored on a line, the version of its type is not', async (t) => {
  const register = newRegister()
  const foreign = { position: 7, revision: 9, recordedAt: 'x', recordedBy: 'somebody', salt: 1, bodyHash: null }
  const answer = await load(register, lines(opening, { ...bridge, ...foreign, typeVersion: 1 }))
  t.strictSame(imported(answer), { status: 200, size: 2, recorded: 2, alreadyRecorded: 0, refused: 0 })
  const { body } = await service.get(`/v1/registers/${register}/events/1`)
  t.strictSame([body.position, body.revision, body.recordedBy], [1, 1, 'local'])
})

type Copies = { register: string; copy: string }

/** Answers of a copy with the name of the register in them, so that nothing else may differ. */
async function equalAnswers(t: Test, { register, copy }: Copies, path: string): Promise<Answer> {
  const [one, other] = await Promise.all([
    service.get(`/v1/registers/${register}${path}`),
    service.get(`/v1/registers/${copy}${path}`),
  ])
  t.equal(one.status, 200, path)
  t.strictSame(
    JSON.parse(other.text.replaceAll(`/${copy}/`, `/${register}/`).replaceAll(`"${copy}"`, `"${register}"`)),
    one.body,
  )
  return one
}

async function equalRegisters(t: Test, copies: Copies): Promise<void> {
  const size = await service.size(copies.register)
  t.equal(await service.size(copies.copy), size)
  for (const knownAt of [size, Math.floor(size / 2)]) {
    for (const asOf of ['2026-02-26', '2023-06-30']) {
      const query = `?asOf=${asOf}&knownAt=${knownAt}`
      const { body } = await equalAnswers(t, copies, `/commitments${query}&limit=1000`)
      for (const { id } of body.items) await equalAnswers(t, copies, `/commitments/${id}${query}`)
      for (const path of ['/sources', '/programmes']) await equalAnswers(t, copies, `${path}${query}`)
      await equalAnswers(t, copies, `/summary${query}&groupBy=programme,theme,party`)
    }
  }
}

function withoutPlace(text: string): unknown[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { recordedAt, salt, bodyHash, ...event } = JSON.parse(line)
      return event
    })
}

t.test('the export of a register with every kind of repair gives an equal register', async (t) => {
  const at = `/v1/registers/repaired`
  await load('repaired', lines(...unionStateEvents()))
  const { body: stream } = await service.get(`${at}/commitments/oreshnik/events`)
  const [promise, , claim, dispute] = stream.items
  const { body: source } = await service.get(`${at}/events?type=SourceAdded&limit=2`)
  const repair = (type: string, event: { id: string; stream: string }, data: object, id: number) =>
    posted(event.stream, type, '2026-03-01', { event: event.id, reason: 'r', ...data }, { id: uuid(id) })
  const repairs = await service.post(`${at}/events`, [
    repair('EventCorrected', claim, { occurredOn: '2025-12-16', citations: claim.citations }, 9_001),
    repair('EventRetracted', dispute, {}, 9_002),
    repair('EventRetracted', { id: uuid(9_002), stream: 'oreshnik' }, {}, 9_003),
    repair('EventCorrected', promise, { data: { ...promise.data, title: 'Renamed', themes: [] } }, 9_004),
    repair('EventRetracted', source.items[1], {}, 9_005),
    posted('gas-market', 'CommitmentWithdrawn', '2026-02-28', { reason: 'r' }),
  ])
  t.equal(repairs.status, 201)
  const text = await exported('repaired')
  t.equal(text.trimEnd().split('\n').length, repairs.body.size)
  t.strictSame(imported(await load('repaired', text)), {
    status: 200,
    size: repairs.body.size,
    recorded: 0,
    alreadyRecorded: repairs.body.size,
    refused: 0,
  })
  t.strictSame(imported(await load('copy', text)), {
    status: 200,
    size: repairs.body.size,
    recorded: repairs.body.size,
    alreadyRecorded: 0,
    refused: 0,
  })
  t.strictSame(withoutPlace(await exported('copy')), withoutPlace(text))
  await equalRegisters(t, { register: 'repaired', copy: 'copy' })
})

const SYNTHETIC: SyntheticOptions = { commitments: 710, delivered: 300, late: 40, seed: 5, asOf: '2026-02-26' }

t.test(
  '5,000 synthetic events are imported once, in the order of their lines, and export to an equal register',
  async (t) => {
    const events = [...syntheticEvents(SYNTHETIC)]
    t.ok(events.length > 4_800 && events.length < 5_400, `${events.length} events`)
    const text = lines(...events)
    const size = events.length
    const report = (recorded: number) => ({ status: 200, size, recorded, alreadyRecorded: size - recorded, refused: 0 })
    t.strictSame(imported(await load('synthetic', text)), report(size))
    t.strictSame(imported(await load('synthetic', text)), report(0))
    const log = await exported('synthetic')
    t.strictSame(
      log
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
      events.map(({ id }) => id),
    )
    t.strictSame(imported(await load('synthetic-copy', log)), report(size))
    const summary = `/summary?asOf=2026-02-26&knownAt=${size}&groupBy=programme,theme,party`
    const { body } = await equalAnswers(t, { register: 'synthetic', copy: 'synthetic-copy' }, summary)
    t.strictSame([body.inScope, body.delivered.count, body.late.count], [710, 300, 40])
    await equalAnswers(
      t,
      { register: 'synthetic', copy: 'synthetic-copy' },
      `/commitments?asOf=2024-02-26&knownAt=${size}&limit=1000`,
    )
  },
)

t.test('two imports of the same lines at the same time record each event once', async (t: Test) => {
  const register = newRegister()
  const events = [...syntheticEvents({ ...SYNTHETIC, commitments: 200, delivered: 80, late: 10 })]
  const answers = await Promise.all([1, 2].map(() => load(register, lines(...events))))
  const sum = (field: string) => answers.reduce((total, { body }) => total + body[field], 0)
  t.strictSame([sum('recorded'), sum('alreadyRecorded'), sum('refused')], [events.length, events.length, 0])
  t.equal(await service.size(register), events.length)
})

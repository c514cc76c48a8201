import fc from 'fast-check'
import t from 'tap'
import { JSON_TYPE, made, OPENED, openDemo, posted, problem, refuses, uuid } from '../support/register.ts'
import { type Answer, type TestService, testService } from '../support/service.ts'

const EVENTS = '/v1/registers/demo/events'
const RECORDED_AT = '2026-03-01T12:00:00.000Z'
const service = await testService(t)
await openDemo(service)

const post = (body: unknown, headers?: Record<string, string>) => service.post(EVENTS, body, headers)
const progress = (more: Record<string, unknown> = {}) => ({
  ...posted('bridge', 'ProgressReported', '2026-01-10', { percent: 50 }),
  ...more,
})

/** Posts bytes as they are. */
async function send(payload: Buffer | string, headers: Record<string, string>, url = EVENTS): Promise<Answer> {
  const response = await service.app.inject({ method: 'POST', url, headers, payload })
  return { status: response.statusCode, headers: response.headers, body: response.json(), text: response.payload }
}

t.test('one event is answered with its place, in the body and in the headers', async (t) => {
  const answer = await post(made('one', {}, { id: uuid(1) }))
  t.equal(answer.status, 201)
  t.strictSame(answer.body, {
    size: 5,
    events: [{ position: 4, id: uuid(1), revision: 1, recordedAt: RECORDED_AT, recorded: true }],
  })
  t.equal(answer.headers.location, '/v1/registers/demo/events/4')
  t.equal(answer.headers['pledger-size'], '5')
  const stored = await service.get(String(answer.headers.location))
  t.equal(stored.status, 200)
  const { salt, bodyHash, ...event } = stored.body
  t.strictSame(event, {
    position: 4,
    id: uuid(1),
    stream: 'one',
    revision: 1,
    type: 'CommitmentMade',
    typeVersion: 1,
    recordedAt: RECORDED_AT,
    recordedBy: 'local',
    occurredOn: '2026-01-01',
    data: { title: 'one', themes: [], parties: [] },
    citations: [],
  })
  t.equal(Buffer.from(salt, 'base64').length, 32)
  t.equal(Buffer.from(bodyHash, 'base64').length, 32)
})

t.test('an event without an id gets one of version 7', async (t) => {
  const { body } = await post(progress())
  t.match(body.events[0].id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

t.test('an array is recorded in order, each event after the earlier ones of it', async (t) => {
  const size = await service.size('demo')
  const answer = await post([
    made('array', {}, { expectedRevision: 0 }),
    posted('array', 'DeliveryReported', '2026-02-01', {}, { expectedRevision: 1 }),
    posted('array', 'DeliveryVerified', '2026-02-02', {}, { expectedRevision: 2 }),
  ])
  t.equal(answer.status, 201)
  t.equal(answer.body.size, size + 3)
  t.strictSame(
    answer.body.events.map(({ position, revision }: { position: number; revision: number }) => [position, revision]),
    [1, 2, 3].map((revision) => [size + revision - 1, revision]),
  )
  t.notOk(answer.headers.location)
  t.equal(answer.headers['pledger-size'], String(size + 3))
})

t.test('a recording that is repeated writes nothing and answers 200 with the same places', async (t) => {
  const events = [made('again', {}, { id: uuid(10) }), progress({ id: uuid(11) })]
  const first = await post(events)
  const again = await post(events)
  t.equal(first.status, 201)
  t.equal(again.status, 200)
  t.strictSame(again.body, {
    size: first.body.size,
    events: first.body.events.map((event: object) => ({ ...event, recorded: false })),
  })
  t.equal(again.headers['pledger-size'], String(first.body.size))
  t.notOk(again.headers.location)
})

t.test('the id is looked up before the revision: a repeated event is no conflict', async (t) => {
  const event = made('repeated', {}, { id: uuid(12), expectedRevision: 0 })
  t.equal((await post(event)).status, 201)
  t.equal((await post(event)).status, 200)
})

t.test('an id in upper case is the same id', async (t) => {
  const id = 'ABCDEFAB-0000-8000-8000-000000000001'
  t.equal((await post(progress({ id }))).body.events[0].id, id.toLowerCase())
  t.equal((await post(progress({ id: id.toLowerCase() }))).status, 200)
})

t.test('of an array only what is new is written, and each event says whether it was', async (t) => {
  const before = await service.size('demo')
  const answer = await post([
    progress({ id: uuid(11) }),
    progress({ id: uuid(13) }),
    progress({ id: uuid(13) }),
    progress({ id: uuid(14) }),
  ])
  t.equal(answer.status, 201)
  t.strictSame(
    answer.body.events.map(({ recorded }: { recorded: boolean }) => recorded),
    [false, true, false, true],
  )
  t.equal(answer.body.events[2].position, answer.body.events[1].position)
  t.equal(answer.body.size, before + 2)
  t.equal(await service.size('demo'), before + 2)
})

t.test('recordings at the same time each get a place of their own', async (t) => {
  const before = await service.size('demo')
  const answers = await Promise.all(Array.from({ length: 50 }, () => post(progress())))
  t.strictSame(
    answers.map(({ body }) => body.events[0].position).sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, index) => before + index),
  )
})

t.test('of two recordings at the same time that expect the same revision one is a conflict', async (t) => {
  const { body } = await post(made('race'))
  const answers = await Promise.all([1, 2].map(() => post({ ...progress({ expectedRevision: 1 }), stream: 'race' })))
  t.strictSame(answers.map(({ status }) => status).sort(), [201, 409])
  t.equal(await service.size('demo'), body.size + 1)
})

const refused: [name: string, body: unknown, expected: [number, string, ...string[]]][] = [
  ['an unknown field', progress({ colour: 1 }), [422, 'invalid-body', '/colour']],
  ['an unknown field of data', progress({ data: { 'a/b~c': 1 } }), [422, 'invalid-body', '/data/a~1b~0c']],
  ['a field that only the service sets', progress({ position: 1 }), [422, 'invalid-body', '/position']],
  ['a number in words', progress({ data: { percent: 'half' } }), [422, 'invalid-body', '/data/percent']],
  ['a stream that is no id', progress({ stream: 'Bridge' }), [422, 'invalid-body', '/stream']],
  ['a type that there is not', progress({ type: 'BridgeBuilt' }), [422, 'invalid-body', '/type']],
  ['a type named like a method of objects', progress({ type: 'toString' }), [422, 'invalid-body', '/type']],
  ['an id that is no UUID', progress({ id: '1' }), [422, 'invalid-body', '/id']],
  ['text in place of an event', '"text"', [422, 'invalid-body', '']],
  ['null in place of an event', 'null', [422, 'invalid-body', '']],
  ['no data', { stream: 'bridge', type: 'DeliveryReported', occurredOn: '2026-01-10' }, [422, 'invalid-body', '/data']],
  ['every wrong field at once', progress({ stream: 7, id: 7 }), [422, 'invalid-body', '/stream', '/id']],
  ['a day that does not exist', progress({ occurredOn: '2026-02-30' }), [422, 'invalid-body', '/occurredOn']],
  [
    'an interval that ends before it begins',
    progress({ occurredOn: '2026/2025' }),
    [422, 'invalid-body', '/occurredOn'],
  ],
  [
    'a due date without an end',
    posted('bridge', 'CommitmentRebaselined', '2026-01-10', { due: '2026-05-01/..', reason: 'r' }),
    [422, 'invalid-body', '/data/due'],
  ],
  ['a day after today', progress({ occurredOn: '2026-03-02' }), [422, 'in-future', '/occurredOn']],
  [
    'half of a surrogate pair',
    '{"stream":"bridge","type":"ProgressReported","occurredOn":"2026-01-10","data":{"note":"\\ud800"}}',
    [422, 'invalid-body', '/data/note'],
  ],
  ['a NUL character', progress({ data: { note: 'a\u0000b' } }), [422, 'invalid-body', '/data/note']],
  ['empty text', progress({ data: { note: '' } }), [422, 'invalid-body', '/data/note']],
  [
    'text of more than 10,000 characters',
    progress({ data: { note: 'a'.repeat(10_001) } }),
    [422, 'invalid-body', '/data/note'],
  ],
  ['101 citations', progress({ citations: Array(101).fill({ source: 'S1' }) }), [422, 'invalid-body', '/citations']],
  ['101 themes', made('themes', { themes: Array(101).fill('t') }), [422, 'invalid-body', '/data/themes']],
  ['101 parties', made('parties', { parties: Array(101).fill('A') }), [422, 'invalid-body', '/data/parties']],
  [
    'an amendment of the due date',
    posted('bridge', 'CommitmentAmended', '2026-01-10', { due: '2027', reason: 'r' }),
    [422, 'invalid-body', '/data/due'],
  ],
  ['no event', [], [422, 'invalid-body', '']],
  ['1,001 events', Array(1_001).fill(progress()), [422, 'invalid-body', '']],
  [
    'a fact about what was not promised',
    posted('tunnel', 'DeliveryReported', '2026-01-10'),
    [422, 'not-made', '/stream'],
  ],
  ['a promise made twice', made('bridge'), [409, 'already-made', '/type']],
  ['a promise made twice in one array', [made('twice'), made('twice')], [409, 'already-made', '/1/type']],
  [
    'opening an open register',
    posted('$register', 'RegisterOpened', '2026-01-10', OPENED),
    [409, 'already-made', '/type'],
  ],
  ['an unknown party', made('new', { parties: ['A', 'Z'] }), [422, 'unknown-party', '/data/parties/1']],
  ['an unknown programme', made('new', { programme: 'p9' }), [422, 'unknown-programme', '/data/programme']],
  [
    'an unknown parent',
    posted('$register', 'ProgrammeDefined', '2026-01-10', { programme: 'p2', title: 'P', parent: 'p9' }),
    [422, 'unknown-programme', '/data/parent'],
  ],
  [
    'an unknown source',
    progress({ citations: [{ source: 'S1' }, { source: 'S9' }] }),
    [422, 'unknown-source', '/citations/1/source'],
  ],
  [
    'a repair of an unknown event',
    posted('bridge', 'EventRetracted', '2026-01-10', { event: uuid(999), reason: 'r' }),
    [422, 'unknown-event', '/data/event'],
  ],
  [
    'a repair in another stream than its event',
    posted('one', 'EventRetracted', '2026-01-10', { event: uuid(11), reason: 'r' }),
    [422, 'wrong-stream', '/stream'],
  ],
  [
    'a fact of the register in the stream of a commitment',
    posted('bridge', 'PartyAdded', '2026-01-10', { id: 'B', name: 'B' }),
    [422, 'wrong-stream', '/stream'],
  ],
  [
    'a fact of a commitment in the stream of the register',
    posted('$register', 'DeliveryReported', '2026-01-10'),
    [422, 'wrong-stream', '/stream'],
  ],
  [
    'another event under an id that is used',
    progress({ id: uuid(11), occurredOn: '2026-01-11' }),
    [409, 'id-reused', '/id'],
  ],
  [
    'two events under one id in one array',
    [progress({ id: uuid(15) }), progress({ id: uuid(15), data: { percent: 51 } })],
    [409, 'id-reused', '/1/id'],
  ],
  [
    'redaction, which is not available yet',
    posted('bridge', 'EventRedacted', '2026-01-10', { event: uuid(11), reason: 'r' }),
    [422, 'not-available', '/type'],
  ],
  [
    'a correction that corrects nothing',
    posted('bridge', 'EventCorrected', '2026-01-10', { event: uuid(11), reason: 'r' }),
    [422, 'invalid-body', '/data'],
  ],
  [
    'a correction with data of another type',
    posted('bridge', 'EventCorrected', '2026-01-10', { event: uuid(11), data: { reason: 'r' }, reason: 'r' }),
    [422, 'invalid-body', '/data/data/reason'],
  ],
  [
    'a correction into the future',
    posted('bridge', 'EventCorrected', '2026-01-10', { event: uuid(11), occurredOn: '2027', reason: 'r' }),
    [422, 'in-future', '/data/occurredOn'],
  ],
  [
    'a correction to an unknown source',
    posted('bridge', 'EventCorrected', '2026-01-10', { event: uuid(11), citations: [{ source: 'S9' }], reason: 'r' }),
    [422, 'unknown-source', '/data/citations/0/source'],
  ],
]

t.test('nothing is recorded of', async (t) => {
  for (const [name, body, expected] of refused)
    await t.test(name, (t) => refuses(t, service, () => post(body), expected))
})

t.test('a wrong event of an array is pointed to, and nothing of the array is recorded', async (t) => {
  const array = Array.from({ length: 600 }, () => progress())
  const wrong = (change: object) => array.with(499, progress(change as Record<string, unknown>))
  await refuses(t, service, () => post(wrong({ data: { percent: 'x' } })), [422, 'invalid-body', '/499/data/percent'])
  await refuses(t, service, () => post(wrong({ occurredOn: '2027' })), [422, 'in-future', '/499/occurredOn'])
  await refuses(t, service, () => post(wrong({ expectedRevision: 0 })), [
    409,
    'revision-conflict',
    '/499/expectedRevision',
  ])
  t.equal((await post(array)).status, 201)
})

t.test('a stale expectedRevision is a conflict that names both revisions', async (t) => {
  await post(made('stale'))
  const stale = { ...progress({ expectedRevision: 0 }), stream: 'stale' }
  const answer = await refuses(t, service, () => post(stale), [409, 'revision-conflict', '/expectedRevision'])
  t.equal(answer.body.expected, 0)
  t.equal(answer.body.actual, 1)
  t.equal(answer.body.instance, EVENTS)
  const ahead = { ...progress({ expectedRevision: 2 }), stream: 'stale' }
  await refuses(t, service, () => post(ahead), [409, 'revision-conflict', '/expectedRevision'])
  t.equal((await post({ ...stale, expectedRevision: 1 })).status, 201)
})

t.test('repairs are admitted for facts, and only what can be taken back is retracted', async (t) => {
  await post([
    made('mended', {}, { id: uuid(20) }),
    posted('mended', 'DeliveryReported', '2026-02-01', {}, { id: uuid(21) }),
  ])
  const retract = (event: string, id: string) =>
    posted('mended', 'EventRetracted', '2026-02-01', { event, reason: 'r' }, { id })
  t.equal((await post(retract(uuid(21), uuid(22)))).status, 201)
  const correction = posted('mended', 'EventCorrected', '2026-02-01', {
    event: uuid(22),
    occurredOn: '2026',
    reason: 'r',
  })
  await refuses(t, service, () => post(correction), [422, 'not-a-fact', '/data/event'])
  t.equal((await post(retract(uuid(22), uuid(23)))).status, 201)
  const opening = (await service.get(`${EVENTS}/0`)).body.id
  const closing = posted('$register', 'EventRetracted', '2026-02-01', { event: opening, reason: 'r' })
  await refuses(t, service, () => post(closing), [422, 'not-retractable', '/data/event'])
  const renamed = { event: opening, data: { ...OPENED, title: 'Renamed' }, reason: 'a misprint' }
  t.equal((await post(posted('$register', 'EventCorrected', '2026-02-01', renamed))).status, 201)
  t.equal((await service.get('/v1/registers/demo')).body.title, 'Renamed')
})

t.test('after a withdrawal nothing that would go on is recorded, what was before it is', async (t) => {
  await post([made('left'), posted('left', 'CommitmentWithdrawn', '2026-02-10', { reason: 'r' })])
  for (const [type, data] of [
    ['DeliveryReported', {}],
    ['DeliveryReopened', { reason: 'r' }],
    ['CommitmentSuspended', { reason: 'r' }],
    ['CommitmentResumed', { reason: 'r' }],
    ['ForecastReported', { finish: '2027' }],
    ['CommitmentRebaselined', { due: '2027', reason: 'r' }],
  ] as const) {
    const late = posted('left', type, '2026-02-11', data)
    await refuses(t, service, () => post(late), [422, 'after-withdrawal', '/occurredOn'])
  }
  t.equal((await post(posted('left', 'DeliveryReported', '2026-02'))).status, 201)
  t.equal((await post(posted('left', 'CommitmentReinstated', '2026-02-12', { reason: 'r' }))).status, 201)
  t.equal((await post(posted('left', 'DeliveryReported', '2026-02-13'))).status, 201)
})

t.test('today is the day in the time zone of the register', async (t) => {
  await service.post('/v1/registers', { id: 'kiritimati', ...OPENED, timeZone: 'Pacific/Kiritimati' })
  const { status } = await service.post('/v1/registers/kiritimati/events', {
    ...made('bridge'),
    occurredOn: '2026-03-02',
  })
  t.equal(status, 201)
})

t.test('an array that is refused leaves those that are recorded beside it alone', async (t) => {
  await post(made('busy'))
  const before = await service.size('demo')
  const fact = (change: Record<string, unknown> = {}) => ({ ...progress(change), stream: 'busy' })
  const arrays = Array.from({ length: 40 }, (_, index) =>
    index % 2 === 0 ? [fact(), fact(), fact()] : [fact(), fact(), fact({ occurredOn: '2027' })],
  )
  const answers = await Promise.all(arrays.map((array) => post(array)))
  t.strictSame(
    answers.map((answer) => (answer.status === 201 ? 201 : problem(answer))),
    arrays.map((_, index) =>
      index % 2 === 0 ? 201 : { status: 422, type: '/problems/in-future', pointers: ['/2/occurredOn'] },
    ),
  )
  const places = answers.flatMap(({ body }) => body.events ?? [])
  t.strictSame(
    places.map(({ position, revision }) => [position, revision]).sort(([a], [b]) => a - b),
    Array.from({ length: 60 }, (_, index) => [before + index, index + 2]),
  )
  t.equal(await service.size('demo'), before + 60)
})

t.test('more recordings than the service takes on at once are refused with when to retry', async (t) => {
  const before = await service.size('demo')
  const array = Array.from({ length: 1_000 }, () => progress())
  const answers = await Promise.all(Array.from({ length: 30 }, () => post(array)))
  const recorded = answers.filter(({ status }) => status === 201)
  const turnedAway = answers.filter(({ status }) => status !== 201)
  t.ok(recorded.length >= 20 && turnedAway.length > 0, `${turnedAway.length} of 30 refused`)
  for (const answer of turnedAway) {
    t.strictSame(problem(answer), { status: 503, type: '/problems/queue-full', pointers: [] })
    t.equal(answer.body.detail, 'more recordings wait than the service takes on; nothing of this one was recorded')
    t.equal(answer.headers['retry-after'], '1')
  }
  t.equal(await service.size('demo'), before + 1_000 * recorded.length)
})

t.test('recordedAt never decreases, also where the clock of the service does', async (t) => {
  const recordedAt = async () => (await post(progress())).body.events[0].recordedAt
  service.clock.now += 5_000
  t.equal(await recordedAt(), '2026-03-01T12:00:05.000Z')
  service.clock.now -= 10_000
  t.equal(await recordedAt(), '2026-03-01T12:00:05.000Z')
  service.clock.now += 11_000
  t.equal(await recordedAt(), '2026-03-01T12:00:06.000Z')
})

const number = (text: string) =>
  `{"stream":"bridge","type":"ProgressReported","occurredOn":"2026-01-10","data":{"percent":${text}}}`

t.test('a number is recorded as written or not at all', async (t) => {
  for (const text of [
    '9007199254740993',
    '9007199254740992',
    '-9007199254740992',
    '0.1000000000000000055511151231257827',
    '1.00000000000000001',
    '1e400',
    '1e-400',
    '1e300',
  ]) {
    await t.test(text, (t) => refuses(t, service, () => post(number(text)), [422, 'invalid-body', '/data/percent']))
  }
  for (const [text, value] of [
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['0.1', 0.1],
    ['1.5e2', 150],
    ['100.00000000000000000', 100],
    ['1e-7', 1e-7],
    ['-0.30000000000000004', -0.30000000000000004],
  ] as const) {
    const { status, body } = await post(number(text))
    t.equal(status, 201, text)
    t.equal((await service.get(`${EVENTS}/${body.events[0]?.position}`)).body.data.percent, value)
  }
})

t.test('of a repeated JSON member the last counts', async (t) => {
  const { body } = await post(number('1,"percent":2'))
  t.equal((await service.get(`${EVENTS}/${body.events[0].position}`)).body.data.percent, 2)
})

t.test('a text of exactly 10,000 characters is recorded, also where each takes two UTF-16 units', async (t) => {
  for (const note of ['a'.repeat(10_000), '𝄞'.repeat(10_000)]) {
    const { status, body } = await post(progress({ data: { note } }))
    t.equal(status, 201)
    t.equal((await service.get(`${EVENTS}/${body.events[0].position}`)).body.data.note, note)
  }
  const more = progress({ data: { note: '𝄞'.repeat(10_001) } })
  await refuses(t, service, () => post(more), [422, 'invalid-body', '/data/note'])
})

t.test('text is recorded as it was sent, unnormalised', async (t) => {
  const note = 'e\u0301 \u00e9 \ufeff \u202e "quoted" \\ \n\t \u2028'
  const { body } = await post(progress({ data: { note } }))
  t.equal((await service.get(`${EVENTS}/${body.events[0].position}`)).body.data.note, note)
})

t.test('a body that cannot be read is refused', async (t) => {
  const malformed: [string, Buffer | string][] = [
    ['broken JSON', '{"stream":'],
    ['two values', '{}{}'],
    ['no bytes', ''],
    ['white space', ' \n'],
    ['__proto__', '{"__proto__":{"stream":"bridge"}}'],
    ['an escaped __proto__', '{"\\u005f_proto__":{"stream":"bridge"}}'],
    ['invalid UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['UTF-16', Buffer.from(JSON.stringify(progress()), 'utf16le')],
    ['NaN', number('NaN')],
  ]
  for (const [name, payload] of malformed) {
    await t.test(name, (t) => refuses(t, service, () => send(payload, JSON_TYPE), [400, 'malformed']))
  }
})

t.test('a JSON body of more than 1 MiB is too large', async (t) => {
  const text = JSON.stringify(progress())
  const body = (bytes: number) => `${text}${' '.repeat(bytes - text.length)}`
  t.equal((await post(body(1_048_576))).status, 201)
  await refuses(t, service, () => post(body(1_048_577)), [413, 'too-large'])
  await refuses(t, service, () => post(body(2_097_152)), [413, 'too-large'])
  await refuses(t, service, () => post(`{"a":"${'a'.repeat(2_097_152)}"}`), [413, 'too-large'])
})

t.test('a body is read only under the media type that it has', async (t) => {
  const text = JSON.stringify(progress())
  for (const type of [
    null,
    '',
    'text/plain',
    'text/json',
    'application/jsonp',
    'application/problem+json',
    'application/json\t; x',
    'application/json; x',
    'application/json; charset=latin1',
    'application/json; charset=utf-16',
    'application/json, text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ]) {
    await t.test(`not as ${JSON.stringify(type)}`, async (t) => {
      const headers: Record<string, string> = type === null ? {} : { 'content-type': type }
      const answer = await refuses(t, service, () => send(text, headers), [415, 'unsupported-media-type'])
      t.equal(answer.headers.accept, 'application/json, application/x-ndjson')
    })
  }
  for (const type of ['application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON']) {
    t.equal((await post(text, { 'content-type': type })).status, 201, type)
  }
  const opening = () => service.post('/v1/registers', '{}', { 'content-type': 'application/x-ndjson' })
  await refuses(t, service, opening, [415, 'unsupported-media-type'])
})

t.test('headers that would promise what the service does not do are refused', async (t) => {
  const ifMatch = () => post(progress(), { ...JSON_TYPE, 'if-match': '"1"' })
  await refuses(t, service, ifMatch, [400, 'malformed'])
  const keyed = () => post('{}\n', { 'content-type': 'application/x-ndjson', 'idempotency-key': 'k' })
  await refuses(t, service, keyed, [422, 'not-available'])
})

t.test('what comes again with the same Idempotency-Key is recorded once and answered as the first time', async (t) => {
  const size = await service.size('demo')
  const keyed = (key: string, body: unknown = progress()) => post(body, { ...JSON_TYPE, 'idempotency-key': key })
  const first = await keyed('"8e03978e-40d5-43dd-bc93-6894a57f9324"')
  t.strictSame([first.status, first.headers['idempotency-replayed']], [201, undefined])
  // The white space and the order of the members are not what is sent.
  const reordered = JSON.stringify(Object.fromEntries(Object.entries(progress()).reverse()), null, 2)
  for (const body of [progress(), reordered]) {
    const again = await keyed('8e03978e-40d5-43dd-bc93-6894a57f9324', body)
    t.strictSame([again.status, again.headers['idempotency-replayed']], [201, 'true'])
    t.strictSame(again.body, first.body)
    t.strictSame([again.headers.location, again.headers['pledger-size']], [first.headers.location, String(size + 1)])
  }
  t.equal(await service.size('demo'), size + 1)
  const other = () => keyed('8e03978e-40d5-43dd-bc93-6894a57f9324', { ...progress(), occurredOn: '2025-01-01' })
  await refuses(t, service, other, [422, 'key-reused'])
  for (const key of ['', '""', '"a', 'a b', 'a'.repeat(256), 'é']) {
    await t.test(`${key.slice(0, 10)} is no key`, (t) => refuses(t, service, () => keyed(key), [400, 'malformed']))
  }
  service.clock.now += 24 * 3_600_000
  const jumped = await keyed('8e03978e-40d5-43dd-bc93-6894a57f9324', progress())
  t.equal(jumped.headers['idempotency-replayed'], 'true', 'a clock that jumps by a day does not make it new')
  service.clock.now += 24 * 3_600_000
  const tomorrow = await keyed('8e03978e-40d5-43dd-bc93-6894a57f9324', { ...progress(), occurredOn: '2025-01-01' })
  t.strictSame([tomorrow.status, tomorrow.body.size], [201, size + 2])
  service.clock.now -= 48 * 3_600_000
})

t.test('a key is kept with what it recorded: what recorded nothing is decided anew', async (t) => {
  const keyed = (body: unknown) => post(body, { ...JSON_TYPE, 'idempotency-key': 'early' })
  const early = { ...progress(), stream: 'not-made-yet' }
  await refuses(t, service, () => keyed(early), [422, 'not-made', '/stream'])
  const made = { title: 'T' }
  await post({ stream: 'not-made-yet', type: 'CommitmentMade', occurredOn: '2026-01-01', data: made, citations: [] })
  t.equal((await keyed(early)).status, 201)
  t.equal((await keyed(early)).headers['idempotency-replayed'], 'true')
})

t.test('of requests with one key at the same time one records, the others are told that it is in flight', async (t) => {
  const size = await service.size('demo')
  const keyed = (body: unknown) => post(body, { ...JSON_TYPE, 'idempotency-key': 'at-once' })
  const answers = await Promise.all([
    keyed(progress()),
    keyed(progress()),
    keyed({ ...progress(), occurredOn: '2025' }),
  ])
  t.strictSame(
    answers.map(({ status, body }) => [status, body.type]),
    [
      [201, undefined],
      [409, '/problems/in-flight'],
      [422, '/problems/key-reused'],
    ],
  )
  t.equal(answers[1]?.headers['retry-after'], '1')
  t.equal(await service.size('demo'), size + 1)
})

t.test('a register is opened once under a key, and answered as it was opened', async (t) => {
  const body = { id: 'keyed', title: 'Keyed', parties: [], timeZone: 'UTC' }
  const open = () => service.post('/v1/registers', body, { ...JSON_TYPE, 'idempotency-key': 'open' })
  const first = await open()
  await service.post('/v1/registers/keyed/events', {
    ...progress(),
    type: 'CommitmentMade',
    data: { title: 'T' },
    citations: [],
  })
  const again = await open()
  t.strictSame([first.status, again.status, again.body], [201, 201, first.body])
  t.equal(again.headers['idempotency-replayed'], 'true')
})

t.test('a register that is not there records nothing, however it is called', async (t) => {
  for (const id of ['nothing', 'Demo', '%00', 'demo%2Fevents', 'a'.repeat(101), '-demo', '..%2Fdemo', '%F0%9F%98%80']) {
    const answer = () => service.post(`/v1/registers/${id}/events`, progress())
    await t.test(id.slice(0, 20), (t) => refuses(t, service, answer, [404, 'unknown-register']))
  }
  t.strictSame(
    (await service.get('/v1/registers')).body.items.map(({ id }: { id: string }) => id),
    ['demo', 'keyed', 'kiritimati'],
  )
})

t.test('parameters of a recording are refused', async (t) => {
  const answer = () => service.post(`${EVENTS}?dryRun=true`, progress())
  await refuses(t, service, answer, [400, 'malformed', '/dryRun'])
})

t.test('registers', async (t) => {
  const service = await testService(t)
  const open = (body: object) => service.post('/v1/registers', body)
  const parties = [
    { id: 'B', name: 'Party B' },
    { id: 'A', name: 'Party A' },
  ]

  await t.test('a register is opened, and answered where Location says', async (t) => {
    const answer = await open({ id: 'demo', title: 'Demo', parties, timeZone: 'Europe/Minsk' })
    const lost = { redacted: [], redactedCount: 0 }
    const expected = {
      ...{ id: 'demo', title: 'Demo', parties, timeZone: 'Europe/Minsk', size: 1, recordedAt: RECORDED_AT },
      ...lost,
    }
    t.equal(answer.status, 201)
    t.strictSame(answer.body, expected)
    t.equal(answer.headers.location, '/v1/registers/demo')
    t.equal(answer.headers['pledger-size'], '1')
    t.strictSame((await service.get('/v1/registers/demo')).body, expected)
    const { body } = await service.get('/v1/registers/demo/events/0')
    t.strictSame(
      [body.stream, body.type, body.occurredOn, body.data],
      ['$register', 'RegisterOpened', '2026-03-01', { title: 'Demo', parties, timeZone: 'Europe/Minsk' }],
    )
  })

  await t.test('opening it again is refused, also with the same content', async (t) => {
    const again = () => open({ id: 'demo', title: 'Demo', parties, timeZone: 'Europe/Minsk' })
    await refuses(t, service, again, [409, 'already-made', '/type'])
  })

  await t.test('of two that open it at the same time one is refused', async (t) => {
    const answers = await Promise.all([1, 2].map(() => open({ id: 'race', ...OPENED })))
    t.strictSame(answers.map(({ status }) => status).sort(), [201, 409])
    t.equal(await service.size('race'), 1)
  })

  await t.test('what does not describe a register is refused', async (t) => {
    const wrong: [object, ...string[]][] = [
      [{ id: 'new', ...OPENED, timeZone: 'Mars/Olympus' }, '/timeZone'],
      [{ id: 'New', ...OPENED }, '/id'],
      [{ id: '', ...OPENED }, '/id'],
      [{ id: 'a'.repeat(101), ...OPENED }, '/id'],
      [{ id: '$register', ...OPENED }, '/id'],
      [{ id: 'new', ...OPENED, parties: [{ id: 'A B', name: 'A' }] }, '/parties/0/id'],
      [{ id: 'new', ...OPENED, owner: 'me' }, '/owner'],
      [OPENED, '/id'],
      [{ id: 'new' }, '/title', '/timeZone'],
    ]
    for (const [body, ...pointers] of wrong) {
      await refuses(t, service, () => open(body), [422, 'invalid-body', ...pointers])
    }
    t.equal(await service.size('new'), 0)
    t.strictSame(problem(await service.get('/v1/registers/new')), {
      status: 404,
      type: '/problems/unknown-register',
      pointers: [],
    })
  })

  await t.test('registers are listed by id', async (t) => {
    await open({ id: 'another', ...OPENED })
    const { status, body } = await service.get('/v1/registers')
    t.equal(status, 200)
    t.strictSame(
      body.items.map(({ id, size }: { id: string; size: number }) => [id, size]),
      [
        ['another', 1],
        ['demo', 1],
        ['race', 1],
      ],
    )
    t.equal(body.next, null)
  })

  await t.test('a register that has not changed is answered with 304, and again in full when it has', async (t) => {
    const first = await service.get('/v1/registers/demo')
    const tag = String(first.headers.etag)
    t.match(tag, /^"[\w-]+"$/)
    t.equal(first.headers['cache-control'], 'no-cache')
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const again = await service.get('/v1/registers/demo', { 'if-none-match': known })
      t.strictSame([again.status, again.text, again.headers.etag], [304, '', tag], known)
    }
    await service.post('/v1/registers/demo/events', made('bridge'))
    const changed = await service.get('/v1/registers/demo', { 'if-none-match': tag })
    t.equal(changed.status, 200)
    t.not(changed.headers.etag, tag)
    t.equal(changed.body.size, 2)
  })
})

const day = fc
  .integer({ min: 0, max: 120 })
  .map((days) => new Date(Date.UTC(2025, 11, 1) + days * 86_400_000).toISOString().slice(0, 10))
const occurredOn = fc.oneof(
  day,
  day.map((text) => text.slice(0, 7)),
  day.map((text) => `../${text}`),
  day.map((text) => `${text}/..`),
)
const reason = fc.record({ reason: fc.constantFrom('a', 'b') })
const fact = fc.oneof(
  fc.record({ type: fc.constant('CommitmentMade'), data: fc.record({ title: fc.constantFrom('x', 'y') }) }),
  fc.record({ type: fc.constant('CommitmentRebaselined'), data: fc.record({ due: day, reason: fc.constant('r') }) }),
  fc.record({
    type: fc.constant('DeliveryReported'),
    data: fc.record({ partial: fc.boolean() }, { requiredKeys: [] }),
  }),
  fc.record({
    type: fc.constantFrom('DeliveryDisputed', 'DeliveryReopened', 'CommitmentWithdrawn', 'CommitmentReinstated'),
    data: reason,
  }),
  fc.record({
    type: fc.constant('EventRetracted'),
    data: fc.record({ event: fc.integer({ min: 1000, max: 1020 }).map(uuid), reason: fc.constant('r') }),
  }),
  fc.record({
    type: fc.constant('EventCorrected'),
    data: fc.record({ event: fc.integer({ min: 1000, max: 1020 }).map(uuid), occurredOn, reason: fc.constant('r') }),
  }),
)
const history = fc.array(
  fc.tuple(fc.integer({ min: 1000, max: 1020 }), fc.constantFrom('s1', 's2'), occurredOn, fact),
  {
    minLength: 1,
    maxLength: 20,
  },
)

async function recordAll(service: TestService, register: string, events: unknown[]): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const event of events) answers.push(await service.post(`/v1/registers/${register}/events`, event))
  return answers
}

t.test('recording anything a second time adds nothing', async (t) => {
  let run = 0
  await fc.assert(
    fc.asyncProperty(history, async (facts) => {
      run += 1
      const register = `run-${run}`
      await service.post('/v1/registers', { id: register, ...OPENED })
      const events = facts.map(([number, stream, occurredOn, fact]) => ({
        id: uuid(number),
        stream,
        occurredOn,
        ...fact,
      }))
      const first = await recordAll(service, register, events)
      const accepted = events.filter((_, index) => (first[index]?.status ?? 0) < 300)
      const places = first.filter(({ status }) => status < 300).map(({ body }) => body.events[0])
      const size = await service.size(register)
      const again = await recordAll(service, register, accepted)
      t.strictSame(
        again.map(({ status, body }) => [status, body.events]),
        places.map((place) => [200, [{ ...place, recorded: false }]]),
      )
      t.equal(await service.size(register), size)
      t.equal(size, 1 + places.filter(({ recorded }) => recorded).length)
    }),
    { numRuns: 25 },
  )
})

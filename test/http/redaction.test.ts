import { sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/database/pool.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { beginReplay, replayed } from '../../src/projections/replay/begin.ts'
import { cancelReplay } from '../../src/projections/replay/end.ts'
import { runReplay } from '../../src/projections/replay/replay.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { given, inStream, opened, made as promise, reaffirmed, redactedAt } from '../support/events.ts'
import { until } from '../support/patience.ts'
import { insertRaw } from '../support/raw-log.ts'
import { lines, made, NDJSON, OPENED, posted, problem, uuid } from '../support/register.ts'
import { type Answer, serviceBeside, type TestService, testService } from '../support/service.ts'

const R = '/v1/registers/demo'
const reason = 'a court has said so'

/** Everything that the database holds, as text. */
async function allText(db: Database): Promise<string> {
  const { rows } = await sql<{ name: string }>`select c.oid::regclass::text as name from pg_class c
    where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1`.execute(db)
  const texts: string[] = []
  for (const { name } of rows) {
    const { rows: found } = await sql<{ row: string }>`select t::text as row from ${sql.raw(name)} t`.execute(db)
    texts.push(...found.map(({ row }) => row))
    const { rows: bytes } = await sql<{ column: string }>`select column_name as column from information_schema.columns
      where table_name = ${name} and data_type = 'bytea'`.execute(db)
    for (const { column } of bytes) {
      const { rows: raw } = await sql<{ value: Buffer | null }>`select ${sql.ref(column)} as value
        from ${sql.raw(name)}`.execute(db)
      texts.push(...raw.map(({ value }) => value?.toString('latin1') ?? ''))
    }
  }
  return texts.join('\n')
}

const AMENDMENT = {
  title: 'Quokkabridge',
  description: 'zanzibarite clause',
  themes: ['wombatology'],
  programme: 'p1',
  reason: 'narwhalish',
}

const CITED = { id: uuid(5), citations: [{ source: 'S1', quote: 'capybaresque quote', locator: 'page 7' }] }

/** Opens `demo`: `bridge` is made (4), amended by what will be erased (5), corrected (6), delivered (7); `road` stands by (8). */
async function fill(service: Pick<TestService, 'post'>): Promise<void> {
  const send = async (url: string, body: unknown, headers = {}) => {
    const { status, text } = await service.post(url, body, { 'content-type': 'application/json', ...headers })
    if (status !== 201) throw new Error(text)
  }
  await send('/v1/registers', { id: 'demo', ...OPENED })
  await send(`${R}/events`, [
    posted(
      '$register',
      'ProgrammeDefined',
      '2026-01-01',
      { programme: 'p1', title: 'Axolotl programme' },
      { id: uuid(1) },
    ),
    posted('$register', 'SourceAdded', '2026-01-01', { source: 'S1', title: 'Source 1' }),
    posted('$register', 'FigureReported', '2026-01-01', { metric: 'delivered', value: 1, of: 2 }),
    made('bridge', { due: '2026-03-01' }, { id: uuid(4) }),
  ])
  await send(`${R}/events`, posted('bridge', 'CommitmentAmended', '2026-01-15', AMENDMENT, CITED), {
    'idempotency-key': '"amends"',
  })
  await send(`${R}/events`, [
    posted(
      'bridge',
      'EventCorrected',
      '2026-01-20',
      { event: uuid(5), data: { ...AMENDMENT, title: 'Quollbridge' }, reason: 'tapirlike typo' },
      { id: uuid(6) },
    ),
    posted('bridge', 'DeliveryReported', '2026-02-10', {}, { id: uuid(7) }),
    made('road', { themes: ['asphalt'] }, { id: uuid(8) }),
  ])
}

const ERASED = /quokka|quoll|zanzibar|wombat|narwhal|capybar|tapir|page 7|2026-01-15|2026-01-20/i

function erase(service: Pick<TestService, 'post'>, position: number, headers = {}): Promise<Answer> {
  return service.post(`${R}/events/${position}/redact`, { reason }, { 'content-type': 'application/json', ...headers })
}

/** Answers about `demo` that hold something of the amendment, at named clocks and at the newest. */
const LOSING = [
  'commitments?asOf=2026-02-01&knownAt=9&minSize=9',
  'commitments?asOf=2026-02-01&knownAt=6',
  'commitments?minSize=9',
  'commitments?theme=wombatology&knownAt=9',
  'commitments?q=quoll&knownAt=9',
  'commitments?sort=title&knownAt=7',
  'commitments/bridge?asOf=2026-02-01&knownAt=7',
  'commitments/bridge?knownAt=9',
  'commitments/bridge/events?knownAt=9',
  'commitments/bridge/timeline?knownAt=9',
  'summary?groupBy=theme,programme&asOf=2026-02-01&knownAt=7',
  'summary?groupBy=theme,programme&knownAt=9',
  'summary/series?from=2026-01-01&to=2026-03-01&knownAt=9',
  'summary/difference?from=5&to=9',
  'conflicts?knownAt=9',
  'programmes?knownAt=9',
  'sources?knownAt=9',
  'figures?knownAt=9',
  'events?after=3&until=6',
  'events/5',
  'events/6',
]

t.test('what an event said is gone from the log, every answer and every table, and its place stays', async (t) => {
  const service = await testService(t)
  await fill(service)
  // What memory may keep, and the rows that projections write.
  for (const path of LOSING) t.equal((await service.get(`${R}/${path}`)).status, 200, path)
  t.match(await allText(service.db), /wombatology/)
  const before = (await service.get(`${R}/events/5`)).body
  const answer = await erase(service, 5)
  const [recorded] = answer.body.events
  t.strictSame(
    [answer.status, answer.body.size, answer.headers['pledger-size'], answer.headers.location, recorded.position],
    [201, 10, '10', `${R}/events/9`, 9],
  )
  const { id, recordedAt, recordedBy, revision, bodyHash } = before
  const place = { position: 5, id, stream: 'bridge', revision, type: 'CommitmentAmended', typeVersion: 1 }
  t.strictSame((await service.get(`${R}/events/5`)).body, {
    ...{ ...place, recordedAt, recordedBy, bodyHash },
    ...{ occurredOn: null, data: null, citations: null, salt: null },
  })
  const { data, salt } = (await service.get(`${R}/events/6`)).body
  t.strictSame([data, salt], [{ event: uuid(5) }, null], 'its correction went with it')
  t.match((await service.get(`${R}/events/9`)).body, {
    ...{ stream: 'bridge', type: 'EventRedacted', revision: 5, occurredOn: '2026-03-01', citations: [] },
    data: { event: uuid(5), reason },
  })
  // Before the projections have read the redaction itself, and after.
  for (const size of [9, 10]) {
    for (const path of LOSING) {
      const { status, text } = await service.get(`${R}/${path}`, size === 10 ? { 'pledger-size': '10' } : {})
      // What the caller asks for by name stands in the links of the answer.
      t.notMatch(path.includes('?q=') || path.includes('?theme=') ? '' : text, ERASED, path)
      t.equal(status, 200, path)
    }
  }
  t.notMatch(await allText(service.db), ERASED)
  const { body } = await service.get(`${R}/commitments/bridge?knownAt=8&asOf=2026-02-20`)
  t.match(body, { title: 'bridge', themes: [], lifecycle: 'delivered', redacted: [5, 6] })
  t.strictSame((await service.get(`${R}/commitments/bridge/timeline?knownAt=6`)).body.redacted, [5])
  t.strictSame((await service.get(`${R}/commitments?theme=wombatology`)).body.items, [])
  t.strictSame((await service.get(`${R}/commitments?q=quokkabridge&knownAt=9`)).body.items, [])
  const { excluded, redacted, groups } = (await service.get(`${R}/summary?groupBy=theme&knownAt=9`)).body
  t.strictSame([excluded, redacted], [{ withdrawn: 0, superseded: 0, redacted: 0 }, [5, 6]], 'it is counted as before')
  t.strictSame(
    groups.map(({ key }: { key: string }) => key),
    ['asphalt', null],
  )
  t.notMatch((await service.get(`${R}/events`, { accept: 'application/x-ndjson' })).text, ERASED, 'nor in an export')
  // The key of the recording is known, and what it came with is not.
  const again = posted('bridge', 'CommitmentAmended', '2026-01-15', AMENDMENT, CITED)
  const key = { 'content-type': 'application/json', 'idempotency-key': '"amends"' }
  t.equal(problem(await service.post(`${R}/events`, again, key)).type, '/problems/key-reused')
})

t.test(
  'every answer that may lose by it gets another ETag, whatever its clocks; memory answers 304 to that',
  async (t) => {
    const service = await testService(t)
    await fill(service)
    const paths = [...LOSING.map((path) => `${R}/${path}`), R, '/v1/registers', `${R}/events?after=3&until=6`]
    const tags = new Map<string, string>()
    for (const path of paths) {
      const etag = String((await service.get(path)).headers.etag)
      tags.set(path, etag)
      t.equal((await service.get(path, { 'if-none-match': etag })).status, 304, path)
    }
    t.equal((await erase(service, 5)).status, 201)
    // Of one size: else the projections might read the redaction itself between two questions.
    for (const path of paths) {
      const { status, headers } = await service.get(path, {
        'pledger-size': '10',
        'if-none-match': tags.get(path) as string,
      })
      t.equal(status, 200, path)
      t.not(headers.etag, tags.get(path))
      t.equal((await service.get(path, { 'pledger-size': '10', 'if-none-match': String(headers.etag) })).status, 304)
    }
  },
)

t.test('the memory of another process lets go of it as soon as that looks, and it goes on recording', async (t) => {
  const service = await testService(t)
  const other = await serviceBeside(t, service)
  await fill(service)
  const tags = new Map<string, string>()
  for (const path of [...LOSING, ...LOSING]) {
    const { status, headers } = await other.get(`${R}/${path}`)
    t.equal(status, 200, path)
    tags.set(path, String(headers.etag))
  }
  // It has what admission remembers of the stream.
  t.equal((await other.post(`${R}/events`, posted('road', 'StatusReaffirmed', '2026-02-01'))).status, 201)
  t.equal((await erase(service, 5)).status, 201)
  t.equal((await erase(service, 1)).status, 201)
  await until('it looks', async () => (await other.get(R)).body.size >= 12)
  for (const path of LOSING) {
    const { status, text } = await other.get(`${R}/${path}`, { 'if-none-match': tags.get(path) as string })
    t.equal(status, 200, path)
    if (!path.includes('?q=') && !path.includes('?theme=')) t.notMatch(text, /axolotl/i, path)
    if (!path.includes('?q=') && !path.includes('?theme=')) t.notMatch(text, ERASED, path)
  }
  const next = await other.post(`${R}/events`, [
    posted('bridge', 'StatusReaffirmed', '2026-02-20', {}, { expectedRevision: 5 }),
    posted('road', 'StatusReaffirmed', '2026-02-20', {}, { expectedRevision: 2 }),
  ])
  t.strictSame([next.status, next.body.size], [201, 14])
  // Programme p1 is not defined any longer.
  const refused = await other.post(`${R}/events`, made('tunnel', { programme: 'p1' }))
  t.strictSame(problem(refused), { status: 422, type: '/problems/unknown-programme', pointers: ['/data/programme'] })
})

t.test('a definition that was erased leaves a title of null and the conflict that says so', async (t) => {
  const service = await testService(t)
  await fill(service)
  t.equal((await service.post(`${R}/events`, made('tunnel', { programme: 'p1' }))).status, 201)
  t.equal((await erase(service, 1)).status, 201)
  const { body } = await service.get(`${R}/commitments/tunnel?knownAt=10`)
  t.strictSame([body.programme, body.conflicts[0]?.kind], ['p1', 'undefined-reference'])
  const [group] = (await service.get(`${R}/summary?groupBy=programme&knownAt=10`)).body.groups
  t.match(group, { key: 'p1', title: null, inScope: 2 })
  t.strictSame(body.redacted, [1], 'what it refers to was erased')
  t.notMatch(await allText(service.db), /axolotl/i)
})

t.test('an erased promise is not known at any size, and the refusal says what was erased', async (t) => {
  const service = await testService(t)
  await fill(service)
  t.equal((await erase(service, 4)).status, 201)
  const answer = await service.get(`${R}/commitments/bridge?knownAt=9`)
  t.strictSame(problem(answer), { status: 404, type: '/problems/not-known', pointers: [] })
  t.strictSame(answer.body.redacted, [4])
  t.strictSame((await service.get(`${R}/commitments/bridge/timeline?knownAt=9`)).body.redacted, [4])
  const { items } = (await service.get(`${R}/commitments`, { 'pledger-size': '10' })).body
  t.strictSame(
    items.map(({ id }: { id: string }) => id),
    ['road'],
  )
  const { events } = (await service.post(`${R}/events`, made('bridge', { title: 'anew' }))).body
  const { body } = await service.get(`${R}/commitments/bridge`)
  // What has amended it before amends it still.
  t.match([events[0].revision, body], [6, { title: 'Quollbridge', redacted: [4] }])
})

t.test(
  'a repair loses what it says and keeps what it does; a correction that is erased corrects nothing',
  async (t) => {
    const service = await testService(t)
    await fill(service)
    const retraction = posted('bridge', 'EventRetracted', '2026-02-11', { event: uuid(7), reason: 'secretive' })
    t.equal((await service.post(`${R}/events`, retraction)).status, 201)
    t.equal((await erase(service, 9)).status, 201)
    t.equal((await erase(service, 6)).status, 201)
    const { body } = await service.get(`${R}/commitments/bridge?knownAt=10`)
    t.match(body, { title: 'Quokkabridge', lifecycle: 'open', redacted: [6] })
    t.strictSame((await service.get(`${R}/events/9`)).body.data, { event: uuid(7) })
    t.notMatch(await allText(service.db), /secretive|quoll|tapir/i)
  },
)

t.test('what cannot be erased is refused, and nothing is recorded', async (t) => {
  const service = await testService(t)
  await fill(service)
  const zone = {
    event: (await service.get(`${R}/events/0`)).body.id,
    data: { ...OPENED, timeZone: 'Asia/Tokyo' },
    reason,
  }
  t.equal((await service.post(`${R}/events`, posted('$register', 'EventCorrected', '2026-01-01', zone))).status, 201)
  t.equal((await erase(service, 8)).status, 201)
  const cases: [string, () => Promise<Answer>, number, string, string[]][] = [
    ['an event that is erased already', () => erase(service, 8), 409, 'redacted', []],
    ['the opening of the register', () => erase(service, 0), 422, 'not-retractable', []],
    ['what sets its time zone', () => erase(service, 9), 422, 'not-retractable', []],
    ['a redaction', () => erase(service, 10), 422, 'not-retractable', []],
    ['a position beyond the log', () => erase(service, 11), 404, 'not-known', []],
    ['no position', () => service.post(`${R}/events/x/redact`, { reason }), 404, 'not-known', []],
    ['another way to write a position', () => service.post(`${R}/events/05/redact`, { reason }), 404, 'not-known', []],
    [
      'a blank reason',
      () => service.post(`${R}/events/5/redact`, { reason: ' \t ' }),
      422,
      'invalid-body',
      ['/reason'],
    ],
    ['no register', () => service.post('/v1/registers/none/events/0/redact', { reason }), 404, 'unknown-register', []],
    ['no reason', () => service.post(`${R}/events/5/redact`, {}), 422, 'invalid-body', ['/reason']],
    ['more than a reason', () => service.post(`${R}/events/5/redact`, { reason, by: 1 }), 422, 'invalid-body', ['/by']],
  ]
  for (const [name, send, status, word, pointers] of cases) {
    t.strictSame(problem(await send()), { status, type: `/problems/${word}`, pointers }, name)
  }
  const correction = { event: uuid(8), occurredOn: '2026-01-02', reason }
  const late = await service.post(`${R}/events`, posted('road', 'EventCorrected', '2026-01-02', correction))
  t.equal(problem(late).type, '/problems/redacted', 'nor can it be corrected')
  t.equal(await service.size('demo'), 11)
})

t.test('the same redaction sent twice under a key is done once and answered as the first time', async (t) => {
  const service = await testService(t)
  await fill(service)
  const key = { 'idempotency-key': '"erase-5"' }
  const [first, second] = [await erase(service, 5, key), await erase(service, 5, key)]
  t.strictSame([first.status, second.status], [201, 201])
  t.strictSame(second.body, first.body)
  t.strictSame([first.headers['idempotency-replayed'], second.headers['idempotency-replayed']], [undefined, 'true'])
  t.equal(problem(await erase(service, 7, key)).type, '/problems/key-reused')
  t.equal(await service.size('demo'), 10)
})

t.test('while a replay is under way it waits to be asked again; one that was interrupted is given up', async (t) => {
  const service = await testService(t)
  await fill(service)
  const { db } = service
  const request = {
    projections: replayed([]),
    register: null,
    maxRate: null,
    dropPrevious: false,
  }
  const running = await beginReplay(db, request)
  await sql`update operation set owner = ${uuid(1)}, beat_at = now() where id = ${running.id}`.execute(db)
  t.equal(problem(await erase(service, 5)).type, '/problems/in-flight')
  t.equal(await service.size('demo'), 9)
  await sql`update operation set owner = null where id = ${running.id}`.execute(db)
  // What it has written so far is where nobody finds it.
  await sql`insert into ${sql.table(`commitment_g${running.generation}`)} (register, generation, id, revision, last_position,
      last_on, title, themes, parties, lifecycle, verification, made_on, rebaselines, forecast_pushes, states, redacted, search_text)
    select register, ${running.generation}, id, revision, last_position, last_on, title, themes, parties, lifecycle,
      verification, made_on, rebaselines, forecast_pushes, states, redacted, title from commitment`.execute(db)
  t.equal((await erase(service, 5)).status, 201)
  const { rows } = await sql`select state from operation where id = ${running.id}`.execute(db)
  t.strictSame(rows, [{ state: 'cancelled' }])
  t.notMatch(await allText(db), ERASED)
  t.equal(await cancelReplay(db, running.id), false)
})

t.test(
  'rows that a replay has replaced and left behind lose it as well; a version beside this one begins anew',
  async (t) => {
    const service = await testService(t)
    await fill(service)
    const { db, url: connectionString } = service
    await service.get(`${R}/summary?knownAt=9`)
    const request = {
      projections: replayed([]),
      register: 'demo',
      maxRate: null,
      dropPrevious: false,
    }
    const { id } = await beginReplay(db, request)
    const { signal } = new AbortController()
    await runReplay(db, createRegisters(), id, { connectionString, workers: 1, signal, onProgress: () => {} })
    await sql`insert into projection_progress (register, projection, version, size, generation, moved_at)
    values ('demo', 'periods', 999, 9, 0, now())`.execute(db)
    const generations = () =>
      sql<{ rows: number[] }>`select array(select distinct generation from commitment order by 1) as rows`.execute(db)
    t.strictSame((await generations()).rows, [{ rows: [0, 1] }])
    t.equal((await erase(service, 5)).status, 201)
    t.strictSame((await generations()).rows, [{ rows: [1] }])
    t.notMatch(await allText(db), ERASED)
    const { rows } = await sql`select count(*)::integer as count from projection_progress where version = 999`.execute(
      db,
    )
    t.strictSame(rows, [{ count: 0 }])
    t.strictSame((await service.get(`${R}/commitments/bridge?knownAt=10`)).body.redacted, [5, 6])
  },
)

/** What an answer says that it lost, and how many commitments it leaves out since their promise was erased. */
async function losses(service: Pick<TestService, 'get'>, path: string, headers = {}) {
  const { status, body, text } = await service.get(path, headers)
  if (status !== 200) throw new Error(`${path}: ${text}`)
  return [body.redacted, body.redactedCount, body.excluded?.redacted ?? null]
}

t.test('a commitment whose promise was erased is in no count, and every answer that counts says so', async (t) => {
  const service = await testService(t)
  await fill(service)
  t.equal((await erase(service, 4)).status, 201)
  const cases: [string, unknown[]][] = [
    ['summary?knownAt=9', [[4], 1, 1]],
    ['summary?knownAt=9&asOf=2025-01-01', [[4], 1, 1]],
    ['summary?knownAt=4', [[], 0, 0]],
    // Of which programme it was nobody can tell: of any, perhaps.
    ['summary?knownAt=9&programme=p1', [[4], 1, 0]],
    ['summary/series?from=2026-01-01&to=2026-02-01&knownAt=9', [[4], 1, null]],
    ['summary/difference?from=4&to=9', [[4], 1, null]],
    ['summary/difference?from=0&to=4', [[], 0, null]],
    ['figures?knownAt=9', [[4], 1, null]],
    ['commitments?knownAt=9', [[4], 1, null]],
    ['commitments?knownAt=9&theme=asphalt', [[4], 1, null]],
    ['commitments?knownAt=4', [[], 0, null]],
    ['conflicts?knownAt=9', [[4], 1, null]],
    ['conflicts?knownAt=9&commitment=road', [[], 0, null]],
    ['sources?knownAt=9', [[], 0, null]],
    ['programmes?knownAt=9', [[], 0, null]],
  ]
  for (const [path, wanted] of cases) t.strictSame(await losses(service, `${R}/${path}`), wanted, path)
  const { items } = (await service.get(`${R}/summary/series?from=2025-01-01&to=2026-02-01&step=year&knownAt=9`)).body
  t.strictSame(
    items.map(({ inScope, excluded }: { inScope: number; excluded: unknown }) => [inScope, excluded]),
    [
      [0, { withdrawn: 0, superseded: 0, redacted: 1 }],
      [1, { withdrawn: 0, superseded: 0, redacted: 1 }],
    ],
  )
  const { before, after } = (await service.get(`${R}/summary/difference?from=4&to=9`)).body.figures
  t.strictSame([before.excluded.redacted, after.excluded.redacted], [0, 1])
  const { groups } = (await service.get(`${R}/summary?groupBy=programme,theme,party&knownAt=9`)).body
  t.ok(groups.every(({ excluded }: { excluded: { redacted: number } }) => excluded.redacted === 0))
  const csv = await service.get(`${R}/commitments?knownAt=9`, { accept: 'text/csv' })
  t.strictSame([csv.headers['pledger-redacted'], csv.text.trim().split('\r\n').length], ['1', 2])
})

t.test('it is left out for as long as nothing else promises it, and not where it was retracted', async (t) => {
  const service = await testService(t)
  await fill(service)
  t.equal((await erase(service, 4)).status, 201)
  const send = (event: unknown) => service.post(`${R}/events`, event)
  const anew = posted('bridge', 'CommitmentMade', '2026-02-20', { title: 'anew' }, { id: uuid(10) })
  t.strictSame((await send(anew)).body.size, 11)
  t.strictSame(await losses(service, `${R}/summary?knownAt=11`), [[4], 1, 0])
  t.strictSame(await losses(service, `${R}/summary?knownAt=11&asOf=2026-02-19`), [[4], 1, 1], 'it may have been before')
  t.strictSame(await losses(service, `${R}/summary?knownAt=10`), [[4], 1, 1])
  const retraction = (event: string, id: string) =>
    posted('bridge', 'EventRetracted', '2026-02-20', { event, reason: 'r' }, { id })
  t.strictSame((await send(retraction(uuid(10), uuid(11)))).body.size, 12)
  t.strictSame(await losses(service, `${R}/summary?knownAt=12`), [[4], 1, 1])
  t.strictSame((await send(retraction(uuid(4), uuid(12)))).body.size, 13)
  t.strictSame((await losses(service, `${R}/summary?knownAt=13`))[2], 0, 'it was never promised')
  t.strictSame((await losses(service, `${R}/summary?knownAt=12`))[2], 1)
  t.equal((await erase(service, 12)).status, 201)
  t.strictSame(
    (await losses(service, `${R}/summary?knownAt=13`))[2],
    0,
    'an erased retraction takes back what it took back',
  )
})

t.test(
  'a commitment that is in scope again since its withdrawal was erased: the answers say what they lost',
  async (t) => {
    const service = await testService(t)
    await fill(service)
    t.equal((await service.post(`${R}/events`, made('canal', { programme: 'p1' }))).body.size, 10)
    t.equal(
      (await service.post(`${R}/events`, posted('road', 'CommitmentWithdrawn', '2026-02-01', { reason: 'r' }))).body
        .size,
      11,
    )
    t.match((await service.get(`${R}/summary?knownAt=11`)).body, {
      inScope: 2,
      excluded: { withdrawn: 1 },
      redacted: [],
    })
    t.equal((await erase(service, 10)).status, 201)
    t.match((await service.get(`${R}/summary?knownAt=11`)).body, {
      ...{ inScope: 3, excluded: { withdrawn: 0, redacted: 0 }, redacted: [10], redactedCount: 1 },
    })
    const cases: [string, number[]][] = [
      ['summary?knownAt=10', []],
      ['summary?programme=p1&knownAt=11', []],
      ['summary?programme=&knownAt=11', [10]],
      ['commitments?programme=p1&knownAt=11', []],
      ['commitments?theme=asphalt&knownAt=11', [10]],
      ['commitments?theme=asphalt&lifecycle=withdrawn&knownAt=11', [10]],
      ['figures?programme=p1&knownAt=11', []],
      ['summary/difference?from=10&to=11', [10]],
      ['summary/difference?from=10&to=11&programme=p1', []],
      ['summary/series?from=2026-01-01&to=2026-02-01&knownAt=11', [10]],
      ['commitments/road?knownAt=11', [10]],
    ]
    for (const [path, wanted] of cases) t.strictSame((await losses(service, `${R}/${path}`))[0], wanted, path)
  },
)

t.test('definitions, reports and the register itself say which of them were erased', async (t) => {
  const service = await testService(t)
  await fill(service)
  const more = [
    posted('$register', 'PartyAdded', '2026-01-01', { id: 'B', name: 'Party B' }, { id: uuid(9) }),
    made('canal', { programme: 'p1', parties: ['B'] }, { citations: [{ source: 'S1' }] }),
    posted('$register', 'EventCorrected', '2026-01-01', {
      event: uuid(9),
      data: { id: 'B', name: 'Bee' },
      reason: 'r',
    }),
  ]
  t.equal((await service.post(`${R}/events`, more)).body.size, 12)
  const none = [[], 0, null]
  for (const path of ['sources', 'programmes', 'figures', 'conflicts']) {
    t.strictSame(await losses(service, `${R}/${path}?knownAt=12`), none, path)
  }
  t.strictSame(await losses(service, R), none)
  for (const position of [1, 2, 3, 9]) t.equal((await erase(service, position)).status, 201)
  const cases: [string, number[]][] = [
    [`${R}/sources?knownAt=12`, [2]],
    [`${R}/sources?knownAt=2`, []],
    [`${R}/programmes?knownAt=12`, [1, 2]],
    [`${R}/figures?knownAt=12`, [1, 2, 3, 9, 11]],
    [`${R}/figures?knownAt=3`, [1, 2]],
    [`${R}/conflicts?knownAt=12`, [1, 2, 3, 9, 11]],
    [`${R}/conflicts?commitment=road&knownAt=11`, [1, 2, 3, 9]],
    [`${R}/summary?groupBy=programme,party&knownAt=12`, [1, 9, 11]],
    [`${R}/commitments?knownAt=12`, [1, 2, 9, 11]],
    [`${R}/commitments/canal?knownAt=12`, [1, 2, 9, 11]],
    [`${R}/commitments/road?knownAt=12`, []],
    [R, [9, 11]],
  ]
  for (const [path, wanted] of cases) t.strictSame((await losses(service, path))[0], wanted, path)
  const { items } = (await service.get('/v1/registers')).body
  t.strictSame([items[0].parties, items[0].redacted], [[{ id: 'A', name: 'Party A' }], [9, 11]])
  const conflicts = (await service.get(`${R}/conflicts?knownAt=12`)).body
  t.strictSame(
    conflicts.items.map(({ kind }: { kind: string }) => kind),
    Array(5).fill('undefined-reference'),
  )
})

t.test('an answer names a thousand positions and says how many there are', async (t) => {
  const service = await testService(t)
  const many = Array.from({ length: 1_200 }, () => inStream('c', reaffirmed('2026-01-02')))
  const log = given(opened(), inStream('c', promise('2026-01-01')), ...many)
  await insertRaw(
    service.db,
    'many',
    redactedAt(
      log,
      log.slice(2).map(({ position }) => position),
    ),
  )
  for (const projection of PROJECTIONS) await catchUp(service.db, service.registers, projection, 'many')
  const { body } = await service.get(`/v1/registers/many/summary?minSize=${log.length}`)
  t.strictSame(
    [body.redacted.length, body.redacted[0], body.redacted.at(-1), body.redactedCount],
    [1_000, 2, 1_001, 1_200],
  )
})

t.test('a stream says which of its repairs are in force once they were erased', async (t) => {
  const service = await testService(t)
  await fill(service)
  const retraction = posted('bridge', 'EventRetracted', '2026-02-11', { event: uuid(7), reason: 'secretive' })
  t.equal((await service.post(`${R}/events`, retraction)).status, 201)
  for (const position of [6, 9]) t.equal((await erase(service, position)).status, 201)
  const { items } = (await service.get(`${R}/commitments/bridge/events?knownAt=10`)).body
  type Item = { position: number; inForce: boolean; repairs: unknown[] }
  t.strictSame(
    items.map(({ position, inForce, repairs }: Item) => [position, inForce, repairs]),
    [
      [4, true, []],
      [5, true, [{ event: 6, type: 'EventCorrected', inForce: false }]],
      [6, false, []],
      [7, false, [{ event: 9, type: 'EventRetracted', inForce: true }]],
      // What it said is gone, what it does is not.
      [9, true, []],
    ],
  )
})

t.test('recordings to the same stream and redactions side by side: no gap, nothing lost', async (t) => {
  const service = await testService(t)
  const other = await serviceBeside(t, service)
  await fill(service)
  const record = async (where: Pick<TestService, 'post'>, count: number) => {
    for (let index = 0; index < count; index += 1) {
      const { status } = await where.post(`${R}/events`, posted('bridge', 'StatusReaffirmed', '2026-02-11'))
      if (status !== 201) throw new Error(String(status))
    }
  }
  const erased = async () => {
    const statuses: number[] = []
    for (const position of [5, 7, 1, 2, 8]) statuses.push((await erase(service, position)).status)
    return statuses
  }
  const [statuses] = await Promise.all([erased(), record(service, 30), record(other, 30)])
  t.strictSame(statuses, [201, 201, 201, 201, 201])
  const { items } = (await service.get(`${R}/events?limit=1000`)).body
  t.strictSame(
    items.map(({ position }: { position: number }) => position),
    Array.from({ length: 9 + 60 + 5 }, (_, position) => position),
  )
  const revisions = items.filter(({ stream }: { stream: string }) => stream === 'bridge')
  t.strictSame(
    revisions.map(({ revision }: { revision: number }) => revision),
    revisions.map((_: unknown, index: number) => index + 1),
  )
  const { rows } = await sql`select redactions from register`.execute(service.db)
  t.strictSame(rows, [{ redactions: 5 }])
})

t.test(
  'an export that holds redactions is imported but for what was erased, and says which lines that is',
  async (t) => {
    const service = await testService(t)
    await fill(service)
    await erase(service, 5)
    const exported = (await service.get(`${R}/events`, { accept: 'application/x-ndjson' })).text
    const { body } = await service.post('/v1/registers/copy/events', lines(...exported.trim().split('\n')), NDJSON)
    t.strictSame([body.size, body.recorded, body.refused], [7, 7, 3])
    const refusals = body.refusals.map(({ line, type }: { line: number; type: string }) => [line, type])
    t.strictSame(refusals, [
      [6, '/problems/redacted'],
      [7, '/problems/redacted'],
      [10, '/problems/not-available'],
    ])
  },
)

t.test('what an erased retraction took back stays taken back in the copy of an export', async (t) => {
  const service = await testService(t)
  await fill(service)
  const retraction = posted('bridge', 'EventRetracted', '2026-02-11', { event: uuid(7), reason: 'secretive' })
  t.equal((await service.post(`${R}/events`, { ...retraction, id: uuid(9) })).status, 201)
  for (const position of [9, 8]) t.equal((await erase(service, position)).status, 201)
  const exported = (await service.get(`${R}/events`, { accept: 'application/x-ndjson' })).text
  const load = (register: string) =>
    service.post(`/v1/registers/${register}/events`, lines(...exported.trim().split('\n')), NDJSON)
  const { body } = await load('copy')
  t.strictSame([body.recorded, body.refused], [9, 3])
  t.strictSame(
    body.refusals.map(({ line, type, pointer }: Record<string, unknown>) => [line, type, pointer]),
    [
      [9, '/problems/redacted', '/data'],
      [11, '/problems/not-available', '/type'],
      [12, '/problems/not-available', '/type'],
    ],
  )
  t.match(body.refusals[1].detail, /not imported.*redact it here/)
  const copied = (await service.get('/v1/registers/copy/commitments/bridge?knownAt=9')).body
  const original = (await service.get(`${R}/commitments/bridge?knownAt=10`)).body
  t.strictSame([copied.lifecycle, copied.title], ['open', 'Quollbridge'])
  t.strictSame([original.lifecycle, original.title], ['open', 'Quollbridge'])
  t.match((await service.get('/v1/registers/copy/events/8')).body, {
    ...{ id: uuid(9), type: 'EventRetracted', occurredOn: '../2026-03-01' },
    data: { event: uuid(7), reason: 'the reason was erased before this was imported' },
  })
  // Run again it adds nothing; nor into the register that it came from, where the same event is blank.
  t.match((await load('copy')).body, { recorded: 0, alreadyRecorded: 9, refused: 3 })
  const again = (await load('demo')).body
  t.match(again, { recorded: 0, alreadyRecorded: 8, refused: 4, size: 12 })
  t.strictSame(
    again.refusals.map(({ line, type, pointer }: Record<string, unknown>) => [line, type, pointer]),
    [
      [9, '/problems/redacted', '/data'],
      [10, '/problems/redacted', '/id'],
      [11, '/problems/not-available', '/type'],
      [12, '/problems/not-available', '/type'],
    ],
  )
})

t.test('a position in a path is written in one way alone', async (t) => {
  const service = await testService(t)
  await fill(service)
  for (const position of ['007', '00', '-0', '7.0', '1e0', '%207', '+7', '1'.repeat(16)]) {
    for (const path of [`events/${position}`, `events/${position}/proof`]) {
      const { status, type } = problem(await service.get(`${R}/${path}`))
      t.strictSame([status, type], [404, '/problems/not-known'], path)
    }
  }
  t.equal((await service.get(`${R}/events/7`)).status, 200)
})

import { createHash, randomUUID } from 'node:crypto'
import canonicalize from 'canonicalize'
import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import t from 'tap'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import type { Tables } from '../../src/database/tables.ts'
import { append, type NewEvent, type NewEvents } from '../../src/eventlog/append.ts'
import { readEvent, readEventsByIds } from '../../src/eventlog/events.ts'
import { readFeed, streamFeed } from '../../src/eventlog/feed.ts'
import { readHead, recordedAtSize, sizeAt } from '../../src/eventlog/heads.ts'
import { redactContent } from '../../src/eventlog/redact.ts'
import { readStream, readStreams, streamsSince } from '../../src/eventlog/streams.ts'
import { testDatabase, testDatabaseUrl } from '../support/database.ts'
import { until } from '../support/patience.ts'

const NOW = Date.parse('2026-03-01T12:00:00.123Z')

function event(stream: string, seenRevision: number, more: Partial<NewEvent> = {}): NewEvent {
  return {
    group: 0,
    id: randomUUID(),
    stream,
    type: 'StatusReaffirmed',
    typeVersion: 1,
    recordedBy: 'local',
    occurredOn: '2026-02',
    data: {},
    citations: [],
    seenRevision,
    ...more,
  }
}

/** A batch in which every event is its own group, unless it says otherwise. */
function batch(events: NewEvent[], more: Partial<NewEvents> = {}): NewEvents {
  const alone = events.map((event, index) => ({ ...event, group: event.group || -1 - index }))
  return { register: 'r', open: true, now: NOW, ownRevision: 0, events: alone, ...more }
}

const positions = async (db: Database, register = 'r') =>
  (await readFeed(db, { register, after: -1, until: 1_000_000, limit: 10_000 })).map((event) => event.position)

t.test('positions follow each other without a gap, revisions within each stream; registers count apart', async (t) => {
  const db = await testDatabase(t)
  const recordedAt = NOW
  t.strictSame(await append(db, batch([event('a', 0), event('b', 0), event('a', 1)])), [
    { kind: 'appended', position: 0, revision: 1, recordedAt },
    { kind: 'appended', position: 1, revision: 1, recordedAt },
    { kind: 'appended', position: 2, revision: 2, recordedAt },
  ])
  t.strictSame(await append(db, batch([event('b', 1)])), [{ kind: 'appended', position: 3, revision: 2, recordedAt }])
  t.strictSame(await append(db, batch([event('b', 0)], { register: 's' })), [
    { kind: 'appended', position: 0, revision: 1, recordedAt },
  ])
  t.strictSame(await readHead(db, 'r'), { size: 4, recordedAt, ownRevision: 0, redactions: 0 })
})

t.test('a register that is not opened takes nothing and is not there', async (t) => {
  const db = await testDatabase(t)
  t.strictSame(await append(db, batch([event('a', 0)], { open: false })), [])
  t.equal(await readHead(db, 'r'), null)
  t.strictSame(await append(db, batch([event('a', 1)])), [{ kind: 'conflict', expected: 1, actual: 0 }])
  t.equal(await readHead(db, 'r'), null, 'nor where nothing could be appended')
})

t.test('one conflict or duplicate does not fail its neighbours, and takes no position', async (t) => {
  const db = await testDatabase(t)
  const first = event('a', 0)
  await append(db, batch([first, event('a', 1)]))
  const outcomes = await append(
    db,
    batch([event('a', 0), event('b', 0), { ...first, stream: 'c' }, event('b', 1), event('d', 0)]),
  )
  t.strictSame(outcomes, [
    { kind: 'conflict', expected: 0, actual: 2 },
    { kind: 'appended', position: 2, revision: 1, recordedAt: NOW },
    { kind: 'duplicate', position: 0 },
    { kind: 'appended', position: 3, revision: 2, recordedAt: NOW },
    { kind: 'appended', position: 4, revision: 1, recordedAt: NOW },
  ])
  t.strictSame(await positions(db), [0, 1, 2, 3, 4])
})

t.test('a group is recorded together or not at all, and what follows it counts on', async (t) => {
  const db = await testDatabase(t)
  await append(db, batch([event('a', 0)]))
  const group = (events: NewEvent[], group: number) => events.map((event) => ({ ...event, group }))
  const outcomes = await append(
    db,
    batch([
      ...group([event('b', 0), event('a', 0), event('b', 1)], 1),
      ...group([event('b', 0), event('c', 0)], 2),
      ...group([event('c', 1), event('c', 2)], 3),
      ...group([event('c', 2)], 4),
    ]),
  )
  t.strictSame(outcomes, [
    { kind: 'skipped' },
    { kind: 'conflict', expected: 0, actual: 1 },
    { kind: 'skipped' },
    { kind: 'appended', position: 1, revision: 1, recordedAt: NOW },
    { kind: 'appended', position: 2, revision: 1, recordedAt: NOW },
    { kind: 'appended', position: 3, revision: 2, recordedAt: NOW },
    { kind: 'appended', position: 4, revision: 3, recordedAt: NOW },
    { kind: 'conflict', expected: 2, actual: 3 },
  ])
  t.strictSame(await positions(db), [0, 1, 2, 3, 4])
})

t.test('what was admitted upon an item that failed fails too, though the revision fits by chance', async (t) => {
  const db = await testDatabase(t)
  const taken = event('b', 0)
  await append(db, batch([event('a', 0), event('a', 1), taken]))
  // Admission saw `a` at 1 and `b` empty; meanwhile each has grown by one.
  const outcomes = await append(db, batch([event('a', 1), event('a', 2), taken, event('b', 1), event('c', 0)]))
  t.strictSame(outcomes, [
    { kind: 'conflict', expected: 1, actual: 2 },
    { kind: 'conflict', expected: 2, actual: 2 },
    { kind: 'duplicate', position: 2 },
    { kind: 'conflict', expected: 1, actual: 1 },
    { kind: 'appended', position: 3, revision: 1, recordedAt: NOW },
  ])
})

t.test('nothing is appended where the register itself is at another revision than admission saw', async (t) => {
  const db = await testDatabase(t)
  await append(db, batch([event('$register', 0), event('a', 0)]))
  t.equal((await readHead(db, 'r'))?.ownRevision, 1)
  t.strictSame(await append(db, batch([event('a', 1), event('b', 0)])), [
    { kind: 'conflict', expected: 1, actual: 1 },
    { kind: 'conflict', expected: 0, actual: 0 },
  ])
  const [appended] = await append(db, batch([event('a', 1), event('$register', 1)], { ownRevision: 1 }))
  t.equal(appended?.kind, 'appended')
  t.equal((await readHead(db, 'r'))?.ownRevision, 2)
})

t.test(
  'where a fact about the register could not be appended, nothing that came after it in the batch is',
  async (t) => {
    const db = await testDatabase(t)
    await append(db, batch([event('a', 0)]))
    const outcomes = await append(
      db,
      batch([
        event('before', 0, { group: 1 }),
        event('$register', 0, { group: 2 }),
        event('a', 0, { group: 2 }),
        event('relies-on-it', 0, { group: 3 }),
      ]),
    )
    t.strictSame(
      outcomes.map(({ kind }) => kind),
      ['appended', 'skipped', 'conflict', 'conflict'],
    )
  },
)

t.test('recordedAt never goes back, though the clock does', async (t) => {
  const db = await testDatabase(t)
  const at = async (now: number, stream: string) => (await append(db, batch([event(stream, 0)], { now })))[0]
  t.match(await at(NOW, 'a'), { recordedAt: NOW })
  t.match(await at(NOW - 60_000, 'b'), { recordedAt: NOW })
  t.match(await at(NOW + 1, 'c'), { recordedAt: NOW + 1 })
})

t.test('the leaf is the RFC 8785 text of the envelope, and bodyHash that of salt and body', async (t) => {
  const db = await testDatabase(t)
  const data = { title: 'Ø "quoted" \\ \u2028 😀', number: 1e21, nested: { b: [1, null], a: 0.1 } }
  const citations = [{ source: 'one', quote: 'раз', differs: { due: null, a: 1 } }]
  const later = { type: 'CommitmentMade', typeVersion: 2, recordedBy: 'a:B._-9', data, citations }
  await append(db, batch([event('$register', 0), event('a.b_c-d', 0, later)]))
  const events = await readFeed(db, { register: 'r', after: -1, until: 9, limit: 9 })
  const leaves = await db.selectFrom('event').select('leaf').where('register', '=', 'r').orderBy('position').execute()
  for (const [
    index,
    { position, id, stream, revision, type, typeVersion, recordedBy, ...stored },
  ] of events.entries()) {
    const bodyHash = Buffer.from(stored.bodyHash).toString('base64')
    const recordedAt = new Date(stored.recordedAt).toISOString()
    const envelope = {
      bodyHash,
      id,
      position,
      recordedAt,
      recordedBy,
      register: 'r',
      revision,
      stream,
      type,
      typeVersion,
      v: 1,
    }
    t.equal(leaves[index]?.leaf.toString('utf8'), canonicalize(envelope))
    t.equal(
      leaves[index]?.leaf.toString('utf8'),
      JSON.stringify(envelope),
      'in the order of docs/contract.md#hash-and-leaf',
    )
    const { salt, occurredOn } = stored
    t.equal(salt?.length, 32)
    const body = canonicalize({ occurredOn, data: stored.data, citations: stored.citations }) ?? ''
    const hash = createHash('sha256')
      .update(salt ?? '')
      .update(body)
    t.equal(hash.digest('base64'), bodyHash)
  }
  t.strictSame(events[1]?.data, data)
  t.strictSame(events[1]?.citations, citations)
  t.equal(JSON.stringify(events[1]?.data), JSON.stringify(data), 'as written: members in their order')
  t.notSame(events[0]?.salt, events[1]?.salt)
})

t.test('the database refuses to change an event, triggers switched off or not', async (t) => {
  const db = await testDatabase(t)
  await append(db, batch([event('a', 0)]))
  const before = await readFeed(db, { register: 'r', after: -1, until: 9, limit: 9 })
  const statements = {
    update: sql`update event set data = '{}'`,
    delete: sql`delete from event`,
    truncate: sql`truncate event`,
  }
  for (const role of ['origin', 'replica']) {
    for (const [word, statement] of Object.entries(statements)) {
      const change = db.transaction().execute(async (tx) => {
        await sql`set local session_replication_role = ${sql.lit(role)}`.execute(tx)
        await statement.execute(tx)
      })
      const message = `events are never changed: ${word} of event refused`
      await t.rejects(change, { code: '23001', message }, `${word} as ${role}`)
    }
  }
  t.strictSame(await readFeed(db, { register: 'r', after: -1, until: 9, limit: 9 }), before)
})

t.test('the database lets content be erased alone, and only of what a redaction in the log names', async (t) => {
  const db = await testDatabase(t)
  await append(db, batch([event('a', 0), event('a', 1), event('b', 0)]))
  const [target, spared, elsewhere] = await readFeed(db, { register: 'r', after: -1, until: 9, limit: 9 })
  const BLANK = 'occurred_on = null, data = null, citations = null, salt = null'
  const erasing = (set: string, id = target?.id) => sql`update event set ${sql.raw(set)} where id = ${id}`.execute(db)
  const refused = { code: '23001', message: 'events are never changed: update of event refused' }
  await t.rejects(erasing(BLANK), refused, 'nothing names it yet')
  const redaction = { ...event('a', 2), type: 'EventRedacted', data: { event: target?.id, reason: 'r' } }
  await append(db, batch([redaction]))
  const columns = ['register', 'stream', 'type', 'recorded_by']
  const others = [
    ...columns.map((column) => `${BLANK}, ${column} = ${column} || 'x'`),
    ...['position', 'revision', 'type_version'].map((column) => `${BLANK}, ${column} = ${column} + 90`),
    `${BLANK}, id = gen_random_uuid()`,
    `${BLANK}, recorded_at = recorded_at + interval '1 s'`,
    `${BLANK}, body_hash = ''`,
    `${BLANK}, leaf = ''`,
    `occurred_on = '2020', data = null, citations = null, salt = null`,
    `occurred_on = null, data = '{"a":1}', citations = null, salt = null`,
    `occurred_on = null, data = null, citations = '[]', salt = null`,
    `occurred_on = null, data = null, citations = null, salt = ''`,
    'salt = null',
    'recorded_by = recorded_by',
  ]
  for (const set of others) await t.rejects(erasing(set), refused, set)
  await t.rejects(erasing(BLANK, spared?.id), refused, 'another event of the stream')
  await t.rejects(erasing(BLANK, elsewhere?.id), refused, 'one of another stream')
  await t.rejects(erasing(BLANK, redaction.id), refused, 'the redaction itself')
  const replica = db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await sql`update event set data = '{}'`.execute(tx)
  })
  await t.rejects(replica, refused)
  t.strictSame(await redactContent(db, 'r', target?.id ?? ''), [0])
  t.strictSame(await redactContent(db, 'r', target?.id ?? ''), [], 'nothing is left of it')
  const [left, ...rest] = await readFeed(db, { register: 'r', after: -1, until: 9, limit: 2 })
  t.strictSame(left, { ...target, occurredOn: null, data: null, citations: null, salt: null })
  t.strictSame(rest, [spared])
})

/** True while some statement in this database waits for a lock. */
async function isWaiting(db: Database): Promise<boolean> {
  const { rows } = await sql`select 1 from pg_locks l join pg_stat_activity a using (pid)
    where not l.granted and a.datname = current_database()`.execute(db)
  return rows.length > 0
}

t.test('an append waits for the one before it to commit, so that commit order is position order', async (t) => {
  const db = await testDatabase(t)
  await append(db, batch([event('a', 0)]))
  const first = await db.startTransaction().execute()
  t.match(await append(first, batch([event('b', 0)], { open: false })), [{ kind: 'appended', position: 1 }])
  let isDone = false
  const second = append(db, batch([event('c', 0)], { open: false })).finally(() => {
    isDone = true
  })
  await until('it waits', () => isWaiting(db))
  t.equal(isDone, false)
  t.strictSame(await positions(db), [0], 'nothing of either is seen')
  t.match(await append(db, batch([event('c', 0)], { register: 's' })), [{ position: 0 }], 'other registers do not wait')
  await first.commit().execute()
  t.match(await second, [{ kind: 'appended', position: 2 }])
})

t.test('an append that is rolled back leaves no gap', async (t) => {
  const db = await testDatabase(t)
  const first = await db.startTransaction().execute()
  await append(first, batch([event('a', 0)]))
  const second = append(db, batch([event('a', 0)]))
  await until('it waits', () => isWaiting(db))
  await first.rollback().execute()
  t.match(await second, [{ kind: 'appended', position: 0, revision: 1 }])
})

t.test('8 writers side by side, 200 appends each: every event once, positions and revisions contiguous', async (t) => {
  const db = await testDatabase(t)
  const WRITERS = 8
  const APPENDS = 200
  let conflicts = 0
  const writer = async (_: unknown, index: number) => {
    let seen = 0
    for (let appended = 0; appended < APPENDS; ) {
      const [own, shared] = await append(db, batch([event(`own-${index}`, appended), event('shared', seen)]))
      if (own?.kind !== 'appended') throw new Error('no one else writes to it')
      appended += 1
      if (shared?.kind === 'conflict') conflicts += 1
      seen = shared?.kind === 'conflict' ? shared.actual : seen + 1
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, writer))
  const events = await Array.fromAsync(streamFeed(db, { register: 'r', after: -1, until: 1_000_000 }))
  const total = 2 * WRITERS * APPENDS - conflicts
  t.strictSame(
    events.map(({ position }) => position),
    Array.from({ length: total }, (_, position) => position),
  )
  for (const [stream, own] of Map.groupBy(events, (event) => event.stream)) {
    const revisions = own.map(({ revision }) => revision)
    const expected = stream === 'shared' ? total - WRITERS * APPENDS : APPENDS
    t.strictSame(
      revisions,
      Array.from({ length: expected }, (_, index) => index + 1),
      stream,
    )
  }
})

t.test('the feed gives what lies after a position and up to another, of the streams and types asked for', async (t) => {
  const db = await testDatabase(t)
  const made = { type: 'CommitmentMade' }
  await append(
    db,
    batch([event('a', 0, made), event('b', 0, made), event('a', 1), event('$register', 0), event('b', 1)]),
  )
  const feed = async (more: object) =>
    (await readFeed(db, { register: 'r', after: -1, until: 9, limit: 9, ...more })).map(({ position }) => position)
  t.strictSame(await feed({}), [0, 1, 2, 3, 4])
  t.strictSame(await feed({ after: 1, until: 3 }), [2, 3])
  t.strictSame(await feed({ after: 1, limit: 1 }), [2])
  t.strictSame(await feed({ streams: ['a', '$register'] }), [0, 2, 3])
  t.strictSame(await feed({ types: ['CommitmentMade'], streams: ['b'] }), [1])
  t.strictSame((await streamsSince(db, 'r', 1)).sort(), ['a', 'b'])
  t.strictSame(await streamsSince(db, 'r', 5), [])
  t.equal((await readEvent(db, 'r', 3))?.stream, '$register')
  t.equal(await readEvent(db, 'r', 5), null)
  t.strictSame(
    (await readStream(db, 'r', 'b', 1)).map(({ position }) => position),
    [4],
  )
  t.strictSame(
    (await readStreams(db, 'r', ['b', 'a'], 4)).map(({ position }) => position),
    [0, 2, 1],
  )
})

t.test('the size at an instant counts what was recorded by then', async (t) => {
  const db = await testDatabase(t)
  const record = (now: number, count: number, from: number) =>
    append(
      db,
      batch(
        Array.from({ length: count }, (_, index) => event('a', from + index)),
        { now },
      ),
    )
  t.equal(await sizeAt(db, 'r', NOW), 0, 'no register')
  await record(NOW, 3, 0)
  await record(NOW + 10, 1, 3)
  await record(NOW + 20, 2, 4)
  const sizes = [-1, 0, 1, 9, 10, 19, 20, 1_000].map((later) => sizeAt(db, 'r', NOW + later))
  t.strictSame(await Promise.all(sizes), [0, 3, 3, 3, 4, 4, 6, 6])
  const instants = [0, 3, 4, 6].map((size) => recordedAtSize(db, 'r', size))
  t.strictSame(await Promise.all(instants), [null, NOW, NOW + 10, NOW + 20])
})

t.test('with 100,000 events every question to the log is answered through its index', async (t) => {
  const connectionString = await testDatabaseUrl(t)
  const sent: CompiledQuery[] = []
  const pool = new pg.Pool({ connectionString, max: 1 })
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    log({ query }) {
      sent.push(query)
    },
  })
  t.teardown(() => db.destroy())
  await sql`insert into event (register, position, id, stream, revision, type, type_version, recorded_at, recorded_by,
      occurred_on, data, citations, salt, body_hash, leaf)
    select 'r', n, ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 's' || n / 10, n % 10 + 1,
      'StatusReaffirmed', 1, '2026-01-01T00:00:00Z', 'local', '2026', '{}', '[]', '', '', ''
    from generate_series(0, 99999) n`.execute(db)
  await sql`analyze event`.execute(db)
  const plan = async (run: () => Promise<unknown>) => {
    await run()
    const { sql: text, parameters } = sent.at(-1) as CompiledQuery
    const { rows } = await db.executeQuery<{ 'QUERY PLAN': string }>(
      CompiledQuery.raw(`explain ${text}`, [...parameters]),
    )
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  }
  const uuid = '00000000-0000-4000-8000-000000050000'
  const questions: [name: string, index: string, run: () => Promise<unknown>][] = [
    ['feed', 'event_position_once', () => readFeed(db, { register: 'r', after: 50_000, until: 99_999, limit: 1_000 })],
    ['one event', 'event_position_once', () => readEvent(db, 'r', 50_000)],
    ['time of a size', 'event_position_once', () => recordedAtSize(db, 'r', 50_000)],
    ['newest streams', 'event_position_once', () => streamsSince(db, 'r', 99_900)],
    ['stream', 'event_revision_once', () => readStream(db, 'r', 's5000', 5)],
    ['streams', 'event_revision_once', () => readStreams(db, 'r', ['s5000', 's6000', 's7000'])],
    ['ids', 'event_id_once', () => readEventsByIds(db, 'r', [uuid])],
  ]
  for (const [name, index, run] of questions) {
    const text = await plan(run)
    t.match(text, new RegExp(`Index (Only )?Scan (using|on) ${index}`), name)
    t.notMatch(text, /Seq Scan/, name)
  }
  t.notMatch(await plan(() => readFeed(db, { register: 'r', after: 5, until: 99_999, limit: 100 })), /Sort/, 'feed')
  t.notMatch(await plan(() => readStream(db, 'r', 's5000')), /Sort/, 'stream')
})

t.test('an append reads no more of a log however old its connection, and whatever else the table holds', async (t) => {
  // One connection, so that it keeps whatever plans it made while the table was empty.
  const db = openDatabase({ connectionString: await testDatabaseUrl(t), max: 1 })
  t.teardown(() => db.destroy())
  const appendFrom = async (register: string, first: number) => {
    for (let at = first; at < first + 1_000; at += 20) {
      const events = Array.from({ length: 20 }, (_, index) => at + index)
      const drafts = events.map((index) => event(`s${index % 100}`, Math.floor(index / 100)))
      await append(db, batch(drafts, { register }))
    }
  }
  const rowsRead = async () => {
    await sql`select pg_stat_force_next_flush()`.execute(db)
    const { rows } = await sql<{ read: number }>`select (seq_tup_read + (select sum(idx_tup_read)
        from pg_stat_user_indexes where relname = 'event'))::bigint as read
      from pg_stat_user_tables where relname = 'event'`.execute(db)
    return rows[0]?.read ?? Number.NaN
  }
  for (const register of ['first', 'second']) {
    await appendFrom(register, 0)
    const before = await rowsRead()
    await appendFrom(register, 1_000)
    const read = (await rowsRead()) - before
    t.ok(read <= 2_000, `${read} rows were read for 1,000 events of the ${register}: two for each would do`)
    // What is known of the first is not to mislead about the second, of which nothing is.
    await sql`analyze event`.execute(db)
  }
})

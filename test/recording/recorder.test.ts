import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { type PostedEvent, parsePosted } from '../../src/domain/admission/posted-event.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { append } from '../../src/eventlog/append.ts'
import { streamFeed } from '../../src/eventlog/feed.ts'
import { forgetKeys } from '../../src/eventlog/keys.ts'
import type { EventOutcome, Group } from '../../src/recording/admission.ts'
import { createRecorder, QueueFullError, type Recorder } from '../../src/recording/recorder.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { testDatabaseUrl } from '../support/database.ts'
import {
  type Draft,
  delivered,
  fact,
  inStream,
  made,
  opened,
  reaffirmed,
  source,
  withdrawn,
} from '../support/events.ts'
import { until } from '../support/patience.ts'

const NOW = Date.parse('2026-03-01T12:00:00.000Z')

type More = { id?: string; expectedRevision?: number }

/** An event as the interface hands it on: parsed, with its defaults. */
function posted({ recordedAt: _, typeVersion: __, ...draft }: Draft, more: More = {}): PostedEvent {
  const parsed = parsePosted({ stream: 'c', ...draft, ...more })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  return parsed.value
}

type Process = { db: Database; recorder: Recorder; record: (...groups: Group[]) => Promise<EventOutcome[][]> }

/** A service process of its own: its pool, its cache, its recorder. */
function process(t: Test, connectionString: string, clock = { now: NOW }): Process {
  const db = openDatabase({ connectionString, max: 4 })
  t.teardown(() => db.destroy())
  const recorder = createRecorder(db, createRegisters(), { now: () => clock.now })
  return { db, recorder, record: (...groups) => recorder.record('r', groups, 'local') }
}

/** A process on a database of its own, with a register of one event. */
async function register(t: Test, clock = { now: NOW }): Promise<Process> {
  const only = process(t, await testDatabaseUrl(t), clock)
  await only.record([posted(opened())])
  return only
}

const words = (outcomes: EventOutcome[][]) =>
  outcomes.map((group) => group.map((outcome) => (outcome.kind === 'refused' ? outcome.word : outcome.kind)))

const log = (db: Database): Promise<StoredEvent[]> =>
  Array.fromAsync(streamFeed(db, { register: 'r', after: -1, until: 1_000_000 }))

const types = async (db: Database) => (await log(db)).map(({ type }) => type)

const repair = (type: 'EventRetracted' | 'EventCorrected', event: string, to: Record<string, unknown> = {}) =>
  fact(type, '2026-03-01', { event, reason: 'r', ...to })

t.test('a register is opened by RegisterOpened and by nothing else', async (t) => {
  const { db, record } = process(t, await testDatabaseUrl(t))
  t.strictSame(await record([posted(made('2026-01-01'))]), [
    [{ kind: 'refused', word: 'unknown-register', issues: [] }],
  ])
  t.strictSame(words(await record([posted(source('one'))])), [['unknown-register']])
  t.strictSame(words(await record([posted(made('2026-01-01')), posted(opened())])), [['unknown-register', 'skipped']])
  t.strictSame(await types(db), [])
  t.strictSame(words(await record([posted(opened()), posted(made('2026-01-01'))])), [['recorded', 'recorded']])
  t.strictSame(words(await record([posted(opened())])), [['already-made']])
  t.strictSame(await types(db), ['RegisterOpened', 'CommitmentMade'])
})

t.test('what was recorded says where it stands, and ids that the service gives are UUIDs of version 7', async (t) => {
  const { db, record } = await register(t)
  const [[outcome]] = (await record([posted(made('2026-01-01'))])) as [[EventOutcome]]
  t.match(outcome, { kind: 'recorded', position: 1, revision: 1, recordedAt: NOW })
  t.match(outcome, { id: /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/ })
  const stored = (await log(db))[1]
  t.match(stored, { id: 'id' in outcome && outcome.id, recordedBy: 'local', occurredOn: '2026-01-01', typeVersion: 1 })
})

t.test('a group is recorded whole or not at all; one group does not fail another', async (t) => {
  const { db, record } = await register(t)
  const outcomes = await record(
    [posted(made('2026-01-01')), posted(delivered('2026-02-01'))],
    [posted(inStream('d', made('2026-01-01'))), posted(inStream('e', delivered('2026-02-01')))],
    [posted(inStream('d', made('2026-01-01')))],
    [posted(reaffirmed('2026-02-02')), posted(delivered('2027-01-01')), posted(reaffirmed('2026-02-03'))],
    [posted(reaffirmed('2026-02-04'))],
  )
  t.strictSame(words(outcomes), [
    ['recorded', 'recorded'],
    ['skipped', 'not-made'],
    ['recorded'],
    ['skipped', 'in-future', 'skipped'],
    ['recorded'],
  ])
  const recorded = (await log(db)).map(({ stream, revision, occurredOn }) => `${stream} ${revision} ${occurredOn}`)
  t.strictSame(recorded.slice(1), ['c 1 2026-01-01', 'c 2 2026-02-01', 'd 1 2026-01-01', 'c 3 2026-02-04'])
})

t.test('the items of a group are admitted in order, each after the earlier ones', async (t) => {
  const { record } = await register(t)
  const withdrawal = [posted(made('2026-01-01')), posted(withdrawn('2026-01-10')), posted(delivered('2026-02-01'))]
  t.strictSame(words(await record(withdrawal)), [['skipped', 'skipped', 'after-withdrawal']])
  t.strictSame(words(await record([posted(made('2026-01-01')), posted(made('2026-01-01'))])), [
    ['skipped', 'already-made'],
  ])
})

t.test('a source defined in one group can be cited in the next, and not where its group failed', async (t) => {
  const { record } = await register(t)
  const cited = (stream: string, id: string) => posted(inStream(stream, made('2026-01-01', {}, [{ source: id }])))
  const outcomes = await record(
    [posted(source('one'))],
    [cited('c', 'one')],
    [posted(source('two')), posted(inStream('x', delivered('2026-01-01')))],
    [cited('d', 'two')],
  )
  t.strictSame(words(outcomes), [['recorded'], ['recorded'], ['skipped', 'not-made'], ['unknown-source']])
})

t.test('the same id with the same content is already recorded, with other content it is reused', async (t) => {
  const { db, record } = await register(t)
  const id = randomUUID()
  const first = posted(made('2026-01-01', { themes: ['x'] }), { id })
  t.match(await record([first]), [[{ kind: 'recorded', position: 1, revision: 1, id }]])
  t.match(await record([first]), [[{ kind: 'alreadyRecorded', position: 1, revision: 1, id, recordedAt: NOW }]])
  const reordered = posted({ ...made('2026-01-01'), data: { parties: [], themes: ['x'], title: 'A promise' } }, { id })
  t.strictSame(words(await record([reordered])), [['alreadyRecorded']], 'the order of members is no content')
  const others = [
    posted(made('2026-01-02', { themes: ['x'] }), { id }),
    posted(made('2026-01-01', { themes: ['y'] }), { id }),
    posted(inStream('d', made('2026-01-01', { themes: ['x'] })), { id }),
    posted(reaffirmed('2026-01-01'), { id }),
  ]
  for (const other of others) {
    t.strictSame(await record([other]), [
      [
        {
          kind: 'refused',
          word: 'id-reused',
          issues: [{ pointer: '/id', detail: `id ${id} is that of another event, at position 1` }],
        },
      ],
    ])
  }
  t.equal((await log(db)).length, 2)
})

t.test('recording anything twice adds nothing, whatever has become of the commitment since', async (t) => {
  const { db, record } = await register(t)
  const target = randomUUID()
  const events = [
    posted(made('2026-01-01'), { id: target, expectedRevision: 0 }),
    posted(delivered('2026-01-05'), { id: randomUUID() }),
    // Its data is stored with the defaults of the target's type; repeated, it is again without them.
    posted(repair('EventCorrected', target, { data: { title: 'Other' } }), { id: randomUUID() }),
    posted(withdrawn('2026-01-10'), { id: randomUUID() }),
    posted(repair('EventRetracted', target), { id: randomUUID() }),
  ]
  t.strictSame(words(await record(...events.map((event) => [event]))), Array(5).fill(['recorded']))
  const before = await log(db)
  t.strictSame(before[3]?.data, { event: target, reason: 'r', data: { title: 'Other', themes: [], parties: [] } })
  t.strictSame(words(await record(...events.map((event) => [event]))), Array(5).fill(['alreadyRecorded']))
  t.strictSame(words(await record(events)), [Array(5).fill('alreadyRecorded')])
  t.strictSame(await log(db), before)
})

t.test('the same holds for an event that is repeated within one batch', async (t) => {
  const { db, record } = await register(t)
  const [id, correction] = [randomUUID(), randomUUID()]
  const first = posted(made('2026-01-01'), { id })
  const corrected = posted(repair('EventCorrected', id, { data: { title: 'Other' } }), { id: correction })
  const otherwise = posted(repair('EventCorrected', id, { data: { title: 'Third' } }), { id: correction })
  const outcomes = await record(
    [first, first, corrected],
    [first],
    [corrected],
    [otherwise],
    [posted(delivered('2026-01-02'), { id })],
  )
  t.strictSame(words(outcomes), [
    ['recorded', 'alreadyRecorded', 'recorded'],
    ['alreadyRecorded'],
    ['alreadyRecorded'],
    ['id-reused'],
    ['id-reused'],
  ])
  t.match(outcomes[1], [{ position: 1, revision: 1, id }])
  t.strictSame(await types(db), ['RegisterOpened', 'CommitmentMade', 'EventCorrected'])
})

t.test('an id that was refused, or whose group failed, is not taken', async (t) => {
  const { record } = await register(t)
  const id = randomUUID()
  const outcomes = await record(
    [posted(delivered('2026-01-02'), { id })],
    [posted(made('2026-01-01'), { id }), posted(made('2026-01-01'))],
    [posted(made('2026-01-03'), { id })],
  )
  t.strictSame(words(outcomes), [['not-made'], ['skipped', 'already-made'], ['recorded']])
})

t.test('expectedRevision is that of the stream before the event, earlier items counted', async (t) => {
  const { db, record } = await register(t)
  const at = (expectedRevision: number, draft = reaffirmed('2026-01-02')) => posted(draft, { expectedRevision })
  t.strictSame(words(await record([at(0, made('2026-01-01')), at(1)])), [['recorded', 'recorded']])
  t.strictSame(await record([at(1)]), [[{ kind: 'revisionConflict', expected: 1, actual: 2 }]])
  t.strictSame(await record([at(2), at(2)]), [
    [{ kind: 'skipped' }, { kind: 'revisionConflict', expected: 2, actual: 3 }],
  ])
  t.strictSame(await record([at(0, inStream('new', delivered('2026-01-01')))]), [
    [
      {
        kind: 'refused',
        word: 'not-made',
        issues: [{ pointer: '/stream', detail: 'commitment new has not been made' }],
      },
    ],
  ])
  t.strictSame(words(await record([at(1, source('one'))], [at(1, source('two'))])), [
    ['recorded'],
    ['revisionConflict'],
  ])
  t.equal((await log(db)).length, 4)
})

t.test("what is in the future is judged by the service's clock in the register's time zone", async (t) => {
  const clock = { now: Date.parse('2026-03-01T20:59:59.999Z') }
  const { record } = process(t, await testDatabaseUrl(t), clock)
  await record([posted(opened('2026-01-01', { timeZone: 'Europe/Minsk' })), posted(made('2026-01-01'))])
  t.strictSame(words(await record([posted(reaffirmed('2026-03-02'))])), [['in-future']])
  clock.now += 1
  t.strictSame(words(await record([posted(reaffirmed('2026-03-02'))])), [['recorded']])
})

t.test('two processes hammer one commitment: no event is lost, revisions follow each other', async (t) => {
  const connectionString = await testDatabaseUrl(t)
  const both = [process(t, connectionString), process(t, connectionString)] as const
  await both[0].record([posted(opened()), posted(made('2026-01-01'))])
  const EACH = 150
  const hammer = async ({ record }: Process, name: string) => {
    const notes = Array.from({ length: EACH }, (_, index) => `${name} ${index}`)
    // A third of them one at a time, the rest as they come.
    for (const note of notes.slice(0, EACH / 3))
      await record([posted(fact('StatusReaffirmed', '2026-02-01', { note }))])
    const rest = notes.slice(EACH / 3).map((note) => record([posted(fact('StatusReaffirmed', '2026-02-01', { note }))]))
    return (await Promise.all(rest)).flat(2)
  }
  const outcomes = await Promise.all([hammer(both[0], 'one'), hammer(both[1], 'two')])
  t.strictSame([...new Set(outcomes.flat().map(({ kind }) => kind))], ['recorded'])
  const events = await log(both[0].db)
  const expected = Array.from({ length: 2 * EACH + 2 }, (_, index) => index)
  t.strictSame(
    events.map(({ position }) => position),
    expected,
  )
  const stream = events.filter((event) => event.stream === 'c')
  t.strictSame(
    stream.map(({ revision }) => revision),
    expected.slice(1),
  )
  const notes = stream.slice(1).map(({ data }) => (data as { note: string }).note)
  t.strictSame(new Set(notes).size, 2 * EACH)
  for (const name of ['one', 'two']) {
    const own = notes.filter((note) => note.startsWith(name))
    t.strictSame(
      own,
      own.toSorted((a, b) => Number(a.slice(4)) - Number(b.slice(4))),
      'each in the order it was sent',
    )
  }
})

t.test('two processes make the same promise and define the same source: one is first, the other is told', async (t) => {
  const connectionString = await testDatabaseUrl(t)
  const both = [process(t, connectionString), process(t, connectionString)]
  await both[0]?.record([posted(opened())])
  for (let round = 0; round < 20; round += 1) {
    const promise = () => posted(inStream(`c${round}`, made('2026-01-01')))
    const outcomes = await Promise.all(both.map(({ record }) => record([promise()])))
    t.strictSame(outcomes.map(words).flat(2).sort(), ['already-made', 'recorded'])
    const id = randomUUID()
    const repeated = await Promise.all(both.map(({ record }) => record([posted(source(`s${round}`), { id })])))
    t.strictSame(repeated.map(words).flat(2).sort(), ['alreadyRecorded', 'recorded'])
  }
})

/**
 * Records groups while another writer is first: its event is appended but not yet committed when they are admitted, so that
 * they do not see it and meet it only when they are appended.
 */
async function overtaken(
  t: Test,
  other: Draft,
  ...groups: Group[]
): Promise<{ outcomes: EventOutcome[][]; db: Database }> {
  const { db, record } = await register(t)
  await record([posted(made('2026-01-01'))])
  const first = await db.startTransaction().execute()
  const stored = posted(other)
  const event = { ...stored, id: randomUUID(), group: 0, recordedBy: 'other', seenRevision: 1 }
  await append(first, { register: 'r', open: false, now: NOW, ownRevision: 1, events: [event] })
  const outcomes = record(...groups)
  await untilWaiting(db)
  await first.commit().execute()
  return { outcomes: await outcomes, db }
}

async function untilWaiting(db: Database): Promise<void> {
  const waiting = sql`select 1 from pg_locks l join pg_stat_activity a using (pid)
    where not l.granted and a.datname = current_database()`
  await until('the append waits', async () => (await waiting.execute(db)).rows.length > 0)
}

t.test('admission runs again with what another process has recorded meanwhile', async (t) => {
  const claim = posted(delivered('2026-02-01'))
  const free = posted(inStream('d', made('2026-01-01')))
  const { outcomes, db } = await overtaken(
    t,
    withdrawn('2026-01-10'),
    [claim],
    [free],
    [posted(reaffirmed('2026-02-02'))],
  )
  t.strictSame(words(outcomes), [['after-withdrawal'], ['recorded'], ['recorded']])
  const types = (await log(db)).slice(1).map(({ type }) => type)
  t.strictSame(types, ['CommitmentMade', 'CommitmentWithdrawn', 'CommitmentMade', 'StatusReaffirmed'])
})

t.test('admission runs again too where the revision fits by chance', async (t) => {
  const claim = posted(delivered('2026-02-01'))
  const { outcomes } = await overtaken(t, withdrawn('2026-01-10'), [posted(reaffirmed('2026-02-02'))], [claim])
  t.strictSame(words(outcomes), [['recorded'], ['after-withdrawal']])
})

t.test('a group that repeats an overtaken event of its batch is recorded once', async (t) => {
  const again = posted(reaffirmed('2026-02-02'), { id: randomUUID() })
  const note = posted(inStream('d', made('2026-01-01')))
  const { outcomes, db } = await overtaken(t, reaffirmed('2026-01-10'), [again], [again, note])
  t.strictSame(words(outcomes), [['recorded'], ['alreadyRecorded', 'recorded']])
  t.equal((await log(db)).filter(({ stream }) => stream === 'd').length, 1)
})

t.test('a refusal that rested on a group which was not recorded in the end is taken back', async (t) => {
  const promise = () => posted(inStream('d', made('2026-01-01')))
  const { outcomes } = await overtaken(
    t,
    withdrawn('2026-01-10'),
    [promise(), posted(delivered('2026-02-01'))],
    [promise()],
  )
  t.strictSame(words(outcomes), [['skipped', 'after-withdrawal'], ['recorded']])
})

t.test('an overtaken definition does not leave behind what cites it', async (t) => {
  const citing = posted(inStream('d', made('2026-01-01', {}, [{ source: 'one' }])))
  const group = [posted(source('one')), posted(delivered('2026-02-01'))]
  const { outcomes, db } = await overtaken(t, withdrawn('2026-01-10'), group, [citing])
  t.strictSame(words(outcomes), [['skipped', 'after-withdrawal'], ['unknown-source']])
  t.equal((await log(db)).length, 3)
})

t.test('what comes to several processes with one key is recorded once, and each answers alike', async (t) => {
  const url = await testDatabaseUrl(t)
  const processes = [process(t, url), process(t, url), process(t, url)]
  await processes[0]?.record([posted(opened())], [posted(made('2026-01-01'))])
  const key = { key: 'k', fingerprint: Buffer.alloc(32, 1) }
  const once = { register: 'r', group: [posted(reaffirmed('2026-02-01'))], recordedBy: 'local', bytes: 0, key }
  // Other recordings of the same moment are not taken back with one whose key was taken.
  const others = processes.map(({ record }, index) => record([posted(reaffirmed(`2026-02-0${index + 2}`))]))
  const answers = await Promise.all(processes.map(({ recorder }) => recorder.recordOnce(once)))
  t.strictSame(words((await Promise.all(others)).flat().map((outcomes) => outcomes)), [
    ['recorded'],
    ['recorded'],
    ['recorded'],
  ])
  const [first] = answers.flatMap((answer) => (answer.kind === 'done' && !answer.isReplayed ? [answer.outcomes] : []))
  t.equal(answers.filter((answer) => answer.kind === 'done' && answer.isReplayed).length, 2)
  for (const answer of answers) t.strictSame(answer.kind === 'done' && answer.outcomes, first)
  const log = (await types((processes[0] as Process).db)).filter((type) => type === 'StatusReaffirmed')
  t.equal(log.length, 4)
  const other = { ...once, key: { key: 'k', fingerprint: Buffer.alloc(32, 2) } }
  t.strictSame(await processes[1]?.recorder.recordOnce(other), { kind: 'reused' })
})

t.test('memory decides nothing against the log: what another process did since is found by append', async (t) => {
  const url = await testDatabaseUrl(t)
  const [one, two] = [process(t, url), process(t, url)]
  await one.record([posted(opened()), posted(made('2026-01-01')), posted(reaffirmed('2026-01-05'))])
  // The other process retracts the promise, defines a source, and withdraws another promise.
  const [event] = (await log(one.db)).filter(({ type }) => type === 'CommitmentMade')
  await two.record(
    [posted(repair('EventRetracted', event?.id ?? ''))],
    [posted(source('new'))],
    [posted(inStream('d', made('2026-01-01')))],
  )
  t.strictSame(words(await one.record([posted(reaffirmed('2026-01-06'))])), [['not-made']])
  t.strictSame(words(await one.record([posted(inStream('d', made('2026-01-01', {}, [{ source: 'new' }])))])), [
    ['already-made'],
  ])
  t.strictSame(words(await one.record([posted(inStream('e', made('2026-01-01', {}, [{ source: 'new' }])))])), [
    ['recorded'],
  ])
  t.strictSame(words(await one.record([posted(inStream('d', reaffirmed('2026-01-02')))])), [['recorded']])
  await two.record([posted(inStream('d', withdrawn('2026-01-10')))])
  t.strictSame(words(await one.record([posted(inStream('d', delivered('2026-02-01')))])), [['after-withdrawal']])
  t.strictSame(words(await one.record([posted(inStream('d', reaffirmed('2026-01-03')), { expectedRevision: 2 })])), [
    ['revisionConflict'],
  ])
  t.strictSame(words(await one.record([posted(inStream('d', reaffirmed('2026-01-03')), { expectedRevision: 3 })])), [
    ['recorded'],
  ])
})

const isFull = (recording: Promise<unknown>) =>
  recording.then(
    () => false,
    (error) => error instanceof QueueFullError,
  )

t.test('what waits is bounded by number and by bytes; what was refused for it is not recorded', async (t) => {
  const { db, recorder } = await register(t)
  const group = [posted(made('2026-01-01'))]
  const record = (bytes: number, events = group) => recorder.record('r', [events], 'local', { bytes })
  const first = record(0)
  // The first is being written; these wait.
  const waiting = record(15 * 2 ** 20, [posted(inStream('d', made('2026-01-01')))])
  t.equal(await isFull(record(2 * 2 ** 20, [posted(inStream('e', made('2026-01-01')))])), true)
  const many = Array.from({ length: 20_000 }, () => posted(inStream('f', made('2026-01-01'))))
  t.equal(await isFull(record(0, many)), true)
  t.strictSame(words([...(await first), ...(await waiting)]), [['recorded'], ['recorded']])
  t.strictSame(words(await record(0, [posted(inStream('e', made('2026-01-01')))])), [['recorded']])
  t.strictSame(
    (await log(db)).slice(1).map(({ stream }) => stream),
    ['c', 'd', 'e'],
  )
})

t.test('what waits is bounded over all registers too, and none is refused of which nothing waits', async (t) => {
  const { db, recorder } = await register(t)
  const names = ['r', 'r2', 'r3', 'r4']
  for (const name of names.slice(1)) await recorder.record(name, [[posted(opened())]], 'local')
  const half = 15 * 2 ** 20
  const record = (name: string, bytes: number, stream: string) =>
    recorder.record(name, [[posted(inStream(stream, made('2026-01-01')))]], 'local', { bytes })
  // Of each register one is being written, and another waits.
  const taken = names.slice(0, 2).flatMap((name) => [record(name, 0, 'c'), record(name, half, 'd')])
  const third = [record('r3', 0, 'c'), record('r3', half, 'd')]
  t.equal(await isFull(record('r3', half, 'e')), true)
  t.strictSame(words((await Promise.all([...taken, ...third, record('r4', half, 'c')])).flat()).flat(), [
    ...Array(7).fill('recorded'),
  ])
  t.strictSame(words(await record('r3', half, 'e')), [['recorded']])
  t.equal((await log(db)).length, 3)
})

t.test('a batch that others overtake each time has its turn all the same', async (t) => {
  const connectionString = await testDatabaseUrl(t)
  const other = process(t, connectionString)
  await other.record([posted(opened()), posted(made('2026-01-01'))])
  const note = (text: string) => [posted(fact('StatusReaffirmed', '2026-02-01', { note: text }))]
  const registers = createRegisters()
  const others: Promise<unknown>[] = []
  // Whenever it has read what it goes by, another process records to the same commitment, if it can.
  const read: typeof registers.read = async (db, register) => {
    const known = await registers.read(db, register)
    await sleep(10)
    others.push(other.record(note(`other ${others.length}`)))
    await Promise.race([others.at(-1), sleep(100)])
    return known
  }
  const recorder = createRecorder(other.db, { ...registers, read }, { now: () => NOW })
  await recorder.record('r', [note('first')], 'local')
  // What it remembers is overtaken already.
  await other.record(note('ahead'))
  others.length = 0
  const outcomes = await recorder.record('r', [note('one'), note('two')], 'local')
  t.strictSame(words(outcomes), [['recorded'], ['recorded']])
  t.equal(others.length, 3, 'twice overtaken, then not any more')
  await Promise.all(others)
  t.equal((await log(other.db)).length, 10)
})

t.test('keys are forgotten when they are a day old, and no sooner', async (t) => {
  const clock = { now: NOW }
  const { db, record, recorder } = await register(t, clock)
  await record([posted(made('2026-01-01'))])
  const once = (key: string) => {
    const keyed = { key, fingerprint: Buffer.alloc(32, 1) }
    return recorder.recordOnce({
      register: 'r',
      group: [posted(reaffirmed('2026-02-01'))],
      recordedBy: 'local',
      bytes: 0,
      key: keyed,
    })
  }
  await once('old')
  clock.now += 3_600_000
  await once('new')
  const keys = async () => (await db.selectFrom('idempotency_key').select('key').execute()).map(({ key }) => key)
  await forgetKeys(db, 'r', NOW + 48 * 3_600_000 - 1)
  t.strictSame((await keys()).sort(), ['new', 'old'])
  await forgetKeys(db, 'r', NOW + 48 * 3_600_000)
  t.strictSame(await keys(), ['new'])
  await forgetKeys(db, 'other', NOW + 96 * 3_600_000)
  t.strictSame(await keys(), ['new'])
})

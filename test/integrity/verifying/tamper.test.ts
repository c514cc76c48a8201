// Whoever may do everything to the database changes something: `verify log` names the first position that is concerned, every
// time. Each change is made in a transaction that is rolled back, and looked at from within.

import { generateKeyPairSync } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import t, { type Test } from 'tap'
import { type Database, openDatabase } from '../../../src/database/pool.ts'
import type { Tables } from '../../../src/database/tables.ts'
import { answerEvent } from '../../../src/domain/event-answer.ts'
import { bodyHash, newSalts } from '../../../src/eventlog/body.ts'
import { readWithLeaves } from '../../../src/eventlog/leaves.ts'
import { sealAll, sealOf } from '../../../src/integrity/sealing/sealer.ts'
import { leafHash } from '../../../src/integrity/tlog/merkle.ts'
import { parseVkey, signer, type Verifier, vkeyOf } from '../../../src/integrity/tlog/note.ts'
import { databaseLog } from '../../../src/integrity/verifying/log-database.ts'
import { gatherSteps } from '../../../src/integrity/verifying/steps.ts'
import { checkBody, type LoggedEvent, leafText, VerificationError } from '../../../src/integrity/verifying/verify.ts'
import { type LogVerdict, verifyLog } from '../../../src/integrity/verifying/verify-log.ts'
import { createRecorder } from '../../../src/recording/recorder.ts'
import { createRegisters } from '../../../src/registers/registers.ts'
import { testDatabaseUrl } from '../../support/database.ts'
import { OPENED, posted, uuid } from '../../support/register.ts'

const SEALED = 600
const EVENTS = 605
const key = generateKeyPairSync('ed25519').privateKey
const own = parseVkey(vkeyOf(signer('log.test/demo', key))) as Verifier
const seal = sealOf('demo', { origin: 'log.test', keys: [key], now: Date.now })

type Tx = Transaction<Tables>

/** Event n has id n; c-299 has two facts. */
function eventAt(position: number) {
  if (position === 0) return posted('$register', 'RegisterOpened', '2026-01-01', OPENED, { id: uuid(0) })
  if (position === 300)
    return posted('c-299', 'ForecastReported', '2026-01-02', { finish: '2026-12' }, { id: uuid(300) })
  return posted(`c-${position}`, 'CommitmentMade', '2026-01-01', { title: `C ${position}` }, { id: uuid(position) })
}

async function sealedLog(t: Test): Promise<Database> {
  const db = openDatabase({ connectionString: await testDatabaseUrl(t) })
  t.teardown(() => db.destroy())
  const recorder = createRecorder(db, createRegisters(), { now: Date.now })
  let made = 0
  for (const size of [1, 3, 300, SEALED, EVENTS]) {
    const groups = Array.from({ length: size - made }, (_, at) => [
      { typeVersion: 1, citations: [], ...eventAt(made + at) },
    ])
    // Safe: these are what a body is parsed to.
    const outcomes = await recorder.record('demo', groups as never, 'local')
    t.ok(outcomes.every(([outcome]) => outcome?.kind === 'recorded'))
    made = size
    if (size <= SEALED && size > 1) await sealAll(db, 'demo', seal)
  }
  return db
}

async function verdict(tx: Tx, keys: Verifier[] | null = [own], inMemory?: number): Promise<LogVerdict> {
  try {
    return await verifyLog(await databaseLog(tx, 'demo'), { keys, ...(inMemory ? { inMemory } : {}) })
  } catch (error) {
    if (error instanceof VerificationError)
      return { fault: error, events: 0, sealed: 0, checkpoints: 0, byOtherKeys: 0, redacted: 0, redactedRepairs: 0 }
    throw error
  }
}

/** What a verification says after changes, which are undone then. */
async function after(db: Database, change: (tx: Tx) => Promise<unknown>, keys: Verifier[] | null = [own]) {
  let found: LogVerdict | undefined
  const undone = new Error('undone')
  await db
    .transaction()
    .execute(async (tx) => {
      for (const table of ['event', 'tile', 'signed_checkpoint', 'tree', 'register', 'signing_key'])
        await sql`alter table ${sql.table(table)} disable trigger user`.execute(tx)
      await change(tx)
      found = await verdict(tx, keys)
      throw undone
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error
    })
  return found as LogVerdict
}

const run = (statements: string) => (tx: Tx) => sql.raw(statements).execute(tx)

const db = sealedLog(t)

t.test('a log that nobody touched is verified, whole and in parts that fit no page', async (t) => {
  const whole = {
    fault: null,
    events: EVENTS,
    sealed: SEALED,
    checkpoints: 3,
    byOtherKeys: 0,
    redacted: 0,
    redactedRepairs: 0,
  }
  await (await db).transaction().execute(async (tx) => {
    t.strictSame(await verdict(tx), whole)
    t.strictSame(await verdict(tx, null), whole, 'with the keys that it lists')
    t.strictSame(await verdict(tx, [own], 100), whole, 'with less memory than it has events')
  })
})

const event = 'update event set'
const AT_300 = 'where position = 300'
const differs = (field: string, is: string, was: string) => `position 300: ${field} is ${is}, its leaf says ${was}`
const body = 'position 300: occurredOn, data, citations and salt do not hash to its bodyHash'
const flip = (column: string, at: number) => `${column} = set_byte(${column}, ${at}, get_byte(${column}, ${at}) # 1)`

for (const [what, change, fault, position] of [
  ['register', `${event} register = 'other' ${AT_300}`, 'position 300: there is no event; the next one is at 301', 300],
  ['position', `${event} position = 9000 ${AT_300}`, 'position 300: there is no event; the next one is at 301', 300],
  ['id', `${event} id = '${uuid(999)}' ${AT_300}`, differs('id', `"${uuid(999)}"`, `"${uuid(300)}"`), 300],
  ['stream', `${event} stream = 'c-9' , revision = 9 ${AT_300}`, /^position 300: \w+ is .*, its leaf says/, 300],
  ['revision', `${event} revision = 3 ${AT_300}`, differs('revision', '3', '2'), 300],
  [
    'type',
    `${event} type = 'StatusReaffirmed' ${AT_300}`,
    differs('type', '"StatusReaffirmed"', '"ForecastReported"'),
    300,
  ],
  ['type_version', `${event} type_version = 2 ${AT_300}`, differs('typeVersion', '2', '1'), 300],
  [
    'recorded_at',
    `${event} recorded_at = recorded_at + interval '1 ms' ${AT_300}`,
    /^position 300: recordedAt is /,
    300,
  ],
  ['recorded_by', `${event} recorded_by = 'mallory' ${AT_300}`, differs('recordedBy', '"mallory"', '"local"'), 300],
  ['occurred_on', `${event} occurred_on = '2026-01-03' ${AT_300}`, body, 300],
  ['data', `${event} data = '{"finish":"2027-12"}' ${AT_300}`, body, 300],
  ['citations', `${event} citations = '[{"source":"S"}]' ${AT_300}`, body, 300],
  ['salt', `${event} ${flip('salt', 5)} ${AT_300}`, body, 300],
  ['body_hash', `${event} ${flip('body_hash', 5)} ${AT_300}`, /^position 300: bodyHash is ".*, its leaf says "/, 300],
  [
    'leaf',
    `${event} ${flip('leaf', 40)} ${AT_300}`,
    /^position 300: \w+ is .*, its leaf says|^position 300: its leaf/,
    300,
  ],
  ['leaf, made unreadable', `${event} leaf = 'x' ${AT_300}`, 'position 300: its leaf is no JSON', 300],
  [
    'leaf, made one of another version',
    `${event} leaf = convert_to(replace(convert_from(leaf, 'UTF8'), '"v":1', '"v":2'), 'UTF8') ${AT_300}`,
    'position 300: its leaf is of version 2, which is not known',
    300,
  ],
  [
    'salt, taken away',
    `${event} salt = null ${AT_300}`,
    'position 300: its salt is gone, and not all of its content',
    300,
  ],
  [
    'data, with a name that stands there twice',
    `${event} data = '{"finish":"2027-12","finish":"2026-12"}' ${AT_300}`,
    'position 300: its content: the name "finish" stands twice in one object',
    300,
  ],
  [
    'data, with a name that libraries drop',
    `${event} data = '{"finish":"2026-12","__proto__":{"finish":"2027-12"}}' ${AT_300}`,
    'position 300: its content: it has the name "__proto__", which readers treat differently',
    300,
  ],
  [
    'data, taken away',
    `${event} data = null ${AT_300}`,
    'position 300: a part of its content is gone, and not its salt',
    300,
  ],
] as const)
  t.test(`a change of ${what} of one event is found at its position`, async (t) => {
    const { fault: found } = await after(await db, run(change))
    if (typeof fault === 'string') t.equal(found?.message, fault)
    else t.match(found?.message, fault)
    t.equal(found?.position, position)
  })

const ERASE = 'occurred_on = null, data = null, citations = null, salt = null'

for (const [what, change, fault] of [
  [
    'one that is deleted',
    'delete from event where position = 300',
    'position 300: there is no event; the next one is at 301',
  ],
  [
    'the last one deleted',
    'delete from event where position = 604',
    'position 604: there is no event, and the register is of size 605',
  ],
  [
    'the last ones deleted, and the register told so',
    `delete from event where position >= 590; update register set size = 590, last_recorded_at = (select recorded_at from event where position = 589)`,
    'position 590: the log ends before it, and a checkpoint covers 600 events',
  ],
  [
    'two that are swapped',
    `${event} position = -1 where position = 7; ${event} position = 7 where position = 8; ${event} position = 8 where position = -1`,
    'position 7: position is 7, its leaf says 8',
  ],
  [
    'one that is blank without a reason',
    `${event} ${ERASE} ${AT_300}`,
    'position 300: its content is gone, and no EventRedacted says why',
  ],
  [
    'a byte of a tile of leaves',
    `update tile set ${flip('hashes', 44 * 32 + 7)} where level = 0 and index = 1`,
    'position 300: its leaf does not have the hash that tile/0/001 holds',
  ],
  [
    'a byte of the tile at the edge',
    `update tile set ${flip('hashes', 32)} where level = 0 and index = 2`,
    'position 513: its leaf does not have the hash that tile/0/002.p/88 holds',
  ],
  [
    'a byte of a tile above',
    `update tile set ${flip('hashes', 32)} where level = 1`,
    'positions 256 to 511: their leaves do not give the hash that tile/1/000.p/2 holds',
  ],
  [
    'a tile that is gone',
    'delete from tile where level = 0 and index = 1',
    'tile/0/001: it is missing, of the leaves from position 256',
  ],
  [
    'a tile that is too short',
    'update tile set hashes = substring(hashes for 64) where level = 0 and index = 0',
    'tile/0/000: it has 64 bytes and should have 8192, from position 0',
  ],
  [
    'the root of a checkpoint',
    `update signed_checkpoint set ${flip('root', 3)} where size = 300`,
    'checkpoint of size 300: it is listed with another root than its note signs',
  ],
  [
    'the note of a checkpoint',
    `update signed_checkpoint set note = replace(note, E'\\n300\\n', E'\\n301\\n') where size = 300`,
    'checkpoint of size 300: its signature is not of the keys at hand',
  ],
  [
    'the note of the newest checkpoint',
    `update signed_checkpoint set note = overlay(note placing 'AAAA' from length(note) - 20) where size = 600`,
    'the newest checkpoint: its signature is not of the keys at hand',
  ],
  [
    'the newest checkpoint',
    'delete from signed_checkpoint where size = 600',
    'the tree: it is of size 600, its newest checkpoint of 300',
  ],
  [
    'the size of the register',
    'update register set size = 600',
    'position 600: there is an event, and the register ends before it, at size 600',
  ],
  [
    'the revision of the register',
    'update register set own_revision = 2',
    'the register: its own stream is at revision 1, it says 2',
  ],
  [
    'the number of redactions of the register',
    'update register set redactions = 1',
    'the register: its log holds 0 EventRedacted, it counts 1',
  ],
  [
    'a checkpoint of no events',
    `update signed_checkpoint set size = 0 where size = 3`,
    'checkpoint of size 0: there is none before the first event',
  ],
  [
    'the opening made blank',
    `${event} ${ERASE} where position = 0`,
    'position 0: its content is gone, and that of RegisterOpened is never erased',
  ],
  [
    'the time of the register',
    `update register set last_recorded_at = '2020-01-01'`,
    /^the register: its last event was recorded/,
  ],
] as const)
  t.test(`the log does not hold with ${what}`, async (t) => {
    const { fault: found } = await after(await db, run(change))
    if (typeof fault === 'string') t.equal(found?.message, fault)
    else t.match(found?.message, fault)
  })

/** Puts an event in the log with a leaf and a hash that fit, as somebody would who knows how; `changes` are what is wrong. */
async function forge(tx: Tx, position: number, changes: Partial<LoggedEvent> = {}, isErased = false): Promise<Buffer> {
  const [salt] = newSalts(1) as [Buffer]
  const content = { occurredOn: '2026-01-01', data: { title: 'forged' }, citations: [], ...changes }
  const event: LoggedEvent = {
    position,
    id: uuid(position),
    stream: `c-${position}`,
    revision: 1,
    type: 'CommitmentMade',
    typeVersion: 1,
    recordedAt: new Date(Date.now() + 60_000).toISOString(),
    recordedBy: 'local',
    salt: salt.toString('base64'),
    // Safe: a body as it is hashed.
    bodyHash: bodyHash(salt, content as never),
    ...content,
  }
  const leaf = Buffer.from(leafText('demo', event))
  const json = (value: unknown) => (isErased ? null : JSON.stringify(value))
  await sql`delete from event where register = 'demo' and position = ${position}`.execute(tx)
  await sql`insert into event values ('demo', ${position}, ${event.id}, ${event.stream}, ${event.revision}, ${event.type},
    ${event.typeVersion}, ${event.recordedAt}, ${event.recordedBy}, ${isErased ? null : event.occurredOn}, ${json(event.data)},
    ${json(event.citations)}, ${isErased ? null : salt}, ${Buffer.from(event.bodyHash, 'base64')}, ${leaf})`.execute(tx)
  if (event.type === 'EventRedacted')
    await sql`update register set redactions = redactions + 1 where register = 'demo'`.execute(tx)
  await sql`update register set size = greatest(size, ${position + 1}), last_recorded_at = (select recorded_at from event
    where register = 'demo' order by position desc limit 1)`.execute(tx)
  return leaf
}

t.test('an event that is replaced whole, with its hash and leaf, does not fit its tile', async (t) => {
  const recordedAt = (
    await (await db).selectFrom('event').select('recorded_at').where('position', '=', 300).executeTakeFirstOrThrow()
  ).recorded_at
  const forged = { stream: 'c-299', revision: 2, recordedAt: recordedAt.toISOString() }
  const { fault } = await after(await db, (tx) => forge(tx, 300, forged))
  t.equal(fault?.message, 'position 300: its leaf does not have the hash that tile/0/001 holds')
  const { fault: deeper } = await after(await db, async (tx) => {
    const hash = leafHash(await forge(tx, 300, forged))
    await sql`update tile set hashes = overlay(hashes placing ${hash} from ${44 * 32 + 1}) where level = 0 and index = 1`.execute(
      tx,
    )
  })
  t.equal(
    deeper?.message,
    'positions 256 to 511: their leaves do not give the hash that tile/1/000.p/2 holds',
    'nor, with that changed too, the one above',
  )
})

t.test('what is appended without the service is found where it contradicts the rest', async (t) => {
  const database = await db
  const forged = async (changes: Partial<LoggedEvent>, before = '') =>
    (
      await after(database, async (tx) => {
        if (before) await run(before)(tx)
        await forge(tx, 605, changes)
      })
    ).fault?.message
  t.equal(await forged({}), undefined, 'one that is written as the service would is an event like any other')
  t.match(
    await forged({ recordedAt: '2020-01-01T00:00:00.000Z' }),
    /^position 605: recorded 2020-01-01T00:00:00.000Z, which is before/,
  )
  t.equal(
    await forged({ stream: 'c-299', revision: 4 }),
    'position 605: its revision is 4, that of the event before it in its stream is 2',
  )
  t.equal(await forged({ revision: 2 }), 'position 605: its stream begins with revision 2')
  t.equal(await forged({ revision: 0 }), 'position 605: no stream has a revision 0')
  t.equal(
    await forged({ stream: 'c-299', revision: 2 }, 'alter table event drop constraint event_revision_once'),
    'position 605: its revision is 2, that of the event before it in its stream is 2',
  )
  t.equal(
    await forged({ id: uuid(300) }, 'alter table event drop constraint event_id_once'),
    'position 605: its id is that of the event at position 300',
  )
  const { fault } = await after(database, async (tx) => {
    await forge(tx, 605)
    await run('update register set size = 605')(tx)
  })
  t.equal(fault?.message, 'position 605: there is an event, and the register ends before it, at size 605')
})

t.test('content that is gone and the event that says so belong together', async (t) => {
  const database = await db
  const repair = (position: number, type: string, target: number): Partial<LoggedEvent> => {
    const data = {
      event: uuid(target),
      reason: 'r',
      ...(type === 'EventCorrected' ? { occurredOn: '2026-01-03' } : {}),
    }
    return { stream: 'c-299', revision: position - 602, type, data }
  }
  const redacts = (position: number, target: number) => repair(position, 'EventRedacted', target)
  let repairs = 0
  const of = async (change: (tx: Tx) => Promise<unknown>) => {
    const { fault, redacted, redactedRepairs } = await after(database, change)
    repairs = redactedRepairs
    return fault ? fault.message : redacted
  }
  t.equal(
    await of(async (tx) => {
      await run(`${event} ${ERASE} ${AT_300}`)(tx)
      await forge(tx, 605, redacts(605, 300))
    }),
    1,
  )
  t.equal(
    await of((tx) => forge(tx, 605, redacts(605, 300))),
    'position 300: its content is still there, although the event at position 605 redacts it',
  )
  t.equal(
    await of((tx) => forge(tx, 605, redacts(605, 999))),
    `position 605: it redacts ${uuid(999)}, which is not in the log`,
  )
  t.equal(
    await of(async (tx) => {
      await run(`${event} ${ERASE} ${AT_300}`)(tx)
      await forge(tx, 605, { ...redacts(605, 300), stream: 'c-605', revision: 1 })
    }),
    'position 300: its content is gone, and no EventRedacted says why',
    'one in another stream is of something else',
  )
  t.equal(
    await of(async (tx) => {
      await forge(tx, 605, redacts(605, 606))
      await forge(tx, 606, { stream: 'c-299', revision: 4 })
      await run(`${event} ${ERASE} where position = 606`)(tx)
    }),
    'position 605: it redacts the event at position 606, which comes after it',
  )
  t.equal(
    await of(async (tx) => {
      await run(`${event} ${ERASE} ${AT_300}`)(tx)
      await forge(tx, 605, redacts(605, 300))
      await run(
        `${event} occurred_on = null, citations = null, salt = null, data = json_build_object('event', data->'event') where position = 605`,
      )(tx)
    }),
    'position 605: its content is gone, and that of EventRedacted is never erased',
  )
  // What a blank correction was about nothing proves, so that it could be said to have gone with another fact.
  t.equal(
    await of(async (tx) => {
      await run(`${event} ${ERASE} where position = 7`)(tx)
      await forge(tx, 605, repair(605, 'EventCorrected', 300))
      await forge(tx, 606, { ...redacts(606, 7), stream: 'c-7', revision: 2 })
      await run(
        `${event} occurred_on = null, citations = null, salt = null, data = json_build_object('event', '${uuid(7)}') where position = 605`,
      )(tx)
    }),
    'position 605: its content is gone, and no EventRedacted says why',
  )
  const corrected = async (tx: Tx) => {
    await run(`${event} ${ERASE} ${AT_300}`)(tx)
    await forge(tx, 605, repair(605, 'EventCorrected', 300))
    await forge(tx, 606, redacts(606, 300))
  }
  t.equal(
    await of(corrected),
    'position 605: its content is still there, although the event at position 606 redacts what it corrects',
  )
  t.equal(
    await of(async (tx) => {
      await corrected(tx)
      await run(
        `${event} occurred_on = null, citations = null, salt = null, data = json_build_object('event', data->'event') where position = 605`,
      )(tx)
    }),
    2,
    'a correction goes with its fact, but for what it points to',
  )
  t.equal(repairs, 1)
})

t.test('a key that is not the log’s is not believed, and one that has retired is said to be', async (t) => {
  const database = await db
  const other = generateKeyPairSync('ed25519').privateKey
  const stranger = signer('log.test/demo', other)
  const elsewhere = signer('log.test/other', key)
  const withKeys = async (...keys: Verifier[]) => (await after(database, async () => {}, keys)).fault?.message
  t.equal(await withKeys(stranger), 'the newest checkpoint: its signature is not of the keys at hand')
  t.equal(
    await withKeys(elsewhere),
    'the newest checkpoint: it is of log.test/demo, and the keys at hand are of log.test/other',
  )
  // The next checkpoint is signed by another key.
  const next = await testedRotation(t, stranger.privateKey)
  t.strictSame([next.fault, next.checkpoints, next.byOtherKeys], [null, 4, 3])
})

async function testedRotation(t: Test, fresh: typeof key): Promise<LogVerdict> {
  const copy = await sealedLog(t)
  await sealAll(copy, 'demo', sealOf('demo', { origin: 'log.test', keys: [fresh], now: Date.now }))
  return copy.transaction().execute((tx) => verdict(tx, [signer('log.test/demo', fresh)]))
}

t.test('steps that do not fit in memory come back in parts, each key in one, in order', async (t) => {
  const steps = gatherSteps(7)
  t.teardown(() => steps.discard())
  const keys = Array.from({ length: 10 }, (_, at) => Buffer.alloc(16, at * 25))
  for (let position = 0; position < 100; position++)
    steps.add(1, keys[position % 10] as Buffer, position, position + 2 ** 40)
  const parts = [...steps.parts()].map((part) =>
    [...part].map(({ key, number, position }) => ({ key: key[0], number, position })),
  )
  const byKey = Map.groupBy(parts.flat(), ({ key }) => key)
  t.equal(byKey.size, 10)
  for (const [key = 0, found] of byKey) {
    const wanted = Array.from({ length: 10 }, (_, turn) => turn * 10 + key / 25)
    t.strictSame(
      found.map(({ number, position }) => [number, position - 2 ** 40]),
      wanted.map((number) => [number, number]),
    )
    t.equal(parts.filter((part) => part.some((one) => one.key === key)).length, 1)
  }
})

t.test('the leaf and the hash that are recomputed are those that the database wrote', async (t) => {
  const [first] = await readWithLeaves(await db, 'demo', 299)
  const answer = answerEvent(first?.event as never) as LoggedEvent
  t.equal(leafText('demo', answer), first?.leaf.toString())
  t.equal(checkBody(answer), 'content')
  t.match(checkBody({ ...answer, salt: `${answer.salt?.slice(0, -2)}==` }), {
    message: /salt is not 32 bytes in base64/,
  })
})

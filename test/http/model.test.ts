// A register against a model of it in memory, under random commands: recording, sending again, connections that are cut,
// processes that come and go, corrections, retractions, redactions, replays and reads. The seed of a failure is printed, with
// the shortest sequence of commands that shows it.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { sql } from 'kysely'
import t, { type Test } from 'tap'
import type { StoredEvent } from '../../src/domain/event.ts'
import { dayOf, formatDay } from '../../src/kernel/plain-date.ts'
import { beginReplay, replayed } from '../../src/projections/replay/begin.ts'
import { runReplay } from '../../src/projections/replay/replay.ts'
import { createOracle } from '../support/oracle.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { withoutLinks } from '../support/random-logs.ts'
import { NDJSON, OPENED, posted, uuid } from '../support/register.ts'
import { type Answer, serviceBeside, type TestService, testService } from '../support/service.ts'

const RUNS = Number(process.env.MODEL_RUNS ?? 6)
const SEED = Number(process.env.MODEL_SEED ?? (process.env.MODEL_RUNS ? Date.now() % 2 ** 31 : 20_261_123))
const COMMANDS = 40
/** Where connections are cut the projections stumble, and go on. */
const TOLERANT = { onError: () => {} }
const FIRST_DAY = dayOf('2024-01-01')

/** What was posted, which may have been recorded. */
type Sent = { id: string; stream: string; type: string; occurredOn: string; data: object; citations: [] }
/** The log as it must be. */
type Model = { log: StoredEvent[]; sent: Sent[] }
type Real = { t: Test; register: string; services: TestService[]; ids: () => string; first: TestService }

const serviceOf = ({ services }: Real, pick: number) => services[pick % services.length] as TestService

/** What no answer tells: it plays no part in what is folded, but that it is there says that an event is not redacted. */
const HIDDEN = { salt: new Uint8Array(32), bodyHash: new Uint8Array(32) }

/** Takes into the model what an answer says was recorded. */
function learn(model: Model, events: readonly Sent[], { status, body, isRetried }: Sure): void {
  assert.equal(body.events?.length, events.length, JSON.stringify(body))
  for (const [index, sent] of events.entries()) {
    const told = body.events[index]
    assert.equal(told.id, sent.id)
    const before = model.log.find(({ id }) => id === sent.id)
    if (before) {
      const { position, revision, recordedAt } = before
      assert.deepEqual(told, {
        position,
        id: sent.id,
        revision,
        recordedAt: new Date(recordedAt).toISOString(),
        recorded: false,
      })
      continue
    }
    // What an earlier try recorded, whose answer was lost, is there already.
    if (!isRetried) assert.deepEqual([status, told.recorded], [201, true])
    const revision = 1 + model.log.filter(({ stream }) => stream === sent.stream).length
    assert.deepEqual([told.position, told.revision], [model.log.length, revision], 'places without gaps')
    const recordedAt = Date.parse(told.recordedAt)
    assert.ok(recordedAt >= (model.log.at(-1)?.recordedAt ?? 0), 'recordedAt never decreases')
    const { id, stream, type, occurredOn, data, citations } = sent
    const place = { position: told.position, revision, recordedAt, recordedBy: 'local', typeVersion: 1 }
    model.log.push({ ...place, id, stream, type, occurredOn, data, citations, ...HIDDEN })
  }
}

const pathOf = ({ register }: Real, path: string) => `/v1/registers/${register}/${path}`

/** An answer that is one; `isRetried` where it took more than one request, of which an earlier one may have recorded. */
type Sure = Answer & { isRetried: boolean }

/** Asks until the database answers: as a client does that is told 503. */
async function sure(ask: () => Promise<Answer>): Promise<Sure> {
  for (let tries = 0, from = performance.now(); ; tries++) {
    const answer = await ask()
    if (answer.status < 500 || performance.now() - from > PATIENCE_MS) return { ...answer, isRetried: tries > 0 }
    assert.match(`${answer.status} ${answer.body.type}`, /^503 .*database-unavailable$/, answer.text)
    await sleep(20)
  }
}

function post(real: Real, pick: number, sent: readonly Sent[], headers = {}): Promise<Sure> {
  const body = sent.length === 1 ? sent[0] : sent
  const all = { 'content-type': 'application/json', ...headers }
  return sure(() => serviceOf(real, pick).post(pathOf(real, 'events'), body, all))
}

const get = (service: TestService, url: string) => sure(() => service.get(url))

const targetOf = ({ data }: StoredEvent) => (data as { event?: string } | null)?.event

/** Whether an event counts: not retracted by a retraction that counts; nor erased, unless it is a retraction itself. */
function counts(model: Model, event: StoredEvent): boolean {
  if (event.salt === null && event.type !== 'EventRetracted') return false
  return !model.log.some(
    (other) =>
      other.type === 'EventRetracted' &&
      other.position > event.position &&
      targetOf(other) === event.id &&
      counts(model, other),
  )
}

type Recording = { stream: number; type: string; day: number; due: number; pick: number }

/** Facts in streams of which some are not made yet: the model says which have to be refused, and with what. */
class Record implements fc.AsyncCommand<Model, Real> {
  private readonly items: Recording[]
  constructor(items: Recording[]) {
    this.items = items
  }
  check = () => true
  toString = () => `record ${JSON.stringify(this.items)}`
  async run(model: Model, real: Real): Promise<void> {
    const events = this.items.map(({ stream, type, day, due }): Sent => {
      const data =
        type === 'CommitmentMade'
          ? { title: `Title ${due}`, themes: [], parties: [], due: formatDay(FIRST_DAY + due) }
          : dataOf(type, due)
      const made = { id: real.ids(), stream: `c${stream}`, type, occurredOn: formatDay(FIRST_DAY + day), data }
      return { ...made, citations: [] }
    })
    const wanted = this.refusal(model)
    const answer = await post(real, this.items[0]?.pick ?? 0, events)
    if (wanted !== null) {
      assert.equal(answer.body.type, `/problems/${wanted}`, JSON.stringify(events))
      return
    }
    if (answer.status !== 201) return assert.match(answer.body.type, /after-withdrawal$/)
    model.sent.push(...events)
    learn(model, events, answer)
  }
  /** The word of the first item that cannot be a fact, as far as that depends on what was made. */
  private refusal({ log, sent }: Model): string | null {
    const made = new Set(
      log
        .filter((event) => event.type === 'CommitmentMade' && counts({ log, sent }, event))
        .map(({ stream }) => stream),
    )
    for (const { stream, type } of this.items) {
      const id = `c${stream}`
      if (type !== 'CommitmentMade' && !made.has(id)) return 'not-made'
      if (type === 'CommitmentMade' && made.has(id)) return 'already-made'
      made.add(id)
    }
    return null
  }
}

function dataOf(type: string, due: number): object {
  switch (type) {
    case 'CommitmentRebaselined':
      return { due: formatDay(FIRST_DAY + due), reason: 'r' }
    case 'ForecastReported':
      return { finish: formatDay(FIRST_DAY + due) }
    case 'DeliveryDisputed':
    case 'DeliveryReopened':
    case 'CommitmentWithdrawn':
    case 'CommitmentReinstated':
      return { reason: 'r' }
    default:
      return {}
  }
}

/** Sends again what was recorded before, alone or to two processes at once. */
class SendAgain implements fc.AsyncCommand<Model, Real> {
  private readonly pick: number
  constructor(pick: number) {
    this.pick = pick
  }
  check = (model: Readonly<Model>) => model.sent.length > 0
  toString = () => `send again ${this.pick}`
  async run(model: Model, real: Real): Promise<void> {
    const sent = model.sent[this.pick % model.sent.length] as Sent
    const before = model.log.find(({ id }) => id === sent.id)
    const answers = await Promise.all([post(real, this.pick, [sent]), post(real, this.pick + 1, [sent])])
    for (const answer of answers) {
      // Of what was erased nobody can tell any more whether it was the same.
      if (before?.salt === null) assert.match(`${answer.status} ${answer.body.type}`, /^409 .*(redacted|id-reused)$/)
      else learn(model, [sent], answer)
    }
  }
}

const CUT = sql`select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid()`

/** Records while every connection to the database is cut; sends it again until it is acknowledged. */
class Cut implements fc.AsyncCommand<Model, Real> {
  private readonly pick: number
  constructor(pick: number) {
    this.pick = pick
  }
  check = () => true
  toString = () => `record while connections are cut ${this.pick}`
  async run(model: Model, real: Real): Promise<void> {
    const stream = `cut${this.pick % 3}`
    const made = model.log.some(
      (event) => event.stream === stream && event.type === 'CommitmentMade' && counts(model, event),
    )
    const type = made ? 'StatusReaffirmed' : 'CommitmentMade'
    const data = made ? {} : { title: 'Cut', themes: [], parties: [] }
    const sent: Sent = { id: real.ids(), stream, type, occurredOn: '2024-06-01', data, citations: [] }
    const headers = { 'idempotency-key': sent.id }
    const cutting = sleep(this.pick % 5)
      .then(() => CUT.execute(real.first.db))
      .catch(() => {}) // its own connection may be one that was cut before
    const answer = await post(real, this.pick, [sent], headers)
    await cutting
    model.sent.push(sent)
    learn(model, [sent], answer)
  }
}

/** A process goes with all that it knew, and another one comes; the first stays, to look from. */
class Restart implements fc.AsyncCommand<Model, Real> {
  private readonly pick: number
  constructor(pick: number) {
    this.pick = pick
  }
  check = () => true
  toString = () => `restart ${this.pick}`
  async run(_: Model, real: Real): Promise<void> {
    const at = 1 + (this.pick % (real.services.length - 1))
    await real.services[at]?.close()
    real.services[at] = await serviceBeside(real.t, real.first, TOLERANT)
  }
}

/** Corrects or retracts any event that may be. */
class Repair implements fc.AsyncCommand<Model, Real> {
  private readonly given: { pick: number; day: number; isRetraction: boolean }
  constructor(given: { pick: number; day: number; isRetraction: boolean }) {
    this.given = given
  }
  check = (model: Readonly<Model>) => model.log.length > 1
  toString = () => `repair ${JSON.stringify(this.given)}`
  async run(model: Model, real: Real): Promise<void> {
    const { pick, day, isRetraction } = this.given
    const target = model.log[pick % model.log.length] as StoredEvent
    const data = isRetraction
      ? { event: target.id, reason: 'r' }
      : { event: target.id, occurredOn: formatDay(FIRST_DAY + day), reason: 'r' }
    const type = isRetraction ? 'EventRetracted' : 'EventCorrected'
    const sent: Sent = { id: real.ids(), stream: target.stream, type, occurredOn: '2026-02-01', data, citations: [] }
    const answer = await post(real, pick, [sent])
    if (answer.status !== 201) {
      real.t.match(
        answer.body.type,
        /(not-retractable|not-a-fact|already-made|not-made|after-withdrawal|redacted|unknown-event)$/,
      )
      return
    }
    model.sent.push(sent)
    learn(model, [sent], answer)
  }
}

/** Redacts any event; the corrections of it are erased with it. */
class Redact implements fc.AsyncCommand<Model, Real> {
  private readonly pick: number
  constructor(pick: number) {
    this.pick = pick
  }
  check = (model: Readonly<Model>) => model.log.length > 1
  toString = () => `redact ${this.pick}`
  async run(model: Model, real: Real): Promise<void> {
    const target = model.log[this.pick % model.log.length] as StoredEvent
    const path = pathOf(real, `events/${target.position}/redact`)
    const key = { 'content-type': 'application/json', 'idempotency-key': real.ids() }
    const answer = await sure(() => serviceOf(real, this.pick).post(path, { reason: 'r' }, key))
    if (answer.status !== 201) {
      assert.match(`${answer.status} ${answer.body.type}`, /^(409 .*redacted|422 .*not-retractable)$/)
      return
    }
    const [told] = answer.body.events
    const announced = { id: told.id, stream: target.stream, type: 'EventRedacted', occurredOn: '', citations: [] as [] }
    learn(model, [{ ...announced, data: { event: target.id, reason: 'r' } }], answer)
    const isErased = (event: StoredEvent) =>
      event.id === target.id || (event.type === 'EventCorrected' && targetOf(event) === target.id)
    for (const event of model.log.filter(isErased)) {
      // What a repair points to stays.
      const data = isRepair(event) ? { event: targetOf(event) } : null
      Object.assign(event, { occurredOn: null, data, citations: null, salt: null })
    }
  }
}

/** Builds every projection anew beside the ones in use. */
class Replay implements fc.AsyncCommand<Model, Real> {
  check = () => true
  toString = () => 'replay'
  async run(_: Model, real: Real): Promise<void> {
    const { db, registers, url } = real.first
    const request = { projections: replayed([]), register: real.register, maxRate: null, dropPrevious: true }
    const { id } = await beginReplay(db, request)
    const signal = new AbortController().signal
    const options = { connectionString: url, workers: 1, chunkEvents: 10, signal, onProgress: () => {} }
    assert.equal((await runReplay(db, registers, id, options)).state, 'caughtUp')
  }
}

type Question = { pick: number; day: number; known: number }

/** Asks a list and a summary at any two clocks; the oracle folds the model's log. */
class Read implements fc.AsyncCommand<Model, Real> {
  private readonly question: Question
  constructor(question: Question) {
    this.question = question
  }
  check = () => true
  toString = () => `read ${JSON.stringify(this.question)}`
  async run(model: Model, real: Real): Promise<void> {
    const { pick, day, known } = this.question
    const asOf = FIRST_DAY + day
    const size = Math.round((known * model.log.length) / 100)
    const log = await logOf(model, real)
    const oracle = createOracle(real.register, log)
    const query = `asOf=${formatDay(asOf)}&knownAt=${size}&minSize=${log.length}`
    const service = serviceOf(real, pick)
    const list = await get(service, pathOf(real, `commitments?${query}`))
    const wanted = oracle.commitments(asOf, size).map(({ answer }) => answer)
    assert.deepEqual(list.body.items, asJson(wanted), query)
    const summary = await get(service, pathOf(real, `summary?${query}`))
    assert.deepEqual(withoutLinks(summary.body), asJson(oracle.summary(asOf, size, [], [])), query)
  }
}

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value))

/** The model's log, after it was compared with the feed; what only the service can say of redactions is taken from there. */
async function logOf(model: Model, real: Real): Promise<StoredEvent[]> {
  const { body } = await get(serviceOf(real, 0), pathOf(real, `events?limit=1000&minSize=${model.log.length}`))
  const told = ({ position, id, stream, revision, type }: StoredEvent) => ({ position, id, stream, revision, type })
  assert.deepEqual(body.items.map(told), model.log.map(told), 'the feed is the log')
  return model.log.map((event, position) => {
    const { occurredOn, data, recordedAt } = body.items[position]
    assert.equal(Date.parse(recordedAt), event.recordedAt)
    if (event.type === 'EventRedacted') return { ...event, occurredOn, data }
    assert.deepEqual({ occurredOn, data }, asJson({ occurredOn: event.occurredOn, data: event.data }))
    return event
  })
}

const isRepair = ({ type }: StoredEvent) => type === 'EventRetracted' || type === 'EventCorrected'

const recording = fc.record({
  stream: fc.nat({ max: 4 }),
  type: fc.constantFrom(
    'CommitmentMade',
    'CommitmentMade',
    'DeliveryReported',
    'DeliveryDisputed',
    'DeliveryReopened',
    'CommitmentRebaselined',
    'ForecastReported',
    'StatusReaffirmed',
    'CommitmentWithdrawn',
    'CommitmentReinstated',
  ),
  day: fc.nat({ max: 700 }),
  due: fc.nat({ max: 1_200 }),
  pick: fc.nat({ max: 1_000 }),
})
const pick = fc.nat({ max: 1_000 })

const commands = fc.commands(
  [
    fc.array(recording, { minLength: 1, maxLength: 4 }).map((items) => new Record(items)),
    recording.map((item) => new Record([{ ...item, type: 'CommitmentMade' }])),
    recording.map((item) => new Record([item])),
    pick.map((one) => new SendAgain(one)),
    pick.map((one) => new Cut(one)),
    pick.map((one) => new Restart(one)),
    fc.record({ pick, day: fc.nat({ max: 700 }), isRetraction: fc.boolean() }).map((given) => new Repair(given)),
    pick.map((one) => new Redact(one)),
    fc.constant(new Replay()),
    fc.record({ pick, day: fc.nat({ max: 1_300 }), known: fc.nat({ max: 100 }) }).map((one) => new Read(one)),
  ],
  { maxCommands: COMMANDS, size: 'max' },
)

t.test(
  'whatever is recorded, repaired, cut, restarted and replayed, the register is what the model says',
  async (t) => {
    const first = await testService(t, '2026-02-01', TOLERANT)
    const services = [first, await serviceBeside(t, first, TOLERANT), await serviceBeside(t, first, TOLERANT)]
    let runs = 0
    let ids = 0
    const property = fc.asyncProperty(commands, async (all) => {
      runs += 1
      const real: Real = {
        t,
        register: `model-${runs}`,
        services,
        ids: () => {
          ids += 1
          return uuid(ids)
        },
        first,
      }
      const model: Model = { log: [], sent: [] }
      const opened: Sent = {
        ...(posted('$register', 'RegisterOpened', '2024-01-01', OPENED) as Sent),
        id: real.ids(),
        citations: [],
      }
      const line = `${JSON.stringify(opened)}\n`
      const { status, body } = await sure(() => first.post(pathOf(real, 'events'), line, NDJSON))
      assert.deepEqual([status, body.refused], [200, 0])
      const [stored] = (await get(first, pathOf(real, 'events?minSize=1'))).body.items
      model.log.push({ ...stored, recordedAt: Date.parse(stored.recordedAt), ...HIDDEN })
      await fc.asyncModelRun(() => ({ model, real }), all)
      await new Read({ pick: 0, day: 760, known: 100 }).run(model, real)
    })
    const { failed, seed, counterexample, errorInstance } = await fc.check(property, { numRuns: RUNS, seed: SEED })
    t.comment(`MODEL_SEED=${seed}: ${runs} runs, ${ids} events sent`)
    t.notOk(failed, `${counterexample}\n${errorInstance instanceof Error ? errorInstance.stack : ''}`)
  },
)

import fc from 'fast-check'
import t from 'tap'
import { z } from 'zod'
import { admit } from '../../../src/domain/admission/admit.ts'
import { EVENT_TYPES, type EventType, parsePosted } from '../../../src/domain/admission/posted-event.ts'
import { REGISTER_STREAM } from '../../../src/domain/event.ts'
import { registerAt } from '../../../src/domain/register/state.ts'
import { currentVersion, type RetiredShapes, upcast } from '../../../src/domain/retired-events.ts'
import { dayOf } from '../../../src/kernel/plain-date.ts'
import { anyDataOf } from '../../support/any-data.ts'
import {
  amended,
  correct,
  type Draft,
  delivered,
  disputed,
  fact,
  forecast,
  given,
  idAt,
  inStream,
  made,
  notDelivered,
  opened,
  rebaselined,
  reinstated,
  reopened,
  resumed,
  retract,
  source,
  superseded,
  suspended,
  verified,
  withdrawn,
} from '../../support/events.ts'

const TODAY = '2026-03-01'
const ofRegister = (type: 'PartyAdded' | 'ProgrammeDefined' | 'FigureReported', data: Record<string, unknown>) =>
  inStream(REGISTER_STREAM, fact(type, '2025-01-01', data))
/** Positions 0 to 2: a register with party A, source one and programme p. */
const register = [opened(), source('one'), ofRegister('ProgrammeDefined', { programme: 'p', title: 'P' })]

/** What becomes of an event after these: `admitted`, or the word and the pointer of the refusal. */
function outcome(draft: Draft, after: Draft[] = [], today = TODAY): string {
  const log = given(...register, ...after)
  const { recordedAt: _, typeVersion: __, ...body } = draft
  const parsed = parsePosted({ stream: 'c', ...body })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues))
  const { stream } = parsed.value
  const context = {
    commitment: log.filter((event) => event.stream === stream),
    register: registerAt(
      log.filter((event) => event.stream === REGISTER_STREAM),
      log.length,
    ),
    streamOf: (id: string) => log.find((event) => event.id === id)?.stream,
    today: dayOf(today),
  }
  const decision = admit(context, parsed.value)
  return decision.kind === 'admitted' ? 'admitted' : `${decision.word} ${decision.issues[0]?.pointer}`
}

const promise = made('2025-01-01', { due: '2025-06-30' })
const cited = (id: string) => [{ source: id }]

t.test('not-made: facts need a promise that stands', async (t) => {
  t.equal(outcome(delivered('2025-02-01')), 'not-made /stream')
  t.equal(outcome(delivered('2025-02-01'), [promise]), 'admitted')
  t.equal(outcome(delivered('2025-02-01'), [inStream('other', promise)]), 'not-made /stream')
  t.equal(outcome(delivered('2025-02-01'), [promise, retract(3)]), 'not-made /stream')
  t.equal(outcome(delivered('2025-02-01'), [promise, retract(3), retract(4)]), 'admitted')
  t.equal(outcome(delivered('2024-02-01'), [promise]), 'admitted', 'backdated facts are normal')
})

t.test('already-made: one promise at a time', async (t) => {
  t.equal(outcome(promise), 'admitted')
  t.equal(outcome(promise, [promise]), 'already-made /type')
  t.equal(outcome(promise, [promise, retract(3)]), 'admitted')
  t.equal(outcome(promise, [promise, withdrawn('2025-02-01')]), 'already-made /type')
  t.equal(outcome(opened()), 'already-made /type')
})

t.test(
  'unknown-party, unknown-programme, unknown-source: what is referred to is defined, whatever its valid day',
  async (t) => {
    const withData = (data: Record<string, unknown>) => made('2025-01-01', data)
    t.equal(outcome(withData({ parties: ['A', 'B'] })), 'unknown-party /data/parties/1')
    t.equal(outcome(withData({ parties: ['A'] })), 'admitted')
    t.equal(outcome(withData({ parties: ['B'] }), [ofRegister('PartyAdded', { id: 'B', name: 'B' })]), 'admitted')
    t.equal(outcome(withData({ programme: 'q' })), 'unknown-programme /data/programme')
    t.equal(outcome(withData({ programme: 'p' })), 'admitted')
    t.equal(outcome(amended('2025-01-01', { programme: 'q' }), [promise]), 'unknown-programme /data/programme')
    t.equal(outcome(amended('2025-01-01', { programme: null, parties: null }), [promise]), 'admitted')
    t.equal(outcome(amended('2025-01-01', { parties: ['B'] }), [promise]), 'unknown-party /data/parties/0')
    t.equal(
      outcome(delivered('2025-01-01', [...cited('one'), ...cited('two')]), [promise]),
      'unknown-source /citations/1/source',
    )
    t.equal(outcome(delivered('2025-01-01', cited('one')), [promise]), 'admitted')
    t.equal(outcome(delivered('2025-01-01', cited('two')), [promise, source('two')]), 'admitted')
    t.equal(
      outcome(delivered('2025-01-01', cited('one')), [promise, inStream(REGISTER_STREAM, retract(1))]),
      'unknown-source /citations/0/source',
    )
    const child = (parent: string) => ofRegister('ProgrammeDefined', { programme: 'r', title: 'R', parent })
    t.equal(outcome(child('q')), 'unknown-programme /data/parent')
    t.equal(outcome(child('p')), 'admitted')
    const figure = (programme: string) => ofRegister('FigureReported', { programme, metric: 'done', value: 1 })
    t.equal(outcome(figure('q')), 'unknown-programme /data/programme')
    t.equal(outcome(figure('p')), 'admitted')
    t.equal(outcome({ ...retract(3), citations: cited('two') }, [promise]), 'unknown-source /citations/0/source')
  },
)

t.test(
  'wrong-stream: facts about the register stand in its stream, the others do not, a repair where its event stands',
  async (t) => {
    t.equal(outcome(inStream('c', ofRegister('PartyAdded', { id: 'B', name: 'B' }))), 'wrong-stream /stream')
    t.equal(outcome(ofRegister('PartyAdded', { id: 'B', name: 'B' })), 'admitted')
    t.equal(outcome(inStream(REGISTER_STREAM, promise)), 'wrong-stream /stream')
    t.equal(outcome(inStream('other', retract(3)), [promise]), 'wrong-stream /stream')
    t.equal(outcome(inStream(REGISTER_STREAM, retract(3)), [promise]), 'wrong-stream /stream')
    t.equal(outcome(retract(3), [promise]), 'admitted')
  },
)

t.test('unknown-event: a repair needs an event', async (t) => {
  t.equal(outcome(retract(4), [promise]), 'unknown-event /data/event')
  t.equal(outcome(correct(4, { occurredOn: '2025' }), [promise]), 'unknown-event /data/event')
})

t.test('not-a-fact: a repair is not corrected but retracted', async (t) => {
  const log = [promise, retract(3), correct(3, { occurredOn: '2024' })]
  t.equal(outcome(correct(4, { occurredOn: '2024' }), log), 'not-a-fact /data/event')
  t.equal(outcome(correct(5, { occurredOn: '2024' }), log), 'not-a-fact /data/event')
  t.equal(outcome(retract(4), log), 'admitted')
  t.equal(outcome(retract(5), log), 'admitted')
})

t.test('not-retractable: a register stays open; it may be corrected', async (t) => {
  const onRegister = (draft: Draft) => inStream(REGISTER_STREAM, draft)
  t.equal(outcome(onRegister(retract(0))), 'not-retractable /data/event')
  t.equal(outcome(onRegister(retract(1))), 'admitted')
  t.equal(outcome(onRegister(correct(0, { data: { title: 'R', timeZone: 'Europe/Minsk' } }))), 'admitted')
  t.equal(
    outcome(onRegister(correct(0, { data: { title: 'R', timeZone: 'Mars' } }))),
    'invalid-body /data/data/timeZone',
  )
})

t.test('not-available: redaction', async (t) => {
  t.equal(outcome(fact('EventRedacted', TODAY, retract(3).data), [promise]), 'not-available /type')
})

t.test('in-future: what begins after today has not happened', async (t) => {
  const on = (occurredOn: string, today = TODAY) => outcome(delivered(occurredOn), [promise], today)
  t.equal(on('2026-03-01'), 'admitted')
  t.equal(on('2026-03-02'), 'in-future /occurredOn')
  t.equal(on('2026-03'), 'admitted')
  t.equal(on('2026-04'), 'in-future /occurredOn')
  t.equal(on('2026'), 'admitted')
  t.equal(on('../2030'), 'admitted')
  t.equal(on('2026-03-02/..'), 'in-future /occurredOn')
  t.equal(outcome(rebaselined('2026-01-01', '2040'), [promise]), 'admitted', 'due dates lie ahead')
  t.equal(outcome(correct(3, { occurredOn: '2026-03-02' }), [promise]), 'in-future /data/occurredOn')
  for (const repair of [retract(3), correct(3, { occurredOn: '2025' })]) {
    const dated = (occurredOn: string) => outcome({ ...repair, occurredOn }, [promise])
    t.equal(dated('2999-01-01'), 'in-future /occurredOn', `${repair.type} is itself dated`)
    t.equal(dated('2026-03-02'), 'in-future /occurredOn')
    t.equal(dated('2026-03-01'), 'admitted')
  }
})

t.test('after-withdrawal: what lies wholly after a withdrawal or supersession in force cannot be', async (t) => {
  const refused = [delivered, reopened, suspended, resumed]
  const facts = (on: string) => [...refused.map((build) => build(on)), forecast(on, '2030'), rebaselined(on, '2030')]
  const words = (on: string, ...after: Draft[]) => [
    ...new Set(facts(on).map((draft) => outcome(draft, [promise, ...after]))),
  ]
  for (const end of [withdrawn('2025-05'), superseded('2025-05', 'other')]) {
    t.strictSame(words('2025-06-01', end), ['after-withdrawal /occurredOn'], end.type)
    t.strictSame(words('2025-05-31', end), ['admitted'], `${end.type}: may be the same day`)
    t.strictSame(words('2025-05/2025-07', end), ['admitted'], `${end.type}: may be before`)
    t.strictSame(words('../2025-07-01', end), ['admitted'], `${end.type}: open start`)
    t.strictSame(words('2025-06-01', end, retract(4)), ['admitted'], `${end.type}: retracted`)
    t.strictSame(words('2025-06-01', end, reinstated('2025-07-01')), ['admitted'], `${end.type}: reinstated`)
    t.strictSame(
      words('2025-06-01', end, correct(4, { occurredOn: '2025-07' })),
      ['admitted'],
      `${end.type}: corrected`,
    )
  }
  t.strictSame(words('2025-06-01', withdrawn('2025-05/..')), ['admitted'], 'a withdrawal without a last day')
  t.strictSame(words('2025-06-01', notDelivered('2025-05')), ['admitted'], 'not delivered stays in scope')
  const others = [verified, disputed, reinstated, withdrawn, notDelivered].map((build) => build('2025-06-01'))
  t.strictSame([...new Set(others.map((draft) => outcome(draft, [promise, withdrawn('2025-05')])))], ['admitted'])
})

t.test('a correction is admitted as the corrected event would be, beside the others', async (t) => {
  const log = [promise, delivered('2025-04-01'), withdrawn('2025-05-01')]
  t.equal(outcome(correct(4, { occurredOn: '2025-05-01' }), log), 'admitted')
  t.equal(outcome(correct(4, { occurredOn: '2025-05-02' }), log), 'after-withdrawal /data/occurredOn')
  t.equal(outcome(correct(5, { occurredOn: '2025-03-01' }), log), 'admitted')
  t.equal(outcome(correct(3, { data: { title: 'T', parties: ['B'] } }), log), 'unknown-party /data/data/parties/0')
  t.equal(outcome(correct(3, { data: { title: 'T', parties: ['A'] } }), log), 'admitted')
  t.equal(outcome(correct(3, { data: { title: 'T', programme: 'q' } }), log), 'unknown-programme /data/data/programme')
  t.equal(outcome(correct(3, { data: { nonsense: 1 } }), log), 'invalid-body /data/data/title')
  t.equal(outcome(correct(4, { data: { title: 'T' } }), log), 'invalid-body /data/data/title')
  t.equal(outcome(correct(4, { citations: cited('two') }), log), 'unknown-source /data/citations/0/source')
  t.equal(outcome(correct(4, { citations: cited('one') }), log), 'admitted')
  t.equal(outcome(correct(4, { occurredOn: '2025-03' }), [...log, retract(3)]), 'not-made /stream')
  t.equal(outcome(correct(3, { occurredOn: '2025-03' }), [promise, retract(3)]), 'admitted', 'itself retracted')
  t.equal(outcome(correct(3, { occurredOn: '2025' }), [promise, retract(3), promise]), 'already-made /data/event')
})

t.test('a correction is judged with the corrections before it', async (t) => {
  const log = [promise, delivered('2025-04-01'), correct(4, { citations: cited('two') }), withdrawn('2025-05-01')]
  t.equal(outcome(correct(4, { occurredOn: '2025-03-01' }), log), 'unknown-source /data/citations/0/source')
  t.equal(outcome(correct(4, { occurredOn: '2025-03-01' }), [...log, retract(5)]), 'admitted')
})

t.test('a retraction is always admitted, whatever hangs on the event', async (t) => {
  const log = [promise, delivered('2025-04-01'), withdrawn('2025-05-01'), retract(4)]
  t.strictSame(
    [3, 4, 5, 6].map((position) => outcome(retract(position), log)),
    Array(4).fill('admitted'),
  )
  t.equal(outcome(retract(4), [...log, retract(4)]), 'admitted', 'twice and more')
})

t.test(
  'an admitted correction is stored in the shape of what it corrects, with its defaults and its version',
  async (t) => {
    const log = given({ ...promise, typeVersion: 1 })
    const parsed = parsePosted({ stream: 'c', ...correct(0, { data: { title: 'T' } }) })
    if (!parsed.ok) throw new Error('not parsed')
    const context = { commitment: log, register: registerAt([], 0), streamOf: () => 'c', today: dayOf(TODAY) }
    const decision = admit(context, parsed.value)
    t.match(decision, {
      kind: 'admitted',
      event: { typeVersion: 1, data: { event: idAt(0), data: { title: 'T', themes: [], parties: [] } } },
    })
  },
)

t.test('admission is total: every type is decided after every other', async (t) => {
  const repairs: Record<string, Record<string, unknown>> = {
    EventRetracted: { event: idAt(3), reason: 'r' },
    EventCorrected: { event: idAt(3), reason: 'r', occurredOn: '2025' },
    EventRedacted: { event: idAt(3), reason: 'r' },
  }
  const dataOf = (type: EventType) => repairs[type] ?? fc.sample(anyDataOf(type), { numRuns: 1, seed: 3 })[0]
  const bodies = EVENT_TYPES.map((type) => fact(type, '2025-01-01', dataOf(type)))
  t.ok(bodies.length >= 28)
  for (const before of bodies.filter(({ type }) => !type.startsWith('Event') && /^(Commitment|Delivery)/.test(type))) {
    for (const body of bodies) t.type(outcome(body, [promise, before]), 'string')
  }
})

const retired: RetiredShapes = {
  CommitmentMade: [
    { schema: z.strictObject({ name: z.string() }), next: (data) => ({ title: (data as { name: string }).name }) },
    { schema: z.strictObject({ title: z.string() }), next: (data) => ({ ...(data as object), themes: [] }) },
  ],
}

t.test('an event in a retired shape is read through every later step; one in the current shape as it is', async (t) => {
  t.strictSame(upcast('CommitmentMade', 1, { name: 'N' }, retired), { title: 'N', themes: [] })
  t.strictSame(upcast('CommitmentMade', 2, { title: 'T' }, retired), { title: 'T', themes: [] })
  const current = { title: 'T', themes: ['x'] }
  t.equal(upcast('CommitmentMade', 3, current, retired), current)
  t.equal(upcast('CommitmentAmended', 1, current, retired), current)
  t.strictSame([currentVersion('CommitmentMade', retired), currentVersion('CommitmentAmended', retired)], [3, 1])
})

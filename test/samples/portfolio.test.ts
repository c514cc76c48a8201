// The auditor's question, on the real register and on a small one: what was said about a day, what the register said then,
// what it says now about that day, and why the two differ.

import t, { type Test } from 'tap'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { lines, made, NDJSON, openDemo, posted, uuid } from '../support/register.ts'
import { noon, type TestService, testService } from '../support/service.ts'

// biome-ignore lint/suspicious/noExplicitAny: what a test reads out of an answer is asserted, not typed.
type Item = any

async function read(service: TestService, path: string): Promise<Item> {
  const { status, text, body } = await service.get(path)
  if (status !== 200) throw new Error(`${path}: ${text}`)
  return body
}

const service = await testService(t, '2026-03-01')
const events = unionStateEvents()
await service.post('/v1/registers/union-state/events', lines(...events), NDJSON)
const ok = (path: string) => read(service, path)
const union = (path: string) => ok(`/v1/registers/union-state${path}`)
await union(`/commitments?minSize=${events.length}&limit=1`)

const idsOf = async (list: string) => (await ok(list)).items.map(({ id }: Item) => id)

const MONTHS = '/summary/series?from=2019-01-01&to=2026-12-31&step=month'

t.test('late against original and against current part where communication-tariffs was rebaselined', async (t) => {
  const { items, step } = await union(MONTHS)
  t.strictSame([items.length, items[0].asOf, items.at(-1).asOf, step], [96, '2019-01-31', '2026-12-31', 'month'])
  const apart = items.filter(({ late, lateAgainstOriginal }: Item) => late.count !== lateAgainstOriginal.count)
  t.strictSame(
    apart.map(({ asOf, late, lateAgainstOriginal }: Item) => [asOf, late.count, lateAgainstOriginal.count]),
    [
      // From the first rebaseline, of 1 April 2022, until its due day 1 June 2022 has passed.
      ['2022-04-30', 0, 1],
      ['2022-05-31', 0, 1],
      // From the second, of 5 November 2024, until its due day 1 March 2025 has passed.
      ['2024-11-30', 2, 3],
      ['2024-12-31', 2, 3],
      ['2025-01-31', 2, 3],
      ['2025-02-28', 2, 3],
    ],
  )
  for (const { asOf, late, lateAgainstOriginal } of apart) {
    const [current, original] = await Promise.all([idsOf(late.list), idsOf(lateAgainstOriginal.list)])
    const only = original.filter((id: string) => !current.includes(id))
    t.strictSame(only, ['communication-tariffs'], asOf)
  }
})

t.test('before the second rebaseline was recorded, the months after it show no gap', async (t) => {
  const stream = await union('/commitments/communication-tariffs/events')
  const [, second] = stream.items.filter(({ type }: Item) => type === 'CommitmentRebaselined')
  const gaps = async (size: number) =>
    (await union(`${MONTHS}&knownAt=${size}`)).items
      .filter(({ late, lateAgainstOriginal }: Item) => late.count !== lateAgainstOriginal.count)
      .map(({ asOf }: Item) => asOf)
  t.strictSame(await gaps(second.position), ['2022-04-30', '2022-05-31'])
  t.equal((await gaps(second.position + 1)).length, 6)
})

const agreements = ({ checks }: Item) => checks.map(({ check, computed, agrees }: Item) => [check, computed, agrees])

t.test('310, 125 and 14 stand beside a coverage of 0 of 310, with their checks and bounds', async (t) => {
  const { items } = await union('/figures?asOf=2026-02-26&programme=programmes-2024-26')
  t.strictSame(
    items.map(({ value, of, statedPercent }: Item) => [value, of, statedPercent]),
    [
      [310, null, null],
      [125, 310, 40],
      [14, 310, 4.5],
    ],
  )
  for (const { coverage } of items) t.match(coverage, { count: 0, of: 310, percent: 0 })
  const [scope, delivered, behind] = items
  t.strictSame(agreements(scope), [['scope', 310, 'exactly']])
  t.strictSame(agreements(delivered), [
    ['percent', 40.3, 'whenRounded'],
    ['scope', 310, 'exactly'],
    ['part', 310, 'exactly'],
  ])
  t.strictSame(agreements(behind), [
    ['percent', 4.5, 'whenRounded'],
    ['scope', 310, 'exactly'],
    ['part', 310, 'exactly'],
  ])
  t.equal(behind.figure, null, 'the 14 are instructions: the report does not say that they are late measures')
  t.strictSame(
    behind.bounds.map(({ figure, bound, count, of, percent, reading }: Item) => {
      return [figure, bound, count, of, percent, reading]
    }),
    [
      ['due', 'atMost', 139, 310, 44.9, 'assumed'],
      ['missed', 'atLeast', 14, 139, 10, 'assumed'],
    ],
  )
})

t.test('the conflicts are the Oreshnik and the years of the next period, and not the spelling of a name', async (t) => {
  const { items, next } = await union('/conflicts')
  t.strictSame(
    items.map(({ kind, about }: Item) => [kind, about]),
    [
      ['delivery-disputed', { commitment: 'oreshnik' }],
      ['source-differs', { programme: 'guidelines-2027-30' }],
    ],
  )
  t.equal(next, null)
  const [programme] = (await union('/programmes')).items.filter(({ id }: Item) => id === 'guidelines-2027-30')
  const [, { kind, detail, events, citations }] = items
  t.strictSame(programme.conflicts, [{ kind, detail, events, citations }], 'the programme shows its own')
})

const becauseOf = ({ because }: Item) => because.map(({ event, type, kind }: Item) => [event, type, kind])

t.test('between sizes 83 and 84 the Oreshnik came to be disputed, by news', async (t) => {
  const { items, from, to, figures } = await union('/summary/difference?asOf=2025-12-31&from=83&to=84')
  t.strictSame(
    items.map(({ id, kind, before, after }: Item) => [id, kind, before.verification, after.verification]),
    [['oreshnik', 'news', 'claimed', 'disputed']],
  )
  t.strictSame(becauseOf(items[0]), [[83, 'DeliveryDisputed', 'news']])
  t.strictSame([from.size, to.size], [83, 84])
  t.match(figures, { before: { disputed: { count: 0, of: 11 } }, after: { disputed: { count: 1, of: 11 } } })
  for (const side of ['before', 'after']) {
    const { list, count } = figures[side].disputed
    t.equal((await idsOf(list)).length, count, side)
  }
  const unchanged = await union('/summary/difference?asOf=2025-12-17&from=83&to=84')
  t.strictSame(unchanged.items, [], 'the dispute is of the 18th')
})

t.test(
  'what was learned after the report of 26 February was recorded says why the numbers of that day grew',
  async (t) => {
    const [{ event }] = (await union('/figures?asOf=2026-02-26&programme=programmes-2024-26')).items.slice(-1)
    const size = event + 1
    const then = await union(`/summary?asOf=2026-02-26&knownAt=${size}`)
    const now = await union('/summary?asOf=2026-02-26')
    const why = await union(`/summary/difference?asOf=2026-02-26&from=${size}`)
    t.match(then, { inScope: 26, delivered: { count: 11 }, late: { count: 2, percent: 7.7 } })
    t.match(now, { inScope: 31, delivered: { count: 15 }, late: { count: 2, percent: 6.5 } })
    t.strictSame(
      why.items.map(({ id, kind, before, after }: Item) => [id, kind, before, after.lifecycle]),
      [
        ['customs-body', 'news', null, 'delivered'],
        ['hydromet-service', 'news', null, 'delivered'],
        ['justice-directive', 'news', null, 'delivered'],
        ['regional-rail', 'news', null, 'open'],
        ['tax-body', 'news', null, 'delivered'],
      ],
    )
    const { register: _, asOf: __, knownAt: ___, rules: ____, groups: _____, redacted, redactedCount, ...figures } = now
    t.strictSame([redacted, redactedCount], [[], 0])
    t.strictSame(why.figures.after, figures, 'the figures of the difference are those of the summary')
  },
)

const PROMISES = [
  made('road', { programme: 'p1', due: '2026-02-10' }),
  made('rail', { programme: 'p1', due: '2026-02-15' }),
  made('port', { programme: 'p1', due: '2026-02-12' }),
  posted('road', 'DeliveryReported', '2026-02-05', {}, { id: uuid(1) }),
  posted('port', 'DeliveryReported', '2026-02-09', {}, { id: uuid(2) }),
  posted('$register', 'FigureReported', '2026-02-26', { programme: 'p1', metric: 'late', figure: 'late', value: 1 }),
]

const LATER = [
  posted('road', 'EventCorrected', '2026-03-01', { event: uuid(1), occurredOn: '2026-02-20', reason: 'misread' }),
  posted('rail', 'DeliveryReported', '2026-02-14'),
  posted('port', 'EventRetracted', '2026-03-01', { event: uuid(2), reason: 'another port' }),
  posted('port', 'DeliveryReported', '2026-02-13'),
]

/** A register that was kept on the day asked about, and learned more and mended itself afterwards. */
async function mended(t: Test): Promise<TestService> {
  const service = await testService(t, '2026-02-26')
  await openDemo(service)
  const first = await service.post('/v1/registers/demo/events', PROMISES)
  service.clock.now = noon('2026-03-01')
  const later = await service.post('/v1/registers/demo/events', LATER)
  if (first.status !== 201 || later.status !== 201) throw new Error(`${first.text} ${later.text}`)
  await read(service, '/v1/registers/demo/commitments?minSize=14')
  return service
}

t.test('a retroactive correction is told apart from news about the same day', async (t) => {
  const service = await mended(t)
  const demo = (path: string) => read(service, `/v1/registers/demo${path}`)
  // By days: what the register said that day, and what it says now about it.
  const { items, figures, from, to } = await demo('/summary/difference?asOf=2026-02-26&from=2026-02-26&programme=p1')
  t.strictSame([from.size, to.size], [10, 14])
  const current = (status: Item) => status.schedule.current
  t.strictSame(
    items.map((item: Item) => [item.id, item.kind, current(item.before), current(item.after), becauseOf(item)]),
    [
      [
        'port',
        'both',
        'deliveredOnTime',
        'deliveredLate',
        [
          [12, 'EventRetracted', 'repair'],
          [13, 'DeliveryReported', 'news'],
        ],
      ],
      ['rail', 'news', 'late', 'deliveredOnTime', [[11, 'DeliveryReported', 'news']]],
      ['road', 'repair', 'deliveredOnTime', 'deliveredLate', [[10, 'EventCorrected', 'repair']]],
    ],
  )
  t.match(figures, {
    before: { late: { count: 1, of: 3 }, delivered: { count: 2 }, slippageDays: { original: { max: 11 } } },
    after: { late: { count: 0, of: 3 }, delivered: { count: 3 }, slippageDays: { original: { max: 10 } } },
  })
  const reported = async (knownAt: string) => (await demo(`/figures?asOf=2026-02-26${knownAt}`)).items[0].computed
  t.match(await reported('&knownAt=2026-02-26'), { count: 1, difference: 0 }, 'that day the register said the same')
  t.match(await reported(''), { count: 0, difference: -1 }, 'now it does not')
})

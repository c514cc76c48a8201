// Reported figures beside computed ones, conflicts, and the lists behind every number, on the two samples.

import t, { type Test } from 'tap'
import { FIGURE_NAMES } from '../../src/domain/figures.ts'
import { type SyntheticOptions, syntheticEvents } from '../../src/samples/synthetic.ts'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { lines, made, NDJSON, OPENED, openDemo, posted, problem, uuid } from '../support/register.ts'
import { type Answer, type TestService, testService } from '../support/service.ts'

const SYNTHETIC: SyntheticOptions = { commitments: 310, delivered: 125, late: 14, seed: 1, asOf: '2026-02-26' }
const AS_OF = 'asOf=2026-02-26'

// biome-ignore lint/suspicious/noExplicitAny: what a test reads out of an answer is asserted, not typed.
type Item = any

const reported = (occurredOn: string, data: Record<string, unknown>, more = {}) =>
  posted('$register', 'FigureReported', occurredOn, { metric: 'words of the report', value: 1, ...data }, more)

const service = await testService(t, '2026-03-01')
const load = (register: string, events: readonly unknown[]) =>
  service.post(`/v1/registers/${register}/events`, lines(...events), NDJSON)
const unionState = unionStateEvents()
await load('union-state', unionState)
await load('synthetic-310', [...syntheticEvents(SYNTHETIC)])
// Every figure that can be reported, of the whole register and of a programme, as of the day of the report and of one before.
await service.post(
  '/v1/registers/synthetic-310/events',
  FIGURE_NAMES.flatMap((figure) => [
    reported('2026-02-26', { figure, value: 14, of: 310, statedPercent: 4.5 }),
    reported('2026-02-26', { figure, programme: 'joint-networks', asOf: '2023' }),
  ]),
)

async function read(from: TestService, path: string): Promise<Item> {
  const { status, text, body } = await from.get(path)
  if (status !== 200) throw new Error(`${path}: ${text}`)
  return body
}

const ok = (path: string) => read(service, path)
const union = (path: string) => ok(`/v1/registers/union-state${path}`)
for (const register of ['union-state', 'synthetic-310']) {
  await ok(`/v1/registers/${register}/commitments?limit=1&minSize=${await service.size(register)}`)
}

async function isProblem(t: Test, answer: Promise<Answer>, status: number, word: string, ...pointers: string[]) {
  t.strictSame(problem(await answer), { status, type: `/problems/${word}`, pointers })
}

/** Every object of an answer that names a list. */
function listed(answer: unknown): Item[] {
  if (typeof answer !== 'object' || answer === null) return []
  const nested = Object.values(answer).flatMap(listed)
  return 'list' in answer ? [answer, ...nested] : nested
}

/** The ids that a list holds, page by page. */
async function idsOf(list: string): Promise<string[]> {
  const ids: string[] = []
  for (let next: string | null = list; next !== null; ) {
    const { body, headers, status, text }: Answer = await service.get(next)
    if (status !== 200) throw new Error(`${next}: ${text}`)
    for (const { id } of body.items) ids.push(id)
    next = /^<([^>]+)>; rel="next"$/.exec(String(headers.link))?.[1] ?? null
    if ((next === null) !== (body.next === null)) throw new Error(`${list}: next ${body.next}, link ${next}`)
  }
  return ids
}

/** Where a list holds something else than its number says. `of` of a coverage is what others report, and lists nothing. */
async function miscount({ list, count, of, mean }: Item): Promise<unknown[]> {
  const [numerator, denominator] = await Promise.all([
    idsOf(`${list}&limit=150`),
    idsOf(`${list}&limit=150&denominator=true`),
  ])
  if (new Set(numerator).size !== numerator.length) return [list, 'holds an id twice']
  // A spread is over those that it is of.
  const expected = mean === undefined ? count : of
  if (typeof expected === 'number' && numerator.length !== expected) return [list, numerator.length, expected]
  const isCounted = typeof of === 'number' && !list.includes('figure=coverage')
  return isCounted && denominator.length !== of ? [list, 'of', denominator.length, of] : []
}

t.test('every list in a summary, in its groups and in the figures holds exactly what its number counts', async (t) => {
  for (const register of ['union-state', 'synthetic-310']) {
    const at = `/v1/registers/${register}`
    const answers = [
      await ok(`${at}/summary?${AS_OF}&groupBy=programme,theme,party`),
      await ok(`${at}/summary?asOf=2023-06-30&programme=joint-networks&programme=&groupBy=theme`),
      await ok(`${at}/figures?${AS_OF}`),
    ]
    const numbers = new Map(answers.flatMap(listed).map((number) => [JSON.stringify(number), number]))
    t.ok(numbers.size > 100, `${numbers.size} numbers of ${register}`)
    const wrong: unknown[] = []
    for (const number of numbers.values()) {
      const found = await miscount(number)
      if (found.length > 0) wrong.push(found)
    }
    t.strictSame(wrong, [], register)
  }
})

t.test('union-state: 310, 125 and 14 with coverage, checks and bounds', async (t) => {
  const body = await union(`/figures?${AS_OF}&programme=programmes-2024-26`)
  const { items, ...frame } = body
  const knownAt = { size: unionState.length, recordedAt: '2026-03-01T12:00:00.000Z' }
  t.strictSame(frame, { next: null, asOf: '2026-02-26', knownAt, rules: '1', redacted: [], redactedCount: 0 })
  const [scope, delivered, behind] = items
  t.equal(items.length, 3)
  const list = (figure: string) =>
    `/v1/registers/union-state/commitments?figure=${figure}&${AS_OF}&knownAt=${knownAt.size}&programme=programmes-2024-26`
  const day = (value: string) => ({ value, earliest: value, latest: value })
  const { checks, ...rest } = delivered
  t.strictSame(rest, {
    event: delivered.event,
    occurredOn: day('2026-02-26'),
    programme: 'programmes-2024-26',
    programmeTitle: 'Union programmes for 2024-26',
    metric: 'measures implemented',
    figure: 'delivered',
    value: 125,
    of: 310,
    statedPercent: 40,
    asOf: null,
    approximate: false,
    citations: [
      {
        event: delivered.event,
        source: 'S3',
        locator: null,
        quote: null,
        claimedBy: 'Alyaksandr Lukashenka',
        claimedOn: day('2026-02-26'),
        differs: null,
      },
    ],
    computed: {
      figure: 'delivered',
      count: 0,
      of: 0,
      percent: null,
      value: 0,
      difference: -125,
      differencePercentagePoints: null,
      list: list('delivered'),
      asOf: '2026-02-26',
      knownAt,
      rules: '1',
      excluded: { withdrawn: 0, superseded: 0, redacted: 0 },
    },
    coverage: { count: 0, of: 310, percent: 0, list: list('coverage') },
    bounds: [],
    conflicts: [],
  })
  const inShort = ({ checks }: Item) =>
    checks.map(({ check, stated, computed, agrees }: Item) => [check, stated, computed, agrees])
  t.strictSame(inShort(scope), [['scope', 310, 310, 'exactly']])
  t.strictSame(inShort({ checks }), [
    ['percent', 40, 40.3, 'whenRounded'],
    ['scope', 310, 310, 'exactly'],
    ['part', 125, 310, 'exactly'],
  ])
  t.strictSame(inShort(behind), [
    ['percent', 4.5, 4.5, 'whenRounded'],
    ['scope', 310, 310, 'exactly'],
    ['part', 14, 310, 'exactly'],
  ])
  t.strictSame(
    [behind.computed, behind.coverage.count, behind.coverage.of],
    [null, 0, 310],
    'what names no figure is compared with none',
  )
  t.strictSame(
    behind.bounds.map(({ detail, percent, reading, events }: Item) => [detail, percent, reading, events]),
    [
      ['at most 139 of 310 can have been due', 44.9, 'assumed', [delivered.event, behind.event]],
      ['at least 10.0 % (14 of 139) of what was due is missed', 10, 'assumed', [delivered.event, behind.event]],
    ],
  )
  t.match(behind.bounds[1].assumption, /^if the 14 "instructions behind schedule" .* the 125 "measures implemented" /)
})

t.test('figures are in the order of their days, those in force on the day and known by then', async (t) => {
  const metrics = async (query: string) => (await union(`/figures?${query}`)).items.map(({ metric }: Item) => metric)
  t.strictSame(await metrics(AS_OF), [
    'programmes agreed',
    'bilateral trade growth in 2023, percent',
    'trade turnover in 2024 including services, billion USD',
    'trade turnover, multiple since the union began',
    'measures in scope',
    'measures implemented',
    'instructions behind schedule',
  ])
  t.equal((await metrics('asOf=2026-02-25')).length, 4)
  t.equal((await metrics('asOf=2025-03-13&programme=')).length, 1)
  t.strictSame(await metrics(`${AS_OF}&programme=programmes-2021`), ['programmes agreed'])
  const [{ event }] = (await union(`/figures?${AS_OF}&programme=programmes-2024-26`)).items
  t.equal((await metrics(`${AS_OF}&knownAt=${event}`)).length, 4)
  t.equal((await metrics(`${AS_OF}&knownAt=${event + 1}`)).length, 5)
})

t.test('a reported figure is held against the day that it is about, at the knowledge of the question', async (t) => {
  const size = await service.size('synthetic-310')
  const at = '/v1/registers/synthetic-310'
  const { items } = await ok(`${at}/figures?${AS_OF}`)
  t.equal(items.length, 2 * FIGURE_NAMES.length)
  const now = await ok(`${at}/summary?${AS_OF}`)
  const then = await ok(`${at}/summary?asOf=2023-12-31&programme=joint-networks`)
  for (const { figure, programme, value, computed, coverage, asOf } of items) {
    const summary = programme === null ? now : then
    t.strictSame([computed.asOf, computed.knownAt, computed.excluded], [summary.asOf, now.knownAt, summary.excluded])
    t.strictSame([asOf?.value ?? null, coverage], [programme === null ? null : '2023', summary.coverage], figure)
    const own = {
      inScope: summary.inScope,
      coverage: summary.inScope,
      earnedSchedule: summary.earnedSchedule.spi,
      'slippageDays.original': summary.slippageDays.original.mean,
      'slippageDays.current': summary.slippageDays.current.mean,
      baselineExecutionIndex: summary.baselineExecutionIndex[programme === null ? 'count' : 'value'],
    }
    t.equal(computed.value, (own as Item)[figure] ?? summary[figure].count, figure)
    t.equal(computed.difference, Number((computed.value - value).toFixed(6)), figure)
  }
  const late = items.find(({ figure, programme }: Item) => figure === 'late' && programme === null)
  t.match(late.computed, { count: 14, of: 310, percent: 4.5, difference: 0, differencePercentagePoints: 0 })
  const before = await ok(`${at}/figures?${AS_OF}&knownAt=${size - 1}`)
  t.strictSame(before.items.at(-1).computed.knownAt.size, size - 1)
})

t.test('union-state holds two conflicts: the years of the next period, and the Oreshnik', async (t) => {
  for (const query of [`?${AS_OF}`, '']) {
    const { items, next } = await union(`/conflicts${query}`)
    t.equal(next, null)
    t.strictSame(
      items.map(({ kind, about, title, detail, citations }: Item) => [
        kind,
        about,
        title,
        detail,
        citations.map(({ source, claimedBy }: Item) => [source, claimedBy]),
      ]),
      [
        [
          'delivery-disputed',
          { commitment: 'oreshnik' },
          'Deployment of the Oreshnik missile system in Belarus',
          'claimed for 2025-12-17, disputed',
          [
            ['S15', 'Alexander Lukashenko'],
            ['S16', 'defence minister of Belarus'],
          ],
        ],
        [
          'source-differs',
          { programme: 'guidelines-2027-30' },
          'Main Guidelines for 2027-30',
          'S17 says period: "2027/2029"',
          [['S17', null]],
        ],
      ],
    )
  }
  const kinds = async (query: string) => (await union(`/conflicts?${query}`)).items.map(({ kind }: Item) => kind)
  t.strictSame(await kinds('asOf=2026-02-25'), ['delivery-disputed'])
  t.strictSame(await kinds('asOf=2025-12-17'), [])
  t.strictSame(await kinds('kind=source-differs'), ['source-differs'])
  t.strictSame(await kinds('kind=source-differs&kind=delivery-disputed&commitment=oreshnik'), ['delivery-disputed'])
  t.strictSame(await kinds('commitment=gas-market'), [])
  const [{ events }] = (await union(`/conflicts?commitment=oreshnik`)).items
  t.strictSame(await kinds(`${AS_OF}&knownAt=${events[1]}`), [])
  t.strictSame(await kinds(`${AS_OF}&knownAt=${events[1] + 1}`), ['delivery-disputed'])
})

t.test('the list of conflicts holds those that each commitment shows, whatever the two clocks', async (t) => {
  const at = '/v1/registers/synthetic-310'
  const sorted = (conflicts: Item[]) => conflicts.map((one) => JSON.stringify(one)).sort()
  for (const clocks of ['asOf=2026-02-26', 'asOf=2024-05-31', 'asOf=2025-06-30&knownAt=1500']) {
    const { items } = await ok(`${at}/conflicts?${clocks}&limit=1000`)
    const listed = items.filter(({ about }: Item) => 'commitment' in about)
    const { items: commitments } = await ok(`${at}/commitments?${clocks}&limit=1000`)
    const shown = commitments.flatMap(({ conflicts }: Item) => conflicts)
    t.ok(shown.length > 0, `${shown.length} conflicts`)
    t.strictSame(sorted(listed.map(({ about: _, title: __, ...conflict }: Item) => conflict)), sorted(shown), clocks)
  }
})

/** A register in which nearly everything contradicts something. */
async function contradictory(t: Test): Promise<TestService> {
  const service = await testService(t)
  await openDemo(service)
  const cite = (differs: Record<string, unknown>) => ({ citations: [{ source: 'S1', differs }] })
  const define = (type: string, data: Record<string, unknown>, more = {}) =>
    posted('$register', type, '2026-01-02', data, more)
  const events = [
    define('ProgrammeDefined', { programme: 'p2', title: 'Programme 2', parent: 'p1' }, cite({ title: 'Second' })),
    define('SourceAdded', { source: 'S2', title: 'Source 2' }, cite({ title: 'Paper 2' })),
    define('PartyAdded', { id: 'B', name: 'Party B' }, cite({ name: 'Party Bee' })),
    made('road', { programme: 'p1' }, { citations: [{ source: 'S2' }] }),
    posted('road', 'DeliveryReported', '2026-01-03', {}),
    posted('road', 'DeliveryReported', '2026-01-04', {}),
    reported('2026-01-05', { programme: 'p1', value: 5, figure: 'delivered' }, { citations: [{ source: 'S1' }] }),
    reported('2026-01-05', { value: 6, programme: 'p1', figure: 'delivered', metric: 'm' }, cite({ value: 7 })),
  ]
  const recorded = await service.post('/v1/registers/demo/events', events)
  const { body: log } = await service.get('/v1/registers/demo/events')
  const retract = (position: number) =>
    posted('$register', 'EventRetracted', '2026-02-01', { event: log.items[position].id, reason: 'r' })
  const retracted = await service.post('/v1/registers/demo/events', [retract(1), retract(5)])
  if (recorded.status !== 201 || retracted.status !== 201) throw new Error(`${recorded.text} ${retracted.text}`)
  // Lists wait for every projection that any answer is read from.
  await service.get('/v1/registers/demo/commitments?minSize=14')
  return service
}

const EXPECTED = [
  ['source-differs', { programme: 'p2' }, 'Programme 2', [4]],
  ['undefined-reference', { programme: 'p2' }, 'Programme 2', [4]],
  ['source-differs', { party: 'B' }, 'Party B', [6]],
  ['undefined-reference', { commitment: 'road' }, 'road', [7]],
  ['undefined-reference', { commitment: 'road' }, 'road', [7]],
  ['delivery-days-differ', { commitment: 'road' }, 'road', [8, 9]],
  ['reports-differ', { figure: 10 }, 'words of the report', [10, 11]],
  ['undefined-reference', { figure: 10 }, 'words of the report', [10]],
  ['source-differs', { figure: 11 }, 'm', [11]],
  ['undefined-reference', { figure: 11 }, 'm', [11]],
]
const citation = (event: number, source: string, differs: unknown = null) => {
  return { event, source, locator: null, quote: null, claimedBy: null, claimedOn: null, differs }
}
const inShort = ({ kind, about, title, events }: Item) => [kind, about, title, events]

t.test('conflicts are those of commitments, definitions and reported figures, in order of their events', async (t) => {
  const service = await contradictory(t)
  const at = '/v1/registers/demo'
  const { items } = await read(service, `${at}/conflicts`)
  t.strictSame(items.map(inShort), EXPECTED)
  t.strictSame(
    items.map(({ detail }: Item) => detail),
    [
      'S1 says title: "Second"',
      'programme p1 is not defined',
      'S1 says name: "Party Bee"',
      'programme p1 is not defined',
      'source S2 is not defined',
      'delivered on 2026-01-03, or on 2026-01-04',
      '"words of the report" as of 2026-01-05 is 5, or 6',
      'programme p1 is not defined',
      'S1 says value: 7',
      'programme p1 is not defined',
    ],
  )
  const of = async (path: string, pick: (item: Item) => boolean) =>
    (await read(service, `${at}${path}`)).items.filter(pick).flatMap(({ conflicts }: Item) => conflicts)
  const bare = ({ about: _, title: __, ...conflict }: Item) => conflict
  const about = (name: string) => items.filter((item: Item) => name in item.about).map(bare)
  const sorted = (conflicts: Item[]) => conflicts.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  t.strictSame(sorted(await of('/commitments', () => true)), sorted(about('commitment')))
  const ofFigures = sorted(await of('/figures', () => true))
  const differ = items.find(({ kind }: Item) => kind === 'reports-differ')
  t.strictSame(ofFigures, sorted([...about('figure'), bare(differ)]), 'the two that differ both carry it')
  t.strictSame(sorted(await of('/programmes', ({ title }) => title !== null)), sorted(about('programme')))
  t.strictSame(
    await of('/programmes', ({ id }) => id === 'p1'),
    about('commitment').slice(0, 1),
    'as the commitment says',
  )
  t.strictSame(sorted(await of('/sources?knownAt=12', () => true)), [
    {
      kind: 'source-differs',
      detail: 'S1 says title: "Paper 2"',
      events: [5],
      citations: [citation(5, 'S1', { title: 'Paper 2' })],
    },
  ])
  const before = await read(service, `${at}/conflicts?knownAt=12`)
  t.strictSame(
    before.items.map(inShort),
    [
      EXPECTED[0],
      ['source-differs', { source: 'S2' }, 'Source 2', [5]],
      EXPECTED[2],
      EXPECTED[5],
      EXPECTED[6],
      EXPECTED[8],
    ],
    'before what they refer to was retracted',
  )
  const early = await read(service, `${at}/conflicts?asOf=2026-01-04`)
  t.strictSame(early.items.map(inShort), EXPECTED.slice(0, 6), 'before the figures were reported')
})

t.test(
  'a definition shows the parent and the sources that are no longer defined, by the events that name them',
  async (t) => {
    const service = await testService(t)
    await openDemo(service)
    const define = (type: string, data: Record<string, unknown>, source?: string, id?: string) =>
      posted('$register', type, '2026-01-02', data, { citations: source ? [{ source }] : [], ...(id ? { id } : {}) })
    const recorded = await service.post('/v1/registers/demo/events', [
      define('SourceAdded', { source: 'S2', title: 'Source 2' }, undefined, uuid(1)),
      define('ProgrammeDefined', { programme: 'p0', title: 'Programme 0' }, undefined, uuid(2)),
      define('ProgrammeDefined', { programme: 'p2', title: 'Programme 2', parent: 'p1' }),
      define('ProgrammeDefined', { programme: 'p2', title: 'Programme 2', parent: 'p0' }, 'S2'),
      define('ProgrammeDefined', { programme: 'p2', title: 'The second programme' }, 'S1'),
      define('SourceAdded', { source: 'S3', title: 'Source 3' }, 'S2'),
      posted('$register', 'EventRetracted', '2026-02-01', { event: uuid(1), reason: 'r' }),
      posted('$register', 'EventRetracted', '2026-02-01', { event: uuid(2), reason: 'r' }),
    ])
    t.equal(recorded.status, 201, recorded.text)
    const undefinedReference = (what: string, event: number) => ({
      kind: 'undefined-reference',
      detail: `${what} is not defined`,
      events: [event],
      citations: [citation(event, 'S2')],
    })
    const conflictsOf = async (path: string, wanted: string) => {
      const { items } = await read(service, `/v1/registers/demo/${path}`)
      return items.find(({ id }: Item) => id === wanted).conflicts
    }
    const ofProgramme = [undefinedReference('source S2', 7), undefinedReference('programme p0', 7)]
    t.strictSame(await conflictsOf('programmes?minSize=12', 'p2'), ofProgramme)
    t.strictSame(await conflictsOf('programmes?minSize=12', 'p1'), [])
    t.strictSame(await conflictsOf('sources?minSize=12', 'S3'), [undefinedReference('source S2', 9)])
    t.strictSame(await conflictsOf('programmes?knownAt=10', 'p2'), [], 'before they were retracted')
    const { items } = await read(service, '/v1/registers/demo/conflicts?minSize=12')
    t.strictSame(
      items.map(({ about, detail, events }: Item) => [about, detail, events]),
      [
        [{ programme: 'p2' }, 'programme p0 is not defined', [7]],
        [{ programme: 'p2' }, 'source S2 is not defined', [7]],
        [{ source: 'S3' }, 'source S2 is not defined', [9]],
      ],
      'the list of conflicts has the same',
    )
  },
)

t.test('the pages of the conflicts hold each once, as known when the first was read', async (t) => {
  const service = await contradictory(t)
  const items: Item[] = []
  let pages = 0
  const list = '/v1/registers/demo/conflicts'
  for (let next: string | null = `${list}?limit=3`; next !== null; ) {
    const { body, headers } = await service.get(next)
    items.push(...body.items)
    pages += 1
    t.equal(body.knownAt.size, 14)
    next = /^<([^>]+)>; rel="next"$/.exec(String(headers.link))?.[1] ?? null
    t.equal(body.next === null, next === null)
    // Another conflict, the days of the two claims differ.
    await service.post('/v1/registers/demo/events', [
      made(`c${pages}`),
      posted(`c${pages}`, 'DeliveryReported', '2026-01-01'),
      posted(`c${pages}`, 'DeliveryReported', '2026-01-02'),
    ])
  }
  t.strictSame(items.map(inShort), EXPECTED)
  t.equal(pages, 4)
  const { next } = await read(service, `${list}?limit=1&kind=undefined-reference&knownAt=14`)
  const with_ = (parameters: string) => service.get(`${list}?cursor=${next}${parameters}`)
  t.strictSame((await with_('')).body.items.length, 4)
  t.equal((await with_('&kind=undefined-reference&knownAt=14&limit=2')).body.items.length, 2)
  for (const other of ['&kind=source-differs', '&asOf=2026-01-01', '&knownAt=13', '&commitment=road']) {
    await isProblem(t, with_(other), 400, 'malformed', '/cursor')
  }
  await service.post('/v1/registers', { id: 'other', ...OPENED })
  await isProblem(t, service.get(`/v1/registers/other/conflicts?cursor=${next}`), 400, 'malformed', '/cursor')
  const { next: another } = await read(service, '/v1/registers/demo/commitments?limit=1')
  for (const cursor of [another, 'x', '', 'e30']) {
    await isProblem(t, service.get(`${list}?cursor=${cursor}`), 400, 'malformed', '/cursor')
  }
  const changed = (change: object) => {
    const cursor = { ...JSON.parse(Buffer.from(next, 'base64url').toString()), ...change }
    return service.get(`${list}?cursor=${Buffer.from(JSON.stringify(cursor)).toString('base64url')}`)
  }
  await isProblem(t, changed({ list: 'commitments' }), 400, 'malformed', '/cursor')
  await isProblem(t, changed({ v: 0 }), 410, 'cursor-expired')
})

t.test('a conflict goes when an event settles it', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  await service.post('/v1/registers/demo/events', [
    reported('2026-01-05', { value: 5, figure: 'delivered' }),
    reported('2026-01-05', { value: 6, figure: 'delivered' }, { id: uuid(6) }),
  ])
  const count = async (size: number) =>
    (await read(service, `/v1/registers/demo/conflicts?minSize=${size}`)).items.length
  t.equal(await count(6), 1)
  await service.post('/v1/registers/demo/events', [
    posted('$register', 'EventCorrected', '2026-02-01', {
      event: uuid(6),
      data: { metric: 'm', value: 5, figure: 'delivered' },
      reason: 'misread',
    }),
  ])
  t.equal(await count(7), 0)
})

t.test('a due day that passes can begin a conflict without an event', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  await service.post('/v1/registers/demo/events', [
    made('road', { due: '2026-02-01' }),
    posted('road', 'StatusReported', '2026-01-10', { status: 'going well', means: 'onSchedule' }),
  ])
  const kinds = async (asOf: string) =>
    (await read(service, `/v1/registers/demo/conflicts?asOf=${asOf}&minSize=6`)).items.map(({ kind }: Item) => kind)
  t.strictSame(await kinds('2026-02-01'), [])
  t.strictSame(await kinds('2026-02-02'), ['status-differs'])
})

t.test('an imprecise date of a report is given as it stands', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  await service.post('/v1/registers/demo/events', [reported('2026-01', { asOf: '../2025-12', approximate: true })])
  const { items } = await read(service, '/v1/registers/demo/figures?minSize=5')
  t.match(items, [
    {
      occurredOn: { value: '2026-01', earliest: '2026-01-01', latest: '2026-01-31' },
      asOf: { value: '../2025-12', earliest: null, latest: '2025-12-31' },
      approximate: true,
      computed: null,
      coverage: null,
      checks: [],
      bounds: [],
    },
  ])
  t.strictSame((await read(service, '/v1/registers/demo/figures?asOf=2026-01-30')).items, [])
})

t.test('the date of a report is the one that a correction gave it', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  await service.post('/v1/registers/demo/events', [
    reported('2026-01', {}, { id: uuid(1) }),
    posted('$register', 'EventCorrected', '2026-02-01', { event: uuid(1), occurredOn: '../2026-01-05', reason: 'r' }),
  ])
  const dates = async (query: string) =>
    (await read(service, `/v1/registers/demo/figures?${query}`)).items.map(({ occurredOn }: Item) => occurredOn)
  t.strictSame(await dates('minSize=6'), [{ value: '../2026-01-05', earliest: null, latest: '2026-01-05' }])
  t.strictSame(await dates('knownAt=5'), [{ value: '2026-01', earliest: '2026-01-01', latest: '2026-01-31' }])
})

t.test('an unchanged answer is a 304, another question or a recording makes another tag', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  const questions: [string, string][] = [
    ['/v1/registers/demo/figures', 'programme=p1'],
    ['/v1/registers/demo/conflicts', 'kind=made-twice'],
  ]
  for (const [path, question] of questions) {
    const size = await service.size('demo')
    const { status, headers } = await service.get(`${path}?minSize=${size}`)
    const known = { 'if-none-match': String(headers.etag) }
    const again = await service.get(`${path}?minSize=${size}`, known)
    t.strictSame([status, again.status, again.text, headers['cache-control']], [200, 304, '', 'no-cache'])
    for (const other of [question, 'asOf=2026-02-01', 'knownAt=3']) {
      t.equal((await service.get(`${path}?${other}`, known)).status, 200, other)
    }
    await service.post('/v1/registers/demo/events', [reported('2026-01-01', {})])
    t.equal((await service.get(`${path}?minSize=${size + 1}`, known)).status, 200)
  }
})

t.test('what cannot be asked is refused, and the parameter named', async (t) => {
  for (const path of ['/v1/registers/union-state/figures', '/v1/registers/union-state/conflicts']) {
    await isProblem(t, service.get(`${path}?colour=red`), 400, 'malformed', '/colour')
    await isProblem(t, service.get(`${path}?asOf=2026-02-30`), 400, 'malformed', '/asOf')
    await isProblem(t, service.get(`${path}?knownAt=now`), 400, 'malformed', '/knownAt')
    await isProblem(t, service.get(`${path}?knownAt=9999`), 400, 'beyond-knowledge')
    await isProblem(t, service.get(`${path}?minSize=x`), 400, 'malformed', '/minSize')
  }
  await isProblem(t, service.get('/v1/registers/union-state/figures?programme=A!'), 400, 'malformed', '/programme/0')
  const conflicts = '/v1/registers/union-state/conflicts'
  await isProblem(t, service.get(`${conflicts}?kind=quarrel`), 400, 'malformed', '/kind/0')
  await isProblem(t, service.get(`${conflicts}?commitment=$register`), 400, 'malformed', '/commitment/0')
  for (const limit of ['0', '1001', 'x']) {
    await isProblem(t, service.get(`${conflicts}?limit=${limit}`), 400, 'malformed', '/limit')
  }
  await isProblem(t, service.get('/v1/registers/nothing/figures'), 404, 'unknown-register')
  await isProblem(t, service.get('/v1/registers/nothing/conflicts'), 404, 'unknown-register')
  t.strictSame((await ok('/v1/registers/union-state/figures?knownAt=0')).items, [])
  t.strictSame((await ok('/v1/registers/union-state/conflicts?knownAt=0')).items, [])
})

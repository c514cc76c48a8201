// What is read about commitments, on the two samples. The first 60 events of union-state are recorded a day before the rest.

import t, { type Test } from 'tap'
import { type SyntheticOptions, syntheticEvents } from '../../src/samples/synthetic.ts'
import { unionStateEvents } from '../../src/samples/union-state.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { lines, made, NDJSON, openDemo, posted, problem, uuid } from '../support/register.ts'
import { type Answer, noon, testService } from '../support/service.ts'

const FIRST = 60
const SYNTHETIC: SyntheticOptions = { commitments: 310, delivered: 125, late: 14, seed: 1, asOf: '2026-02-26' }
const AS_OF = 'asOf=2026-02-26'

const service = await testService(t, '2026-02-28')
const unionState = unionStateEvents()
const synthetic = [...syntheticEvents(SYNTHETIC)]
const load = (register: string, events: readonly unknown[]) =>
  service.post(`/v1/registers/${register}/events`, lines(...events), NDJSON)
await load('union-state', unionState.slice(0, FIRST))
service.clock.now = noon('2026-03-01')
await load('union-state', unionState)
await load('synthetic-310', synthetic)
const SIZE = unionState.length

const union = (path: string, headers?: Record<string, string>) =>
  service.get(`/v1/registers/union-state${path}`, headers)

// Every answer below knows the whole log.
await union(`/commitments?minSize=${SIZE}`)
await service.get(`/v1/registers/synthetic-310/commitments?minSize=${synthetic.length}`)

// biome-ignore lint/suspicious/noExplicitAny: what a test reads out of an answer is asserted, not typed.
type Item = any

async function ok(path: string): Promise<Item> {
  const { status, text, body } = await service.get(path.startsWith('/v1') ? path : `/v1/registers/union-state${path}`)
  if (status !== 200) throw new Error(`${path}: ${text}`)
  return body
}

const ids = (body: Item): string[] => body.items.map(({ id }: Item) => id)

async function isProblem(t: Test, answer: Promise<Answer>, status: number, word: string, ...pointers: string[]) {
  t.strictSame(problem(await answer), { status, type: `/problems/${word}`, pointers })
}

/** The position of the only event of a stream that is of a type. */
async function positionOf(stream: string, type: string): Promise<number> {
  const { items } = await ok(`/events?stream=${stream}&type=${type}`)
  if (items.length !== 1) throw new Error(`${items.length} of ${type}`)
  return items[0].position
}

t.test('communication-tariffs is late by at most 198 days, and by 1,811 against its original due date', async (t) => {
  const body = await ok(`/commitments/communication-tariffs?${AS_OF}`)
  const { baselines, citations, ...rest } = body
  t.strictSame(rest, {
    id: 'communication-tariffs',
    title: 'Uniform tariffs for communication services (end of roaming)',
    description: null,
    programme: null,
    themes: ['tariffs'],
    parties: ['BY', 'RU'],
    target: null,
    earlierTargets: [],
    lifecycle: 'delivered',
    schedule: { original: 'deliveredLate', current: 'deliveredLate', uncertain: true },
    verification: 'claimed',
    supersededBy: [],
    dates: {
      madeOn: { value: '2019-12', earliest: '2019-12-01', latest: '2019-12-31' },
      originalDue: { value: '2020-09', earliest: '2020-09-01', latest: '2020-09-30' },
      currentDue: { value: '2025-03-01', earliest: '2025-03-01', latest: '2025-03-01' },
      forecastFinish: null,
      actualFinish: { value: '2025-03-01/2025-09-15', earliest: '2025-03-01', latest: '2025-09-15' },
    },
    slippageDays: { original: 1_811, current: 198 },
    baselineShiftDays: 1_613,
    rebaselines: 2,
    forecastPushes: 0,
    stalenessDays: 164,
    progress: null,
    milestones: [],
    reportedStatus: {
      status: 'announced again',
      means: null,
      note: 'to be discussed and potentially implemented',
      event: await positionOf('communication-tariffs', 'StatusReported'),
      occurredOn: { value: '../2024-12-06', earliest: null, latest: '2024-12-06' },
    },
    assessments: [],
    conflicts: [],
    redacted: [],
    revision: 5,
    asOf: '2026-02-26',
    knownAt: { size: SIZE, recordedAt: '2026-03-01T12:00:00.000Z' },
    rules: '1',
  })
  t.strictSame(
    baselines.map(({ number, due, occurredOn }: Item) => [number, due.value, occurredOn.value]),
    [
      [0, '2020-09', '2019-12'],
      [1, '2022-06-01', '2022-04-01'],
      [2, '2025-03-01', '2024-11-05'],
    ],
  )
  t.strictSame(
    citations.map(({ source }: Item) => source),
    ['S10', 'S11', 'S12', 'S1', 'S4'],
  )
})

t.test('oreshnik is delivered on time, disputed, and its record says so as a conflict', async (t) => {
  const body = await ok(`/commitments/oreshnik?${AS_OF}`)
  t.strictSame(
    [body.lifecycle, body.schedule, body.verification],
    ['delivered', { original: 'deliveredOnTime', current: 'deliveredOnTime', uncertain: false }, 'disputed'],
  )
  t.strictSame(
    body.conflicts.map(({ kind }: Item) => kind),
    ['delivery-disputed'],
  )
  t.ok(body.conflicts[0].events.includes(await positionOf('oreshnik', 'DeliveryDisputed')))
})

t.test('electricity-market is late by 787 days and gas-market by 818', async (t) => {
  for (const [id, days] of [
    ['electricity-market', 787],
    ['gas-market', 818],
  ]) {
    const { lifecycle, schedule, slippageDays } = await ok(`/commitments/${id}?${AS_OF}`)
    t.strictSame([lifecycle, schedule.current], ['open', 'late'])
    t.strictSame(slippageDays, { original: days, current: days })
  }
})

t.test('known before the dispute was recorded oreshnik is claimed, one event later disputed', async (t) => {
  const dispute = await positionOf('oreshnik', 'DeliveryDisputed')
  const at = (size: number) => ok(`/commitments/oreshnik?asOf=2025-12-31&knownAt=${size}`)
  const [before, after] = [await at(dispute), await at(dispute + 1)]
  t.strictSame([before.lifecycle, before.verification, before.conflicts], ['delivered', 'claimed', []])
  t.strictSame([after.lifecycle, after.verification], ['delivered', 'disputed'])
  t.strictSame([before.knownAt.size, after.knownAt.size], [dispute, dispute + 1])
  for (const [size, count] of [
    [dispute, 0],
    [dispute + 1, 1],
  ]) {
    const { items } = await ok(`/commitments?asOf=2025-12-31&knownAt=${size}&verification=disputed`)
    t.equal(items.length, count)
    t.equal((await ok(`/summary?asOf=2025-12-31&knownAt=${size}`)).disputed.count, count)
  }
})

t.test('the timeline tells each period with what began it', async (t) => {
  const position = async (type: string) => ({ event: await positionOf('communication-tariffs', type) })
  const { items: moves } = await ok('/events?stream=communication-tariffs&type=CommitmentRebaselined')
  const period = (from: string, to: string | null, status: string, begunBy: object) => {
    const [lifecycle, original, current, verification, uncertain] = status.split(' ')
    const schedule = { original, current, uncertain: uncertain === 'uncertain' }
    return { from, to, lifecycle, schedule, verification, begunBy }
  }
  const delivery = await position('DeliveryReported')
  const body = await ok('/commitments/communication-tariffs/timeline')
  t.strictSame(body.items, [
    period('2019-12-31', '2020-10-01', 'open onSchedule onSchedule none', await position('CommitmentMade')),
    period('2020-10-01', '2022-04-01', 'open late late none', { dueOn: '2020-09-30' }),
    period('2022-04-01', '2022-06-02', 'open late onSchedule none', { event: moves[0].position }),
    period('2022-06-02', '2024-11-05', 'open late late none', { dueOn: '2022-06-01' }),
    period('2024-11-05', '2025-03-01', 'open late onSchedule none', { event: moves[1].position }),
    period('2025-03-01', '2025-03-02', 'open late onSchedule none uncertain', delivery),
    period('2025-03-02', '2025-09-15', 'open late late none uncertain', { dueOn: '2025-03-01' }),
    period('2025-09-15', null, 'delivered deliveredLate deliveredLate claimed uncertain', delivery),
  ])
  for (const { from, lifecycle, schedule, verification } of body.items) {
    const state = await ok(`/commitments/communication-tariffs?asOf=${from}`)
    t.strictSame([state.lifecycle, state.schedule, state.verification], [lifecycle, schedule, verification], from)
  }
  const earlier = await ok(`/commitments/communication-tariffs/timeline?knownAt=${delivery.event}`)
  t.equal(earlier.items.length, 6)
  t.equal(earlier.items.at(-1).to, null)
})

t.test('of 310 synthetic commitments 125 are delivered and 14 late, until 2035', async (t) => {
  for (const asOf of ['2026-02-26', '2034-12-31']) {
    const body = await ok(`/v1/registers/synthetic-310/summary?asOf=${asOf}`)
    const figure = (name: string, count: number, percent: number, of = 310) => {
      const list = `/v1/registers/synthetic-310/commitments?figure=${name}&asOf=${asOf}&knownAt=${synthetic.length}`
      t.strictSame(body[name], { count, of, percent, list }, name)
    }
    t.equal(body.inScope, 310)
    figure('delivered', 125, 40.3)
    figure('late', 14, 4.5)
    figure('due', 139, 44.8)
    figure('notDelivered', 0, 0)
    const { list, ...index } = body.baselineExecutionIndex
    t.strictSame(index, { count: 125, of: 139, value: 0.899 })
    t.equal(body.slippageDays.current.of, 139)
    t.strictSame([body.coverage, body.groups], [null, []])
    t.strictSame(body.excluded, { withdrawn: 0, superseded: 0, redacted: 0 })
    t.strictSame([body.register, body.asOf, body.rules], ['synthetic-310', asOf, '1'])
    t.strictSame(body.knownAt, { size: synthetic.length, recordedAt: '2026-03-01T12:00:00.000Z' })
  }
})

/** Every figure of a summary or group that names a list, as [address, count, of]. */
function lists(figures: Item): [string, number, number][] {
  const { delivered, notDelivered, late, lateAgainstOriginal, due, missed, verified, disputed } = figures
  const counted = [delivered, notDelivered, late, lateAgainstOriginal, due, missed, verified, disputed]
  return [
    ...[...counted, figures.baselineExecutionIndex].map(({ list, count, of }): [string, number, number] => [
      list,
      count,
      of,
    ]),
    ...Object.values(figures.slippageDays).map(({ list, of }: Item): [string, number, number] => [list, of, of]),
    ...(figures.coverage
      ? [[figures.coverage.list, figures.inScope, figures.inScope] as [string, number, number]]
      : []),
  ]
}

t.test('the list beside a number lists exactly what it counts', async (t) => {
  for (const [register, asOf] of [
    ['union-state', '2026-02-26'],
    ['union-state', '2024-06-30'],
    ['union-state', '2036-01-01'],
    ['synthetic-310', '2026-02-26'],
    ['synthetic-310', '2021-06-30'],
  ]) {
    const body = await ok(`/v1/registers/${register}/summary?asOf=${asOf}&groupBy=programme,theme,party`)
    const wrong: unknown[] = []
    for (const figures of [body, ...body.groups]) {
      for (const [list, count, of] of lists(figures)) {
        const [listed, denominator] = await Promise.all([
          ok(`${list}&limit=1000`),
          figures === body ? ok(`${list}&limit=1000&denominator=true`) : null,
        ])
        if (listed.items.length !== count) wrong.push([list, listed.items.length, count])
        if (denominator && denominator.items.length !== of) wrong.push([list, denominator.items.length, of])
      }
    }
    t.strictSame(wrong, [], `${register} as of ${asOf}`)
    const inScope = body.groups.filter(({ by }: Item) => by === 'programme').map(({ inScope }: Item) => inScope)
    t.equal(
      inScope.reduce((sum: number, count: number) => sum + count, 0),
      body.inScope,
    )
  }
})

/** Mean, median, p90 and maximum of days in ascending order (docs/contract.md#slippage-of-a-portfolio). */
function spread(days: readonly number[]) {
  const at = (index: number) => days[index] ?? null
  if (days.length === 0) return { of: 0, mean: null, median: null, p90: null, max: null }
  const sum = days.reduce((total, one) => total + one, 0)
  const middle = days.length / 2
  const median = Number.isInteger(middle) ? ((at(middle - 1) ?? 0) + (at(middle) ?? 0)) / 2 : at(Math.floor(middle))
  const mean = (Math.sign(sum) * Math.round((Math.abs(sum) * 10) / days.length)) / 10 || 0
  return { of: days.length, mean, median, p90: at(Math.ceil(days.length * 0.9) - 1), max: at(days.length - 1) }
}

t.test('how slippage is spread is what the listed commitments show, and what the summary sums up', async (t) => {
  for (const [register, query] of [
    ['union-state', AS_OF],
    ['union-state', 'asOf=2022-05-01&knownAt=60'],
    ['union-state', 'asOf=1999-12-31'],
    ['union-state', `${AS_OF}&programme=`],
    ['synthetic-310', AS_OF],
    ['synthetic-310', 'asOf=2031-01-01'],
  ] as const) {
    const base = `/v1/registers/${register}`
    const body = await ok(`${base}/summary/slippage?${query}`)
    const summary = await ok(`${base}/summary?${query}`)
    t.strictSame([body.asOf, body.knownAt, body.rules], [summary.asOf, summary.knownAt, '1'])
    for (const against of ['original', 'current'] as const) {
      const { of, list, items } = body[against]
      const { list: same, ...figures } = summary.slippageDays[against]
      const listed: number[] = (await ok(`${list}&limit=1000`)).items.map(
        ({ slippageDays }: Item) => slippageDays[against],
      )
      const days = items.flatMap(({ days, count }: Item) => Array<number>(count).fill(days))
      t.strictSame(
        days,
        listed.sort((a, b) => a - b),
        `${register} ${query} ${against}`,
      )
      t.strictSame(spread(days), figures, `${register} ${query} ${against} as summed up`)
      t.strictSame([of, list], [figures.of, same])
      t.equal(new Set(items.map(({ days }: Item) => days)).size, items.length, 'each number of days once')
    }
  }
})

t.test('the plan is what the listed commitments were due by, and the earned schedule follows from it', async (t) => {
  const DAY = 86_400_000
  for (const [register, query] of [
    ['union-state', AS_OF],
    ['union-state', 'asOf=2023-12-31&knownAt=60'],
    ['union-state', 'asOf=1999-12-31'],
    ['union-state', `${AS_OF}&programme=`],
    ['synthetic-310', AS_OF],
    ['synthetic-310', 'asOf=2031-01-01'],
  ] as const) {
    const base = `/v1/registers/${register}`
    const { start, of, delivered, list, items } = await ok(`${base}/summary/plan?${query}`)
    const { earnedSchedule, asOf } = await ok(`${base}/summary?${query}`)
    const listed: Item[] = (await ok(`${list}&limit=1000`)).items
    const due = items.flatMap(({ dueOn, count }: Item) => Array<string>(count).fill(dueOn))
    t.strictSame(due, listed.map(({ dates }) => dates.originalDue.latest).sort(), `${register} ${query}`)
    t.strictSame([of, delivered], [earnedSchedule.of, earnedSchedule.count])
    t.equal(start, listed.map(({ dates }) => dates.madeOn.latest).sort()[0] ?? null)
    // Where as many are planned as are delivered, in a straight line between two due days.
    const days = due.map((day: string) => Math.max(0, Date.parse(day) - Date.parse(start)) / DAY)
    const next = days[delivered - 1] ?? 0
    const before = days.filter((day: number) => day < next)
    const last = before.at(-1) ?? 0
    const share = (delivered - before.length) / Math.max(1, days.filter((day: number) => day === next).length)
    const isOver = earnedSchedule.earnedDays === null
    const earned = Math.round((last + (next - last) * share) * 10) / 10
    t.equal(isOver ? null : earned, earnedSchedule.earnedDays, `${register} ${query}: the time earned`)
    t.equal(isOver ? 0 : Date.parse(asOf) - Date.parse(start), (earnedSchedule.actualDays ?? 0) * DAY)
  }
})

t.test('the milestone trend tells of each listed commitment every due date and forecast in force', async (t) => {
  for (const [register, query] of [
    ['union-state', AS_OF],
    ['union-state', 'asOf=2024-12-01&knownAt=60'],
    ['synthetic-310', `${AS_OF}&limit=100`],
    ['synthetic-310', `${AS_OF}&figure=late&sort=-slippageDays.original`],
  ] as const) {
    const base = `/v1/registers/${register}`
    const trend = await ok(`${base}/trend?${query}`)
    const list = await ok(`${base}/commitments?${query}`)
    t.strictSame(ids(trend), ids(list).slice(0, trend.items.length), `${register} ${query}`)
    for (const item of trend.items) {
      const whole = list.items.find(({ id }: Item) => id === item.id)
      const due = item.due.map(({ number, due, event, occurredOn }: Item) => ({ number, due, event, occurredOn }))
      t.strictSame(
        due,
        whole.baselines.map(({ number, due, event, occurredOn }: Item) => ({ number, due, event, occurredOn })),
        item.id,
      )
      t.strictSame(item.forecasts.at(-1)?.finish ?? null, whole.dates.forecastFinish, item.id)
      t.strictSame(
        [item.lifecycle, item.schedule, item.verification],
        [whole.lifecycle, whole.schedule, whole.verification],
      )
      t.strictSame(item.actualFinish, whole.dates.actualFinish)
      const from = [...item.due, ...item.forecasts].map(({ effectiveOn }: Item) => effectiveOn)
      t.ok(from.every((day: string) => day <= trend.asOf))
    }
  }
  const tariffs = (await ok(`/trend?${AS_OF}&q=communication`)).items[0]
  t.strictSame(
    tariffs.due.map(({ effectiveOn, due }: Item) => [effectiveOn, due.value]),
    [
      ['2019-12-31', '2020-09'],
      ['2022-04-01', '2022-06-01'],
      ['2024-11-05', '2025-03-01'],
    ],
  )
})

t.test('the trend goes on page by page and is refused what the list is refused', async (t) => {
  const found: string[] = []
  let next: string | null = `/v1/registers/union-state/trend?${AS_OF}&limit=7`
  while (next) {
    const { body, headers } = await service.get(next)
    found.push(...ids(body))
    next = /^<(.+)>; rel="next"$/.exec(String(headers.link ?? ''))?.[1] ?? null
    t.equal(next === null, body.next === null)
  }
  t.strictSame(found, ids(await ok(`/commitments?${AS_OF}&limit=1000`)))
  await isProblem(t, union('/trend?sort=nothing'), 400, 'malformed', '/sort/0')
  await isProblem(t, union('/summary/slippage?sort=id'), 400, 'malformed', '/sort')
  await isProblem(t, union('/trend?asOf=2026-02-30'), 400, 'malformed', '/asOf')
  for (const path of [`/trend?${AS_OF}`, `/summary/slippage?${AS_OF}`, `/summary/plan?${AS_OF}`]) {
    const { headers } = await union(path)
    t.equal((await union(path, { 'if-none-match': String(headers.etag) })).status, 304, path)
  }
})

t.test('each of the 14 late ones is late', async (t) => {
  const { late } = await ok(`/v1/registers/synthetic-310/summary?${AS_OF}`)
  const { items } = await ok(late.list)
  t.equal(items.length, 14)
  t.ok(items.every((item: Item) => item.schedule.current === 'late' && item.slippageDays.current > 0))
})

t.test('a programme without commitments covers 0 of the 310 measures that it reports', async (t) => {
  const coverage = (narrowed: string) => ({
    count: 0,
    of: 310,
    percent: 0,
    list: `/v1/registers/union-state/commitments?figure=coverage&asOf=2026-02-26&knownAt=${SIZE}&programme=programmes-2024-26${narrowed}`,
  })
  const { groups } = await ok(`/summary?${AS_OF}&groupBy=programme`)
  t.strictSame(
    groups.map(({ key, inScope }: Item) => [key, inScope]),
    [
      ['guidelines-2027-30', 0],
      ['programmes-2021', 0],
      ['programmes-2024-26', 0],
      ['union-treaty', 0],
      [null, 31],
    ],
  )
  t.strictSame(groups[2].coverage, coverage(''))
  t.equal(groups[2].title, 'Union programmes for 2024-26')
  t.strictSame([groups[0].coverage, groups[4].coverage, groups[4].title], [null, null, null])
  const one = await ok(`/summary?${AS_OF}&programme=programmes-2024-26`)
  t.strictSame(one.coverage, coverage(''))
  t.strictSame([one.inScope, one.delivered.percent], [0, null])
  t.equal((await ok(`/summary?${AS_OF}&programme=`)).inScope, 31)
  t.equal((await ok(`/summary?${AS_OF}&programme=&programme=union-treaty`)).inScope, 31)
  const before = await ok('/summary?asOf=2026-02-25&groupBy=programme')
  t.notOk(before.groups.some(({ key }: Item) => key === 'programmes-2024-26'))
})

t.test(
  'a filter lists exactly those that it describes, a repeated one means or, different ones mean and',
  async (t) => {
    for (const [register, size] of [
      ['union-state', SIZE],
      ['synthetic-310', synthetic.length],
    ]) {
      const at = `/v1/registers/${register}/commitments?${AS_OF}&knownAt=${size}&limit=1000`
      const { items } = await ok(at)
      t.equal(items.length, register === 'union-state' ? 31 : 310)
      const check = async (query: string, test: (item: Item) => boolean) => {
        t.strictSame(
          ids(await ok(`${at}&${query}`)),
          items.filter(test).map(({ id }: Item) => id),
          `${register} ${query}`,
        )
      }
      for (const value of ['open', 'suspended', 'delivered', 'partiallyDelivered', 'withdrawn']) {
        await check(`lifecycle=${value}`, ({ lifecycle }) => lifecycle === value)
      }
      for (const value of ['noDueDate', 'deliveredOnTime', 'deliveredLate', 'late', 'forecastLate', 'onSchedule']) {
        await check(`schedule=${value}`, ({ schedule }) => schedule.current === value)
        await check(`scheduleOriginal=${value}`, ({ schedule }) => schedule.original === value)
      }
      for (const value of ['none', 'claimed', 'verified', 'disputed']) {
        await check(`verification=${value}`, ({ verification }) => verification === value)
      }
      const { programme, themes, parties } = items[3]
      await check(`programme=${programme ?? ''}`, (item) => item.programme === programme)
      await check('programme=', (item) => item.programme === null)
      await check(`theme=${encodeURIComponent(themes[0])}`, (item) => item.themes.includes(themes[0]))
      await check(`party=${parties[0]}`, (item) => item.parties.includes(parties[0]))
      await check('theme=', (item) => item.themes.length === 0)
      await check('party=Nobody', () => false)
      await check('lifecycle=open&lifecycle=suspended', ({ lifecycle }) => /open|suspended/.test(lifecycle))
      await check(
        'lifecycle=delivered&verification=claimed&verification=verified',
        ({ lifecycle, verification }) => lifecycle === 'delivered' && /claimed|verified/.test(verification),
      )
    }
  },
)

t.test('a sort orders by its keys in turn, nulls last either way, ties by id', async (t) => {
  const at = `/v1/registers/synthetic-310/commitments?${AS_OF}&limit=1000`
  const { items } = await ok(at)
  const byId = (a: Item, b: Item) => (a.id < b.id ? -1 : 1)
  t.strictSame(ids({ items }), ids({ items: items.toSorted(byId) }), 'by id where nothing is said')
  const values: Record<string, (item: Item) => string | number | null> = {
    id: ({ id }) => id,
    title: ({ title }) => title.toLowerCase(),
    programme: ({ programme }) => programme,
    originalDue: ({ dates }) => dates.originalDue?.latest ?? null,
    currentDue: ({ dates }) => dates.currentDue?.latest ?? null,
    forecastFinish: ({ dates }) => dates.forecastFinish?.latest ?? null,
    actualFinish: ({ dates }) => dates.actualFinish?.latest ?? null,
    slippageDays: ({ slippageDays }) => slippageDays.current,
    'slippageDays.original': ({ slippageDays }) => slippageDays.original,
    baselineShiftDays: ({ baselineShiftDays }) => baselineShiftDays,
    stalenessDays: ({ stalenessDays }) => stalenessDays,
    rebaselines: ({ rebaselines }) => rebaselines,
    revision: ({ revision }) => revision,
  }
  const order = (keys: string[]) =>
    items.toSorted((a: Item, b: Item) => {
      for (const key of keys) {
        const value = values[key.replace('-', '')] ?? (() => null)
        const [x, y] = [value(a), value(b)]
        if (x === y) continue
        if (x === null || y === null) return x === null ? 1 : -1
        return x < y === key.startsWith('-') ? 1 : -1
      }
      return byId(a, b)
    })
  const sorts = Object.keys(values).flatMap((key) => [[key], [`-${key}`]])
  for (const keys of [...sorts, ['programme', '-slippageDays'], ['-rebaselines', 'currentDue', '-id']]) {
    t.strictSame(ids(await ok(`${at}&sort=${keys.join(',')}`)), ids({ items: order(keys) }), keys.join())
  }
  t.strictSame(ids(await ok(`${at}&sort=programme&sort=-id`)), ids({ items: order(['programme', '-id']) }))
  await isProblem(t, service.get(`${at}&sort=colour`), 400, 'malformed', '/sort/0')
})

t.test('a search finds words by their beginning in id, title, description and themes', async (t) => {
  const found = async (q: string, more = '') => ids(await ok(`/commitments?${AS_OF}&q=${encodeURIComponent(q)}${more}`))
  t.strictSame(await found('roam'), ['communication-tariffs'])
  t.strictSame(await found('ROAMING comm'), ['communication-tariffs'])
  t.strictSame(await found('oreshnik'), ['oreshnik'])
  t.strictSame(await found('roaming oreshnik'), [])
  t.strictSame(await found('oaming'), [])
  t.strictSame(await found('market', '&schedule=late'), ['electricity-market', 'gas-market'])
  t.strictSame(await found('energy'), ids(await ok(`/commitments?${AS_OF}&theme=energy`)))
  for (const q of ["'", '&', '| !', ':*', "a' | 'b", '\\', '%']) t.type(await found(q), Array, q)
  // Known earlier, or as of an earlier day, the words are those in force then.
  const made = await positionOf('communication-tariffs', 'CommitmentMade')
  t.strictSame(await found('roam', `&knownAt=${made}`), [])
  t.strictSame(await found('roam', `&knownAt=${made + 1}`), ['communication-tariffs'])
  await isProblem(t, union(`/commitments?q=`), 400, 'malformed', '/q')
})

/** Every item of a list, page by page, with what to do between pages. */
async function pages(first: string, between: () => Promise<unknown> = async () => {}) {
  const items: Item[] = []
  const sizes: number[] = []
  for (let next: string | null = first; next !== null; ) {
    const { body, headers, status, text }: Answer = await service.get(next)
    if (status !== 200) throw new Error(text)
    items.push(...body.items)
    sizes.push(body.knownAt.size)
    const link = /^<([^>]+)>; rel="next"$/.exec(String(headers.link))
    if ((link === null) !== (body.next === null)) throw new Error(`Link ${headers.link}, next ${body.next}`)
    next = link?.[1] ?? null
    await between()
  }
  return { items, sizes }
}

t.test('the pages of a list hold every item once, as known when the first was read', async (t) => {
  const list = `/v1/registers/synthetic-310/commitments?${AS_OF}&sort=-slippageDays&lifecycle=open&lifecycle=delivered`
  const { items: whole } = await ok(`${list}&limit=1000`)
  let made = 0
  const { items, sizes } = await pages(`${list}&limit=20`, async () => {
    made += 1
    await service.post('/v1/registers/synthetic-310/events', [
      posted(`extra-${made}`, 'CommitmentMade', '2020-01-01', { title: 'extra', due: '2020-01-02' }),
      posted(`measure-000${made % 10}`, 'CommitmentWithdrawn', '2020-01-01', { reason: 'r' }),
    ])
  })
  t.ok(whole.length > 200)
  t.strictSame(items, whole)
  t.strictSame(new Set(sizes), new Set([synthetic.length]))
  t.equal(sizes.length, Math.ceil(whole.length / 20))
  t.equal((await ok(`/v1/registers/synthetic-310/commitments?${AS_OF}`)).items.length, 100, '100 where nothing is said')
})

t.test('a cursor belongs to its list', async (t) => {
  const { next } = await ok(`/commitments?${AS_OF}&limit=5&theme=energy&theme=trade`)
  const with_ = (parameters: string) => union(`/commitments?cursor=${next}${parameters}`)
  t.equal((await with_('')).status, 200)
  t.equal((await with_('&limit=1')).body.items.length, 1)
  t.equal((await with_(`&${AS_OF}&theme=energy&theme=trade`)).status, 200, 'what it pins may be repeated')
  await isProblem(t, with_('&theme=energy'), 400, 'malformed', '/cursor')
  await isProblem(t, with_('&sort=title'), 400, 'malformed', '/cursor')
  await isProblem(t, with_('&asOf=2026-02-25'), 400, 'malformed', '/cursor')
  await isProblem(t, with_('&figure=late'), 400, 'malformed', '/cursor')
  const elsewhere = service.get(`/v1/registers/synthetic-310/commitments?cursor=${next}`)
  await isProblem(t, elsewhere, 400, 'malformed', '/cursor')
  for (const cursor of ['', 'x', 'e30', '%F0%9F', Buffer.from('null').toString('base64url')]) {
    const answer = await union(`/commitments?cursor=${cursor}`)
    t.strictSame([answer.status, answer.body.type], [400, '/problems/malformed'], cursor)
  }
  const older = { ...JSON.parse(Buffer.from(next, 'base64url').toString()), v: 0 }
  const expired = union(`/commitments?cursor=${Buffer.from(JSON.stringify(older)).toString('base64url')}`)
  await isProblem(t, expired, 410, 'cursor-expired')
})

/** The cells of RFC 4180 text. */
function parseCsv(text: string): string[][] {
  return text
    .split('\r\n')
    .slice(0, -1)
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
        ([, a, b]) => a?.replaceAll('""', '"') ?? b ?? '',
      ),
    )
}

t.test('CSV holds the whole list, a column for each field', async (t) => {
  const at = `/v1/registers/synthetic-310/commitments?${AS_OF}&knownAt=${synthetic.length}`
  const answer = await service.get(at, { accept: 'text/csv' })
  t.equal(answer.status, 200)
  t.equal(answer.headers['content-type'], 'text/csv; charset=utf-8; header=present')
  t.equal(answer.headers['content-disposition'], 'attachment; filename="synthetic-310-2026-02-26.csv"')
  const [header = [], ...rows] = parseCsv(answer.text)
  t.equal(rows.length, 310)
  t.ok(rows.every((row) => row.length === header.length))
  const { items } = await ok(`${at}&limit=1000`)
  for (const [column, value] of [
    ['id', ({ id }: Item) => id],
    ['title', ({ title }: Item) => title],
    ['schedule.current', ({ schedule }: Item) => schedule.current],
    ['dates.originalDue.value', ({ dates }: Item) => dates.originalDue?.value],
    ['slippageDays.original', ({ slippageDays }: Item) => slippageDays.original],
    ['themes', ({ themes }: Item) => themes.join('; ')],
    ['conflicts', ({ conflicts }: Item) => conflicts.length],
    ['knownAt.size', () => synthetic.length],
  ] as const) {
    const index = header.indexOf(column)
    t.ok(index >= 0, column)
    t.strictSame(
      rows.map((row) => row[index]),
      items.map((item: Item) => String(value(item) ?? '')),
      column,
    )
  }
  t.equal(parseCsv((await service.get(`${at}&limit=3`, { accept: 'text/csv' })).text).length, 4)
})

t.test('CSV quotes what would break it, and what a spreadsheet would run', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  const { body } = await service.post('/v1/registers/demo/events', [
    made('quoted', { title: 'a "b", c\r\nd' }),
    made('run', { title: '=1+1' }),
  ])
  const { text } = await service.get(`/v1/registers/demo/commitments?minSize=${body.size}`, { accept: 'text/csv' })
  t.match(text, '\r\nquoted,"a ""b"", c\r\nd",')
  t.match(text, "\r\nrun,'=1+1,")
})

t.test('knownAt is a size, a day or an instant, and never beyond the log', async (t) => {
  const size = async (knownAt: string, path = '/commitments') =>
    (await ok(`${path}?${AS_OF}&knownAt=${encodeURIComponent(knownAt)}`)).knownAt
  const first = { size: FIRST, recordedAt: '2026-02-28T12:00:00.000Z' }
  const all = { size: SIZE, recordedAt: '2026-03-01T12:00:00.000Z' }
  const none = { size: 0, recordedAt: null }
  for (const path of ['/commitments', '/summary', '/sources', '/programmes', '/commitments/oreshnik/events']) {
    const stream = path.endsWith('/events')
    const at = async (knownAt: string) =>
      stream ? (await ok(`${path}?knownAt=${encodeURIComponent(knownAt)}`)).knownAt : size(knownAt, path)
    t.strictSame(await at(String(SIZE)), all, path)
    t.strictSame(await at('2026-03-01'), all, `today, ${path}`)
    t.strictSame(await at('2026-03-01T12:00:00Z'), all, `now, ${path}`)
    t.strictSame(await at('2026-03-01T13:00:00+01:00'), all, `now elsewhere, ${path}`)
  }
  t.strictSame(await size('60'), first)
  t.strictSame(await size('2026-02-28'), first)
  t.strictSame(await size('2026-02-28T12:00:00Z'), first)
  t.strictSame(await size('2026-03-01T11:59:59.999Z'), first)
  t.strictSame(await size('2026-02-28T11:59:59.999Z'), none)
  t.strictSame(await size('2026-02-27'), none)
  t.strictSame(await size('0'), none)
  t.strictSame(await size('1'), { size: 1, recordedAt: '2026-02-28T12:00:00.000Z' })
  t.strictSame((await ok('/commitments?knownAt=0')).items, [])
  t.strictSame((await ok('/sources?knownAt=0')).items, [])
  const empty = await ok('/summary?knownAt=0&groupBy=programme,theme,party')
  t.strictSame([empty.inScope, empty.groups, empty.earnedSchedule.spi], [0, [], null])
  t.equal(
    (await ok('/commitments?knownAt=60')).items.length,
    (await ok('/commitments?knownAt=2026-02-28')).items.length,
  )
  for (const path of [
    '/commitments',
    '/summary',
    '/sources',
    '/commitments/oreshnik',
    '/commitments/oreshnik/timeline',
  ]) {
    for (const beyond of [String(SIZE + 1), '9'.repeat(30), '2026-03-02', '2026-03-01T12:00:00.001Z', '9999-12-31']) {
      await isProblem(t, union(`${path}?knownAt=${beyond}`), 400, 'beyond-knowledge')
    }
    for (const nonsense of [
      '',
      '-1',
      '1.5',
      'now',
      '2026-02-30',
      '2026-02',
      '2026-03-01T12:00:00',
      '1e2',
      '2026-03-01T25:00Z',
    ]) {
      await isProblem(t, union(`${path}?knownAt=${nonsense}`), 400, 'malformed', '/knownAt')
    }
  }
})

t.test('asOf is a day, today where nothing is said, and may lie ahead', async (t) => {
  t.equal((await ok('/commitments')).asOf, '2026-03-01')
  t.equal((await ok('/commitments/oreshnik?asOf=2100-01-01')).asOf, '2100-01-01')
  const ahead = await ok('/commitments/microelectronics-88?asOf=2031-01-01')
  t.strictSame([ahead.schedule.current, ahead.slippageDays.current], ['late', 1])
  t.equal((await ok('/commitments/microelectronics-88?asOf=2030-12-31')).schedule.current, 'onSchedule')
  for (const asOf of [
    '2026-02-30',
    '2026-02',
    '26-02-2026',
    '',
    'today',
    '2026-02-26T00:00:00Z',
    '0000-01-01',
    '+2026-01-01',
  ]) {
    for (const path of ['/commitments', '/commitments/oreshnik', '/summary', '/sources', '/programmes']) {
      await isProblem(t, union(`${path}?asOf=${asOf}`), 400, 'malformed', '/asOf')
    }
  }
})

t.test('parameters that a resource does not have, or has once, are refused', async (t) => {
  for (const path of [
    '',
    '/events',
    '/events/0',
    '/commitments',
    '/commitments/oreshnik',
    '/commitments/oreshnik/timeline',
    '/commitments/oreshnik/events',
    '/summary',
    '/sources',
    '/programmes',
  ]) {
    await isProblem(t, union(`${path}?colour=red`), 400, 'malformed', '/colour')
  }
  await isProblem(t, service.get('/v1/registers?colour=red'), 400, 'malformed', '/colour')
  await isProblem(t, union('/commitments?asOf=2026-01-01&asOf=2026-01-02'), 400, 'malformed', '/asOf')
  await isProblem(t, union('/commitments?knownAt=1&knownAt=2'), 400, 'malformed', '/knownAt')
  await isProblem(t, union('/commitments/oreshnik/timeline?asOf=2026-01-01'), 400, 'malformed', '/asOf')
  for (const limit of ['0', '1001', '-1', '1.5', 'x', '']) {
    await isProblem(t, union(`/commitments?limit=${limit}`), 400, 'malformed', '/limit')
  }
  await isProblem(t, union('/commitments?lifecycle=done'), 400, 'malformed', '/lifecycle/0')
  await isProblem(t, union('/commitments?figure=colour'), 400, 'malformed', '/figure')
  await isProblem(t, union('/summary?groupBy=colour'), 400, 'malformed', '/groupBy/0')
})

t.test('a commitment that is not known, or not yet made, is not there', async (t) => {
  for (const path of [
    '/commitments/tunnel',
    '/commitments/Oreshnik',
    '/commitments/%00',
    '/commitments/$register',
    `/commitments/${'a'.repeat(101)}`,
    '/commitments/oreshnik?asOf=2024-12-30',
    '/commitments/oreshnik?knownAt=0',
    '/commitments/oreshnik/timeline?knownAt=0',
    '/commitments/oreshnik/events?knownAt=0',
    '/commitments/tunnel/timeline',
    '/commitments/tunnel/events',
  ]) {
    await isProblem(t, union(path), 404, 'not-known')
  }
  t.equal((await union('/commitments/oreshnik?asOf=2024-12-31')).status, 200)
  await isProblem(t, service.get('/v1/registers/nothing/commitments/tunnel'), 404, 'unknown-register')
})

t.test('a programme that two sources date differently carries the conflict', async (t) => {
  const { items } = await ok(`/programmes?${AS_OF}`)
  t.strictSame(ids({ items }).sort(), ['guidelines-2027-30', 'programmes-2021', 'programmes-2024-26', 'union-treaty'])
  const guidelines = items.find(({ id }: Item) => id === 'guidelines-2027-30')
  t.strictSame(guidelines.period, { value: '2027/2030', earliest: '2027-01-01', latest: '2030-12-31' })
  t.strictSame(
    guidelines.conflicts.map(({ kind, events, citations }: Item) => [
      kind,
      events,
      citations.map(({ source, differs }: Item) => [source, differs]),
    ]),
    [['source-differs', [guidelines.event], [['S17', { period: '2027/2029' }]]]],
  )
  const scoped = items.find(({ id }: Item) => id === 'programmes-2024-26')
  t.strictSame([scoped.scope, scoped.conflicts], [{ value: 310, unit: 'sectoral measures' }, []])
  t.equal((await ok('/programmes?asOf=2026-02-25')).items.length, 2)
})

t.test('sources are listed as of the day on which they were published', async (t) => {
  const { items } = await ok(`/sources?${AS_OF}`)
  const s14 = items.find(({ id }: Item) => id === 'S14')
  t.strictSame(
    [s14.title, s14.publisher, s14.author, s14.publishedOn],
    [
      'Oreshnik to be on combat duty in December; in 2024-12 promised for the second half of 2025',
      'Sputnik',
      null,
      { value: '2025-10-31', earliest: '2025-10-31', latest: '2025-10-31' },
    ],
  )
  t.notOk(ids(await ok('/sources?asOf=2024-12-30')).includes('S14'), 'nothing of that day refers to it')
  const cited = (await ok('/sources?asOf=2025-10-30')).items.find(({ id }: Item) => id === 'S14')
  t.strictSame([cited.title, cited.conflicts], [s14.title, []], 'the promise of 2024-12 is cited from it')
  t.equal(ids(await ok('/sources')).length, 19)
})

t.test('definitions that were taken back are listed as undefined where something refers to them', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  await service.post('/v1/registers/demo/events', [
    made('road', { programme: 'p1' }, { citations: [{ source: 'S1' }] }),
  ])
  const { body: log } = await service.get('/v1/registers/demo/events')
  const retract = (position: number) =>
    posted('$register', 'EventRetracted', '2026-02-01', { event: log.items[position].id, reason: 'r' })
  const { body } = await service.post('/v1/registers/demo/events', [retract(1), retract(2)])
  for (const [path, id] of [
    ['sources', 'S1'],
    ['programmes', 'p1'],
  ]) {
    const { body: listed } = await service.get(`/v1/registers/demo/${path}?minSize=${body.size}`)
    t.strictSame(
      listed.items.map(({ id, title, event, conflicts }: Item) => [
        id,
        title,
        event,
        conflicts.map(({ kind, events }: Item) => [kind, events]),
      ]),
      [[id, null, null, [['undefined-reference', [4]]]]],
    )
  }
  const { body: road } = await service.get('/v1/registers/demo/commitments/road')
  t.strictSame(
    road.conflicts.map(({ kind, events }: Item) => [kind, events]),
    [
      ['undefined-reference', [4]],
      ['undefined-reference', [4]],
    ],
  )
})

t.test('a stream shows its repairs on what they repair', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  const repair = (type: string, event: number, id: number, data = {}) =>
    posted('road', type, '2026-02-01', { event: uuid(event), reason: 'r', ...data }, { id: uuid(id) })
  await service.post('/v1/registers/demo/events', [
    made('road', {}, { id: uuid(1) }),
    posted('road', 'DeliveryReported', '2026-02-01', {}, { id: uuid(2) }),
    repair('EventCorrected', 2, 3, { occurredOn: '2026-02-02' }),
    repair('EventRetracted', 2, 4),
    repair('EventRetracted', 4, 5),
    repair('EventRetracted', 3, 6),
  ])
  const { body } = await service.get('/v1/registers/demo/commitments/road/events')
  t.strictSame(
    body.items.map(({ revision, type, inForce, repairs }: Item) => [revision, type, inForce, repairs]),
    [
      [1, 'CommitmentMade', true, []],
      [
        2,
        'DeliveryReported',
        true,
        [
          { event: 6, type: 'EventCorrected', inForce: false },
          { event: 7, type: 'EventRetracted', inForce: false },
        ],
      ],
      [3, 'EventCorrected', false, [{ event: 9, type: 'EventRetracted', inForce: true }]],
      [4, 'EventRetracted', false, [{ event: 8, type: 'EventRetracted', inForce: true }]],
      [5, 'EventRetracted', true, []],
      [6, 'EventRetracted', true, []],
    ],
  )
  const { body: then } = await service.get('/v1/registers/demo/commitments/road/events?knownAt=8')
  t.strictSame(
    then.items.map(({ inForce }: Item) => inForce),
    [true, false, true, true],
  )
  const { body: page, headers } = await service.get('/v1/registers/demo/commitments/road/events?limit=4')
  t.strictSame([page.items.length, page.next], [4, '4'])
  t.equal(headers.link, '</v1/registers/demo/commitments/road/events?after=4&limit=4&knownAt=10>; rel="next"')
  const { body: rest } = await service.get('/v1/registers/demo/commitments/road/events?after=4&limit=4&knownAt=10')
  t.strictSame([rest.items.map(({ revision }: Item) => revision), rest.next], [[5, 6], null])
})

t.test('one’s own recording is waited for, and what does not come is refused in time', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  for (let index = 0; index < 10; index += 1) {
    const { headers } = await service.post('/v1/registers/demo/events', made(`c${index}`))
    const size = String(headers['pledger-size'])
    const list = '/v1/registers/demo/commitments'
    const [byHeader, byParameter, byKnowledge] = await Promise.all([
      service.get(list, { 'pledger-size': size }),
      service.get(`${list}?minSize=${size}`),
      service.get(`${list}?knownAt=${size}`),
    ])
    for (const { body } of [byHeader, byParameter, byKnowledge]) {
      t.strictSame([body.items.length, body.knownAt.size], [index + 2, Number(size)])
    }
  }
  const started = performance.now()
  const late = ['commitments', 'summary', 'commitments/bridge', 'sources', 'events'].map((path) =>
    service.get(`/v1/registers/demo/${path}?minSize=1000`),
  )
  for (const answer of await Promise.all(late)) {
    t.strictSame(problem(answer), { status: 503, type: '/problems/projection-behind', pointers: [] })
    t.match(answer.headers['retry-after'], /^\d+$/)
  }
  const waitedMs = performance.now() - started
  t.ok(waitedMs > 4_500 && waitedMs < PATIENCE_MS, `after ${waitedMs} ms`)
  await isProblem(t, service.get('/v1/registers/demo/commitments?minSize=x'), 400, 'malformed', '/minSize')
  await isProblem(t, service.get('/v1/registers/demo/commitments', { 'pledger-size': 'x' }), 400, 'malformed')
})

t.test('an unchanged answer is a 304, another question or a recording makes another tag', async (t) => {
  const service = await testService(t)
  await openDemo(service)
  await service.get('/v1/registers/demo/commitments?minSize=4')
  const paths = [
    '/commitments',
    '/commitments/bridge',
    '/commitments/bridge/timeline',
    '/commitments/bridge/events',
    '/summary',
    '/sources',
    '/programmes',
    '/events',
    '/events/3',
  ]
  const tags = new Map<string, string>()
  for (const path of paths) {
    const first = await service.get(`/v1/registers/demo${path}`)
    const tag = String(first.headers.etag)
    const again = await service.get(`/v1/registers/demo${path}`, { 'if-none-match': tag })
    t.strictSame([first.status, again.status, again.text, again.headers.etag], [200, 304, '', tag], path)
    t.equal(first.headers['cache-control'], 'no-cache')
    tags.set(path, tag)
  }
  t.equal(new Set(tags.values()).size, paths.length)
  const listTag = String(tags.get('/commitments'))
  for (const other of ['?asOf=2026-02-01', '?sort=title', '?knownAt=3', '?limit=1']) {
    const { headers, status } = await service.get(`/v1/registers/demo/commitments${other}`, {
      'if-none-match': listTag,
    })
    t.equal(status, 200, other)
    t.not(headers.etag, listTag, other)
  }
  const csv = await service.get('/v1/registers/demo/commitments', { accept: 'text/csv', 'if-none-match': listTag })
  t.equal(csv.status, 200)
  await service.post('/v1/registers/demo/events', posted('bridge', 'DeliveryReported', '2026-02-01'))
  for (const path of paths.filter((path) => path !== '/events/3')) {
    const tag = String(tags.get(path))
    const { status, headers } = await service.get(`/v1/registers/demo${path}?minSize=5`, { 'if-none-match': tag })
    t.equal(status, 200, path)
    t.not(headers.etag, tag)
  }
  const event = await service.get('/v1/registers/demo/events/3', { 'if-none-match': String(tags.get('/events/3')) })
  t.equal(event.status, 304, 'an event does not change')
  service.clock.now = noon('2026-03-02')
  const fresh = await service.get('/v1/registers/demo/summary?minSize=5')
  service.clock.now = noon('2026-03-03')
  const tomorrow = await service.get('/v1/registers/demo/summary?minSize=5', {
    'if-none-match': String(fresh.headers.etag),
  })
  t.equal(tomorrow.status, 200, 'the day is part of the tag, also where it is the default')
})

t.test('a further definition amends the one before from its day on; what it does not give stays', async (t) => {
  const service = await testService(t)
  await service.post('/v1/registers', {
    id: 'demo',
    title: 'Demo',
    parties: [{ id: 'A', name: 'Party A' }],
    timeZone: 'UTC',
  })
  const define = (type: string, occurredOn: string, data: Record<string, unknown>) =>
    posted('$register', type, occurredOn, data)
  const recorded = await service.post('/v1/registers/demo/events', [
    define('ProgrammeDefined', '2020-01-01', { programme: 'p', title: 'First', scope: { value: 10, unit: 'steps' } }),
    define('ProgrammeDefined', '2022-01-01', { programme: 'p', title: 'Second', period: '2022/2023' }),
    posted('c', 'CommitmentMade', '2019-01-01', { title: 'Early', programme: 'p', parties: ['A'] }),
  ])
  t.equal(recorded.status, 201)
  const programme = async (asOf: string) => {
    const { items } = (await service.get(`/v1/registers/demo/programmes?asOf=${asOf}&minSize=4`)).body
    return items.map(({ title, scope, period, event }: Item) => [
      title,
      scope?.value ?? null,
      period?.value ?? null,
      event,
    ])
  }
  t.strictSame(await programme('2018-12-31'), [])
  t.strictSame(await programme('2019-06-01'), [['First', 10, null, 1]], 'a commitment of that day refers to it')
  t.strictSame(await programme('2021-12-31'), [['First', 10, null, 1]])
  t.strictSame(await programme('2022-01-01'), [['Second', 10, '2022/2023', 2]])
  const groups = (await service.get('/v1/registers/demo/summary?asOf=2019-06-01&groupBy=programme,party&minSize=4'))
    .body.groups
  t.strictSame(
    groups.map(({ key, title, inScope }: Item) => [key, title, inScope]),
    [
      ['p', 'First', 1],
      ['A', 'Party A', 1],
    ],
    'a name is given wherever it is named',
  )
})

t.test('the same question has the same ETag, whether its clocks are given or left out', async (t) => {
  const defaults = await union('/summary')
  const { asOf, knownAt } = defaults.body
  const given = await union(`/summary?asOf=${asOf}&knownAt=${knownAt.size}&minSize=3`)
  t.equal(given.headers.etag, defaults.headers.etag)
})

t.test('denominator goes with figure', async (t) => {
  await isProblem(t, union('/commitments?denominator=true'), 400, 'malformed', '/denominator')
})

import fc from 'fast-check'
import t from 'tap'
import { type Measured, measure } from '../../src/domain/commitment/measure.ts'
import { stateAt } from '../../src/domain/commitment/state.ts'
import { statusDates } from '../../src/domain/commitment/status.ts'
import { counts, FIGURE_NAMES, type FigureName } from '../../src/domain/figures.ts'
import { Distribution } from '../../src/domain/portfolio/distribution.ts'
import { earnedSchedule, type Plan } from '../../src/domain/portfolio/earned-schedule.ts'
import { Histogram } from '../../src/domain/portfolio/histogram.ts'
import { spread as spreadOf } from '../../src/domain/portfolio/spread.ts'
import { type ListLink, summarise as summariseTally } from '../../src/domain/portfolio/summary.ts'
import { tallyOf } from '../../src/domain/portfolio/tally.ts'
import { dayOf } from '../../src/kernel/plain-date.ts'
import {
  type Draft,
  delivered,
  disputed,
  given,
  made,
  notDelivered,
  partly,
  rebaselined,
  superseded,
  suspended,
  verified,
  withdrawn,
} from '../support/events.ts'

const AS_OF = '2025-07-01'

function distribution(values: readonly number[]): Distribution {
  const days = new Histogram()
  for (const value of values) days.add(value, 1)
  return new Distribution(days)
}

const spread = (days: readonly number[]) => spreadOf({ still: distribution(days), growing: distribution([]) }, 0)
const summarise = (members: readonly Measured[], asOf: number, scope: number | null, link: ListLink) =>
  summariseTally(tallyOf(members), asOf, scope, link)
const NO_EARNED_SCHEDULE = {
  earnedDays: null,
  actualDays: null,
  varianceDays: null,
  spi: null,
  estimateAtCompletionDays: null,
  forecastFinish: null,
}

function member(drafts: Draft[], asOf = AS_OF): Measured {
  const states = stateAt(given(...drafts), { asOf: dayOf(asOf), knownAt: drafts.length, timeZone: 'UTC' })
  if (!states) throw new Error('not known')
  return measure(statusDates(states.latest), dayOf(asOf))
}

const promise = (due?: string) => made('2025-01-01', due === undefined ? {} : { due })

// Fourteen commitments, two of which have left the scope.
const portfolio: Record<string, Measured> = {
  onTime: member([promise('2025-03-31'), delivered('2025-03-31'), verified('2025-04-01')]),
  early: member([promise('2025-12-31'), delivered('2025-06-01')]),
  deliveredLate: member([promise('2025-03-31'), delivered('2025-04-10'), disputed('2025-05-01')]),
  moved: member([promise('2025-03-31'), rebaselined('2025-03-01', '2025-05-31'), delivered('2025-05-01')]),
  late: member([promise('2025-05-31')]),
  lateOnlyAgainstOriginal: member([promise('2025-05-31'), rebaselined('2025-05-01', '2025-12-31')]),
  dueToday: member([promise('2025-07-01'), suspended('2025-02-01')]),
  partly: member([promise('2025-06-30'), partly('2025-06-01'), verified('2025-06-02')]),
  notDelivered: member([promise('2025-03-31'), notDelivered('2025-04-01')]),
  ahead: member([promise('2026-12-31')]),
  noDueDate: member([promise()]),
  deliveredWithoutDueDate: member([promise(), delivered('2025-02-01'), verified('2025-02-02')]),
  withdrawn: member([promise('2025-03-31'), withdrawn('2025-04-01')]),
  superseded: member([promise('2025-03-31'), superseded('2025-04-01', 'x')]),
}
const members = Object.values(portfolio)
const summary = summarise(members, dayOf(AS_OF), 20, (figure) => `/${figure}`)

function counted(figure: FigureName, part: 'numerator' | 'denominator' = 'numerator'): string[] {
  return Object.entries(portfolio).flatMap(([name, measured]) => (counts(figure, part, measured) ? [name] : []))
}

const due = [
  'onTime',
  'deliveredLate',
  'moved',
  'late',
  'lateOnlyAgainstOriginal',
  'dueToday',
  'partly',
  'notDelivered',
]
const isDelivered = ['onTime', 'early', 'deliveredLate', 'moved', 'deliveredWithoutDueDate']
const inScope = Object.keys(portfolio).filter((name) => name !== 'withdrawn' && name !== 'superseded')

t.test('each figure counts exactly these', async (t) => {
  const expected: Record<FigureName, string[]> = {
    inScope,
    delivered: isDelivered,
    notDelivered: ['notDelivered'],
    late: ['late', 'partly'],
    lateAgainstOriginal: ['late', 'lateOnlyAgainstOriginal', 'partly'],
    due,
    missed: ['deliveredLate', 'moved', 'late', 'lateOnlyAgainstOriginal', 'dueToday', 'partly', 'notDelivered'],
    baselineExecutionIndex: ['onTime', 'early', 'deliveredLate', 'moved'],
    verified: ['onTime', 'deliveredWithoutDueDate'],
    disputed: ['deliveredLate'],
    'slippageDays.original': ['onTime', 'early', 'deliveredLate', 'moved', 'late', 'lateOnlyAgainstOriginal', 'partly'],
    'slippageDays.current': ['onTime', 'early', 'deliveredLate', 'moved', 'late', 'partly'],
    earnedSchedule: ['onTime', 'early', 'deliveredLate', 'moved'],
    coverage: inScope,
  }
  for (const figure of FIGURE_NAMES) t.strictSame(counted(figure), expected[figure], figure)
})

t.test('each figure is counted out of exactly these', async (t) => {
  for (const figure of ['missed', 'baselineExecutionIndex'] as const) t.strictSame(counted(figure, 'denominator'), due)
  for (const figure of ['verified', 'disputed'] as const) t.strictSame(counted(figure, 'denominator'), isDelivered)
  for (const figure of ['delivered', 'notDelivered', 'late', 'lateAgainstOriginal', 'due', 'coverage'] as const) {
    t.strictSame(counted(figure, 'denominator'), inScope)
  }
})

t.test('the summary gives what they count, and the address of the list', async (t) => {
  const figure = (name: FigureName, count: number, of: number, percent: number) => ({
    count,
    of,
    percent,
    list: `/${name}`,
  })
  const { slippageDays, earnedSchedule: _, ...counted } = summary
  t.strictSame(counted, {
    inScope: 12,
    delivered: figure('delivered', 5, 12, 41.7),
    notDelivered: figure('notDelivered', 1, 12, 8.3),
    late: figure('late', 2, 12, 16.7),
    lateAgainstOriginal: figure('lateAgainstOriginal', 3, 12, 25),
    due: figure('due', 8, 12, 66.7),
    missed: figure('missed', 7, 8, 87.5),
    verified: figure('verified', 2, 5, 40),
    disputed: figure('disputed', 1, 5, 20),
    coverage: figure('coverage', 12, 20, 60),
    baselineExecutionIndex: { count: 4, of: 8, value: 0.5, list: '/baselineExecutionIndex' },
    excluded: { withdrawn: 1, superseded: 1, redacted: 0 },
  })
  // onTime 0, early -213, deliveredLate 10, moved 31 and -30, late 31, lateOnlyAgainstOriginal 214, partly 1.
  t.strictSame(slippageDays, {
    original: { mean: 10.6, median: 10, p90: 214, max: 214, of: 7, list: '/slippageDays.original' },
    current: { mean: -33.5, median: 0.5, p90: 31, max: 31, of: 6, list: '/slippageDays.current' },
  })
})

t.test('a ratio over none is null, and so is a coverage that no one reports', async (t) => {
  const none = summarise([], dayOf(AS_OF), null, () => '')
  t.strictSame(none.delivered, { count: 0, of: 0, percent: null, list: '' })
  t.strictSame(none.baselineExecutionIndex, { count: 0, of: 0, value: null, list: '' })
  t.strictSame(
    [none.inScope, none.coverage, none.earnedSchedule],
    [0, null, { count: 0, of: 0, ...NO_EARNED_SCHEDULE, list: '' }],
  )
  t.strictSame(none.slippageDays.current, { mean: null, median: null, p90: null, max: null, of: 0, list: '' })
  t.equal(summarise([], dayOf(AS_OF), 0, () => '').coverage?.percent, null)
})

t.test('the spread: mean with one decimal, median of the middle, p90 by nearest rank, maximum', async (t) => {
  t.strictSame(spread([]), { mean: null, median: null, p90: null, max: null, of: 0 })
  t.strictSame(spread([-7]), { mean: -7, median: -7, p90: -7, max: -7, of: 1 })
  t.strictSame(spread([4, 1]), { mean: 2.5, median: 2.5, p90: 4, max: 4, of: 2 })
  t.strictSame(spread([10, 9, 2]), { mean: 7, median: 9, p90: 10, max: 10, of: 3 })
  const tens = [100, 90, 80, 70, 60, 50, 40, 30, 20, 10]
  t.strictSame(spread(tens), { mean: 55, median: 55, p90: 90, max: 100, of: 10 })
  t.strictSame(spread([110, ...tens]).p90, 100)
  // Half away from zero, on both sides.
  t.strictSame(
    [spread([0, 0, 0, 1].flatMap((n) => Array(5).fill(n))).mean, spread([...Array(19).fill(0), -1]).mean],
    [0.3, -0.1],
  )
})

t.test('a spread over slippages that grow is that over what they have grown to', async (t) => {
  const days = fc.array(fc.integer({ min: -40, max: 40 }), { maxLength: 30 })
  fc.assert(
    fc.property(days, days, fc.integer({ min: -60, max: 60 }), (still, from, asOf) => {
      const both = spreadOf({ still: distribution(still), growing: distribution(from) }, asOf)
      t.strictSame(both, spread([...still, ...from.map((day) => asOf - day)]))
    }),
  )
})

const START = dayOf('2025-01-01')
const plan = (...items: [due: number, isDelivered: boolean, madeAfter?: number][]): Plan => ({
  due: distribution(items.map(([due]) => START + due)),
  made: distribution(items.map(([, , madeAfter = 0]) => START + madeAfter)),
  delivered: items.filter(([, isDelivered]) => isDelivered).length,
})

t.test('earned schedule: the time at which the plan reaches what was delivered, by hand', async (t) => {
  // Due after 10, 20, 20 and 40 days: the plan reaches 1 on day 10, 3 on day 20, 4 on day 40.
  const of = (delivered: number, actual: number) =>
    earnedSchedule(
      plan(...[10, 20, 20, 40].map((day, index): [number, boolean] => [day, index < delivered])),
      START + actual,
    )
  t.strictSame(of(1, 20), {
    earnedDays: 10,
    actualDays: 20,
    varianceDays: -10,
    spi: 0.5,
    estimateAtCompletionDays: 80,
    forecastFinish: '2025-03-22',
  })
  t.strictSame(of(2, 20), {
    earnedDays: 15,
    actualDays: 20,
    varianceDays: -5,
    spi: 0.75,
    estimateAtCompletionDays: 53.3,
    // 53 days and a third: not before the day after.
    forecastFinish: '2025-02-24',
  })
  t.strictSame(of(3, 16), {
    earnedDays: 20,
    actualDays: 16,
    varianceDays: 4,
    spi: 1.25,
    estimateAtCompletionDays: 32,
    forecastFinish: '2025-02-02',
  })
  t.strictSame(of(4, 60), {
    earnedDays: 40,
    actualDays: 60,
    varianceDays: -20,
    spi: 0.667,
    estimateAtCompletionDays: 60,
    forecastFinish: '2025-03-02',
  })
  t.strictSame(of(0, 20), {
    earnedDays: 0,
    actualDays: 20,
    varianceDays: -20,
    spi: 0,
    estimateAtCompletionDays: null,
    forecastFinish: null,
  })
})

t.test('earned schedule: straight lines between due days, from nothing at the start', async (t) => {
  t.equal(earnedSchedule(plan([30, true], [30, false], [30, false]), START + 30).earnedDays, 10)
  t.equal(earnedSchedule(plan([30, true], [30, true], [30, false]), START + 30).earnedDays, 20)
  t.equal(earnedSchedule(plan([10, true], [17, true], [17, false], [17, false]), START + 30).earnedDays, 12.3)
})

t.test('earned schedule: what was due before the start is planned at the start', async (t) => {
  const expected = {
    earnedDays: 0,
    actualDays: 10,
    varianceDays: -10,
    spi: 0,
    estimateAtCompletionDays: null,
    forecastFinish: null,
  }
  t.strictSame(earnedSchedule(plan([-5, true], [20, false]), START + 10), expected)
  t.equal(earnedSchedule(plan([-5, true], [20, true]), START + 10).earnedDays, 20)
})

t.test('earned schedule: nothing planned or no time passed gives nothing', async (t) => {
  t.strictSame(earnedSchedule(plan(), START), NO_EARNED_SCHEDULE)
  t.strictSame(earnedSchedule(plan([10, true]), START), NO_EARNED_SCHEDULE)
  t.strictSame(earnedSchedule(plan([10, true], [20, true, -3]), START - 3), NO_EARNED_SCHEDULE)
  t.equal(earnedSchedule(plan([10, true], [20, true, -3]), START).actualDays, 3, 'it starts with the earliest promise')
})

t.test(
  'property: earned schedule is as long as the plan where all is delivered, and grows with each delivery',
  async () => {
    const dues = fc.array(fc.integer({ min: -20, max: 200 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(dues, fc.integer({ min: 1, max: 300 }), (dues, actual) => {
        const earned = dues.concat(0).map((_, delivered) => {
          const items = dues.map((due, index): [number, boolean] => [due, index < delivered])
          return earnedSchedule(plan(...items), START + actual).earnedDays as number
        })
        const grows = earned.every((days, index) => days >= (earned[index - 1] ?? 0))
        return grows && earned.at(-1) === Math.max(0, ...dues)
      }),
    )
  },
)

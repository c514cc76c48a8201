import fc from 'fast-check'
import t from 'tap'
import { type Report, reportDay, scopeOf } from '../../src/domain/portfolio/report.ts'
import { boundsOf } from '../../src/domain/portfolio/report-bounds.ts'
import { checksOf } from '../../src/domain/portfolio/report-checks.ts'
import { conflictsOfReport, differingReports } from '../../src/domain/portfolio/report-conflicts.ts'
import { computedFor } from '../../src/domain/portfolio/reported.ts'
import type { SummaryFigures } from '../../src/domain/portfolio/summary.ts'
import { registerAt } from '../../src/domain/register/state.ts'
import { formatDay } from '../../src/kernel/plain-date.ts'
import { type Draft, fact, given } from '../support/events.ts'

const SCOPE = { value: 310, unit: 'measures' }
const KNOWN_AT = { size: 9, recordedAt: null }

const registered = (...drafts: Draft[]) => {
  const log = given(...drafts.map((draft) => ({ ...draft, stream: '$register' })))
  return registerAt(log, log.length)
}
const reported = (data: Record<string, unknown>, on = '2026-02-26', citations: Draft['citations'] = []) =>
  fact('FigureReported', on, { metric: 'things', value: 1, ...data }, citations)
const reports = (...drafts: Draft[]): Report[] => registered(...drafts).figures

function report(data: Record<string, unknown>, on?: string): Report {
  return reports(reported(data, on))[0] as Report
}

const checks = (data: Record<string, unknown>, scope: typeof SCOPE | null = null) =>
  checksOf(report(data), scope).map(({ check, stated, computed, agrees }) => [check, stated, computed, agrees])

t.test('a stated percentage agrees exactly, when rounded to its own decimals, or not', async (t) => {
  const agrees = (value: number, of: number, statedPercent: number) =>
    checksOf(report({ value, of, statedPercent }), null).find(({ check }) => check === 'percent')
  const cases: [number, number, number, number | null, string][] = [
    [125, 310, 40, 40.3, 'whenRounded'],
    [14, 310, 4.5, 4.5, 'whenRounded'],
    [14, 310, 4.52, 4.5, 'whenRounded'],
    [14, 310, 4.51, 4.5, 'no'],
    [14, 310, 5, 4.5, 'whenRounded'],
    [14, 310, 4, 4.5, 'no'],
    [155, 310, 50, 50, 'exactly'],
    [31, 310, 10.1, 10, 'no'],
    [1, 200, 0.5, 0.5, 'exactly'],
    // Halves go away from zero: up to what is stated, never down to it.
    [1, 200, 1, 0.5, 'whenRounded'],
    [1, 200, 0, 0.5, 'no'],
    [-1, 200, -1, -0.5, 'whenRounded'],
    [-1, 200, 0, -0.5, 'no'],
    [0.3, 3, 10, 10, 'exactly'],
    [1.1, 3.3, 33.3333333333, 33.3, 'whenRounded'],
    [1e-7, 1e-6, 10, 10, 'exactly'],
    [1e21, 1e22, 10, 10, 'exactly'],
    [5, -10, -50, -50, 'exactly'],
    [14, -310, -4.5, -4.5, 'whenRounded'],
    [5, 0, 50, null, 'no'],
  ]
  for (const [value, of, statedPercent, computed, expected] of cases) {
    const found = agrees(value, of, statedPercent)
    const { stated } = found ?? {}
    t.strictSame(
      [stated, found?.computed, found?.agrees],
      [statedPercent, computed, expected],
      `${value} of ${of}: ${statedPercent} %`,
    )
  }
  t.equal(agrees(125, 310, 40)?.detail, '125 of 310 is 40.32 %, rounded 40 % as stated')
  t.equal(agrees(14, 310, 4.5)?.detail, '14 of 310 is 4.516 %, rounded 4.5 % as stated')
  t.equal(agrees(14, 310, 4)?.detail, '14 of 310 is 4.52 %, not 4 % as stated')
  t.equal(agrees(155, 310, 50)?.detail, '155 of 310 is exactly 50 %')
  t.equal(agrees(5, 0, 50)?.detail, '5 of 0 is no percentage')
})

t.test('property: what a percentage rounds to agrees, and what is a unit beside it does not', async () => {
  const shares = fc.tuple(fc.integer({ min: 1, max: 100_000 }), fc.nat({ max: 100_000 }), fc.nat({ max: 3 }))
  fc.assert(
    fc.property(shares, ([of, value, decimals]) => {
      const units = Math.floor((2 * 100 * value * 10 ** decimals + of) / (2 * of))
      const agrees = (unit: number) =>
        checksOf(report({ value, of, statedPercent: Number(`${unit}e-${decimals}`) }), null)[0]?.agrees
      // A last decimal of 0 is not stored: what is stated then has fewer decimals, and is rounded more.
      const isStored = decimals === 0 || (units + 1) % 10 !== 0
      return agrees(units) !== 'no' && (!isStored || agrees(units + 1) === 'no')
    }),
  )
})

t.test('the whole is held against the scope of the programme, except where it is another whole', async (t) => {
  t.strictSame(checks({ figure: 'delivered', value: 125, of: 310 }, SCOPE), [
    ['scope', 310, 310, 'exactly'],
    ['part', 125, 310, 'exactly'],
  ])
  t.strictSame(checks({ figure: 'late', value: 14, of: 300 }, SCOPE)[0], ['scope', 300, 310, 'no'])
  t.strictSame(checks({ figure: 'inScope', value: 309 }, SCOPE), [['scope', 309, 310, 'no']])
  t.strictSame(checks({ value: 14, of: 310 }, SCOPE)[0], ['scope', 310, 310, 'exactly'], 'what names no figure, too')
  t.strictSame(checks({ figure: 'missed', value: 14, of: 139 }, SCOPE), [['part', 14, 139, 'exactly']])
  t.strictSame(checks({ figure: 'delivered', value: 125 }, SCOPE), [])
  t.strictSame(checks({ figure: 'delivered', value: 125, of: 310 }), [['part', 125, 310, 'exactly']])
  const [{ detail } = { detail: '' }] = checksOf(report({ figure: 'late', value: 14, of: 300 }), SCOPE)
  t.equal(detail, 'the programme reports 310 measures, not 300')
})

t.test('a part is at most its whole; days and indices are no part of anything', async (t) => {
  t.strictSame(checks({ value: 311, of: 310 }), [['part', 311, 310, 'no']])
  t.strictSame(checks({ value: 310, of: 310 }), [['part', 310, 310, 'exactly']])
  t.strictSame(checks({ figure: 'baselineExecutionIndex', value: 311, of: 310 }, SCOPE), [])
  t.strictSame(checks({ figure: 'slippageDays.original', value: 311, of: 310 }, SCOPE), [])
})

t.test('a report is about the last day of its asOf, and never about a day after its own', async (t) => {
  const day = (on: string, asOf?: string) => formatDay(reportDay(report(asOf === undefined ? {} : { asOf }, on)))
  t.equal(day('2026-02-26'), '2026-02-26')
  t.equal(day('2026-02'), '2026-02-28')
  t.equal(day('2026-02-26', '2025'), '2025-12-31')
  t.equal(day('2026-02-26', '2026'), '2026-02-26')
})

t.test('the scope is that which the programme reports on the day of the report', async (t) => {
  const defined = (on: string, value: number) =>
    fact('ProgrammeDefined', on, { programme: 'p', title: 'P', scope: { value, unit: 'steps' } })
  const register = registered(
    defined('2024-01-01', 10),
    defined('2025-01-01', 20),
    reported({ programme: 'p' }, '2023-06-01'),
    reported({ programme: 'p' }, '2024-06-01'),
    reported({ programme: 'p', asOf: '2024' }, '2025-06-01'),
    reported({ programme: 'p' }, '2025-06-02'),
    reported({}, '2025-06-03'),
  )
  t.strictSame(
    register.figures.map((one) => scopeOf(one, register)?.value ?? null),
    [null, 10, 10, 20, null],
  )
})

const delivered = { programme: 'p', metric: 'measures implemented', figure: 'delivered', value: 125, of: 310 }
const behind = { programme: 'p', metric: 'instructions behind schedule', value: 14, of: 310 }

/** The bounds of the first report beside all of them, in short. */
function bounds(scope: typeof SCOPE | null, ...data: Record<string, unknown>[]) {
  const peers = reports(...data.map((one) => reported(one)))
  return boundsOf(peers[0] as Report, peers, scope).map(
    ({ figure, bound, count, of, percent, reading }) => `${figure} ${bound} ${count} of ${of} ${percent} ${reading}`,
  )
}

t.test('14 behind schedule and 125 delivered of 310: at most 139 were due, so at least 10.0 % is missed', async (t) => {
  const peers = reports(reported(delivered), reported(behind))
  const ground = {
    assumption:
      'if the 14 "instructions behind schedule" are exactly those of the 310 measures that are past their due day and ' +
      'not delivered, the 125 "measures implemented" are those delivered, and no others were due',
    reading: 'assumed',
    events: [0, 1],
  }
  t.strictSame(boundsOf(peers[1] as Report, peers, SCOPE), [
    {
      figure: 'due',
      bound: 'atMost',
      count: 139,
      of: 310,
      percent: 44.9,
      detail: 'at most 139 of 310 can have been due',
      ...ground,
    },
    {
      figure: 'missed',
      bound: 'atLeast',
      count: 14,
      of: 139,
      percent: 10,
      detail: 'at least 10.0 % (14 of 139) of what was due is missed',
      ...ground,
    },
  ])
  t.strictSame(boundsOf(peers[0] as Report, peers, SCOPE), [], 'they stand beside the report of those behind')
})

t.test('a bound is rounded to the safe side: at least down, at most up', async (t) => {
  t.strictSame(bounds(SCOPE, { ...behind, figure: 'late', value: 2 }, { ...delivered, value: 1 }), [
    'due atMost 3 of 310 1 named',
    'missed atLeast 2 of 3 66.6 named',
  ])
  t.strictSame(bounds(SCOPE, { ...behind, figure: 'late', value: 31 }, { ...delivered, value: 31 }), [
    'due atMost 62 of 310 20 named',
    'missed atLeast 31 of 62 50 named',
  ])
  const sides = fc.tuple(fc.nat({ max: 200 }), fc.integer({ min: 1, max: 200 }))
  fc.assert(
    fc.property(sides, ([done, late]) => {
      const peers = reports(
        reported({ ...delivered, value: done, of: 400 }),
        reported({ ...behind, figure: 'late', value: late, of: 400 }),
      )
      const [due, missed] = boundsOf(peers[1] as Report, peers, null)
      const tenths = (percent: number | null | undefined) => Math.round((percent as number) * 10)
      const [up, down] = [tenths(due?.percent), tenths(missed?.percent)]
      const all = done + late
      const isUp = up * 400 >= all * 1000 && (up - 1) * 400 < all * 1000
      return isUp && down * all <= late * 1000 && (down + 1) * all > late * 1000
    }),
  )
})

t.test('which report counts those behind is never guessed from its words', async (t) => {
  t.strictSame(bounds(SCOPE, behind), [], 'nothing is known of those delivered')
  t.strictSame(bounds(SCOPE, { ...behind, of: 300 }, delivered), [], 'another whole')
  t.strictSame(bounds(SCOPE, { ...behind, of: undefined }, delivered), [], 'no whole')
  t.strictSame(bounds(SCOPE, { ...behind, figure: 'disputed' }, delivered), [], 'another figure')
  t.strictSame(bounds(SCOPE, behind, delivered, { ...behind, figure: 'late', metric: 'late' }), [], 'another is named')
  t.equal(bounds(SCOPE, { ...behind, figure: 'lateAgainstOriginal' }, delivered).length, 2)
  t.equal(bounds(SCOPE, { ...behind, figure: 'late', of: undefined }, delivered).length, 2)
})

t.test('no bound follows from numbers that are approximate, contradictory, no counts or too many', async (t) => {
  const late = { ...behind, figure: 'late' }
  t.strictSame(bounds(SCOPE, { ...late, approximate: true }, delivered), [])
  t.strictSame(bounds(SCOPE, late, { ...delivered, approximate: true }), [])
  t.strictSame(bounds(SCOPE, late, delivered, { ...delivered, value: 126 }), [])
  t.equal(bounds(SCOPE, late, delivered, delivered).length, 2, 'said twice is said')
  t.strictSame(bounds(SCOPE, { ...late, value: 1.5 }, delivered), [])
  t.strictSame(bounds(SCOPE, { ...late, value: -1 }, delivered), [])
  t.strictSame(bounds(SCOPE, { ...late, value: 186 }, delivered), [])
  t.strictSame(bounds(SCOPE, { ...late, value: 0 }, { ...delivered, value: 0 }), ['due atMost 0 of 310 0 named'])
  t.strictSame(bounds(null, { ...late, of: undefined }, { ...delivered, of: undefined }), [
    'due atMost 139 of null null named',
    'missed atLeast 14 of 139 10 named',
  ])
})

t.test('reports of one figure, programme and day that differ are one conflict with all their citations', async (t) => {
  const cited = (source: string) => [{ source }]
  const differing = (...drafts: Draft[]) =>
    differingReports(reports(...drafts)).map(({ kind, detail, events, citations }) => [
      kind,
      detail,
      events,
      citations.map(({ source, event }) => `${source} ${event}`),
    ])
  t.strictSame(
    differing(
      reported(delivered, '2026-02-26', cited('S1')),
      reported({ ...delivered, metric: 'done', value: 130 }, '2026-02-26', cited('S2')),
      reported({ ...delivered, of: undefined }, '2026-02-26', cited('S3')),
    ),
    [
      [
        'reports-differ',
        '"measures implemented" as of 2026-02-26 is 125 of 310, or 130 of 310, or 125',
        [0, 1, 2],
        ['S1 0', 'S2 1', 'S3 2'],
      ],
    ],
  )
  t.strictSame(differing(reported(delivered), reported(delivered)), [])
  t.strictSame(differing(reported(delivered), reported({ ...delivered, of: undefined })), [])
  t.equal(differing(reported(delivered), reported({ ...delivered, of: 300 })).length, 1)
  const other = (data: Record<string, unknown>, on?: string) =>
    differing(reported(behind), reported({ ...behind, value: 15, ...data }, on)).length
  t.equal(other({}), 1, 'one metric in the same words')
  t.equal(other({ metric: 'measures behind schedule' }), 0, 'other words')
  t.equal(other({ figure: 'late' }), 0, 'one names a figure')
  t.equal(other({ programme: 'q' }), 0, 'another programme')
  t.equal(other({ approximate: true }), 0, 'approximate')
  t.equal(other({}, '2026-02-25'), 0, 'another day')
  t.equal(other({ asOf: '2026-02-26' }, '2026-03-01'), 1, 'a later report about the same day')
})

t.test('a report carries its citations that differ and what it refers to that is not defined', async (t) => {
  const register = registered(
    fact('SourceAdded', '2026-01-01', { source: 'S1', title: 'One' }),
    reported({ programme: 'gone', value: 5 }, '2026-02-26', [
      { source: 'S1', differs: { value: 6 } },
      { source: 'S2' },
    ]),
  )
  t.strictSame(
    conflictsOfReport(register.figures[0] as Report, register).map(({ kind, detail, events }) => [
      kind,
      detail,
      events,
    ]),
    [
      ['source-differs', 'S1 says value: 6', [1]],
      ['undefined-reference', 'programme gone is not defined', [1]],
      ['undefined-reference', 'source S2 is not defined', [1]],
    ],
  )
})

const share = (count: number, of: number, percent: number | null) => ({ count, of, percent, list: '/' })
const spread = (mean: number | null, of: number) => ({ mean, median: 1, p90: 2, max: 3, of, list: '/' })
// Only what is compared is given.
const FIGURES = {
  inScope: 308,
  delivered: share(125, 308, 40.6),
  notDelivered: share(1, 308, 0.3),
  late: share(14, 308, 4.5),
  lateAgainstOriginal: share(20, 308, 6.5),
  due: share(139, 308, 45.1),
  missed: share(15, 139, 10.8),
  verified: share(3, 125, 2.4),
  disputed: share(0, 0, null),
  coverage: share(308, 310, 99.4),
  baselineExecutionIndex: { count: 125, of: 139, value: 0.899, list: '/' },
  slippageDays: { original: spread(12.3, 139), current: spread(null, 0) },
  earnedSchedule: { spi: 0.75 },
  excluded: { withdrawn: 1, superseded: 2, redacted: 0 },
} as unknown as SummaryFigures

t.test('the computed value stands beside the reported one with their difference', async (t) => {
  const compared = (data: Record<string, unknown>) => {
    const at = { asOf: '2026-02-26', knownAt: KNOWN_AT }
    const own = computedFor(report(data), FIGURES, at, (name) => `/${name}`)
    return own && [own.count, own.of, own.percent, own.value, own.difference, own.differencePercentagePoints]
  }
  t.equal(compared({ value: 14 }), null, 'what names no figure is compared with nothing')
  t.strictSame(compared({ figure: 'delivered', value: 120, of: 310, statedPercent: 40 }), [125, 308, 40.6, 125, 5, 0.6])
  t.strictSame(compared({ figure: 'delivered', value: 130.1 }), [125, 308, 40.6, 125, -5.1, null])
  t.strictSame(compared({ figure: 'disputed', value: 1, statedPercent: 1 }), [0, 0, null, 0, -1, null])
  t.strictSame(compared({ figure: 'inScope', value: 310 }), [308, 308, null, 308, -2, null])
  t.strictSame(compared({ figure: 'coverage', value: 310, statedPercent: 100 }), [308, 310, 99.4, 308, -2, -0.6])
  t.strictSame(compared({ figure: 'baselineExecutionIndex', value: 0.9 }), [125, 139, null, 0.899, -0.001, null])
  t.strictSame(compared({ figure: 'baselineExecutionIndex', value: 120, of: 139 }), [125, 139, null, 125, 5, null])
  t.strictSame(compared({ figure: 'slippageDays.original', value: 12 }), [139, 139, null, 12.3, 0.3, null])
  t.strictSame(compared({ figure: 'slippageDays.current', value: 12 }), [0, 0, null, null, null, null])
  t.strictSame(compared({ figure: 'earnedSchedule', value: 0.8 }), [null, null, null, 0.75, -0.05, null])
  const own = computedFor(report({ figure: 'late' }), FIGURES, { asOf: '2026-02-26', knownAt: KNOWN_AT }, (n) => n)
  t.match(own, { figure: 'late', list: 'late', asOf: '2026-02-26', knownAt: KNOWN_AT, rules: '1' })
  t.strictSame(own?.excluded, { withdrawn: 1, superseded: 2, redacted: 0 })
})

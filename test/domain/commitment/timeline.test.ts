import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { hasFactConflict } from '../../../src/domain/commitment/conflicts.ts'
import { type CommitmentState, commitmentFacts, foldFacts, stateAt } from '../../../src/domain/commitment/state.ts'
import { statusAt, statusDates } from '../../../src/domain/commitment/status.ts'
import { encodeStatus } from '../../../src/domain/commitment/status-code.ts'
import { timelineOf } from '../../../src/domain/commitment/timeline.ts'
import { answerTimeline, type PeriodAnswer } from '../../../src/domain/commitment/timeline-answer.ts'
import type { StoredEvent } from '../../../src/domain/event.ts'
import { DUE_MARKS } from '../../../src/domain/figures.ts'
import { type Day, dayOf, formatDay, LAST_DAY, parseDateRange } from '../../../src/kernel/plain-date.ts'
import {
  answerAt,
  anyLog,
  delivered,
  fact,
  forecast,
  given,
  made,
  partly,
  rebaselined,
  recorded,
  redactedAt,
  reopened,
  retract,
  suspended,
  verified,
  withdrawn,
} from '../../support/events.ts'

function periodsOf(events: readonly StoredEvent[], size = events.length): PeriodAnswer[] {
  return answerTimeline(timelineOf(commitmentFacts(events, { size, timeZone: 'UTC' })))
}

const brief = (periods: readonly PeriodAnswer[]) =>
  periods.map(({ from, to, lifecycle, schedule, verification, begunBy }) => [
    from,
    to,
    lifecycle,
    schedule.current,
    verification,
    'event' in begunBy ? begunBy.event : begunBy.dueOn,
  ])

t.test(
  'a period begins with the event or with the due day that changed the status, and ends where the next begins',
  async (t) => {
    const events = given(
      made('2025-01-01', { due: '2025-06-30' }),
      rebaselined('2025-08-01', '2025-08-31'),
      suspended('2025-08-15'),
      delivered('2025-10-01'),
      verified('2025-10-05'),
      reopened('2025-11-01'),
      withdrawn('2025-12-01'),
    )
    t.strictSame(brief(periodsOf(events)), [
      ['2025-01-01', '2025-07-01', 'open', 'onSchedule', 'none', 0],
      ['2025-07-01', '2025-08-01', 'open', 'late', 'none', '2025-06-30'],
      ['2025-08-01', '2025-08-15', 'open', 'onSchedule', 'none', 1],
      ['2025-08-15', '2025-09-01', 'suspended', 'onSchedule', 'none', 2],
      ['2025-09-01', '2025-10-01', 'suspended', 'late', 'none', '2025-08-31'],
      ['2025-10-01', '2025-10-05', 'delivered', 'deliveredLate', 'claimed', 3],
      ['2025-10-05', '2025-11-01', 'delivered', 'deliveredLate', 'verified', 4],
      ['2025-11-01', '2025-12-01', 'open', 'late', 'none', 5],
      ['2025-12-01', null, 'withdrawn', 'closed', 'none', 6],
    ])
  },
)

t.test('events that change no status, or that cancel each other within a day, begin no period', async (t) => {
  const events = given(
    made('2025-01-01'),
    rebaselined('2024-12-01', '2030'),
    partly('2025-02-01'),
    partly('2025-02-10'),
    delivered('2025-03-01'),
    reopened('2025-03-01'),
    partly('2025-03-01'),
  )
  t.strictSame(brief(periodsOf(events)), [
    ['2025-01-01', '2025-02-01', 'open', 'onSchedule', 'none', 0],
    ['2025-02-01', '2031-01-01', 'partiallyDelivered', 'onSchedule', 'claimed', 2],
    ['2031-01-01', null, 'partiallyDelivered', 'late', 'claimed', '2030-12-31'],
  ])
})

t.test('an imprecise date begins an uncertain period on its first day', async (t) => {
  const periods = periodsOf(given(made('2025-01-01', { due: '2025-06-15' }), delivered('2025-06')))
  t.strictSame(
    periods.map(({ from, lifecycle, schedule }) => [from, lifecycle, schedule.current, schedule.uncertain]),
    [
      ['2025-01-01', 'open', 'onSchedule', false],
      ['2025-06-01', 'open', 'onSchedule', true],
      ['2025-06-16', 'open', 'late', true],
      ['2025-06-30', 'delivered', 'deliveredLate', true],
    ],
  )
})

t.test('a timeline is that of a knowledge, and empty where the commitment is not known', async (t) => {
  const events = given(
    recorded('2025-01-01', made('2025-01-01')),
    recorded('2026-01-01', delivered('2025-03-01')),
    retract(0),
  )
  t.strictSame(
    [0, 1, 2, 3].map((size) => periodsOf(events, size).map(({ lifecycle }) => lifecycle)),
    [[], ['open'], ['open', 'delivered'], []],
  )
})

t.test(
  'of several facts on one day the last that changed the status began the period, not one that came after',
  async (t) => {
    const events = given(made('2025-01-01'), withdrawn('2025-03-01'), rebaselined('2025-03-01', '2025-02-01'))
    t.strictSame(brief(periodsOf(events)), [
      ['2025-01-01', '2025-03-01', 'open', 'noDueDate', 'none', 0],
      ['2025-03-01', null, 'withdrawn', 'closed', 'none', 1],
    ])
  },
)

t.test('the last day that can be written is never late', async (t) => {
  t.strictSame(brief(periodsOf(given(made('2025-01-01', { due: '9999' })))), [
    ['2025-01-01', null, 'open', 'onSchedule', 'none', 0],
  ])
})

/** Every day on which something can change, with the days around it. */
function interestingDays(events: readonly StoredEvent[]): Day[] {
  const texts = JSON.stringify(events).match(/\d{4}(-\d\d(-\d\d)?)?(?=["/T])/g) ?? []
  const bounds = texts.flatMap((text) => {
    const range = parseDateRange(text)
    return range ? [range.first, range.last] : []
  })
  const days = bounds.filter((day) => day !== null).flatMap((day) => [day - 1, day, day + 1])
  return [...new Set(days)].filter((day) => day >= 0 && day < LAST_DAY)
}

function periodAt(periods: readonly PeriodAnswer[], day: Day): PeriodAnswer | undefined {
  return periods.find(({ from, to }) => dayOf(from) <= day && (to === null || day < dayOf(to)))
}

t.test('property: the period that contains a day has exactly the status that the state has on that day', async () => {
  fc.assert(
    fc.property(anyLog(['c'], 20), fc.nat({ max: 20 }), (events, unknown) => {
      const size = Math.max(1, events.length - unknown)
      const periods = periodsOf(events, size)
      for (const day of interestingDays(events)) {
        const answer = answerAt(events, formatDay(day), size)
        const { lifecycle, schedule, verification } = periodAt(periods, day) ?? {}
        const expected = answer && [answer.lifecycle, answer.schedule, answer.verification]
        if (JSON.stringify(lifecycle ? [lifecycle, schedule, verification] : null) !== JSON.stringify(expected)) {
          throw new Error(`another status on ${formatDay(day)}`)
        }
      }
    }),
    { numRuns: 150 },
  )
})

/** What a period says of a day, worked out from the state as of that day alone. */
function contentOf(state: CommitmentState, day: Day) {
  const dates = statusDates(state)
  const { programme, themes, parties, forecastPushes } = state
  return {
    code: encodeStatus(statusAt(dates, day)),
    dates,
    rebaselines: Math.max(0, state.baselines.length - 1),
    forecastPushes,
    isConflicted: state.citations.some(({ differs }) => differs) || hasFactConflict(state, dates, day),
    membership: { programme, themes, parties },
  }
}

t.test(
  'property: on every day a period says what the state says as of that day, also where only figures change',
  async () => {
    const marks = Object.values(DUE_MARKS).map(({ afterDays }) => afterDays)
    fc.assert(
      fc.property(anyLog(['c'], 20), (events) => {
        const facts = commitmentFacts(events, { size: events.length, timeZone: 'UTC' })
        const timeline = timelineOf(facts)
        const days = interestingDays(events).flatMap((day) => [day, ...marks.map((afterDays) => day + afterDays)])
        for (const day of days) {
          const state = foldFacts(facts, day)
          const period = timeline.find(({ from, to }) => from <= day && (to === null || day < to))
          const { from: _, to: __, begunBy: ___, uncertain: ____, ...content } = period ?? {}
          if (!isDeepStrictEqual(content, state ? contentOf(state, day) : {})) {
            throw new Error(`another content on ${formatDay(day)}`)
          }
        }
      }),
      { numRuns: 300 },
    )
  },
)

t.test('a report that contradicts the status makes a conflict also as the second fact of its day', async (t) => {
  const reported = fact('StatusReported', '2025-06-01', { status: 'behind', means: 'late' })
  const events = given(made('2025-01-01', { due: '2025-12-31' }), forecast('2025-06-01', '2025-11-30'), reported)
  const timeline = timelineOf(commitmentFacts(events, { size: 3, timeZone: 'UTC' }))
  t.strictSame(
    timeline.map(({ from, isConflicted }) => [formatDay(from), isConflicted]),
    [
      ['2025-01-01', false],
      ['2025-06-01', true],
      ['2025-12-31', true],
      ['2026-01-01', false],
    ],
  )
})

t.test(
  'property: periods follow each other without a gap, each with another status, the first begun by an event',
  async () => {
    fc.assert(
      fc.property(anyLog(['c'], 20), (events) => {
        const periods = periodsOf(events)
        const facts = new Map(
          commitmentFacts(events, { size: events.length, timeZone: 'UTC' }).map((f) => [f.position, f]),
        )
        for (const [index, { from, to, begunBy, ...status }] of periods.entries()) {
          const next = periods[index + 1]
          if (to !== (next?.from ?? null) || (to !== null && to <= from)) throw new Error(`a gap after ${from}`)
          const { lifecycle, schedule, verification } = next ?? {}
          if (next && JSON.stringify(status) === JSON.stringify({ lifecycle, schedule, verification })) {
            throw new Error(`nothing changed on ${next.from}`)
          }
          if ('dueOn' in begunBy) {
            if (index === 0 || dayOf(begunBy.dueOn) !== dayOf(from) - 1)
              throw new Error(`not begun by ${begunBy.dueOn}`)
          } else {
            const fact = facts.get(begunBy.event)
            if (fact?.on !== dayOf(from) && fact?.firstOn !== dayOf(from))
              throw new Error(`not begun by ${begunBy.event}`)
          }
        }
      }),
      { numRuns: 300 },
    )
  },
)

const size = fc.nat({ max: 30 })
const asOf = fc.integer({ min: dayOf('2019-12-01'), max: dayOf('2028-01-01') }).map(formatDay)

t.test('property: any sequence of events folds without throwing, also where content was redacted', async () => {
  fc.assert(
    fc.property(
      anyLog(),
      fc.array(fc.nat({ max: 29 }), { maxLength: 5 }),
      asOf,
      size,
      (events, redacted, day, known) => {
        const left = redactedAt(events, redacted)
        answerAt(left, day, known)
        periodsOf(left, known)
      },
    ),
    { numRuns: 500 },
  )
})

t.test('property: slippage against the original is slippage against the current baseline plus the shift', async (t) => {
  let known = 0
  fc.assert(
    fc.property(anyLog(), asOf, (events, day) => {
      const answer = answerAt(events, day)
      if (!answer || answer.slippageDays.original === null) return true
      known += 1
      return answer.slippageDays.original === (answer.slippageDays.current ?? 0) + (answer.baselineShiftDays ?? 0)
    }),
    { numRuns: 1_000 },
  )
  t.ok(known > 100, `held in ${known} of 1,000`)
})

t.test('property: a state at (T, K) does not change when later events are recorded', async () => {
  fc.assert(
    fc.property(anyLog(), asOf, size, (events, day, known) => {
      const before = events.slice(0, known)
      return JSON.stringify(answerAt(before, day, known)) === JSON.stringify(answerAt(events, day, known))
    }),
    { numRuns: 300 },
  )
})

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value))
    Object.values(Object.freeze(value)).forEach(freeze)
  return value
}

t.test('property: a fold changes nothing that it reads, and gives the same again', async () => {
  fc.assert(
    fc.property(anyLog(), asOf, (events, day) => {
      const at = { asOf: dayOf(day), knownAt: events.length, timeZone: 'UTC' }
      const first = JSON.stringify(stateAt(freeze(events), at))
      return first === JSON.stringify(stateAt(events, at))
    }),
    { numRuns: 300 },
  )
})

t.test('property: what is effective after a day plays no part in the answer as of that day', async () => {
  fc.assert(
    fc.property(anyLog(), asOf, (events, day) => {
      const facts = commitmentFacts(events, { size: events.length, timeZone: 'UTC' })
      // A later fact may still have begun by its first day: only those wholly later are taken away.
      const later = new Set(facts.filter(({ firstOn }) => firstOn > dayOf(day)).map(({ id }) => id))
      const target = (event: StoredEvent) => (event.data as { event?: string }).event ?? ''
      const sooner = events.filter((event) => !later.has(event.id) && !later.has(target(event)))
      const at = { asOf: dayOf(day), knownAt: events.length, timeZone: 'UTC' }
      return JSON.stringify(stateAt(sooner, at)) === JSON.stringify(stateAt(events, at))
    }),
    { numRuns: 300 },
  )
})

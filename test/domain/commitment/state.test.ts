import t from 'tap'
import type { CommitmentAnswer } from '../../../src/domain/commitment/answer.ts'
import {
  amended,
  answerAt,
  correct,
  type Draft,
  delivered,
  disputed,
  fact,
  forecast,
  given,
  made,
  notDelivered,
  partly,
  reaffirmed,
  rebaselined,
  recorded,
  reinstated,
  reopened,
  resumed,
  retract,
  superseded,
  suspended,
  verified,
  withdrawn,
} from '../../support/events.ts'

const TODAY = '2026-03-01'

/** The answer as of today, with everything known. Throws where the commitment is not known. */
function now(...drafts: Draft[]): CommitmentAnswer {
  const answer = answerAt(given(...drafts), TODAY)
  if (!answer) throw new Error('not known')
  return answer
}

const promise = made('2025-01-01', { due: '2025-06-30' })
const cite = (source: string) => [{ source }]
const conflicts = ({ conflicts }: CommitmentAnswer) => conflicts.map(({ kind, events }) => [kind, ...events])
const finish = ({ dates }: CommitmentAnswer) => dates.actualFinish?.value ?? null

t.test('a commitment is known from the effective day of its promise on', async (t) => {
  const events = given(made('2025-03', { due: '2025-06' }))
  t.equal(answerAt(events, '2025-03-30'), null)
  t.equal(answerAt(events, '2025-03-31')?.lifecycle, 'open')
  t.equal(answerAt(events, '2025-03-31', 0), null)
  t.equal(answerAt(given(delivered('2025-01-01')), TODAY), null)
})

t.test('lifecycle: what follows on what', async (t) => {
  const d = '2025-02-01'
  const rows: [...facts: Draft[], lifecycle: string][] = [
    ['open'],
    [suspended(d), 'suspended'],
    [suspended(d), resumed(d), 'open'],
    [resumed(d), 'open'],
    [partly(d), 'partiallyDelivered'],
    [partly(d), suspended(d), 'suspended'],
    [partly(d), suspended(d), resumed(d), 'partiallyDelivered'],
    [partly(d), suspended(d), reopened(d), 'open'],
    [suspended(d), partly(d), 'partiallyDelivered'],
    [partly(d), suspended(d), partly(d), 'partiallyDelivered'],
    [suspended(d), delivered(d), 'delivered'],
    [suspended(d), delivered(d), resumed(d), 'delivered'],
    [partly(d), delivered(d), 'delivered'],
    [delivered(d), partly(d), 'delivered'],
    [delivered(d), suspended(d), 'delivered'],
    [delivered(d), reopened(d), 'open'],
    [delivered(d), reopened(d), partly(d), 'partiallyDelivered'],
    [suspended(d), reopened(d), 'suspended'],
    [reopened(d), 'open'],
    [withdrawn(d), 'withdrawn'],
    [superseded(d, 'other'), 'superseded'],
    [notDelivered(d), 'notDelivered'],
    [delivered(d), withdrawn(d), 'withdrawn'],
    [delivered(d), notDelivered(d), 'notDelivered'],
    [suspended(d), superseded(d), 'superseded'],
    [withdrawn(d), delivered(d), 'withdrawn'],
    [withdrawn(d), partly(d), 'withdrawn'],
    [withdrawn(d), reopened(d), 'withdrawn'],
    [withdrawn(d), suspended(d), 'withdrawn'],
    [withdrawn(d), resumed(d), 'withdrawn'],
    [notDelivered(d), delivered(d), 'notDelivered'],
    [delivered(d), withdrawn(d), reopened(d), 'withdrawn'],
    [withdrawn(d), superseded(d), 'withdrawn'],
    [notDelivered(d), withdrawn(d), 'notDelivered'],
    [superseded(d), notDelivered(d), 'superseded'],
    [withdrawn(d), reinstated(d), 'open'],
    [superseded(d), reinstated(d), 'open'],
    [notDelivered(d), reinstated(d), 'open'],
    [delivered(d), withdrawn(d), reinstated(d), 'open'],
    [suspended(d), withdrawn(d), reinstated(d), 'open'],
    [withdrawn(d), superseded(d), reinstated(d), 'open'],
    [withdrawn(d), reinstated(d), delivered(d), 'delivered'],
    [withdrawn(d), reinstated(d), superseded(d), 'superseded'],
    [suspended(d), reinstated(d), 'suspended'],
    [delivered(d), reinstated(d), 'delivered'],
  ]
  for (const row of rows) {
    const facts = row.slice(0, -1) as Draft[]
    t.equal(now(promise, ...facts).lifecycle, row.at(-1), facts.map(({ type }) => type).join(', ') || 'nothing')
  }
})

t.test('facts are folded in order of their effective day, whatever the order of recording', async (t) => {
  t.equal(now(promise, reopened('2025-05-01'), delivered('2025-04-01')).lifecycle, 'open')
  t.equal(now(promise, delivered('2025-05-01'), reopened('2025-04-01')).lifecycle, 'delivered')
  t.equal(now(promise, withdrawn('2025-05-01'), delivered('2025-04-01')).lifecycle, 'withdrawn')
  t.equal(now(promise, superseded('2025-05-01'), withdrawn('2025-04-01')).lifecycle, 'withdrawn')
})

t.test('on one day facts are folded in order of position', async (t) => {
  t.equal(now(promise, delivered('2025-05-01'), reopened('2025-05-01')).lifecycle, 'open')
  t.equal(now(promise, reopened('2025-05-01'), delivered('2025-05-01')).lifecycle, 'delivered')
})

t.test(
  'the promise is folded first as soon as it is effective, so that what imprecise dates put before it counts',
  async (t) => {
    const events = given(
      made('2025', { due: '2025-12-31' }),
      rebaselined('2025-03-01', '2026-12-31'),
      delivered('2025-06'),
    )
    t.equal(answerAt(events, '2025-12-30'), null)
    const answer = answerAt(events, '2025-12-31')
    t.match(answer, { lifecycle: 'delivered', rebaselines: 1, dates: { originalDue: { value: '2025-12-31' } } })
  },
)

t.test('of several promises in force the lowest position counts, the rest are conflicts', async (t) => {
  const events = given(made('2025-02-01', { title: 'first' }), made('2025-01-01', { title: 'second' }), retract(0))
  const at = (asOf: string, size: number) => {
    const answer = answerAt(events, asOf, size)
    return answer && [answer.title, ...conflicts(answer)]
  }
  t.strictSame(at('2025-01-31', 2), ['second'])
  t.strictSame(at('2025-02-01', 2), ['first', ['made-twice', 0, 1]])
  t.strictSame(at('2025-02-01', 3), ['second'])
})

t.test('the first full claim gives the finish: the last day that it may mean', async (t) => {
  t.equal(finish(now(promise, delivered('2025-07-05'), delivered('2025-07-03'))), '2025-07-03')
  const range = now(promise, delivered('../2025-09-15'))
  t.strictSame(range.dates.actualFinish, { value: '../2025-09-15', earliest: null, latest: '2025-09-15' })
  t.equal(range.slippageDays.original, 77)
  const openEnded = now(promise, delivered('2025-07-10/..'))
  t.equal(openEnded.slippageDays.original, 10)
})

t.test('a partial claim gives no finish, and a full one after it does', async (t) => {
  const partial = now(promise, partly('2025-05-01'))
  t.strictSame([finish(partial), partial.schedule.current, partial.verification], [null, 'late', 'claimed'])
  t.equal(finish(now(promise, partly('2025-05-01'), delivered('2025-06-01'))), '2025-06-01')
  t.strictSame(conflicts(now(promise, delivered('2025-06-01'), partly('2025-06-02'))), [])
})

t.test('a further claim that can mean the same day adds its citation; one that cannot is a conflict', async (t) => {
  const first = delivered('2025-05-01', cite('one'))
  const further = (on: string) => now(promise, first, delivered(on, cite('two')))
  t.strictSame(conflicts(further('2025-05')), [])
  t.strictSame(conflicts(further('../2025-05-20')), [])
  t.strictSame(conflicts(further('2025-05-02')), [['delivery-days-differ', 1, 2]])
  t.strictSame(conflicts(further('2025-06/..')), [['delivery-days-differ', 1, 2]])
  const same = further('2025-05')
  t.equal(finish(same), '2025-05-01')
  t.strictSame(
    same.citations.map(({ event, source }) => [event, source]),
    [
      [1, 'one'],
      [2, 'two'],
    ],
  )
})

t.test('where the day of the claim was capped, a further claim of that very day is no conflict', async (t) => {
  // Recorded on 2026-03-01, so the first counts from that day, which its own date does not hold.
  t.strictSame(conflicts(now(promise, delivered('2026-03-02'), delivered('2026-03-01'))), [])
})

t.test('a conflict of days goes when the claim is given up, or the wrong one retracted', async (t) => {
  const claims = [promise, delivered('2025-05-01'), delivered('2025-05-20')]
  t.strictSame(conflicts(now(...claims, reopened('2025-05-21'))), [])
  t.strictSame(conflicts(now(...claims, retract(2))), [])
})

t.test('verification: the last word since the claim was last given up or the commitment reinstated', async (t) => {
  const claim = delivered('2025-02-01')
  const rows: [...facts: Draft[], verification: string][] = [
    ['none'],
    [verified('2025-02-02'), 'none'],
    [claim, 'claimed'],
    [claim, verified('2025-02-02'), 'verified'],
    [claim, disputed('2025-02-02'), 'disputed'],
    [claim, disputed('2025-02-02'), verified('2025-02-03'), 'verified'],
    [claim, verified('2025-02-02'), disputed('2025-02-03'), 'disputed'],
    [claim, verified('2025-02-03'), disputed('2025-02-02'), 'verified'],
    [claim, disputed('2025-02-02'), delivered('2025-02-03'), 'disputed'],
    [disputed('2025-01-15'), claim, 'disputed'],
    [partly('2025-02-01'), verified('2025-02-02'), 'verified'],
    [partly('2025-02-01'), disputed('2025-02-02'), delivered('2025-02-03'), 'disputed'],
    [claim, disputed('2025-02-02'), reopened('2025-02-03'), 'none'],
    [claim, disputed('2025-02-02'), reopened('2025-02-03'), delivered('2025-02-04'), 'claimed'],
    [reopened('2025-01-15'), disputed('2025-01-10'), claim, 'disputed'],
    [claim, verified('2025-02-02'), withdrawn('2025-02-03'), 'none'],
    [claim, verified('2025-02-02'), withdrawn('2025-02-03'), reinstated('2025-02-04'), claim, 'none'],
    [verified('2025-02-02'), withdrawn('2025-02-03'), reinstated('2025-02-04'), delivered('2025-02-05'), 'claimed'],
    [verified('2025-02-02'), reinstated('2025-02-04'), delivered('2025-02-05'), 'verified'],
  ]
  for (const row of rows) {
    const facts = row.slice(0, -1) as Draft[]
    const name = facts.map(({ type, occurredOn }) => `${type} ${occurredOn}`).join(', ')
    t.equal(now(promise, ...facts).verification, row.at(-1), name || 'nothing')
  }
})

t.test('a dispute that is not settled is a conflict of the claim and the dispute', async (t) => {
  const claim = [promise, delivered('2025-05-01'), disputed('2025-05-02')]
  t.strictSame(conflicts(now(...claim)), [['delivery-disputed', 1, 2]])
  t.strictSame(conflicts(now(...claim, verified('2025-05-03'))), [])
})

t.test('baselines: 0 is the original, the last in force is current, the old ones stay', async (t) => {
  const answer = now(promise, rebaselined('2025-06-01', '2025-09'), rebaselined('2025-09-01', '2026-02'))
  t.match(answer, {
    dates: { originalDue: { value: '2025-06-30' }, currentDue: { value: '2026-02', latest: '2026-02-28' } },
    rebaselines: 2,
    baselineShiftDays: 243,
    slippageDays: { original: 244, current: 1 },
    schedule: { original: 'late', current: 'late' },
  })
  t.strictSame(
    answer.baselines.map(({ number, due, event }) => [number, due.value, event]),
    [
      [0, '2025-06-30', 0],
      [1, '2025-09', 1],
      [2, '2026-02', 2],
    ],
  )
})

t.test(
  'delivery is measured against the baseline in force on its day; later ones are kept, counted, and a conflict',
  async (t) => {
    const facts = [promise, rebaselined('2025-05-01', '2025-07-31'), delivered('2025-07-10')]
    const answer = now(...facts, rebaselined('2025-07-11', '2025-12-31'))
    t.equal(answer.dates.currentDue?.value, '2025-07-31')
    t.strictSame(answer.schedule, { original: 'deliveredLate', current: 'deliveredOnTime', uncertain: false })
    t.strictSame([answer.rebaselines, answer.baselineShiftDays, answer.baselines.length], [2, 31, 3])
    t.strictSame(conflicts(answer), [['rebaselined-after-delivery', 2, 3]])
    t.strictSame(conflicts(now(...facts, rebaselined('2025-07-10', '2025-12-31'))), [], 'on the day of delivery')
    t.strictSame(conflicts(now(promise, partly('2025-05-01'), rebaselined('2025-05-02', '2025-12'))), [], 'partial')
    const givenUp = now(...facts, rebaselined('2025-07-11', '2025-12-31'), reopened('2025-08-01'))
    t.strictSame([givenUp.dates.currentDue?.value, conflicts(givenUp)], ['2025-12-31', []])
  },
)

t.test('where nothing was due, the first rebaseline is baseline 0 and is not counted', async (t) => {
  const first = now(made('2025-01-01'), rebaselined('2025-03-01', '2025-12-31'))
  t.strictSame([first.dates.originalDue?.value, first.rebaselines, first.baselineShiftDays], ['2025-12-31', 0, 0])
  const second = now(made('2025-01-01'), rebaselined('2025-03-01', '2026'), rebaselined('2025-02-01', '2025-12-31'))
  t.strictSame([second.dates.originalDue?.value, second.rebaselines], ['2025-12-31', 1])
  const late = now(made('2025-01-01'), delivered('2025-02-01'), rebaselined('2025-03-01', '2025-01-31'))
  t.strictSame([late.schedule.original, late.schedule.current, late.rebaselines], ['deliveredLate', 'deliveredLate', 0])
  const none = now(made('2025-01-01'), delivered('2025-02-01'))
  t.strictSame(none.schedule, { original: 'noDueDate', current: 'noDueDate', uncertain: false })
  t.strictSame([none.slippageDays, none.baselineShiftDays], [{ original: null, current: null }, null])
})

t.test('schedule: the first of the list that applies, against each baseline', async (t) => {
  const at = (asOf: string, ...drafts: Draft[]) => {
    const answer = answerAt(given(...drafts), asOf)
    return answer && [answer.schedule.original, answer.schedule.current]
  }
  const moved = rebaselined('2025-02-01', '2025-08-31')
  t.strictSame(at('2025-06-30', promise), ['onSchedule', 'onSchedule'], 'on its due day it is not late')
  t.strictSame(at('2025-07-01', promise), ['late', 'late'])
  t.strictSame(at('2025-07-01', promise, moved), ['late', 'onSchedule'])
  t.strictSame(at('2025-06-01', promise, forecast('2025-05-01', '2025-06-30')), ['onSchedule', 'onSchedule'])
  t.strictSame(at('2025-06-01', promise, forecast('2025-05-01', '2025-07')), ['forecastLate', 'forecastLate'])
  t.strictSame(at('2025-06-01', promise, moved, forecast('2025-05-01', '2025-07')), ['forecastLate', 'onSchedule'])
  t.strictSame(at('2025-07-01', promise, forecast('2025-05-01', '2025-07')), ['late', 'late'])
  t.strictSame(at('2025-09-01', promise, moved, delivered('2025-06-30')), ['deliveredOnTime', 'deliveredOnTime'])
  t.strictSame(at('2025-09-01', promise, moved, delivered('2025-07-01')), ['deliveredLate', 'deliveredOnTime'])
  t.strictSame(at('2025-09-01', promise, delivered('2025-07-01'), withdrawn('2025-08-01')), ['closed', 'closed'])
  t.strictSame(at('2025-09-01', promise, notDelivered('2025-08-01')), ['closed', 'closed'])
  t.strictSame(at('2025-09-01', made('2025-01-01'), superseded('2025-08-01')), ['closed', 'closed'])
  t.strictSame(
    at('2031-01-01', made('2025-01-01', { due: '2030' })),
    ['late', 'late'],
    '"by 2030" is late from 2031 on',
  )
  t.strictSame(at('2030-12-31', made('2025-01-01', { due: '2030' })), ['onSchedule', 'onSchedule'])
})

t.test('slippage: nothing undelivered finishes before the status date or before what is forecast or due', async (t) => {
  const at = (asOf: string, ...drafts: Draft[]) => answerAt(given(...drafts), asOf)?.slippageDays
  const moved = rebaselined('2025-02-01', '2025-07-10')
  t.strictSame(at('2025-03-01', promise), { original: 0, current: 0 })
  t.strictSame(at('2025-03-01', promise, moved), { original: 10, current: 0 })
  t.strictSame(at('2025-07-13', promise, moved), { original: 13, current: 3 })
  t.strictSame(at('2025-03-01', promise, moved, forecast('2025-02-02', '2025-06-25')), { original: -5, current: -15 })
  t.strictSame(at('2025-07-13', promise, moved, forecast('2025-02-02', '2025-06-25')), { original: 13, current: 3 })
  t.strictSame(at('2025-07-13', promise, moved, forecast('2025-02-02', '2025-07-20')), { original: 20, current: 10 })
  t.strictSame(at('2025-12-01', promise, moved, delivered('2025-06-25')), { original: -5, current: -15 })
  t.strictSame(at('2025-12-01', promise, moved, withdrawn('2025-06-25')), { original: null, current: null })
})

t.test('a forecast counts as pushed where it moved later than the one before it', async (t) => {
  const forecasts = ['2025-07', '2025-06', '2025-08', '2025-08-31', '2025-09'].map((finish, index) =>
    forecast(`2025-02-0${index + 1}`, finish),
  )
  t.equal(now(promise, ...forecasts).forecastPushes, 2)
  t.equal(now(promise, ...forecasts).dates.forecastFinish?.value, '2025-09')
})

t.test('staleness counts from the latest fact in force, repairs not counted, and stops while suspended', async (t) => {
  const stale = (asOf: string, ...drafts: Draft[]) => answerAt(given(...drafts), asOf)?.stalenessDays
  t.equal(stale('2025-01-31', promise), 30)
  t.equal(stale('2025-01-31', promise, reaffirmed('2025-01-21')), 10)
  t.equal(stale('2025-01-31', promise, reaffirmed('2025-01-21'), reaffirmed('2025-01-11')), 10)
  t.equal(stale('2025-01-31', promise, reaffirmed('2025-01-21'), retract(1)), 30)
  t.equal(stale('2025-01-31', promise, suspended('2025-01-21')), null)
  t.equal(stale('2025-01-31', promise, suspended('2025-01-11'), resumed('2025-01-21')), 10)
  t.equal(stale('2025-01-31', made('2025-01-20'), rebaselined('2025-01-05', '2026')), 11, 'the promise counts too')
})

t.test(
  'an amendment changes the words and keeps the earlier targets; null clears; the due date is not its business',
  async (t) => {
    const target = { value: 5, unit: 'km', better: 'more' }
    const first = {
      title: 'A',
      description: 'B',
      programme: 'p',
      themes: ['x'],
      parties: ['A'],
      target,
      due: '2025-06-30',
    }
    const kept = now(made('2025-01-01', first), amended('2025-02-01', { title: 'A2', target: { ...target, value: 7 } }))
    t.match(kept, { title: 'A2', description: 'B', programme: 'p', themes: ['x'], parties: ['A'] })
    t.strictSame(kept.target, { value: 7, unit: 'km', baseline: null, better: 'more' })
    t.strictSame(kept.earlierTargets, [{ value: 5, unit: 'km', baseline: null, better: 'more' }])
    const cleared = { description: null, programme: null, themes: null, parties: null, target: null }
    t.match(now(made('2025-01-01', first), amended('2025-02-01', cleared)), {
      title: 'A',
      description: null,
      programme: null,
      themes: [],
      parties: [],
      target: null,
      earlierTargets: [{ value: 5 }],
      dates: { originalDue: { value: '2025-06-30' } },
    })
  },
)

t.test(
  'milestones, progress, reported status and assessments: the last word counts, of a milestone met the first',
  async (t) => {
    const answer = now(
      promise,
      fact('MilestoneSet', '2025-01-02', { milestone: 'm', title: 'M', due: '2025-03' }),
      fact('MilestoneMet', '2025-04-10', { milestone: 'm' }),
      fact('MilestoneMet', '2025-04-20', { milestone: 'm' }),
      fact('MilestoneMet', '2025-04-01', { milestone: 'unset' }),
      fact('ProgressReported', '2025-02-01', { percent: 10 }),
      fact('ProgressReported', '2025-01-15', { percent: 5, note: 'older' }),
      fact('AssessmentRecorded', '2025-02-01', { assessor: 'X', scale: 'RAG', scaleVersion: '1', rating: 'red' }),
      fact('AssessmentRecorded', '2025-03-01', { assessor: 'X', scale: 'RAG', scaleVersion: '1', rating: 'green' }),
      fact('AssessmentRecorded', '2025-03-01', { assessor: 'Y', scale: 'RAG', scaleVersion: '1', rating: 'red' }),
    )
    t.strictSame(
      answer.milestones.map(({ milestone, title, metOn, slippageDays }) => [
        milestone,
        title,
        metOn?.value,
        slippageDays,
      ]),
      [
        ['m', 'M', '2025-04-10', 10],
        ['unset', null, '2025-04-01', null],
      ],
    )
    t.match(answer.progress, { value: null, percent: 10, note: null, event: 5 })
    t.strictSame(
      answer.assessments.map(({ assessor, rating }) => [assessor, rating]),
      [
        ['X', 'green'],
        ['Y', 'red'],
      ],
    )
  },
)

t.test(
  'a reported status is a conflict only where its meaning is given and contradicts what the record gives',
  async (t) => {
    const says = (means: string | undefined, ...others: Draft[]) => {
      const status = fact('StatusReported', '2025-02-01', { status: 'в работе', ...(means ? { means } : {}) })
      return conflicts(now(promise, status, ...others)).length
    }
    t.equal(says('delivered'), 1)
    t.equal(says(undefined), 0)
    t.equal(says('late'), 0)
    t.equal(says('onSchedule'), 1, 'it has become late since')
    t.equal(says('notDelivered'), 0)
    t.equal(says('delivered', delivered('2025-01-20')), 0)
    t.equal(says('notDelivered', delivered('2025-01-20')), 1)
    t.equal(says('delivered', rebaselined('2025-02-02', '2025-12')), 0, 'a later event settled it')
  },
)

t.test(
  'a citation that differs and a reference that is not defined are conflicts of the facts they stand in',
  async (t) => {
    const cited = [{ source: 'one', differs: { due: '2024' } }, { source: 'gone' }]
    const events = given(made('2025-01-01', { programme: 'p', parties: ['A', 'B'] }, cited))
    const answer = answerAt(events, TODAY)
    t.strictSame(
      answer?.conflicts.map(({ kind, detail }) => [kind, detail]),
      [
        ['source-differs', 'one says due: "2024"'],
        ['undefined-reference', 'programme p is not defined'],
        ['undefined-reference', 'party B is not defined'],
        ['undefined-reference', 'source gone is not defined'],
      ],
    )
  },
)

t.test('superseded names its successors, until reinstated', async (t) => {
  t.strictSame(now(promise, superseded('2025-02-01', 'x', 'y')).supersededBy, ['x', 'y'])
  t.strictSame(now(promise, superseded('2025-02-01', 'x'), reinstated('2025-02-02')).supersededBy, [])
})

t.test('uncertain: where folding every fact at its first day gives another lifecycle or schedule', async (t) => {
  const uncertain = (asOf: string, ...drafts: Draft[]) => answerAt(given(...drafts), asOf)?.schedule.uncertain
  t.equal(uncertain(TODAY, promise, delivered('2025-07')), false, 'late on every day of the range')
  t.equal(uncertain(TODAY, promise, delivered('2025-06-15/2025-07-15')), true)
  t.equal(uncertain(TODAY, promise, delivered('../2025-07-15')), true)
  t.equal(uncertain('2025-06-20', promise, delivered('2025-06')), true, 'it may be delivered by now')
  t.equal(uncertain('2025-05-31', promise, delivered('2025-06')), false)
  t.equal(uncertain('2025-07-01', promise, delivered('2025-06')), false)
  t.equal(uncertain(TODAY, promise, rebaselined('2025-05/2025-08', '2025-12'), delivered('2025-07-01')), true)
  t.equal(uncertain('2025-07-01', made('2025-01-01', { due: '2025' })), false, 'due dates keep their last day')
  t.equal(
    uncertain(TODAY, promise, delivered('2025-05/2025-06-20'), disputed('2025')),
    false,
    'verification is no part',
  )
})

t.test('the effective day is never after the day on which the fact was recorded', async (t) => {
  const claim = recorded('2025-12-18', delivered('2025-12'))
  t.equal(answerAt(given(promise, claim), '2025-12-17')?.lifecycle, 'open')
  t.equal(answerAt(given(promise, claim), '2025-12-18')?.lifecycle, 'delivered')
  const late = recorded('2025-12-31T23:30:00.000Z', delivered('2026-01-01'))
  t.equal(answerAt(given(promise, late), '2025-12-31')?.lifecycle, 'delivered')
  t.equal(answerAt(given(promise, late), '2025-12-31', 2, { timeZone: 'Europe/Minsk' })?.lifecycle, 'open')
})

t.test('what is learned later counts from when it was true', async (t) => {
  const events = given(
    recorded('2025-01-02', promise),
    recorded('2026-03-01', delivered('2025-12-17', [{ source: 'paper', claimedOn: '2025-12-18' }])),
  )
  t.equal(answerAt(events, '2025-12-17', 2)?.lifecycle, 'delivered')
  t.equal(answerAt(events, '2025-12-17', 1)?.lifecycle, 'open')
  t.equal(answerAt(events, '2025-12-16', 2)?.lifecycle, 'open')
})

t.test('retracting takes an event back, and retracting the retraction brings it back', async (t) => {
  const lifecycles = (...drafts: Draft[]) => {
    const events = given(...drafts)
    return events.map((_, position) => answerAt(events, TODAY, position + 1)?.lifecycle ?? null)
  }
  const start = [promise, delivered('2025-05-01')]
  t.strictSame(lifecycles(...start, retract(1), retract(2)), ['open', 'delivered', 'open', 'delivered'])
  const twice = [...start, retract(1), retract(1), retract(2), retract(3)]
  t.strictSame(lifecycles(...twice).slice(2), ['open', 'open', 'open', 'delivered'], 'until both are gone')
  const thrice = [...start, retract(1), retract(2), retract(3)]
  t.strictSame(lifecycles(...thrice).slice(2), ['open', 'delivered', 'open'])
  t.strictSame(lifecycles(promise, retract(0), retract(1)), ['open', null, 'open'])
})

t.test('corrections apply in order of position, each replacing the fields it gives', async (t) => {
  const events = given(
    made('2025-01-01', { due: '2025-06-30' }, cite('one')),
    correct(0, { occurredOn: '2024-12-01' }),
    correct(0, { data: { title: 'Other', themes: [], parties: [], due: '2025-07-31' } }),
    correct(0, { occurredOn: '2024-11-01', citations: cite('two') }),
    retract(3),
    retract(2),
  )
  const at = (size: number) => {
    const answer = answerAt(events, TODAY, size)
    return [answer?.title, answer?.dates.madeOn.value, answer?.dates.originalDue?.value, answer?.citations[0]?.source]
  }
  t.strictSame(at(1), ['A promise', '2025-01-01', '2025-06-30', 'one'])
  t.strictSame(at(2), ['A promise', '2024-12-01', '2025-06-30', 'one'])
  t.strictSame(at(3), ['Other', '2024-12-01', '2025-07-31', 'one'])
  t.strictSame(at(4), ['Other', '2024-11-01', '2025-07-31', 'two'])
  t.strictSame(at(5), ['Other', '2024-12-01', '2025-07-31', 'one'])
  t.strictSame(at(6), ['A promise', '2024-12-01', '2025-06-30', 'one'])
})

t.test(
  'a corrected day is capped at the day of the correction; a correction of data alone keeps the first cap',
  async (t) => {
    const start = [promise, recorded('2025-05-10', delivered('2025-05'))]
    const from = (...more: Draft[]) => {
      const events = given(...start, ...more)
      const days = ['2025-05-09', '2025-05-10', '2025-05-19', '2025-05-20', '2025-05-30', '2025-05-31']
      return days.find((day) => answerAt(events, day)?.lifecycle === 'delivered')
    }
    t.equal(from(), '2025-05-10')
    t.equal(from(recorded('2025-05-20', correct(1, { data: {} }))), '2025-05-10')
    t.equal(from(recorded('2025-05-20', correct(1, { occurredOn: '2025-05' }))), '2025-05-20')
    t.equal(from(recorded('2025-07-20', correct(1, { occurredOn: '2025-05' }))), '2025-05-31')
    t.equal(from(recorded('2025-07-20', correct(1, { occurredOn: '2025-05' })), retract(2)), '2025-05-10')
  },
)

t.test('repairs work by knowledge alone: their own day plays no part', async (t) => {
  const events = given(promise, delivered('2025-05-01'), fact('EventRetracted', '2025-12-31', retract(1).data))
  t.equal(answerAt(events, '2025-05-01', 3)?.lifecycle, 'open')
  t.equal(answerAt(events, '2025-05-01', 2)?.lifecycle, 'delivered')
})

t.test('two clocks: a value recorded, corrected retroactively, and corrected again', async (t) => {
  // Made for 2025-01-01; on 2025-02-01 corrected to have been made on 2024-11-01; on 2025-03-01 to 2024-12-15 after all.
  const events = given(
    recorded('2025-01-01', made('2025-01-01')),
    recorded('2025-02-01', correct(0, { occurredOn: '2024-11-01' })),
    recorded('2025-03-01', correct(0, { occurredOn: '2024-12-15' })),
  )
  const known = (size: number) =>
    ['2024-12-01', '2025-01-01'].map((asOf) => answerAt(events, asOf, size)?.dates.madeOn.value)
  t.strictSame(
    [1, 2, 3].map(known),
    [
      [undefined, '2025-01-01'],
      ['2024-11-01', '2024-11-01'],
      [undefined, '2024-12-15'],
    ],
    'knowledge down, actual date across',
  )
})

t.test('two clocks: a due date with two rebaselines and the retraction of one', async (t) => {
  const events = given(
    recorded('2025-01-01', made('2025-01-01', { due: '2025-06-30' })),
    recorded('2025-04-01', rebaselined('2025-03-01', '2025-09-30')),
    recorded('2025-07-01', rebaselined('2025-06-01', '2025-12-31')),
    recorded('2025-08-01', retract(1)),
  )
  const asOfs = ['2024-12-31', '2025-01-01', '2025-02-28', '2025-03-01', '2025-05-31', '2025-06-01', '2025-12-31']
  const due = (size: number) =>
    asOfs.map((asOf) => {
      const answer = answerAt(events, asOf, size)
      return answer ? `${answer.dates.currentDue?.value.slice(5, 7)}/${answer.rebaselines}` : null
    })
  t.strictSame([0, 1, 2, 3, 4].map(due), [
    [null, null, null, null, null, null, null],
    [null, '06/0', '06/0', '06/0', '06/0', '06/0', '06/0'],
    [null, '06/0', '06/0', '09/1', '09/1', '09/1', '09/1'],
    [null, '06/0', '06/0', '09/1', '09/1', '12/2', '12/2'],
    [null, '06/0', '06/0', '06/0', '06/0', '12/1', '12/1'],
  ])
})

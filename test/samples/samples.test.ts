import t from 'tap'
import { type Parsed, parseLine, parsePosted } from '../../src/domain/admission/posted-event.ts'
import type { Citation } from '../../src/domain/event.ts'
import { type Day, dateRangeOf, dayOf, formatDay, lastDayOf } from '../../src/kernel/plain-date.ts'
import type { SampleEvent } from '../../src/samples/sample-event.ts'
import { checkSynthetic, type SyntheticOptions, syntheticEvents } from '../../src/samples/synthetic.ts'
import { unionStateEvents } from '../../src/samples/union-state.ts'

type FactOf<T extends SampleEvent['type']> = Extract<SampleEvent, { type: T }>

const options: SyntheticOptions = { commitments: 310, delivered: 125, late: 14, seed: 1, asOf: '2026-02-26' }
const unionState = unionStateEvents()
const synthetic = [...syntheticEvents(options)]
const samples = { 'union-state': unionState, 'synthetic-310': synthetic }

const ofType = <T extends SampleEvent['type']>(events: readonly SampleEvent[], type: T): FactOf<T>[] =>
  events.filter((event): event is FactOf<T> => event.type === type)

const streamOf = (events: readonly SampleEvent[], stream: string) => events.filter((event) => event.stream === stream)

const commitmentStreams = (events: readonly SampleEvent[]): SampleEvent[][] =>
  [...Map.groupBy(events, ({ stream }) => stream)]
    .filter(([stream]) => stream !== '$register')
    .map(([, facts]) => facts)

const issues = (parsed: Parsed<unknown>) => (parsed.ok ? [] : parsed.issues)

for (const [name, events] of Object.entries(samples)) {
  t.test(`${name}: every event can be posted as it stands`, async () => {
    t.strictSame(
      events.flatMap((event) => issues(parsePosted(event))),
      [],
    )
  })

  t.test(`${name}: every event is a line of an import`, async () => {
    const parsed = events.map((event) => parseLine(JSON.parse(JSON.stringify(event))))
    t.strictSame(parsed.flatMap(issues), [])
    t.strictSame(
      parsed.map((line) => line.ok && [line.value.id, line.value.stream, line.value.type, line.value.typeVersion]),
      events.map(({ id, stream, type }) => [id, stream, type, 1]),
    )
  })

  t.test(`${name}: every id is another UUID of version 8`, async () => {
    t.equal(new Set(events.map(({ id }) => id)).size, events.length)
    const odd = events.filter(
      ({ id }) => !/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id),
    )
    t.strictSame(odd, [])
  })

  t.test(`${name}: the first event opens the register, and no other does`, async () => {
    t.strictSame(
      events.flatMap(({ type }, index) => (type === 'RegisterOpened' ? [index] : [])),
      [0],
    )
  })

  t.test(`${name}: each party, programme and source is defined before it is used`, async () => {
    t.strictSame(undefinedUses(events), [])
  })

  t.test(`${name}: a commitment begins with its promise, and is promised once`, async () => {
    const promises = commitmentStreams(events).map((facts) =>
      facts.flatMap(({ type }, index) => (type === 'CommitmentMade' ? [index] : [])),
    )
    t.strictSame(
      promises,
      promises.map(() => [0]),
    )
  })

  t.test(`${name}: a milestone is set before it is met`, async () => {
    const set = new Set<string>()
    const unset: string[] = []
    for (const { stream, type, data } of events) {
      if (type === 'MilestoneSet') set.add(`${stream} ${data.milestone}`)
      if (type === 'MilestoneMet' && !set.has(`${stream} ${data.milestone}`)) unset.push(`${stream} ${data.milestone}`)
    }
    t.strictSame(unset, [])
  })

  t.test(`${name}: every fact is cited, except what opens the register and adds its sources`, async () => {
    const uncited = events.filter(({ citations }) => citations.length === 0).map(({ type }) => type)
    t.strictSame(new Set(uncited), new Set(['RegisterOpened', 'SourceAdded']))
    t.equal(uncited.length, 1 + ofType(events, 'SourceAdded').length)
  })
}

/** What is used before its definition, as `stream type id`. */
function undefinedUses(events: readonly SampleEvent[]): string[] {
  const defined = new Set<string>()
  const wrong: string[] = []
  for (const event of events) {
    const used = event.citations.map(({ source }) => `source ${source}`)
    if (event.type === 'CommitmentMade') used.push(...(event.data.parties ?? []).map((party) => `party ${party}`))
    if (event.type === 'CommitmentMade' || event.type === 'FigureReported') {
      if (event.data.programme !== undefined) used.push(`programme ${event.data.programme}`)
    }
    wrong.push(...used.filter((id) => !defined.has(id)).map((id) => `${event.stream} ${event.type} ${id}`))
    if (event.type === 'RegisterOpened') for (const { id } of event.data.parties ?? []) defined.add(`party ${id}`)
    if (event.type === 'PartyAdded') defined.add(`party ${event.data.id}`)
    if (event.type === 'ProgrammeDefined') defined.add(`programme ${event.data.programme}`)
    if (event.type === 'SourceAdded') defined.add(`source ${event.data.source}`)
  }
  return wrong
}

t.test('union-state holds every fact once: 31 commitments, 19 sources, 4 programmes, 7 figures', async () => {
  const counts: Record<string, number> = {}
  for (const { type } of unionState) counts[type] = (counts[type] ?? 0) + 1
  t.strictSame(counts, {
    RegisterOpened: 1,
    SourceAdded: 19,
    ProgrammeDefined: 4,
    FigureReported: 7,
    CommitmentMade: 31,
    CommitmentRebaselined: 2,
    ForecastReported: 2,
    MilestoneSet: 5,
    MilestoneMet: 4,
    ProgressReported: 9,
    StatusReported: 7,
    DeliveryReported: 16,
    DeliveryDisputed: 1,
  })
  t.strictSame(
    ofType(unionState, 'SourceAdded')
      .map(({ data }) => data.source)
      .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
    Array.from({ length: 19 }, (_, index) => `S${index}`),
  )
})

t.test('union-state opens on the day of the treaty, with both states as its parties', async () => {
  const [{ id: _, ...opened }] = unionState as [SampleEvent]
  t.strictSame(opened, {
    stream: '$register',
    type: 'RegisterOpened',
    occurredOn: '1999-12-08',
    data: {
      title: 'Union State of Belarus and Russia',
      parties: [
        { id: 'BY', name: 'Republic of Belarus' },
        { id: 'RU', name: 'Russian Federation' },
      ],
      timeZone: 'UTC',
    },
    citations: [],
  })
})

t.test('union-state is recorded in the order in which the facts were claimed', async () => {
  const published = new Map(ofType(unionState, 'SourceAdded').map(({ data }) => [data.source, data.publishedOn ?? '']))
  const saidBy = ({ source, claimedOn }: Citation) => lastDayOf(claimedOn ?? published.get(source) ?? '')
  const cited = unionState.filter(({ citations }) => citations.length > 0)
  const days = cited.map(({ citations }) => formatDay(Math.max(...citations.map(saidBy))))
  t.strictSame(days, days.toSorted())
  t.equal(days.at(0), '2020-12-31')
  t.equal(days.at(-1), '2026-02-27')
})

t.test(
  'a source of union-state is added right before the first fact that cites it, dated by its publication',
  async () => {
    for (const [index, event] of unionState.entries()) {
      if (event.type !== 'SourceAdded') continue
      const { source, publishedOn } = event.data
      const next = unionState.slice(index).find(({ type }) => type !== 'SourceAdded')
      t.ok(
        next?.citations.some((citation) => citation.source === source),
        `${source} is cited next`,
      )
      t.equal(event.occurredOn, publishedOn)
    }
    t.equal(
      ofType(unionState, 'SourceAdded').find(({ data }) => data.source === 'S1')?.occurredOn,
      '2024-01-30/2024-12-06',
    )
  },
)

t.test('a named claim of union-state says when it was made, and a dated one who made it', async () => {
  for (const { citations } of unionState) {
    for (const { claimedBy, claimedOn } of citations) t.equal(claimedBy === undefined, claimedOn === undefined)
  }
})

t.test('every promise of union-state is of both states, and none names a programme', async () => {
  for (const { data } of ofType(unionState, 'CommitmentMade')) {
    t.strictSame(data.parties, ['BY', 'RU'])
    t.equal(data.programme, undefined)
    t.equal(data.description, undefined)
  }
})

t.test('union-state gives a due day to five promises and a target to four', async () => {
  const made = ofType(unionState, 'CommitmentMade')
  const dues = made.flatMap(({ stream, data: { due } }) => (due === undefined ? [] : [[stream, due]]))
  t.strictSame(Object.fromEntries(dues), {
    'communication-tariffs': '2020-09',
    'electricity-market': '2024-01-01',
    'gas-market': '2023-12-01',
    oreshnik: '2025-07/2025-12',
    'microelectronics-88': '2030',
  })
  const targets = made.flatMap(({ stream, data: { target } }) => (target === undefined ? [] : [[stream, target]]))
  t.strictSame(Object.fromEntries(targets), {
    'microelectronics-88': { value: 88, unit: 'product types' },
    'food-security': { value: 100, unit: 'percent' },
    'space-programmes': { value: 8, unit: 'programmes' },
    'satellite-35cm': { value: 35, unit: 'centimetres', better: 'less' },
  })
})

t.test(
  'communication-tariffs is promised, given two new due days, announced again and claimed as delivered',
  async () => {
    t.strictSame(
      streamOf(unionState, 'communication-tariffs').map(({ id: _, stream: __, ...fact }) => fact),
      [
        {
          type: 'CommitmentMade',
          occurredOn: '2019-12',
          data: {
            title: 'Uniform tariffs for communication services (end of roaming)',
            themes: ['tariffs'],
            parties: ['BY', 'RU'],
            due: '2020-09',
          },
          citations: [{ source: 'S10' }],
        },
        {
          type: 'CommitmentRebaselined',
          occurredOn: '2022-04-01',
          data: {
            due: '2022-06-01',
            reason: 'to be cancelled completely by 1 June 2022; fee for incoming calls cancelled from 1 April 2022',
          },
          citations: [{ source: 'S11', claimedBy: 'Russian ambassador', claimedOn: '2022-04-01' }],
        },
        {
          type: 'CommitmentRebaselined',
          occurredOn: '2024-11-05',
          data: { due: '2025-03-01', reason: 'comfortable tariffs from 1 March 2025' },
          citations: [{ source: 'S12', claimedBy: 'prime minister of Russia', claimedOn: '2024-11-05' }],
        },
        {
          type: 'StatusReported',
          occurredOn: '../2024-12-06',
          data: { status: 'announced again', note: 'to be discussed and potentially implemented' },
          citations: [{ source: 'S1' }],
        },
        {
          type: 'DeliveryReported',
          occurredOn: '2025-03-01/2025-09-15',
          data: {},
          citations: [{ source: 'S4', claimedBy: 'Alexander Lukashenko', claimedOn: '2025-09-15' }],
        },
      ],
    )
  },
)

t.test('oreshnik is claimed as delivered, disputed the same day, and claimed again', async () => {
  t.strictSame(
    streamOf(unionState, 'oreshnik').map(({ type, occurredOn, citations }) => [type, occurredOn, citations]),
    [
      ['CommitmentMade', '2024-12', [{ source: 'S14', claimedBy: 'Vladimir Putin', claimedOn: '2024-12' }]],
      [
        'ForecastReported',
        '2025-10-31',
        [{ source: 'S14', claimedBy: 'Alexander Lukashenko', claimedOn: '2025-10-31' }],
      ],
      [
        'DeliveryReported',
        '2025-12-17',
        [{ source: 'S15', claimedBy: 'Alexander Lukashenko', claimedOn: '2025-12-18' }],
      ],
      [
        'DeliveryDisputed',
        '2025-12-18',
        [{ source: 'S16', claimedBy: 'defence minister of Belarus', claimedOn: '2025-12-18' }],
      ],
      ['DeliveryReported', '2025-12', [{ source: 'S3', claimedBy: 'Alyaksandr Lukashenka', claimedOn: '2026-02-26' }]],
    ],
  )
})

t.test('a milestone of union-state is due on its own day, which is not that of the commitment', async () => {
  t.strictSame(
    ofType(unionState, 'MilestoneSet').map(({ stream, data }) => [stream, data.milestone, data.due ?? null]),
    [
      ['gas-market', 'principles', '2022-07'],
      ['electricity-market', 'deeper-integration', '2027-01-01'],
      ['security-guarantees', 'signing', '2024-12-06'],
      ['electricity-market', 'treaty', null],
      ['regional-rail', 'decision', null],
    ],
  )
})

t.test('where sources disagree on the period of a programme, both readings stand', async () => {
  const guidelines = ofType(unionState, 'ProgrammeDefined').find(({ data }) => data.programme === 'guidelines-2027-30')
  t.equal(guidelines?.data.period, '2027/2030')
  t.strictSame(guidelines?.citations, [{ source: 'S3' }, { source: 'S17', differs: { period: '2027/2029' } }])
})

t.test(
  'the 310 measures are a reported figure, and a reported figure names one of the summary only where it is one',
  async () => {
    t.strictSame(
      ofType(unionState, 'FigureReported')
        .filter(({ data }) => data.programme === 'programmes-2024-26')
        .map(({ data: { programme: _, ...data } }) => data),
      [
        { metric: 'measures in scope', figure: 'inScope', value: 310 },
        { metric: 'measures implemented', figure: 'delivered', value: 125, of: 310, statedPercent: 40 },
        { metric: 'instructions behind schedule', value: 14, of: 310, statedPercent: 4.5 },
      ],
    )
    t.equal(ofType(unionState, 'FigureReported').filter(({ data }) => data.figure !== undefined).length, 2)
  },
)

t.test('union-state is the same at every call', async () => {
  t.strictSame(unionStateEvents(), unionState)
})

type Outline = {
  dues: Day[]
  /** The effective day of the standing full claim. */
  finishedOn: Day | null
}

/** Due days and delivery of a commitment whose claims are never given up. */
function outline(facts: readonly SampleEvent[]): Outline {
  const dues: Day[] = []
  let finishedOn: Day | null = null
  for (const { type, data, occurredOn } of facts) {
    if (type === 'CommitmentMade' || type === 'CommitmentRebaselined') dues.push(lastDayOf(data.due ?? ''))
    if (type === 'DeliveryReported' && !data.partial) finishedOn = lastDayOf(occurredOn)
  }
  return { dues, finishedOn }
}

function outcomesAt(events: readonly SampleEvent[], asOf: Day): Record<string, number> {
  const counts = { delivered: 0, late: 0, ahead: 0, other: 0 }
  for (const { dues, finishedOn } of commitmentStreams(events).map(outline)) {
    if (finishedOn !== null) counts[finishedOn <= asOf && dues.every((due) => due <= asOf) ? 'delivered' : 'other'] += 1
    else if (dues.every((due) => due < asOf)) counts.late += 1
    else counts[dues.every((due) => due > dayOf('2035-12-31')) ? 'ahead' : 'other'] += 1
  }
  return counts
}

t.test(
  'as many synthetic commitments are delivered and late as asked for, and the rest is due after 2035',
  async () => {
    const asked: Partial<SyntheticOptions>[] = [
      {},
      { seed: 2 },
      { asOf: '1990-01-01' },
      { asOf: '2034-12-31' },
      { asOf: '2024-02-29', commitments: 500, delivered: 200, late: 300 },
      { commitments: 40, delivered: 40, late: 0 },
      { commitments: 40, delivered: 0, late: 40 },
      { commitments: 1, delivered: 0, late: 0 },
    ]
    for (const changed of asked) {
      const asking = { ...options, ...changed }
      const { commitments, delivered, late, asOf } = asking
      const expected = { delivered, late, ahead: commitments - delivered - late, other: 0 }
      t.strictSame(outcomesAt([...syntheticEvents(asking)], dayOf(asOf)), expected, JSON.stringify(changed))
    }
  },
)

t.test('nothing synthetic happens after the status date', async () => {
  for (const asOf of ['1990-01-01', '2024-02-29', '2026-02-26', '2034-12-31']) {
    const latest = [...syntheticEvents({ ...options, asOf })].filter(({ occurredOn, citations }) =>
      [occurredOn, ...citations.map(({ claimedOn }) => claimedOn ?? occurredOn)].some(
        (date) => lastDayOf(date) > dayOf(asOf),
      ),
    )
    t.strictSame(latest, [])
  }
})

t.test('a synthetic commitment takes 4 to 12 events, about 7 on average', async () => {
  const lengths = commitmentStreams(synthetic).map(({ length }) => length)
  t.equal(lengths.length, 310)
  t.ok(Math.min(...lengths) >= 4)
  t.ok(Math.max(...lengths) <= 12)
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length
  t.ok(mean > 6.5 && mean < 7.5, `mean ${mean}`)
})

t.test('the facts of a synthetic commitment stand together, in order of their days', async () => {
  const order = synthetic.map(({ stream }) => stream).filter((stream, index, all) => stream !== all[index - 1])
  t.equal(new Set(order).size, order.length)
  for (const facts of commitmentStreams(synthetic)) {
    const [made, ...rest] = facts.map(({ occurredOn }) => dateRangeOf(occurredOn))
    const days = rest.map(({ last }) => last ?? Number.NaN)
    t.strictSame(
      days,
      days.toSorted((a, b) => a - b),
    )
    t.ok(rest.every(({ first }) => (first ?? 0) > (made?.last ?? 0)))
  }
})

t.test('a synthetic rebaseline gives reasons, moves the due day later and comes before the delivery', async () => {
  let rebaselined = 0
  for (const facts of commitmentStreams(synthetic)) {
    const moves = ofType(facts, 'CommitmentRebaselined')
    const { dues, finishedOn } = outline(facts)
    t.strictSame(
      dues,
      [...new Set(dues)].sort((a, b) => a - b),
    )
    t.ok(moves.every(({ data, occurredOn }) => data.reason !== '' && lastDayOf(occurredOn) < (finishedOn ?? Infinity)))
    rebaselined += Number(moves.length > 0)
  }
  t.ok(rebaselined > 20, `${rebaselined} rebaselined`)
})

t.test('the deliveries of a large synthetic register are early, on time and late as 20 to 50 to 30', async () => {
  const many = [...syntheticEvents({ ...options, commitments: 4000, delivered: 4000, late: 0 })]
  const shares = { early: 0, onTime: 0, late: 0, rebaselined: 0 }
  for (const { dues, finishedOn } of commitmentStreams(many).map(outline)) {
    const variance = (finishedOn ?? Number.NaN) - (dues.at(-1) ?? Number.NaN)
    shares[variance > 0 ? 'late' : variance < -7 ? 'early' : 'onTime'] += 1
    shares.rebaselined += Number(dues.length > 1)
  }
  const percent = (count: number) => Math.round((100 * count) / 4000)
  const near = (count: number, share: number) => t.ok(Math.abs(percent(count) - share) <= 3, `${percent(count)} %`)
  near(shares.early, 20)
  near(shares.onTime, 50)
  near(shares.late, 30)
  near(shares.rebaselined, 15)
  near(ofType(many, 'DeliveryVerified').length, 50)
  near(ofType(many, 'DeliveryDisputed').length, 5)
})

t.test('a synthetic register holds no withdrawn, superseded or given-up commitment', async () => {
  t.strictSame(
    new Set(synthetic.map(({ type }) => type)),
    new Set([
      'RegisterOpened',
      'SourceAdded',
      'PartyAdded',
      'ProgrammeDefined',
      'CommitmentMade',
      'CommitmentRebaselined',
      'ForecastReported',
      'MilestoneSet',
      'MilestoneMet',
      'ProgressReported',
      'StatusReported',
      'StatusReaffirmed',
      'DeliveryReported',
      'DeliveryVerified',
      'DeliveryDisputed',
      'CommitmentSuspended',
      'CommitmentResumed',
      'AssessmentRecorded',
    ]),
  )
  for (const facts of commitmentStreams(synthetic)) {
    const pauses = facts.map(({ type }) => type).filter((type) => /Suspended|Resumed/.test(type))
    t.ok(pauses.length === 0 || pauses.join() === 'CommitmentSuspended,CommitmentResumed')
  }
})

t.test('the synthetic register says on its face that it is made up, and who claims each of its facts', async () => {
  t.equal(
    ofType(synthetic, 'RegisterOpened')[0]?.data.title,
    'Synthetic register of 310 made-up commitments, generated from seed 1',
  )
  t.ok(synthetic.every(({ citations }) => citations.every(({ claimedBy }) => claimedBy !== undefined)))
})

t.test('one of the five synthetic programmes reports no scope', async () => {
  t.strictSame(
    ofType(synthetic, 'ProgrammeDefined').map(({ data }) => data.scope?.value ?? null),
    [78, 78, 78, 78, null],
  )
})

t.test('the number of a synthetic commitment has four digits, or as many as the count', async () => {
  const streams = (commitments: number) => {
    const found = new Set<string>()
    for (const { stream } of syntheticEvents({ ...options, commitments })) found.add(stream)
    return [...found]
  }
  t.strictSame([streams(310).at(1), streams(310).at(-1)], ['measure-0001', 'measure-0310'])
  t.strictSame([streams(10_000).at(1), streams(10_000).at(-1)], ['measure-00001', 'measure-10000'])
})

t.test('equal options give the same bytes', async () => {
  t.equal(JSON.stringify([...syntheticEvents({ ...options })]), JSON.stringify(synthetic))
})

t.test('another seed or status date gives other events, and no id twice', async () => {
  const ids = new Set(synthetic.map(({ id }) => id))
  const bodies = new Set(synthetic.map(({ id: _, ...fact }) => JSON.stringify(fact)))
  for (const changed of [{ seed: 2 }, { asOf: '2026-02-27' }]) {
    const others = [...syntheticEvents({ ...options, ...changed })]
    t.strictSame(
      others.filter(({ id }) => ids.has(id)),
      [],
    )
    const made = ofType(others, 'CommitmentMade')
    t.ok(made.filter(({ id: _, ...fact }) => bodies.has(JSON.stringify(fact))).length < made.length / 100)
  }
})

t.test('a synthetic register is generated as it is read', async () => {
  const events = syntheticEvents({ ...options, commitments: Number.MAX_SAFE_INTEGER, delivered: 2 ** 52, late: 1 })
  t.equal(events.next().value?.type, 'RegisterOpened')
  for (let count = 0; count < 100; count += 1) t.equal(events.next().done, false)
})

t.test('impossible synthetic options are named in one line', async () => {
  const complaint = (changed: Partial<SyntheticOptions>) => checkSynthetic({ ...options, ...changed })
  t.equal(complaint({}), null)
  t.equal(complaint({ commitments: 0, delivered: 0, late: 0, seed: 0 }), null)
  t.equal(complaint({ delivered: 296 }), null)
  t.equal(complaint({ asOf: '1990-01-01' }), null)
  t.equal(complaint({ asOf: '2034-12-31' }), null)
  t.equal(complaint({ commitments: -1 }), 'commitments is -1; expected a whole number from 0')
  t.equal(complaint({ delivered: 1.5 }), 'delivered is 1.5; expected a whole number from 0')
  t.equal(complaint({ late: Number.NaN }), 'late is NaN; expected a whole number from 0')
  t.equal(complaint({ seed: 2 ** 53 }), 'seed is 9007199254740992; expected a whole number from 0')
  t.equal(complaint({ delivered: 297 }), '297 delivered and 14 late are more than 310 commitments')
  t.equal(complaint({ asOf: '2026-02-30' }), 'asOf is "2026-02-30"; expected an existing day, YYYY-MM-DD')
  t.equal(complaint({ asOf: '2026-02' }), 'asOf is "2026-02"; expected an existing day, YYYY-MM-DD')
  t.equal(complaint({ asOf: '1989-12-31' }), 'asOf is 1989-12-31; expected a day of the years 1990 to 2034')
  t.equal(complaint({ asOf: '2035-01-01' }), 'asOf is 2035-01-01; expected a day of the years 1990 to 2034')
})

t.test('impossible synthetic options generate nothing', async () => {
  t.throws(
    () => syntheticEvents({ ...options, late: 186 }).next(),
    new RangeError('125 delivered and 186 late are more than 310 commitments'),
  )
})

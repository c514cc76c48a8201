// The Union State of Belarus and Russia: what public documents say was promised, by when, and what was reported since.
// Every fact is a claim of its source and none a judgement of this project's own. Dates are as precise as their source.
//
// Where no source dates the promise itself, `CommitmentMade` is `../D`: made by the last day of the first report. What that
// report says beyond the promise is an event of its own.

import { type Citation, REGISTER_STREAM } from '../domain/event.ts'
import { BEFORE_ALL_DAYS, type DateRange, dateRangeOf } from '../kernel/plain-date.ts'
import { type FactData, type FactType, type SampleEvent, type SampleFact, sampleFact, withId } from './sample-event.ts'

type SourceId = `S${number}`
type Source = Omit<FactData<'SourceAdded'>, 'source'> & { publishedOn: string }

// S0 and S3 are dated by the meeting that they report, S1 by what it says of the meetings before and after it.
const SOURCES: Readonly<Record<SourceId, Source>> = {
  S0: {
    title: 'meeting of the two presidents in the Kremlin',
    publisher: 'Caliber.Az',
    author: 'Aghakazim Guliyev',
    url: 'https://caliber.az/en/post/lukashenko-calls-belarus-russia-union-state-unique-signals-tough-road-ahead-in-putin-meeting',
    publishedOn: '2025-03-13',
  },
  S1: {
    title: 'preview of the Supreme State Council meeting in Minsk for the 25th anniversary of the treaty',
    publishedOn: '2024-01-30/2024-12-06',
  },
  S2: {
    title: 'agreement to 28 Union State programmes',
    publisher: 'RFE/RL Belarus Service',
    publishedOn: '2021-11-04',
  },
  S3: {
    title: 'address to the Supreme State Council in Moscow: programmes for 2024-26 implemented by 40%',
    publisher: 'reform.news',
    url: 'https://reform.news/en/lukashenka-says-union-programmes-40-complete',
    publishedOn: '2026-02-26',
  },
  S4: {
    title: 'interview with the magazine Razvedchik on 25 years of union',
    publisher: 'news.by',
    url: 'https://news.by/eng/news/prezident/lukashenko-union-with-russia-saved-our-countries-from-economic-catastrophe-and-loss-of-sovereignty',
    publishedOn: '2025-09-15',
  },
  S5: {
    title: 'energy minister on the start of the electricity market',
    publisher: 'TASS',
    url: 'https://tass.com/economy/1378135',
    publishedOn: '2021-12-20',
  },
  S6: {
    title: 'draft agreement on a common electricity market approved for negotiation',
    publisher: 'Interfax',
    url: 'https://interfax.com/newsroom/top-stories/96948/',
    publishedOn: '2023-11-27',
  },
  S7: {
    title: 'documents signed after the council meeting in Minsk',
    publisher: 'SB Belarus Segodnya',
    url: 'https://www.sb.by/en/important-documents-signed-following-supreme-state-council-meeting-security-guarantees-unified-energ.html',
    publishedOn: '2024-12-06',
  },
  S8: {
    title: 'electricity market treaty signed; first stage to begin in 2025',
    publisher: 'RIA Novosti',
    url: 'https://ria.ru/amp/20241206/elektroenergiya-1987765750.html',
    publishedOn: '2024-12-06',
  },
  S9: {
    title: 'gas market: principles by July 2022, addendum by 1 December 2023',
    publisher: 'PrimePress',
    url: 'https://primepress.by/news/ekonomika/operating_principles_of_unified_gas_market_of_russia_and_belarus_to_be_created_by_july_2022_belarusi-39472/',
    publishedOn: '2021-11-05',
  },
  S10: {
    title: 'roaming road map of December 2019: September 2020',
    publisher: 'Belsat',
    url: 'https://redakcja.belsat.cloud/en/news/implementation-of-roaming-agreement-between-belarus-and-russia-postponed',
    publishedOn: '2020',
  },
  S11: {
    title: 'ambassador: roaming to be cancelled by 1 June 2022',
    publisher: 'Ru-Main, after Izvestia',
    url: 'https://ru-main.ru/russia-and-belarus-to-cancel-roaming-by-june-1/',
    publishedOn: '2022-04-01',
  },
  S12: {
    title: 'comfortable tariffs from 1 March 2025',
    publisher: 'Izvestia',
    url: 'https://iz.ru/1785799/2024-11-05/rossiia-i-belorussiia-odobrili-otmenu-rouminga-vnutri-soiuznogo-gosudarstva',
    publishedOn: '2024-11-05',
  },
  S13: {
    title: 'security treaty enters into force; voting in local elections',
    publisher: 'Pravda.ru',
    url: 'https://english.pravda.ru/news/world/161813-russia-belarus-putin-lukashenko/',
    publishedOn: '2025-03-13',
  },
  S14: {
    title: 'Oreshnik to be on combat duty in December; in 2024-12 promised for the second half of 2025',
    publisher: 'Sputnik',
    url: 'https://news-pravda.com/world/2025/10/31/1822324.html',
    publishedOn: '2025-10-31',
  },
  S15: {
    title: 'president: Oreshnik on combat duty since the day before',
    publisher: 'Zona Militar',
    url: 'https://www.zona-militar.com/?p=555217',
    publishedOn: '2025-12-18',
  },
  S16: {
    title: 'defence minister: preparations for combat duty still under way',
    publisher: 'Particle',
    url: 'https://particle.news/story/belarus-says-russias-oreshnik-hypersonic-missile-is-on-combat-duty',
    publishedOn: '2025-12',
  },
  S17: {
    title: 'agenda of the council meeting: next period is 2027-2029; standardisation committee; commuter rail',
    publisher: 'President of the Republic of Belarus',
    url: 'https://president.gov.by/en/events/aleksandr-lukasenko-26-fevrala-primet-ucastie-v-zasedanii-vyssego-gossoveta-souznogo-gosudarstva-1771942443',
    publishedOn: '2026-02-24',
  },
  S18: {
    title: 'commuter rail decision approved: Smolensk, Orsha, Vitebsk',
    publisher: 'news.by',
    url: 'https://news.by/eng/news/prezident/minsk-and-moscow-equal-rights-in-all-spheres-of-life',
    publishedOn: '2026-02-27',
  },
}

function sourceOf(id: string): Source {
  // Safe to index: only keys of SOURCES are cited, and a test looks up every one.
  const source = SOURCES[id as SourceId]
  if (!source) throw new Error(`no such source: ${id}`)
  return source
}

/** What the source says of itself; it was said on the day of publication. */
function says(source: SourceId): Citation {
  return { source }
}

/** What somebody says, as the source reports it; by default in the source itself, on the day of publication. */
function claim(source: SourceId, claimedBy: string, claimedOn = sourceOf(source).publishedOn): Citation {
  return { source, claimedBy, claimedOn }
}

// Each as its sources spell the name: how a name is spelled is no conflict.
const interview = claim('S4', 'Alexander Lukashenko')
const address = claim('S3', 'Alyaksandr Lukashenka')

type Unplaced = (stream: string) => SampleFact

function fact<T extends FactType>(type: T, occurredOn: string, data: FactData<T>, ...citations: Citation[]): Unplaced {
  return (stream) => sampleFact(stream, type, occurredOn, data, citations)
}

type Promised = Pick<FactData<'CommitmentMade'>, 'due' | 'target'>

/** The promise: every one is of both states, and none names a programme. */
function made(title: string, theme: string, occurredOn: string, cited: Citation[], promised: Promised = {}): Unplaced {
  return fact('CommitmentMade', occurredOn, { title, themes: [theme], parties: ['BY', 'RU'], ...promised }, ...cited)
}

function stream(id: string, ...facts: Unplaced[]): SampleFact[] {
  return facts.map((unplaced) => unplaced(id))
}

const opening = stream(
  REGISTER_STREAM,
  // The day of the treaty. Without a citation: no source is known before the register is open.
  fact('RegisterOpened', '1999-12-08', {
    title: 'Union State of Belarus and Russia',
    parties: [
      { id: 'BY', name: 'Republic of Belarus' },
      { id: 'RU', name: 'Russian Federation' },
    ],
    timeZone: 'UTC',
  }),
)

// Dated by the day of signing or agreement, else by that of the report.
const programmes = stream(
  REGISTER_STREAM,
  fact(
    'ProgrammeDefined',
    '1999-12-08',
    { programme: 'union-treaty', title: 'Treaty on the Union State' },
    says('S0'),
    says('S1'),
  ),
  fact(
    'ProgrammeDefined',
    '2021-11-04',
    {
      programme: 'programmes-2021',
      title: '28 Union State integration programmes',
      scope: { value: 28, unit: 'programmes' },
    },
    says('S2'),
  ),
  fact(
    'ProgrammeDefined',
    '2026-02-26',
    {
      programme: 'programmes-2024-26',
      title: 'Union programmes for 2024-26',
      period: '2024/2026',
      scope: { value: 310, unit: 'sectoral measures' },
    },
    says('S3'),
  ),
  fact(
    'ProgrammeDefined',
    '2026-02-26',
    { programme: 'guidelines-2027-30', title: 'Main Guidelines for 2027-30', period: '2027/2030' },
    says('S3'),
    { source: 'S17', differs: { period: '2027/2029' } },
  ),
)

// The 310 measures are known only as a total. `figure` stands only where the metric is exactly a figure of the summary.
const figures = stream(
  REGISTER_STREAM,
  fact(
    'FigureReported',
    '2026-02-26',
    { programme: 'programmes-2024-26', metric: 'measures in scope', figure: 'inScope', value: 310 },
    address,
  ),
  fact(
    'FigureReported',
    '2026-02-26',
    {
      programme: 'programmes-2024-26',
      metric: 'measures implemented',
      figure: 'delivered',
      value: 125,
      of: 310,
      statedPercent: 40,
    },
    address,
  ),
  // No `figure`: the source counts instructions here and not measures, and "behind schedule" need not mean past due.
  fact(
    'FigureReported',
    '2026-02-26',
    {
      programme: 'programmes-2024-26',
      metric: 'instructions behind schedule',
      value: 14,
      of: 310,
      statedPercent: 4.5,
    },
    address,
  ),
  fact(
    'FigureReported',
    '2021-11-04',
    { programme: 'programmes-2021', metric: 'programmes agreed', value: 28 },
    says('S2'),
  ),
  fact(
    'FigureReported',
    '2025-03-13',
    { metric: 'bilateral trade growth in 2023, percent', value: 9.2, asOf: '2023' },
    says('S0'),
  ),
  fact(
    'FigureReported',
    '2025-09-15',
    {
      metric: 'trade turnover in 2024 including services, billion USD',
      value: 60,
      asOf: '2024',
      approximate: true,
    },
    interview,
  ),
  fact(
    'FigureReported',
    '2025-09-15',
    { metric: 'trade turnover, multiple since the union began', value: 7 },
    interview,
  ),
)

const energyMinister = 'Belarusian energy minister'
const primeMinister = claim('S9', 'prime minister of Belarus', '2021-11-04')
const treaty = { milestone: 'treaty', title: 'Interstate treaty on the market signed' }

const energy = [
  stream(
    'electricity-market',
    made('Unified electricity market', 'energy', '2021-12-20', [claim('S5', energyMinister)], { due: '2024-01-01' }),
    // A second date in the same promise: a step after the due day, not another due day.
    fact(
      'MilestoneSet',
      '2021-12-20',
      { milestone: 'deeper-integration', title: 'Deeper integration', due: '2027-01-01' },
      claim('S5', energyMinister),
    ),
    fact(
      'ProgressReported',
      '2023-11-27',
      { note: 'draft agreement approved as a basis for negotiation; 1 January 2024 repeated' },
      says('S6'),
    ),
    fact(
      'StatusReported',
      '../2024-12-06',
      { status: 'announced', note: 'key decisions expected at the council meeting' },
      says('S1'),
    ),
    fact('MilestoneSet', '../2024-12-06', treaty, says('S7'), says('S8')),
    fact('MilestoneMet', '2024-12-06', { milestone: 'treaty' }, says('S7'), says('S8')),
    fact('ForecastReported', '2024-12-06', { finish: '2025' }, claim('S8', energyMinister)),
    // Said again nine months later: an event of its own, for a size knows no claim that came after it.
    fact('MilestoneMet', '2024-12-06', { milestone: 'treaty' }, says('S4')),
    fact(
      'StatusReported',
      '2025-09-15',
      { status: 'called merely the beginning', note: 'integrated energy markets still missing' },
      interview,
    ),
  ),
  stream(
    'gas-market',
    // The due day is that of the addendum on the single market; the principles are a step on the way.
    made('Common gas market', 'energy', '2021-11-04', [primeMinister], { due: '2023-12-01' }),
    fact(
      'MilestoneSet',
      '2021-11-04',
      { milestone: 'principles', title: 'Principles of operation', due: '2022-07' },
      primeMinister,
    ),
    // Without `means`: the words say that it is not there, not how it stands to its due day.
    fact('StatusReported', '2025-09-15', { status: 'a common gas market named as still to be created' }, interview),
  ),
  stream(
    'oil-rules',
    made('Unified rules for the oil industry and fair prices for refiners', 'energy', '../2025-09-15', [interview]),
    fact('StatusReported', '2025-09-15', { status: 'called for', note: 'no due date given' }, interview),
  ),
  stream(
    'nuclear-plant',
    made('Belarusian Nuclear Power Plant', 'energy', '../2025-09-15', [interview]),
    // "in operation"
    fact('DeliveryReported', '../2025-09-15', {}, interview),
  ),
].flat()

const trade = [
  stream(
    'communication-tariffs',
    made('Uniform tariffs for communication services (end of roaming)', 'tariffs', '2019-12', [says('S10')], {
      due: '2020-09',
    }),
    fact(
      'CommitmentRebaselined',
      '2022-04-01',
      {
        due: '2022-06-01',
        reason: 'to be cancelled completely by 1 June 2022; fee for incoming calls cancelled from 1 April 2022',
      },
      claim('S11', 'Russian ambassador'),
    ),
    fact(
      'CommitmentRebaselined',
      '2024-11-05',
      { due: '2025-03-01', reason: 'comfortable tariffs from 1 March 2025' },
      claim('S12', 'prime minister of Russia'),
    ),
    fact(
      'StatusReported',
      '../2024-12-06',
      { status: 'announced again', note: 'to be discussed and potentially implemented' },
      says('S1'),
    ),
    // "preferential tariffs on mobile communications named as a tangible result"
    fact('DeliveryReported', '2025-03-01/2025-09-15', {}, interview),
  ),
  stream(
    'consumer-rights',
    made('Uniform rules for the protection of consumer rights', 'trade', '../2024-12-06', [says('S1')]),
  ),
  stream(
    'illegal-imports',
    made('Joint action against illegal imports of goods', 'trade', '../2024-12-06', [says('S1')]),
  ),
].flat()

const defence = [
  stream(
    'security-guarantees',
    made('Treaty on security guarantees within the Union State', 'defence', '../2024-12-06', [says('S1')]),
    // The signing was due that day; for the treaty's entry into force no day was promised.
    fact(
      'MilestoneSet',
      '../2024-12-06',
      { milestone: 'signing', title: 'Treaty signed at the council meeting', due: '2024-12-06' },
      says('S1'),
    ),
    fact('MilestoneMet', '2024-12-06', { milestone: 'signing' }, says('S7')),
    // "treaty in force"
    fact('DeliveryReported', '2025-03-13', {}, says('S13')),
    fact('ProgressReported', '2026-02-26', { note: 'practical implementation has begun' }, address),
  ),
  stream(
    'security-concept',
    made('Security Concept of the Union State', 'defence', '../2024-12-06', [says('S1')]),
    // "approved by the two presidents"
    fact('DeliveryReported', '2024-12-06', {}, says('S7')),
  ),
  stream(
    'military-doctrine',
    made('Joint military doctrine', 'defence', '../2021-11-04', [says('S2')]),
    // "approved by the two leaders"
    fact('DeliveryReported', '2021-11-04', {}, says('S2')),
  ),
  stream(
    'defence-space',
    // The preview is dated only by a range, and what it reports was said by its end.
    made('Common defence space', 'defence', '../2024-12-06', [claim('S1', 'Kremlin press service', '../2024-12-06')]),
  ),
  stream(
    'oreshnik',
    // Said in December 2024; the document that tells of it came ten months later.
    made(
      'Deployment of the Oreshnik missile system in Belarus',
      'defence',
      '2024-12',
      [claim('S14', 'Vladimir Putin', '2024-12')],
      { due: '2025-07/2025-12' },
    ),
    fact('ForecastReported', '2025-10-31', { finish: '2025-12' }, claim('S14', 'Alexander Lukashenko')),
    // "on combat duty since 17 December"
    fact('DeliveryReported', '2025-12-17', {}, claim('S15', 'Alexander Lukashenko')),
    fact(
      'DeliveryDisputed',
      '2025-12-18',
      { reason: 'preparations for combat duty still under way' },
      claim('S16', 'defence minister of Belarus', '2025-12-18'),
    ),
    // "on combat duty in December, as agreed"
    fact('DeliveryReported', '2025-12', {}, address),
  ),
].flat()

/** A body or work that a report names as there already: promised, and claimed as delivered, by that report's day. */
function claimedDone(id: string, title: string, theme: string, by: string, cited: Citation): SampleFact[] {
  return stream(id, made(title, theme, by, [cited]), fact('DeliveryReported', by, {}, cited))
}

const institutions = [
  claimedDone('tax-body', 'Joint Union body for tax administration', 'institutions', '../2026-02-26', address),
  claimedDone('customs-body', 'Joint Union body for customs administration', 'institutions', '../2026-02-26', address),
  claimedDone('hydromet-service', 'Union hydrometeorological service', 'institutions', '../2026-02-26', address),
  stream(
    'standardisation-body',
    made('Union State Committee for Standardisation and Quality', 'institutions', '../2026-02-24', [says('S17')]),
    fact(
      'StatusReported',
      '2026-02-26',
      { status: 'announced', note: 'to be added to the joint bodies after the council meeting' },
      address,
    ),
  ),
  stream(
    'justice-directive',
    made('Directive on mutual support and cooperation in international justice', 'foreign policy', '../2026-02-26', [
      address,
    ]),
    // "signed at the council meeting"
    fact('DeliveryReported', '2026-02-26', {}, address),
  ),
].flat()

const industry = [
  stream(
    'import-substitution',
    made('Joint import-substitution projects', 'industry', '../2022-12-31', [says('S0')]),
    fact('StatusReported', '2022', { status: 'launched' }, says('S0')),
  ),
  // "named as a finished example of import substitution"
  claimedDone(
    'belaz-engine',
    'BELAZ 90-ton dump truck with a Yaroslavl engine of 1,050 horsepower',
    'industry',
    '../2025-09-15',
    interview,
  ),
  stream(
    'microelectronics-88',
    made('88 new types of microelectronic products', 'industry', '../2025-09-15', [interview], {
      due: '2030',
      target: { value: 88, unit: 'product types' },
    }),
  ),
  stream(
    'union-machine',
    made('Union Machine project: all components produced in Belarus and Russia', 'industry', '../2025-09-15', [
      interview,
    ]),
    fact('ProgressReported', '2025-09-15', { note: 'in full swing' }, interview),
  ),
  stream(
    'food-security',
    made('Food security of the Union State', 'agriculture', '../2025-09-15', [interview], {
      target: { value: 100, unit: 'percent' },
    }),
    // "secured at 100 percent"
    fact('DeliveryReported', '../2025-09-15', {}, interview),
  ),
].flat()

const people = [
  // "residents enjoy equal rights"
  claimedDone(
    'equal-rights',
    'Equal rights in employment, social security, healthcare, education and pensions',
    'social',
    '../2025-09-15',
    interview,
  ),
  stream(
    'electoral-rights',
    made('Expanded electoral rights', 'social', '../2025-03-13', [claim('S13', 'Vladimir Putin')]),
    fact('ProgressReported', '2025-09-15', { note: 'named as a tangible result' }, interview),
  ),
  stream(
    'regional-flights',
    made('More regional flights', 'transport', '../2025-09-15', [interview]),
    fact('ProgressReported', '2025-09-15', { note: 'named as a tangible result' }, interview),
  ),
  stream(
    'regional-rail',
    made('Cross-border railway services between regional centres', 'transport', '../2026-02-26', [
      address,
      says('S17'),
    ]),
    fact(
      'MilestoneSet',
      '../2026-02-26',
      { milestone: 'decision', title: 'Decision of the council on the launch' },
      address,
      says('S17'),
    ),
    fact('MilestoneMet', '2026-02-26', { milestone: 'decision' }, says('S18')),
    fact('ProgressReported', '2026-02-26', { note: 'Smolensk linked with Orsha and Vitebsk' }, says('S18')),
  ),
  stream(
    'forum-of-regions',
    made('Annual Forum of Regions', 'regions', '../2025-09-15', [interview]),
    fact('ProgressReported', '2025-09-15', { note: 'has become a key platform' }, interview),
  ),
  stream(
    'digital-space',
    made('Unified digital space', 'digital', '../2025-09-15', [interview]),
    fact('ProgressReported', '2025-09-15', { note: 'both nations working toward it' }, interview),
  ),
].flat()

const space = [
  stream(
    'space-programmes',
    made('Eight joint space programmes', 'space', '../2025-09-15', [interview], {
      target: { value: 8, unit: 'programmes' },
    }),
    // "eight joint programmes named"
    fact('DeliveryReported', '../2025-09-15', {}, interview),
  ),
  claimedDone('first-cosmonaut', 'First female Belarusian cosmonaut in orbit', 'space', '../2025-09-15', interview),
  stream(
    'satellite-35cm',
    made('New Earth observation spacecraft with a resolution of 35 cm', 'space', '../2025-09-15', [interview], {
      target: { value: 35, unit: 'centimetres', better: 'less' },
    }),
    fact(
      'ProgressReported',
      '2025-09-15',
      { note: 'named as a current project, Belarusian payload on a Russian platform' },
      interview,
    ),
  ),
].flat()

const FACTS = [programmes, figures, energy, trade, defence, institutions, industry, people, space].flat()

/** When a citation was said: on the day given, else when its source was published. */
function saidOn({ source, claimedOn }: Citation): DateRange {
  return dateRangeOf(claimedOn ?? sourceOf(source).publishedOn)
}

/** By which day all that a fact cites had been said, and the first day on which that can have been. */
function claimSpan({ citations }: SampleFact): { last: number; first: number } {
  const said = citations.map(saidOn)
  return {
    last: Math.max(...said.map(({ last }) => last ?? Number.POSITIVE_INFINITY)),
    first: Math.max(...said.map(({ first }) => first ?? BEFORE_ALL_DAYS)),
  }
}

function byClaim(a: SampleFact, b: SampleFact): number {
  const [x, y] = [claimSpan(a), claimSpan(b)]
  return x.last - y.last || x.first - y.first
}

/** The facts with each source added right before the first fact that cites it. */
function withSources(facts: readonly SampleFact[]): SampleFact[] {
  const cited = facts.map(({ citations }) => citations.map(({ source }) => source))
  const added = new Set<string>()
  return facts.flatMap((fact, index) => {
    const fresh = [...new Set(cited[index])].filter((source) => !added.has(source))
    for (const source of fresh) added.add(source)
    return [...fresh.map(sourceAdded), fact]
  })
}

function sourceAdded(source: string): SampleFact {
  const data = sourceOf(source)
  return sampleFact(REGISTER_STREAM, 'SourceAdded', data.publishedOn, { source, ...data }, [])
}

/**
 * The events of the register `union-state`, in the order in which the facts were claimed, so that a size stands for a state
 * of the public record. The same at every call; an id is made of what its event says.
 */
export function unionStateEvents(): SampleEvent[] {
  // The sort is stable: facts of one claim keep the order above, the promise first.
  return [...opening, ...withSources(FACTS.toSorted(byClaim))].map((fact) =>
    withId(`union-state ${JSON.stringify(fact)}`, fact),
  )
}

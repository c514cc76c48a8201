// Every English word of the page, but those of figures and types of events, which stand in the tables of the domain. A view
// takes its words from here and from the service's answers; titles, metrics and quotes stay as they were recorded.

import type { EventField } from './answers.ts'
import { formatNumber, formatSigned } from './format.ts'
import * as generated from './generated.ts'

// Bound here, and not passed on, so that they are built into one script with the other words.
export const { EVENT_WORDS, FIELD_KINDS, FIGURE_KINDS, FIGURE_NOTES, FIGURE_WORDS, SHARES } = generated

/** One or many: `plural(1, 'event')` is “1 event”. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

export const LIFECYCLE_WORDS = {
  open: 'Open',
  suspended: 'Suspended',
  delivered: 'Delivered',
  partiallyDelivered: 'Partly delivered',
  notDelivered: 'Not delivered',
  withdrawn: 'Withdrawn',
  superseded: 'Superseded',
} as const

export const SCHEDULE_WORDS = {
  closed: 'Closed',
  noDueDate: 'No due date',
  deliveredOnTime: 'Delivered on time',
  deliveredLate: 'Delivered late',
  late: 'Late',
  forecastLate: 'Late by forecast',
  onSchedule: 'On schedule',
} as const

export function uncertainly(word: string): string {
  return `${word} (uncertain)`
}

/** What a status as reported is said to mean. */
export const MEANS_WORDS: Record<string, string> = {
  onSchedule: SCHEDULE_WORDS.onSchedule,
  late: SCHEDULE_WORDS.late,
  delivered: LIFECYCLE_WORDS.delivered,
  notDelivered: LIFECYCLE_WORDS.notDelivered,
}

export const VERIFICATION_WORDS = {
  none: 'No claim',
  claimed: 'Claimed',
  verified: 'Verified',
  disputed: 'Disputed',
} as const

export const CONFLICT_WORDS: Record<string, string> = {
  'made-twice': 'Made twice',
  'delivery-days-differ': 'Days of delivery differ',
  'delivery-disputed': 'Delivery disputed',
  'source-differs': 'A source differs',
  'status-differs': 'Reported status differs from the computed one',
  'rebaselined-after-delivery': 'Due date moved after delivery',
  'undefined-reference': 'Refers to what is not defined',
  'reports-differ': 'Reports differ',
}

export const shell = {
  product: 'Pledger',
  tagline: 'Commitments against delivery',
  skip: 'Skip to the content',
  registers: 'Registers',
  operations: 'Operations',
  api: 'API',
  views: {
    overview: 'Overview',
    commitments: 'Commitments',
    figures: 'Reported',
    conflicts: 'Conflicts',
    sources: 'Sources',
    changes: 'What changed',
    log: 'Log',
  },
  theme: { label: 'Colours', auto: 'As the system', light: 'Light', dark: 'Dark' },
  nowhere: 'There is no such page',
  nowhereDetail: 'The address names no view. Perhaps it was cut off.',
  backToRegisters: 'To the registers',
  loading: 'Loading …',
  none: '–',
  more: 'Show more',
  openControl: 'No access control: everyone on this machine may read and record.',
  unsafe: (reasons: readonly string[]) => `The database is not safe: ${reasons.join('; ')}`,
} as const

export const freshness = {
  now: 'Up to date',
  ago: (seconds: number) => `Checked ${seconds} s ago`,
  at: (time: string) => `Checked at ${time}`,
  away: (time: string) =>
    `The service has been away since ${time}. What is shown is what it last answered; asking again.`,
  awayShort: 'Service away',
  waiting: 'Waiting for the service',
} as const

export const access = {
  enter: 'Enter a token',
  explain: 'This service answers to those it knows. A token is kept in this tab alone, until it is closed.',
  label: 'Token',
  use: 'Use it',
  forget: 'Forget the token',
  wrong: 'The token is not known, has expired or was revoked.',
} as const

export const failures = {
  away: 'The service does not answer',
  awayDetail: 'Nothing of this view was loaded before. It is asked again by itself.',
  retry: 'Ask again',
  missing: 'A part of this page could not be fetched',
  missingDetail:
    'The page is loaded again as soon as the service answers. Nothing is lost: what is looked at is in the address.',
} as const

export const clocks = {
  title: 'The two clocks',
  asOf: 'As of',
  asOfHint: 'The day the question is about',
  knownAt: 'Known at',
  knownAtHint: 'How much of the log answers it: a size, or a day',
  everything: 'everything recorded',
  size: (size: number) => `size ${formatNumber(size)}`,
  newest: 'Everything',
  previousDay: 'A day earlier',
  nextDay: 'A day later',
  previousCheckpoint: 'The checkpoint before',
  nextCheckpoint: 'The next checkpoint',
  past: 'You are looking at another moment.',
  ahead: 'You are looking ahead: nothing further happens, due days pass.',
  bannerAsOf: (day: string) => `as of ${day}`,
  bannerKnownAt: (size: number, when: string | null) =>
    when === null ? `known at size ${formatNumber(size)}` : `known at size ${formatNumber(size)}, recorded by ${when}`,
  backToNow: 'Back to now',
  cite: 'Cite this view',
  cited: 'Address copied, with both clocks fixed',
  citedNot: 'Both clocks are fixed in the address now; copy it from the address bar',
  invalidKnownAt: 'Expected a size (digits), a day (YYYY-MM-DD) or an instant',
} as const

export const losses = {
  some: (count: number) =>
    `${plural(count, 'event')} that would count here ${count === 1 ? 'has' : 'have'} been erased (redacted).`,
} as const

export const citations = {
  none: 'No source is cited.',
  claimed: (who: string) => `Claimed by ${who}`,
  claimedOn: (who: string, day: string) => `Claimed by ${who}, ${day}`,
  saidOn: (day: string) => `Said ${day}`,
  differs: (field: string, value: string) => `This source says ${field}: ${value}`,
  archived: 'archived copy',
  undefinedSource: 'no longer defined',
  event: (position: number) => `event ${position}`,
} as const

// ---------------------------------------------------------------------------------------------- the list of registers

export const registers = {
  title: 'Registers',
  lead: 'What was promised, by whom, by when, and what was delivered. Every number leads to the events and documents behind it.',
  emptyToOthers: 'No register is open to everyone. Enter a token to see those that it is for.',
  empty: 'There is no register yet. Open one with POST /v1/registers, or pledger sample.',
  inScope: 'in scope',
  delivered: 'delivered',
  late: 'late',
  disputed: 'disputed',
  lastEvent: 'Last event',
  events: (count: number) => plural(count, 'event'),
  sealed: 'Sealed',
  sealedAt: (size: number) => `Sealed at size ${formatNumber(size)}`,
  unsealed: (behind: number) => `${plural(behind, 'event')} not sealed yet`,
  notSealed: 'Not sealed yet',
} as const

// ---------------------------------------------------------------------------------------------- overview of a register

export const charts = {
  asTable: 'The same as a table',
} as const

export const overview = {
  inScope: 'in scope',
  delivered: 'delivered',
  late: 'late',
  excludedNote: 'Left the scope.',
  share: (of: number) => `of ${formatNumber(of)}`,
  ratio: (count: number, of: number) => `${formatNumber(count)} of ${formatNumber(of)}`,
  slippageRest: (mean: string, p90: string, max: string, of: number) =>
    `median · mean ${mean} · p90 ${p90} · at most ${max} · of ${formatNumber(of)}`,
  atThisPace: (day: string) => `at this pace done by ${day}`,
  excluded: 'Out of scope',
  excludedRest: (withdrawn: number, superseded: number) =>
    `${formatNumber(withdrawn)} withdrawn, ${formatNumber(superseded)} superseded`,
  more: 'Further figures',
  reported: 'Reported beside computed',
  reportedNote:
    'What others report in numbers, and what this register computes for the same figure, programme and day. Neither corrects the other.',
  allReported: (count: number) => `All ${plural(count, 'reported figure')}`,
  covered: (count: number, of: number) =>
    `This register holds ${formatNumber(count)} of the ${formatNumber(of)} that the programme reports.`,
  wholeRegister: 'the whole register',
  report: 'Report',
  reportedValue: 'Reported',
  computedValue: 'Computed',
  difference: 'Difference',
  overTime: 'Status over time',
  overTimeNote: 'How many stood where, by everything known at the second clock.',
  overTimeLabel: (delivered: number, inScope: number, late: number, day: string) =>
    `Status over time, stacked. On ${day}: ${formatNumber(delivered)} of ${formatNumber(inScope)} delivered, ${formatNumber(late)} late. Arrow keys read out other days.`,
  parts: { delivered: 'Delivered', open: 'Open, not late', late: 'Late', notDelivered: 'Not delivered' },
  day: 'Day',
  days: (days: string) => `${days} days`,
  inScopeHead: 'In scope',
  deliveredHead: 'Delivered',
  lateHead: 'Late',
  coverageHead: 'Of those reported',
  statusHead: 'Status',
  nothingYet: 'Nothing was promised by this day.',
  earned: 'Earned schedule',
  earnedNote:
    'Planned: due by their first dates, in straight lines between due days. Earned: delivered. The gap is how far the delivered lie behind the plan, or before it, in time.',
  plannedValue: 'Planned',
  earnedValue: 'Earned',
  gap: 'Gap in time',
  earnedLabel: (count: number, variance: number | null, spi: string) =>
    `Earned schedule: ${formatNumber(count)} delivered, ${variance === null ? 'no variance' : `${formatNumber(variance)} days against the plan`}, SPI(t) ${spi}. Arrow keys read out other days.`,
  trend: 'Milestone trend',
  trendNote: (most: number) =>
    `Across: the day on which a due date came into force. Up: the date that it promised. Level is kept, rising is slipping. The ${formatNumber(most)} with the largest slippage against their first date.`,
  trendLabel: (count: number) => `Milestone trend of ${plural(count, 'commitment')}`,
  trendLine: (title: string, first: string, now: string, status: string) =>
    first === now ? `${title}: due ${now}, ${status}` : `${title}: due ${first}, then ${now}, ${status}`,
  trendStep: (on: string, due: string) => `from ${on} due ${due}`,
  trendHint: 'Point at a line, or walk along them with the Tab key.',
  trendProgramme: 'Lines of a programme',
  allProgrammes: 'All programmes',
  noTrend: 'None of these has a due date.',
  promisedDate: 'Due date in force',
  forecastDate: 'Forecast',
  diagonal: 'Today: where a line meets it, the due day has come',
  commitment: 'Commitment',
  dueDates: 'Due dates',
  spread: 'Slippage distribution',
  spreadNote: 'How many commitments are how many days late, of those delivered or late.',
  spreadLabel: 'Days late, with how many against the original and how many against the current date.',
  noSlippage: 'Nothing with a due date is delivered or late.',
  bin: (from: string, to: string) => `${from} to ${to}`,
  binTitle: (days: string, original: number, current: number) =>
    `${days} days: ${formatNumber(original)} against the original, ${formatNumber(current)} against the current date`,
  onTime: '← on time',
  lateSide: 'late →',
  againstOriginal: (of: number) => `against the original date (${formatNumber(of)})`,
  againstCurrent: (of: number) => `against the current date (${formatNumber(of)})`,
  daysHead: 'Days late',
  originalHead: 'Original',
  currentHead: 'Current',
  conflicts: 'Conflicts',
  conflictsNote: 'What cannot all hold. Both sides are shown.',
  allConflicts: (count: number, isMore: boolean) =>
    isMore ? `All, more than ${plural(count, 'conflict')}` : `All ${plural(count, 'conflict')}`,
  noConflicts: 'Nothing contradicts anything else at these clocks.',
  groups: { programme: 'Programmes', theme: 'Themes', party: 'Parties' },
  group: { programme: 'Programme', theme: 'Theme', party: 'Party' },
  noGroup: { programme: 'No programme', theme: 'No theme', party: 'No party' },
  bar: 'Shares',
} as const

// ---------------------------------------------------------------------------------------------- commitments

export const commitments = {
  search: 'Search titles, ids, themes',
  filters: (count: number) => (count === 0 ? 'Filters' : `Filters (${count})`),
  axes: {
    lifecycle: 'Lifecycle',
    schedule: 'Schedule, current date',
    verification: 'Verification',
    programme: 'Programme',
    theme: 'Theme',
    party: 'Party',
  },
  any: 'Any',
  oneMore: 'One more …',
  none: { programme: 'No programme', theme: 'No theme', party: 'No party' },
  original: (word: string) => `${word} (original date)`,
  set: 'What the list is narrowed to',
  remove: (word: string) => `Remove: ${word}`,
  clear: 'Clear all',
  counted: (figure: string) => `Exactly those counted as: ${figure}`,
  countedOutOf: (figure: string) => `Those that “${figure}” is counted out of`,
  count: (count: number) => plural(count, 'commitment'),
  moreThan: (count: number) => `More than ${plural(count, 'commitment')}`,
  reading: (there: number, total: number | null) =>
    total === null
      ? `Reading on: ${formatNumber(there)} so far …`
      : `Reading on: ${formatNumber(there)} of ${formatNumber(total)} …`,
  empty: 'No commitment is like that at these clocks.',
  onPaper: (shown: number, of: number) =>
    `${formatNumber(shown)} of ${formatNumber(of)} are printed: those on the screen. The download holds all.`,
  sort: 'Sort by',
  sorts: [
    ['-slippageDays.current', 'Slippage, current date: latest first'],
    ['-slippageDays.original', 'Slippage, original date: latest first'],
    ['slippageDays.current', 'Slippage, current date: earliest first'],
    ['currentDue', 'Due date'],
    ['-madeOn', 'Promised: newest first'],
    ['-baselineShiftDays', 'Shift of the due date: largest first'],
    ['-stalenessDays', 'Longest without news'],
    ['title', 'Title'],
    ['id', 'Id'],
  ],
  columns: {
    title: 'Commitment',
    status: 'Status',
    due: 'Due',
    finish: 'Finish',
    slippageOriginal: 'Slip, original',
    slippageCurrent: 'Slip, current',
    shortOriginal: 'Slip, orig.',
    shortCurrent: 'Slip, curr.',
  },
  expected: (day: string) => `exp. ${day}`,
  conflicts: (count: number) => plural(count, 'conflict'),
  redacted: 'Redacted',
  csv: 'Download CSV',
  json: 'Download JSON',
  cancel: 'Cancel the download',
  cancelled: 'Cancelled.',
  saved: (name: string) => `Saved ${name}`,
  notSaved: 'The download failed; nothing was saved.',
  loadedBytes: (kilobytes: string) => `${kilobytes} kB …`,
  loadedRows: (rows: string) => `${rows} commitments …`,
  news: (count: number) => (count === 0 ? 'The list has changed.' : `${plural(count, 'new event')}.`),
  showNews: 'Show',
} as const

// ---------------------------------------------------------------------------------------------- one commitment, one event

/** What the members of events are called; the type makes sure that none is forgotten. */
export const FIELD_WORDS: Record<string, string> = {
  occurredOn: 'Occurred',
  due: 'Due',
  finish: 'Expected finish',
  reason: 'Reason',
  reasonCode: 'Kind of reason',
  approvedBy: 'Approved by',
  title: 'Title',
  description: 'Description',
  programme: 'Programme',
  themes: 'Themes',
  parties: 'Parties',
  target: 'Target',
  milestone: 'Milestone',
  value: 'Value',
  percent: 'Percent',
  note: 'Note',
  status: 'Status, in its words',
  means: 'Which means',
  partial: 'Partial',
  method: 'Method',
  by: 'By',
  assessor: 'Assessor',
  scale: 'Scale',
  scaleVersion: 'Version of the scale',
  rating: 'Rating',
  metric: 'Metric',
  figure: 'Compared with',
  of: 'Of',
  statedPercent: 'Stated percent',
  asOf: 'As of',
  approximate: 'Approximate',
  source: 'Source',
  publisher: 'Publisher',
  author: 'Author',
  url: 'Address',
  publishedOn: 'Published',
  retrievedAt: 'Retrieved',
  contentHash: 'Hash of its content',
  archivedUrl: 'Archived at',
  id: 'Id',
  name: 'Name',
  timeZone: 'Time zone',
  parent: 'Part of',
  period: 'Period',
  scope: 'Reported scope',
  event: 'Event',
  citations: 'Citations',
  data: 'Data',
} satisfies Record<EventField | 'occurredOn', string>

export const commitment = {
  status: 'Where it stands',
  axes: { lifecycle: 'Lifecycle', original: 'Against the original date', current: 'Against the current date' },
  verification: 'Verification',
  dates: 'Dates',
  madeOn: 'Promised',
  originalDue: 'Due, original',
  currentDue: 'Due, current',
  forecastFinish: 'Expected finish',
  actualFinish: 'Finish, as claimed',
  slippage: 'Slippage',
  slippageOriginal: 'Against the original date',
  slippageCurrent: 'Against the current date',
  shift: 'Shift of the due date',
  rebaselines: 'Due dates moved',
  pushes: 'Forecasts moved later',
  staleness: 'Since the last news',
  days: (days: number) => (Math.abs(days) === 1 ? 'day' : 'days'),
  late: 'positive is late',
  uncertain: 'Imprecise dates leave this open: with every fact at its first possible day the status differs.',
  about: 'About',
  target: 'Target',
  earlierTarget: 'Earlier target',
  from: 'from',
  better: { more: 'more is better', less: 'less is better' },
  progress: 'Progress',
  reportedStatus: 'Status as reported',
  means: (word: string) => `which means: ${word}`,
  supersededBy: 'Superseded by',
  id: 'Id',
  parties: 'Parties',
  programme: 'Programme',
  themes: 'Themes',
  open: 'Not yet',
  milestones: 'Milestones',
  milestone: 'Milestone',
  milestoneDue: 'Due',
  metOn: 'Met',
  onScale: (scale: string, version: string) => `on ${scale} ${version}`,
  conflicts: 'Conflicts',
  conflictsNote: 'Where sources or events do not agree. Pledger takes no side.',
  noParties: 'No party is named.',
  noProgramme: 'No programme',
  timeline: 'Through time',
  timelineNote:
    'What held when, by everything known at the second clock; each band was begun by an event or by a due day.',
  periods: 'The same as a table',
  period: { from: 'From', to: 'Until', lifecycle: 'Lifecycle', schedule: 'Schedule', begunBy: 'Begun by' },
  lasts: 'lasts',
  dueDayPassed: 'due day passed',
  rows: {
    status: 'Status',
    verification: 'Verification',
    due: 'Due dates',
    forecast: 'Forecasts',
    milestones: 'Milestones',
    events: 'Events',
  },
  baseline: (number: number) => (number === 0 ? 'original' : `moved ${formatNumber(number)}`),
  history: 'History',
  historyNote: 'Every event of this commitment, in the order in which it counts, with who says so and where.',
  claimedBy: (who: string) => `according to ${who}`,
  recorded: 'recorded',
  recordedBy: (who: string) => `by ${who}`,
  later: (day: string) => `After ${day}: not counted at this as-of day`,
  retracted: 'Retracted: as if it had not been recorded',
  corrected: 'Corrected: read with other values',
  redacted: 'Redacted: its content was erased, its hash and its place stay',
  notInForce: 'itself retracted',
  instead: 'Instead of',
  raw: 'Raw event',
  yes: 'Yes',
  no: 'No',
  cleared: 'cleared',
  partialClaim: 'Partial delivery claimed',
  moreEvents: (limit: number) => `The first ${formatNumber(limit)} events are shown; the API lists them all.`,
} as const

export const event = {
  title: (position: number, word: string) => `Event ${formatNumber(position)}: ${word}`,
  at: (position: string) => `Event ${position}`,
  before: 'The event before',
  after: 'The event after',
  where: 'In the log',
  position: 'Position',
  stream: 'Stream',
  ofRegister: 'the register itself',
  revision: 'Revision',
  type: 'Type',
  version: (version: number) => `version ${version}`,
  recordedAt: 'Recorded',
  recordedBy: 'Recorded by',
  id: 'Id',
  bodyHash: 'Hash of its content',
  says: 'What it says',
  sources: 'Sources',
  nothing: 'Nothing but its type.',
  noSuch: 'There is no event at such a position.',
} as const

export const verify = {
  title: 'Verify this',
  note: 'Recomputed here, in this browser, with WebCrypto; the service is asked for the evidence and believed in nothing.',
  start: (count: number) => (count === 1 ? 'Verify this event' : `Verify these ${formatNumber(count)} events`),
  again: 'Verify again',
  running: (done: number, of: number) => `Verifying ${formatNumber(done)} of ${formatNumber(of)} …`,
  insecure:
    'This browser does cryptography only for pages that came over HTTPS or from this machine. Verify with: pledger verify event.',
  notSealed: 'Not sealed yet: no checkpoint covers it. Ask again in a moment.',
  held: 'Everything that was checked holds.',
  partly: 'What could be checked holds; not everything could be.',
  failed: 'It does not hold. Keep this page and what the service answered.',
  unfinished: 'It could not be checked to its end:',
  unreadable: 'what the service answered cannot be read.',
  outcomes: { held: 'Holds', failed: 'Does not hold', open: 'Not checked' },
  steps: {
    body: 'Content',
    leaf: 'Entry of the log',
    path: 'Place in the log',
    signature: 'Signature',
    history: 'Earlier log',
  },
  words: {
    body: {
      held: 'Date, data and citations, with the salt, hash to the body hash that the log keeps.',
      failed: 'The content does not hash to the body hash that the log keeps: one of them was altered.',
      open: 'The content was erased by a redaction. The hash of what it was still stands in the log.',
    },
    leaf: {
      held: 'The entry rebuilt from what was answered has the hash that the proof starts from.',
      failed: 'The entry rebuilt from what was answered does not have the hash that the proof starts from.',
      open: '',
    },
    path: {
      held: 'The hashes of the proof lead from this entry, at its position, to the root of the checkpoint (RFC 9162).',
      failed: 'The proof does not lead from this entry, at its position, to the root of the checkpoint.',
      open: '',
    },
    signature: {
      held: 'The checkpoint is signed by a key that the register lists for this size (Ed25519).',
      failed: 'No key that the register lists for this size has signed the checkpoint.',
      open: 'This browser cannot check Ed25519 signatures.',
    },
    history: {
      held: 'The log of this checkpoint holds everything of the one that this browser saw before, unchanged.',
      failed: 'The log of this checkpoint contradicts the one that this browser saw before.',
      open: 'This is the first checkpoint of this register that this browser has seen; it is remembered, where the browser keeps anything.',
    },
  },
  value: {
    bodyHash: 'body hash',
    salt: 'salt',
    leafHash: 'leaf hash',
    position: 'position',
    size: 'size',
    root: 'root',
    steps: 'hashes',
    origin: 'origin',
    keys: 'key',
    first: 'size before',
    second: 'size now',
    seen: 'seen',
  } as Record<string, string>,
  values: 'Values',
  limits:
    'The events were checked as they stand here; what the service reckons from them (status, figures, what is in force) was not, nor that no event is left out: “pledger verify log” looks at all. Nor does this show that what was said is true, or that others are shown the same log: the key came from this service. Compare the checkpoint and the key with those that others hold, or let “pledger verify watch” look on.',
  event: (position: number) => `Event ${formatNumber(position)}`,
} as const

// ---------------------------------------------------------------------------------------------- reported figures, conflicts, sources

export const pages = {
  news: 'This list has changed since it was opened.',
  renew: 'Show it as it is now',
  rest: (count: number) => `${formatNumber(count)} more`,
} as const

export const figures = {
  title: 'Reported figures',
  lead: 'What others say in numbers, in their words, beside what this register computes for the same figure, programme and day. Neither corrects the other.',
  search: 'Search metrics, programmes, sources, speakers',
  show: 'Show',
  filters: {
    all: 'All',
    compared: 'Compared with the register',
    different: 'Different from the register',
    arithmetic: 'Whose arithmetic does not hold',
    conflicting: 'In conflict',
  },
  count: (count: number) => plural(count, 'reported figure'),
  found: (count: number, all: number) => `${formatNumber(count)} of ${plural(all, 'reported figure')}`,
  none: 'No figure was reported by this day.',
  nothing: 'No reported figure is like that.',
  noProgramme: 'the whole register',
  about: 'about',
  reported: 'Reported',
  own: 'In this register',
  difference: 'Difference',
  approximately: 'about',
  of: (count: number) => `of ${formatNumber(count)}`,
  stated: (percent: string) => `stated as ${percent}`,
  days: 'days, mean',
  index: 'index',
  quoted: (metric: string) => `“${metric}”`,
  list: (count: number) =>
    count === 0 ? 'none counted' : count === 1 ? 'the one counted' : `the ${formatNumber(count)} counted`,
  same: 'the same',
  points: (points: number) => `${formatSigned(points)} percentage ${Math.abs(points) === 1 ? 'point' : 'points'}`,
  conflicts: 'In conflict with it',
  notComputed: 'Not computable on this day.',
  unnamed: 'Compared with nothing: the report names no figure that the register computes.',
  coverage: (count: number, of: number) =>
    `This register holds ${formatNumber(count)} of the ${formatNumber(of)} that the programme reports`,
  partial: 'its own value is of these alone.',
  whoSays: 'Who says so',
  checks: 'The report’s own arithmetic',
  agrees: { exactly: 'Agrees', whenRounded: 'Agrees when rounded', no: 'Does not agree' },
  bounds: 'What it allows, together with others of the day',
  assumed: 'Only',
  event: (position: number) => `event ${formatNumber(position)}`,
} as const

export const conflicts = {
  lead: 'What cannot all hold: facts, sources and reports that contradict each other. Both sides are shown; Pledger takes none.',
  kinds: 'Kinds of conflict',
  all: 'All',
  about: {
    commitment: 'Commitment',
    programme: 'Programme',
    source: 'Source',
    party: 'Party',
    figure: 'Reported figure',
  },
  event: (position: number) => `Event ${formatNumber(position)}`,
  count: (count: number) => plural(count, 'conflict'),
  moreThan: (count: number) => `More than ${plural(count, 'conflict')}`,
  shown: (count: number) => `${formatNumber(count)} shown`,
  none: 'Nothing in this register contradicts anything else at these clocks.',
  noneOfKind: 'There is no conflict of this kind at these clocks.',
} as const

export const sources = {
  lead: 'The documents that facts are cited from, and what is kept of each should its address no longer lead to it.',
  search: 'Search titles, publishers, authors, addresses',
  columns: { title: 'Document', publisher: 'Publisher', published: 'Published', kept: 'Copy kept' },
  by: (author: string) => `by ${author}`,
  event: (position: number) => `event ${formatNumber(position)}`,
  retrieved: 'Retrieved',
  hash: 'Hash of its content',
  citedFrom: 'Where this is known from',
  conflicts: (count: number) => plural(count, 'conflict'),
  count: (count: number) => plural(count, 'source'),
  found: (count: number, all: number) => `${formatNumber(count)} of ${plural(all, 'source')}`,
  none: 'No source is defined by this day.',
  nothing: 'No source holds these words.',
} as const

// ---------------------------------------------------------------------------------------------- what changed

export const changes = {
  lead: 'One day, seen with what was known at two sizes of the log: which figures and commitments changed, and because of which events.',
  controls: 'What is compared',
  from: 'Known before, at',
  to: 'and after, at',
  lastCheckpoint: (size: number) => `${formatNumber(size)} · last checkpoint`,
  everything: (size: number) => `${formatNumber(size)} · everything`,
  since: 'Since',
  sinceCheckpoint: 'the last checkpoint',
  sinceYesterday: 'yesterday',
  sinceWeek: 'a week ago',
  sinceMonth: '30 days ago',
  sinceBeginning: 'the beginning',
  between: 'Between size',
  and: 'and size',
  sameSize: (size: number) => `Nothing was recorded in between: both sizes are ${formatNumber(size)}.`,
  events: (count: number) => `${plural(count, 'event was', 'events were')} recorded.`,
  noneStands: 'No commitment stands otherwise',
  stand: (count: number) => (count === 1 ? 'stands otherwise' : 'stand otherwise'),
  asOf: 'as of',
  figures: 'Figures',
  figure: 'Figure',
  at: (size: number) => `At ${formatNumber(size)}`,
  difference: 'Difference',
  same: 'no change',
  meanDays: '(mean, days)',
  points: (points: string) => `${points} points`,
  unchanged: (count: number) =>
    count === 1 ? 'One figure did not change' : `${formatNumber(count)} figures did not change`,
  checkpoints: 'Checkpoints',
  checkpointsNote: 'Newest first; each shows what it added to the one before.',
  noCheckpoint: 'Nothing is sealed yet.',
  size: (size: number) => `size ${formatNumber(size)}`,
  news: 'What was learned',
  newsNote: 'News: something happened, or became known.',
  repairs: 'What was mended',
  repairsNote: 'Repairs: the record had been wrong and was corrected, retracted or redacted.',
  commitments: (count: number, isWhole: boolean) =>
    isWhole ? plural(count, 'commitment') : `At least ${plural(count, 'commitment')}`,
  shown: (count: number) => `${formatNumber(count)} shown`,
  axes: {
    lifecycle: 'Lifecycle',
    schedule: 'Schedule',
    current: 'Schedule, current date',
    original: 'Schedule, original date',
    verification: 'Verification',
    programme: 'Programme',
  },
  became: 'became',
  because: 'Because of',
  cause: (word: string, event: number) => `${word}, event ${formatNumber(event)}`,
  repair: 'Repair',
  isNew: 'New',
  isGone: 'No longer known',
} as const

// ---------------------------------------------------------------------------------------------- log and operations

const AND = new Intl.ListFormat('en-GB')

/** Several words as one: “Periods and tallies”. */
function phrase([first = '', ...rest]: readonly string[]): string {
  return AND.format([first, ...rest.map((one) => one.toLowerCase())])
}

function duration(seconds: number): string {
  if (seconds < 60) return `${formatNumber(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : plural(Math.floor(hours / 24), 'day')
}

export const log = {
  lead: 'Everything that was recorded, in the order in which it was. An event never changes and never loses its place, even where what it said was erased. New ones arrive by themselves.',
  feed: 'Events',
  columns: { position: 'Position', event: 'Event', stream: 'Stream', recorded: 'Recorded', by: 'By' },
  registerStream: 'the register',
  redacted: 'Content erased',
  type: 'Type',
  anyType: 'All types',
  stream: 'Stream',
  streamHint: 'Id of a commitment, or $register',
  invalidStream: 'Expected the id of a commitment, or $register',
  position: 'From position',
  positionHint: (last: number) => `0 to ${last}`,
  jump: 'Go',
  clear: 'Clear',
  away: 'The service does not answer. It is asked again by itself.',
  newest: 'To the newest events',
  newer: 'Show newer',
  older: 'Show older',
  readingBack: (position: number) => `Looking further back, before position ${formatNumber(position)} …`,
  arrived: (count: number) => `${plural(count, 'new event')} arrived`,
  shown: (count: number, size: number) => `${formatNumber(count)} of ${plural(size, 'event')}`,
  matching: (count: number, isWhole: boolean) =>
    isWhole ? plural(count, 'such event') : `The newest ${plural(count, 'such event')}`,
  pinned: (position: number) => `From position ${formatNumber(position)} back. What is new is not added.`,
  none: 'No event is like that.',
  beginning: 'That is the beginning of the log.',
  value: (value: string, of: string | null) => (of === null ? value : `${value} of ${of}`),
} as const

export const seal = {
  title: 'Seal',
  none: 'Not sealed yet',
  whole: 'Every event is sealed',
  signing: 'About to be sealed',
  late: 'Seal is late',
  behind: (events: number, seconds: number) => `${plural(events, 'event')}, for ${duration(seconds)}`,
  refused: 'No longer sealed',
  refusedHint:
    'The log, or the tree over it, is not what was signed. Stop recording, keep the database as it is, verify.',
  upTo: 'Sealed up to',
  size: (sealed: number, size: number) => `${formatNumber(sealed)} of ${plural(size, 'event')}`,
  signed: 'Signed',
  unknown: 'The service does not say how far it is sealed.',
  checkpoints: 'Checkpoints',
  checkpointsNote:
    'The signed head of the Merkle tree over the log. One that you keep elsewhere binds everything recorded before it.',
  noCheckpoints: 'No checkpoint was published yet.',
  checkpoint: (size: number) => `Size ${formatNumber(size)}`,
  knownThen: 'The register as known then',
  root: 'Root hash',
  note: 'Signed note',
  noteOf: (size: number) => `Signed note of size ${formatNumber(size)}`,
  older: 'Show earlier',
  beside: 'Beside the events',
  keys: 'Keys',
  keysNote: 'They sign the checkpoints, or did. Whoever verifies gets the key by another way than the log itself.',
  noKeys: 'No key has signed yet.',
  keyFrom: (from: number, to: number | null) => {
    if (to === null) return `Signs every checkpoint from size ${formatNumber(from)} on`
    return to < from
      ? 'Retired, and never signed'
      : `Signed from size ${formatNumber(from)} to ${formatNumber(to)}, retired`
  },
  active: 'In use',
  retired: 'Retired',
  copy: 'Copy',
  copyOf: (what: string) => `Copy ${what}`,
  copied: 'Copied',
  copyFailed: 'Not copied: select it instead',
  verify: 'Verify it yourself',
  verifyNote: 'With the command line of Pledger, on any machine, without an account and without trusting this service.',
  watch: 'That the log only grows: remembers what it has seen, and says where it contradicts itself',
  whole_log: 'The whole log: every event, every hash, every signature',
  one: 'One event, without a network',
  keyHint: (file: string) =>
    `${file} holds the key as you got it: from a contract, a printed report, a call. The key listed here proves only that the log agrees with itself.`,
  more: 'How events, proofs and checkpoints are read',
} as const

export const operations = {
  lead: 'How the service is, how far everything derived from the log has come, and what is being built anew.',
  you: {
    local: 'Nobody is asked who they are: everyone on this machine may do everything.',
    unknown: 'You have not said who you are. What is shown here is about public registers alone.',
    known: (caller: string, grants: string) => `You are ${caller}: ${grants}.`,
    noGrants: 'no role',
    grant: (role: string, register: string | null) => `${role} of ${register ?? 'every register'}`,
    enter: 'Enter a token',
  },
  health: 'Service',
  ready: 'Ready',
  readyDetail: 'It answers and records.',
  degraded: 'Degraded',
  degradedDetail: 'It answers and records, and somebody has to look.',
  notReady: 'Not ready',
  away: 'Away',
  awayDetail: 'It does not answer. What follows is how it was when it last did.',
  unsafe: 'The database is not safe',
  trouble: 'To be looked at',
  stopped: (projections: readonly string[], register: string) => `${phrase(projections)} of ${register} have stopped`,
  stoppedAt: (position: number) => `at event ${formatNumber(position)}`,
  stuck: (projections: readonly string[], register: string) => `${phrase(projections)} of ${register} do not move`,
  furtherTroubles: (count: number) => `${plural(count, 'further one')}: the registers concerned`,
  refused: (register: string) => `${register} is not sealed any more`,
  events: 'Log',
  registers: 'Registers and their projections',
  registersNote:
    'Answers are read from projections, which follow the log. Each can be built anew from the log at any time, beside what is in use.',
  noRegisters: 'You may see no register.',
  register: 'Register',
  sealed: 'Sealed',
  details: 'Details',
  filter: 'Find a register',
  onlyTroubled: 'Only those to be looked at',
  nothingLike: 'No register is like that.',
  status: {
    notStarted: 'Not started',
    replaying: 'Being built anew',
    progressing: 'Catching up',
    stuck: 'Does not move',
    stopped: 'Stopped',
    caughtUp: 'Caught up',
  },
  /** The meaning of each state of a projection, shown when the reader points at it. */
  statusHint: {
    notStarted: 'It has read nothing yet',
    replaying: 'Its rows are being built anew, beside those in use',
    progressing: 'Behind the log, and on its way',
    stuck: 'Behind the log, and still for ten seconds and more',
    stopped: 'By an event that it cannot read',
    caughtUp: 'It has read the whole log',
  },
  projections: {
    commitments: 'Commitments',
    periods: 'Periods',
    tallies: 'Tallies',
  } as Record<string, string>,
  behind: (events: number, seconds: number) => `${plural(events, 'event')}, ${duration(seconds)} behind`,
  read: 'Read',
  lag: 'Behind',
  version: 'Version',
  generation: 'Build in use',
  building: (events: number) => `${plural(events, 'event')} built of the next one`,
  notBehind: 'nothing',
  state: 'State',
  projection: 'Projection',
  replay: 'Replay',
  replayOf: (register: string) => `Replay of ${register}`,
  begin: 'Start a replay …',
  mayNotReplay: 'Replays are for operators; none of your roles is one.',
  oneAtATime: 'One replay at a time: the next can begin when this one has ended.',
  dialog: {
    title: 'Start a replay',
    explain:
      'Builds rows anew from the whole log, beside those in use, and puts them in their place when they have come to its end. Answers go on meanwhile; redactions are refused until it has ended.',
    projections: 'Projections',
    all: 'All',
    periodsToo: 'Periods, and tallies with them',
    register: 'Register',
    allRegisters: 'Every register',
    maxRate: 'At most, events a second',
    maxRateHint: 'Empty: as fast as it can',
    dropPrevious: 'Drop the rows that are in use now, once the new ones come to the same',
    start: 'Start',
    starting: 'Starting …',
    close: 'Close',
  },
  underWay: 'Replay',
  nothing: 'Nothing is being built anew.',
  nothingVisible: 'Nothing that you may see is being built anew.',
  of: (projections: readonly string[], register: string | null) =>
    `${phrase(projections)} of ${register ?? 'every register'}`,
  operationStatus: {
    pending: 'Waiting to begin',
    running: 'Under way',
    interrupted: 'Interrupted',
    caughtUp: 'Done',
    cancelled: 'Cancelled',
    failed: 'Failed',
  },
  phase: {
    folding: 'reading the log',
    indexing: 'building indexes',
    sealing: 'summing up',
    catchingUp: 'catching up with the log',
    live: 'in use',
  },
  interrupted: 'Nobody works on it any more. The same request goes on with it, or it is given up.',
  goOn: 'Go on with it',
  progress: (done: number, of: number) => `${formatNumber(done)} of ${plural(of, 'event')}`,
  rate: (perSecond: number) => `${formatNumber(perSecond)} events/s`,
  measuring: 'pace not measured yet',
  left: (seconds: number) => `${duration(seconds)} left`,
  started: 'Started',
  finished: 'Ended',
  options: {
    maxRate: (rate: number) => `at most ${formatNumber(rate)} events/s`,
    unbounded: 'as fast as it can',
    drop: 'drops the rows before',
    keep: 'keeps the rows before',
  },
  doneDetail: 'The new rows are in use.',
  cancelledDetail: 'What was built is dropped; what was in use stays.',
  failedDetail: 'What was in use stays.',
  atEvent: (position: number) => `Event ${formatNumber(position)}`,
  cancel: 'Cancel …',
  giveUp: 'Give it up …',
  cancelTitle: 'Cancel this replay?',
  cancelExplain:
    'What it has built so far is dropped, and has to be built again from the beginning. What is in use stays.',
  cancelYes: 'Cancel the replay',
  cancelNo: 'Let it go on',
  dismiss: 'Dismiss',
  mayNotCancel: 'Only an operator may cancel it.',
  gone: 'There is no such operation any more.',
} as const

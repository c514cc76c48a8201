// Every English word of the page. A view takes its words from here and from the service's answers; titles, metrics and quotes
// stay as they were recorded.

import { formatNumber } from './format.ts'

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

export const VERIFICATION_WORDS = {
  none: 'No claim',
  claimed: 'Claimed',
  verified: 'Verified',
  disputed: 'Disputed',
} as const

export const FIGURE_WORDS: Record<string, string> = {
  inScope: 'In scope',
  delivered: 'Delivered',
  notDelivered: 'Not delivered',
  late: 'Late',
  lateAgainstOriginal: 'Late against the original date',
  due: 'Due',
  missed: 'Missed',
  verified: 'Verified',
  disputed: 'Disputed',
  coverage: 'Covered',
  baselineExecutionIndex: 'Baseline execution index',
  'slippageDays.original': 'Slippage, original',
  'slippageDays.current': 'Slippage, current',
  earnedSchedule: 'Earned schedule, SPI(t)',
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
} as const

export const clocks = {
  title: 'The two clocks',
  asOf: 'As of',
  asOfHint: 'The day the question is about',
  knownAt: 'Known at',
  knownAtHint: 'How much of the log answers it: a size, or a day',
  everything: 'everything recorded',
  size: (size: number) => `size ${formatNumber(size)}`,
  today: 'Today',
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

// ---------------------------------------------------------------------------------------------- reported figures, conflicts, sources

// ---------------------------------------------------------------------------------------------- what changed

// ---------------------------------------------------------------------------------------------- log and operations

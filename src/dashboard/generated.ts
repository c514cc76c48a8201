// Generated from the tables of figures and of event types (src/domain/figures.ts, event-entry.ts): npm run generate.

/** What kind of number a figure is. */
export const FIGURE_KINDS: Record<string, string> = {
  inScope: 'number',
  delivered: 'share',
  notDelivered: 'share',
  late: 'share',
  lateAgainstOriginal: 'share',
  due: 'share',
  missed: 'share',
  baselineExecutionIndex: 'index',
  verified: 'share',
  disputed: 'share',
  'slippageDays.original': 'spread',
  'slippageDays.current': 'spread',
  earnedSchedule: 'earnedSchedule',
  coverage: 'coverage',
}

/** What a figure is called. */
export const FIGURE_WORDS: Record<string, string> = {
  inScope: 'In scope',
  delivered: 'Delivered',
  notDelivered: 'Not delivered',
  late: 'Late',
  lateAgainstOriginal: 'Late against the original date',
  due: 'Due',
  missed: 'Missed',
  baselineExecutionIndex: 'Baseline execution index',
  verified: 'Verified',
  disputed: 'Disputed',
  'slippageDays.original': 'Slippage, original',
  'slippageDays.current': 'Slippage, current',
  earnedSchedule: 'Earned schedule, SPI(t)',
  coverage: 'Covered',
}

/** What a figure means, in one sentence. */
export const FIGURE_NOTES = {
  inScope: 'Commitments known by then, not withdrawn or superseded.',
  delivered: 'By a claim that stands, whether others confirm or dispute it.',
  notDelivered: 'Declared not to be delivered; still in scope.',
  late: 'Past their current due date and not delivered.',
  lateAgainstOriginal: 'Past their first due date and not delivered, whatever was agreed since.',
  due: 'Those whose first due date has come.',
  missed: 'Of those due: not delivered by their first due date.',
  baselineExecutionIndex: 'Delivered, of those due by their first dates. 1 is on plan.',
  verified: 'Of those delivered: confirmed by an independent check.',
  disputed: 'Of those delivered: a source contradicts the claim.',
  'slippageDays.original': 'Of those delivered or late; days, positive is late.',
  'slippageDays.current': 'Of those delivered or late; days, positive is late.',
  earnedSchedule: 'Time earned by the plan, of the time that has passed. 1 is on plan.',
  coverage: 'In scope, of those that the programme reports.',
} as const

/** The figures that are a count of a whole, with a percentage. */
export const SHARES = [
  'delivered',
  'notDelivered',
  'late',
  'lateAgainstOriginal',
  'due',
  'missed',
  'verified',
  'disputed',
] as const

/** What the types of events are called. */
export const EVENT_WORDS: Record<string, string> = {
  RegisterOpened: 'Register opened',
  PartyAdded: 'Party added',
  ProgrammeDefined: 'Programme defined',
  SourceAdded: 'Source added',
  FigureReported: 'Figure reported',
  CommitmentMade: 'Commitment made',
  CommitmentAmended: 'Commitment amended',
  CommitmentRebaselined: 'Due date moved',
  ForecastReported: 'Finish forecast',
  MilestoneSet: 'Milestone set',
  MilestoneMet: 'Milestone met',
  ProgressReported: 'Progress reported',
  StatusReported: 'Status reported',
  StatusReaffirmed: 'Reaffirmed, unchanged',
  DeliveryReported: 'Delivery claimed',
  DeliveryVerified: 'Delivery verified',
  DeliveryDisputed: 'Delivery disputed',
  DeliveryReopened: 'Claim given up, open again',
  CommitmentSuspended: 'Suspended',
  CommitmentResumed: 'Resumed',
  CommitmentWithdrawn: 'Withdrawn',
  CommitmentSuperseded: 'Superseded',
  CommitmentNotDelivered: 'Declared not to be delivered',
  CommitmentReinstated: 'Reinstated',
  AssessmentRecorded: 'Assessment recorded',
  EventRetracted: 'Retracted',
  EventCorrected: 'Corrected',
  EventRedacted: 'Redacted',
}

/** Which fields of events are dates, or references to parties and programmes. */
export const FIELD_KINDS: Record<string, string> = {
  parent: 'programme',
  period: 'date',
  publishedOn: 'date',
  programme: 'programme',
  asOf: 'date',
  parties: 'party',
  due: 'date',
  finish: 'date',
  occurredOn: 'date',
}

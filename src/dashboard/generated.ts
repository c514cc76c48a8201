// Generated from the table of figures (src/domain/figures.ts): npm run generate.

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
  delivered: 'By a claim that stands; how many of them are verified or disputed is below.',
  notDelivered: 'Declared not to be delivered; still in scope.',
  late: 'Past their current due date and not delivered.',
  lateAgainstOriginal: 'Past their first due date and not delivered, whatever was agreed since.',
  due: 'Whose first due date has come.',
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

// The table of figures: one entry says whom a figure counts and out of whom, where it stands in the answer, and its words.
// The summary counts by it, the lists behind its numbers filter by it, so that they cannot disagree; timelines begin a period
// on the days that it needs. CONTRIBUTING, "Add a figure", leads through it.

import type { Lifecycle, Schedule, Verification } from './axes.ts'

/** The baselines that a due date can be that of. */
export type Against = 'original' | 'current'

/**
 * What a figure asks of the days since a due date, beside the schedule: set from `afterDays` days after the due date on, in
 * every code of a status. They are stored: a further one goes to the end, and raises the version of `periods`.
 */
export const DUE_MARKS = {
  // A commitment is due on its due day and late from the day after (DCMA 14-point assessment, checks 11 and 14).
  isDue: { against: 'original', afterDays: 0 },
} as const satisfies Record<string, { against: Against; afterDays: number }>

export type DueMark = keyof typeof DUE_MARKS

/** What decides which figures count a commitment. */
export type Countable = {
  lifecycle: Lifecycle
  verification: Verification
  schedule: { original: Schedule; current: Schedule }
  /** It has a baseline 0. */
  hasDueDate: boolean
} & Record<DueMark, boolean>

type Test = (status: Countable) => boolean

/** Whom a numerator or denominator counts among the commitments in scope: in the words of docs/contract.md, and as a test. */
type Counted = { words: string; test: Test }

/** Known, and neither withdrawn nor superseded: what every figure is counted over. */
export const isInScope: Test = ({ lifecycle }) => lifecycle !== 'withdrawn' && lifecycle !== 'superseded'

const all: Counted = { words: 'all', test: () => true }
/** The list behind it is of all; the number is that of the report. */
const reported: Counted = { words: 'the scope that the programme reports', test: all.test }
const delivered: Counted = { words: 'lifecycle `delivered`', test: ({ lifecycle }) => lifecycle === 'delivered' }
const planned: Counted = { words: 'with a baseline 0', test: (status) => status.hasDueDate }
const due: Counted = { words: 'd0 <= T', test: (status) => status.isDue }
const plannedAndDelivered: Counted = {
  words: '`delivered` with a baseline 0',
  test: (status) => planned.test(status) && delivered.test(status),
}

function late(against: Against): Counted {
  return { words: `${against} schedule \`late\``, test: ({ schedule }) => schedule[against] === 'late' }
}

function checkedAs(verification: Verification): Counted {
  return {
    words: `\`delivered\` and \`${verification}\``,
    test: (status) => delivered.test(status) && status.verification === verification,
  }
}

/** Whose finish variance is known: delivered with a due date, or late against that same baseline. */
function slipped(against: Against): Counted {
  return {
    words: `with a baseline 0, and \`delivered\` or ${against} schedule \`late\``,
    test: (status) => planned.test(status) && (delivered.test(status) || late(against).test(status)),
  }
}

type FigureEntry = {
  /**
   * Its place in the answer, and what its number is: `share` is count, of and percent, under its name; every other kind has a
   * place of its own in portfolio/summary.ts.
   */
  kind: 'number' | 'share' | 'coverage' | 'index' | 'spread' | 'earnedSchedule'
  /** Whom it counts, and out of whom; both over commitments in scope. */
  numerator: Counted
  denominator: Counted
  /** Its name on the page, and what it means there in one sentence. */
  title: string
  note: string
}

const slippageNote = 'Of those delivered or late; days, positive is late.'

export const FIGURES = {
  inScope: {
    kind: 'number',
    numerator: all,
    denominator: all,
    title: 'In scope',
    note: 'Commitments known by then, not withdrawn or superseded.',
  },
  delivered: {
    kind: 'share',
    numerator: delivered,
    denominator: all,
    title: 'Delivered',
    note: 'By a claim that stands, whether others confirm or dispute it.',
  },
  notDelivered: {
    kind: 'share',
    numerator: { words: 'lifecycle `notDelivered`', test: ({ lifecycle }) => lifecycle === 'notDelivered' },
    denominator: all,
    title: 'Not delivered',
    note: 'Declared not to be delivered; still in scope.',
  },
  late: {
    kind: 'share',
    numerator: late('current'),
    denominator: all,
    title: 'Late',
    note: 'Past their current due date and not delivered.',
  },
  lateAgainstOriginal: {
    kind: 'share',
    numerator: late('original'),
    denominator: all,
    title: 'Late against the original date',
    note: 'Past their first due date and not delivered, whatever was agreed since.',
  },
  due: {
    kind: 'share',
    numerator: due,
    denominator: all,
    title: 'Due',
    note: 'Those whose first due date has come.',
  },
  missed: {
    kind: 'share',
    numerator: {
      words: 'd0 <= T, and original schedule not `deliveredOnTime`',
      test: (status) => due.test(status) && status.schedule.original !== 'deliveredOnTime',
    },
    denominator: due,
    title: 'Missed',
    note: 'Of those due: not delivered by their first due date.',
  },
  baselineExecutionIndex: {
    kind: 'index',
    numerator: plannedAndDelivered,
    denominator: due,
    title: 'Baseline execution index',
    note: 'Delivered, of those due by their first dates. 1 is on plan.',
  },
  verified: {
    kind: 'share',
    numerator: checkedAs('verified'),
    denominator: delivered,
    title: 'Verified',
    note: 'Of those delivered: confirmed by an independent check.',
  },
  disputed: {
    kind: 'share',
    numerator: checkedAs('disputed'),
    denominator: delivered,
    title: 'Disputed',
    note: 'Of those delivered: a source contradicts the claim.',
  },
  'slippageDays.original': {
    kind: 'spread',
    numerator: slipped('original'),
    denominator: slipped('original'),
    title: 'Slippage, original',
    note: slippageNote,
  },
  'slippageDays.current': {
    kind: 'spread',
    numerator: slipped('current'),
    denominator: slipped('current'),
    title: 'Slippage, current',
    note: slippageNote,
  },
  earnedSchedule: {
    kind: 'earnedSchedule',
    numerator: plannedAndDelivered,
    denominator: planned,
    title: 'Earned schedule, SPI(t)',
    note: 'Time earned by the plan, of the time that has passed. 1 is on plan.',
  },
  coverage: {
    kind: 'coverage',
    numerator: all,
    denominator: reported,
    title: 'Covered',
    note: 'In scope, of those that the programme reports.',
  },
} as const satisfies Record<string, FigureEntry>

export type FigureName = keyof typeof FIGURES
type NameOfKind<Kind> = { [Name in FigureName]: (typeof FIGURES)[Name]['kind'] extends Kind ? Name : never }[FigureName]
export type ShareName = NameOfKind<'share'>

/** The figures of a summary, by the names that `figure=` and `FigureReported.figure` accept. */
// Safe: the table has entries, and these are their names.
export const FIGURE_NAMES = Object.keys(FIGURES) as [FigureName, ...FigureName[]]

/** True for the figures whose answer is count, of and percent. */
export function isShare(name: FigureName): name is ShareName {
  return FIGURES[name].kind === 'share'
}

export const SHARE_NAMES = FIGURE_NAMES.filter(isShare)

/** Whether a figure is counted out of all commitments in scope, and not out of some of them. */
export function isOfWholeScope(name: FigureName): boolean {
  return FIGURES[name].denominator.test === all.test
}

/** Whether a figure counts a commitment, in its numerator or in its denominator. */
export function counts(name: FigureName, part: 'numerator' | 'denominator', status: Countable): boolean {
  return isInScope(status) && FIGURES[name][part].test(status)
}

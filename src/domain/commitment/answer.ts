// One commitment as answers give it: the state at (asOf, knownAt) with everything that is derived from it.

import { z } from 'zod'
import { answerDate, type Day, formatDay, lastDayOf } from '../../kernel/plain-date.ts'
import { answerCitation, citationAnswer, dateAnswer } from '../answers.ts'
import { LIFECYCLES, SCHEDULES, VERIFICATIONS } from '../axes.ts'
import { type Conflict, conflictAnswer } from '../conflict.ts'
import { DEFINITIONS, type RegisterState, redactedInRegister } from '../register/state.ts'
import { conflictsOf, undefinedReferences } from './conflicts.ts'
import { baselineShiftDays, slippageDays, stalenessDays } from './slippage.ts'
import type { CommitmentState, FactRef, Milestone, States } from './state.ts'
import { currentBaseline, fullClaim, scheduleOf, statusDates } from './status.ts'

const factRefAnswer = {
  event: z.int().meta({ description: 'Position of the event' }),
  occurredOn: dateAnswer.meta({ description: 'When it became true, as precise as its source' }),
}
const nullableNumber = z.number().nullable()
const nullableText = z.string().nullable()
const days = z.int().nullable()
const noteAnswer = nullableText.meta({ description: 'Further words; null: none are recorded' })
const targetAnswer = z
  .strictObject({
    value: z.number().meta({ description: 'The amount to reach, in `unit`' }),
    unit: z.string().meta({ description: 'The unit of the amounts, such as `km`' }),
    baseline: nullableNumber.meta({ description: 'The amount at the start, in `unit`; null: not recorded' }),
    better: z.enum(['more', 'less']).meta({ description: 'Whether more or less of it is better' }),
  })
  .meta({ id: 'Target', description: 'The amount that was promised' })

/** The version of the rules by which every number is computed (docs/contract.md#rules). */
export const RULES = '1'

export const rulesAnswer = z.string().meta({
  description: 'The version of the rules by which the numbers were computed',
})

export const knownAtAnswer = z
  .strictObject({
    size: z.int().meta({ description: 'How many events are known' }),
    recordedAt: z
      .string()
      .nullable()
      .meta({ description: 'When the last of them was recorded, in UTC; null: there is none' }),
  })
  .meta({ id: 'KnownAt', description: 'How much of the log is known, and when its last event was recorded' })

export const lifecycleAnswer = z.enum(LIFECYCLES).meta({ description: 'Where it stands between promise and end' })

export const scheduleAnswer = z
  .strictObject({
    original: z.enum(SCHEDULES).meta({ description: 'Against the original due date' }),
    current: z.enum(SCHEDULES).meta({ description: 'Against the current due date' }),
    uncertain: z.boolean().meta({ description: 'Whether imprecise dates leave lifecycle or schedule open' }),
  })
  .meta({ id: 'Schedule', description: 'Whether it is on time' })

export const verificationAnswer = z.enum(VERIFICATIONS).meta({
  description: 'Whether its delivery is claimed, and whether others confirmed or disputed that',
})

const datesAnswer = z.strictObject({
  madeOn: dateAnswer.meta({ description: 'When it was promised' }),
  originalDue: dateAnswer.nullable().meta({ description: 'The original due date; null: there is none' }),
  currentDue: dateAnswer.nullable().meta({ description: 'The current due date; null: there is none' }),
  forecastFinish: dateAnswer.nullable().meta({ description: 'The last forecast of its finish; null: there is none' }),
  actualFinish: dateAnswer.nullable().meta({ description: 'When it was delivered in full; null: it was not' }),
})

const baselineAnswer = z.strictObject({
  number: z.int().meta({ description: 'The number of the baseline; 0 is the original' }),
  due: dateAnswer.meta({ description: 'The due date' }),
  reason: nullableText.meta({ description: 'Why the due date changed; null: not recorded' }),
  reasonCode: nullableText.meta({ description: 'The reason as a code of the caller; null: not recorded' }),
  approvedBy: nullableText.meta({ description: 'Who approved the change; null: not recorded' }),
  ...factRefAnswer,
})

const slippageAnswer = z.strictObject({
  original: days.meta({ description: 'Against the original due date; null if closed or without a due date' }),
  current: days.meta({ description: 'Against the current due date; null if closed or without a due date' }),
})

const progressAnswer = z.strictObject({
  value: nullableNumber.meta({ description: 'The amount reached, in the unit of the target; null: not reported' }),
  percent: nullableNumber.meta({ description: 'The share reached, in percent as reported; null: not reported' }),
  note: noteAnswer,
  ...factRefAnswer,
})

const milestoneAnswer = z.strictObject({
  milestone: z.string().meta({ description: 'The id of the milestone within the commitment' }),
  title: nullableText.meta({ description: 'Its title; null: it was met but never set' }),
  due: dateAnswer.nullable().meta({ description: 'Its due date; null: there is none' }),
  metOn: dateAnswer.nullable().meta({ description: 'When it was met; null: it was not' }),
  slippageDays: days.meta({ description: 'Days after its due date, positive is late; null without a due date' }),
})

const reportedStatusAnswer = z.strictObject({
  status: z.string().meta({ description: 'The status in the words of the report' }),
  means: z
    .enum(['onSchedule', 'late', 'delivered', 'notDelivered'])
    .nullable()
    .meta({ description: 'What the words mean, as recorded; null: they are compared with nothing' }),
  note: noteAnswer,
  ...factRefAnswer,
})

const assessmentAnswer = z.strictObject({
  assessor: z.string().meta({ description: 'Who judges' }),
  scale: z.string().meta({ description: 'The scale of the judgement' }),
  scaleVersion: z.string().meta({ description: 'The version of the scale' }),
  rating: z.string().meta({ description: 'The judgement, as a word of the scale' }),
  note: noteAnswer,
  ...factRefAnswer,
})

export const commitmentAnswer = z
  .strictObject({
    id: z.string().meta({ description: 'The id of the commitment' }),
    title: z.string().meta({ description: 'Its title' }),
    description: nullableText.meta({ description: 'Its description; null: none is recorded' }),
    programme: nullableText.meta({ description: 'The id of its programme; null: it has none' }),
    themes: z.array(z.string()).meta({ description: 'Its themes, free words' }),
    parties: z.array(z.string()).meta({ description: 'The ids of its parties' }),
    target: targetAnswer.nullable().meta({ description: 'The amount that is promised; null: none' }),
    earlierTargets: z.array(targetAnswer).meta({ description: 'The targets before the last one, the first one first' }),
    lifecycle: lifecycleAnswer,
    schedule: scheduleAnswer,
    verification: verificationAnswer,
    supersededBy: z.array(z.string()).meta({ description: 'The ids of the commitments that replace it' }),
    dates: datesAnswer.meta({ description: 'Its dates, as precise as their sources' }),
    baselines: z.array(baselineAnswer).meta({ description: 'Every due date that was in force, in fold order' }),
    slippageDays: slippageAnswer.meta({ description: 'Finish variance in days; positive is late' }),
    baselineShiftDays: days.meta({
      description: 'Days from the original to the current due date; null without a due date',
    }),
    rebaselines: z.int().meta({ description: 'How often the due date was moved' }),
    forecastPushes: z.int().meta({ description: 'How often a forecast was later than the one before' }),
    stalenessDays: days.meta({ description: 'Days since the latest fact in force; null while suspended' }),
    progress: progressAnswer.nullable().meta({ description: 'The last progress reported; null: none' }),
    milestones: z.array(milestoneAnswer).meta({ description: 'The steps on the way' }),
    reportedStatus: reportedStatusAnswer.nullable().meta({ description: 'The last status reported; null: none' }),
    assessments: z.array(assessmentAnswer).meta({ description: 'The last judgement of each assessor on each scale' }),
    conflicts: z.array(conflictAnswer).meta({ description: 'What in its record cannot all hold' }),
    citations: z.array(citationAnswer).meta({ description: 'The citations of all its facts in force' }),
    redacted: z.array(z.int()).meta({
      description:
        'Positions of its redacted events. Where it refers to a missing definition, also positions of redacted definitions',
    }),
    revision: z.int().meta({ description: 'How many events its stream holds, repairs included' }),
    asOf: z.string().meta({ description: 'Valid time: the day that the answer is about, YYYY-MM-DD' }),
    knownAt: knownAtAnswer,
    rules: rulesAnswer,
  })
  .meta({ id: 'Commitment', description: 'A commitment as of a day, at a knowledge' })
export type CommitmentAnswer = z.output<typeof commitmentAnswer>

function answerFactRef(factRef: FactRef) {
  return { event: factRef.position, occurredOn: answerDate(factRef.occurredOn) }
}

function answerTarget(target: NonNullable<CommitmentState['target']>) {
  return { value: target.value, unit: target.unit, baseline: target.baseline ?? null, better: target.better }
}

function answerMilestone({ milestone, title, due, met }: Milestone, asOf: Day) {
  const dueOn = due === null ? null : lastDayOf(due)
  return {
    milestone,
    title,
    due: due === null ? null : answerDate(due),
    metOn: met && answerDate(met.occurredOn),
    slippageDays: dueOn === null ? null : (met?.on ?? Math.max(dueOn, asOf)) - dueOn,
  }
}

function answerDates(state: CommitmentState): CommitmentAnswer['dates'] {
  const original = state.baselines[0]
  const current = currentBaseline(state)
  const delivered = fullClaim(state)
  return {
    madeOn: answerDate(state.made.occurredOn),
    originalDue: original ? answerDate(original.due) : null,
    currentDue: current && answerDate(current.due),
    forecastFinish: state.forecast && answerDate(state.forecast.finish),
    actualFinish: delivered && answerDate(delivered.occurredOn),
  }
}

/** What an answer says besides the state itself: which register it is in, and at which knowledge. */
export type AnswerContext = {
  asOf: Day
  knownAt: { size: number; recordedAt: string | null }
  register: RegisterState
}

export type Described = { id: string; revision: number; redacted: number[]; states: States }

function answerReports(state: CommitmentState): Pick<CommitmentAnswer, 'progress' | 'reportedStatus' | 'assessments'> {
  const { progress, reportedStatus } = state
  return {
    progress: progress && {
      value: progress.value,
      percent: progress.percent,
      note: progress.note,
      ...answerFactRef(progress),
    },
    reportedStatus: reportedStatus && {
      status: reportedStatus.status,
      means: reportedStatus.means,
      note: reportedStatus.note,
      ...answerFactRef(reportedStatus),
    },
    assessments: state.assessments.map(({ assessor, scale, scaleVersion, rating, note, ...factRef }) => ({
      assessor,
      scale,
      scaleVersion,
      rating,
      note,
      ...answerFactRef(factRef),
    })),
  }
}

/** A missing definition may have been redacted: its position then counts as redacted as well. */
function lostBy(redacted: readonly number[], references: readonly Conflict[], register: RegisterState): number[] {
  if (references.length === 0) return [...redacted]
  return [...redacted, ...redactedInRegister(register, DEFINITIONS)].sort((a, b) => a - b)
}

/** The commitment as answers give it, as of a day at a knowledge. */
export function describe({ id, revision, redacted, states }: Described, context: AnswerContext): CommitmentAnswer {
  const { asOf, knownAt, register } = context
  const state = states.latest
  const where = statusDates(state)
  const references = undefinedReferences(state, register)
  return {
    id,
    title: state.title,
    description: state.description,
    programme: state.programme,
    themes: state.themes,
    parties: state.parties,
    target: state.target && answerTarget(state.target),
    earlierTargets: state.earlierTargets.map(answerTarget),
    lifecycle: where.lifecycle,
    schedule: scheduleOf(states, asOf),
    verification: where.verification,
    supersededBy: state.supersededBy,
    dates: answerDates(state),
    baselines: state.baselines.map(({ due, reason, reasonCode, approvedBy, ...factRef }, number) => ({
      number,
      due: answerDate(due),
      reason,
      reasonCode,
      approvedBy,
      ...answerFactRef(factRef),
    })),
    slippageDays: slippageDays(where, asOf),
    baselineShiftDays: baselineShiftDays(where),
    rebaselines: Math.max(0, state.baselines.length - 1),
    forecastPushes: state.forecastPushes,
    stalenessDays: stalenessDays(state, asOf),
    ...answerReports(state),
    milestones: state.milestones.map((milestone) => answerMilestone(milestone, asOf)),
    conflicts: [...conflictsOf(state, where, asOf), ...references],
    citations: state.citations.map(({ event, ...citation }) => answerCitation(citation, event)),
    redacted: lostBy(redacted, references, register),
    revision,
    asOf: formatDay(asOf),
    knownAt,
    rules: RULES,
  }
}

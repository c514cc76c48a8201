// One commitment as answers give it: the state at (asOf, knownAt) with everything that is derived from it.

import { z } from 'zod'
import { answerDate, type Day, formatDay, lastDayOf } from '../../kernel/plain-date.ts'
import { answerCitation, citationAnswer, dateAnswer } from '../answers.ts'
import { type Conflict, conflictAnswer } from '../conflict.ts'
import { DEFINITIONS, type RegisterState, redactedInRegister } from '../register/state.ts'
import { conflictsOf, undefinedReferences } from './conflicts.ts'
import { baselineShiftDays, slippageDays, stalenessDays } from './slippage.ts'
import type { CommitmentState, FactRef, Milestone, States } from './state.ts'
import { currentBaseline, fullClaim, LIFECYCLES, SCHEDULES, scheduleOf, statusDates, VERIFICATIONS } from './status.ts'

const factRefAnswer = { event: z.int().meta({ description: 'Position of the event' }), occurredOn: dateAnswer }
const nullableNumber = z.number().nullable()
const nullableText = z.string().nullable()
const days = z.int().nullable()
const targetAnswer = z.strictObject({
  value: z.number(),
  unit: z.string(),
  baseline: nullableNumber,
  better: z.enum(['more', 'less']),
})

/** The version of the rules by which every number is computed (docs/contract.md#rules). */
export const RULES = '1'

export const knownAtAnswer = z
  .strictObject({ size: z.int(), recordedAt: z.string().nullable() })
  .meta({ id: 'KnownAt', description: 'How much of the log is known, and when its last event was recorded' })

export const scheduleAnswer = z.strictObject({
  original: z.enum(SCHEDULES),
  current: z.enum(SCHEDULES),
  uncertain: z.boolean().meta({ description: 'Imprecise dates leave lifecycle or schedule open' }),
})

export const commitmentAnswer = z
  .strictObject({
    id: z.string(),
    title: z.string(),
    description: nullableText,
    programme: nullableText,
    themes: z.array(z.string()),
    parties: z.array(z.string()),
    target: targetAnswer.nullable(),
    earlierTargets: z.array(targetAnswer),
    lifecycle: z.enum(LIFECYCLES),
    schedule: scheduleAnswer,
    verification: z.enum(VERIFICATIONS),
    supersededBy: z.array(z.string()),
    dates: z.strictObject({
      madeOn: dateAnswer,
      originalDue: dateAnswer.nullable(),
      currentDue: dateAnswer.nullable(),
      forecastFinish: dateAnswer.nullable(),
      actualFinish: dateAnswer.nullable(),
    }),
    baselines: z.array(
      z.strictObject({
        number: z.int(),
        due: dateAnswer,
        reason: nullableText,
        reasonCode: nullableText,
        approvedBy: nullableText,
        ...factRefAnswer,
      }),
    ),
    slippageDays: z.strictObject({ original: days, current: days }),
    baselineShiftDays: days,
    rebaselines: z.int(),
    forecastPushes: z.int(),
    stalenessDays: days,
    progress: z
      .strictObject({ value: nullableNumber, percent: nullableNumber, note: nullableText, ...factRefAnswer })
      .nullable(),
    milestones: z.array(
      z.strictObject({
        milestone: z.string(),
        title: nullableText,
        due: dateAnswer.nullable(),
        metOn: dateAnswer.nullable(),
        slippageDays: days,
      }),
    ),
    reportedStatus: z
      .strictObject({
        status: z.string(),
        means: z.enum(['onSchedule', 'late', 'delivered', 'notDelivered']).nullable(),
        note: nullableText,
        ...factRefAnswer,
      })
      .nullable(),
    assessments: z.array(
      z.strictObject({
        assessor: z.string(),
        scale: z.string(),
        scaleVersion: z.string(),
        rating: z.string(),
        note: nullableText,
        ...factRefAnswer,
      }),
    ),
    conflicts: z.array(conflictAnswer),
    citations: z.array(citationAnswer),
    redacted: z.array(z.int()).meta({
      description:
        'Positions of its redacted events. Where it refers to a missing definition, also positions of redacted definitions',
    }),
    revision: z.int(),
    asOf: z.string(),
    knownAt: knownAtAnswer,
    rules: z.string(),
  })
  .meta({ id: 'Commitment' })
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

// The types of facts about one commitment.

import { z } from 'zod'
import type { EventEntry } from '../event-entry.ts'
import {
  baselineDate,
  commitmentId,
  dueDate,
  listOf,
  milestoneId,
  number,
  partyId,
  programmeId,
  text,
} from '../fields.ts'

/** The parts of a commitment's state; state.ts says which members make up each. */
export type CommitmentPart =
  | 'promise'
  | 'wording'
  | 'membership'
  | 'target'
  | 'baselines'
  | 'forecast'
  | 'milestones'
  | 'progress'
  | 'reportedStatus'
  | 'claim'
  | 'mark'
  | 'lifecycle'
  | 'assessments'

export type CommitmentEntry = EventEntry & {
  /** All parts of the state that it can move. The fold moves no others: a property test holds it to that. */
  moves: readonly CommitmentPart[]
  /**
   * What it has to do with a withdrawal or supersession: it is one, or it is refused wholly after one that is in force, or
   * neither.
   */
  withdrawal: 'isOne' | 'refusedAfter' | 'allowedAfter'
}

const theme = text(100).meta({ description: 'A free word by which commitments are grouped' })

const target = z
  .strictObject({
    value: number.meta({ description: 'The amount to reach, in `unit`' }),
    unit: text(100).meta({ description: 'The unit of the amounts, such as `km`' }),
    baseline: number.optional().meta({ description: 'The amount at the start, in `unit`' }),
    better: z.enum(['more', 'less']).default('more').meta({ description: 'Whether more or less of it is better' }),
  })
  .meta({ description: 'The amount that is promised' })

const reason = text().meta({ description: 'Why, in words' })
const because = z.strictObject({ reason })
const note = text().optional().meta({ description: 'Further words' })

export const COMMITMENT_EVENTS = {
  CommitmentMade: {
    data: z.strictObject({
      title: text().meta({ description: 'What is promised, in a few words' }),
      description: text().optional().meta({ description: 'What is promised, in full' }),
      programme: programmeId.optional(),
      themes: listOf(theme).meta({ description: 'Free words by which commitments are grouped' }),
      parties: listOf(partyId).meta({ description: 'The ids of the parties that promise or deliver' }),
      due: baselineDate.optional(),
      target: target.optional(),
    }),
    acts: 'first',
    moves: ['promise', 'wording', 'membership', 'target', 'baselines'],
    withdrawal: 'allowedAfter',
    states: 'a promise',
    effect: 'opens the commitment; `due` is [baseline 0](#baselines)',
    title: 'Commitment made',
  },
  CommitmentAmended: {
    data: z.strictObject({
      title: text().optional().meta({ description: 'The new title' }),
      description: text().nullable().optional().meta({ description: 'The new description; null: none any more' }),
      programme: programmeId.nullable().optional().meta({ description: 'The new programme; null: none any more' }),
      themes: z
        .array(theme)
        .max(100)
        .nullable()
        .optional()
        .meta({ description: 'All new themes; null: none any more' }),
      parties: z
        .array(partyId)
        .max(100)
        .nullable()
        .optional()
        .meta({ description: 'The ids of all new parties; null: none any more' }),
      target: target.nullable().optional().meta({ description: 'The new target; null: none any more' }),
      reason,
    }),
    acts: 'onItsDay',
    moves: ['wording', 'membership', 'target'],
    withdrawal: 'allowedAfter',
    states: 'new title, description, programme, themes, parties or target',
    effect: '[replaces](#amendments) what it gives; never the due date',
    title: 'Commitment amended',
  },
  CommitmentRebaselined: {
    data: z.strictObject({
      due: baselineDate,
      reason,
      reasonCode: text(100).optional().meta({ description: 'The reason as a code of the caller' }),
      approvedBy: text().optional().meta({ description: 'Who approved the new due date' }),
    }),
    acts: 'onItsDay',
    moves: ['baselines'],
    withdrawal: 'refusedAfter',
    states: 'a new due date',
    effect: 'adds a [baseline](#baselines); the earlier ones stay',
    title: 'Due date moved',
  },
  ForecastReported: {
    data: z.strictObject({
      finish: dueDate.meta({
        description: 'The expected finish. It counts by its last day: YYYY, YYYY-MM, YYYY-MM-DD, A/B or ../B',
      }),
    }),
    acts: 'onItsDay',
    moves: ['forecast'],
    withdrawal: 'refusedAfter',
    states: 'when the responsible side expects to finish',
    effect: 'sets the [forecast](#forecasts); promises nothing',
    title: 'Finish forecast',
  },
  MilestoneSet: {
    data: z.strictObject({
      milestone: milestoneId,
      title: text().meta({ description: 'The title of the milestone' }),
      due: dueDate.optional().meta({ description: 'The due date of the milestone. It counts by its last day' }),
    }),
    acts: 'onItsDay',
    moves: ['milestones'],
    withdrawal: 'allowedAfter',
    states: 'a step on the way',
    effect: 'sets a [milestone](#reports-and-milestones)',
    title: 'Milestone set',
  },
  MilestoneMet: {
    data: z.strictObject({ milestone: milestoneId }),
    acts: 'onItsDay',
    moves: ['milestones'],
    withdrawal: 'allowedAfter',
    states: 'that a step was reached',
    effect: 'meets a [milestone](#reports-and-milestones)',
    title: 'Milestone met',
  },
  ProgressReported: {
    data: z.strictObject({
      value: number.optional().meta({ description: 'The amount reached, in the unit of the target' }),
      percent: number.optional().meta({ description: 'The share reached, in percent' }),
      note,
    }),
    acts: 'onItsDay',
    moves: ['progress'],
    withdrawal: 'allowedAfter',
    states: 'an amount or a percentage',
    effect: 'the last one stands as `progress`',
    title: 'Progress reported',
  },
  StatusReported: {
    data: z.strictObject({
      status: text().meta({ description: 'The status in the words of the report' }),
      means: z
        .enum(['onSchedule', 'late', 'delivered', 'notDelivered'])
        .optional()
        .meta({ description: 'What the words mean; without it they are compared with nothing' }),
      note,
    }),
    acts: 'onItsDay',
    moves: ['reportedStatus'],
    withdrawal: 'allowedAfter',
    states: 'what the responsible side says, verbatim',
    effect: 'the last one stands as `reportedStatus`; compared only where `means` is given',
    title: 'Status reported',
  },
  StatusReaffirmed: {
    data: z.strictObject({ note }),
    acts: 'onItsDay',
    moves: [],
    withdrawal: 'allowedAfter',
    states: '"unchanged on this date"',
    effect: 'resets [staleness](#days-and-counts), and nothing else',
    title: 'Reaffirmed, unchanged',
  },
  DeliveryReported: {
    data: z.strictObject({
      partial: z.boolean().optional().meta({ description: 'Whether only a part was delivered; not by default' }),
    }),
    acts: 'onItsDay',
    moves: ['claim', 'lifecycle'],
    withdrawal: 'refusedAfter',
    states: 'a *claim* that it was delivered, in full or in part',
    effect: 'the [claim](#claims); its effective day is the actual finish',
    title: 'Delivery claimed',
  },
  DeliveryVerified: {
    data: z.strictObject({
      method: text().optional().meta({ description: 'How the delivery was verified' }),
      note,
    }),
    acts: 'onItsDay',
    moves: ['mark'],
    withdrawal: 'allowedAfter',
    states: 'that others confirm the claim',
    effect: '[verification](#verification); the claim stays',
    title: 'Delivery verified',
  },
  DeliveryDisputed: {
    data: because,
    acts: 'onItsDay',
    moves: ['mark'],
    withdrawal: 'allowedAfter',
    states: 'that others contradict the claim',
    effect: '[verification](#verification); the claim stays',
    title: 'Delivery disputed',
  },
  DeliveryReopened: {
    data: because,
    acts: 'onItsDay',
    moves: ['claim', 'mark', 'lifecycle'],
    withdrawal: 'refusedAfter',
    states: 'that the claim is given up',
    effect: 'open again',
    title: 'Claim given up, open again',
  },
  CommitmentSuspended: {
    data: because,
    acts: 'onItsDay',
    moves: ['lifecycle'],
    withdrawal: 'refusedAfter',
    states: 'that work rests',
    effect: '[suspends](#suspension) it; due days still pass',
    title: 'Suspended',
  },
  CommitmentResumed: {
    data: because,
    acts: 'onItsDay',
    moves: ['lifecycle'],
    withdrawal: 'refusedAfter',
    states: 'that work goes on',
    effect: 'ends a [suspension](#suspension)',
    title: 'Resumed',
  },
  CommitmentWithdrawn: {
    data: because,
    acts: 'onItsDay',
    moves: ['claim', 'lifecycle'],
    withdrawal: 'isOne',
    states: 'that it is dropped',
    effect: '[ends](#endings) it and takes it out of scope',
    title: 'Withdrawn',
  },
  CommitmentSuperseded: {
    data: z.strictObject({
      by: listOf(commitmentId).meta({
        description: 'The ids of the commitments that replace it; they need not exist yet',
      }),
      reason,
    }),
    acts: 'onItsDay',
    moves: ['claim', 'lifecycle'],
    withdrawal: 'isOne',
    states: 'that it is replaced by others',
    effect: '[ends](#endings) it and takes it out of scope',
    title: 'Superseded',
  },
  CommitmentNotDelivered: {
    data: because,
    acts: 'onItsDay',
    moves: ['claim', 'lifecycle'],
    withdrawal: 'allowedAfter',
    states: 'that it will not be delivered',
    effect: 'ends it; it stays in scope',
    title: 'Declared not to be delivered',
  },
  CommitmentReinstated: {
    data: because,
    acts: 'onItsDay',
    moves: ['mark', 'lifecycle'],
    withdrawal: 'allowedAfter',
    states: 'that an ending is taken back',
    effect: 'open again',
    title: 'Reinstated',
  },
  AssessmentRecorded: {
    data: z.strictObject({
      assessor: text().meta({ description: 'Who judges' }),
      scale: text().meta({ description: 'The scale of the judgement' }),
      scaleVersion: text(100).meta({ description: 'The version of the scale' }),
      rating: text().meta({ description: 'The judgement, as a word of the scale' }),
      note,
    }),
    acts: 'onItsDay',
    moves: ['assessments'],
    withdrawal: 'allowedAfter',
    states: 'a judgement on a named scale',
    effect: 'the last one of each assessor and scale stands',
    title: 'Assessment recorded',
  },
} as const satisfies Record<string, CommitmentEntry>

export type CommitmentEventType = keyof typeof COMMITMENT_EVENTS

/** The entry of a type, without what is special about it. */
export function commitmentEntry(type: CommitmentEventType): CommitmentEntry {
  return COMMITMENT_EVENTS[type]
}

/** True for the types of facts about a commitment. */
export function isCommitmentFact(type: string): type is CommitmentEventType {
  return Object.hasOwn(COMMITMENT_EVENTS, type)
}

/** The types of facts that can move a part of a commitment. */
export function typesThatMove(part: CommitmentPart): CommitmentEventType[] {
  // Safe: these are the keys of the table.
  const types = Object.keys(COMMITMENT_EVENTS) as CommitmentEventType[]
  return types.filter((type) => commitmentEntry(type).moves.includes(part))
}

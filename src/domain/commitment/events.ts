// The facts about one commitment.

import { z } from 'zod'
import { dueDate, listOf, name, number, slug, text } from '../event.ts'

const theme = text(100)

const target = z.strictObject({
  value: number,
  unit: text(100),
  baseline: number.optional(),
  better: z.enum(['more', 'less']).default('more'),
})

const reason = text()
const because = z.strictObject({ reason })
const note = text().optional()

export const commitmentEventData = {
  CommitmentMade: z.strictObject({
    title: text(),
    description: text().optional(),
    programme: slug.optional(),
    themes: listOf(theme),
    parties: listOf(name),
    due: dueDate.optional(),
    target: target.optional(),
  }),
  CommitmentAmended: z.strictObject({
    title: text().optional(),
    description: text().nullable().optional(),
    programme: slug.nullable().optional(),
    themes: z.array(theme).max(100).nullable().optional(),
    parties: z.array(name).max(100).nullable().optional(),
    target: target.nullable().optional(),
    reason,
  }),
  CommitmentRebaselined: z.strictObject({
    due: dueDate,
    reason,
    reasonCode: text(100).optional(),
    approvedBy: text().optional(),
  }),
  ForecastReported: z.strictObject({ finish: dueDate }),
  MilestoneSet: z.strictObject({ milestone: slug, title: text(), due: dueDate.optional() }),
  MilestoneMet: z.strictObject({ milestone: slug }),
  ProgressReported: z.strictObject({ value: number.optional(), percent: number.optional(), note }),
  StatusReported: z.strictObject({
    status: text(),
    means: z.enum(['onSchedule', 'late', 'delivered', 'notDelivered']).optional(),
    note,
  }),
  StatusReaffirmed: z.strictObject({ note }),
  DeliveryReported: z.strictObject({ partial: z.boolean().optional() }),
  DeliveryVerified: z.strictObject({ method: text().optional(), note }),
  DeliveryDisputed: because,
  DeliveryReopened: because,
  CommitmentSuspended: because,
  CommitmentResumed: because,
  CommitmentWithdrawn: because,
  CommitmentSuperseded: z.strictObject({ by: listOf(slug), reason }),
  CommitmentNotDelivered: because,
  CommitmentReinstated: because,
  AssessmentRecorded: z.strictObject({
    assessor: text(),
    scale: text(),
    scaleVersion: text(100),
    rating: text(),
    note,
  }),
} as const

export type CommitmentEventType = keyof typeof commitmentEventData

// What the service answers, by the names under which the page knows it: taken from the schemas that answers are built to. Only
// types cross here; the page holds nothing of the service's code.

import type { DateAnswer } from '../domain/answers.ts'
import type { ReportedFigureAnswer } from '../domain/portfolio/reported.ts'
import type { OperationAnswer } from '../http/routes/operations.ts'
import type { ProjectionAnswer } from '../http/routes/projections.ts'

export type { EventField, EventType } from '../domain/admission/posted-event.ts'
export type { CitationAnswer, DateAnswer } from '../domain/answers.ts'
export type { CommitmentAnswer } from '../domain/commitment/answer.ts'
export type { PeriodAnswer } from '../domain/commitment/timeline-answer.ts'
export type { Conflict } from '../domain/conflict.ts'
export type { EventAnswer } from '../domain/event-answer.ts'
export type { ReportedFigureAnswer } from '../domain/portfolio/reported.ts'
export type { CallerAnswer } from '../http/routes/caller.ts'
export type { CheckpointAnswer, ConsistencyAnswer, KeysAnswer } from '../http/routes/checkpoints.ts'
export type { ReadyAnswer } from '../http/routes/health.ts'
export type { OperationAnswer } from '../http/routes/operations.ts'
export type { ProjectionAnswer } from '../http/routes/projections.ts'
export type { ProofAnswer } from '../http/routes/proofs.ts'
export type { MarkedEvent } from '../questions/commitment.ts'
export type { ListedConflict } from '../questions/conflicts.ts'
export type { ProgrammeAnswer, SourceAnswer } from '../questions/definitions.ts'
export type { DifferenceAnswer } from '../questions/difference.ts'
export type { PlanAnswer } from '../questions/plan.ts'
export type { RegisterAnswer } from '../questions/registers.ts'
export type { SeriesAnswer } from '../questions/series.ts'
export type { SlippageAnswer } from '../questions/slippage.ts'
export type { SummaryAnswer } from '../questions/summary.ts'
export type { TrendItem } from '../questions/trend.ts'

export type KnownAt = { size: number; recordedAt: string | null }

/** The frame around the items of a list. */
export type ListAnswer<T> = {
  items: T[]
  next: string | null
  asOf: string
  knownAt: KnownAt
  rules: string
  redacted?: number[]
  redactedCount?: number
}

export type FiguresAnswer = ListAnswer<ReportedFigureAnswer>
export type ProjectionsAnswer = { items: ProjectionAnswer[]; operations: OperationAnswer[] }
export type Precise = Pick<DateAnswer, 'value'>

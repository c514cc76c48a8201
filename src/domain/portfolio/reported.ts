// Reported figures beside computed ones. For each report: the register's own value for the same figure, checks of its
// arithmetic, bounds from the reports of one day together, and contradictions between reports.

import { z } from 'zod'
import { assertNever } from '../../kernel/assert-never.ts'
import { less } from '../../kernel/decimal.ts'
import { answerDate, type Day, formatDay } from '../../kernel/plain-date.ts'
import { answerCitation, citationAnswer, dateAnswer } from '../answers.ts'
import { knownAtAnswer, RULES, rulesAnswer } from '../commitment/answer.ts'
import { type Conflict, conflictAnswer } from '../conflict.ts'
import { FIGURE_NAMES, type FigureName, isShare } from '../figures.ts'
import { namedAt, type RegisterState } from '../register/state.ts'
import { type Report, reportDay, scopeOf } from './report.ts'
import { boundAnswer, boundsOf } from './report-bounds.ts'
import { checkAnswer, checksOf } from './report-checks.ts'
import { conflictsOfReport } from './report-conflicts.ts'
import { type ListLink, type SummaryFigures, summaryFigures } from './summary.ts'

const nullable = z.number().nullable()

const computedAnswer = z
  .strictObject({
    figure: z.enum(FIGURE_NAMES).meta({ description: 'The figure that the report names' }),
    count: nullable.meta({ description: 'The numerator; null where the figure is no share' }),
    of: nullable.meta({ description: 'The denominator; null where the figure is no share' }),
    percent: nullable.meta({
      description: 'The share in percent, with one decimal, half away from zero; null: there is none',
    }),
    value: nullable.meta({
      description:
        'The value that the reported one is compared with: count, index or mean days; null: it cannot be computed',
    }),
    difference: nullable.meta({ description: 'This value less the reported one; null where there is no value' }),
    differencePercentagePoints: nullable.meta({
      description: 'This percent less the stated one; null where one of them is missing',
    }),
    list: z.string().meta({ description: 'Address of the list of exactly the commitments that are counted' }),
    asOf: z.string().meta({ description: 'Valid time: the day of the report, YYYY-MM-DD' }),
    knownAt: knownAtAnswer,
    rules: rulesAnswer,
    excluded: summaryFigures.excluded,
  })
  .meta({ id: 'ComputedFigure', description: 'The register’s own value for the same figure, programme and day' })

export const reportedFigureAnswer = z
  .strictObject({
    event: z.int().meta({ description: 'Position of the event' }),
    occurredOn: dateAnswer.meta({ description: 'When it was reported, as precise as its source' }),
    programme: z.string().nullable().meta({ description: 'The programme that it is about; null: none is named' }),
    programmeTitle: z.string().nullable().meta({ description: 'The title of that programme; null: none is defined' }),
    metric: z.string().meta({ description: 'The things counted, in the words of the report' }),
    figure: z
      .enum(FIGURE_NAMES)
      .nullable()
      .meta({ description: 'The figure of a summary that the report names; null: it names none' }),
    value: z.number().meta({ description: 'The number as reported, in the unit of its metric' }),
    of: nullable.meta({ description: 'The whole that the report says `value` is a part of; null: none is given' }),
    statedPercent: nullable.meta({ description: 'The percentage as reported; null: none is given' }),
    asOf: dateAnswer
      .nullable()
      .meta({ description: 'The date that the figure is about, as reported; null: none is given' }),
    approximate: z.boolean().meta({ description: 'Whether the report calls its numbers approximate' }),
    citations: z.array(citationAnswer).meta({ description: 'Where it was reported' }),
    computed: computedAnswer
      .nullable()
      .meta({ description: 'The register’s own value; null where the report names no figure' }),
    coverage: summaryFigures.coverage,
    checks: z.array(checkAnswer).meta({ description: 'Arithmetic on the numbers of the report itself' }),
    bounds: z.array(boundAnswer).meta({ description: 'What the reports of that day allow at most or at least' }),
    conflicts: z.array(conflictAnswer).meta({ description: 'The conflicts that the report is part of' }),
  })
  .meta({ id: 'ReportedFigure', description: 'A figure as reported, beside the register’s own value' })
export type ReportedFigureAnswer = z.output<typeof reportedFigureAnswer>

type OwnValue = Pick<z.output<typeof computedAnswer>, 'count' | 'of' | 'percent' | 'value'>

function spreadValue({ mean, of }: SummaryFigures['slippageDays']['original']): OwnValue {
  return { count: of, of, percent: null, value: mean }
}

/**
 * The register's value of a figure in the unit in which reports give it. That is a count, for `slippageDays` the mean
 * in days, and for `earnedSchedule` the index SPI(t). For `baselineExecutionIndex` it is the index, or the count if
 * the report gives an `of`.
 */
function ownValue(figure: FigureName, figures: SummaryFigures, hasOf: boolean): OwnValue {
  if (isShare(figure)) {
    const { count, of, percent } = figures[figure]
    return { count, of, percent, value: count }
  }
  switch (figure) {
    case 'inScope':
      return { count: figures.inScope, of: figures.inScope, percent: null, value: figures.inScope }
    case 'baselineExecutionIndex': {
      const { count, of, value } = figures.baselineExecutionIndex
      return { count, of, percent: null, value: hasOf ? count : value }
    }
    case 'slippageDays.original':
      return spreadValue(figures.slippageDays.original)
    case 'slippageDays.current':
      return spreadValue(figures.slippageDays.current)
    case 'earnedSchedule':
      return { count: null, of: null, percent: null, value: figures.earnedSchedule.spi }
    case 'coverage': {
      const { inScope: count, coverage } = figures
      return { count, of: coverage?.of ?? null, percent: coverage?.percent ?? null, value: count }
    }
    default:
      return assertNever(figure)
  }
}

type Computed = z.output<typeof computedAnswer>

/** The register's own value beside a report that names its figure; null where it names none. */
export function computedFor(
  { data }: Pick<Report, 'data'>,
  figures: SummaryFigures,
  at: Pick<Computed, 'asOf' | 'knownAt'>,
  link: ListLink,
): Computed | null {
  const { figure, statedPercent } = data
  if (figure === undefined) return null
  const own = ownValue(figure, figures, data.of !== undefined)
  const { value, percent } = own
  return {
    figure,
    ...own,
    difference: value === null ? null : less(value, data.value),
    differencePercentagePoints: percent === null || statedPercent === undefined ? null : less(percent, statedPercent),
    list: link(figure),
    ...at,
    rules: RULES,
    excluded: figures.excluded,
  }
}

/** What an answer needs beside the report: what stands in the register on the report's day, and the reports beside it. */
export type ReportContext = {
  register: RegisterState
  asOf: Day
  knownAt: Computed['knownAt']
  /** The register's own figures for the programme on the report's day; null where nothing is compared with them. */
  figures: SummaryFigures | null
  link: ListLink
  /** All reports of the same programme and day. */
  peers: readonly Report[]
  /** Conflicts between reports, of which those that name this report are given. */
  differing: readonly Conflict[]
}

/** A reported figure as answers give it, as of a day at a knowledge. */
export function describeReport(report: Report, context: ReportContext): ReportedFigureAnswer {
  const { register, figures, knownAt, peers, differing } = context
  const { position, data, citations } = report
  const scope = scopeOf(report, register)
  const title = data.programme === undefined ? null : namedAt(register.programmes.get(data.programme), context.asOf)
  const at = { asOf: formatDay(reportDay(report)), knownAt }
  return {
    event: position,
    occurredOn: answerDate(report.occurredOn),
    programme: data.programme ?? null,
    programmeTitle: title?.data.title ?? null,
    metric: data.metric,
    figure: data.figure ?? null,
    value: data.value,
    of: data.of ?? null,
    statedPercent: data.statedPercent ?? null,
    asOf: data.asOf === undefined ? null : answerDate(data.asOf),
    approximate: data.approximate ?? false,
    citations: citations.map(({ event, ...citation }) => answerCitation(citation, event)),
    computed: figures && computedFor(report, figures, at, context.link),
    coverage: figures?.coverage ?? null,
    checks: checksOf(report, scope),
    bounds: boundsOf(report, peers, scope),
    conflicts: [...conflictsOfReport(report, register), ...differing.filter(({ events }) => events.includes(position))],
  }
}

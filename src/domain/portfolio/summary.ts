// The figures of a portfolio at (asOf, knownAt), over a list of commitments.

import { z } from 'zod'
import type { Day } from '../../kernel/plain-date.ts'
import { roundedRatio } from '../../kernel/ratio.ts'
import { earnedSchedule, type Planned } from './earned-schedule.ts'
import type { FigureName } from './figure-names.ts'
import { counts, isInScope, type Measured } from './figures.ts'

const nullable = z.number().nullable()
const list = z.string().meta({ description: 'Lists exactly what is counted' })

const figureAnswer = z
  .strictObject({ count: z.int(), of: z.int(), percent: nullable, list })
  .meta({ id: 'Figure', description: 'count of of; percent with one decimal, null where of is 0' })

const spreadAnswer = z
  .strictObject({ mean: nullable, median: nullable, p90: nullable, max: nullable, of: z.int(), list })
  .meta({ id: 'Spread', description: 'Days, positive is late, over those delivered or late' })

export const summaryFigures = {
  inScope: z.int(),
  delivered: figureAnswer,
  notDelivered: figureAnswer,
  late: figureAnswer,
  lateAgainstOriginal: figureAnswer,
  due: figureAnswer,
  missed: figureAnswer,
  verified: figureAnswer,
  disputed: figureAnswer,
  coverage: z
    .strictObject({ count: z.int(), of: z.number(), percent: nullable, list })
    .nullable()
    .meta({ description: 'In scope, of the scope that the programme reports; null where it reports none' }),
  baselineExecutionIndex: z.strictObject({ count: z.int(), of: z.int(), value: nullable, list }),
  slippageDays: z.strictObject({ original: spreadAnswer, current: spreadAnswer }),
  earnedSchedule: z.strictObject({
    earnedDays: nullable,
    actualDays: z.int().nullable(),
    varianceDays: nullable,
    spi: nullable,
    estimateAtCompletionDays: nullable,
  }),
  excluded: z.strictObject({ withdrawn: z.int(), superseded: z.int(), redacted: z.int() }),
}
const summaryShape = z.strictObject(summaryFigures)
export type SummaryFigures = z.output<typeof summaryShape>

/** A measured commitment, with whether something of it was redacted. */
export type Member = Measured & { isRedacted: boolean }

/** The address of the list that a figure counts. */
export type ListLink = (figure: FigureName) => string

type CountedName =
  | 'delivered'
  | 'notDelivered'
  | 'late'
  | 'lateAgainstOriginal'
  | 'due'
  | 'missed'
  | 'verified'
  | 'disputed'

function count(members: readonly Member[], figure: FigureName, part: 'numerator' | 'denominator'): number {
  return members.filter((member) => counts(figure, part, member)).length
}

/** Mean (one decimal), median (mean of the middle two), p90 (nearest rank) and maximum of whole days; nulls over none. */
export function spread(days: readonly number[]): Omit<z.output<typeof spreadAnswer>, 'list'> {
  const sorted = [...days].sort((a, b) => a - b)
  const of = sorted.length
  if (of === 0) return { mean: null, median: null, p90: null, max: null, of }
  const at = (index: number) => sorted[index] as number
  return {
    mean: roundedRatio(
      sorted.reduce((sum, value) => sum + value, 0),
      of,
      1,
    ),
    median: (at((of - 1) >> 1) + at(of >> 1)) / 2,
    p90: at(Math.ceil((9 * of) / 10) - 1),
    max: at(of - 1),
    of,
  }
}

function slippageSpread(members: readonly Member[], against: 'original' | 'current') {
  const days = members
    .filter((member) => counts(`slippageDays.${against}`, 'numerator', member))
    // Safe: the figure counts only those with a due date.
    .map((member) => member.slippageDays[against] as number)
  return spread(days)
}

function planned(members: readonly Member[]): Planned[] {
  return members.flatMap((member) => {
    const { madeOn, originalDueOn } = member
    if (originalDueOn === null || !isInScope(member)) return []
    return [{ madeOn, originalDueOn, isDelivered: member.lifecycle === 'delivered' }]
  })
}

/** The portfolio figures over these commitments as of a day. `scope` is what the programme reports; null where it reports none. */
export function summarise(members: readonly Member[], asOf: Day, scope: number | null, link: ListLink): SummaryFigures {
  const inScope = count(members, 'inScope', 'numerator')
  const figure = (name: CountedName) => {
    const counted = count(members, name, 'numerator')
    const of = count(members, name, 'denominator')
    return { count: counted, of, percent: roundedRatio(100 * counted, of, 1), list: link(name) }
  }
  const kept = count(members, 'baselineExecutionIndex', 'numerator')
  const due = count(members, 'baselineExecutionIndex', 'denominator')
  return {
    inScope,
    delivered: figure('delivered'),
    notDelivered: figure('notDelivered'),
    late: figure('late'),
    lateAgainstOriginal: figure('lateAgainstOriginal'),
    due: figure('due'),
    missed: figure('missed'),
    verified: figure('verified'),
    disputed: figure('disputed'),
    coverage: scope === null ? null : coverage(inScope, scope, link('coverage')),
    baselineExecutionIndex: {
      count: kept,
      of: due,
      value: roundedRatio(kept, due, 3),
      list: link('baselineExecutionIndex'),
    },
    slippageDays: {
      original: { ...slippageSpread(members, 'original'), list: link('slippageDays.original') },
      current: { ...slippageSpread(members, 'current'), list: link('slippageDays.current') },
    },
    earnedSchedule: earnedSchedule(planned(members), asOf),
    excluded: {
      withdrawn: members.filter(({ lifecycle }) => lifecycle === 'withdrawn').length,
      superseded: members.filter(({ lifecycle }) => lifecycle === 'superseded').length,
      redacted: members.filter(({ isRedacted }) => isRedacted).length,
    },
  }
}

function coverage(inScope: number, scope: number, link: string): NonNullable<SummaryFigures['coverage']> {
  // A reported scope is nearly always whole; where it is not, a double is as exact as the report.
  const percent = Number.isInteger(scope)
    ? roundedRatio(100 * inScope, scope, 1)
    : Math.round((1_000 * inScope) / scope) / 10
  return { count: inScope, of: scope, percent, list: link }
}

// The summary over time: the same figures on the last day of each step.

import { z } from 'zod'
import { figureInputs } from '../domain/portfolio/figure-inputs.ts'
import { summaryFigures } from '../domain/portfolio/summary.ts'
import { Tally } from '../domain/portfolio/tally.ts'
import { assertNever } from '../kernel/assert-never.ts'
import { type Day, dayOf, formatDay, LAST_DAY, lastDayOfMonth, monthOf } from '../kernel/plain-date.ts'
import { readTallies } from '../projections/tallies/read.ts'
import type { Clocks } from './clocks.ts'
import { figuresOf, partsOfProgrammes, redactedOfProgrammes, TALLY_VERSION } from './figures.ts'
import { frameAnswer, frameOf, lastPage, registerId } from './frame.ts'
import type { Question } from './question.ts'
import { answerRedacted, redactedAnswer, redactedPromises } from './redacted.ts'
import { malformed } from './refusal.ts'
import type { QuestionContext } from './register.ts'

export const STEPS = ['day', 'week', 'month', 'quarter', 'year'] as const
type Step = (typeof STEPS)[number]
const MAX_ITEMS = 1_000

const itemAnswer = z
  .strictObject({ register: registerId, ...frameAnswer, ...summaryFigures })
  .meta({ id: 'SeriesItem', description: 'The figures on one day of a series' })
export const seriesAnswer = z.strictObject({
  items: z.array(itemAnswer).meta({ description: 'The figures of each step, the earliest first' }),
  next: lastPage,
  ...frameAnswer,
  step: z.enum(STEPS).meta({ description: 'The step that was asked for' }),
  ...redactedAnswer,
})
export type SeriesAnswer = z.output<typeof seriesAnswer>

/** The days between which the figures are asked for, both existing days as `YYYY-MM-DD`, and how often between them. */
export type SeriesQuery = { from: string; to: string; step: Step; programme: readonly string[] }

/** The last day of the step that a day lies in. */
function endOfStep(day: Day, step: Step): Day {
  switch (step) {
    case 'day':
      return day
    case 'week':
      // 1970-01-04 was a Sunday.
      return day + ((((3 - day) % 7) + 7) % 7)
    case 'month':
      return lastDayOfMonth(monthOf(day))
    case 'quarter':
      return lastDayOfMonth(Math.floor(monthOf(day) / 3) * 3 + 2)
    case 'year':
      return lastDayOfMonth(Math.floor(monthOf(day) / 12) * 12 + 11)
    default:
      return assertNever(step)
  }
}

/** The days of a series; throws RefusalError `malformed` where there are none or too many. */
function daysOf({ from, to, step }: SeriesQuery): Day[] {
  const [first, last] = [dayOf(from), dayOf(to)]
  if (last < first) throw malformed('to', `lies before from, ${from}`)
  const days: Day[] = []
  for (let start = first; start <= last; start = (days.at(-1) as Day) + 1) {
    if (days.length === MAX_ITEMS) {
      throw malformed('step', `more than ${MAX_ITEMS} items; ask for a longer step or a shorter span`)
    }
    days.push(Math.min(endOfStep(start, step), last, LAST_DAY))
  }
  return days
}

async function ask(context: QuestionContext, clocks: Clocks, query: SeriesQuery): Promise<SeriesAnswer> {
  const { register, size } = clocks
  const days = daysOf(query)
  const parts = partsOfProgrammes(query.programme)
  const found = await readTallies(context.db, { register, size, parts, days, withDays: true })
  const promises = await redactedPromises(context.db, clocks)
  const walks = found.map(({ walk }) => walk())
  const frame = frameOf(clocks)
  const items = days.map((asOf) => {
    const tallies = walks.map((walk) => walk.next().value as Tally)
    const [only] = tallies
    // The walks go on from their tallies, so a sum is one of its own.
    const tally = tallies.length === 1 && only ? only : tallies.reduce((sum, one) => sum.plus(one), new Tally())
    const figures = figuresOf({ ...clocks, asOf }, query.programme, figureInputs(tally), promises)
    return { register, ...frame, asOf: formatDay(asOf), ...figures }
  })
  const redacted = answerRedacted(await redactedOfProgrammes(context, clocks, query.programme))
  return { items, next: null, ...frame, step: query.step, ...redacted }
}

/** Its day is the last one asked for. */
export const series: Question<SeriesQuery, SeriesAnswer> = {
  source: 'periods',
  version: TALLY_VERSION,
  check: daysOf,
  ask,
}

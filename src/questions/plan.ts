// The plan that the earned schedule is computed from: how many commitments were due on which day, by their original dates.

import { z } from 'zod'
import { dayText, formatDay } from '../kernel/plain-date.ts'
import type { Clocks } from './clocks.ts'
import { inputsOfProgrammes, redactedOfProgrammes, TALLY_VERSION } from './figures.ts'
import { frameAnswer, frameOf, registerId } from './frame.ts'
import { listLinkOf } from './list-link.ts'
import type { Question } from './question.ts'
import { answerRedacted, redactedAnswer } from './redacted.ts'
import type { QuestionContext } from './register.ts'

const plannedDay = z
  .strictObject({
    dueOn: z.string().meta({ description: 'An original due day, YYYY-MM-DD' }),
    count: z.int().meta({ description: 'How many commitments were due on that day' }),
  })
  .meta({ id: 'PlannedDay', description: 'An original due day, with the number of commitments that were due on it' })

export const planAnswer = z.strictObject({
  register: registerId,
  ...frameAnswer,
  start: z
    .string()
    .nullable()
    .meta({ description: 'The day of the earliest promise, YYYY-MM-DD; null where nothing is planned' }),
  of: z.int().meta({ description: 'Commitments in scope with an original due date' }),
  delivered: z.int().meta({ description: 'How many of them are delivered: the earned value' }),
  list: z.string().meta({ description: 'Address of the list of exactly the planned commitments' }),
  items: z.array(plannedDay).meta({
    description: 'Each original due day that occurs, in order. The planned value of a day is the sum up to that day',
  }),
  ...redactedAnswer,
})
export type PlanAnswer = z.output<typeof planAnswer>

/** Which programmes are asked about; none named: the whole register. */
type PlanQuery = { programme: readonly string[] }

async function ask(
  context: QuestionContext,
  clocks: Clocks,
  { programme: programmes }: PlanQuery,
): Promise<PlanAnswer> {
  const { due, made, counts } = await inputsOfProgrammes(context.db, clocks, programmes)
  const link = listLinkOf(clocks, programmes)
  return {
    register: clocks.register,
    ...frameOf(clocks),
    start: dayText(made.least),
    of: due.count,
    delivered: counts.earnedSchedule.numerator,
    list: `${link('earnedSchedule')}&denominator=true`,
    items: due.counts().map(({ value, count }) => ({ dueOn: formatDay(value), count })),
    ...answerRedacted(await redactedOfProgrammes(context, clocks, programmes)),
  }
}

export const plan: Question<PlanQuery, PlanAnswer> = { source: 'periods', version: TALLY_VERSION, ask }

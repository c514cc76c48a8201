// How slippage is spread: how many commitments are how late, over exactly those that the summary's slippage is over.

import { z } from 'zod'
import { type Slippages, slippageCounts } from '../domain/portfolio/spread.ts'
import type { Clocks } from './clocks.ts'
import { inputsOfProgrammes, redactedOfProgrammes, TALLY_VERSION } from './figures.ts'
import { frameAnswer, frameOf, registerId } from './frame.ts'
import { listLinkOf } from './list-link.ts'
import type { Question } from './question.ts'
import { answerRedacted, redactedAnswer } from './redacted.ts'
import type { QuestionContext } from './register.ts'

const slippageCount = z
  .strictObject({
    days: z.int().meta({ description: 'Slippage in days; positive is late' }),
    count: z.int().meta({ description: 'How many commitments slipped by so many days' }),
  })
  .meta({ id: 'SlippageCount', description: 'A number of days, with the number of commitments that slipped by it' })

const countsAnswer = z
  .strictObject({
    of: z.int().meta({ description: 'How many commitments are counted' }),
    list: z.string().meta({ description: 'Address of the list of exactly the commitments that are counted' }),
    items: z.array(slippageCount).meta({ description: 'Each number of days that occurs, in ascending order' }),
  })
  .meta({ id: 'SlippageCounts', description: 'How many commitments are how many days late' })

export const slippageAnswer = z.strictObject({
  register: registerId,
  ...frameAnswer,
  original: countsAnswer.meta({ description: 'Against the original due dates' }),
  current: countsAnswer.meta({ description: 'Against the current due dates' }),
  ...redactedAnswer,
})
export type SlippageAnswer = z.output<typeof slippageAnswer>

/** Which programmes are asked about; none named: the whole register. */
type SlippageQuery = { programme: readonly string[] }

async function ask(
  context: QuestionContext,
  clocks: Clocks,
  { programme: programmes }: SlippageQuery,
): Promise<SlippageAnswer> {
  const { slippages } = await inputsOfProgrammes(context.db, clocks, programmes)
  const link = listLinkOf(clocks, programmes)
  const counted = (of: Slippages, against: 'original' | 'current') => ({
    of: of.still.count + of.growing.count,
    list: link(`slippageDays.${against}`),
    items: slippageCounts(of, clocks.asOf),
  })
  return {
    register: clocks.register,
    ...frameOf(clocks),
    original: counted(slippages.original, 'original'),
    current: counted(slippages.current, 'current'),
    ...answerRedacted(await redactedOfProgrammes(context, clocks, programmes)),
  }
}

export const slippage: Question<SlippageQuery, SlippageAnswer> = { source: 'periods', version: TALLY_VERSION, ask }

// The milestone trend: for each commitment of a list, which finish was promised and expected on which day.

import { z } from 'zod'
import { dateAnswer } from '../domain/answers.ts'
import { lifecycleAnswer, scheduleAnswer, verificationAnswer } from '../domain/commitment/answer.ts'
import { commitmentFacts } from '../domain/commitment/state.ts'
import { fullClaim, scheduleOf, verification } from '../domain/commitment/status.ts'
import { type Trend, trendOf } from '../domain/commitment/trend.ts'
import type { StoredEvent } from '../domain/event.ts'
import { readingOf } from '../domain/repairs.ts'
import { readStreams } from '../eventlog/streams.ts'
import { answerDate, formatDay } from '../kernel/plain-date.ts'
import { type CommitmentRow, projectAt } from '../projections/commitments/project.ts'
import type { Clocks } from './clocks.ts'
import { frameOf, listAnswer } from './frame.ts'
import { LIST_VERSION, list, readList, redactedOfList } from './list.ts'
import type { ListPlace, ListQuery } from './list-query.ts'
import type { PagedQuestion } from './question.ts'
import { redactedAnswer } from './redacted.ts'
import type { QuestionContext } from './register.ts'

const point = {
  event: z.int().meta({ description: 'Position of the event' }),
  occurredOn: dateAnswer.meta({ description: 'When it became true, as precise as its source' }),
  effectiveOn: z.string().meta({ description: 'The day from which it counts, YYYY-MM-DD' }),
}

const dueAnswer = z.strictObject({
  ...point,
  number: z.int().meta({ description: 'The number of the baseline; 0 is the original' }),
  due: dateAnswer.meta({ description: 'The due date' }),
})
const forecastAnswer = z.strictObject({ ...point, finish: dateAnswer.meta({ description: 'The expected finish' }) })

const trendItem = z
  .strictObject({
    id: z.string().meta({ description: 'The id of the commitment' }),
    title: z.string().meta({ description: 'The title of the commitment' }),
    lifecycle: lifecycleAnswer,
    schedule: scheduleAnswer,
    verification: verificationAnswer,
    actualFinish: dateAnswer.nullable().meta({ description: 'When it was delivered in full; null: it was not' }),
    due: z.array(dueAnswer).meta({ description: 'Every baseline in force; number 0 is the original' }),
    forecasts: z.array(forecastAnswer).meta({ description: 'Every forecast in force, the earliest first' }),
  })
  .meta({
    id: 'Trend',
    description: 'The due dates and forecasts, each with the day from which it held, in fold order',
  })
export type TrendItem = z.output<typeof trendItem>

export const trendAnswer = listAnswer(trendItem).extend(redactedAnswer)
type TrendPage = Omit<z.output<typeof trendAnswer>, 'next'> & { next: ListPlace | null }

function answerTrend(asOf: Clocks['asOf'], { id, states }: CommitmentRow, { baselines, forecasts }: Trend): TrendItem {
  const { latest } = states
  const delivered = fullClaim(latest)
  const pointOf = ({ position, occurredOn, on }: { position: number; occurredOn: string; on: number }) => ({
    event: position,
    occurredOn: answerDate(occurredOn),
    effectiveOn: formatDay(on),
  })
  return {
    id,
    title: latest.title,
    lifecycle: latest.lifecycle,
    schedule: scheduleOf(states, asOf),
    verification: verification(latest),
    actualFinish: delivered && answerDate(delivered.occurredOn),
    due: baselines.map((one, number) => ({ ...pointOf(one), number, due: answerDate(one.due) })),
    forecasts: forecasts.map((one) => ({ ...pointOf(one), finish: answerDate(one.finish) })),
  }
}

/** The trends of some commitments, in the order given; those that are not made at the clocks are left out. */
async function trendsOf({ db }: QuestionContext, clocks: Clocks, ids: readonly string[]): Promise<TrendItem[]> {
  const { register, size, timeZone, asOf } = clocks
  const events = await readStreams(db, register, ids, size)
  const streams = Map.groupBy(events, ({ stream }) => stream)
  return ids.flatMap((id) => {
    const stream: StoredEvent[] = streams.get(id) ?? []
    const row = projectAt(id, stream, clocks, asOf)
    const trend = readingOf(stream, (readable) => trendOf(commitmentFacts(readable, { size, timeZone }), asOf))
    return row && trend ? [answerTrend(asOf, row, trend)] : []
  })
}

/** The trends of a page of the list with the same parameters. */
export const trend: PagedQuestion<ListQuery, ListPlace, TrendPage> = {
  source: list.source,
  version: LIST_VERSION,
  async ask(context, clocks, query, wanted) {
    const { page, next } = await readList(context, clocks, query, wanted)
    const ids = page.map(({ id }) => id)
    const items = await trendsOf(context, clocks, ids)
    return { items, next, ...frameOf(clocks), ...(await redactedOfList(context, clocks, query)) }
  },
}

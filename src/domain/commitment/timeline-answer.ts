// One commitment's timeline as answers give it: neighbouring periods with the same status are joined, each begun by the
// event or by the due day that changed the status.

import { z } from 'zod'
import { formatDay } from '../../kernel/plain-date.ts'
import { lifecycleAnswer, scheduleAnswer, verificationAnswer } from './answer.ts'
import { decodeStatus } from './status-code.ts'
import type { Period } from './timeline.ts'

export const periodAnswer = z
  .strictObject({
    from: z.string().meta({ description: 'First day of the period, YYYY-MM-DD' }),
    to: z.string().nullable().meta({ description: 'First day after the period, YYYY-MM-DD; null while it lasts' }),
    lifecycle: lifecycleAnswer,
    schedule: scheduleAnswer,
    verification: verificationAnswer,
    begunBy: z
      .union([
        z.strictObject({ event: z.int().meta({ description: 'Position of the event' }) }),
        z.strictObject({ dueOn: z.string().meta({ description: 'The due day that passed, YYYY-MM-DD' }) }),
      ])
      .meta({ description: 'The event that changed the status, or the due day that passed' }),
  })
  .meta({ id: 'Period', description: 'A run of days on which the status of a commitment does not change' })

export type PeriodAnswer = z.output<typeof periodAnswer>
/** What an answer needs of a period. */
type PeriodStatus = Pick<Period, (keyof Period & keyof PeriodAnswer) | 'code' | 'uncertain'>

function answerPeriod({ from, to, begunBy, code, uncertain }: PeriodStatus): PeriodAnswer {
  const { lifecycle, schedule, verification } = decodeStatus(code)
  return {
    from: formatDay(from),
    to: to === null ? null : formatDay(to),
    lifecycle,
    schedule: { ...schedule, uncertain },
    verification,
    begunBy: begunBy === null ? { dueOn: formatDay(from - 1) } : { event: begunBy },
  }
}

function isSame(a: PeriodAnswer, b: PeriodAnswer): boolean {
  return (
    a.lifecycle === b.lifecycle &&
    a.verification === b.verification &&
    a.schedule.original === b.schedule.original &&
    a.schedule.current === b.schedule.current &&
    a.schedule.uncertain === b.schedule.uncertain
  )
}

/**
 * A commitment's timeline as answers give it: its periods in order and without a gap, neighbours with the same status as
 * one. `to` is exclusive: the `from` of the next. Empty for a commitment that is not known.
 */
export function answerTimeline(periods: readonly PeriodStatus[]): PeriodAnswer[] {
  const answers: PeriodAnswer[] = []
  for (const period of periods) {
    const next = answerPeriod(period)
    const last = answers.at(-1)
    if (last && isSame(last, next)) last.to = next.to
    else answers.push(next)
  }
  return answers
}

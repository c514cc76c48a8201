// One commitment's status through time, as known at a size: a period for each stretch of days with the same status, begun
// by the event or by the due day that changed it.

import { z } from 'zod'
import { formatDay } from '../../kernel/plain-date.ts'
import { scheduleAnswer } from './answer.ts'
import { LIFECYCLES, VERIFICATIONS } from './status.ts'
import { decodeStatus } from './status-code.ts'
import type { Stretch } from './stretches.ts'

export const periodAnswer = z
  .strictObject({
    from: z.string().meta({ description: 'First day of the period' }),
    to: z.string().nullable().meta({ description: 'First day after the period; null while it lasts' }),
    lifecycle: z.enum(LIFECYCLES),
    schedule: scheduleAnswer,
    verification: z.enum(VERIFICATIONS),
    begunBy: z.union([
      z.strictObject({ event: z.int().meta({ description: 'Position of the event' }) }),
      z.strictObject({ dueOn: z.string().meta({ description: 'The due day that passed' }) }),
    ]),
  })
  .meta({ id: 'Period' })

export type Period = z.output<typeof periodAnswer>
/** A period as it stands in the stretches that it is made of. */
type StretchStatus = Pick<Stretch, (keyof Stretch & keyof Period) | 'code' | 'uncertain'>

function period({ from, to, begunBy, code, uncertain }: StretchStatus): Period {
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

function isSame(a: Period, b: Period): boolean {
  return (
    a.lifecycle === b.lifecycle &&
    a.verification === b.verification &&
    a.schedule.original === b.schedule.original &&
    a.schedule.current === b.schedule.current &&
    a.schedule.uncertain === b.schedule.uncertain
  )
}

/**
 * The periods of a commitment's stretches, in order and without a gap: stretches with the same status are one period. `to`
 * is exclusive: the `from` of the next. Empty where it is not known.
 */
export function timeline(stretches: readonly StretchStatus[]): Period[] {
  const periods: Period[] = []
  for (const stretch of stretches) {
    const next = period(stretch)
    const last = periods.at(-1)
    if (last && isSame(last, next)) last.to = next.to
    else periods.push(next)
  }
  return periods
}

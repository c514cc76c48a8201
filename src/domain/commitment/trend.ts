// The milestone trend of a commitment: which finish was promised or expected on which day, as of a day. A line that stays level
// was kept, one that rises slipped.

import type { Day } from '../../kernel/plain-date.ts'
import { type Baseline, type CommitmentFact, foldFacts } from './state.ts'

type Forecast = { position: number; on: Day; occurredOn: string; finish: string }

export type Trend = {
  /** In fold order; number 0 is the original. */
  baselines: readonly Baseline[]
  forecasts: readonly Forecast[]
}

/** Every due date and forecast in force as of a day, in fold order; null where the commitment is not made by then. */
export function trendOf(facts: readonly CommitmentFact[], asOf: Day): Trend | null {
  const state = foldFacts(facts, asOf)
  if (!state) return null
  const forecasts = facts
    .filter((fact) => fact.type === 'ForecastReported')
    .filter(({ on }) => on <= asOf)
    .sort((a, b) => a.on - b.on || a.position - b.position)
    .map(({ position, on, occurredOn, data }) => ({ position, on, occurredOn: occurredOn.value, finish: data.finish }))
  return { baselines: state.baselines, forecasts }
}

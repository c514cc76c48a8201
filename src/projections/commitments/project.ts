// The projection `commitments`, its pure part: the events of one commitment become one row, or none.

import { commitmentFacts, foldBoth, type States } from '../../domain/commitment/state.ts'
import type { EventToFold } from '../../domain/event.ts'
import { type Standing, standing } from '../../domain/portfolio/status.ts'
import { type Knowledge, redactedPositions } from '../../domain/repairs.ts'

export type CommitmentRow = {
  id: string
  revision: number
  /** The row answers for every size after this position ... */
  lastPosition: number
  /** ... and, as `states.latest.lastOn`, for every day from the last fact on. */
  standing: Standing
  states: States
  redacted: number[]
}

/** The newest state of a commitment, from all events of its stream within the knowledge; null where it is not made. */
export function project(id: string, events: readonly EventToFold[], knowledge: Knowledge): CommitmentRow | null {
  return projectAt(id, events, knowledge, Number.POSITIVE_INFINITY)
}

/** The same as of a day: what a reader folds where the stored row is too new. */
export function projectAt(
  id: string,
  events: readonly EventToFold[],
  knowledge: Knowledge,
  asOf: number,
): CommitmentRow | null {
  const known = events.filter((event) => event.position < knowledge.size)
  const states = foldBoth(commitmentFacts(known, knowledge), asOf)
  if (!states) return null
  return {
    id,
    revision: known.length,
    lastPosition: known.at(-1)?.position ?? -1,
    standing: standing(states.latest),
    states,
    redacted: redactedPositions(known),
  }
}

/** What a text search looks through. */
export function searchText({ id, states: { latest } }: CommitmentRow): string {
  return [id, latest.title, latest.description, ...latest.themes].filter((part) => part !== null).join('\n')
}

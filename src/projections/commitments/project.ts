// The projection `commitments`, its pure part: the events of one commitment become one row, or none.

import { commitmentFacts, foldBoth, type States } from '../../domain/commitment/state.ts'
import { type StatusDates, statusDates } from '../../domain/commitment/status.ts'
import type { EventToFold } from '../../domain/event.ts'
import { type Knowledge, readingOf, redactedPositions } from '../../domain/repairs.ts'

export type CommitmentRow = {
  id: string
  revision: number
  /** The row answers for every size after this position ... */
  lastPosition: number
  /** ... and, as `states.latest.lastOn`, for every day from the last fact on. */
  dates: StatusDates
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
  return readingOf(known, (readable) => rowOf(id, readable, foldBoth(commitmentFacts(readable, knowledge), asOf)))
}

function rowOf(id: string, known: readonly EventToFold[], states: States | null): CommitmentRow | null {
  if (!states) return null
  return {
    id,
    revision: known.length,
    lastPosition: known.at(-1)?.position ?? -1,
    dates: statusDates(states.latest),
    states,
    redacted: redactedPositions(known),
  }
}

/** Both folds as they are stored: the second only where it differs, which it does where a date is no day. */
export type StoredStates = { latest: States['latest']; earliest: States['earliest'] | null }

export function storedStates({ latest, earliest }: States): StoredStates {
  return { latest, earliest: earliest === latest ? null : earliest }
}

/** Both folds from what is stored. */
export function statesOf({ latest, earliest }: StoredStates): States {
  return { latest, earliest: earliest ?? latest }
}

/** What a text search looks through. */
export function searchText({ id, states: { latest } }: CommitmentRow): string {
  return [id, latest.title, latest.description, ...latest.themes].filter((part) => part !== null).join('\n')
}

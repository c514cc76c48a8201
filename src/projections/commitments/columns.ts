// The columns of a row of `commitments`: the one list from which it is inserted, copied and taken into a digest.

import type { Columns } from '../core/columns.ts'
import { type CommitmentRow, searchText, storedStates } from './project.ts'

export const COMMITMENT_COLUMNS: Columns<'commitments', CommitmentRow> = {
  id: { type: 'text', value: ({ id }) => id },
  revision: { type: 'integer', value: ({ revision }) => revision },
  last_position: { type: 'bigint', value: ({ lastPosition }) => lastPosition },
  last_on: { type: 'date', value: ({ states }) => states.latest.lastOn },
  title: { type: 'text', value: ({ states }) => states.latest.title },
  programme: { type: 'text', value: ({ states }) => states.latest.programme },
  themes: { type: 'text[]', value: ({ states }) => states.latest.themes },
  parties: { type: 'text[]', value: ({ states }) => states.latest.parties },
  lifecycle: { type: 'text', value: ({ dates }) => dates.lifecycle },
  verification: { type: 'text', value: ({ dates }) => dates.verification },
  made_on: { type: 'date', value: ({ dates }) => dates.madeOn },
  original_due_on: { type: 'date', value: ({ dates }) => dates.originalDueOn },
  current_due_on: { type: 'date', value: ({ dates }) => dates.currentDueOn },
  forecast_on: { type: 'date', value: ({ dates }) => dates.forecastOn },
  finished_on: { type: 'date', value: ({ dates }) => dates.finishedOn },
  rebaselines: { type: 'integer', value: ({ states }) => Math.max(0, states.latest.baselines.length - 1) },
  forecast_pushes: { type: 'integer', value: ({ states }) => states.latest.forecastPushes },
  states: { type: 'json', value: ({ states }) => storedStates(states) },
  redacted: { type: 'bigint[]', value: ({ redacted }) => redacted },
  search: { type: 'tsvector', value: searchText },
}

// The projection `commitments`, its dumb part: the columns of its rows, and writing them. Decides nothing.

import type { Queryable } from '../../database/pool.ts'
import { type Columns, insertRows } from '../core/columns.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { type CommitmentRow, searchText, storedStates } from './project.ts'

/** The one list from which a row is inserted, copied and taken into a digest. */
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

/** Writes the rows of commitments, replacing those of the same id. */
export async function saveCommitments(
  db: Queryable,
  build: RegisterBuild,
  rows: readonly CommitmentRow[],
): Promise<void> {
  await insertRows(db, 'commitments', build, COMMITMENT_COLUMNS, rows, ['id'])
}

/** Removes the rows of commitments that are no longer made, as known now. */
export async function removeCommitments(
  db: Queryable,
  { register, generation }: RegisterBuild,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return
  await db
    .deleteFrom('commitment')
    .where('register', '=', register)
    .where('generation', '=', generation)
    .where('id', '=', (eb) => eb.fn.any(eb.val([...ids])))
    .execute()
}

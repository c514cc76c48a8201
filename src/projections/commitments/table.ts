// The projection `commitments`, its dumb part: writes rows, decides nothing.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { dayText } from '../../kernel/plain-date.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { type CommitmentRow, searchText, storedStates } from './project.ts'

/** A row as the table holds it, but for whose it is; `search` as the text that is searched. */
export function columns(row: CommitmentRow) {
  const { dates, states } = row
  return {
    id: row.id,
    revision: row.revision,
    last_position: row.lastPosition,
    last_on: dayText(states.latest.lastOn),
    title: states.latest.title,
    programme: states.latest.programme,
    themes: states.latest.themes,
    parties: states.latest.parties,
    lifecycle: dates.lifecycle,
    verification: dates.verification,
    made_on: dayText(dates.madeOn),
    original_due_on: dayText(dates.originalDueOn),
    current_due_on: dayText(dates.currentDueOn),
    forecast_on: dayText(dates.forecastOn),
    finished_on: dayText(dates.finishedOn),
    rebaselines: Math.max(0, states.latest.baselines.length - 1),
    forecast_pushes: states.latest.forecastPushes,
    states: storedStates(states),
    redacted: row.redacted,
    search: searchText(row),
  }
}

/** Writes the rows of commitments, replacing those of the same id. */
export async function saveCommitments(
  db: Queryable,
  { register, generation }: RegisterBuild,
  rows: readonly CommitmentRow[],
): Promise<void> {
  if (rows.length === 0) return
  await sql`insert into commitment (register, generation, id, revision, last_position, last_on, title, programme, themes, parties,
      lifecycle, verification, made_on, original_due_on, current_due_on, forecast_on, finished_on, rebaselines,
      forecast_pushes, states, redacted, search)
    select ${register}, ${generation}::bigint, id, revision, last_position, last_on, title, programme, themes, parties,
      lifecycle, verification, made_on, original_due_on, current_due_on, forecast_on, finished_on, rebaselines,
      forecast_pushes, states, redacted, to_tsvector('simple', search)
    from json_to_recordset(${JSON.stringify(rows.map(columns))}::json) as row (id text, revision integer,
      last_position bigint, last_on date, title text, programme text, themes text[], parties text[], lifecycle text,
      verification text, made_on date, original_due_on date, current_due_on date, forecast_on date, finished_on date,
      rebaselines integer, forecast_pushes integer, states json, redacted bigint[], search text)
    on conflict (register, generation, id) do update set revision = excluded.revision, last_position = excluded.last_position,
      last_on = excluded.last_on, title = excluded.title, programme = excluded.programme, themes = excluded.themes,
      parties = excluded.parties, lifecycle = excluded.lifecycle, verification = excluded.verification,
      made_on = excluded.made_on, original_due_on = excluded.original_due_on, current_due_on = excluded.current_due_on,
      forecast_on = excluded.forecast_on, finished_on = excluded.finished_on, rebaselines = excluded.rebaselines,
      forecast_pushes = excluded.forecast_pushes, states = excluded.states, redacted = excluded.redacted,
      search = excluded.search`.execute(db)
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

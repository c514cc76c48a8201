// The projection `commitments`: the newest state of each commitment, folded from its whole stream whenever it grows.

import type { Queryable } from '../../database/pool.ts'
import { loadToFold } from '../../eventlog/load.ts'
import type { Change, Projection } from '../core/run.ts'
import { VERSIONS } from '../core/versions.ts'
import { type CommitmentRow, project } from './project.ts'
import { removeCommitments, saveCommitments } from './table.ts'

/** So few that what is read of them is gone before the collector takes it for lasting. */
const STREAMS_AT_ONCE = 200

async function applyTo(db: Queryable, streams: readonly string[], change: Change): Promise<void> {
  const { register, size, timeZone } = change
  const events = Map.groupBy(await loadToFold(db, register, streams, size), (event) => event.stream)
  const rows: CommitmentRow[] = []
  const gone: string[] = []
  for (const stream of streams) {
    const row = project(stream, events.get(stream) ?? [], { size, timeZone })
    if (row) rows.push(row)
    else gone.push(stream)
  }
  await saveCommitments(db, change, rows)
  await removeCommitments(db, change, gone)
}

export const commitments: Projection = {
  name: 'commitments',
  version: VERSIONS.commitments,
  async apply(db, change) {
    for (let first = 0; first < change.streams.length; first += STREAMS_AT_ONCE) {
      await applyTo(db, change.streams.slice(first, first + STREAMS_AT_ONCE), change)
    }
  },
}

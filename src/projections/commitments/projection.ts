// The projection `commitments`: the newest state of each commitment, folded from its whole stream whenever it grows.

import type { Queryable } from '../../database/pool.ts'
import { readToFold } from '../../eventlog/streams.ts'
import type { Batch, Projection } from '../core/projection.ts'
import { VERSIONS } from '../core/versions.ts'
import { type CommitmentRow, project } from './project.ts'
import { removeCommitments, saveCommitments } from './table.ts'

/** So few that what is read of them is gone before the collector takes it for lasting. */
const STREAMS_AT_ONCE = 200

async function applyTo(db: Queryable, streams: readonly string[], batch: Batch): Promise<void> {
  const { register, size, timeZone } = batch
  const events = Map.groupBy(await readToFold(db, register, streams, size), (event) => event.stream)
  const rows: CommitmentRow[] = []
  const gone: string[] = []
  for (const stream of streams) {
    const row = project(stream, events.get(stream) ?? [], { size, timeZone })
    if (row) rows.push(row)
    else gone.push(stream)
  }
  await saveCommitments(db, batch, rows)
  await removeCommitments(db, batch, gone)
}

export const commitments: Projection = {
  name: 'commitments',
  version: VERSIONS.commitments,
  async apply(db, batch) {
    for (let first = 0; first < batch.streams.length; first += STREAMS_AT_ONCE) {
      await applyTo(db, batch.streams.slice(first, first + STREAMS_AT_ONCE), batch)
    }
  },
}

// The projection `periods`: every commitment's timeline by both clocks, due days passing included. Rows are only added: an
// event closes and opens exactly what it changes, by a further row where the timeline differs from the one before.

import type { Queryable } from '../../database/pool.ts'
import { readToFold } from '../../eventlog/streams.ts'
import type { Batch, Projection } from '../core/projection.ts'
import { VERSIONS } from '../core/versions.ts'
import { type TimelineVersion, timelineVersions } from './project.ts'
import { savePeriods } from './table.ts'

/** So few that what is read of them is gone before the collector takes it for lasting. */
const STREAMS_AT_ONCE = 200

async function versionsOf(db: Queryable, streams: readonly string[], batch: Batch): Promise<TimelineVersion[]> {
  const events = Map.groupBy(await readToFold(db, batch.register, streams, batch.size), (event) => event.stream)
  return streams.flatMap((stream) => timelineVersions(stream, events.get(stream) ?? [], batch))
}

export const periods: Projection = {
  name: 'periods',
  version: VERSIONS.periods,
  async apply(db, batch) {
    const versions: TimelineVersion[] = []
    for (let first = 0; first < batch.streams.length; first += STREAMS_AT_ONCE) {
      versions.push(...(await versionsOf(db, batch.streams.slice(first, first + STREAMS_AT_ONCE), batch)))
    }
    // In order of size whatever the batch, so that memberships get the same numbers from every replay.
    versions.sort((a, b) => a.knownFrom - b.knownFrom || (a.id < b.id ? -1 : 1))
    await savePeriods(db, batch, versions)
  },
}

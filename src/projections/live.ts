// Which rows are live: what every statement about projected rows has to name.

import { type RawBuilder, sql } from 'kysely'
import { type ProjectionName, VERSIONS } from '../kernel/projection-versions.ts'

/**
 * The generation of the rows that are live for a register, as a part of the statement that reads them: at whatever moment
 * it runs, it sees one build whole. Null, and so no rows, where the projection has not begun.
 */
export function liveGeneration(register: string, projection: ProjectionName): RawBuilder<number> {
  return sql<number>`(select generation from checkpoint where register = ${register} and projection = ${projection}
    and version = ${VERSIONS[projection]})`
}

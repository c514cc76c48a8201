// Which rows are live: what every statement about projected rows has to name.

import { type RawBuilder, sql } from 'kysely'
import { type ProjectionName, VERSIONS } from './versions.ts'

/**
 * The generation of the rows that are live for a register, as a part of the statement that reads them: at whatever moment
 * it runs, it sees one build whole. Null, and so no rows, where the projection has not begun.
 */
export function liveGeneration(register: string, projection: ProjectionName): RawBuilder<number> {
  return sql<number>`(select generation from checkpoint where register = ${register} and projection = ${projection}
    and version = ${VERSIONS[projection]})`
}

/** Names a build and what has been erased from it: as long as that stays the same, what rows say at a size does not change. */
export function buildOf(generation: number, redactions: number): string {
  return `${generation}.${redactions}`
}

const LIVE_BUILD = `select live.generation || '.' || erased.redactions from checkpoint live
  join register erased on erased.register = live.register`

/** The live build, named so, as a part of the statement that reads its rows; null where the projection has not begun. */
export function liveBuild(register: string, projection: ProjectionName): RawBuilder<string | null> {
  return sql<string | null>`(${sql.raw(LIVE_BUILD)} where live.register = ${register}
    and live.projection = ${projection} and live.version = ${VERSIONS[projection]})`
}

/** The same as text, for a statement that has the register as $1. */
export function liveBuildText(projection: ProjectionName): string {
  return `(${LIVE_BUILD} where live.register = $1 and live.projection = '${projection}'
    and live.version = ${VERSIONS[projection]})`
}

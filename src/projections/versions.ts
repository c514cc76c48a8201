// The versions of the folds, and which rows are live for them: what every statement about projected rows has to name.

import { type RawBuilder, sql } from 'kysely'

const PERIODS = 1

/** The version of the tallies: raised with their own fold, and with that of the rows that they sum up. */
export const talliesVersion = (periods: number): number => periods * 1_000 + 1

/** The version of each projection's fold. Rows of another version stay beside these and are never read. */
export const VERSIONS = { commitments: 1, periods: PERIODS, tallies: talliesVersion(PERIODS) } as const

export type ProjectionName = keyof typeof VERSIONS

/**
 * The generation of the rows that are live for a register, as a part of the statement that reads them: at whatever moment
 * it runs, it sees one build whole. Null, and so no rows, where the projection has not begun.
 */
export function liveGeneration(register: string, projection: ProjectionName): RawBuilder<number> {
  return sql<number>`(select generation from checkpoint where register = ${register} and projection = ${projection}
    and version = ${VERSIONS[projection]})`
}

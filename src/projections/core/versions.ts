// The versions of the folds that write projected rows. Rows of another version stay beside these and are never read.

const PERIODS = 2

/** The version of the tallies: raised with their own fold, and with that of the rows that they sum up. */
export const talliesVersion = (periods: number): number => periods * 1_000 + 1

/** The version of each projection's fold. */
export const VERSIONS = { commitments: 1, periods: PERIODS, tallies: talliesVersion(PERIODS) } as const

export type ProjectionName = keyof typeof VERSIONS

/** A projection at one version of its fold. */
export type ProjectionVersion = { name: ProjectionName; version: number }

/** A projection at the version that this code folds and reads. */
export function current(name: ProjectionName): ProjectionVersion {
  return { name, version: VERSIONS[name] }
}

// What a projection is to the loop, and what is registered of each besides its fold: the table of its rows, and what is built
// together with it. The folds themselves are listed in all.ts.

import type { Queryable } from '../../database/pool.ts'
import type { Knowledge } from '../../domain/repairs.ts'
import type { ProjectionName, ProjectionVersion } from './versions.ts'

/** The rows of one register in one build. */
export type RegisterBuild = { register: string; generation: number }

/** What one step of the loop brings: the streams that grew, and the sizes between which it reads. */
export type Batch = RegisterBuild & {
  streams: readonly string[]
  /** What the projection has read before, and reaches with this batch. */
  from: number
  size: number
  /** The register's time zone as known at `size`. */
  timeZone: string
  /** The sizes from `from` on at which another time zone came to be known; the first is that at `from`. */
  zones: readonly Knowledge[]
  /** The generation of the rows that a projection sums up; its own where none is named. */
  followed?: number
}

/** A projection; rows that a fold of another version wrote are another version's: this one builds its own beside them. */
export type Projection = ProjectionVersion & {
  /** The projection whose rows this one sums up, and how far it goes in one step; it reads those rows and not the log. */
  follows?: ProjectionVersion & { stepEnd: (from: number) => number }
  /** Brings the rows of a generation (the live one, or one that is to take its place) on; those of others stay as they are. */
  apply: (db: Queryable, batch: Batch) => Promise<void>
}

/** The table of each projection. */
export const TABLES = {
  commitments: 'commitment',
  periods: 'period',
  tallies: 'tally',
} as const satisfies Record<ProjectionName, string>

/** What is built together: tallies sum up periods, so a build of these brings them. */
export const BUILT_TOGETHER: Record<ProjectionName, readonly ProjectionName[]> = {
  commitments: ['commitments'],
  periods: ['periods', 'tallies'],
  tallies: ['tallies'],
}

/** Called with how many further events were folded or summed up. */
export type OnProgress = (events: number) => void

/** A projection has not read as much of the log as is asked for, as while it is built anew. */
export class ProjectionBehindError extends Error {
  constructor(register: string, size: number) {
    super(`size ${size} of ${register} is not reached yet`)
  }
}

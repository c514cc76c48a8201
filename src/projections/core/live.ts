// Which rows are live: what every statement about projected rows has to name.

import { type RawBuilder, sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { progressOfRegisters, progressRow, progressRowText } from './progress.ts'
import type { ProjectionName } from './versions.ts'

/**
 * The generation of the rows that are live for a register, as a part of the statement that reads them: at whatever moment
 * it runs, it sees one build whole. Null, and so no rows, where the projection has not begun.
 */
export function liveGeneration(register: string, projection: ProjectionName): RawBuilder<number> {
  return sql<number>`(select generation from ${progressRow(register, projection)} live)`
}

/** Names a build and what has been redacted of it: as long as that stays the same, what rows say at a size does not change. */
export function buildOf(generation: number, redactions: number): string {
  return `${generation}.${redactions}`
}

const BUILD = `live.generation || '.' || register.redactions`

/** The live build, named so, as a part of the statement that reads its rows; null where the projection has not begun. */
export function liveBuild(register: string, projection: ProjectionName): RawBuilder<string | null> {
  return sql<string | null>`(select ${sql.raw(BUILD)}
    from ${progressRow(register, projection)} live join register on register.register = live.register)`
}

/** The same as text, for a statement that has the register as $1. */
export function liveBuildText(projection: ProjectionName): string {
  return `(select ${BUILD} from ${progressRowText(projection)} live join register on register.register = live.register)`
}

/** What readers are answered from: how far it has read the log, where its rows are, and what names that build of them. */
export type Live = { size: number; generation: number; build: string }

/** What the projections of a register are read from, at one moment; those that have not begun are left out. */
export async function liveBuilds(db: Queryable, register: string): Promise<Partial<Record<ProjectionName, Live>>> {
  const builds: Partial<Record<ProjectionName, Live>> = {}
  for (const row of await progressOfRegisters(db, [register])) {
    if (row.projection === null) continue
    const { projection, size, generation, redactions } = row
    builds[projection] = { size, generation, build: buildOf(generation, redactions) }
  }
  return builds
}

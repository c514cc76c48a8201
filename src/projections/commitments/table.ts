// The projection `commitments`, its dumb part: writes rows, decides nothing.

import type { Queryable } from '../../database/pool.ts'
import { insertRows } from '../core/columns.ts'
import type { RegisterBuild } from '../core/projection.ts'
import { COMMITMENT_COLUMNS } from './columns.ts'
import type { CommitmentRow } from './project.ts'

/** Writes the rows of commitments, replacing those of the same id. */
export async function saveCommitments(
  db: Queryable,
  build: RegisterBuild,
  rows: readonly CommitmentRow[],
): Promise<void> {
  await insertRows(db, 'commitments', build, COMMITMENT_COLUMNS, rows, ['id'])
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

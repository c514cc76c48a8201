// The projection `periods`, as its digest takes it in: every row that a size knows, in order of id and size, as one line of
// canonical JSON. Memberships stand there by what they say: their numbers depend on who came first.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Membership } from '../../domain/commitment/stretches.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { Place } from '../commitments/table.ts'
import { unpackedChanges } from './changes.ts'
import { readMemberships } from './memberships.ts'

/** Rows can be long: each holds a whole timeline. */
const ROWS_AT_ONCE = 100

type Row = {
  id: string
  known_from: number
  is_first: boolean
  days: number[]
  codes: number[]
  memberships: number[]
  begun_by: (number | null)[]
  numbers: (number | null)[]
  changes: Buffer
}

async function page(
  db: Queryable,
  { register, generation }: Place,
  size: number,
  after: { id: string; knownFrom: number },
): Promise<Row[]> {
  const { rows } =
    await sql<Row>`select id, known_from, is_first, days, codes, memberships, begun_by, numbers, changes from period
    where register = ${register} and generation = ${generation} and (id, known_from) > (${after.id}, ${after.knownFrom})
      and known_from <= ${size} order by id, known_from limit ${ROWS_AT_ONCE}`.execute(db)
  return rows
}

function line(row: Row, all: readonly Membership[]): string {
  // A number without a membership says nothing, and is told as it is.
  const contentOf = (number: number) => all[number] ?? number
  const changes = unpackedChanges(row.changes)
    .map(({ membership, ...change }) => canonicalJson({ ...change, membership: contentOf(membership) }))
    // They are stored in order of the numbers of memberships.
    .sort()
  const { id, known_from: knownFrom, is_first: isFirst, days, codes, begun_by: begunBy, numbers } = row
  const memberships = row.memberships.map(contentOf)
  return canonicalJson({ id, knownFrom, isFirst, days, codes, memberships, begunBy, numbers, changes })
}

/** The rows of a build that a size knows as canonical JSON, in order of id and of the size that began each, some at a time. */
export async function* canonicalPeriods(db: Queryable, place: Place, size: number): AsyncGenerator<string[]> {
  const memberships = await readMemberships(db, place.register)
  for (let after = { id: '', knownFrom: 0 }; ; ) {
    const rows = await page(db, place, size, after)
    yield rows.map((row) => line(row, memberships))
    const last = rows.at(-1)
    if (!last || rows.length < ROWS_AT_ONCE) return
    after = { id: last.id, knownFrom: last.known_from }
  }
}

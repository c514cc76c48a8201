// The projection `tallies`, as its digest takes it in: what every epoch that a size knows whole added at every place, in order
// of place and epoch, as one line of canonical JSON. What an epoch added is the same however sums are stored.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { entriesOf, entryName } from './packing.ts'
import type { Place } from './table.ts'

/** Rows can be long: those of a month by days hold all that ever counted in it. */
const ROWS_AT_ONCE = 50

type Row = {
  part_of: string
  part: string
  level: number
  bucket: number
  epoch: number
  statuses: Buffer
  days: Buffer
}

const COLUMNS = sql`part_of, part, level, bucket, epoch, statuses, days`
const BEGINNING = { part_of: '', part: '', level: 0, bucket: 0, epoch: 0 }

async function page(
  db: Queryable,
  { register, generation }: Place,
  epochs: number,
  after: Omit<Row, 'statuses' | 'days'>,
): Promise<Row[]> {
  const of = (table: string) => sql`(select ${COLUMNS} from ${sql.table(table)}
    where register = ${register} and generation = ${generation} and epoch < ${epochs}
      and (part_of, part, level, bucket, epoch)
        > (${after.part_of}, ${after.part}, ${after.level}::smallint, ${after.bucket}::integer, ${after.epoch}::integer)
    order by part_of, part, level, bucket, epoch limit ${ROWS_AT_ONCE})`
  const { rows } = await sql<Row>`${of('tally')} union all ${of('tally_past')}
    order by part_of, part, level, bucket, epoch limit ${ROWS_AT_ONCE}`.execute(db)
  return rows
}

/** The sums of a row, by the name of their day and key. */
function sumsOf({ level, statuses, days }: Row): Map<number, number> {
  const sums = new Map<number, number>()
  for (const entries of [entriesOf(level, statuses), entriesOf(level, days)]) {
    for (let at = 0; at < entries.length; at += 3) {
      const name = entryName(entries[at] as number, entries[at + 1] as number)
      sums.set(name, (sums.get(name) ?? 0) + (entries[at + 2] as number))
    }
  }
  return sums
}

/** What is to be added to some sums to come to others: in order of day and key, without what stays. */
function added(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): [number, number][] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name): [number, number] => [name, (after.get(name) ?? 0) - (before.get(name) ?? 0)])
    .filter(([, difference]) => difference !== 0)
    .sort(([a], [b]) => a - b)
}

/** Follows the sums of one place after the other, in order of epoch. */
class Following {
  #place = ''
  #sums: ReadonlyMap<number, number> = new Map()

  /** The line of a row; none where its epoch added nothing. */
  lines(row: Row): string[] {
    const { part_of: partOf, part, level, bucket, epoch } = row
    const place = JSON.stringify([partOf, part, level, bucket])
    if (place !== this.#place) this.#sums = new Map()
    this.#place = place
    const sums = sumsOf(row)
    const entries = added(this.#sums, sums)
    this.#sums = sums
    return entries.length === 0 ? [] : [canonicalJson({ partOf, part, level, bucket, epoch, added: entries })]
  }
}

/** What epochs added, of those that were sealed when so many were, as canonical JSON, some at a time. */
export async function* canonicalTallies(db: Queryable, place: Place, epochs: number): AsyncGenerator<string[]> {
  const following = new Following()
  for (let after: Omit<Row, 'statuses' | 'days'> = BEGINNING; ; ) {
    const rows = await page(db, place, epochs, after)
    yield rows.flatMap((row) => following.lines(row))
    const last = rows.at(-1)
    if (!last || rows.length < ROWS_AT_ONCE) return
    after = last
  }
}

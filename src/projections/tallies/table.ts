// The projection `tallies`, its dumb part: reads and writes rows, decides nothing.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { entriesOf, entryName, pack } from './packing.ts'
import type { Sums } from './project.ts'

/** Whose sums they are, and of which build. */
export type Place = { register: string; generation: number }

const ROWS_AT_ONCE = 1_000

/** Adds the sums of an epoch to those that stand, and writes what they come to as of the end of the epoch. */
export async function sealSums(db: Queryable, place: Place, epoch: number, rows: readonly Sums[]): Promise<void> {
  for (let first = 0; first < rows.length; first += ROWS_AT_ONCE) {
    await sealSome(db, place, epoch, rows.slice(first, first + ROWS_AT_ONCE))
  }
}

async function sealSome(
  db: Queryable,
  { register, generation }: Place,
  epoch: number,
  rows: readonly Sums[],
): Promise<void> {
  const keys = JSON.stringify(
    rows.map(({ part, level, bucket }, index) => ({ index, part_of: part.partOf, part: part.part, level, bucket })),
  )
  const { rows: standing } = await sql<{ index: number; statuses: Buffer; days: Buffer }>`
    with wanted as (select * from json_to_recordset(${keys}::json)
        as row (index integer, part_of text, part text, level smallint, bucket integer)),
      standing as (select w.index, t.* from wanted w join tally t on t.register = ${register} and t.generation = ${generation}
        and t.part_of = w.part_of and t.part = w.part and t.level = w.level and t.bucket = w.bucket),
      replaced as (insert into tally_past (register, generation, part_of, part, level, bucket, epoch, statuses, days)
        select register, generation, part_of, part, level, bucket, epoch, statuses, days from standing)
    select index, statuses, days from standing`.execute(db)
  for (const { index, statuses, days } of standing) {
    const row = rows[index]
    if (row) for (const bytes of [statuses, days]) addInto(row, bytes)
  }
  const values = rows.map(({ part, level, bucket, sums }) => {
    const { statuses, days } = pack(level, sums)
    const packed = { statuses: statuses.toString('hex'), days: days.toString('hex') }
    return { part_of: part.partOf, part: part.part, level, bucket, ...packed }
  })
  await sql`insert into tally (register, generation, part_of, part, level, bucket, epoch, statuses, days)
    select ${register}, ${generation}::bigint, part_of, part, level, bucket, ${epoch}, decode(statuses, 'hex'), decode(days, 'hex')
    from json_to_recordset(${JSON.stringify(values)}::json)
      as row (part_of text, part text, level smallint, bucket integer, statuses text, days text)
    on conflict (register, generation, part_of, part, level, bucket) do update
      set epoch = excluded.epoch, statuses = excluded.statuses, days = excluded.days`.execute(db)
}

function addInto({ level, sums }: Sums, bytes: Buffer): void {
  const entries = entriesOf(level, bytes)
  for (let at = 0; at < entries.length; at += 3) {
    const name = entryName(entries[at] as number, entries[at + 1] as number)
    sums.set(name, (sums.get(name) ?? 0) + (entries[at + 2] as number))
  }
}

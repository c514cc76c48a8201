// The rolled up sums that a question needs, as statements read them.

import { CompiledQuery } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { type Live, liveBuildText } from '../core/live.ts'
import { progressRowText } from '../core/progress.ts'
import { VERSIONS } from '../core/versions.ts'
import { DAYS, entriesOf, YEAR } from './packing.ts'
import type { TallyPart } from './parts.ts'

/** What days need: all years before `year`, its months up to `lastMonth`, and those in `byDay` by days. */
export type Needs = { year: number; lastMonth: number; byDay: readonly number[] }

/** A row of sums, unpacked: three numbers an entry (day, key, sum). */
export type SumRow = { part: TallyPart; level: number; bucket: number; statuses: Int32Array; days: Int32Array }

type PackedRow = { part_of: string; part: string; level: number; bucket: number; statuses: Buffer; days: Buffer }

function unpacked({ level, bucket, statuses, days, ...row }: PackedRow, withDays: boolean): SumRow {
  // Safe: written from a part.
  const part: TallyPart = { partOf: row.part_of as TallyPart['partOf'], part: row.part }
  const entries = withDays ? entriesOf(level, days) : new Int32Array(0)
  return { part, level, bucket, statuses: entriesOf(level, statuses), days: entries }
}

// As text, and not built anew each time: to build a statement takes longer than the database takes to run these.
const SUMS = `select ${liveBuildText('tallies')} as build, s.* from tally_sums($1, ${VERSIONS.tallies}, $2, $3, $4, $5, $6, $7, $8, $9) s`

/** The sums that days need of a part, or (null) of all of its kind, when so many epochs were rolled up; null in another build. */
export async function readSums(
  db: Queryable,
  register: string,
  { partOf, part }: { partOf: string; part: string | null },
  { epochs, sums }: { epochs: number; sums: Live | undefined },
  { year, lastMonth, byDay }: Needs,
  withDays: boolean,
): Promise<SumRow[] | null> {
  const parameters = [register, sums?.generation ?? null, partOf, part, epochs, year, lastMonth, byDay, withDays]
  const { rows } = await db.executeQuery<PackedRow & { build: string | null }>(CompiledQuery.raw(SUMS, parameters))
  // Every row says which build it is of; the first says nothing else.
  const [head, ...found] = rows
  return head && head.build === (sums?.build ?? null) ? found.map((row) => unpacked(row, withDays)) : null
}

/** The pieces of a part as of the last rollup: years and months unpacked, since every question needs many of them. */
export type WholePart = { size: number; build: string; bytes: number; rows: SumRow[]; byDay: Map<number, PackedRow[]> }

const WHOLE_PART = `select live.size, ${liveBuildText('tallies')} as build,
    t.part_of, t.part, t.level, t.bucket, t.statuses, t.days
  from ${progressRowText('tallies')} live left join (
      (select distinct on (level, bucket) level, bucket, epoch, base from tally
        where register = $1 and generation = $4 and part_of = $2 and part = $3 order by level, bucket, epoch desc) newest
      join tally t on t.register = $1 and t.generation = $4 and t.part_of = $2 and t.part = $3
        and t.level = newest.level and t.bucket = newest.bucket and t.epoch between newest.base and newest.epoch
    ) on true
  where live.generation = $4`

/** The pieces of a part of a build; null where that is not the live one. */
export async function readPart(
  db: Queryable,
  register: string,
  { partOf, part }: TallyPart,
  generation: number | null,
): Promise<WholePart | null> {
  type Row = PackedRow & { size: number; build: string }
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(WHOLE_PART, [register, partOf, part, generation]))
  const [first] = rows
  if (!first) return null
  const found = rows.filter(({ level }) => level !== null)
  const sums = found.filter(({ level }) => level !== DAYS).map((row) => unpacked(row, true))
  const ofDays = found.filter(({ level }) => level === DAYS)
  const byDay = Map.groupBy(ofDays, ({ bucket }) => bucket)
  const packed = ofDays.reduce((sum, row) => sum + row.statuses.length + row.days.length, 0)
  const bytes = sums.reduce((sum, row) => sum + row.statuses.byteLength + row.days.byteLength, packed)
  return { size: first.size, build: first.build, bytes, rows: sums, byDay }
}

/** The rows of a part that days need. */
export function rowsNeeded({ rows, byDay: packed }: WholePart, { year, lastMonth, byDay }: Needs): SumRow[] {
  const days = new Set(byDay)
  const isNeeded = ({ level, bucket }: SumRow) =>
    level === YEAR ? bucket < year : bucket >= year * 12 && bucket <= lastMonth && !days.has(bucket)
  const ofDays = [...days].flatMap((month) => packed.get(month) ?? [])
  return [...rows.filter(isNeeded), ...ofDays.map((row) => unpacked(row, true))]
}

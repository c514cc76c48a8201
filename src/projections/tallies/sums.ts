// The sealed sums that a question needs: read as of its seal, or, as of the last seal, from what is kept in memory. Sums as
// of a seal never change, and nearly every question is about now.

import { CompiledQuery } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { type Live, liveBuildText } from '../core/live.ts'
import { progressRowText } from '../core/progress.ts'
import { VERSIONS } from '../core/versions.ts'
import { DAYS, entriesOf, YEAR } from './packing.ts'
import { partName } from './parts.ts'
import type { Part } from './project.ts'

/** What days need: all years before `year`, its months up to `lastMonth`, and those in `byDay` by days. */
export type Needs = { year: number; lastMonth: number; byDay: readonly number[] }

/** A row of sums, unpacked: three numbers an entry (day, key, sum). */
export type SumRow = { part: Part; level: number; bucket: number; statuses: Int32Array; days: Int32Array }

type PackedRow = { part_of: string; part: string; level: number; bucket: number; statuses: Buffer; days: Buffer }

function unpacked({ level, bucket, statuses, days, ...row }: PackedRow, withDays: boolean): SumRow {
  // Safe: written from a part.
  const part: Part = { partOf: row.part_of as Part['partOf'], part: row.part }
  const entries = withDays ? entriesOf(level, days) : new Int32Array(0)
  return { part, level, bucket, statuses: entriesOf(level, statuses), days: entries }
}

// As text, and not built anew each time: to build a statement takes longer than the database takes to run these.
const SUMS = `select ${liveBuildText('tallies')} as build, s.* from tally_sums($1, ${VERSIONS.tallies}, $2, $3, $4, $5, $6, $7, $8, $9) s`

/** The sums that days need of a part, or (null) of all of its kind, when so many epochs were sealed; null in another build. */
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

/** The pieces of a part as of the last seal: years and months unpacked, since every question needs many of them. */
type KeptPart = { sealed: number; build: string; bytes: number; rows: SumRow[]; byDay: Map<number, PackedRow[]> }

const kept = new WeakMap<Queryable, Map<string, KeptPart>>()

const MAX_KEPT_BYTES = 24 * 2 ** 20

function keep(db: Queryable, name: string, part: KeptPart): void {
  const parts = kept.get(db) ?? new Map<string, KeptPart>()
  kept.set(db, parts)
  // Set again so that the least recently used is the first to go.
  parts.delete(name)
  parts.set(name, part)
  let bytes = [...parts.values()].reduce((sum, other) => sum + other.bytes, 0)
  for (const [oldest, other] of parts) {
    if (bytes <= MAX_KEPT_BYTES) break
    parts.delete(oldest)
    bytes -= other.bytes
  }
}

const WHOLE_PART = `select live.size as sealed, ${liveBuildText('tallies')} as build,
    t.part_of, t.part, t.level, t.bucket, t.statuses, t.days
  from ${progressRowText('tallies')} live left join (
      (select distinct on (level, bucket) level, bucket, epoch, base from tally
        where register = $1 and generation = $4 and part_of = $2 and part = $3 order by level, bucket, epoch desc) newest
      join tally t on t.register = $1 and t.generation = $4 and t.part_of = $2 and t.part = $3
        and t.level = newest.level and t.bucket = newest.bucket and t.epoch between newest.base and newest.epoch
    ) on true
  where live.generation = $4`

/** The pieces of a part of a build; null where that is not the live one. */
async function loadPart(
  db: Queryable,
  register: string,
  { partOf, part }: Part,
  generation: number | null,
): Promise<KeptPart | null> {
  type Row = PackedRow & { sealed: number; build: string }
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(WHOLE_PART, [register, partOf, part, generation]))
  const [first] = rows
  if (!first) return null
  const found = rows.filter(({ level }) => level !== null)
  const sums = found.filter(({ level }) => level !== DAYS).map((row) => unpacked(row, true))
  const ofDays = found.filter(({ level }) => level === DAYS)
  const byDay = Map.groupBy(ofDays, ({ bucket }) => bucket)
  const packed = ofDays.reduce((sum, row) => sum + row.statuses.length + row.days.length, 0)
  const bytes = sums.reduce((sum, row) => sum + row.statuses.byteLength + row.days.byteLength, packed)
  return { sealed: first.sealed, build: first.build, bytes, rows: sums, byDay }
}

/** The same as of the last seal for one part, which is kept from then on; null where the seal is no longer the last. */
export async function keptSums(
  db: Queryable,
  register: string,
  part: Part,
  { seal, sums: wanted, epoch }: { seal: number; sums: Live | undefined; epoch: number },
  { year, lastMonth, byDay }: Needs,
): Promise<SumRow[] | null> {
  const name = `${register} ${partName(part)}`
  const isOf = (sums: KeptPart) => Math.floor(sums.sealed / epoch) * epoch === seal && sums.build === wanted?.build
  const known = kept.get(db)?.get(name)
  const sums = known && isOf(known) ? known : await loadPart(db, register, part, wanted?.generation ?? null)
  if (!sums || !isOf(sums)) return null
  keep(db, name, sums)
  const days = new Set(byDay)
  const isNeeded = ({ level, bucket }: SumRow) =>
    level === YEAR ? bucket < year : bucket >= year * 12 && bucket <= lastMonth && !days.has(bucket)
  const found = sums.rows.filter(isNeeded)
  for (const month of days) {
    for (const row of sums.byDay.get(month) ?? []) found.push(unpacked(row, true))
  }
  return found
}

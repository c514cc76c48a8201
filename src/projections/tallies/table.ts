// The projection `tallies`, its dumb part: reads and writes pieces of sums.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Columns } from '../core/columns.ts'
import type { RegisterBuild } from '../core/projection.ts'
import type { Piece, PieceHead, SumPlace, Sums } from './rollup.ts'

/** The columns of a row, as COPY takes them. */
export const TALLY_COLUMNS: Columns<'tallies', Piece> = {
  part_of: { type: 'text', value: ({ part }) => part.partOf },
  part: { type: 'text', value: ({ part }) => part.part },
  level: { type: 'smallint', value: ({ level }) => level },
  bucket: { type: 'integer', value: ({ bucket }) => bucket },
  epoch: { type: 'integer', value: ({ epoch }) => epoch },
  base: { type: 'integer', value: ({ base }) => base },
  whole_bytes: { type: 'bigint', value: ({ wholeBytes }) => wholeBytes },
  since_bytes: { type: 'bigint', value: ({ sinceBytes }) => sinceBytes },
  statuses: { type: 'bytea', value: ({ statuses }) => statuses },
  days: { type: 'bytea', value: ({ days }) => days },
}

const ROWS_AT_ONCE = 2_000

/** A list of places as the columns of statements. */
function placesOf(places: readonly SumPlace[]) {
  const column = <T>(value: (place: SumPlace) => T) => places.map(value)
  return sql`unnest(${column(({ part }) => part.partOf)}::text[], ${column(({ part }) => part.part)}::text[],
    ${column(({ level }) => level)}::smallint[], ${column(({ bucket }) => bucket)}::integer[])
    with ordinality w (part_of, part, level, bucket, number)`
}

type HeadRow = { number: number; base: number; whole_bytes: number; since_bytes: number }

/** The head of the newest piece at each of some places, in order; null where there is none. */
export async function readPieceHeads(
  db: Queryable,
  { register, generation }: RegisterBuild,
  places: readonly SumPlace[],
): Promise<(PieceHead | null)[]> {
  const heads: (PieceHead | null)[] = places.map(() => null)
  const { rows } = await sql<HeadRow>`select w.number, t.base, t.whole_bytes, t.since_bytes from ${placesOf(places)}
    cross join lateral (select base, whole_bytes, since_bytes from tally where register = ${register}
      and generation = ${generation} and part_of = w.part_of and part = w.part and level = w.level and bucket = w.bucket
      order by epoch desc limit 1) t`.execute(db)
  for (const { number, base, whole_bytes, since_bytes } of rows) {
    heads[number - 1] = { base, wholeBytes: whole_bytes, sinceBytes: since_bytes }
  }
  return heads
}

type PlacedHead = Omit<HeadRow, 'number'> & { part_of: string; part: string; level: number; bucket: number }

/** The heads of the newest pieces at all places of a build. */
export async function readAllHeads(
  db: Queryable,
  { register, generation }: RegisterBuild,
): Promise<(Omit<SumPlace, 'part'> & { part: { partOf: string; part: string } } & PieceHead)[]> {
  const { rows } = await sql<PlacedHead>`select distinct on (part_of, part, level, bucket)
      part_of, part, level, bucket, base, whole_bytes, since_bytes
    from tally where register = ${register} and generation = ${generation}
    order by part_of, part, level, bucket, epoch desc`.execute(db)
  return rows.map(({ part_of, part, level, bucket, base, whole_bytes, since_bytes }) => ({
    part: { partOf: part_of, part },
    level,
    bucket,
    base,
    wholeBytes: whole_bytes,
    sinceBytes: since_bytes,
  }))
}

/** The pieces at each of some places from its base on, in order of epoch. */
export async function readPieces(
  db: Queryable,
  { register, generation }: RegisterBuild,
  places: readonly (SumPlace & { base: number })[],
): Promise<Pick<Sums, 'statuses' | 'days'>[][]> {
  const pieces: Pick<Sums, 'statuses' | 'days'>[][] = places.map(() => [])
  const bases = places.map(({ base }) => base)
  const { rows } = await sql<{ number: number; statuses: Buffer; days: Buffer }>`
    select w.number, t.statuses, t.days from ${placesOf(places)}
      cross join lateral (select epoch, statuses, days from tally where register = ${register}
        and generation = ${generation} and part_of = w.part_of and part = w.part and level = w.level and bucket = w.bucket
        and epoch >= (${bases}::integer[])[w.number]) t
    order by w.number, t.epoch`.execute(db)
  for (const { number, statuses, days } of rows) pieces[number - 1]?.push({ statuses, days })
  return pieces
}

/** Writes pieces, as they are. */
export async function savePieces(
  db: Queryable,
  { register, generation }: RegisterBuild,
  pieces: readonly Piece[],
): Promise<void> {
  for (let first = 0; first < pieces.length; first += ROWS_AT_ONCE) {
    const some = pieces.slice(first, first + ROWS_AT_ONCE)
    const column = <T>(value: (piece: Piece) => T) => some.map(value)
    // Lengths, and the bytes of all in one value: an array of them would go to the server as text.
    const bytes = Buffer.concat(some.flatMap(({ statuses, days }) => [statuses, days]))
    await sql`insert into tally (register, generation, part_of, part, level, bucket, epoch, base, whole_bytes, since_bytes,
        statuses, days)
      select ${register}, ${generation}::bigint, part_of, part, level, bucket, epoch, base, whole_bytes, since_bytes,
        substr(${bytes}::bytea, first, statuses), substr(${bytes}::bytea, first + statuses, days)
      from unnest(${column(({ part }) => part.partOf)}::text[], ${column(({ part }) => part.part)}::text[],
        ${column(({ level }) => level)}::smallint[], ${column(({ bucket }) => bucket)}::integer[],
        ${column(({ epoch }) => epoch)}::integer[], ${column(({ base }) => base)}::integer[],
        ${column(({ wholeBytes }) => wholeBytes)}::bigint[], ${column(({ sinceBytes }) => sinceBytes)}::bigint[],
        ${firstBytes(some)}::integer[], ${column(({ statuses }) => statuses.length)}::integer[],
        ${column(({ days }) => days.length)}::integer[])
        row (part_of, part, level, bucket, epoch, base, whole_bytes, since_bytes, first, statuses, days)`.execute(db)
  }
}

/** Where the bytes of each piece begin among those of all, counted from 1. */
function firstBytes(pieces: readonly Piece[]): number[] {
  let next = 1
  return pieces.map(({ statuses, days }) => {
    const first = next
    next += statuses.length + days.length
    return first
  })
}

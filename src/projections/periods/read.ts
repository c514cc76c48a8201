// The projection `periods`, its questions: where commitments stand at (asOf, knownAt), and one commitment's timeline. The
// newest row that the knowledge holds has the period of the day; nothing is folded.

import { type RawBuilder, sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { type Measured, measure } from '../../domain/commitment/measure.ts'
import { CODES, decodeStatus } from '../../domain/commitment/status-code.ts'
import type { Membership, Period } from '../../domain/commitment/timeline.ts'
import type { Countable } from '../../domain/figures.ts'
import type { Day } from '../../kernel/plain-date.ts'
import { liveGeneration } from '../core/live.ts'
import { readMemberships } from './memberships.ts'
import { CONFLICTED, NUMBERS, UNCERTAIN } from './table.ts'

/** The two clocks of a question, resolved. */
export type Moment = { register: string; asOf: Day; size: number }

/** Where a commitment stands at a moment. */
export type StatusRecord = Membership & {
  id: string
  measured: Measured
  uncertain: boolean
  rebaselines: number
  forecastPushes: number
  isConflicted: boolean
}

/** Which commitments are asked for; null leaves a condition out. */
export type Wanted = {
  status: ((status: Countable) => boolean) | null
  membership: ((membership: Membership) => boolean) | null
  /** Only these commitments. */
  ids: readonly string[] | null
  isConflicted: boolean
}

export const ALL: Wanted = { status: null, membership: null, ids: null, isConflicted: false }

const LIVE = (register: string) => liveGeneration(register, 'periods')

type Row = { id: string; code: number; membership: number; numbers: string }

const ALL_CODES = Array.from({ length: CODES }, (_, code) => code)

function conditions({ status, isConflicted }: Wanted, memberships: readonly number[] | null): RawBuilder<unknown> {
  const all = [sql`p.slot > 0`]
  if (status) {
    const codes = ALL_CODES.filter((code) => status(decodeStatus(code)))
    all.push(sql`p.codes[p.slot] = any(${`{${codes}}`}::smallint[])`)
  }
  if (memberships) all.push(sql`p.memberships[p.slot] = any(${`{${memberships}}`}::integer[])`)
  if (isConflicted) all.push(sql`p.numbers[p.slot * ${NUMBERS}::int] & ${CONFLICTED}::int <> 0`)
  return sql.join(all, sql` and `)
}

/** The newest row of each commitment of a list that the knowledge holds, with the place of the day's period in it. */
function select({ register, asOf, size }: Moment, ids: RawBuilder<unknown>, where: RawBuilder<unknown>) {
  return sql<Row>`select f.id, p.codes[p.slot] as code, p.memberships[p.slot] as membership,
      p.numbers[(p.slot - 1) * ${NUMBERS}::int + 1 : p.slot * ${NUMBERS}::int]::text as numbers
    from (${ids}) f cross join lateral (
      select codes, memberships, numbers, width_bucket(${asOf}::integer, days) as slot from period
      where register = ${register} and generation = ${LIVE(register)} and id = f.id
        and known_from <= ${size} order by known_from desc limit 1) p
    where ${where}`
}

function record(row: Row, { asOf }: Moment, memberships: readonly Membership[]): StatusRecord {
  const numbers = row.numbers
    .slice(1, -1)
    .split(',')
    .map((text) => (text === 'NULL' ? null : Number(text)))
  const [madeOn, originalDueOn, currentDueOn, forecastOn, finishedOn, rebaselines, forecastPushes, flags] = numbers
  const { lifecycle, verification } = decodeStatus(row.code)
  // Safe: written in this order from status dates; the first and the last three are never null.
  const dates = {
    lifecycle,
    verification,
    madeOn: madeOn as Day,
    originalDueOn: originalDueOn as Day | null,
    currentDueOn: currentDueOn as Day | null,
    forecastOn: forecastOn as Day | null,
    finishedOn: finishedOn as Day | null,
  }
  return {
    id: row.id,
    ...(memberships[row.membership] as Membership),
    measured: measure(dates, asOf),
    uncertain: ((flags as number) & UNCERTAIN) !== 0,
    rebaselines: rebaselines as number,
    forecastPushes: forecastPushes as number,
    isConflicted: ((flags as number) & CONFLICTED) !== 0,
  }
}

type Found = { all: readonly Membership[]; numbers: number[] | null }

async function findMemberships(db: Queryable, register: string, { membership }: Wanted): Promise<Found> {
  const all = await readMemberships(db, register)
  const numbers = membership && [...all.keys()].filter((number) => membership(all[number] as Membership))
  return { all, numbers }
}

/** Every commitment that is known, made by then and wanted, in order of id. */
export async function readStatuses(db: Queryable, moment: Moment, wanted: Wanted): Promise<StatusRecord[]> {
  const { all, numbers } = await findMemberships(db, moment.register, wanted)
  const ids = sql`select id from period where register = ${moment.register}
    and generation = ${LIVE(moment.register)} and is_first
    ${wanted.ids ? sql`and id = any(${[...wanted.ids]}::text[])` : sql``} `
  const { rows } = await sql<Row>`${select(moment, ids, conditions(wanted, numbers))} order by f.id`.execute(db)
  return rows.map((row) => record(row, moment, all))
}

/** How many commitments a page looks at in one statement, and in all: a page that finds few is short, and has a next. */
const LOOK_AT_ONCE = 1_000
const LOOK_AT_MOST = 5_000

/** A page in order of id, and where to go on; null at the end. */
export type StatusPage = { records: StatusRecord[]; after: string | null }

/** The commitments wanted after an id, in order of id, at most `limit`; fewer where it would have to look at too many. */
export async function readPage(
  db: Queryable,
  moment: Moment,
  wanted: Wanted,
  { after, limit }: { after: string; limit: number },
): Promise<StatusPage> {
  const { all, numbers } = await findMemberships(db, moment.register, wanted)
  const where = conditions(wanted, numbers)
  const records: StatusRecord[] = []
  let last = after
  for (let looked = 0; looked < LOOK_AT_MOST; looked += LOOK_AT_ONCE) {
    const left = limit - records.length
    const ids = sql`select id from period where register = ${moment.register}
      and generation = ${LIVE(moment.register)} and is_first and id > ${last}
      order by id limit ${LOOK_AT_ONCE}`
    const { rows } = await sql<Row>`${select(moment, ids, where)} order by f.id limit ${left + 1}`.execute(db)
    records.push(...rows.slice(0, left).map((row) => record(row, moment, all)))
    if (rows.length > left) return { records, after: records.at(-1)?.id ?? last }
    const end = await lastLookedAt(db, moment.register, last)
    if (end === null) return { records, after: null }
    last = end
  }
  return { records, after: last }
}

/** The last commitment of a full look after an id; null where there are no more. */
async function lastLookedAt(db: Queryable, register: string, after: string): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`select id from period
    where register = ${register} and generation = ${LIVE(register)} and is_first and id > ${after} order by id offset ${LOOK_AT_ONCE - 1} limit 1`.execute(
    db,
  )
  return rows[0]?.id ?? null
}

/** From which day on a commitment is known, null where it never is, and all that it belongs to from then on. */
type Belonging = { knownFrom: Day | null; memberships: Membership[] }

/** What is known at a size of these commitments, whatever the day; those that never were are left out. */
export async function readBelongings(
  db: Queryable,
  { register, size }: Pick<Moment, 'register' | 'size'>,
  ids: readonly string[],
): Promise<Map<string, Belonging>> {
  const memberships = await readMemberships(db, register)
  const { rows } = await sql<{ id: string; known_from: Day | null; numbers: number[] }>`select distinct on (id) id,
      days[1] as known_from, memberships as numbers
    from period where register = ${register} and generation = ${LIVE(register)} and id = any(${[...ids]}::text[])
      and known_from <= ${size} order by id, period.known_from desc`.execute(db)
  const belongingsOf = (numbers: readonly number[]) => numbers.map((number) => memberships[number] as Membership)
  return new Map(
    rows.map((row) => [row.id, { knownFrom: row.known_from, memberships: belongingsOf([...new Set(row.numbers)]) }]),
  )
}

/** A commitment's periods as known at a size, as far as a timeline needs them; empty where it is not known. */
export async function readTimeline(
  db: Queryable,
  { register, size }: Pick<Moment, 'register' | 'size'>,
  id: string,
): Promise<Pick<Period, 'from' | 'to' | 'begunBy' | 'code' | 'uncertain'>[]> {
  const row = await db
    .selectFrom('period')
    .select(['days', 'codes', 'begun_by', 'numbers'])
    .where('register', '=', register)
    .where('generation', '=', LIVE(register))
    .where('id', '=', id)
    .where('known_from', '<=', size)
    .orderBy('known_from', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (!row) return []
  return row.days.map((from, index) => ({
    from,
    to: row.days[index + 1] ?? null,
    begunBy: row.begun_by[index] ?? null,
    // Safe: the arrays of a row are of one length, flags are never null.
    code: row.codes[index] as number,
    uncertain: ((row.numbers[index * NUMBERS + NUMBERS - 1] as number) & UNCERTAIN) !== 0,
  }))
}

/** A commitment's status on one day in one version of its timeline; null where it is not known by that version. */
export type StatusVersion = {
  knownFrom: number
  status: (Countable & { uncertain: boolean }) | null
  programme: string | null
}

type VersionRow = {
  id: string
  known_from: number
  code: number | null
  membership: number | null
  flags: number | null
}

/**
 * The versions of commitments as of a day between two sizes, by id. They are the version that holds at `from` (if
 * there is one) and all that became known after it, up to `size`, in order.
 */
export async function readStatusVersions(
  db: Queryable,
  { register, asOf, size }: Moment,
  from: number,
  ids: readonly string[],
): Promise<Map<string, StatusVersion[]>> {
  const memberships = await readMemberships(db, register)
  const { rows } = await sql<VersionRow>`
    select id, known_from, codes[slot] as code, memberships[slot] as membership, numbers[slot * ${NUMBERS}::int] as flags
    from (select id, known_from, codes, memberships, numbers, width_bucket(${asOf}::integer, days) as slot from period p
      where register = ${register} and generation = ${LIVE(register)} and id = any(${[...ids]}::text[])
        and known_from <= ${size}
        and known_from >= coalesce((select max(known_from) from period earlier
          where earlier.register = p.register and earlier.generation = p.generation and earlier.id = p.id and earlier.known_from <= ${from}), 0)) p
    order by id, known_from`.execute(db)
  const versions = new Map<string, StatusVersion[]>()
  for (const { id, known_from, code, membership, flags } of rows) {
    const status = code === null ? null : { ...decodeStatus(code), uncertain: ((flags as number) & UNCERTAIN) !== 0 }
    const programme = membership === null ? null : (memberships[membership]?.programme ?? null)
    const version = { knownFrom: known_from, status, programme }
    const known = versions.get(id)
    if (known) known.push(version)
    else versions.set(id, [version])
  }
  return versions
}

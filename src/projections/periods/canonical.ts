// The projection `periods`, as its digest takes it in: every row that a size knows, in order of id and size, as one line of
// canonical JSON. Memberships stand there by what they say: their numbers depend on who came first. The same lines can be had
// of the log, by the same fold.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Membership, Period } from '../../domain/commitment/timeline.ts'
import type { Knowledge } from '../../domain/repairs.ts'
import { readToFold, streamsAfter } from '../../eventlog/streams.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import type { OnProgress, RegisterBuild } from '../core/projection.ts'
import { unpackedChanges } from './changes.ts'
import { contentHash, readMemberships } from './memberships.ts'
import { type TallyChange, type TimelineVersion, tallyChanges, timelineVersions } from './project.ts'
import { numbersOf } from './table.ts'

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
  { register, generation }: RegisterBuild,
  size: number,
  after: { id: string; knownFrom: number },
): Promise<Row[]> {
  const { rows } =
    await sql<Row>`select id, known_from, is_first, days, codes, memberships, begun_by, numbers, changes from period
    where register = ${register} and generation = ${generation} and (id, known_from) > (${after.id}, ${after.knownFrom})
      and known_from <= ${size} order by id, known_from limit ${ROWS_AT_ONCE}`.execute(db)
  return rows
}

/** What a line says: a row with its memberships by number, and what it changes in the tallies. */
type Said = Pick<TimelineVersion, 'id' | 'knownFrom' | 'isFirst'> & {
  days: number[]
  codes: number[]
  memberships: number[]
  begunBy: (number | null)[]
  numbers: (number | null)[]
  changes: TallyChange[]
}

function line({ memberships, changes, ...said }: Said, all: readonly Membership[]): string {
  // A number without a membership says nothing, and is told as it is.
  const contentOf = (number: number) => all[number] ?? number
  const inOrder = changes
    .map(({ membership, ...change }) => canonicalJson({ ...change, membership: contentOf(membership) }))
    // They are stored in order of the numbers of memberships.
    .sort()
  return canonicalJson({ ...said, memberships: memberships.map(contentOf), changes: inOrder })
}

function saidByRow({ known_from: knownFrom, is_first: isFirst, begun_by: begunBy, changes, ...row }: Row): Said {
  return { ...row, knownFrom, isFirst, begunBy, changes: unpackedChanges(changes) }
}

/** The rows of a build that a size knows as canonical JSON, in order of id and of the size that began each, some at a time. */
export async function* canonicalPeriods(db: Queryable, place: RegisterBuild, size: number): AsyncGenerator<string[]> {
  const memberships = await readMemberships(db, place.register)
  for (let after = { id: '', knownFrom: 0 }; ; ) {
    const rows = await page(db, place, size, after)
    yield rows.map((row) => line(saidByRow(row), memberships))
    const last = rows.at(-1)
    if (!last || rows.length < ROWS_AT_ONCE) return
    after = { id: last.id, knownFrom: last.known_from }
  }
}

const STREAMS_AT_ONCE = 100

/** Gives memberships numbers of their own, by what they say. */
class OwnNumbers {
  readonly all: Membership[] = []
  readonly #byHash = new Map<string, number>()
  readonly #known = new Map<Membership, number>()

  of = ({ membership }: Period): number => {
    const known = this.#known.get(membership)
    if (known !== undefined) return known
    const hash = contentHash(membership)
    const number = this.#byHash.get(hash) ?? this.all.push(membership) - 1
    this.#byHash.set(hash, number)
    this.#known.set(membership, number)
    return number
  }
}

function foldedLine(version: TimelineVersion, numbers: OwnNumbers): string {
  const { id, knownFrom, isFirst, periods } = version
  const said = {
    id,
    knownFrom,
    isFirst,
    days: periods.map(({ from }) => from),
    codes: periods.map(({ code }) => code),
    memberships: periods.map(numbers.of),
    begunBy: periods.map(({ begunBy }) => begunBy),
    numbers: periods.flatMap(numbersOf),
    changes: tallyChanges(version, numbers.of),
  }
  return line(said, numbers.all)
}

/** What the rows are to be where the log ends at a size: the same lines, folded from the log. `zones` as timelineVersions has them. */
export async function* canonicalPeriodsAt(
  db: Queryable,
  register: string,
  { size, zones, onProgress }: { size: number; zones: readonly Knowledge[]; onProgress?: OnProgress | undefined },
): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const streams = await streamsAfter(db, { register, after, size, limit: STREAMS_AT_ONCE })
    const events = await readToFold(db, register, streams, size)
    const byStream = Map.groupBy(events, ({ stream }) => stream)
    const numbers = new OwnNumbers()
    yield streams.flatMap((stream) =>
      timelineVersions(stream, byStream.get(stream) ?? [], { from: 0, size, zones }).map((version) =>
        foldedLine(version, numbers),
      ),
    )
    onProgress?.(events.length)
    const last = streams.at(-1)
    if (!last || streams.length < STREAMS_AT_ONCE) return
    after = last
  }
}

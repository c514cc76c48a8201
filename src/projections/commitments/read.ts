// The projection `commitments`, its questions: the commitments of a register at (asOf, knownAt). Stored rows answer where
// they are neither too new nor too old for the question; the other streams are folded from the log, by the same fold.

import { sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Queryable } from '../../database/pool.ts'
import type { Tables } from '../../database/tables.ts'
import type { Lifecycle, Verification } from '../../domain/axes.ts'
import type { Described } from '../../domain/commitment/answer.ts'
import type { StatusDates } from '../../domain/commitment/status.ts'
import type { StoredEvent } from '../../domain/event.ts'
import { readStreams, streamsSince } from '../../eventlog/streams.ts'
import { type Day, dayOf, dayOrNull, formatDay } from '../../kernel/plain-date.ts'
import { liveBuild, liveBuilds, liveGeneration } from '../core/live.ts'
import { perDatabase } from '../core/per-database.ts'
import { progressRow } from '../core/progress.ts'
import { type CommitmentRow, projectAt, type StoredStates, searchText, statesOf } from './project.ts'

/** The two clocks of a question, resolved, and the time zone of the register as known then. */
export type CommitmentsQuestion = { register: string; asOf: Day; size: number; timeZone: string }

/** A commitment reduced to what filters, sorts and figures need. */
export type CommitmentRecord = {
  id: string
  title: string
  programme: string | null
  themes: string[]
  parties: string[]
  revision: number
  rebaselines: number
  forecastPushes: number
  dates: StatusDates
  /** The latest effective day of any of its facts. */
  lastOn: Day
  /** There where it was folded for this question; a stored row is read when an answer needs it. */
  folded: CommitmentRow | null
}

const COMPACT = [
  'id',
  'title',
  'programme',
  'themes',
  'parties',
  'revision',
  'rebaselines',
  'forecast_pushes',
  'lifecycle',
  'verification',
  'made_on',
  'original_due_on',
  'current_due_on',
  'forecast_on',
  'finished_on',
  'last_on',
] as const

type CompactRow = Pick<Tables['commitment'], (typeof COMPACT)[number]>

function storedRecord(row: CompactRow): CommitmentRecord {
  return {
    id: row.id,
    title: row.title,
    programme: row.programme,
    themes: row.themes,
    parties: row.parties,
    revision: row.revision,
    rebaselines: row.rebaselines,
    forecastPushes: row.forecast_pushes,
    dates: {
      // Safe: written from values of these types.
      lifecycle: row.lifecycle as Lifecycle,
      verification: row.verification as Verification,
      madeOn: dayOf(row.made_on),
      originalDueOn: dayOrNull(row.original_due_on),
      currentDueOn: dayOrNull(row.current_due_on),
      forecastOn: dayOrNull(row.forecast_on),
      finishedOn: dayOrNull(row.finished_on),
    },
    lastOn: dayOf(row.last_on),
    folded: null,
  }
}

function foldedRecord(row: CommitmentRow): CommitmentRecord {
  const { latest } = row.states
  return {
    id: row.id,
    title: latest.title,
    programme: latest.programme,
    themes: latest.themes,
    parties: latest.parties,
    revision: row.revision,
    rebaselines: Math.max(0, latest.baselines.length - 1),
    forecastPushes: latest.forecastPushes,
    dates: row.dates,
    lastOn: latest.lastOn,
    folded: row,
  }
}

const STREAMS_AT_ONCE = 500

/** Folds commitments from the log as of a day, known at a size; those that are not known or not made by then are left out. */
async function foldCommitments(
  db: Queryable,
  { register, asOf, size, timeZone }: CommitmentsQuestion,
  ids: readonly string[],
): Promise<CommitmentRow[]> {
  const rows: CommitmentRow[] = []
  for (let first = 0; first < ids.length; first += STREAMS_AT_ONCE) {
    const events = await readStreams(db, register, ids.slice(first, first + STREAMS_AT_ONCE), size)
    const streams: Map<string, StoredEvent[]> = Map.groupBy(events, (event) => event.stream)
    for (const [id, stream] of streams) {
      const row = projectAt(id, stream, { size, timeZone }, asOf)
      if (row) rows.push(row)
    }
  }
  return rows
}

/** The rows of a register as they stood when the projection had read `size` events, dated in `timeZone`; of which build. */
type Snapshot = { size: number; build: string | null; timeZone: string | null; records: readonly CommitmentRecord[] }

/** The rows of a register with the progress that they belong to, in one statement and so at one moment. */
async function readSnapshot(db: Queryable, register: string): Promise<Snapshot> {
  const rows = await db
    .selectFrom(progressRow(register, 'commitments').as('progress'))
    .leftJoin('commitment', (join) =>
      join
        .onRef('commitment.register', '=', 'progress.register')
        .on('commitment.generation', '=', liveGeneration(register, 'commitments')),
    )
    .select(['progress.size as reached', 'progress.time_zone as dated_in'])
    .select(liveBuild(register, 'commitments').as('build'))
    .select(COMPACT.map((column) => `commitment.${column}` as const))
    .execute()
  const [first] = rows
  // Safe: a row of the outer join that has an id is a whole row of the table.
  const records = rows.filter((row) => row.id !== null).map((row) => storedRecord(row as CompactRow))
  const timeZone = first?.dated_in ?? null
  return { size: first?.reached ?? 0, build: first?.build ?? null, timeZone, records }
}

const MAX_KEPT_RECORDS = 50_000

/**
 * The latest snapshots of each database, the least recently used first. The rows at a size never change, so a snapshot
 * is good while the projection stands at that size, on the same build. Dashboards that poll then cost one small row.
 */
const memory = perDatabase(
  () =>
    new LRUCache<string, Snapshot>({
      maxSize: MAX_KEPT_RECORDS,
      sizeCalculation: ({ records }) => Math.max(1, records.length),
    }),
)

/** Whether the projection stands where the rows of a snapshot belong. */
async function isOfNow(db: Queryable, register: string, { size, build }: Snapshot): Promise<boolean> {
  const { commitments: live } = await liveBuilds(db, register)
  return (live?.size ?? 0) === size && (live?.build ?? null) === build
}

async function currentSnapshot(db: Queryable, register: string): Promise<Snapshot> {
  const snapshots = memory(db)
  const known = snapshots.get(register)
  if (known && (await isOfNow(db, register, known))) return known
  const snapshot = await readSnapshot(db, register)
  snapshots.set(register, snapshot)
  return snapshot
}

/** The streams that a question must fold: those whose row is too new for it, and those that have grown past its size. */
async function streamsToFold(db: Queryable, question: CommitmentsQuestion, snapshot: Snapshot): Promise<Set<string>> {
  const { register, asOf, size, timeZone } = question
  // Rows that were dated in another time zone than the question knows say nothing about its days.
  if (snapshot.timeZone !== timeZone) return new Set(await streamsSince(db, register, 0))
  const grown = snapshot.size === size ? [] : await streamsSince(db, register, Math.min(size, snapshot.size))
  const tooNew = snapshot.records.filter((record) => record.lastOn > asOf).map((record) => record.id)
  return new Set([...grown, ...tooNew])
}

/** Every commitment that is known and made by then, in no particular order. */
export async function readCommitments(
  db: Queryable,
  question: CommitmentsQuestion,
): Promise<readonly CommitmentRecord[]> {
  const snapshot = await currentSnapshot(db, question.register)
  const toFold = await streamsToFold(db, question, snapshot)
  if (toFold.size === 0) return snapshot.records
  const stored = snapshot.records.filter((record) => !toFold.has(record.id))
  const folded = await foldCommitments(db, question, [...toFold])
  return [...stored, ...folded.map(foldedRecord)]
}

/** What names a commitment whose state is wanted; folded where it was folded for the same question already. */
export type CommitmentRef = { id: string; folded?: CommitmentRow | null }

/** The commitments as answers need them, in the same order; those not known at the question are left out. */
export async function readStates(
  db: Queryable,
  question: CommitmentsQuestion,
  named: readonly CommitmentRef[],
): Promise<Described[]> {
  const ids = named.filter(({ folded }) => !folded).map(({ id }) => id)
  const stored = new Map((await readStored(db, question, ids)).map((row) => [row.id, row]))
  const others = await foldCommitments(
    db,
    question,
    ids.filter((id) => !stored.has(id)),
  )
  const folded = new Map(others.map((row) => [row.id, row]))
  return named.flatMap((one) => {
    const row = one.folded ?? folded.get(one.id)
    if (row) return [{ id: row.id, revision: row.revision, redacted: row.redacted, states: row.states }]
    const kept = stored.get(one.id)
    // Safe: written from values of this type by the same version of the fold, as the progress says.
    return kept ? [{ ...kept, states: statesOf(kept.states as StoredStates) }] : []
  })
}

/** The rows that answer for a question: neither grown past its size, nor by facts after its day, nor dated otherwise. */
async function readStored(
  db: Queryable,
  { register, asOf, size, timeZone }: CommitmentsQuestion,
  ids: readonly string[],
) {
  if (ids.length === 0) return []
  return db
    .selectFrom('commitment')
    .innerJoin(progressRow(register, 'commitments').as('progress'), 'progress.register', 'commitment.register')
    .select(['id', 'revision', 'redacted', 'states'])
    .where('commitment.register', '=', register)
    .where('commitment.generation', '=', liveGeneration(register, 'commitments'))
    .where('id', '=', (eb) => eb.fn.any(eb.val([...ids])))
    .where('last_position', '<', size)
    .where('last_on', '<=', formatDay(asOf))
    .where('progress.size', '>=', size)
    .where('time_zone', '=', timeZone)
    .execute()
}

/** Which of the records a text search finds: every word, from its beginning, in id, title, description or themes. */
export async function searchCommitments(
  db: Queryable,
  register: string,
  records: readonly CommitmentRecord[],
  text: string,
): Promise<Set<string>> {
  const folded = records.flatMap(({ folded }) => (folded ? [{ id: folded.id, search: searchText(folded) }] : []))
  const { rows } = await sql<{ id: string }>`with query as (
      select to_tsquery('simple', string_agg(quote_literal(lexeme) || ':*', ' & ')) as words
      from unnest(to_tsvector('simple', ${text})))
    select id from commitment, query where register = ${register}
      and generation = ${liveGeneration(register, 'commitments')} and search @@ words
      and not (id = any(${folded.map(({ id }) => id)}::text[]))
    union all
    select id from json_to_recordset(${JSON.stringify(folded)}::json) as folded (id text, search text), query
      where to_tsvector('simple', search) @@ words`.execute(db)
  return new Set(rows.map((row) => row.id))
}

// The projection `commitments`, its questions: the commitments of a register at (asOf, knownAt). Stored rows answer where
// they are neither too new nor too old for the question; the other streams are folded from the log, by the same fold.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Tables } from '../../database/tables.ts'
import type { Described } from '../../domain/commitment/answer.ts'
import type { Lifecycle, States } from '../../domain/commitment/state.ts'
import type { StoredEvent } from '../../domain/event.ts'
import type { Standing, Verification } from '../../domain/portfolio/status.ts'
import { streamsSince } from '../../eventlog/feed.ts'
import { loadStreams } from '../../eventlog/load.ts'
import { type Day, dayOf, dayOrNull, formatDay } from '../../kernel/plain-date.ts'
import { type CommitmentRow, projectAt, searchText } from './project.ts'

/** The two clocks of a question, resolved; `rowsAreDated` false where the stored rows are dated in another time zone. */
export type Question = { register: string; asOf: Day; size: number; timeZone: string }

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
  isRedacted: boolean
  standing: Standing
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

type CompactRow = Pick<Tables['commitment'], (typeof COMPACT)[number]> & { is_redacted: boolean }

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
    isRedacted: row.is_redacted,
    standing: {
      // Safe: written from values of these types.
      lifecycle: row.lifecycle as Lifecycle,
      verification: row.verification as Verification,
      madeOn: dayOf(row.made_on),
      originalDueOn: dayOrNull(row.original_due_on),
      currentDueOn: dayOrNull(row.current_due_on),
      forecastOn: dayOrNull(row.forecast_on),
      finishedOn: dayOrNull(row.finished_on),
      lastOn: dayOf(row.last_on),
    },
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
    isRedacted: row.redacted.length > 0,
    standing: row.standing,
    folded: row,
  }
}

const STREAMS_AT_ONCE = 500

/** Folds commitments from the log as of a day, known at a size; those that are not known or not made by then are left out. */
async function foldCommitments(
  db: Queryable,
  { register, asOf, size, timeZone }: Question,
  ids: readonly string[],
): Promise<CommitmentRow[]> {
  const rows: CommitmentRow[] = []
  for (let first = 0; first < ids.length; first += STREAMS_AT_ONCE) {
    const events = await loadStreams(db, register, ids.slice(first, first + STREAMS_AT_ONCE), size)
    const streams: Map<string, StoredEvent[]> = Map.groupBy(events, (event) => event.stream)
    for (const [id, stream] of streams) {
      const row = projectAt(id, stream, { size, timeZone }, asOf)
      if (row) rows.push(row)
    }
  }
  return rows
}

async function readRows(db: Queryable, { register, asOf, size }: Question): Promise<CommitmentRecord[]> {
  const rows = await db
    .selectFrom('commitment')
    .select(COMPACT)
    .select(sql<boolean>`cardinality(redacted) > 0`.as('is_redacted'))
    .where('register', '=', register)
    .where('last_position', '<', size)
    .where('last_on', '<=', formatDay(asOf))
    .execute()
  return rows.map(storedRecord)
}

async function idsFrom(db: Queryable, { register, asOf }: Question): Promise<string[]> {
  const rows = await db
    .selectFrom('commitment')
    .select('id')
    .where('register', '=', register)
    .where('last_on', '>', formatDay(asOf))
    .execute()
  return rows.map((row) => row.id)
}

/** True where the stored rows were dated in the time zone that the question knows. */
async function areRowsDatedAlike(db: Queryable, { register, timeZone }: Question): Promise<boolean> {
  const row = await db
    .selectFrom('checkpoint')
    .select('time_zone')
    .where('register', '=', register)
    .where('projection', '=', 'commitments')
    .executeTakeFirst()
  return row?.time_zone === timeZone
}

/** Every commitment that is known and made by then, in no particular order. */
export async function readCommitments(db: Queryable, question: Question): Promise<CommitmentRecord[]> {
  const isDatedAlike = await areRowsDatedAlike(db, question)
  const stored = isDatedAlike ? await readRows(db, question) : []
  const touched = isDatedAlike
    ? [...(await idsFrom(db, question)), ...(await streamsSince(db, question.register, question.size))]
    : await streamsSince(db, question.register, 0)
  if (touched.length === 0) return stored
  const ids = new Set(touched)
  // A stream that grew while this was read is folded; its row may be of either side of the growth.
  const folded = await foldCommitments(db, question, [...ids])
  return [...stored.filter((record) => !ids.has(record.id)), ...folded.map(foldedRecord)]
}

/** The records as answers need them, in the same order: the states of stored rows are read now. */
export async function readStates(
  db: Queryable,
  question: Question,
  records: readonly CommitmentRecord[],
): Promise<Described[]> {
  const ids = records.filter((record) => !record.folded).map((record) => record.id)
  const rows = await db
    .selectFrom('commitment')
    .select(['id', 'revision', 'redacted', 'states', 'last_position'])
    .where('register', '=', question.register)
    .where('id', '=', (eb) => eb.fn.any(eb.val(ids)))
    // A row that has grown since it was listed answers for a later size: it is folded below.
    .where('last_position', '<', question.size)
    .execute()
  const stored = new Map(rows.map((row) => [row.id, row]))
  const overtaken = ids.filter((id) => !stored.has(id))
  const folded = new Map((await foldCommitments(db, question, overtaken)).map((row) => [row.id, row]))
  return records.flatMap((record) => {
    const row = record.folded ?? folded.get(record.id) ?? stored.get(record.id)
    // Safe: written from values of this type by the same version of the fold, as the checkpoint says.
    return row ? [{ id: row.id, revision: row.revision, redacted: row.redacted, states: row.states as States }] : []
  })
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
    select id from commitment, query where register = ${register} and search @@ words
      and not (id = any(${folded.map(({ id }) => id)}::text[]))
    union all
    select id from json_to_recordset(${JSON.stringify(folded)}::json) as folded (id text, search text), query
      where to_tsvector('simple', search) @@ words`.execute(db)
  return new Set(rows.map((row) => row.id))
}

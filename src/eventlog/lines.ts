// The feed as text: each event as one line of JSON, the very text that `answerEvent` would be serialized to. Bodies come from
// the database as the text they are stored as and go on unparsed: to parse and to serialize them again costs more than all
// the rest of reading. (That the database joins the line costs more than that this process does.)

import { CompiledQuery } from 'kysely'
import type { Queryable } from '../database/pool.ts'

export type LineQuery = {
  register: string
  /** Events after this position; -1 is from the first. */
  after: number
  /** Up to and with this position. */
  until: number
  streams?: readonly string[]
  types?: readonly string[]
}

/** An event as a line, without its end. */
export type EventLine = { position: number; stream: string; type: string; json: string }

export type Lines = {
  lines: EventLine[]
  /** Everything that was asked for up to and with this position is among the lines. */
  through: number
}

const PAGE = 1_000
/** Bytes of bodies as they are stored, compressed where they are long: a page of the largest events is still a small one. */
const PAGE_BYTES = 512 * 1024
/** How many positions one statement looks at: where few are selected it would otherwise run for as long as the log is. */
const SPAN = 50_000

type Row = {
  position: number
  id: string
  stream: string
  revision: number
  type: string
  type_version: number
  recorded_s: number
  recorded_by: string
  occurred_on: string | null
  data: string | null
  citations: string | null
  salt: string | null
  body_hash: string
}

const COLUMNS =
  'position, id, stream, revision, type, type_version, recorded_at, recorded_by, occurred_on, data, citations, salt, body_hash'

/** The statement of a page, with the conditions that are there. */
function pageText(conditions: string): string {
  return `select position, id, stream, revision, type, type_version, date_part('epoch', recorded_at) as recorded_s,
    recorded_by, occurred_on, data::text, citations::text, encode(salt, 'base64') as salt,
    encode(body_hash, 'base64') as body_hash
  from (
    select page.*, sum(coalesce(pg_column_size(data), 0) + coalesce(pg_column_size(citations), 0))
      over (rows between unbounded preceding and 1 preceding) as bytes_before
    from (
      select ${COLUMNS} from event
      where register = $1 and position > $2 and position <= $3${conditions}
      order by position limit ${PAGE}
    ) page
  ) measured
  where coalesce(bytes_before, 0) < ${PAGE_BYTES} order by position`
}

/** JSON holds line ends only between its parts, where a space is as good; what this service stores has none at all. */
function oneLine(json: string | null): string {
  if (json === null) return 'null'
  return json.includes('\n') || json.includes('\r') ? json.replaceAll(/[\r\n]+/g, ' ') : json
}

function textOrNull(text: string | null): string {
  return text === null ? 'null' : `"${text}"`
}

/** The lines of rows. Everything that is put between quotes is of an alphabet without quotes, backslashes and line ends. */
function linesOf(rows: readonly Row[]): EventLine[] {
  // A batch is recorded at one instant.
  let seconds = Number.NaN
  let recordedAt = ''
  return rows.map((row) => {
    const { position, stream, type } = row
    if (row.recorded_s !== seconds) {
      seconds = row.recorded_s
      recordedAt = new Date(Math.round(seconds * 1_000)).toISOString()
    }
    const json =
      `{"position":${position},"id":"${row.id}","stream":"${stream}","revision":${row.revision},"type":"${type}",` +
      `"typeVersion":${row.type_version},"recordedAt":"${recordedAt}","recordedBy":"${row.recorded_by}",` +
      `"occurredOn":${textOrNull(row.occurred_on)},"data":${oneLine(row.data)},"citations":${oneLine(row.citations)},` +
      `"salt":${textOrNull(row.salt)},"bodyHash":"${row.body_hash}"}`
    return { position, stream, type, json }
  })
}

/**
 * A page of lines in order of position: as many as one statement should read, perhaps none. `through` says from where to go
 * on; it is always after `after`.
 */
export async function readLines(
  db: Queryable,
  { register, after, until, streams = [], types = [] }: LineQuery,
): Promise<Lines> {
  const upTo = Math.min(until, after + SPAN)
  const values: unknown[] = [register, after, upTo]
  const oneOf = (column: string, list: readonly string[]) =>
    list.length > 0 ? ` and ${column} = any($${values.push(list)}::text[])` : ''
  const text = pageText(oneOf('stream', streams) + oneOf('type', types))
  const { rows } = await db.executeQuery<Row>(CompiledQuery.raw(text, values))
  // Fewer than a whole page may have been cut by bytes: only where there are none is it known that there are no more.
  return { lines: linesOf(rows), through: rows.at(-1)?.position ?? upTo }
}

/** Reads a page; whoever reads many at once may hold some back. */
export type ReadPage = (query: LineQuery) => Promise<Lines>

/**
 * Every line of a selection, page after page, in constant memory: the next page is read while one is used, and no transaction
 * is open meanwhile. Who ends the iteration ends the reading.
 */
export async function* streamLines(read: ReadPage, query: LineQuery): AsyncGenerator<EventLine[]> {
  let next: Promise<Lines> | null = query.after < query.until ? read(query) : null
  while (next !== null) {
    const { lines, through }: Lines = await next
    next = through < query.until ? read({ ...query, after: through }) : null
    // Told where it is awaited, if it still is.
    next?.catch(() => {})
    if (lines.length > 0) yield lines
  }
}

/** The lines as NDJSON. */
export function ndjson(lines: readonly EventLine[]): string {
  let text = ''
  for (const { json } of lines) text += `${json}\n`
  return text
}

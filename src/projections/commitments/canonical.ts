// The projection `commitments`, as its digest takes it in: every row in order of id, as one line of canonical JSON. Rows hold
// the newest state alone; as of an earlier size the log is folded, by the same fold.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Knowledge } from '../../domain/repairs.ts'
import { readStreams, streamsAfter } from '../../eventlog/streams.ts'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { jsonRow } from '../core/columns.ts'
import type { OnProgress, RegisterBuild } from '../core/projection.ts'
import { project, searchText } from './project.ts'
import { COMMITMENT_COLUMNS } from './table.ts'

const ROWS_AT_ONCE = 200

/** Neither whose rows they are nor which build they are of: what two builds say is the same. */
const SAID = Object.entries(COMMITMENT_COLUMNS).map(([name, { type }]) =>
  type === 'tsvector' ? `${name}::text as ${name}` : name,
)

async function page(db: Queryable, { register, generation }: RegisterBuild, after: string) {
  const { rows } = await sql<{ id: string }>`select ${sql.raw(SAID.join(', '))} from commitment
    where register = ${register} and generation = ${generation} and id > ${after}
    order by id limit ${ROWS_AT_ONCE}`.execute(db)
  return rows
}

/** The rows of a build as canonical JSON, in order of id, some at a time. */
export async function* canonicalCommitments(db: Queryable, place: RegisterBuild): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const rows = await page(db, place, after)
    yield rows.map((row) => canonicalJson(row))
    const last = rows.at(-1)
    if (!last || rows.length < ROWS_AT_ONCE) return
    after = last.id
  }
}

/** The words that a search would find in texts, as the database keeps them. */
async function searchWords(db: Queryable, texts: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ words: string }>`select to_tsvector('simple', text)::text as words
    from unnest(${[...texts]}::text[]) with ordinality t (text, place) order by place`.execute(db)
  return rows.map(({ words }) => words)
}

/** What the rows were when the log ended at a size: the same lines, folded from the log. */
export async function* canonicalCommitmentsAt(
  db: Queryable,
  register: string,
  knowledge: Knowledge,
  onProgress?: OnProgress,
): AsyncGenerator<string[]> {
  const { size } = knowledge
  for (let after = ''; ; ) {
    const streams = await streamsAfter(db, { register, after, size, limit: ROWS_AT_ONCE })
    const loaded = await readStreams(db, register, streams, size)
    const events = Map.groupBy(loaded, ({ stream }) => stream)
    const rows = streams.flatMap((stream) => project(stream, events.get(stream) ?? [], knowledge) ?? [])
    const words = await searchWords(db, rows.map(searchText))
    yield rows.map((row, index) => canonicalJson({ ...jsonRow(COMMITMENT_COLUMNS, row), search: words[index] }))
    onProgress?.(loaded.length)
    const last = streams.at(-1)
    if (!last || streams.length < ROWS_AT_ONCE) return
    after = last
  }
}

// The columns of projected rows: each is named and typed once, with how a row gives its value. Both ways of writing follow from
// that, INSERT of a JSON list here and COPY in replay/copy.ts, and so does what a digest takes in. Knows types, and nothing of
// what rows mean.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import type { Tables } from '../../database/tables.ts'
import { dayText } from '../../kernel/plain-date.ts'
import { type RegisterBuild, TABLES } from './projection.ts'
import type { ProjectionName } from './versions.ts'

/** The types of columns that rows are made of. */
type ColumnTypes = {
  text: string
  /** What becomes JSON. */
  json: unknown
  boolean: boolean
  smallint: number
  integer: number
  bigint: number
  /** Days since 1970-01-01. */
  date: number
  bytea: Uint8Array
  'text[]': readonly string[]
  'smallint[]': readonly number[]
  'integer[]': readonly (number | null)[]
  'bigint[]': readonly (number | null)[]
  /** The text of which the server makes words. */
  tsvector: string
}

export type ColumnType = keyof ColumnTypes

/** The type of a column, and how a row gives its value. */
export type Column<Row> = {
  [Type in ColumnType]: { type: Type; value: (row: Row) => ColumnTypes[Type] | null }
}[ColumnType]

type Named<Projection extends ProjectionName> = Exclude<
  keyof Tables[(typeof TABLES)[Projection]],
  'register' | 'generation'
>

/** Every column of a projection's table, but for those that say whose rows they are. */
export type Columns<Projection extends ProjectionName, Row> = Record<Named<Projection>, Column<Row>>

/** A value as JSON holds it for `json_to_recordset`. */
function jsonValue<Row>(column: Column<Row>, row: Row): unknown {
  if (column.type === 'date') return dayText(column.value(row))
  if (column.type === 'bytea') return Buffer.from(column.value(row) ?? []).toString('hex')
  return column.value(row)
}

/** The values of a row by column: days as text, bytes as hexadecimal digits, and the text to search as it is. */
export function jsonRow<Projection extends ProjectionName, Row>(
  columns: Columns<Projection, Row>,
  row: Row,
): Record<Named<Projection>, unknown> {
  const values = Object.entries<Column<Row>>(columns).map(([name, column]) => [name, jsonValue(column, row)])
  // Safe: the names are those of the columns.
  return Object.fromEntries(values) as Record<Named<Projection>, unknown>
}

/** How JSON holds a type that it does not know, and how the server makes the column of it. */
const AS_TEXT: Partial<Record<ColumnType, (name: string) => string>> = {
  bytea: (name) => `decode(${name}, 'hex')`,
  tsvector: (name) => `to_tsvector('simple', ${name})`,
}

function statementParts<Row>(columns: Record<string, Column<Row>>) {
  const all = Object.entries(columns).map(([name, { type }]) => ({ name, type, made: AS_TEXT[type] }))
  return {
    names: all.map(({ name }) => name).join(', '),
    values: all.map(({ name, made }) => made?.(name) ?? name).join(', '),
    typed: all.map(({ name, type, made }) => `${name} ${made ? 'text' : type}`).join(', '),
    excluded: all.map(({ name }) => `${name} = excluded.${name}`).join(', '),
  }
}

/** Inserts rows into a build; `key` are the columns by which a row that is there already is replaced. */
export async function insertRows<Projection extends ProjectionName, Row>(
  db: Queryable,
  projection: Projection,
  { register, generation }: RegisterBuild,
  columns: Columns<Projection, Row>,
  rows: readonly Row[],
  key: readonly Named<Projection>[] = [],
): Promise<void> {
  if (rows.length === 0) return
  const { names, values, typed, excluded } = statementParts<Row>(columns)
  const replaced = `on conflict (register, generation, ${key.join(', ')}) do update set ${excluded}`
  await sql`insert into ${sql.table(TABLES[projection])} (register, generation, ${sql.raw(names)})
    select ${register}, ${generation}::bigint, ${sql.raw(values)}
    from json_to_recordset(${JSON.stringify(rows.map((row) => jsonRow(columns, row)))}::json) as row (${sql.raw(typed)})
    ${sql.raw(key.length === 0 ? '' : replaced)}`.execute(db)
}

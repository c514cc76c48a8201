// Writing many rows by COPY in PostgreSQL's binary format. Values go to the wire without becoming text that the server
// would have to parse. Knows types, and nothing of the meaning of rows.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import pgCopy from 'pg-copy-streams'
import type { Column, ColumnType } from '../core/columns.ts'
import type { RegisterBuild } from '../core/projection.ts'

/** A column with its name. */
type CopyColumn<Row> = Column<Row> & { name: string }

/**
 * The columns of rows of a build as COPY takes them. Text to search is written as it is, to a column that the table has while it
 * is being filled (tables.ts).
 */
export function copyColumns<Row>(
  { register, generation }: RegisterBuild,
  columns: Record<string, Column<Row>>,
): CopyColumn<Row>[] {
  return [
    { name: 'register', type: 'text', value: () => register },
    { name: 'generation', type: 'bigint', value: () => generation },
    ...Object.entries(columns).map(([name, column]) => ({
      ...column,
      name: column.type === 'tsvector' ? `${name}_text` : name,
    })),
  ]
}

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const DAYS_TO_2000 = 10_957
const OIDS = { text: 25, smallint: 21, integer: 23, bigint: 20 }
const FIRST_BYTES = 2 ** 20
const CHUNK_BYTES = 2 ** 18

/** A buffer that grows as values are put into it. */
class Growing {
  bytes = Buffer.allocUnsafe(FIRST_BYTES)
  length = 0

  /** Makes room for so many bytes more. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + more))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  int16(value: number): void {
    this.length = this.bytes.writeInt16BE(value, this.length)
  }

  int32(value: number): void {
    this.length = this.bytes.writeInt32BE(value, this.length)
  }

  int64(value: number): void {
    this.int32(Math.floor(value / 2 ** 32))
    this.length = this.bytes.writeUInt32BE(value >>> 0, this.length)
  }

  /** Text behind its length in bytes. */
  text(value: string): void {
    // A UTF-16 unit takes three bytes at most.
    this.reserve(4 + value.length * 3)
    const written = this.bytes.write(value, this.length + 4)
    this.int32(written)
    this.length += written
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length)
    this.bytes.set(value, this.length)
    this.length += value.length
  }
}

type Scalar = 'smallint' | 'integer' | 'bigint'
const WIDTHS: Record<Scalar, number> = { smallint: 2, integer: 4, bigint: 8 }

function putNumber(to: Growing, type: Scalar, value: number): void {
  to.int32(WIDTHS[type])
  if (type === 'smallint') to.int16(value)
  else if (type === 'integer') to.int32(value)
  else to.int64(value)
}

/** The head of an array: dimensions, whether a member is null, the type of the members, their number, the first index. */
function beginArray(to: Growing, oid: number, members: readonly unknown[]): number {
  const start = to.length
  to.length += 4
  to.int32(members.length === 0 ? 0 : 1)
  to.int32(members.includes(null) ? 1 : 0)
  to.int32(oid)
  if (members.length > 0) {
    to.int32(members.length)
    to.int32(1)
  }
  return start
}

function endArray(to: Growing, start: number): void {
  to.bytes.writeInt32BE(to.length - start - 4, start)
}

function putNumbers(to: Growing, type: Scalar, values: readonly (number | null)[]): void {
  to.reserve(24 + values.length * (4 + WIDTHS[type]))
  const start = beginArray(to, OIDS[type], values)
  for (const value of values) {
    if (value === null) to.int32(-1)
    else putNumber(to, type, value)
  }
  endArray(to, start)
}

function putTexts(to: Growing, values: readonly string[]): void {
  to.reserve(24)
  const start = beginArray(to, OIDS.text, values)
  for (const value of values) to.text(value)
  endArray(to, start)
}

function putBytes(to: Growing, value: Uint8Array): void {
  to.reserve(4)
  to.int32(value.length)
  to.raw(value)
}

function put<Row>(to: Growing, column: Column<Row>, row: Row): void {
  to.reserve(16)
  const value = column.value(row)
  if (value === null) to.int32(-1)
  else PUT[column.type](to, value)
}

/** How a value of each type is put. Safe casts: a column's value is of its type. */
const PUT: Record<ColumnType, (to: Growing, value: unknown) => void> = {
  text: (to, value) => to.text(value as string),
  json: (to, value) => to.text(JSON.stringify(value)),
  tsvector: (to, value) => to.text(value as string),
  boolean: (to, value) => {
    to.int32(1)
    to.bytes[to.length++] = value ? 1 : 0
  },
  smallint: (to, value) => putNumber(to, 'smallint', value as number),
  integer: (to, value) => putNumber(to, 'integer', value as number),
  bigint: (to, value) => putNumber(to, 'bigint', value as number),
  date: (to, value) => putNumber(to, 'integer', (value as number) - DAYS_TO_2000),
  bytea: (to, value) => putBytes(to, value as Uint8Array),
  'text[]': (to, value) => putTexts(to, value as readonly string[]),
  'smallint[]': (to, value) => putNumbers(to, 'smallint', value as readonly number[]),
  'integer[]': (to, value) => putNumbers(to, 'integer', value as readonly (number | null)[]),
  'bigint[]': (to, value) => putNumbers(to, 'bigint', value as readonly (number | null)[]),
}

/** Collects rows of a table in the binary format. */
export class CopyRows<Row> {
  readonly #columns: readonly CopyColumn<Row>[]
  readonly #to = new Growing()
  #rows = 0

  constructor(columns: readonly CopyColumn<Row>[]) {
    this.#columns = columns
    this.#to.raw(SIGNATURE)
  }

  add(row: Row): void {
    this.#to.reserve(2)
    this.#to.int16(this.#columns.length)
    for (const column of this.#columns) put(this.#to, column, row)
    this.#rows += 1
  }

  /** Writes the rows to a table, whose name is safe to stand in a statement, and begins anew. */
  async flush(client: pg.Client, table: string): Promise<void> {
    if (this.#rows === 0) return
    this.#to.reserve(2)
    this.#to.int16(-1)
    const names = this.#columns.map(({ name }) => name).join(', ')
    const copy = client.query(pgCopy.from(`copy ${table} (${names}) from stdin (format binary)`))
    await pipeline(Readable.from(chunks(this.#to.bytes.subarray(0, this.#to.length))), copy)
    this.#to.length = SIGNATURE.length
    this.#rows = 0
  }
}

/** In pieces: as one the whole would be copied once more on its way to the socket. */
function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
}

// The record of reads: who read which register, with which filter. A read is answered once its record is durable;
// concurrent reads share a write.

import { sql } from 'kysely'
import type { Database } from '../database/pool.ts'

type Read = {
  register: string
  /** null: somebody without credentials. */
  caller: string | null
  method: string
  /** The resource, as the description of the API names it. */
  route: string
  /** Path and query. */
  address: string
  /** Milliseconds since the epoch. */
  readAt: number
}

/** Records a read; resolves once it is kept. */
export type RecordRead = (read: Read) => Promise<void>

async function write(db: Database, reads: readonly Read[]): Promise<void> {
  const column = (of: (read: Read) => string | null) => reads.map(of)
  await sql`insert into read_record (register, read_at, caller, method, route, address)
    select * from unnest(${column(({ register }) => register)}::text[],
      ${column(({ readAt }) => new Date(readAt).toISOString())}::timestamptz[],
      ${column(({ caller }) => caller)}::text[], ${column(({ method }) => method)}::text[],
      ${column(({ route }) => route)}::text[],
      ${column(({ address }) => address)}::text[])`.execute(db)
}

/** The record of reads of a database. */
export function createReadRecord(db: Database): RecordRead {
  let waiting: Read[] = []
  let next: Promise<void> | null = null
  let last: Promise<unknown> = Promise.resolve()
  return (read) => {
    waiting.push(read)
    // What comes while a write is under way goes with the next one.
    next ??= last.then(() => {
      const reads = waiting
      waiting = []
      next = null
      const written = write(db, reads)
      last = written.catch(() => {})
      return written
    })
    return next
  }
}

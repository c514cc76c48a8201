// What must hold after a storm, read from the database itself: everything acknowledged is in the log once and where it was
// said to be, the log is whole, and every projection is what a fold from scratch makes of it.

import { isDeepStrictEqual } from 'node:util'
import { sql } from 'kysely'
import type { Database } from '../../src/database/pool.ts'
import type { StoredEvent } from '../../src/domain/event.ts'
import { streamFeed } from '../../src/eventlog/feed.ts'
import { dayOf } from '../../src/kernel/plain-date.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { catchUp } from '../../src/projections/core/advance.ts'
import { createRegisters } from '../../src/registers/registers.ts'
import { createOracle } from '../support/oracle.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { withoutLinks } from '../support/random-logs.ts'
import { digests } from '../support/raw-log.ts'
import type { Acknowledged } from './crew.ts'
import type { Sender } from './send.ts'
import { requestOf, type Story } from './story.ts'

/** A register's whole log, and what its row says of it. */
export type Log = { register: string; events: StoredEvent[]; head: { size: number; at: number; ownRevision: number } }

export async function readLog(db: Database, register: string): Promise<Log> {
  const row = await db.selectFrom('register').selectAll().where('register', '=', register).executeTakeFirstOrThrow()
  const head = { size: row.size, at: row.last_recorded_at?.getTime() ?? 0, ownRevision: row.own_revision }
  const events = await Array.fromAsync(streamFeed(db, { register, after: -1, until: Number.MAX_SAFE_INTEGER }))
  return { register, events, head }
}

/** What is wrong with a log in itself. */
export function logProblems({ register, events, head }: Log): string[] {
  const problems: string[] = []
  const revisions = new Map<string, number>()
  const ids = new Set<string>()
  let before = 0
  for (const [index, { position, id, stream, revision, recordedAt }] of events.entries()) {
    const at = `${register} ${position}`
    const expected = (revisions.get(stream) ?? 0) + 1
    if (position !== index) problems.push(`${at}: position ${index} is missing`)
    if (revision !== expected) problems.push(`${at}: revision ${revision} of ${stream} where ${expected} comes next`)
    if (recordedAt < before) problems.push(`${at}: recorded ${before - recordedAt} ms before the one before it`)
    if (ids.has(id)) problems.push(`${at}: id ${id} is there twice`)
    revisions.set(stream, revision)
    ids.add(id)
    before = recordedAt
  }
  const said = { size: events.length, at: before, ownRevision: revisions.get('$register') ?? 0 }
  if (!isDeepStrictEqual(head, said))
    problems.push(`${register}: the row says ${JSON.stringify(head)}, the log ${JSON.stringify(said)}`)
  return problems
}

export type Told = { book: readonly Acknowledged[]; story: Omit<Story, 'writer'>; withKeys: boolean }

/** What was acknowledged and is not in the log as it was acknowledged and sent, or is there more than once. */
export function bookProblems({ register, events }: Log, { book, story, withKeys }: Told): string[] {
  const problems: string[] = []
  const claimed = new Map<number, string>()
  for (const { writer, step, register: of, size, events: places } of book) {
    if (of !== register) continue
    const sent = requestOf({ ...story, writer }, step, withKeys).events
    if (places.length !== sent.length) problems.push(`writer ${writer}, step ${step}: ${places.length} acknowledged`)
    for (const [index, place] of places.entries()) {
      const name = `writer ${writer}, step ${step}, event ${index}`
      const stored = events[place.position]
      const wanted = sent[index]
      const { id = place.id, stream, type, data } = wanted ?? {}
      if (place.position >= size) problems.push(`${name}: position ${place.position} beyond size ${size}`)
      if (claimed.has(place.position))
        problems.push(`${name}: acknowledged at the place of ${claimed.get(place.position)}`)
      claimed.set(place.position, name)
      const said = { id, revision: place.revision, at: place.recordedAt, stream, type }
      const found = stored && {
        id: stored.id,
        revision: stored.revision,
        at: new Date(stored.recordedAt).toISOString(),
        stream: stored.stream,
        type: stored.type,
      }
      if (!isDeepStrictEqual(said, found)) problems.push(`${name}: ${JSON.stringify(said)} is ${JSON.stringify(found)}`)
      else if (!holds(stored?.data, data)) problems.push(`${name}: other content at ${place.position}`)
    }
  }
  return problems
}

/** Whether what is stored is what was sent, defaults filled in. */
function holds(stored: unknown, sent: Record<string, unknown> = {}): boolean {
  // Safe: data is an object.
  const found = (stored ?? {}) as Record<string, unknown>
  return Object.entries(sent).every(([name, value]) => isDeepStrictEqual(found[name], value))
}

/** What of the log nobody was told of: writers try until they are, so whatever is there besides is there twice. */
export function strangers({ register, events }: Log, { book }: Told, opened: number): string[] {
  const told = new Set(book.flatMap((entry) => (entry.register === register ? entry.events.map(({ id }) => id) : [])))
  return events
    .slice(opened)
    .filter(({ id }) => !told.has(id))
    .map(({ position, type, stream, id }) => `${register} ${position}: nobody was told of ${type} ${id} in ${stream}`)
}

/** Waits until every projection has read all of a register; what has not by then. */
export async function lagging(db: Database, register: string, size: number): Promise<string[]> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const rows = await db.selectFrom('projection_progress').selectAll().where('register', '=', register).execute()
    const behind = PROJECTIONS.filter(({ name }) => rows.find((row) => row.projection === name)?.size !== size)
    if (behind.length === 0) return []
    if (performance.now() > until)
      return behind.map(({ name }) => `${name} of ${register} has not reached ${size}: ${JSON.stringify(rows)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Copies the log to a register of its own, folds it from scratch, and names the tables whose rows differ. */
export async function projectionProblems(db: Database, { register, events }: Log): Promise<string[]> {
  const copy = `${register}-again`
  await sql`insert into event select ${copy}, position, id, stream, revision, type, type_version, recorded_at, recorded_by,
    occurred_on, data, citations, salt, body_hash, leaf from event where register = ${register}`.execute(db)
  await sql`insert into register (register, size, last_recorded_at, own_revision)
    select ${copy}, size, last_recorded_at, own_revision from register where register = ${register}`.execute(db)
  // A dictionary: which number a membership got is up to who came first.
  await sql`insert into membership (register, number, programme, themes, parties, hash)
    select ${copy}, number, programme, themes, parties, hash from membership where register = ${register}`.execute(db)
  await sql`insert into membership_count select ${copy}, count from membership_count where register = ${register}`.execute(
    db,
  )
  for (const projection of PROJECTIONS) await catchUp(db, createRegisters(), projection, copy)
  const [live, again] = [await digests(db, register), await digests(db, copy)]
  if (events.length > 0 && !live.commitment?.rows) return [`${register} has no rows`]
  return isDeepStrictEqual(live, again)
    ? []
    : [`${register}: rows differ from a fold from scratch: ${JSON.stringify(live)}, ${JSON.stringify(again)}`]
}

const ASKED: [day: string, share: number][] = [
  ['2025-12-31', 1],
  ['2025-07-01', 1],
  ['2025-07-01', 0.5],
]

/** Summaries at several clocks that are not what the slow way makes of the log. */
export async function answerProblems({ register, events }: Log, address: string, { send }: Sender): Promise<string[]> {
  const oracle = createOracle(register, events)
  const problems: string[] = []
  for (const [day, share] of ASKED) {
    const size = Math.round(events.length * share)
    const path = `/v1/registers/${register}/summary?asOf=${day}&knownAt=${size}&groupBy=programme,theme,party`
    const answer = await send(address, { path })
    const wanted = JSON.parse(JSON.stringify(oracle.summary(dayOf(day), size, [], ['programme', 'theme', 'party'])))
    if (!isDeepStrictEqual(withoutLinks(answer?.body ?? null), wanted))
      problems.push(`${path} is not what the log says`)
  }
  return problems
}

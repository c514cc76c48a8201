// Random logs of whole registers, and the way to put them into a database as they are: nothing is admitted, so that every
// order is there that a later rule might forbid, and content is already erased where it is to be.

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { sql } from 'kysely'
import type { Database } from '../../src/database/pool.ts'
import { REGISTER_STREAM, type StoredEvent } from '../../src/domain/event.ts'
import { formatDay } from '../../src/kernel/plain-date.ts'
import { VERSIONS } from '../../src/projections/core/versions.ts'
import { anyLog, type Draft, fact, idAt, opened, redactedAt } from './events.ts'

const COMMITMENTS = Array.from({ length: 20 }, (_, index) => `c${index + 1}`)
/** `r` is never defined, nor is party `C`. */
export const PROGRAMMES = ['p', 'q', 'r']
export const THEMES = ['tariffs', 'energy', 'Zölle']
export const PARTIES = ['A', 'B', 'C']
const ZONES = ['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Europe/Minsk']

const FIRST_DAY = 17_897 // 2019-01-01
/** A date of day, month or year precision. */
const anyDate = fc
  .tuple(fc.integer({ min: FIRST_DAY, max: FIRST_DAY + 3_000 }), fc.constantFrom(4, 7, 10, 10))
  .map(([day, length]) => formatDay(day).slice(0, length))

/** A fact that moves figures, and the same type's data as a correction would put it. */
type Lively = { type: string; data: Record<string, unknown>; other: Record<string, unknown> }
const lively: fc.Arbitrary<Lively> = fc.oneof(
  fc
    .constantFrom('DeliveryReported', 'DeliveryReported', 'DeliveryVerified', 'DeliveryDisputed')
    .map((type) => ({ type, data: {}, other: {} })),
  fc
    .tuple(anyDate, anyDate)
    .map(([due, other]) => ({ type: 'CommitmentRebaselined', data: { due }, other: { due: other } })),
  fc
    .tuple(anyDate, anyDate)
    .map(([finish, other]) => ({ type: 'ForecastReported', data: { finish }, other: { finish: other } })),
)

/** Types of which a random log holds more than its figures need: they stand still, or end everything. */
const DULL = [
  'MilestoneSet',
  'MilestoneMet',
  'ProgressReported',
  'StatusReaffirmed',
  'AssessmentRecorded',
  'CommitmentWithdrawn',
  'CommitmentSuperseded',
  'CommitmentNotDelivered',
]

/** What a random event is given besides what `anyLog` gives it. */
type Belonging = {
  programme: string | null
  themes: string[]
  parties: string[]
  /** Takes the place of a dull event. */
  lively: Lively | null
  /** It is said to have happened when the event before it in its stream did: facts of one day act in order of position. */
  isSameDay: boolean
  isRedacted: boolean
}

const belonging: fc.Arbitrary<Belonging> = fc.record({
  programme: fc.option(fc.constantFrom(...PROGRAMMES)),
  // The same theme or party twice is a list like any other.
  themes: fc.array(fc.constantFrom(...THEMES), { maxLength: 3 }),
  parties: fc.array(fc.constantFrom(...PARTIES), { maxLength: 3 }),
  lively: fc.option(lively, { freq: 5 }),
  isSameDay: fc.constantFrom(false, false, true),
  isRedacted: fc.integer({ min: 0, max: 99 }).map((one) => one === 99),
})

/** Data of a promise or an amendment with what it belongs to; of anything else as it is. */
function belongs(type: string | undefined, data: unknown, belonging: Belonging): unknown {
  const { programme, themes, parties } = belonging
  const { programme: _, themes: __, parties: ___, ...given } = data as Record<string, unknown>
  if (type === 'CommitmentMade') return { ...given, ...(programme === null ? {} : { programme }), themes, parties }
  if (type !== 'CommitmentAmended') return data
  // One of the lists stays as it was: an amendment rarely gives all.
  return { ...given, programme, ...(themes.length > 1 ? { themes } : { parties: parties.length > 0 ? parties : null }) }
}

function enlivened(event: StoredEvent, { lively }: Belonging): StoredEvent {
  if (lively === null || !DULL.includes(event.type)) return event
  const { type, data } = lively
  const reason = type === 'CommitmentRebaselined' || type === 'DeliveryDisputed' ? { reason: 'a reason' } : {}
  return { ...event, type, data: { ...data, ...reason } }
}

/** The events, some of them on the day of the one before in their stream. */
function gathered(events: readonly StoredEvent[], belongings: readonly Belonging[]): StoredEvent[] {
  const before = new Map<string, string | null>()
  return events.map((event, index) => {
    const { isSameDay } = belongings[index % belongings.length] as Belonging
    const occurredOn = (isSameDay && before.get(event.stream)) || event.occurredOn
    before.set(event.stream, occurredOn)
    return { ...event, occurredOn }
  })
}

/** The events with what belongs to them; corrections of what was replaced correct what is there now. */
function placed(events: readonly StoredEvent[], belongings: readonly Belonging[]): StoredEvent[] {
  const ownOf = (index: number) => belongings[index % belongings.length] as Belonging
  const facts = events.map((event, index) => enlivened(event, ownOf(index)))
  const places = new Map(facts.map(({ id }, index) => [id, index]))
  return facts.map((event, index) => {
    if (event.type !== 'EventCorrected') return { ...event, data: belongs(event.type, event.data, ownOf(index)) }
    const correction = event.data as { event: string; data?: unknown }
    const place = places.get(correction.event) as number
    const target = facts[place] as StoredEvent
    if (correction.data === undefined) return event
    const isReplaced = target.type !== events[place]?.type
    const data = isReplaced ? { ...(target.data as object), ...ownOf(place).lively?.other } : correction.data
    return { ...event, data: { ...correction, data: belongs(target.type, data, ownOf(index)) } }
  })
}

// The stream of the register itself.

type OwnChange = { at: number; occurredOn: string; kind: (typeof OWN_KINDS)[number]; pick: number; scope: number }
const OWN_KINDS = ['programme', 'party', 'source', 'figure', 'zone', 'correct', 'retract'] as const

const ownChange: fc.Arbitrary<OwnChange> = fc.record({
  at: fc.nat({ max: 300 }),
  occurredOn: anyDate,
  kind: fc.constantFrom('programme', 'programme', ...OWN_KINDS),
  pick: fc.nat({ max: 1_000 }),
  scope: fc.constantFrom(0, 2.5, 7, 310),
})

const OPENED = opened('2019-01-01', { parties: [{ id: 'A', name: 'Party A' }], timeZone: 'UTC' })

function ownDraft({ occurredOn, kind, pick, scope }: OwnChange, own: readonly StoredEvent[]): Draft {
  const some = <T>(values: readonly T[]) => values[pick % values.length] as T
  const title = some(['one', 'two', 'three'])
  // The opening stands first and is never retracted; where there is nothing else, retracting nothing does no harm.
  const other = own.length > 1 ? (own[1 + (pick % (own.length - 1))] as StoredEvent) : null
  switch (kind) {
    case 'programme': {
      const reported = pick % 3 === 0 ? {} : { scope: { value: scope, unit: 'measures' } }
      return fact('ProgrammeDefined', occurredOn, { programme: some(['p', 'q']), title, ...reported })
    }
    case 'party':
      return fact('PartyAdded', occurredOn, { id: some(['A', 'B']), name: title })
    case 'source':
      return fact('SourceAdded', occurredOn, { source: some(['a', 'b']), title })
    case 'figure':
      return fact('FigureReported', occurredOn, { metric: 'delivered', value: pick, of: 310 })
    case 'zone': {
      const data = { ...OPENED.data, timeZone: some(ZONES) }
      return fact('EventCorrected', occurredOn, { event: own[0]?.id, data, reason: 'the zone was wrong' })
    }
    case 'correct':
      if (other === null || other.type.startsWith('Event'))
        return fact('PartyAdded', occurredOn, { id: 'B', name: title })
      return fact('EventCorrected', occurredOn, { event: other.id, occurredOn, reason: 'the day was wrong' })
    case 'retract':
      return fact('EventRetracted', occurredOn, { event: other?.id ?? idAt(999_999), reason: 'never happened' })
  }
}

const OPENED_AT = Date.parse('2021-01-01T12:00:00.000Z')
const BEGINS_AT = Date.parse('2021-06-01T00:00:00.000Z')
/** `anyLog` lets weeks pass between two events; three hundred of them are to fit into the years that they speak of. */
const TIMES_FASTER = 7

function built(commitments: readonly StoredEvent[], changes: readonly OwnChange[]): StoredEvent[] {
  const own: StoredEvent[] = []
  const log: StoredEvent[] = []
  const append = (event: StoredEvent) => log.push({ ...event, position: log.length })
  const appendOwn = (draft: Draft, recordedAt: number) => {
    const [position, revision] = [log.length, own.length + 1]
    const place = { position, id: idAt(1_000_000 + revision), stream: REGISTER_STREAM, revision, typeVersion: 1 }
    const { type, occurredOn, data, citations } = draft
    const kept = { salt: new Uint8Array(32), bodyHash: new Uint8Array(32) }
    const event = { ...place, type, occurredOn, data, citations, recordedAt, recordedBy: 'local', ...kept }
    own.push(event)
    append(event)
  }
  appendOwn(OPENED, OPENED_AT)
  for (const [index, event] of [...commitments, null].entries()) {
    const due = changes.filter(({ at }) => (event ? at === index : at >= index))
    for (const change of due) appendOwn(ownDraft(change, own), log.at(-1)?.recordedAt ?? OPENED_AT)
    if (!event) continue
    const recordedAt = BEGINS_AT + Math.floor((event.recordedAt - BEGINS_AT) / TIMES_FASTER)
    append({ ...event, recordedAt })
  }
  return log
}

/** The log of a register with at most `most` events: twenty commitments, and what the register itself defines. */
export function anyRawLog(most = 300): fc.Arbitrary<StoredEvent[]> {
  const ofTheRegister = Math.min(20, Math.floor(most / 4))
  return fc
    .tuple(
      anyLog(COMMITMENTS, most - ofTheRegister - 1),
      fc.array(belonging, { minLength: 37, maxLength: 37 }),
      fc.array(ownChange, { maxLength: ofTheRegister, size: 'max' }),
    )
    .map(([events, belongings, changes]) => {
      const isErased = (event: StoredEvent, index: number) =>
        event.stream !== REGISTER_STREAM && belongings[index % belongings.length]?.isRedacted
      const log = built(gathered(placed(events, belongings), belongings), changes)
      return redactedAt(
        log,
        log.filter(isErased).map(({ position }) => position),
      )
    })
}

/** Puts these events at the end of a register's log exactly as they are, with their instants; opens it where need be. */
export async function insertRaw(db: Database, register: string, events: readonly StoredEvent[]): Promise<void> {
  const rows = events.map(({ recordedAt, salt, bodyHash: _, ...event }) => ({
    ...event,
    recordedAt: new Date(recordedAt).toISOString(),
    isRedacted: salt === null,
  }))
  const last = rows.at(-1)
  if (!last) return
  const own = events.filter(({ stream }) => stream === REGISTER_STREAM).length
  const erased = rows.filter(({ isRedacted }) => isRedacted).length
  await sql`with inserted as (
      insert into event (register, position, id, stream, revision, type, type_version, recorded_at, recorded_by,
        occurred_on, data, citations, salt, body_hash, leaf)
      select ${register}, position, id, stream, revision, type, "typeVersion", "recordedAt", "recordedBy",
        "occurredOn", data, citations, case when "isRedacted" then null else ''::bytea end, '', ''
      from json_to_recordset(${JSON.stringify(rows)}::json) as event (position bigint, id uuid, stream text,
        revision integer, type text, "typeVersion" smallint, "recordedAt" timestamptz, "recordedBy" text,
        "occurredOn" text, data json, citations json, "isRedacted" boolean))
    insert into register (register, size, last_recorded_at, own_revision, redactions)
    values (${register}, ${last.position + 1}, ${last.recordedAt}::timestamptz, ${own}, ${erased})
    on conflict (register) do update set size = excluded.size, last_recorded_at = excluded.last_recorded_at,
      own_revision = register.own_revision + excluded.own_revision,
      redactions = register.redactions + excluded.redactions`.execute(db)
}

/** The tables that hold what projections made of the log, and whose they are. */
const PROJECTED = { commitment: 'commitments', period: 'periods', tally: 'tallies' } as const

type Column = { name: string; type: string; key: number | null }

async function columnsOf(db: Database, table: string): Promise<Column[]> {
  const { rows } = await sql<Column>`select a.attname as name, format_type(a.atttypid, a.atttypmod) as type,
      array_position(i.indkey::smallint[], a.attnum) as key
    from pg_attribute a left join pg_index i on i.indrelid = a.attrelid and i.indisprimary
    where a.attrelid = to_regclass(${table}) and a.attnum > 0 and not a.attisdropped and a.attname not in ('register', 'generation')
    order by a.attname`.execute(db)
  return rows
}

/**
 * Each table that projections write, with the SHA-256 of the register's live rows as text, in the order of their primary key;
 * of the fold's `versions`.
 */
export async function digests(
  db: Database,
  register: string,
  versions: Record<string, number> = VERSIONS,
): Promise<Record<string, { rows: number; sha256: string }>> {
  const found: Record<string, { rows: number; sha256: string }> = {}
  for (const [table, projection] of Object.entries(PROJECTED)) {
    const columns = await columnsOf(db, table)
    if (columns.length === 0) continue
    const values = columns.map(({ name, type }) =>
      // The order of members is not part of what JSON says.
      type === 'json' ? sql`${sql.ref(name)}::jsonb::text` : sql`${sql.ref(name)}::text`,
    )
    const keys = columns.filter(({ key }) => key !== null).sort((a, b) => Number(a.key) - Number(b.key))
    const order = keys.map(({ name }) => sql.ref(name))
    const { rows } = await sql<{ row: (string | null)[] }>`select array[${sql.join(values)}] as row
      from ${sql.table(table)} where register = ${register} and generation = (select generation from projection_progress
        where register = ${register} and projection = ${projection} and version = ${versions[projection]}) order by ${sql.join(order)}`.execute(
      db,
    )
    const hash = createHash('sha256')
    for (const { row } of rows) hash.update(`${JSON.stringify(row)}\n`)
    found[table] = { rows: rows.length, sha256: hash.digest('hex') }
  }
  return found
}

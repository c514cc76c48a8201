// Redaction erases the content of an event for good, and records an event that says so and why. Log, rows and keys lose the
// content in one transaction that holds the register's row, so nobody sees one without the other.

import { randomUUIDv7 } from 'node:crypto'
import type { Database, Queryable } from '../database/pool.ts'
import { REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { registerAt } from '../domain/register/state.ts'
import { withoutContent } from '../domain/repairs.ts'
import { append, lockRegister } from '../eventlog/append.ts'
import { readEvent, readEventsAt } from '../eventlog/events.ts'
import { forgetFingerprints, KeyTakenError, keepKeys, type RecordingKey } from '../eventlog/keys.ts'
import { redactContent } from '../eventlog/redact.ts'
import { readStream } from '../eventlog/streams.ts'
import { dayInZone, formatDay } from '../kernel/plain-date.ts'
import { createRegisters, type KnownRegister } from '../registers/registers.ts'
import { timeZonesFrom } from '../registers/time-zones.ts'

/** Which event is redacted, and why. `now` is the service's clock, milliseconds since the epoch. */
export type RedactionRequest = {
  register: string
  position: number
  reason: string
  recordedBy: string
  now: number
  /** Kept with the redaction, in the same transaction. */
  key: RecordingKey | null
}

/** The rows that were folded from the log. They lose the content in the transaction in which the log does. */
export type FoldedRows = {
  /** Gives up rebuilding rows of the register where that was interrupted. */
  giveUpInterrupted: (db: Database, register: string) => Promise<void>
  /** Holds off replays of the register to the end of the transaction; false where one is under way. */
  holdOffReplays: (tx: Queryable, register: string) => Promise<boolean>
  /** Redacts the rows of a stream; `position` is the first whose content is gone. */
  redactRows: (tx: Queryable, known: KnownRegister, redacted: { stream: string; position: number }) => Promise<void>
}

export type Redaction =
  | { kind: 'recorded'; position: number; id: string; revision: number; recordedAt: number }
  | { kind: 'refused'; word: RedactionRefusal; detail: string }

type RedactionRefusal = 'unknown-register' | 'not-known' | 'not-retractable' | 'redacted' | 'in-flight'

function refuse(word: RedactionRefusal, detail: string): Redaction {
  return { kind: 'refused', word, detail }
}

/**
 * Redacts the event at a position and its corrections; durable when it returns. Gives up a replay that was interrupted, and
 * refuses with `in-flight` while one is under way. Throws KeyTakenError.
 */
export async function redact(db: Database, rows: FoldedRows, request: RedactionRequest): Promise<Redaction> {
  await rows.giveUpInterrupted(db, request.register)
  return db.transaction().execute(async (tx) => {
    if (!(await rows.holdOffReplays(tx, request.register))) {
      return refuse(
        'in-flight',
        'projections of the register are being replayed: redact when that is done, or cancel it',
      )
    }
    return redactIn(tx, rows, request)
  })
}

/** Redacts in a transaction that replays of the register wait for. */
async function redactIn(tx: Queryable, rows: FoldedRows, request: RedactionRequest): Promise<Redaction> {
  const { register, position } = request
  // Registers of its own: the cache of the process must not hold what this transaction may take back.
  const known = (await lockRegister(tx, register)) ? await createRegisters().read(tx, register) : null
  if (!known) return refuse('unknown-register', `there is no register ${register}`)
  const target = await readEvent(tx, register, position)
  if (!target) return refuse('not-known', `there is no event at position ${position}`)
  const refused = refusalOf(target, known)
  if (refused) return refused
  const recorded = await announce(tx, request, known, target)
  const redacted = await redactContent(tx, register, target.id)
  await redactKeys(tx, request, redacted, recorded)
  // Rows hold no definitions of the register, except the time zone, which cannot be redacted.
  if (target.stream !== REGISTER_STREAM) {
    await rows.redactRows(tx, known, { stream: target.stream, position: Math.min(...redacted) })
  }
  return recorded
}

/** Forgets the fingerprints of the redacted events, and keeps the key of the redaction. Throws KeyTakenError. */
async function redactKeys(
  tx: Queryable,
  { register, key, recordedBy, now }: RedactionRequest,
  redacted: readonly number[],
  recorded: Redaction,
): Promise<void> {
  const events = await readEventsAt(tx, register, redacted)
  await forgetFingerprints(
    tx,
    register,
    events.map(({ id }) => id),
  )
  const kept = key ? [{ key, recordedBy, outcomes: [recorded] }] : []
  if ((await keepKeys(tx, register, kept, now)).length > 0) throw new KeyTakenError()
}

function refusalOf(target: StoredEvent, known: KnownRegister): Redaction | null {
  const { type, position } = target
  if (type === 'RegisterOpened' || type === 'EventRedacted') {
    return refuse('not-retractable', `the content of ${type} cannot be erased`)
  }
  if (target.salt === null) return refuse('redacted', `the content of event ${position} has been erased already`)
  if (target.stream === REGISTER_STREAM && setsTimeZone(target, known)) {
    return refuse('not-retractable', 'it sets the time zone in which all facts of the register are dated')
  }
  return null
}

/** Whether the register would have, or have had, another time zone without this event. */
function setsTimeZone(target: StoredEvent, known: KnownRegister): boolean {
  const events = withoutContent(known.events, target.id)
  const left = { ...known, events, state: registerAt(events, Number.POSITIVE_INFINITY) }
  const zones = (of: KnownRegister) => JSON.stringify(timeZonesFrom(of, 0, of.events))
  return zones(left) !== zones(known)
}

/** Appends the EventRedacted. */
async function announce(
  tx: Queryable,
  { register, reason, recordedBy, now }: RedactionRequest,
  { head, state }: KnownRegister,
  { id: event, stream, revision: first }: StoredEvent,
): Promise<Extract<Redaction, { kind: 'recorded' }>> {
  const later = await readStream(tx, register, stream, first)
  const id = randomUUIDv7()
  const [outcome] = await append(tx, {
    register,
    open: false,
    now,
    ownRevision: head.ownRevision,
    events: [
      {
        group: 1,
        id,
        stream,
        type: 'EventRedacted',
        typeVersion: 1,
        recordedBy,
        occurredOn: formatDay(dayInZone(now, state.timeZone)),
        data: { event, reason },
        citations: [],
        seenRevision: later.at(-1)?.revision ?? first,
      },
    ],
  })
  if (outcome?.kind !== 'appended') throw new Error(`a redaction was not appended: ${outcome?.kind}`)
  const { position, revision, recordedAt } = outcome
  return { kind: 'recorded', position, id, revision, recordedAt }
}

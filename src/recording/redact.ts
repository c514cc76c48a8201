// Redaction: the content of an event is erased for good, and an event of its own says that it was, and why. Log, projections
// and what is kept of keys lose it in one transaction under the register's row: nobody sees one without the other.

import { randomUUIDv7 } from 'node:crypto'
import type { Database, Queryable } from '../database/pool.ts'
import { REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { registerAt } from '../domain/register/state.ts'
import { blanked } from '../domain/repairs.ts'
import { append, lockRegister } from '../eventlog/append.ts'
import { forgetFingerprints, KeyTakenError, keepKeys, type RecordingKey } from '../eventlog/keys.ts'
import { fetchEvent, loadAt, loadStream } from '../eventlog/load.ts'
import { eraseContent } from '../eventlog/redact.ts'
import { dayInZone, formatDay } from '../kernel/plain-date.ts'
import { timeZonesFrom } from '../projections/core/time-zones.ts'
import { redactFromRows } from '../projections/redact.ts'
import { cancelReplay } from '../projections/replay/end.ts'
import { holdOffReplays, unfinishedOperation } from '../projections/replay/operation.ts'
import { createRegisters, type KnownRegister } from '../registers/registers.ts'

/** What is to be erased, and why. `now` is the service's clock, milliseconds since the epoch. */
export type RedactionRequest = {
  register: string
  position: number
  reason: string
  recordedBy: string
  now: number
  /** Kept with the redaction, in the same transaction. */
  key: RecordingKey | null
  /** How many positions apart tallies are sealed, where not as the service seals them. */
  epoch?: number
}

export type Redaction =
  | { kind: 'recorded'; position: number; id: string; revision: number; recordedAt: number }
  | { kind: 'refused'; word: RedactionRefusal; detail: string }

type RedactionRefusal = 'unknown-register' | 'not-known' | 'not-retractable' | 'redacted' | 'in-flight'

function refuse(word: RedactionRefusal, detail: string): Redaction {
  return { kind: 'refused', word, detail }
}

/**
 * Erases the content of the event at a position, with its corrections, and records that; durable when it returns. A
 * replay that was interrupted is given up; while one is under way, refuses with `in-flight`. Throws KeyTakenError.
 */
export async function redact(db: Database, request: RedactionRequest): Promise<Redaction> {
  const unfinished = await unfinishedOperation(db)
  if (
    unfinished &&
    !unfinished.isOwned &&
    !unfinished.isPending &&
    [null, request.register].includes(unfinished.register)
  ) {
    await cancelReplay(db, unfinished.id)
  }
  return db.transaction().execute(async (tx) => {
    if (!(await holdOffReplays(tx, request.register))) {
      return refuse(
        'in-flight',
        'projections of the register are being replayed: redact when that is done, or cancel it',
      )
    }
    return redactIn(tx, request)
  })
}

async function redactIn(tx: Queryable, request: RedactionRequest): Promise<Redaction> {
  const { register, position, now, epoch } = request
  // Knowledge of its own: what this transaction sees is not true for others before it commits, if it does.
  const known = (await lockRegister(tx, register)) ? await createRegisters().read(tx, register) : null
  if (!known) return refuse('unknown-register', `there is no register ${register}`)
  const target = await fetchEvent(tx, register, position)
  if (!target) return refuse('not-known', `there is no event at position ${position}`)
  const refused = refusalOf(target, known)
  if (refused) return refused
  const recorded = await announce(tx, request, known, target)
  const erased = await eraseContent(tx, register, target.id)
  const ids = (await loadAt(tx, register, erased)).map(({ id }) => id)
  await forgetFingerprints(tx, register, ids)
  if (request.key) {
    const kept = { key: request.key, recordedBy: request.recordedBy, outcomes: [recorded] }
    if ((await keepKeys(tx, register, [kept], now)).length > 0) throw new KeyTakenError()
  }
  // Rows say nothing of what the register itself defines, but for its time zone, which stays.
  if (target.stream !== REGISTER_STREAM) {
    await redactFromRows(tx, known, { stream: target.stream, position: Math.min(...erased) }, epoch)
  }
  return recorded
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

/** Whether some knowledge of the register would date its facts in another time zone without an event. */
function setsTimeZone(target: StoredEvent, known: KnownRegister): boolean {
  const events = blanked(known.events, target.id)
  const left = { ...known, events, state: registerAt(events, Number.POSITIVE_INFINITY) }
  const zones = (of: KnownRegister) => JSON.stringify(timeZonesFrom(of, 0, of.events))
  return zones(left) !== zones(known)
}

/** Appends the event that says what is erased. */
async function announce(
  tx: Queryable,
  { register, reason, recordedBy, now }: RedactionRequest,
  { head, state }: KnownRegister,
  { id: event, stream, revision: first }: StoredEvent,
): Promise<Extract<Redaction, { kind: 'recorded' }>> {
  const later = await loadStream(tx, register, stream, first)
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

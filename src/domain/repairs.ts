// Events about the record itself, and the one place where they act: `knownFacts` turns stored events into the facts that
// hold at a given knowledge. Repairs work by knowledge alone; the folds never see them.

import { z } from 'zod'
import { BEFORE_ALL_DAYS, type DateRange, type Day, dateRangeOf, dayInZone } from '../kernel/plain-date.ts'
import { leastWhere } from '../kernel/search.ts'
import { type Citation, citation, type EventToFold } from './event.ts'
import type { EventEntry } from './event-entry.ts'
import { date, eventId, text } from './fields.ts'
import { currentVersion, upcast } from './retired-events.ts'

const pointer = { event: eventId, reason: text().meta({ description: 'Why, in words' }) }

export const REPAIR_EVENTS = {
  EventRetracted: {
    data: z.strictObject(pointer),
    acts: 'onceKnown',
    states: 'that an event was recorded in error',
    effect: '[as if it had not been](#retraction), once that is known',
    title: 'Retracted',
  },
  EventCorrected: {
    data: z
      .strictObject({
        ...pointer,
        occurredOn: date
          .optional()
          .meta({ description: 'The date that the fact should have, as precise as its source' }),
        data: z
          .record(z.string(), z.unknown())
          .optional()
          .meta({ description: 'All data that the fact should have, in the shape of its type' }),
        citations: z
          .array(citation)
          .max(100)
          .optional()
          .meta({ description: 'All citations that the fact should have' }),
      })
      .refine((data) => data.occurredOn !== undefined || data.data !== undefined || data.citations !== undefined, {
        error: 'expected at least one of occurredOn, data and citations',
      }),
    acts: 'onceKnown',
    states: 'that a fact was recorded wrongly',
    effect: '[read with these values](#correction), once that is known',
    title: 'Corrected',
  },
  EventRedacted: {
    data: z.strictObject(pointer),
    acts: 'onceKnown',
    states: 'that content was erased',
    effect: 'the content is [gone at every size](#redaction); operators only',
    title: 'Redacted',
  },
} as const satisfies Record<string, EventEntry>

export type RepairEventType = keyof typeof REPAIR_EVENTS

/** True for the types of events that are about the record and not about the world. */
export function isRepair(type: string): type is RepairEventType {
  return Object.hasOwn(REPAIR_EVENTS, type)
}

/** A fact as it is known: corrected, in the current shape of its type, with its days. */
export type Fact<Type extends string = string, Data = unknown> = {
  position: number
  id: string
  type: Type
  data: Data
  citations: Citation[]
  occurredOn: DateRange
  /** The effective day: the last day of `occurredOn` (the first, where it has no last), not after the day of recording. */
  on: Day
  /** The first day, an open start before all others, not after the day of recording. */
  firstOn: Day
}

/** What a fact says: the content of its event, with the corrections in force. */
export type Body = { occurredOn: string; data: unknown; citations: Citation[]; recordedAt: number }

/** What a repair points to; null for facts. */
export function repairTarget(event: Pick<EventToFold, 'type' | 'data' | 'position'>): string | null {
  if (!isRepair(event.type)) return null
  // Validated when it is recorded, and redaction leaves it: but an event may have come into the log behind the service's back.
  const target = (event.data as { event?: unknown } | null)?.event
  if (typeof target !== 'string') throw new UnreadableEventError(event, 'it does not say which event it repairs')
  return target
}

/** The ids of the events among these that a retraction in force takes back: repairs of repairs count, the newest first. */
export function retractedIds(events: readonly Pick<EventToFold, 'position' | 'id' | 'type' | 'data'>[]): Set<string> {
  const retracted = new Set<string>()
  // A repair is recorded after what it repairs, so from the newest to the oldest each is decided before it is needed.
  for (const event of events.toReversed()) {
    if (event.type === 'EventRetracted' && !retracted.has(event.id)) retracted.add(repairTarget(event) as string)
  }
  return retracted
}

/** The events as the redaction of one of them leaves them: it goes with its corrections, and what a repair points to stays. */
export function withoutContent<Event extends EventToFold>(events: readonly Event[], id: string): Event[] {
  return events.map((event) => {
    const isCorrection = event.type === 'EventCorrected' && repairTarget(event) === id
    if (event.id !== id && !isCorrection) return event
    const target = repairTarget(event)
    return { ...event, occurredOn: null, data: target === null ? null : { event: target }, citations: null, salt: null }
  })
}

/** True for facts and corrections whose content is gone, at every size. What else a repair says is no part of any answer. */
function isLost({ type, salt }: Pick<EventToFold, 'type' | 'salt'>): boolean {
  return salt === null && (!isRepair(type) || type === 'EventCorrected')
}

/** The positions of redacted facts and corrections among these events. */
export function redactedPositions(events: readonly Pick<EventToFold, 'position' | 'type' | 'salt'>[]): number[] {
  return events.filter(isLost).map((event) => event.position)
}

/**
 * An event whose content was erased; `factType` is that of the fact which it said something of, its own or what it
 * corrects.
 */
export type RedactedEvent = { position: number; id: string; stream: string; type: string; factType: string }

/** What was erased of these events, which are those of whole streams. */
export function redactedAmong(events: readonly EventToFold[]): RedactedEvent[] {
  const types = new Map(events.map(({ id, type }) => [id, type]))
  return events.filter(isLost).map((event) => {
    const { position, id, stream, type } = event
    return { position, id, stream, type, factType: types.get(repairTarget(event) ?? id) ?? type }
  })
}

/** Whether an event still does something: one that was erased says nothing any longer, but takes back what it took back. */
export function isInForce({ id, type, salt }: EventToFold, retracted: ReadonlySet<string>): boolean {
  return !retracted.has(id) && (salt !== null || type === 'EventRetracted')
}

/** The bodies of the facts among these events by id, the retracted ones too, with the corrections that are in force. */
export function correctedBodies(events: readonly EventToFold[], retracted: ReadonlySet<string>): Map<string, Body> {
  const bodies = new Map<string, Body>()
  for (const event of events) {
    if (event.occurredOn === null || event.citations === null) continue
    if (event.type === 'EventCorrected') {
      if (!retracted.has(event.id)) correct(bodies, event)
    } else if (!isRepair(event.type)) {
      const { occurredOn, data, citations, recordedAt } = event
      bodies.set(event.id, { occurredOn, data, citations, recordedAt })
    }
  }
  return bodies
}

function correct(bodies: Map<string, Body>, correction: EventToFold): void {
  // Safe: admission has parsed the correction with the schema above and its data with that of the target's type.
  const { event, occurredOn, data, citations } = correction.data as z.output<typeof REPAIR_EVENTS.EventCorrected.data>
  const body = bodies.get(event)
  if (!body) return
  bodies.set(event, {
    occurredOn: occurredOn ?? body.occurredOn,
    data: data ?? body.data,
    citations: citations ?? body.citations,
    recordedAt: occurredOn === undefined ? body.recordedAt : correction.recordedAt,
  })
}

/** The effective and the first day of a date that was recorded at an instant: what is reported cannot lie after the report. */
function effectiveDays(occurredOn: DateRange, recordedAt: number, timeZone: string): { on: Day; firstOn: Day } {
  const recordedOn = dayInZone(recordedAt, timeZone)
  const first = occurredOn.first ?? BEFORE_ALL_DAYS
  return { on: Math.min(occurredOn.last ?? first, recordedOn), firstOn: Math.min(first, recordedOn) }
}

/** An event of a type or shape that no fold of this version can read. */
export class UnreadableEventError extends Error {
  readonly event: EventNamed
  /** Null where it is for its type or version alone. */
  readonly why: string | null

  constructor({ position, type, typeVersion = 1 }: EventNamed, why: string | null = null) {
    super(`event ${position} cannot be read: ${type}, version ${typeVersion}${why === null ? '' : `: ${why}`}`)
    this.event = { position, type, typeVersion }
    this.why = why
  }

  get position(): number {
    return this.event.position
  }
}

/** Which event cannot be read. */
type EventNamed = { position: number; type: string; typeVersion?: number }

/**
 * What a fold makes of events, in order of position. Throws UnreadableEventError where it throws anything: on the first
 * event with which it does, for only what was admitted is sure to fold.
 */
export function readingOf<Event extends EventNamed, Result>(
  events: readonly Event[],
  fold: (events: readonly Event[]) => Result,
): Result {
  try {
    return fold(events)
  } catch (error) {
    throw error instanceof UnreadableEventError ? error : firstUnreadable(events, fold, error)
  }
}

function firstUnreadable<Event extends EventNamed>(
  events: readonly Event[],
  fold: (events: readonly Event[]) => unknown,
  found: unknown,
): unknown {
  let error = found
  const failsUpTo = (count: number): boolean => {
    try {
      fold(events.slice(0, count))
      return false
    } catch (other) {
      error = other
      return true
    }
  }
  const event = events[leastWhere(1, events.length, failsUpTo) - 1]
  if (error instanceof UnreadableEventError || !event) return error
  // Safe: whatever was thrown may have a message.
  return new UnreadableEventError(event, (error as Error).message)
}

/**
 * The facts that hold at a knowledge of `size` events, in order of position: less the retracted and the redacted, with
 * their corrections. `events` are those of whole streams, in order of position; `timeZone` is the register's. Throws
 * UnreadableEventError on what is of a version that is newer than this one's.
 */
export function knownFacts(events: readonly EventToFold[], { size, timeZone }: Knowledge): Fact[] {
  const known = events.filter((event) => event.position < size)
  const retracted = retractedIds(known)
  const bodies = correctedBodies(known, retracted)
  const facts: Fact[] = []
  for (const { position, id, type, typeVersion } of known) {
    if (retracted.has(id)) continue
    const body = bodies.get(id)
    // Of a repair too, which may do something else in a later version.
    if ((body || isRepair(type)) && typeVersion > currentVersion(type))
      throw new UnreadableEventError({ position, type, typeVersion })
    if (!body || isRepair(type)) continue
    const occurredOn = dateRangeOf(body.occurredOn)
    const days = effectiveDays(occurredOn, body.recordedAt, timeZone)
    const data = upcast(type, typeVersion, body.data)
    facts.push({ position, id, type, data, citations: body.citations, occurredOn, ...days })
  }
  return facts
}

/** How much of the log is known, and the register's time zone as known then. */
export type Knowledge = { size: number; timeZone: string }

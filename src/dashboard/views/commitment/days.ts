// Facts as they are read at the second clock, and the days from which they count.

import type { EventAnswer, MarkedEvent } from '../../answers.ts'
import { dayIn } from '../../format.ts'

/** First and last day of a date as precise as its source; null where it is open. */
export function boundsOf(value: string): { earliest: string | null; latest: string | null } {
  const [from = '', to = from] = value.split('/')
  return { earliest: from === '..' ? null : firstDay(from), latest: to === '..' ? null : lastDay(to) }
}

function firstDay(part: string): string {
  return `${part}${'-01-01'.slice(part.length === 4 ? 0 : part.length === 7 ? 3 : 6)}`
}

function lastDay(part: string): string {
  if (part.length === 4) return `${part}-12-31`
  if (part.length > 7) return part
  const [year, month] = part.split('-').map(Number) as [number, number]
  return `${part}-${String(new Date(Date.UTC(year, month, 0)).getUTCDate()).padStart(2, '0')}`
}

/** A fact as it is read: with the corrections in force, and since when its date is what it is. */
export type Reading = {
  event: MarkedEvent
  occurredOn: string | null
  data: EventAnswer['data']
  citations: EventAnswer['citations']
  datedAt: string
  /** Names of what was corrected. */
  changed: string[]
}

export function readingOf(event: MarkedEvent, corrections: readonly MarkedEvent[]): Reading {
  const { occurredOn, data, citations, recordedAt } = event
  const reading: Reading = { event, occurredOn, data, citations, datedAt: recordedAt, changed: [] }
  for (const { data: given, inForce, recordedAt: at } of corrections) {
    if (!inForce || given === null) continue
    const changed = ['occurredOn', 'data', 'citations'].filter((name) => name in given)
    // Safe: a correction gives values of the shapes of what it corrects.
    Object.assign(reading, Object.fromEntries(changed.map((name) => [name, given[name]])))
    if (changed.includes('occurredOn')) reading.datedAt = at
    reading.changed.push(...changed)
  }
  return reading
}

/**
 * The day from which a fact counts: the last day of its date, or the first if the end is open. It is never after the
 * day on which the date was recorded. Null if its content was redacted.
 */
export function effectiveDay({ occurredOn, datedAt }: Reading, timeZone: string): string | null {
  if (occurredOn === null) return null
  const { earliest, latest } = boundsOf(occurredOn)
  const recorded = dayIn(timeZone, new Date(datedAt))
  const day = latest ?? earliest ?? recorded
  return day < recorded ? day : recorded
}

// The time zones in which the facts of a register are dated, by the size from which each is known.

import { REGISTER_STREAM } from '../domain/event.ts'
import { isRepair, type Knowledge } from '../domain/repairs.ts'
import type { Growth } from '../eventlog/feed.ts'
import { type RegisterLog, stateKnownAt } from './registers.ts'

/** The time zone known at a size, and those that corrections among the events after it brought. */
export function timeZonesFrom(
  known: RegisterLog,
  from: number,
  events: readonly Pick<Growth, 'stream' | 'type' | 'position'>[],
): Knowledge[] {
  const zones = [{ size: from, timeZone: stateKnownAt(known, from).timeZone }]
  for (const { stream, type, position } of events) {
    // Only the opening and its repairs set the time zone; each of those is rare.
    if (stream !== REGISTER_STREAM || (type !== 'RegisterOpened' && !isRepair(type))) continue
    const { timeZone } = stateKnownAt(known, position + 1)
    if (timeZone !== zones.at(-1)?.timeZone) zones.push({ size: position + 1, timeZone })
  }
  return zones
}

/** All that are known at a size, from the beginning. */
export function timeZonesUpTo(known: RegisterLog, size: number): Knowledge[] {
  return timeZonesFrom(
    known,
    0,
    known.events.filter(({ position }) => position < size),
  )
}

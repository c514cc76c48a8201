// The two clocks of the view, read from the address: as of which day, and as known at which size.

import { useLocation } from './location.ts'

export type AskedClocks = {
  /** As in the address; null: today in the register's time zone, everything recorded. */
  asOf: string | null
  knownAt: string | null
}

export function clocksOf(params: URLSearchParams): AskedClocks {
  return { asOf: params.get('asOf') || null, knownAt: params.get('knownAt') || null }
}

export function useClocks(): AskedClocks {
  return clocksOf(useLocation().params)
}

/** The day of an instant in a time zone, as the service takes it; today's where none is given. */
export function dayIn(timeZone: string, at: Date = new Date()): string {
  // Temporal is not in every browser yet; Canada writes days as ISO 8601 does.
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(at)
}

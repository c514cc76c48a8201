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

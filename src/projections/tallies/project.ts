// The parts of a register that the projection `tallies` adds up for themselves.

import type { Membership } from '../../domain/commitment/timeline.ts'

/** How many positions a sealed sum takes in at a time. Past knowledge is answered from the nearest seal. */
export const EPOCH = 16_384

/** A part of a register: the whole, or what belongs to a programme, a theme or a party (empty: to none). */
export type Part = { partOf: 'register' | 'programme' | 'theme' | 'party'; part: string }

export const WHOLE: Part = { partOf: 'register', part: '' }

/** The parts that a membership counts in, each once. */
export function partsOf({ programme, themes, parties }: Membership): Part[] {
  const some = (ids: readonly string[]) => (ids.length === 0 ? [''] : [...new Set(ids)])
  return [
    WHOLE,
    { partOf: 'programme', part: programme ?? '' },
    ...some(themes).map((part) => ({ partOf: 'theme' as const, part })),
    ...some(parties).map((part) => ({ partOf: 'party' as const, part })),
  ]
}

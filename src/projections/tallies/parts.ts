// The parts of a register that the projection `tallies` adds up for themselves, and which of them a membership counts in.
// Parts are worked out once for each membership, since every question asks for them.

import type { Membership } from '../../domain/commitment/timeline.ts'

/** A part of a register: the whole, or what belongs to a programme, a theme or a party (empty: to none). */
export type TallyPart = { partOf: 'register' | 'programme' | 'theme' | 'party'; part: string }

export const WHOLE: TallyPart = { partOf: 'register', part: '' }

/** The parts that a membership counts in, each once. */
export function partsOf({ programme, themes, parties }: Membership): TallyPart[] {
  const some = (ids: readonly string[]) => (ids.length === 0 ? [''] : [...new Set(ids)])
  return [
    WHOLE,
    { partOf: 'programme', part: programme ?? '' },
    ...some(themes).map((part) => ({ partOf: 'theme' as const, part })),
    ...some(parties).map((part) => ({ partOf: 'party' as const, part })),
  ]
}

const known = new WeakMap<Membership, readonly TallyPart[]>()
const parts = new WeakMap<readonly Membership[], Map<string, TallyPart>>()

/** The parts of a membership; among the memberships of one register the same part is always the same object. */
export function partsIn(memberships: readonly Membership[], number: number): readonly TallyPart[] {
  // Safe: a membership is written before the changes that name it.
  const membership = memberships[number] as Membership
  const found = known.get(membership)
  if (found) return found
  const same = parts.get(memberships) ?? new Map<string, TallyPart>()
  parts.set(memberships, same)
  const own = partsOf(membership).map((part) => {
    const name = partName(part)
    const first = same.get(name) ?? part
    same.set(name, first)
    return first
  })
  known.set(membership, own)
  return own
}

/** One text for a part. */
export function partName({ partOf, part }: TallyPart): string {
  return `${partOf} ${part}`
}

// The parts that memberships count in, worked out once for each: every question asks for them.

import type { Membership } from '../../domain/commitment/timeline.ts'
import { type Part, partsOf } from './project.ts'

const known = new WeakMap<Membership, readonly Part[]>()
const parts = new WeakMap<readonly Membership[], Map<string, Part>>()

/** The parts of a membership; among the memberships of one register the same part is always the same object. */
export function partsIn(memberships: readonly Membership[], number: number): readonly Part[] {
  // Safe: a membership is written before the changes that name it.
  const membership = memberships[number] as Membership
  const found = known.get(membership)
  if (found) return found
  const same = parts.get(memberships) ?? new Map<string, Part>()
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
export function partName({ partOf, part }: Part): string {
  return `${partOf} ${part}`
}

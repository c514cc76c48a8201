// The changes of a register from its last seal to the head, kept in memory: dashboards ask for little else.

import type { Queryable } from '../../database/pool.ts'
import { type Changes, joined, readChanges } from '../periods/changes.ts'

/** Changes from a seal up to a size, of one build of `periods`. */
type Tail = { build: string | null; seal: number; upTo: number; changes: Changes }

const tails = new WeakMap<Queryable, Map<string, Tail>>()

const MAX_KEPT_NUMBERS = 4_000_000

function numbersIn({ changes: { statuses, days } }: Tail): number {
  return statuses.numbers.length + days.numbers.length
}

function keep(db: Queryable, register: string, tail: Tail): void {
  const known = tails.get(db) ?? new Map<string, Tail>()
  tails.set(db, known)
  // Set again so that the least recently used is the first to go.
  known.delete(register)
  known.set(register, tail)
  let numbers = [...known.values()].reduce((sum, other) => sum + numbersIn(other), 0)
  for (const [oldest, other] of known) {
    if (numbers <= MAX_KEPT_NUMBERS) break
    known.delete(oldest)
    numbers -= numbersIn(other)
  }
}

/** The changes from the last seal to a size or beyond; null where they are of another build by now. */
export async function readTail(
  db: Queryable,
  register: string,
  size: number,
  { seal, generation, build }: { seal: number; generation: number | null; build: string | null },
): Promise<Changes | null> {
  const known = tails.get(db)?.get(register)
  const isOn = known?.build === build && known.seal === seal
  const before: Tail | null = isOn ? known : null
  if (before && before.upTo >= size) return before.changes
  const read = await readChanges(db, { register, generation }, before?.upTo ?? seal, size)
  if (read.live !== build) return null
  const changes = before ? joined(before.changes, read) : read
  keep(db, register, { build, seal, upTo: size, changes })
  return changes
}

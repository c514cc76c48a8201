// The head of a register: how far its log reaches, and how far every projection has read it.

import type { Database } from '../../database/pool.ts'
import { progressOfRegisters } from './progress.ts'

type ProjectionHead = {
  version: number
  size: number
  generation: number
  /** Which event has stopped it, in words; null where it goes on. */
  stopped: string | null
}

export type RegisterHead = {
  register: string
  size: number
  /** When its last event was recorded, milliseconds since the epoch. */
  recordedAt: number | null
  ownRevision: number
  /** How often content has been redacted: answers at every size may hold less since. */
  redactions: number
  projections: ReadonlyMap<string, ProjectionHead>
}

/** The heads of registers that hold events, by register. */
export async function readRegisterHeads(
  db: Database,
  registers: readonly string[],
): Promise<Map<string, RegisterHead>> {
  const heads = new Map<string, RegisterHead & { projections: Map<string, ProjectionHead> }>()
  for (const row of await progressOfRegisters(db, registers)) {
    const { register, total: size, recorded_ms: recordedAt, own_revision: ownRevision, redactions } = row
    const head = heads.get(register) ?? { register, size, recordedAt, ownRevision, redactions, projections: new Map() }
    heads.set(register, head)
    if (row.projection === null) continue
    const { version, size: reached, generation, stopped_because: stopped } = row
    head.projections.set(row.projection, { version, size: reached, generation, stopped })
  }
  return heads
}

/** Whether two heads of a register say the same. */
export function isSameHead(a: RegisterHead | null, b: RegisterHead): boolean {
  if (a === null || a.size !== b.size || a.redactions !== b.redactions) return false
  if (a.projections.size !== b.projections.size) return false
  for (const [name, { version, size, generation, stopped }] of b.projections) {
    const before = a.projections.get(name)
    if (before?.size !== size || before.generation !== generation) return false
    if (before.version !== version || before.stopped !== stopped) return false
  }
  return true
}

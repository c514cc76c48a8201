// Replays as the API names them.

import type { OperationAnswer } from '../../answers.ts'
import { askOnce } from '../../api.ts'
import { operations as words } from '../../strings.ts'

export const ALL = 'all'

/** The element that shows the replay. */
export const REPLAY = 'replay'

/** What was pressed goes with what it did: the reader goes on where that is shown. */
export function focusReplay(): void {
  setTimeout(() => document.getElementById(REPLAY)?.focus())
}

/** What a replay is asked for. */
export type ReplayRequest = {
  projection: string
  /** null: every register. */
  register: string | null
  maxRate: number | null
  dropPrevious: boolean
}

/** Tallies are sums of periods: a replay of the one builds both. */
const BRINGS: Record<string, readonly string[]> = { periods: ['tallies'] }

function broughtBy(projection: string): string[] {
  return [projection, ...(BRINGS[projection] ?? [])]
}

/** The name that asks for exactly these projections; null where none does. */
export function nameOf(projections: readonly string[], all: readonly string[]): string | null {
  const isSame = (others: readonly string[]) => [...others].sort().join() === [...projections].sort().join()
  if (isSame(all)) return ALL
  return all.find((one) => isSame(broughtBy(one))) ?? null
}

export function projectionWord(projection: string): string {
  return words.projections[projection] ?? projection
}

/** What is built where a projection is asked for, in words. */
export function choiceWord(projection: string): string {
  return projection === 'periods' ? words.dialog.periodsToo : projectionWord(projection)
}

/**
 * Begins a replay, or goes on with the same one that has not ended: so a request that is repeated does no harm, and needs no
 * key. Throws Failure.
 */
export function beginReplay({ projection, register, maxRate, dropPrevious }: ReplayRequest): Promise<OperationAnswer> {
  const body = { ...(register !== null && { register }), ...(maxRate !== null && { maxRate }), dropPrevious }
  return askOnce<OperationAnswer>(`/v1/projections/${encodeURIComponent(projection)}/replay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

/** Throws Failure. */
export function cancelReplay(id: string): Promise<OperationAnswer> {
  return askOnce<OperationAnswer>(`/v1/operations/${encodeURIComponent(id)}`, { method: 'DELETE' })
}

/** Nobody may begin another while one of these has not ended. */
export function hasEnded({ status }: OperationAnswer): boolean {
  return status === 'caughtUp' || status === 'cancelled' || status === 'failed'
}

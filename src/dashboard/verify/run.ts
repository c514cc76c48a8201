// Fetches the evidence for an event and checks it; remembers the newest head of each log that this browser saw.

import type { ConsistencyAnswer, EventAnswer, KeysAnswer, ProofAnswer } from '../answers.ts'
import { askOnce, isFailure } from '../api.ts'
import { keep, kept } from '../storage.ts'
import { type Asked, checkEvent, checkHistory, type Step } from './event.ts'
import type { Checkpoint } from './note.ts'
import { fromBase64, type TreeHead, toBase64 } from './tree.ts'

export type Verified = { position: number; steps: Step[]; head: Checkpoint | null }

type Seen = TreeHead & { at: string }

function storageKey(origin: string): string {
  return `pledger-head ${origin}`
}

function seenBefore(origin: string): Seen | null {
  try {
    const seen = JSON.parse(kept('localStorage', storageKey(origin)) ?? 'null') as Record<string, string> | null
    const root = fromBase64(seen?.root ?? '')
    return seen && root?.length === 32 ? { size: BigInt(seen.size ?? ''), root, at: seen.at ?? '' } : null
  } catch {
    return null
  }
}

function remember({ origin, size, root }: Checkpoint): void {
  const seen = { size: String(size), root: toBase64(root), at: new Date().toISOString() }
  keep('localStorage', storageKey(origin), JSON.stringify(seen))
}

export function keysOf(register: string): Promise<KeysAnswer> {
  return askOnce<KeysAnswer>(`/v1/registers/${register}/keys`)
}

/**
 * One event, as the page shows it, against the newest checkpoint, or that of a size: what was shown may be another than what
 * would be answered now. Throws Failure where the evidence is not to be had.
 */
export async function verifyEvent(
  register: string,
  event: EventAnswer,
  { keys }: KeysAnswer,
  asked: Asked,
  size?: bigint,
): Promise<Verified> {
  const { position } = event
  const proofOf = `/v1/registers/${register}/events/${position}/proof`
  const proof = await askOnce<ProofAnswer>(size === undefined ? proofOf : `${proofOf}?size=${size}`)
  return { position, ...(await checkEvent({ register, asked, event, proof, keys })) }
}

async function proofBetween(register: string, before: TreeHead, head: TreeHead): Promise<readonly string[]> {
  if (before.size === head.size) return []
  const [first, second] = before.size < head.size ? [before.size, head.size] : [head.size, before.size]
  const answer = await askOnce<ConsistencyAnswer>(
    `/v1/registers/${register}/consistency?first=${first}&second=${second}`,
  )
  return answer.proof
}

/**
 * Whether the log only grew since this browser saw it last. The first head that it sees is remembered; a newer one takes its
 * place once it is shown to extend it, and one that contradicts it never does.
 */
export async function verifyHistory(register: string, head: Checkpoint): Promise<Step> {
  const before = seenBefore(head.origin)
  const values = { size: String(head.size), root: toBase64(head.root) }
  if (!before) {
    remember(head)
    return { step: 'history', outcome: 'open', values }
  }
  const between = { first: String(before.size), seen: before.at, second: String(head.size) }
  try {
    const step = await checkHistory(before, head, await proofBetween(register, before, head))
    if (step.outcome === 'held' && head.size > before.size) remember(head)
    return { ...step, values: between }
  } catch (error) {
    // A log that knows nothing of the size that this browser saw is shorter than it was.
    if (isFailure(error) && error.kind === 'problem' && error.word === 'not-sealed')
      return { step: 'history', outcome: 'failed', values: between }
    throw error
  }
}

/** What everything together comes to. */
export function outcomeOf(steps: readonly Step[]): 'held' | 'partly' | 'failed' {
  if (steps.some(({ outcome }) => outcome === 'failed')) return 'failed'
  return steps.some(({ step, outcome }) => outcome === 'open' && step !== 'history') ? 'partly' : 'held'
}

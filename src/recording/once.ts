// Recording once: under an idempotency key a caller records at most once in 24 hours and more, however often and to however many
// processes the request is sent. Every later answer is the first one.

import type { Database } from '../database/pool.ts'
import { findKey, KeyTakenError, type RecordingKey } from '../eventlog/keys.ts'
import type { EventOutcome } from './admission.ts'

export type OnceOutcome =
  | { kind: 'done'; outcomes: EventOutcome[]; isReplayed: boolean }
  /** The same request is being answered by this process now. */
  | { kind: 'inFlight' }
  /** The key came with something else before. */
  | { kind: 'reused' }

/** Who records in which register under which key. */
export type KeyedRecording = { register: string; recordedBy: string; key: RecordingKey }

/**
 * Records under a key, unless that has been done. `record` keeps the key with what it records, in the same transaction, and
 * throws KeyTakenError where another recording has taken it. Where nothing was recorded no key is kept, and the same key is
 * decided anew. `now` is the service's clock, milliseconds since the epoch.
 */
export async function once(
  db: Database,
  now: () => number,
  keyed: KeyedRecording,
  record: () => Promise<EventOutcome[]>,
): Promise<OnceOutcome> {
  const before = await recall(db, now, keyed)
  if (before) return before
  try {
    const outcomes = await record()
    if (outcomes.some(({ kind }) => kind === 'recorded')) return { kind: 'done', outcomes, isReplayed: false }
    // What kept it out may be itself, recorded by another process since the key was looked for.
    return (await recall(db, now, keyed)) ?? { kind: 'done', outcomes, isReplayed: false }
  } catch (error) {
    const taken = error instanceof KeyTakenError ? await recall(db, now, keyed) : null
    if (!taken) throw error
    return taken
  }
}

/** What was recorded under a key; null where nothing was. */
async function recall(
  db: Database,
  now: () => number,
  { register, recordedBy, key }: KeyedRecording,
): Promise<OnceOutcome | null> {
  const kept = await findKey(db, register, recordedBy, key.key, now())
  if (!kept) return null
  if (!kept.fingerprint.equals(key.fingerprint)) return { kind: 'reused' }
  // Safe: the recorder has kept them.
  return { kind: 'done', outcomes: kept.outcomes as EventOutcome[], isReplayed: true }
}

/** Runs what records under a key, unless this process is at it already under the same key. */
export type InFlight = (keyed: KeyedRecording, run: () => Promise<OnceOutcome>) => Promise<OnceOutcome>

/** The keys under which a process records now. */
export function createInFlight(): InFlight {
  const running = new Map<string, RecordingKey>()
  return async ({ register, recordedBy, key }, run) => {
    const name = `${register} ${recordedBy} ${key.key}`
    const other = running.get(name)
    if (other) return { kind: other.fingerprint.equals(key.fingerprint) ? 'inFlight' : 'reused' }
    running.set(name, key)
    try {
      return await run()
    } finally {
      running.delete(name)
    }
  }
}

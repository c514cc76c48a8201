// Recording once: what came with an idempotency key is recorded at most once in 24 hours and more, however often and to however
// many processes it is sent, and is answered as the first time.

import type { Database } from '../database/pool.ts'
import { findKey, KeyTakenError, type RecordingKey } from '../eventlog/keys.ts'
import type { EventOutcome, Group } from './admission.ts'

export type Once =
  | { kind: 'done'; outcomes: EventOutcome[]; isReplayed: boolean }
  /** The same request is being answered by this process now. */
  | { kind: 'inFlight' }
  /** The key came with something else before. */
  | { kind: 'reused' }

type KeyedRecording = {
  register: string
  group: Group
  recordedBy: string
  key: RecordingKey
  /** How many bytes the request had. */
  bytes: number
}

/** Records groups, each on its own (record.ts). */
type RecordGroups = (
  register: string,
  groups: readonly Group[],
  recordedBy: string,
  options: { bytes: number; key: RecordingKey },
) => Promise<EventOutcome[][]>

export type RecordOnce = (recording: KeyedRecording) => Promise<Once>

/**
 * Creates what records once. A key is kept with what it recorded, in the same transaction; where nothing was recorded
 * nothing is kept, and the same key is decided anew.
 */
export function createRecordOnce(db: Database, record: RecordGroups, now: () => number): RecordOnce {
  const inFlight = new Map<string, RecordingKey>()

  async function recall({ register, recordedBy, key }: KeyedRecording): Promise<Once | null> {
    const kept = await findKey(db, register, recordedBy, key.key, now())
    if (!kept) return null
    if (!kept.fingerprint.equals(key.fingerprint)) return { kind: 'reused' }
    // Safe: the recorder has kept them.
    return { kind: 'done', outcomes: kept.outcomes as EventOutcome[], isReplayed: true }
  }

  async function recordKeyed(recording: KeyedRecording): Promise<Once> {
    const { register, group, recordedBy, key, bytes } = recording
    const before = await recall(recording)
    if (before) return before
    try {
      const [outcomes = []] = await record(register, [group], recordedBy, { bytes, key })
      if (outcomes.some(({ kind }) => kind === 'recorded')) return { kind: 'done', outcomes, isReplayed: false }
      // What kept it out may be itself, recorded by another process since the key was looked for.
      return (await recall(recording)) ?? { kind: 'done', outcomes, isReplayed: false }
    } catch (error) {
      if (!(error instanceof KeyTakenError)) throw error
      const taken = await recall(recording)
      if (!taken) throw error
      return taken
    }
  }

  return async (recording) => {
    const { register, recordedBy, key } = recording
    const name = `${register} ${recordedBy} ${key.key}`
    const other = inFlight.get(name)
    if (other) return { kind: other.fingerprint.equals(key.fingerprint) ? 'inFlight' : 'reused' }
    inFlight.set(name, key)
    try {
      return await recordKeyed(recording)
    } finally {
      inFlight.delete(name)
    }
  }
}

// What recording keeps in memory of the streams that it has seen, so that most recordings need no read: of a stream that
// holds a standing CommitmentMade and plain facts, its revision tells admission all it asks. Memory may be behind the log;
// append sees to it that what was admitted upon it is still true.

import { REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { REPAIR_TYPES } from '../domain/repairs.ts'

/** A stream as admission knows it. */
export type KnownStream = {
  /** How many events it has that are not among `events`: a standing CommitmentMade and plain facts; or none. */
  readonly unread: number
  /** The others, in order; it grows with what is admitted. */
  readonly events: StoredEvent[]
}

/** The revision of a stream. */
export function revisionOf({ unread, events }: KnownStream): number {
  return unread + events.length
}

/** After one of these, admission must look at what the stream holds: repairs, and what ends the promise. */
export const NOT_PLAIN: readonly string[] = [...REPAIR_TYPES, 'CommitmentWithdrawn', 'CommitmentSuperseded']
const notPlain = new Set(NOT_PLAIN)

/** True for an event of which the whole stream is to be known, before it and after. */
export function needsWholeStream(type: string): boolean {
  return notPlain.has(type)
}

/** True where the number of events tells admission all it asks about the stream. */
function isPlain(events: readonly StoredEvent[]): boolean {
  return (
    events.some(({ type }) => type === 'CommitmentMade') &&
    events.every(({ type, salt }) => salt !== null && !needsWholeStream(type))
  )
}

/** Of so many streams the revision is kept; some 10 MB. */
const MAX_STREAMS = 50_000

export type KnownStreams = {
  /** The revision of a stream that is known to be plain; null where it must be read. */
  revision: (register: string, stream: string) => number | null
  /** Takes in a stream as it stands in the log. */
  learn: (register: string, stream: string, known: KnownStream) => void
  /** Forgets a stream: it is not as memory had it. */
  forget: (register: string, stream: string) => void
}

export function createKnownStreams(maxStreams = MAX_STREAMS): KnownStreams {
  const revisions = new Map<string, number>()
  // No id holds a space.
  const name = (register: string, stream: string) => `${register} ${stream}`
  return {
    revision: (register, stream) => revisions.get(name(register, stream)) ?? null,
    learn(register, stream, known) {
      if (stream === REGISTER_STREAM) return
      const key = name(register, stream)
      // Set again so that the least recently used is the first to go.
      revisions.delete(key)
      const isStillPlain = known.unread > 0 && known.events.every(({ type }) => !needsWholeStream(type))
      if (!isStillPlain && !isPlain(known.events)) return
      revisions.set(key, revisionOf(known))
      if (revisions.size <= maxStreams) return
      for (const oldest of revisions.keys()) {
        revisions.delete(oldest)
        break
      }
    },
    forget: (register, stream) => void revisions.delete(name(register, stream)),
  }
}

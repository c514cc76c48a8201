// The definitions of each register, in memory: admission and every answer need them. When a register's own stream grows, the
// new events are read. This room knows no projections.

import { LRUCache } from 'lru-cache'
import type { Queryable } from '../database/pool.ts'
import { REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { type RegisterState, registerAt } from '../domain/register/state.ts'
import { type RedactedEvent, UnreadableEventError } from '../domain/repairs.ts'
import { type LogHead, readHead } from '../eventlog/heads.ts'
import { readAllRedacted } from '../eventlog/redacted.ts'
import { readStream } from '../eventlog/streams.ts'

/**
 * A register at its head: the size of its log, the events of its own stream, the state that they fold to. With the
 * redacted events of its commitments, by position.
 */
export type KnownRegister = {
  register: string
  head: LogHead
  events: readonly StoredEvent[]
  state: RegisterState
  redacted: readonly RedactedEvent[]
}

/** The same for a register of which an event may be unreadable: then the error stands for the state. */
export type RegisterLog = Omit<KnownRegister, 'state'> & { state: RegisterState | UnreadableEventError }

type Cached = {
  events: StoredEvent[]
  state: RegisterState | UnreadableEventError
  redacted: readonly RedactedEvent[]
  redactions: number
}

const MAX_CACHED = 200

export type Registers = {
  /** The register at its head, which is read from its row; null if there is no register. Throws UnreadableEventError. */
  read: (db: Queryable, register: string) => Promise<KnownRegister | null>
  /** The same, without throwing: a reader of an earlier size may stand before the unreadable event. */
  log: (db: Queryable, register: string) => Promise<RegisterLog | null>
  /** The register at a head that the caller knows. Throws UnreadableEventError. */
  at: <H extends LogHead & { register: string }>(db: Queryable, head: H) => Promise<KnownRegister & { head: H }>
}

/** Creates a cache of definitions. An answer uses as many of them as its head counts. */
export function createRegisters(): Registers {
  const cache = new LRUCache<string, Cached>({ max: MAX_CACHED })
  async function definedBy(db: Queryable, register: string, head: LogHead): Promise<Cached> {
    const cached = cache.get(register) ?? { events: [], state: stateOf([]), redacted: [], redactions: 0 }
    // The caller's head may be older than the cached events.
    const isRedacted = head.redactions > cached.redactions
    if (!isRedacted && cached.events.length > head.ownRevision) return upTo(cached, head.ownRevision)
    const isKnown = !isRedacted && cached.events.length === head.ownRevision
    const known = isKnown ? cached : await readOn(db, register, cached, head)
    cache.set(register, known)
    return known
  }
  return {
    async read(db, register) {
      const head = await readHead(db, register)
      return head && readable({ register, head, ...(await definedBy(db, register, head)) })
    },
    async log(db, register) {
      const head = await readHead(db, register)
      return head && { register, head, ...(await definedBy(db, register, head)) }
    },
    async at(db, head) {
      return readable({ register: head.register, head, ...(await definedBy(db, head.register, head)) })
    },
  }
}

function readable<Log extends RegisterLog>(log: Log): Log & { state: RegisterState } {
  if (log.state instanceof UnreadableEventError) throw log.state
  return { ...log, state: log.state }
}

/** The state that the events of a register's own stream fold to, or the error of one that cannot be read. */
function stateOf(events: readonly StoredEvent[]): Cached['state'] {
  try {
    return registerAt(events, Number.POSITIVE_INFINITY)
  } catch (error) {
    if (error instanceof UnreadableEventError) return error
    throw error
  }
}

function upTo(cached: Cached, ownRevision: number): Cached {
  const events = cached.events.slice(0, ownRevision)
  return { ...cached, events, state: stateOf(events) }
}

async function readOn(db: Queryable, register: string, cached: Cached, head: LogHead): Promise<Cached> {
  // After a redaction the cached events may still hold the redacted content.
  const isRedacted = head.redactions > cached.redactions
  const revision = isRedacted ? 0 : Math.min(cached.events.length, head.ownRevision)
  const newer = await readStream(db, register, REGISTER_STREAM, revision)
  // Events that were recorded after the head was read belong to a later head.
  const events = [...cached.events.slice(0, revision), ...newer].slice(0, head.ownRevision)
  const redacted = isRedacted ? await readAllRedacted(db, register) : cached.redacted
  const redactions = Math.max(head.redactions, cached.redactions)
  return { events, state: stateOf(events), redacted, redactions }
}

/** The state of the register as known at a size. Throws UnreadableEventError if an event within the size cannot be read. */
export function stateKnownAt({ events, state }: RegisterLog, size: number): RegisterState {
  const newest = events.at(-1)
  const isHead = !newest || newest.position < size
  return isHead && !(state instanceof UnreadableEventError) ? state : registerAt(events, size)
}

// What each register defines, kept in memory and read on as its own stream grows: admission and every answer need it.

import { LRUCache } from 'lru-cache'
import type { Queryable } from '../database/pool.ts'
import { REGISTER_STREAM, type StoredEvent } from '../domain/event.ts'
import { type RegisterState, registerAt } from '../domain/register/state.ts'
import { type RedactedEvent, UnreadableEventError } from '../domain/repairs.ts'
import { type LogHead, readHead } from '../eventlog/heads.ts'
import { readAllRedacted } from '../eventlog/redacted.ts'
import { readStream } from '../eventlog/streams.ts'

/**
 * A register at its head: how far its log reaches, the events of its own stream, what they amount to, and what was erased
 * of its commitments, by position.
 */
export type KnownRegister = {
  register: string
  head: LogHead
  events: readonly StoredEvent[]
  state: RegisterState
  redacted: readonly RedactedEvent[]
}

/** The same where an event of its own stream may be one that cannot be read: then they amount to nothing. */
export type RegisterLog = Omit<KnownRegister, 'state'> & { state: RegisterState | UnreadableEventError }

type Cached = {
  events: StoredEvent[]
  state: RegisterState | UnreadableEventError
  redacted: readonly RedactedEvent[]
  redactions: number
}

const MAX_CACHED = 200

export type Registers = {
  /** The register at its head, which is read from its row; null where there is none. Throws UnreadableEventError. */
  read: (db: Queryable, register: string) => Promise<KnownRegister | null>
  /** The same for a reader of its log from an earlier size on, who may come before an event that cannot be read. */
  log: (db: Queryable, register: string) => Promise<RegisterLog | null>
  /** The register at a head that is known already. Throws UnreadableEventError. */
  at: <H extends LogHead & { register: string }>(db: Queryable, head: H) => Promise<KnownRegister & { head: H }>
}

/** A cache of what registers define: as much of it is used as the head says that there is. */
export function createRegisters(): Registers {
  const cache = new LRUCache<string, Cached>({ max: MAX_CACHED })
  async function definedBy(db: Queryable, register: string, head: LogHead): Promise<Cached> {
    const cached = cache.get(register) ?? { events: [], state: stateOf([]), redacted: [], redactions: 0 }
    // A head that is known may be older than what somebody else has read since.
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

/** What events of a register's own stream amount to, or the one that keeps it from being known. */
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
  // Where content was erased since, what was read before may hold it.
  const isRedacted = head.redactions > cached.redactions
  const revision = isRedacted ? 0 : Math.min(cached.events.length, head.ownRevision)
  const newer = await readStream(db, register, REGISTER_STREAM, revision)
  // What was recorded since the head was read belongs to a later head.
  const events = [...cached.events.slice(0, revision), ...newer].slice(0, head.ownRevision)
  const redacted = isRedacted ? await readAllRedacted(db, register) : cached.redacted
  const redactions = Math.max(head.redactions, cached.redactions)
  return { events, state: stateOf(events), redacted, redactions }
}

/** What the register defined as known at a size. Throws UnreadableEventError where that is one of what was known. */
export function stateKnownAt({ events, state }: RegisterLog, size: number): RegisterState {
  const newest = events.at(-1)
  const isHead = !newest || newest.position < size
  return isHead && !(state instanceof UnreadableEventError) ? state : registerAt(events, size)
}

// The registers that somebody asks about or follows, each with the head that was read last.

import type { RegisterHead } from './register-head.ts'

export type Listener = (head: RegisterHead) => void

/** When a read began: as a number in the order of all reads, and as a time. */
export type ReadBegun = { order: number; at: number }

export type WatchedRegister = {
  head: RegisterHead | null
  /** When the read that gave the head began. */
  read: ReadBegun
  /** Reads up to this one do not know what this process has written. */
  staleUntil: number
  askedAt: number
  listeners: Set<Listener>
  /** The read that is under way, for everybody who asks meanwhile. */
  reading: { order: number; done: Promise<RegisterHead | null> } | null
}

/** A register that nobody has asked about for so long is not polled. */
const WATCH_MS = 5_000
const MAX_WATCHED = 500

/** Whether somebody follows a register, or has asked about it a moment ago. */
export function isWatched({ askedAt, listeners }: WatchedRegister): boolean {
  return listeners.size > 0 || performance.now() - askedAt < WATCH_MS
}

export class WatchedRegisters {
  readonly #registers = new Map<string, WatchedRegister>()

  get(register: string): WatchedRegister | undefined {
    return this.#registers.get(register)
  }

  has(register: string): boolean {
    return this.#registers.has(register)
  }

  /** The register's entry; a new one takes the place of the one that was asked about longest ago. */
  open(register: string): WatchedRegister {
    const known = this.#registers.get(register)
    if (known) return known
    if (this.#registers.size >= MAX_WATCHED) this.#forgetOne()
    const entry: WatchedRegister = {
      head: null,
      read: { order: 0, at: Number.NEGATIVE_INFINITY },
      staleUntil: 0,
      askedAt: performance.now(),
      listeners: new Set(),
      reading: null,
    }
    this.#registers.set(register, entry)
    return entry
  }

  /** Those that somebody asks about still; forgets the others. */
  current(): [string, WatchedRegister][] {
    for (const [register, entry] of this.#registers) if (!isWatched(entry)) this.#registers.delete(register)
    return [...this.#registers]
  }

  /** Forgets an entry; false where somebody follows it, or another has taken its place. */
  forget(register: string, entry: WatchedRegister): boolean {
    const mayGo = entry.listeners.size === 0 && this.#registers.get(register) === entry
    return mayGo && this.#registers.delete(register)
  }

  #forgetOne(): void {
    const idle = [...this.#registers].filter(([, { listeners }]) => listeners.size === 0)
    const [oldest] = idle.sort(([, a], [, b]) => a.askedAt - b.askedAt)
    if (oldest) this.#registers.delete(oldest[0])
  }
}

// The loop that keeps the trees up with their logs. Any number of processes may run it: they take turns at a register.

import type { KeyObject } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database } from '../../database/pool.ts'
import { signer } from '../tlog/note.ts'
import { originOf } from './keys.ts'
import { announceKeys, RefusedToSignError, type Seal, sealNext } from './seal.ts'

/** How often it looks whether a log grew. */
const LOOK_MS = 250
/** Or after so many times as long as looking took: with thousands of registers it takes a while. */
const LOOK_FACTOR = 20
/** A register gets a checkpoint at most so often, unless so many events wait for one or somebody does. */
const PUBLISH_MS = 750
const MANY = 1_024
/** However many wait: between two looks at least, so that they share a checkpoint, each of which is kept for good. */
const GATHER_MS = 50
/** How long a register that it will not sign is left alone before it is tried again. */
const REFUSED_MS = 30_000
const AFTER_ERROR_MS = 1_000

export type SealerOptions = {
  /** The service's part of the origin; the register follows. */
  origin: string
  keys: readonly KeyObject[]
  now: () => number
  /** Seals this register alone. */
  only?: string
  /** Told of a key that begins to sign a register that was sealed without it. */
  onNewKey: (register: string, vkey: string) => void
  /** Told of everything that keeps it from sealing; `register` where it will not sign one. */
  onError: (error: unknown, register?: string) => void
}

export type Sealer = {
  /** Looks at a register as soon as it can, and signs however little is new: somebody waits. */
  wake: (register: string) => void
  /** Ends the loop after the step in hand. */
  stop: () => Promise<void>
}

type Behind = { register: string; behind: number; signed_at: Date | null }

/** The registers with events that are not in their tree yet, with how many; `only` one where it is named. */
async function unsealed(db: Database, only: string | null): Promise<Behind[]> {
  const { rows } = await sql<Behind>`select r.register, r.size - coalesce(t.size, 0) as behind, t.signed_at
    from register r left join tree t on t.register = r.register
    where r.size > coalesce(t.size, 0) and r.register = coalesce(${only}, r.register)`.execute(db)
  return rows
}

/** The seal of a register. */
export function sealOf(register: string, { origin, keys, now }: Pick<SealerOptions, 'origin' | 'keys' | 'now'>): Seal {
  const name = originOf(origin, register)
  return { origin: name, signers: keys.map((key) => signer(name, key)), now }
}

/**
 * Seals a register up to the head of its log; returns its size then. Where another process is at it, it ends where that
 * is.
 */
export async function sealAll(db: Database, register: string, seal: Seal): Promise<number | null> {
  for (;;) {
    const sealed = await sealNext(db, register, seal)
    if (!sealed?.isBehind) return sealed?.size ?? null
  }
}

async function sealedRegisters(db: Database, only: string | null): Promise<string[]> {
  const { rows } = await sql<{ register: string }>`select register from tree
    where size > 0 and register = coalesce(${only}, register) order by register`.execute(db)
  return rows.map(({ register }) => register)
}

/** Runs the loop until it is stopped. Errors are reported and tried again; the log waits. */
export function startSealer(db: Database, options: SealerOptions): Sealer {
  const refusedAt = new Map<string, number>()
  const stopping = new AbortController()
  let awaited = new Set<string>()
  let pause = new AbortController()
  /** Rests so long; when somebody comes to wait, for GATHER_MS alone. */
  const rest = async (ms: number) => {
    await sleep(GATHER_MS, undefined, { signal: stopping.signal }).catch(() => {})
    if (awaited.size === 0 && !stopping.signal.aborted)
      await sleep(ms - GATHER_MS, undefined, { signal: pause.signal }).catch(() => {})
    pause = new AbortController()
  }
  const sealOne = async (register: string) => {
    try {
      await sealAll(db, register, sealOf(register, options))
      refusedAt.delete(register)
    } catch (error) {
      if (!(error instanceof RefusedToSignError)) throw error
      refusedAt.set(register, performance.now())
      options.onError(error, register)
    }
  }
  const isDue = ({ register, behind, signed_at: signedAt }: Behind, isAwaited: boolean) => {
    const refused = refusedAt.get(register)
    if (refused !== undefined && performance.now() - refused < REFUSED_MS) return false
    const since = signedAt === null ? PUBLISH_MS : options.now() - signedAt.getTime()
    // A clock that was set back must not keep it from signing.
    return isAwaited || behind >= MANY || since >= PUBLISH_MS || since < 0
  }
  let isAnnounced = false
  const announce = async () => {
    for (const register of await sealedRegisters(db, options.only ?? null))
      for (const vkey of await announceKeys(db, register, sealOf(register, options))) options.onNewKey(register, vkey)
    isAnnounced = true
  }
  const loop = async () => {
    while (!stopping.signal.aborted) {
      const began = performance.now()
      try {
        if (!isAnnounced) await announce()
        const waiting = awaited
        awaited = new Set()
        for (const one of await unsealed(db, options.only ?? null))
          if (!stopping.signal.aborted && isDue(one, waiting.has(one.register))) await sealOne(one.register)
        await rest(Math.max(LOOK_MS, Math.min(LOOK_FACTOR * (performance.now() - began), AFTER_ERROR_MS)))
      } catch (error) {
        options.onError(error)
        await rest(AFTER_ERROR_MS)
      }
    }
  }
  const running = loop()
  return {
    wake(register) {
      awaited.add(register)
      pause.abort()
    },
    async stop() {
      stopping.abort()
      pause.abort()
      await running
    },
  }
}

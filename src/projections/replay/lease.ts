// The lease of the process that works on an operation: renewed by heartbeats for as long as it works.

import type { Database } from '../../database/pool.ts'
import { heartbeat, releaseLease } from './operation.ts'

const HEARTBEAT_MS = 1_000

export type Lease = {
  /** Aborts where the lease is lost, or the work is to stop. */
  signal: AbortSignal
  /** Gives the lease up. */
  release: () => Promise<void>
}

/** Keeps the lease of an operation that this owner has taken. */
export function keepLease(db: Database, id: string, owner: string, stopped: AbortSignal): Lease {
  const lost = new AbortController()
  const timer = setInterval(async () => {
    // A heartbeat that fails is made up for by the next; where they fail for long, another process takes the lease.
    const state = await heartbeat(db, id, owner).catch(() => 'running')
    if (state !== 'running') lost.abort()
  }, HEARTBEAT_MS)
  return {
    signal: AbortSignal.any([stopped, lost.signal]),
    async release() {
      clearInterval(timer)
      await releaseLease(db, id, owner)
    },
  }
}

// How fast a replay may fold: its threads draw on one allowance, so that it holds for all of them together, however many have
// something to do.

import { setTimeout as sleep } from 'node:timers/promises'

/** Shared by threads. `next` holds, in nanoseconds of the machine's steady clock, when the next events may be read. */
export type RateLimiter = { maxRate: number; next: SharedArrayBuffer }

/** A limiter of so many events in a second. */
export function createRateLimiter(maxRate: number): RateLimiter {
  return { maxRate, next: new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT) }
}

const SHARES_IN_A_SECOND = 10

/** How many events to read at once, so that a second's come spread over that second. */
export function shareOf({ maxRate }: RateLimiter, atMost: number): number {
  return Math.max(1, Math.min(atMost, Math.ceil(maxRate / SHARES_IN_A_SECOND)))
}

function costOf({ maxRate }: RateLimiter, events: number): bigint {
  return BigInt(Math.round((events * 1e9) / maxRate))
}

const LOOK_EVERY_MS = 200

/** Waits until so many events may be read, which are then spent; or until it is stopped. */
export async function spend(limiter: RateLimiter, events: number, isStopped: () => boolean): Promise<void> {
  const from = reserve(limiter, events)
  for (let left = millisecondsTo(from); left > 0 && !isStopped(); left = millisecondsTo(from)) {
    await sleep(Math.min(LOOK_EVERY_MS, left))
  }
}

/** Spends so many events, and returns when they may be read. */
function reserve(limiter: RateLimiter, events: number): bigint {
  const next = new BigInt64Array(limiter.next)
  for (;;) {
    const before = Atomics.load(next, 0)
    const now = process.hrtime.bigint()
    // Unspent time is not saved up.
    const from = before > now ? before : now
    if (Atomics.compareExchange(next, 0, before, from + costOf(limiter, events)) === before) return from
  }
}

function millisecondsTo(time: bigint): number {
  return Number(time - process.hrtime.bigint()) / 1e6
}

/** Spends more, or gives back what was not needed. */
export function settle(limiter: RateLimiter, events: number): void {
  Atomics.add(new BigInt64Array(limiter.next), 0, costOf(limiter, events))
}

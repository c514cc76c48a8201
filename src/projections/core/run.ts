// The one loop that keeps projections up with the log. Any number of processes may run it.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../database/pool.ts'
import type { Registers } from '../../registers/registers.ts'
import { advance, retry } from './advance.ts'
import { registersBehind } from './progress.ts'
import type { Projection } from './projection.ts'
import type { StepResult } from './step.ts'

/** How long an idle runner waits before it looks again: others may append without waking it. */
const IDLE_MS = 100
/** Or for so many times as long as looking took: with thousands of registers it takes a while. */
const IDLE_FACTOR = 20
/** How long a runner that has worked lets the log grow: a batch costs little more than an event does. */
const GATHER_MS = 40
/**
 * Where this process has written so often during a round, recording comes first: the round is followed by a longer rest
 * ...
 */
const UNDER_LOAD = 8
/** ... of so many times as long as it took, up to a limit. Projections fall behind then, and catch up when it is over. */
const YIELD = 8
const MAX_YIELD_MS = 2_000
const AFTER_ERROR_MS = 1_000
/** How often a projection that an event has stopped tries it again: what is wrong may have been mended elsewhere. */
const RETRY_STOPPED_MS = 10_000

export type Runner = {
  /** Says that the log grew: ends the pause of an idle runner; one that has just worked goes on gathering. */
  logGrew: () => void
  /** Looks at the log now, whatever the pause: somebody waits. */
  wake: () => void
  /** Ends the loop after the batch in hand. */
  stop: () => Promise<void>
}

/**
 * Runs the loop until it is stopped. Errors are reported and tried again; the log waits. `onMoved` is called with every
 * register of which a projection has read on.
 */
export function startRunner(
  db: Database,
  registers: Registers,
  projections: readonly Projection[],
  onError: (error: unknown) => void,
  onMoved: (register: string) => void = () => {},
): Runner {
  const pauses = new Pauses()
  const stopping = new AbortController()
  const ended = loop(new Rounds({ db, registers, projections, onMoved }), pauses, stopping.signal, onError)
  return {
    logGrew: () => pauses.logGrew(),
    wake: () => pauses.hurry(),
    async stop() {
      stopping.abort()
      pauses.end()
      await ended
    },
  }
}

async function loop(rounds: Rounds, pauses: Pauses, stopped: AbortSignal, onError: (error: unknown) => void) {
  while (!stopped.aborted) {
    try {
      const beganAt = performance.now()
      pauses.beginRound()
      const last = await rounds.next(beganAt)
      await pauses.after(last, performance.now() - beganAt)
    } catch (error) {
      // A service that takes too long to stop closes its database before.
      if (stopped.aborted) return
      onError(error)
      await pauses.rest(AFTER_ERROR_MS)
    }
  }
}

type RoundsOf = {
  db: Database
  registers: Registers
  projections: readonly Projection[]
  onMoved: (register: string) => void
}

/** Rounds of steps: one of each projection in each register that is behind. */
class Rounds {
  readonly #of: RoundsOf
  // At once: this process may read what the one that stopped could not.
  #retriedAt = Number.NEGATIVE_INFINITY

  constructor(of: RoundsOf) {
    this.#of = of
  }

  /** The round that begins now; it says how far the furthest behind came. */
  async next(beganAt: number): Promise<StepResult> {
    const isRetry = beganAt - this.#retriedAt >= RETRY_STOPPED_MS
    if (isRetry) this.#retriedAt = beganAt
    const steps: StepResult[] = []
    // A step of each in turn: while the log grows fast, the first would never be done.
    for (const projection of this.#of.projections) steps.push(...(await this.#stepsOf(projection, isRetry)))
    return steps.includes('behind') ? 'behind' : steps.includes('atHead') ? 'atHead' : 'idle'
  }

  async #stepsOf(projection: Projection, isRetry: boolean): Promise<StepResult[]> {
    const { db, registers, onMoved } = this.#of
    const stopped = isRetry ? await registersBehind(db, projection, true) : []
    const goingOn = await registersBehind(db, projection, false)
    const steps: StepResult[] = []
    for (const [again, register] of [
      ...stopped.map((one) => [retry, one] as const),
      ...goingOn.map((one) => [advance, one] as const),
    ]) {
      const step = await again(db, registers, projection, register)
      steps.push(step)
      if (step !== 'idle') onMoved(register)
    }
    return steps
  }
}

/** How long to rest between rounds, and what ends a rest. */
class Pauses {
  #pause = new AbortController()
  #isIdle = false
  /** Somebody waits for what is behind. */
  #isHurried = false
  /** How often the log has grown since the last round began. */
  #growths = 0

  logGrew(): void {
    this.#growths += 1
    if (this.#isIdle) this.#pause.abort()
  }

  hurry(): void {
    this.#isHurried = true
    this.#pause.abort()
  }

  end(): void {
    this.#pause.abort()
  }

  beginRound(): void {
    this.#growths = 0
  }

  async rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#pause.signal }).catch(() => {})
    this.#pause = new AbortController()
  }

  /** Rests after a round that took so long. */
  async after(last: StepResult, roundMs: number): Promise<void> {
    if (last === 'idle') {
      this.#isIdle = true
      // What was recorded since the round began may have been missed by it.
      if (this.#growths === 0) await this.rest(Math.max(IDLE_MS, IDLE_FACTOR * roundMs))
      this.#isIdle = false
    } else if (this.#growths >= UNDER_LOAD && !this.#isHurried) {
      await this.rest(Math.min(MAX_YIELD_MS, Math.max(GATHER_MS, YIELD * roundMs)))
    } else if (last === 'atHead') await this.rest(GATHER_MS)
    if (last !== 'behind') this.#isHurried = false
  }
}

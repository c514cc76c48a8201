// When to poll next: one poll at a time, none sooner than a rest that the last one has earned.

/** A poll that takes long is followed by a pause of so many times as long: polling never is the main work. */
const REST_FACTOR = 10

export class PollSchedule {
  readonly #poll: () => Promise<number>
  #timer: NodeJS.Timeout | null = null
  #dueAt = Number.POSITIVE_INFINITY
  #restUntil = 0
  #polling: Promise<void> | null = null
  #isStopped = false

  /** `poll` polls once, asks for the next, and says how many milliseconds that may not come before. */
  constructor(poll: () => Promise<number>) {
    this.#poll = poll
  }

  /** Sees to it that there is a poll after so many milliseconds at the latest. */
  within(ms: number): void {
    const now = performance.now()
    const dueAt = Math.max(now + ms, this.#restUntil)
    if (this.#isStopped || dueAt >= this.#dueAt) return
    this.#dueAt = dueAt
    if (this.#polling) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    // Polling alone keeps no process alive.
    this.#timer = setTimeout(() => this.#run(), dueAt - now).unref()
  }

  #run(): void {
    this.#timer = null
    this.#dueAt = Number.POSITIVE_INFINITY
    const from = performance.now()
    this.#polling = this.#poll().then((leastMs) => {
      const now = performance.now()
      this.#polling = null
      this.#restUntil = now + Math.max(leastMs, REST_FACTOR * (now - from))
      // Asked for while it polled: by now it may have to wait for the rest.
      const dueAt = this.#dueAt
      this.#dueAt = Number.POSITIVE_INFINITY
      if (dueAt < Number.POSITIVE_INFINITY) this.within(dueAt - now)
    })
  }

  /** Ends polling, after the poll in hand. */
  async stop(): Promise<void> {
    this.#isStopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#polling
  }
}

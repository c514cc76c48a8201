// One follower: a connection that takes server-sent events at its own pace.

import type { ServerResponse } from 'node:http'
import { type ProblemWord, problemStatus, problemTitle, problemType } from '../../kernel/problem-words.ts'

/** How long the last words to a follower may take: one that was too slow is given time, a service that stops has none. */
const LAST_WORDS_MS = 10_000
const LAST_WORDS_AT_STOP_MS = 1_000

/** No event, as it has no data: only where the client goes on from. What it does not want is not looked at again then. */
export function placeFrame(position: number): string {
  return position >= 0 ? `id: ${position}\n\n` : '\n'
}

/** A "no" in the middle of a stream. */
export function problemFrame(word: ProblemWord, detail: string): string {
  const problem = { type: problemType(word), title: problemTitle(word), status: problemStatus(word), detail }
  return `event: problem\ndata: ${JSON.stringify(problem)}\n\n`
}

type Piece = string | Uint8Array

/** One connection. */
export class Follower {
  readonly #response: ServerResponse
  readonly #slowMs: number
  isOpen = true
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>
  #wroteAt = performance.now()
  #unwritten: readonly Piece[] = []
  /** Woken since the last look at the log began: then it does not rest. */
  #isWoken = false
  /** Ends the rest, and the wait for the client, where there is one. */
  #endRest: () => void = () => {}
  #endWait: (isDrained: boolean) => void = () => {}

  constructor(response: ServerResponse, slowMs: number) {
    this.#response = response
    this.#slowMs = slowMs
    response.on('drain', () => this.#endWait(true))
    this.gone = new Promise((resolve) => response.on('close', resolve))
    response.on('close', () => this.#stop())
    response.on('error', () => this.#stop())
  }

  #stop(): void {
    this.isOpen = false
    this.#endRest()
    this.#endWait(false)
  }

  wake(): void {
    this.#isWoken = true
    this.#endRest()
  }

  /** To be called before each look at the log: what wakes the follower from here on is not part of that look. */
  beginLook(): void {
    this.#isWoken = false
  }

  /** For how long nothing has been written. */
  get quietMs(): number {
    return performance.now() - this.#wroteAt
  }

  /** Resolves after so long, or when it is woken or closed; at once where it was woken since the last look began. */
  rest(ms: number): Promise<void> {
    if (!this.isOpen || this.#isWoken) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#endRest(), ms)
      this.#endRest = () => {
        clearTimeout(timer)
        this.#endRest = () => {}
        resolve()
      }
    })
  }

  /**
   * Writes piece by piece, at the pace of the client; the last piece ends a frame, others need not. False where the client has
   * gone, or takes nothing: then it is cut off.
   */
  async write(...pieces: readonly Piece[]): Promise<boolean> {
    this.#unwritten = pieces
    while (this.isOpen) {
      const [piece, ...rest] = this.#unwritten
      if (piece === undefined) return true
      this.#unwritten = rest
      this.#wroteAt = performance.now()
      if (!this.#response.write(piece) && !(await this.#drained())) this.#cutOff()
    }
    return false
  }

  #drained(): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#endWait(false), this.#slowMs)
      this.#endWait = (isDrained) => {
        clearTimeout(late)
        this.#endWait = () => {}
        resolve(isDrained)
      }
    })
  }

  /** Tells why, where it can still be told, and closes. */
  #cutOff(): void {
    this.end(problemFrame('too-slow', `nothing was taken for ${this.#slowMs / 1_000} s: connect again`), LAST_WORDS_MS)
  }

  end(lastWords: string, withinMs = LAST_WORDS_AT_STOP_MS): void {
    if (!this.isOpen) return
    // What was begun is ended first: whatever followed half an event would end it as a whole one.
    for (const piece of this.#unwritten) this.#response.write(piece)
    this.#response.end(lastWords)
    // What is not taken now never will be.
    const cut = setTimeout(() => this.#response.destroy(), withinMs)
    this.#response.on('close', () => clearTimeout(cut))
    this.#stop()
  }
}

// The worker threads of a replay: each folds one part after the other until none is left.

import { Worker } from 'node:worker_threads'
import { UnreadableEventError } from '../../domain/repairs.ts'
import type { OnProgress } from '../core/projection.ts'
import type { PartWork } from './part.ts'
import { ReplayOvertakenError, type ReplayPart } from './progress.ts'
import type { FromWorker, ToWorker, WorkerData } from './worker.ts'

// Under its own extension: as source, or as published.
const FILE = new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)
/** Room for what a chunk leaves behind, so that little of it is looked at twice. */
const YOUNG_MB = 32
const HEAP_MB = 256

/** Something went wrong in a worker; its stack is the worker's. */
class WorkerError extends Error {
  readonly code: string | null

  constructor(stack: string, code: string | null) {
    super(stack)
    this.code = code
  }
}

function errorOf(message: FromWorker): Error | null {
  if ('unreadable' in message) return new UnreadableEventError(message.unreadable, message.why)
  if ('overtaken' in message) return new ReplayOvertakenError()
  return 'failed' in message ? new WorkerError(message.failed, message.code) : null
}

/** Threads that stay for as long as they are needed: to start one costs what it folds in a second. */
export class Workers {
  readonly #workers: Worker[]

  constructor(connectionString: string, count: number) {
    const workerData: WorkerData = { connectionString }
    const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MB, maxOldGenerationSizeMb: HEAP_MB }
    this.#workers = Array.from({ length: count }, () => new Worker(FILE, { workerData, resourceLimits }))
    // What breaks a worker is told where a part is folded.
    for (const worker of this.#workers) worker.on('error', () => {})
  }

  /** Folds the parts of a register. Rejects with what the first worker met that could not go on, when all have paused. */
  async fold(work: PartWork, parts: readonly ReplayPart[], onProgress: OnProgress, signal: AbortSignal): Promise<void> {
    const left = [...parts]
    let failure: Error | null = null
    const one = async (worker: Worker) => {
      for (let part = left.shift(); part && !failure && !signal.aborted; part = left.shift()) {
        try {
          await foldPart(worker, { fold: part, of: work }, onProgress)
        } catch (error) {
          failure ??= error as Error
        }
      }
    }
    const stop = () => this.#tell({ stop: true })
    signal.addEventListener('abort', stop)
    await Promise.all(this.#workers.map(one))
    signal.removeEventListener('abort', stop)
    if (failure) throw failure
  }

  #tell(message: ToWorker): void {
    for (const worker of this.#workers) worker.postMessage(message)
  }

  /** Ends the threads after the chunks in hand. */
  async close(): Promise<void> {
    const ended = this.#workers.map((worker) =>
      worker.threadId === -1 ? null : new Promise((resolve) => worker.once('exit', resolve)),
    )
    this.#tell({ stop: true })
    await Promise.all(ended)
  }
}

function foldPart(worker: Worker, message: ToWorker, onProgress: OnProgress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const hear = (message: FromWorker) => {
    if ('folded' in message) onProgress(message.folded)
    else if ('done' in message) resolve()
    else reject(errorOf(message))
  }
  const fail = (error: Error) => reject(error)
  const end = () => reject(new WorkerError('a worker thread ended', null))
  worker.on('message', hear).once('error', fail).once('exit', end)
  worker.postMessage(message)
  return promise.finally(() => worker.off('message', hear).off('error', fail).off('exit', end))
}

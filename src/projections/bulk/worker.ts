// The worker thread of a replay: folds the parts that it is given, one after the other, over a connection of its own.

import { parentPort, workerData } from 'node:worker_threads'
import { openSingle } from '../../database/pool.ts'
import { UnreadableEvent } from '../../domain/repairs.ts'
import { PartFolder, type Work } from './part.ts'
import type { Part } from './progress.ts'

export type WorkerData = { connectionString: string; work: Work }
/** What the worker is told: a part to fold, or to stop after the chunk in hand. */
export type ToWorker = { fold: Part } | { stop: true }
/** What it tells: events that are written, that a part is done, or why it cannot go on. */
export type FromWorker =
  | { folded: number }
  | { done: number }
  | { unreadable: { position: number; message: string } }
  | { failed: string }

// Safe: started by workers.ts alone.
const { connectionString, work } = workerData as WorkerData
const port = parentPort as NonNullable<typeof parentPort>
const tell = (message: FromWorker) => port.postMessage(message)

function explain(error: unknown): FromWorker {
  if (error instanceof UnreadableEvent) return { unreadable: { position: error.position, message: error.message } }
  return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

let isStopped = false
const connection = await openSingle(connectionString)
const folder = new PartFolder(connection, work)
let folding = Promise.resolve()

async function fold(part: Part): Promise<void> {
  try {
    await folder.run(
      part,
      () => isStopped,
      (events) => tell({ folded: events }),
    )
    tell({ done: part.part })
  } catch (error) {
    tell(explain(error))
  }
}

port.on('message', (message: ToWorker) => {
  if ('fold' in message) folding = fold(message.fold)
  else {
    isStopped = true
    folding.then(() => connection.close()).finally(() => port.close())
  }
})

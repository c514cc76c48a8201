// The worker thread of a replay: folds the parts that it is given, one after the other, over a connection of its own.

import { parentPort, workerData } from 'node:worker_threads'
import { openSingle, type SingleConnection } from '../../database/pool.ts'
import { UnreadableEventError } from '../../domain/repairs.ts'
import { PartFolder, type PartWork } from './part.ts'
import { ReplayOvertakenError, type ReplayPart } from './progress.ts'

export type WorkerData = { connectionString: string }
/** What the worker is told: a part of a register to fold, or to stop after the chunk in hand. */
export type ToWorker = { fold: ReplayPart; of: PartWork } | { stop: true }
/** What it tells: events that are written, that the part is done (or left, because it is to stop), why it cannot go on. */
export type FromWorker =
  | { folded: number }
  | { done: true }
  | { unreadable: UnreadableEventError['event']; why: string | null }
  | { overtaken: true }
  | { failed: string; code: string | null }

// Safe: started by workers.ts alone.
const { connectionString } = workerData as WorkerData
const port = parentPort as NonNullable<typeof parentPort>
const tell = (message: FromWorker) => port.postMessage(message)

function explain(error: unknown): FromWorker {
  if (error instanceof UnreadableEventError) return { unreadable: error.event, why: error.why }
  if (error instanceof ReplayOvertakenError) return { overtaken: true }
  // Safe: whatever was thrown may have these.
  const { message, stack, code } = error as { message?: string; stack?: string; code?: string }
  return { failed: stack ?? message ?? String(error), code: code ?? null }
}

let isStopped = false
let connection: SingleConnection | null = null
let folder: PartFolder | null = null
let folding = Promise.resolve()

async function fold(part: ReplayPart, work: PartWork): Promise<void> {
  try {
    connection ??= await openSingle(connectionString)
    if (folder?.work.register !== work.register) folder = new PartFolder(connection, work)
    await folder.run(
      part,
      () => isStopped,
      (events) => tell({ folded: events }),
    )
    tell({ done: true })
  } catch (error) {
    tell(explain(error))
  }
}

port.on('message', (message: ToWorker) => {
  if ('fold' in message) folding = fold(message.fold, message.of)
  else {
    isStopped = true
    folding.then(() => connection?.close()).finally(() => port.close())
  }
})

// Recording: what is known → admit → append, the one place where effects meet rules. Five nouns:
//
//   group      events that are recorded all or none
//   recording  what one caller asks for: groups, each on its own
//   batch      recordings to one register that are written together: one transaction, one flush to disk
//   round      one try to write what is left of a batch (round.ts), by what is known (knowledge.ts)
//   outcome    what became of one event (admission.ts)
//
// Here recordings wait: those that arrive while a batch is being written are the next batch.

import type { Database } from '../database/pool.ts'
import { isDatabaseUnavailable } from '../database/unavailable.ts'
import type { RecordingKey } from '../eventlog/keys.ts'
import type { Registers } from '../registers/registers.ts'
import type { EventOutcome, Group } from './admission.ts'
import { createMemory } from './knowledge.ts'
import { createInFlight, type KeyedRecording, type OnceOutcome, once } from './once.ts'
import { type Recording, type RoundContext, recordBatch } from './round.ts'

/** More waits to be recorded than the service takes on. */
export class QueueFullError extends Error {}

export type RecorderOptions = Pick<RoundContext, 'now'> & Partial<Pick<RoundContext, 'onRecorded'>>

type RecordOptions = {
  /** How many bytes the groups came in: so much memory they hold while they wait. */
  bytes?: number
  /** Kept with what the only group records, in the same transaction. */
  key?: RecordingKey | null
}

export type Recorder = {
  /**
   * Records groups, each on its own; resolves when all is durable, with an outcome for every event of every group. Rejects
   * with QueueFullError where too much waits already, and with KeyTakenError.
   */
  record: (
    register: string,
    groups: readonly Group[],
    recordedBy: string,
    options?: RecordOptions,
  ) => Promise<EventOutcome[][]>
  /** Records a group at most once under its key. `bytes` is how many the request had. */
  recordOnce: (recording: KeyedRecording & { group: Group; bytes: number }) => Promise<OnceOutcome>
}

/** Events of a batch, unless its first recording has more. */
const MAX_BATCH = 1_000
/** What may wait for one register, and for all of them together. */
const MAX_WAITING = 20_000
const MAX_WAITING_BYTES = 16 * 2 ** 20
const MAX_WAITING_BYTES_IN_ALL = 32 * 2 ** 20

/** A recording in the queue; `size` counts its events. */
type Waiting = Recording & { size: number; bytes: number }

/** What waits for one register, with the sums of its sizes and bytes. */
type Queue = { waiting: Waiting[]; size: number; bytes: number }

/** Creates the recorder of a service process. Several processes may record to the same registers side by side. */
export function createRecorder(
  db: Database,
  registers: Registers,
  { now, onRecorded = () => {} }: RecorderOptions,
): Recorder {
  const queues = new Map<string, Queue>()
  const context = { db, memory: createMemory(registers), now, onRecorded }
  const inFlight = createInFlight()

  const record: Recorder['record'] = (register, groups, recordedBy, { bytes = 0, key = null } = {}) =>
    new Promise((resolve, reject) => {
      const size = groups.reduce((sum, group) => sum + group.length, 0)
      enqueue(context, queues, register, { groups, recordedBy, key, size, bytes, resolve, reject })
    })

  return {
    record,
    recordOnce({ group, bytes, ...keyed }) {
      const { register, recordedBy, key } = keyed
      return inFlight(keyed, () =>
        once(db, now, keyed, async () => (await record(register, [group], recordedBy, { bytes, key }))[0] ?? []),
      )
    },
  }
}

/** Queues a recording; the first one of a queue begins to drain it. Throws QueueFullError. */
function enqueue(context: RoundContext, queues: Map<string, Queue>, register: string, waiting: Waiting): void {
  const known = queues.get(register)
  const queue = known ?? { waiting: [], size: 0, bytes: 0 }
  const bytesInAll = [...queues.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  if (isFull(queue, bytesInAll, waiting)) throw new QueueFullError()
  queue.waiting.push(waiting)
  queue.size += waiting.size
  queue.bytes += waiting.bytes
  if (known) return
  queues.set(register, queue)
  drain(context, queues, register, queue)
}

/** A register of which nothing waits takes on whatever comes first, however much waits for others. */
function isFull({ size, bytes }: Queue, bytesInAll: number, more: Waiting): boolean {
  if (size === 0) return false
  return (
    size + more.size > MAX_WAITING ||
    bytes + more.bytes > MAX_WAITING_BYTES ||
    bytesInAll + more.bytes > MAX_WAITING_BYTES_IN_ALL
  )
}

/** Writes batch after batch until nothing waits, and ends the queue in the same turn, so that nothing is added to it then. */
async function drain(context: RoundContext, queues: Map<string, Queue>, register: string, queue: Queue): Promise<void> {
  while (queue.waiting.length > 0) {
    const failure = await recordBatch(context, register, takeBatch(queue))
    // Else batch after batch would wait in vain for a database that is away, and callers for all of them.
    if (failure !== null && isDatabaseUnavailable(failure)) for (const { reject } of takeAll(queue)) reject(failure)
  }
  queues.delete(register)
}

function takeBatch(queue: Queue): Waiting[] {
  let size = 0
  const rest = queue.waiting.findIndex((waiting, index) => {
    size += waiting.size
    return index > 0 && size > MAX_BATCH
  })
  const batch = queue.waiting.splice(0, rest < 0 ? queue.waiting.length : rest)
  for (const waiting of batch) {
    queue.size -= waiting.size
    queue.bytes -= waiting.bytes
  }
  return batch
}

function takeAll(queue: Queue): Waiting[] {
  Object.assign(queue, { size: 0, bytes: 0 })
  return queue.waiting.splice(0)
}

// Recording: load -> fold -> admit -> append, the one place where effects meet rules. Recordings to a register that arrive
// while one is being written are gathered and written together: one transaction, one flush to disk.

import {
  admitGroup,
  type BatchKnowledge,
  beginRound,
  type Decision,
  type Draft,
  type Group,
  isFailure,
  type Outcome,
} from './admission.ts'
import type { Database } from './database/pool.ts'
import { REGISTER_STREAM, type StoredEvent } from './domain/event.ts'
import { isRepair } from './domain/repairs.ts'
import { type Appended, append } from './eventlog/append.ts'
import { loadByIds, loadStreams } from './eventlog/load.ts'
import type { Registers } from './registers.ts'

/** More events wait than the service takes on. */
export class QueueFull extends Error {}

export type RecorderOptions = {
  /** The service's clock: milliseconds since the epoch. */
  now: () => number
  /** Called after events were written. */
  onRecorded?: () => void
}

export type Recorder = {
  /** Records groups, each on its own; resolves when all is durable, with an outcome for every event of every group. */
  record: (register: string, groups: readonly Group[], recordedBy: string) => Promise<Outcome[][]>
}

const MAX_BATCH = 1_000
const MAX_WAITING = 20_000
/** Writers in other processes can get ahead between admission and append; each round at least one of them wins. */
const MAX_ROUNDS = 100

type Waiting = {
  groups: readonly Group[]
  recordedBy: string
  resolve: (outcomes: Outcome[][]) => void
  reject: (error: unknown) => void
}

function sizeOf(waiting: Waiting): number {
  return waiting.groups.reduce((sum, group) => sum + group.length, 0)
}

/** Creates the recorder of a service process. Several processes may record to the same registers side by side. */
export function createRecorder(db: Database, registers: Registers, options: RecorderOptions): Recorder {
  const queues = new Map<string, Waiting[]>()

  async function drain(register: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const batch = takeBatch(queue)
      try {
        const groups = batch.flatMap((waiting) => waiting.groups.map((group) => ({ group, by: waiting.recordedBy })))
        const outcomes = await recordGroups(db, registers, options.now, register, groups)
        options.onRecorded?.()
        for (const waiting of batch) waiting.resolve(outcomes.splice(0, waiting.groups.length))
      } catch (error) {
        for (const waiting of batch) waiting.reject(error)
      }
    }
    queues.delete(register)
  }

  return {
    record(register, groups, recordedBy) {
      return new Promise((resolve, reject) => {
        const queue = queues.get(register)
        const waiting = { groups, recordedBy, resolve, reject }
        if (!queue) {
          const first = [waiting]
          queues.set(register, first)
          drain(register, first)
        } else if (queue.reduce((sum, other) => sum + sizeOf(other), sizeOf(waiting)) > MAX_WAITING) {
          reject(new QueueFull())
        } else {
          queue.push(waiting)
        }
      })
    },
  }
}

function takeBatch(queue: Waiting[]): Waiting[] {
  let size = 0
  const rest = queue.findIndex((waiting, index) => {
    size += sizeOf(waiting)
    return index > 0 && size > MAX_BATCH
  })
  return queue.splice(0, rest < 0 ? queue.length : rest)
}

type Submitted = { group: Group; by: string }

async function recordGroups(
  db: Database,
  registers: Registers,
  now: () => number,
  register: string,
  submitted: readonly Submitted[],
): Promise<Outcome[][]> {
  const outcomes: Outcome[][] = submitted.map(() => [])
  let open = [...submitted.keys()]
  for (let round = 0; open.length > 0; round += 1) {
    if (round === MAX_ROUNDS) throw new Error(`could not append to ${register}: others were always first`)
    const groups = open.map((index) => submitted[index] as Submitted)
    const decided = await recordOnce(db, registers, now, register, groups)
    const again: number[] = []
    for (const [place, index] of open.entries()) {
      const outcome = decided[place]
      if (outcome) outcomes[index] = outcome
      else again.push(index)
    }
    open = again
  }
  return outcomes
}

/** One round: admits what is known and appends what was admitted. Null for groups whose knowledge was overtaken. */
async function recordOnce(
  db: Database,
  registers: Registers,
  now: () => number,
  register: string,
  submitted: readonly Submitted[],
): Promise<(Outcome[] | null)[]> {
  const at = now()
  const round = beginRound(await loadKnowledge(db, registers, register, submitted), at)
  const drafts = submitted.map(({ group, by }) => admitGroup(round, group, by))
  if (round.events.length === 0) return drafts.map((draft) => draft?.map(settled) ?? null)
  const appended = await append(db, {
    register,
    open: !round.known,
    now: at,
    ownRevision: round.known?.head.ownRevision ?? 0,
    events: round.events,
  })
  let isOvertaken = false
  return drafts.map((draft) => {
    const group = draft?.map((item) => (item.kind === 'draft' ? conclude(item, appended) : item))
    // A refusal may rest on an earlier group that was not appended in the end: it is decided again with that group.
    if (group && !group.includes(null) && !(isOvertaken && group.some((item) => item && isFailure(item)))) {
      return group as Outcome[]
    }
    isOvertaken = true
    return null
  })
}

function settled(decision: Decision): Outcome {
  if (decision.kind === 'draft') throw new Error('an admitted event was not appended')
  return decision
}

function conclude({ index, id, isRepeat }: Draft, appended: readonly Appended[]): Outcome | null {
  const outcome = appended[index]
  if (outcome?.kind !== 'appended') return null
  const { position, revision, recordedAt } = outcome
  return { kind: isRepeat ? 'alreadyRecorded' : 'recorded', position, id, revision, recordedAt }
}

function idsOf(submitted: readonly Submitted[]): string[] {
  const ids = new Set<string>()
  for (const { group } of submitted) {
    for (const { id, type, data } of group) {
      if (id) ids.add(id)
      // Safe: every repair has an `event`, validated as an id.
      if (isRepair(type)) ids.add((data as { event: string }).event)
    }
  }
  return [...ids]
}

async function loadKnowledge(
  db: Database,
  registers: Registers,
  register: string,
  submitted: readonly Submitted[],
): Promise<BatchKnowledge> {
  const names = new Set(submitted.flatMap(({ group }) => group.map((event) => event.stream)))
  names.delete(REGISTER_STREAM)
  const ids = idsOf(submitted)
  // Side by side, and so perhaps of different moments: append sees to it that each is still true when it writes.
  const [known, loaded, named] = await Promise.all([
    registers.read(db, register),
    names.size > 0 ? loadStreams(db, register, [...names]) : [],
    ids.length > 0 ? loadByIds(db, register, ids) : [],
  ])
  const streams = new Map<string, StoredEvent[]>(Map.groupBy(loaded, (event) => event.stream))
  streams.set(REGISTER_STREAM, [...(known?.events ?? [])])
  return { known, streams, byId: new Map(named.map((event) => [event.id, event])) }
}

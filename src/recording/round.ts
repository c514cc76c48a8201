// A batch is written in rounds: what is known → admit → append. The first round goes by memory, without a read. Append
// re-checks the revisions that admission went by, under the register's row; groups whose revisions were overtaken go into the
// next round, which reads the log anew.

import type { Database, Queryable } from '../database/pool.ts'
import { type Appended, append, lockRegister, type NewEvent, type NewEvents } from '../eventlog/append.ts'
import { KeyTakenError, keepKeys, type RecordingKey } from '../eventlog/keys.ts'
import {
  type AdmittedEvent,
  type AdmittedRound,
  admitGroups,
  type Decision,
  type EventOutcome,
  type Group,
  isFailure,
  type KnownLog,
} from './admission.ts'
import { type Memory, readLog, recallLog, remember } from './knowledge.ts'

/** What one caller asks to record: groups, each on its own. */
export type Recording = {
  groups: readonly Group[]
  recordedBy: string
  /** Kept with what the only group records, in the same transaction. */
  key: RecordingKey | null
  /** Called when all is durable, with an outcome for every event of every group. */
  resolve: (outcomes: EventOutcome[][]) => void
  reject: (error: unknown) => void
}

/** What the rounds of a process go by. */
export type RoundContext = {
  db: Database
  memory: Memory
  /** The service's clock: milliseconds since the epoch. */
  now: () => number
  /** Called after events were written, with the size that the register has reached at least. */
  onRecorded: (register: string, size: number) => void
}

/**
 * Writers in other processes can get ahead between admission and append, and of a large batch they always do. From this round
 * on the register's row is locked before anything is read, so that nobody does.
 */
const LOCKED_FROM_ROUND = 3
/** Only where a register is opened by others, and is not there to be locked, may a locked round be overtaken. */
const MAX_ROUNDS = 20

/** A group of a batch, and its outcomes once they are final. */
type BatchGroup = { group: Group; recording: Recording; outcomes: EventOutcome[] | null }

/** A recording of which some groups are not final. */
type OpenRecording = { recording: Recording; groups: BatchGroup[] }

/** Records a batch and tells each caller what became of its groups as soon as that is final; returns why some failed, or null. */
export async function recordBatch(
  context: RoundContext,
  register: string,
  batch: readonly Recording[],
): Promise<unknown> {
  let failure: unknown = null
  let open = batch.map((recording): OpenRecording => {
    return { recording, groups: recording.groups.map((group) => ({ group, recording, outcomes: null })) }
  })
  for (let round = 0; open.length > 0; round += 1) {
    try {
      const groups = open.flatMap((one) => one.groups.filter(({ outcomes }) => outcomes === null))
      await recordRound(context, register, groups, round)
    } catch (error) {
      failure = error
      open = rejectFailed(open, error)
    }
    open = resolveFinished(open)
  }
  return failure
}

/** Rejects the recordings that failed, and returns the others: where keys were taken, those alone have failed. */
function rejectFailed(open: readonly OpenRecording[], error: unknown): OpenRecording[] {
  return open.filter(({ recording }) => {
    const { key, reject } = recording
    if (!(error instanceof TakenKeysError)) reject(error)
    else if (key && error.keys.has(key)) reject(new KeyTakenError())
    else return true
    return false
  })
}

/** Resolves the recordings of which every group is final, and returns the others. */
function resolveFinished(open: readonly OpenRecording[]): OpenRecording[] {
  return open.filter(({ recording, groups }) => {
    const final = groups.flatMap(({ outcomes }) => (outcomes === null ? [] : [outcomes]))
    if (final.length < groups.length) return true
    recording.resolve(final)
    return false
  })
}

/** What a round came to: the outcomes of each group, null where they are not final, and what was appended. */
type RoundResult = {
  known: KnownLog
  events: readonly NewEvent[]
  appended: readonly Appended[]
  outcomes: (EventOutcome[] | null)[]
}

/** One round: writes what is admitted of some groups, and gives those their outcomes of which they are final. */
async function recordRound(
  context: RoundContext,
  register: string,
  groups: readonly BatchGroup[],
  number: number,
): Promise<void> {
  if (number === MAX_ROUNDS) throw new Error(`could not append to ${register}: others were always first`)
  const { known, events, appended, outcomes } =
    number < LOCKED_FROM_ROUND
      ? await tryRound(context, context.db, register, groups, number === 0)
      : await lockedRound(context, register, groups)
  for (const [index, group] of groups.entries()) group.outcomes = outcomes[index] ?? null
  if (events.length === 0) return
  remember(context.memory, register, known, events, appended)
  const last = appended.findLast((outcome) => outcome.kind === 'appended')
  if (last) context.onRecorded(register, last.position + 1)
}

/** A round that nobody overtakes: what it goes by is read under the register's row, in the transaction that appends. */
function lockedRound(context: RoundContext, register: string, groups: readonly BatchGroup[]): Promise<RoundResult> {
  return context.db.transaction().execute(async (tx) => {
    await lockRegister(tx, register)
    return tryRound(context, tx, register, groups, false)
  })
}

async function tryRound(
  { memory, now: clock }: RoundContext,
  db: Queryable,
  register: string,
  groups: readonly BatchGroup[],
  isFirst: boolean,
): Promise<RoundResult> {
  const now = clock()
  const asked = groups.flatMap(({ group }) => group)
  const recalled = isFirst ? await recallLog(db, memory, register, asked) : null
  const known = recalled ?? (await readLog(db, memory, register, asked))
  const { decisions, events } = admitGroups(known, now, groups, recalled !== null)
  const ownRevision = known.register?.head.ownRevision ?? 0
  const batch = { register, open: known.register === null, now, ownRevision, events }
  return { known, events, ...(await appendAdmitted(db, batch, groups, decisions)) }
}

/** Appends a round; the keys that came with it are kept in the same transaction. Throws TakenKeysError. */
async function appendAdmitted(
  db: Queryable,
  batch: NewEvents,
  groups: readonly BatchGroup[],
  decisions: AdmittedRound['decisions'],
): Promise<Pick<RoundResult, 'appended' | 'outcomes'>> {
  if (batch.events.length === 0 || !groups.some(({ recording }) => recording.key)) {
    const appended = batch.events.length === 0 ? [] : await append(db, batch)
    return { appended, outcomes: outcomesOf(decisions, appended) }
  }
  return inTransaction(db, async (tx) => {
    const appended = await append(tx, batch)
    const outcomes = outcomesOf(decisions, appended)
    const kept = groups.flatMap(({ recording: { key, recordedBy } }, index) => {
      const ofGroup = outcomes[index]
      return key && ofGroup?.some(({ kind }) => kind === 'recorded') ? [{ key, recordedBy, outcomes: ofGroup }] : []
    })
    const taken = await keepKeys(tx, batch.register, kept, batch.now)
    if (taken.length > 0) throw new TakenKeysError(taken)
    return { appended, outcomes }
  })
}

/** Others have taken these keys: nothing of the round was written. */
class TakenKeysError extends Error {
  readonly keys: ReadonlySet<RecordingKey>

  constructor(keys: Iterable<RecordingKey>) {
    super()
    this.keys = new Set(keys)
  }
}

function inTransaction<T>(db: Queryable, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work)
}

/** The outcomes of each group, null where append found that something had changed. */
function outcomesOf(decisions: AdmittedRound['decisions'], appended: readonly Appended[]): RoundResult['outcomes'] {
  let isOvertaken = false
  return decisions.map((ofGroup) => {
    const outcomes = ofGroup?.map((decision) => outcomeOf(decision, appended))
    // A refusal may rest on an earlier group that was not appended in the end: it is decided again with that group.
    if (outcomes && isFinal(outcomes) && !(isOvertaken && outcomes.some(isFailure))) return outcomes
    isOvertaken = true
    return null
  })
}

function isFinal(outcomes: (EventOutcome | null)[]): outcomes is EventOutcome[] {
  return !outcomes.includes(null)
}

function outcomeOf(decision: Decision, appended: readonly Appended[]): EventOutcome | null {
  if (decision.kind !== 'admitted') return decision
  const { index, id, isRepeat }: AdmittedEvent = decision
  const outcome = appended[index]
  if (outcome?.kind !== 'appended') return null
  const { position, revision, recordedAt } = outcome
  return { kind: isRepeat ? 'alreadyRecorded' : 'recorded', position, id, revision, recordedAt }
}

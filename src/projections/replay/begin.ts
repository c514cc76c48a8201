// Beginning a replay, or going on with the one that was interrupted where the same is asked for again.

import type { Database, Queryable } from '../../database/pool.ts'
import { listHeads } from '../../eventlog/heads.ts'
import { streamBounds } from '../../eventlog/streams.ts'
import { PROJECTIONS } from '../all.ts'
import { beginGeneration } from '../core/generations.ts'
import { type ProjectionName, VERSIONS } from '../core/versions.ts'
import {
  addOperation,
  changeOptions,
  type Operation,
  type ReplayRequest,
  readOperation,
  unfinishedOperation,
} from './operation.ts'
import { addRegister } from './progress.ts'
import { prepareFilling } from './tables.ts'

/** A part is a few seconds' work: what a worker that is done can still take from another. */
const PART_EVENTS = 20_000
const PARTS_AT_MOST = 256

/** What a replay was asked for, or is about, while another is under way. */
export class AnotherReplayError extends Error {
  readonly operation: Operation

  constructor(operation: Operation, isOtherwise = false) {
    const { id, projections, register } = operation
    super(
      `replay ${id} of ${projections.join(', ')} of ${register ?? 'all registers'} ${whyNot(operation, isOtherwise)}`,
    )
    this.operation = operation
  }
}

function whyNot(operation: Operation, isOtherwise: boolean): string {
  if (isOtherwise) return `is under way with other options, ${describeOptions(operation)}: wait, or cancel it first`
  if (operation.isOwned) return 'is under way'
  // Hours of work may be in it: it is given up only where somebody says so.
  return `has not ended: \`${commandOf(operation)}\` continues it, \`pledger replay --cancel\` cancels it`
}

/** The command that goes on with a replay as it was begun. */
export function commandOf({ projections, register, maxRate, dropPrevious }: ReplayRequest): string {
  const names = projections.length === Object.keys(VERSIONS).length ? [] : projections
  const options = [
    ...(register === null ? [] : ['--register', register]),
    ...(maxRate === null ? [] : ['--max-rate', maxRate]),
    ...(dropPrevious ? ['--drop-previous'] : []),
  ]
  return ['pledger', 'replay', ...names, ...options].join(' ')
}

/** The options of a replay in words. */
export function describeOptions({ maxRate, dropPrevious }: Pick<ReplayRequest, 'maxRate' | 'dropPrevious'>): string {
  const rate = maxRate === null ? 'as fast as it can' : `at ${maxRate.toLocaleString('en-US')} events/s at most`
  return `${rate}, ${dropPrevious ? 'dropping' : 'keeping'} the previous rows`
}

/** The projections that a replay of some brings with it: tallies are sums of periods. */
export function replayed(projections: readonly string[]): ProjectionName[] {
  const isNamed = (name: string) => projections.length === 0 || projections.includes(name)
  return PROJECTIONS.filter(({ name, follows }) => isNamed(name) || (follows && isNamed(follows.name))).map(
    ({ name }) => name,
  )
}

function hasOptions(operation: Operation, { maxRate, dropPrevious }: ReplayRequest): boolean {
  return operation.maxRate === maxRate && operation.dropPrevious === dropPrevious
}

/** Whether a replay is what a request asks for, be it with other options. */
export function isSameReplay(operation: Operation, { projections, register }: ReplayRequest): boolean {
  return operation.register === register && operation.projections.join() === projections.join()
}

/**
 * Begins a replay; or returns the one that was interrupted, where the same is asked for again: that goes on, with the options
 * of the new request. Throws AnotherReplayError where another has not ended, or the same is under way with other options.
 */
export async function beginReplay(db: Database, request: ReplayRequest): Promise<Operation> {
  const unfinished = await unfinishedOperation(db)
  if (unfinished && isSameReplay(unfinished, request)) return goOnWith(db, unfinished, request)
  if (unfinished) throw new AnotherReplayError(unfinished)
  const heads = (await listHeads(db)).filter(
    ({ register }) => request.register === null || register === request.register,
  )
  const bounds = new Map<string, string[]>()
  for (const { register, size } of heads) bounds.set(register, await boundsOf(db, register, size))
  const id = await anotherFirst(db, async (tx) => {
    const generation = await beginGeneration(tx, request.projections)
    if (request.projections.includes('commitments')) await prepareFilling(tx, generation)
    const operation = await addOperation(tx, request, generation)
    for (const { register, size } of heads) {
      await addRegister(tx, operation, { register, size, bounds: bounds.get(register) ?? [] })
    }
    return operation
  })
  // Safe: just written.
  return (await readOperation(db, id)) as Operation
}

async function goOnWith(db: Database, operation: Operation, request: ReplayRequest): Promise<Operation> {
  if (hasOptions(operation, request)) return operation
  const isChanged = await changeOptions(db, operation.id, request)
  // Safe: it was there before.
  const now = (await readOperation(db, operation.id)) as Operation
  if (!isChanged) throw new AnotherReplayError(now, true)
  return now
}

const UNIQUE_VIOLATION = '23505'

/** Writes a new operation; throws AnotherReplayError where another has begun at the same moment. */
async function anotherFirst(db: Database, write: (tx: Queryable) => Promise<string>): Promise<string> {
  try {
    return await db.transaction().execute(write)
  } catch (error) {
    // Safe: whatever was thrown may have a code.
    if ((error as { code?: string }).code !== UNIQUE_VIOLATION) throw error
    const other = await unfinishedOperation(db)
    throw other ? new AnotherReplayError(other) : error
  }
}

function boundsOf(db: Database, register: string, size: number): Promise<string[]> {
  const parts = Math.min(PARTS_AT_MOST, Math.ceil(size / PART_EVENTS))
  return parts > 1 ? streamBounds(db, register, size, parts) : Promise.resolve([])
}

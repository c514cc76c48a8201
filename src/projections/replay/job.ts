// One process's work on a replay, as its phases share it.

import type { Database, Queryable } from '../../database/pool.ts'
import type { KnownRegister, Registers } from '../../registers/registers.ts'
import { PROJECTIONS } from '../all.ts'
import { liveBuilds } from '../core/live.ts'
import type { Projection } from '../core/projection.ts'
import type { ProjectionName } from '../core/versions.ts'
import type { Operation } from './operation.ts'
import type { Phase, ReplayProgress } from './phases.ts'
import { type RegisterReplay, ReplayOvertakenError, readReplayedRegisters } from './progress.ts'

export type ReplayOptions = {
  connectionString: string
  /** Threads; as many as there are processors where null. */
  workers: number | null
  /** About how many events are folded and written in one transaction, where not as many as is fastest. */
  chunkEvents?: number
  /** Ends it, to be gone on with later. */
  signal: AbortSignal
  onProgress: (progress: ReplayProgress) => void
}

export type Job = {
  db: Database
  registers: Registers
  operation: Operation
  options: ReplayOptions
  report: ProgressReport
}

/** What is reported of a job: its phase, and how many events are done. */
export class ProgressReport {
  #done = 0
  #of = 0
  readonly #onProgress: ReplayOptions['onProgress']

  constructor(onProgress: ReplayOptions['onProgress']) {
    this.#onProgress = onProgress
  }

  /** Reports where the job stands before it begins. */
  begin({ phase, done, of }: ReplayProgress): void {
    this.#done = done
    this.#of = of
    this.phase(phase)
  }

  phase(phase: Phase): void {
    this.#onProgress({ phase, done: this.#done, of: this.#of })
  }

  /** Reports that so much more is done. */
  advance(phase: Phase, events: number): void {
    this.#done += events
    this.phase(phase)
  }
}

/** Whether a job builds a projection. */
export function builds({ operation }: Job, projection: ProjectionName): boolean {
  return operation.projections.includes(projection)
}

/** The projections that a job builds. */
export function projectionsOf(job: Job): Projection[] {
  return PROJECTIONS.filter(({ name }) => builds(job, name))
}

/** Throws ReplayOvertakenError where the job is to stop, or its lease is lost. */
export function checkLease({ options }: Job): void {
  if (options.signal.aborted) throw new ReplayOvertakenError()
}

/** How far the job is in each of its registers. */
export function jobRegisters({ db, operation }: Job): Promise<RegisterReplay[]> {
  return readReplayedRegisters(db, operation.id)
}

/** How far the job is in one of them. */
export async function jobRegister(job: Job, register: string): Promise<RegisterReplay> {
  const row = (await jobRegisters(job)).find((one) => one.register === register)
  if (!row) throw new ReplayOvertakenError()
  return row
}

export async function knownRegister({ registers }: Job, db: Queryable, register: string): Promise<KnownRegister> {
  const known = await registers.read(db, register)
  if (!known) throw new Error(`register ${register} is gone`)
  return known
}

/** The live rows of `periods`; generation 0 and size 0 where there are none. */
export async function livePeriods(db: Queryable, register: string): Promise<{ generation: number; size: number }> {
  return (await liveBuilds(db, register)).periods ?? { generation: 0, size: 0 }
}

// `pledger replay`: projections built anew beside the ones in use; `pledger drop-previous`: what they replaced goes.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Connection, connect } from '../database/connect.ts'
import type { Database } from '../database/pool.ts'
import { VERSIONS } from '../projections/core/versions.ts'
import {
  AnotherReplayError,
  beginReplay,
  describeOptions,
  isSameReplay,
  replayed,
} from '../projections/replay/begin.ts'
import { type Comparison, comparisons, tellDifference } from '../projections/replay/compare.ts'
import { cancelReplay, dropReplaced, type ReplayOutcome } from '../projections/replay/end.ts'
import {
  type Operation,
  type ReplayRequest,
  readOperation,
  SILENT_MS,
  unfinishedOperation,
} from '../projections/replay/operation.ts'
import { type Phase, type ReplayProgress, replayProgress } from '../projections/replay/phases.ts'
import { readReplayedRegisters } from '../projections/replay/progress.ts'
import { runReplay } from '../projections/replay/replay.ts'
import { createRegisters } from '../registers/registers.ts'
import {
  CommandError,
  configuration,
  counted,
  InterruptedError,
  positiveNumber,
  registerOption,
  showProgress,
  withDatabase,
} from './program.ts'
import { stopSignal } from './stop-signal.ts'

type Options = {
  register?: string
  maxRate?: number
  workers?: number
  dropPrevious?: boolean
  cancel?: boolean
  operation?: string
  compare: boolean
}

const LOOK_EVERY_MS = 250

const PHASES: Record<Phase, string> = {
  folding: 'folding',
  indexing: 'building indexes',
  sealing: 'rolling up tallies',
  catchingUp: 'catching up',
  live: 'live',
}

/** How fast a replay has been since it was `from`, and how long it will take as it goes; null where that is not known yet. */
function speedOf({ done, of }: ReplayProgress, from: ReplayProgress & { at: number }) {
  const eventsPerSecond = ((done - from.done) * 1_000) / Math.max(1, Date.now() - from.at)
  return eventsPerSecond > 0 ? { eventsPerSecond, secondsLeft: Math.ceil((of - done) / eventsPerSecond) } : null
}

function note(progress: ReplayProgress, speed: ReturnType<typeof speedOf>): string {
  if (!speed) return PHASES[progress.phase]
  const { eventsPerSecond, secondsLeft } = speed
  return `${PHASES[progress.phase]}, ${counted(Math.round(eventsPerSecond))} events/s, ${counted(secondsLeft)} s left`
}

async function requestOf({ db }: Connection, names: readonly string[], options: Options): Promise<ReplayRequest> {
  const { register = null, maxRate = null, dropPrevious = false } = options
  if (register !== null && !(await createRegisters().read(db, register))) {
    throw new CommandError(`there is no register ${register}`)
  }
  return { projections: replayed(names), register, maxRate, dropPrevious }
}

async function find(connection: Connection, names: readonly string[], options: Options): Promise<Operation> {
  const { db } = connection
  if (options.operation !== undefined) {
    const operation = await readOperation(db, options.operation)
    if (!operation) throw new CommandError(`there is no operation ${options.operation}`)
    await waitForLease(db, operation)
    return operation
  }
  const request = await requestOf(connection, names, options)
  const before = await unfinishedOperation(db)
  if (before && isSameReplay(before, request)) await waitForLease(db, before)
  const operation = await beginReplay(db, request)
  if (operation.id === before?.id) await sayGoingOn(db, before, operation)
  return operation
}

/**
 * Waits while another process seems to work on a replay: one that was killed is silent, and loses its lease. Throws
 * AnotherReplayError as soon as it says that it is there.
 */
async function waitForLease(db: Database, operation: Operation): Promise<void> {
  if (!operation.isOwned) return
  const { id, heartbeatAt } = operation
  const lease = `a process that is silent for ${SILENT_MS / 1_000} s has lost it`
  process.stderr.write(`replay ${id} was at work a moment ago: waiting for a sign of its process (${lease})\n`)
  for (let now: Operation | null = operation; now?.isOwned; now = await readOperation(db, id)) {
    if (now.heartbeatAt?.getTime() !== heartbeatAt?.getTime()) throw new AnotherReplayError(now)
    await sleep(LOOK_EVERY_MS)
  }
}

/** Says where a replay goes on, and with which options where these are others than before. */
async function sayGoingOn(db: Database, before: Operation, operation: Operation): Promise<void> {
  const { done, of } = replayProgress(operation, await readReplayedRegisters(db, operation.id))
  const [was, is] = [describeOptions(before), describeOptions(operation)]
  const options = was === is ? '' : `, now ${is} (before: ${was})`
  process.stderr.write(`replay ${operation.id} goes on at ${counted(done)} of ${counted(of)} events${options}\n`)
}

type Stop = { signal: AbortSignal; name: NodeJS.Signals | null }

/** Ends the work at a signal, after the chunk in hand. */
function stopAtSignal(): Stop {
  const stopped = new AbortController()
  const stop: Stop = { signal: stopped.signal, name: null }
  stopSignal().then((name) => {
    stop.name = name
    stopped.abort()
  })
  return stop
}

/** Works on a replay and shows how it goes. */
async function work(
  connection: Connection,
  operation: Operation,
  workers: number | null,
  stop: Stop,
): Promise<ReplayOutcome> {
  const began = performance.now()
  let shown: ReturnType<typeof showProgress> | null = null
  let first: ReplayProgress | null = null
  let mark: (ReplayProgress & { at: number }) | null = null
  const onProgress = (progress: ReplayProgress) => {
    shown ??= showProgress('replay', progress.of, 'events', { tellsTimeLeft: true })
    first ??= progress
    // Measured from the first chunk on: threads take a while to start.
    if (progress.done > first.done) mark ??= { ...progress, at: Date.now() }
    shown.update(Math.floor(progress.done), note(progress, mark && speedOf(progress, mark)))
  }
  const { db, connectionString } = connection
  const registers = createRegisters()
  try {
    const options = { connectionString, workers, signal: stop.signal, onProgress }
    const outcome = await runReplay(db, registers, operation.id, options)
    if (stop.name !== null && outcome.state === 'running') throw new InterruptedError(stop.name)
    if (outcome.state === 'caughtUp') printEnd(operation, first, (performance.now() - began) / 1_000)
    return outcome
  } finally {
    // Safe: the compiler does not see that `onProgress` sets it.
    ;(shown as ReturnType<typeof showProgress> | null)?.stop()
  }
}

function printEnd({ projections }: Operation, first: ReplayProgress | null, seconds: number): void {
  const { done = 0, of = 0 } = first ?? {}
  const events = done === 0 ? counted(of) : `the last ${counted(of - done)} of ${counted(of)}`
  process.stdout.write(`${projections.join(', ')}: replayed ${events} events in ${seconds.toFixed(1)} s, live\n`)
}

function describeComparison({ size, sha256, isOfLog, before, isDifferent }: Comparison): string {
  const digest = `at ${counted(size)}: ${sha256}${isOfLog ? ' by the log, since more has been recorded' : ''}`
  if (before === null) return `${digest}, with nothing before to compare`
  return isDifferent ? `${digest}, DIFFERENT from before: ${before}` : `${digest}, as before`
}

/** Says what the new rows and those before come to. Throws CommandError where that is not the same. */
async function compare({ db }: Connection, operation: Operation, stop: Stop): Promise<void> {
  const different: Comparison[] = []
  try {
    for await (const comparison of comparisons(db, createRegisters(), operation, stop.signal)) {
      const { register, projection, isDifferent } = comparison
      process.stdout.write(`${register} ${projection} ${describeComparison(comparison)}\n`)
      if (isDifferent) different.push(comparison)
    }
  } catch (error) {
    if (stop.name === null) throw error
    throw new InterruptedError(
      stop.name,
      'interrupted: the new rows are live; the old ones are kept, and not all were compared',
    )
  }
  if (different.length > 0) throw new CommandError(await tellDifference(db, operation, different))
}

/** Compares what is live with what was before, and drops that where it is the same and asked for. */
async function conclude(connection: Connection, id: string, options: Options, stop: Stop): Promise<void> {
  // Safe: it was there before. Its options may have changed until it was taken up.
  const operation = (await readOperation(connection.db, id)) as Operation
  if (options.compare) await compare(connection, operation, stop)
  if (operation.dropPrevious) await dropReplaced(connection.db, operation.register)
}

async function run(names: readonly string[], options: Options): Promise<void> {
  const connection = await connect(configuration(), { mode: 'attach' })
  try {
    if (options.cancel) return await cancel(connection)
    const operation = await find(connection, names, options)
    const stop = stopAtSignal()
    const { state, failedBecause } = await work(connection, operation, options.workers ?? null, stop)
    if (state === 'caughtUp') await conclude(connection, operation.id, options, stop)
    if (state === 'failed') throw new CommandError(`stopped; the live rows stay: ${failedBecause}`)
    if (state === 'running') throw new CommandError('another process has gone on with this replay')
    if (state === 'cancelled') throw new CommandError('cancelled: what was built is dropped')
  } catch (error) {
    if (error instanceof AnotherReplayError) throw new CommandError(error.message)
    throw error
  } finally {
    await connection.close()
  }
}

async function cancel({ db }: Connection): Promise<void> {
  const operation = await unfinishedOperation(db)
  if (!operation || !(await cancelReplay(db, operation.id))) throw new CommandError('there is no replay to cancel')
  process.stdout.write(`cancelled the replay of ${operation.projections.join(', ')}\n`)
}

function projectionName(text: string, previous: readonly string[] = []): string[] {
  if (!Object.hasOwn(VERSIONS, text)) {
    throw new InvalidArgumentError(`expected one of ${Object.keys(VERSIONS).join(', ')}.`)
  }
  return [...previous, text]
}

export function replayCommand(program: Command): void {
  program
    .command('replay')
    .description(
      'build projections anew from the log beside the ones in use, then switch; continues an interrupted replay',
    )
    .argument('[projection...]', 'the projections; all by default', projectionName)
    .option('--register <id>', 'only this register', registerOption)
    .option(
      '--max-rate <events/s>',
      'fold at most so many events a second; rollups and catching up have no limit',
      positiveNumber,
    )
    .option('--workers <n>', 'how many threads; by default as many as there are processors', positiveNumber)
    .option('--drop-previous', 'delete the old rows after the switch, if the digests are equal')
    .option('--no-compare', 'do not compare the digests of the new and the old rows')
    .option('--cancel', 'cancel the unfinished replay, and delete the rows that it has built')
    .addOption(new Option('--operation <id>', 'continue this operation').hideHelp())
    .action((names: string[] = [], options: Options) => run(names, options))
}

async function dropPreviousRows(db: Database, register: string | null): Promise<void> {
  if (register !== null && !(await createRegisters().read(db, register)))
    throw new CommandError(`there is no register ${register}`)
  const { tables, rows } = await dropReplaced(db, register)
  const what = [...(tables.length > 0 ? [tables.join(', ')] : []), ...(rows > 0 ? [`${counted(rows)} rows`] : [])]
  process.stdout.write(what.length > 0 ? `dropped ${what.join(' and ')}\n` : 'nothing to drop\n')
}

export function dropPreviousCommand(program: Command): void {
  program
    .command('drop-previous')
    .description('delete the old rows that replays have kept')
    .option('--register <id>', 'only of this register', registerOption)
    .action(({ register = null }: { register?: string | null }) =>
      withDatabase(({ db }) => dropPreviousRows(db, register)),
    )
}

// `pledger replay`: projections built anew beside the ones in use; `pledger drop-previous`: what they replaced goes.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Connection, connect } from '../database/connect.ts'
import { type ProjectionName, VERSIONS } from '../kernel/projection-versions.ts'
import { type Operation, readOperation, readProgress } from '../projections/bulk/progress.ts'
import { projectionDigest } from '../projections/digest.ts'
import {
  AnotherReplay,
  beginReplay,
  cancelReplay,
  dropReplaced,
  type Outcome,
  type Phase,
  type ReplayProgress,
  replayed,
  runReplay,
  unfinishedReplay,
} from '../projections/replay.ts'
import { createRegisters } from '../registers.ts'
import {
  CommandError,
  configuration,
  counted,
  Interrupted,
  positiveNumber,
  registerId,
  showProgress,
  stopSignal,
  withDatabase,
} from './program.ts'

type Options = {
  register?: string
  maxRate?: number
  workers?: number
  dropPrevious?: boolean
  cancel?: boolean
  operation?: string
}

const PHASES: Record<Phase, string> = {
  folding: 'folding',
  indexing: 'building indexes',
  sealing: 'sealing tallies',
  catchingUp: 'catching up',
  live: 'live',
}

/** How fast a replay is, and how long it will take as it goes now. */
function pace({ done, of }: ReplayProgress, from: ReplayProgress & { at: number }) {
  const eventsPerSecond = ((done - from.done) * 1_000) / Math.max(1, Date.now() - from.at)
  return { eventsPerSecond, secondsLeft: eventsPerSecond > 0 ? Math.ceil((of - done) / eventsPerSecond) : null }
}

function note(progress: ReplayProgress, { eventsPerSecond, secondsLeft }: ReturnType<typeof pace>): string {
  const left = secondsLeft === null ? '' : `, ${counted(secondsLeft)} s left`
  return `${PHASES[progress.phase]}, ${counted(Math.round(eventsPerSecond))} events/s${left}`
}

async function find(connection: Connection, names: readonly string[], options: Options): Promise<Operation> {
  const { db } = connection
  if (options.operation !== undefined) {
    const operation = await readOperation(db, options.operation)
    if (!operation) throw new CommandError(`there is no operation ${options.operation}`)
    return operation
  }
  const { register = null } = options
  if (register !== null && !(await createRegisters().read(db, register))) {
    throw new CommandError(`there is no register ${register}`)
  }
  const { maxRate = null, dropPrevious = false } = options
  return beginReplay(db, { projections: replayed(names), register, maxRate, dropPrevious })
}

/** Works on a replay and shows how it goes; a signal stops it after the chunk in hand. */
async function work(connection: Connection, operation: Operation, { workers }: Options): Promise<Outcome> {
  const stopped = new AbortController()
  let stopping: NodeJS.Signals | null = null
  stopSignal().then((signal) => {
    stopping = signal
    stopped.abort()
  })
  const began = performance.now()
  let shown: ReturnType<typeof showProgress> | null = null
  let first: (ReplayProgress & { at: number }) | null = null
  const told = (progress: ReplayProgress) => {
    shown ??= showProgress('replay', progress.of, 'events')
    first ??= { ...progress, at: Date.now() }
    shown.update(Math.floor(progress.done), note(progress, pace(progress, first)))
  }
  const { db, connectionString } = connection
  const registers = createRegisters()
  try {
    const outcome = await runReplay(db, registers, operation.id, {
      connectionString,
      workers: workers ?? null,
      signal: stopped.signal,
      told,
    })
    if (stopping !== null && outcome.state === 'running') throw new Interrupted(stopping)
    if (outcome.state === 'caughtUp') printEnd(operation, first, (performance.now() - began) / 1_000)
    return outcome
  } finally {
    // Safe: the compiler does not see that `told` sets it.
    ;(shown as ReturnType<typeof showProgress> | null)?.stop()
  }
}

function printEnd({ projections }: Operation, first: ReplayProgress | null, seconds: number): void {
  const events = counted(first?.of ?? 0)
  process.stdout.write(`${projections.join(', ')}: replayed ${events} events in ${seconds.toFixed(1)} s, live\n`)
}

/** What the new rows and those that they replaced come to at one size; that is the same unless a fold has changed. */
async function printDigests({ db }: Connection, { id, dropPrevious }: Operation): Promise<void> {
  const registers = createRegisters()
  for (const { register, reached, previous } of await readProgress(db, id)) {
    for (const [name, build] of Object.entries(previous ?? {})) {
      // Safe: written from the names of projections. Commitments hold the newest state alone.
      const projection = name as ProjectionName
      const size = Math.min(reached, build.size)
      if (dropPrevious || size === 0 || (projection === 'commitments' && build.size !== reached)) continue
      const live = await projectionDigest(db, registers, { projection, register, size })
      const before = await projectionDigest(db, registers, { projection, register, size, build })
      const isSame = live.sha256 === before.sha256
      const digest = isSame ? `${live.sha256}, as before` : `${live.sha256}, before ${before.sha256}`
      process.stdout.write(`${register} ${name} at ${counted(size)}: ${digest}\n`)
    }
  }
}

async function run(names: readonly string[], options: Options): Promise<void> {
  const connection = await connect(configuration(), { mode: 'attach' })
  try {
    if (options.cancel) return await cancel(connection)
    const operation = await find(connection, names, options)
    const { state, failedBecause } = await work(connection, operation, options)
    if (state === 'caughtUp') await printDigests(connection, operation)
    if (state === 'failed') throw new CommandError(`stopped, and what is live stays: ${failedBecause}`)
    if (state === 'running') throw new CommandError('another process has gone on with this replay')
    if (state === 'cancelled') throw new CommandError('cancelled: what was built is dropped')
  } catch (error) {
    if (error instanceof AnotherReplay) throw new CommandError(error.message)
    throw error
  } finally {
    await connection.close()
  }
}

async function cancel({ db }: Connection): Promise<void> {
  const operation = await unfinishedReplay(db)
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
    .description('build projections anew from the log beside the ones in use, and switch; an interrupted one goes on')
    .argument('[projection...]', 'which: all without this', projectionName)
    .option('--register <id>', 'only this register', registerId)
    .option('--max-rate <events/s>', 'read no more events in a second', positiveNumber)
    .option('--workers <n>', 'threads; without this as many as there are processors', positiveNumber)
    .option('--drop-previous', 'drop what was live before as soon as the new rows are')
    .option('--cancel', 'give the unfinished replay up, and drop what it has built')
    .addOption(new Option('--operation <id>', 'go on with this operation').hideHelp())
    .action((names: string[] = [], options: Options) => run(names, options))
}

export function dropPreviousCommand(program: Command): void {
  program
    .command('drop-previous')
    .description('drop the rows that replays have replaced')
    .option('--register <id>', 'only of this register', registerId)
    .action(({ register = null }: { register?: string | null }) => withDatabase(({ db }) => dropReplaced(db, register)))
}

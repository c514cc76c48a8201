// What every command shares: the configuration, the database for as long as it lasts, and progress that fits its reader.

import { once } from 'node:events'
import { constants } from 'node:os'
import { SingleBar } from 'cli-progress'
import { InvalidArgumentError } from 'commander'
import { type Config, parseConfig } from '../config.ts'
import { type Connection, connect } from '../database/connect.ts'
import { slug } from '../domain/fields.ts'
import { createRecorder, type Recorder } from '../recording/recorder.ts'
import { createRegisters, type Registers } from '../registers/registers.ts'
import { stopSignal } from './stop-signal.ts'

/** A failure that the user can act on: its message is printed, the exit code is its own. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2 | 3

  constructor(message: string, exitCode: 1 | 2 | 3 = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** The configuration from the environment; throws CommandError with the one line that says what is wrong. */
export function configuration(): Config {
  const parsed = parseConfig(process.env)
  if (!parsed.ok) throw new CommandError(parsed.problem, 2)
  return parsed.config
}

/** The configuration of a process that does nothing but seal: it connects as the role that may. */
export function sealerConfiguration(): Config {
  const config = configuration()
  return { ...config, databaseUrl: config.sealerDatabaseUrl ?? config.databaseUrl }
}

/** The value of an option that is a whole number from 1 on; wrong usage where it is not. */
export function positiveNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('expected a whole number from 1 on.')
  return Number(text)
}

/** The value of an option that names a register; wrong usage where it cannot. */
export function registerOption(text: string): string {
  const parsed = slug.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError(`${parsed.error.issues[0]?.message}.`)
  return text
}

export type Session = Connection & { registers: Registers; recorder: Recorder }

const GOES_ON = 'interrupted: finished work is kept, and the same command continues it'

/** The command was ended by a signal: what it had recorded stays. */
export class InterruptedError extends Error {
  readonly exitCode: number

  constructor(signal: NodeJS.Signals, message = GOES_ON) {
    super(message)
    this.exitCode = 128 + constants.signals[signal]
  }
}

/** Runs a short command on the database and closes it afterwards, whatever happens. Throws InterruptedError at a signal. */
export async function withDatabase<T>(
  run: (session: Session) => Promise<T>,
  { config = configuration, mode = 'attach' }: { config?: () => Config; mode?: 'attach' | 'look' } = {},
): Promise<T> {
  const interrupted = stopSignal().then((signal) => Promise.reject(new InterruptedError(signal)))
  // A signal that comes before the race below is told by it.
  interrupted.catch(() => {})
  const connection = await connect(config(), { mode })
  const registers = createRegisters()
  const recorder = createRecorder(connection.db, registers, { now: Date.now })
  try {
    return await Promise.race([run({ ...connection, registers, recorder }), interrupted])
  } finally {
    shown?.stop()
    await connection.close()
  }
}

export type Progress = { update: (done: number, note: string) => void; stop: () => void }

const LINE_EVERY_MS = 2_000

/** The progress on the terminal, which hides the cursor until it is stopped. */
let shown: Progress | null = null

/**
 * A progress bar on a terminal, now and then a plain line elsewhere; both on standard error. Where the notes tell how
 * much time is left, the bar does not.
 */
export function showProgress(label: string, total: number, unit: string, { tellsTimeLeft = false } = {}): Progress {
  if (process.stderr.isTTY) {
    const bar = new SingleBar({
      format: `${label} {bar} {percentage} % | {note}${tellsTimeLeft ? '' : ' | {eta_formatted} left'}`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
    })
    bar.start(total, 0, { note: '' })
    shown = { update: (done, note) => bar.update(done, { note }), stop: () => bar.stop() }
    return shown
  }
  let last = Date.now()
  return {
    update(done, note) {
      if (Date.now() - last < LINE_EVERY_MS) return
      last = Date.now()
      const part = total > 0 ? ` of ${total}` : ''
      process.stderr.write(`${label}: ${done}${part} ${unit}, ${note}\n`)
    },
    stop() {},
  }
}

/** Nobody reads standard output any more, as with `| head`: the command ends, done. */
export class OutputClosedError extends Error {}

/** Writes to standard output at the pace of its reader. Throws OutputClosedError where there is none left. */
export async function writeOut(text: string): Promise<void> {
  const failure = () => {
    const { errored } = process.stdout as { errored: NodeJS.ErrnoException | null }
    if (!errored || errored.code === 'EPIPE') return new OutputClosedError()
    return new CommandError(`cannot write to standard output: ${errored.message}`)
  }
  if (process.stdout.errored || process.stdout.destroyed) throw failure()
  if (process.stdout.write(text)) return
  await once(process.stdout, 'drain').catch(() => {
    throw failure()
  })
}

/** A whole number with separators, for people. */
export function counted(value: number): string {
  return value.toLocaleString('en-US')
}

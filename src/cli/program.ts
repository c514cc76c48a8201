// What every command shares: the configuration, the database for as long as it lasts, and progress that fits its reader.

import { once } from 'node:events'
import { SingleBar } from 'cli-progress'
import { InvalidArgumentError } from 'commander'
import { type Config, parseConfig } from '../config.ts'
import { type Connection, connect } from '../database/connect.ts'
import { slug } from '../domain/event.ts'
import { createRecorder, type Recorder } from '../record.ts'
import { createRegisters, type Registers } from '../registers.ts'

/** A failure that the user can act on: its message is printed, the exit code is its own. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2

  constructor(message: string, exitCode: 1 | 2 = 1) {
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

/** The value of an option that names a register; wrong usage where it cannot. */
export function registerId(text: string): string {
  const parsed = slug.safeParse(text)
  if (!parsed.success) throw new InvalidArgumentError(`${parsed.error.issues[0]?.message}.`)
  return text
}

export type Session = Connection & { registers: Registers; recorder: Recorder }

/** Runs a short command on the database and closes it afterwards, whatever happens. */
export async function withDatabase<T>(run: (session: Session) => Promise<T>): Promise<T> {
  const connection = await connect(configuration(), { mode: 'attach' })
  const registers = createRegisters()
  try {
    return await run({
      ...connection,
      registers,
      recorder: createRecorder(connection.db, registers, { now: Date.now }),
    })
  } finally {
    await connection.close()
  }
}

export type Progress = { update: (done: number, note: string) => void; stop: () => void }

const LINE_EVERY_MS = 2_000

/** A progress bar on a terminal, now and then a plain line elsewhere; both on standard error. */
export function showProgress(label: string, total: number, unit: string): Progress {
  if (process.stderr.isTTY) {
    const bar = new SingleBar({
      format: `${label} {bar} {percentage} % | {note} | {eta_formatted} left`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
    })
    bar.start(total, 0, { note: '' })
    return { update: (done, note) => bar.update(done, { note }), stop: () => bar.stop() }
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
export class OutputClosed extends Error {}

/** Writes to standard output at the pace of its reader. Throws OutputClosed where there is none left. */
export async function writeOut(text: string): Promise<void> {
  if (process.stdout.errored || process.stdout.destroyed) throw new OutputClosed()
  if (process.stdout.write(text)) return
  await once(process.stdout, 'drain').catch(() => {
    throw new OutputClosed()
  })
}

/** A whole number with separators, for people. */
export function counted(value: number): string {
  return value.toLocaleString('en-US')
}

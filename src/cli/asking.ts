// What the commands that ask questions about a register have in common: the register, the two clocks, and how a refusal is told.

import { type Command, InvalidArgumentError } from 'commander'
import { pendingMigrations } from '../database/migrate.ts'
import { UnreadableEventError } from '../domain/repairs.ts'
import { parseDay } from '../kernel/plain-date.ts'
import { createRegisterHeads } from '../projections/core/heads.ts'
import { RefusalError } from '../questions/refusal.ts'
import type { QuestionContext } from '../questions/register.ts'
import { CommandError, counted, registerOption, type Session, withDatabase, writeOut } from './program.ts'
import { plain } from './table.ts'

/** The options that every question has. */
export type AskOptions = { register: string; asOf?: string; knownAt?: string; json?: true }

function existingDay(text: string): string {
  if (parseDay(text) === null) throw new InvalidArgumentError('expected an existing day, YYYY-MM-DD.')
  return text
}

/** Adds the options that every question has. */
export function withClocks(command: Command): Command {
  return command
    .requiredOption('--register <id>', 'the register', registerOption)
    .option(
      '--as-of <day>',
      'the day in question, YYYY-MM-DD; today in the time zone of the register by default',
      existingDay,
    )
    .option(
      '--known-at <knowledge>',
      'only what was known at a size, at an instant or at the end of a day; everything by default',
    )
    .option('--json', 'as JSON, like the answer of the REST API')
}

/** An option that may be repeated: its values so far, and one more. */
export function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text]
}

/** The option for a parameter of a question. */
export function optionOf(parameter: string): string {
  return `--${parameter.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

const BEHIND = 'pledger serve keeps the projections up with the log'

function explained(error: unknown): unknown {
  if (error instanceof UnreadableEventError) return new CommandError(error.message)
  if (!(error instanceof RefusalError)) return error
  const { word, details } = error
  if (details.parameter !== undefined) return new CommandError(`${optionOf(details.parameter)}: ${details.detail}`, 2)
  if (word === 'projection-behind') return new CommandError(`${details.detail}; ${BEHIND}`)
  return new CommandError(details.detail)
}

/** A schema that lacks something cannot be asked, and asking changes none. */
async function refuseOldSchema({ db, description }: Session): Promise<void> {
  const { names } = await pendingMigrations(db)
  if (names.length === 0) return
  throw new CommandError(`${description} lacks the migrations up to ${names.at(-1)}: run pledger migrate`)
}

/** Says so where the answer knows less than the log holds, though all of it was asked for. */
async function tellIfBehind({ heads }: QuestionContext, { register, knownAt }: AskOptions, size: number) {
  if (knownAt !== undefined) return
  const head = await heads.read(register)
  if (!head || head.size <= size) return
  process.stderr.write(`pledger: known at size ${counted(size)} of ${counted(head.size)}: ${BEHIND}\n`)
}

/**
 * Asks a question in the database that is configured, which it leaves as it is. `run` writes the answer and returns the size
 * that it was given at. Throws CommandError where the question is refused.
 */
export function asking(
  options: AskOptions,
  run: (context: QuestionContext) => Promise<{ knownAt: { size: number } }>,
): Promise<void> {
  const ask = async (session: Session) => {
    await refuseOldSchema(session)
    const { db, registers } = session
    const heads = createRegisterHeads(db)
    const context = { db, registers, heads, now: Date.now, wake: () => {} }
    try {
      const { knownAt } = await run(context)
      await tellIfBehind(context, options, knownAt.size)
    } catch (error) {
      throw explained(error)
    } finally {
      await heads.stop()
    }
  }
  return withDatabase(ask, { mode: 'look' })
}

/** Writes an answer as the REST API gives it. */
export function writeJson(answer: unknown): Promise<void> {
  return writeOut(`${JSON.stringify(answer, null, 2)}\n`)
}

/** Writes lines. */
export async function writeLines(lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await writeOut(`${lines.join('\n')}\n`)
}

/** The clocks of an answer, for people. */
export function clocksLine(
  register: string,
  { asOf, knownAt }: { asOf: string; knownAt: { size: number; recordedAt: string | null } },
): string {
  const recorded = knownAt.recordedAt === null ? '' : `, the last event recorded at ${knownAt.recordedAt}`
  return `${register} as of ${asOf}, known at size ${counted(knownAt.size)}${recorded}`
}

/** Which redacted events an answer may lack, for people; no line where there are none. */
export function redactedLines({
  redacted,
  redactedCount,
}: {
  redacted: readonly number[]
  redactedCount: number
}): string[] {
  if (redactedCount === 0) return []
  const rest = redactedCount > redacted.length ? ', …' : ''
  return [
    '',
    `It may lack what redacted events said: ${counted(redactedCount)}, at positions ${redacted.join(', ')}${rest}`,
  ]
}

/** A name in words: `lateAgainstOriginal` is `late against original`. */
export function words(name: string): string {
  return plain(name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`))
}

/** A number for people, null as a dash. */
export function numberText(value: number | null, digits = 0): string {
  if (value === null) return '–'
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: Math.max(digits, 1) })
}

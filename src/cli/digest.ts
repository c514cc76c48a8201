// `pledger digest`: SHA-256 over the rows of projections at a size, to hold two builds, or two databases, against each other.

import { type Command, InvalidArgumentError } from 'commander'
import { listHeads } from '../eventlog/heads.ts'
import { BeyondLogError, type ProjectionDigest, projectionDigest } from '../projections/checking/digest.ts'
import { ProjectionBehindError } from '../projections/core/projection.ts'
import { type ProjectionName, VERSIONS } from '../projections/core/versions.ts'
import { EPOCH } from '../projections/tallies/rollup.ts'
import { CommandError, counted, registerOption, type Session, showProgress, withDatabase, writeOut } from './program.ts'

type Options = { register?: string; size?: number; json?: boolean }

// Safe: the keys of the object are these names.
const NAMES = Object.keys(VERSIONS) as ProjectionName[]

function projectionName(text: string, previous: readonly ProjectionName[] = []): ProjectionName[] {
  const name = NAMES.find((one) => one === text)
  if (!name) throw new InvalidArgumentError(`expected one of ${NAMES.join(', ')}.`)
  return [...previous, name]
}

function sizeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected a size, a whole number from 0 on.')
  return Number(text)
}

async function registersOf({ db }: Session, register: string | undefined): Promise<string[]> {
  const registers = (await listHeads(db)).map((head) => head.register)
  if (register === undefined) return registers
  if (!registers.includes(register)) throw new CommandError(`there is no register ${register}`)
  return [register]
}

/** The digest, or in words why there is none at that size. */
async function digestOrReason(
  { db, registers }: Session,
  question: { register: string; projection: ProjectionName; size: number | undefined },
): Promise<ProjectionDigest | string> {
  try {
    return await projectionDigest(db, registers, question)
  } catch (error) {
    if (error instanceof BeyondLogError) return error.message
    if (error instanceof ProjectionBehindError) return `${question.projection}: ${error.message}`
    throw error
  }
}

async function digest(session: Session, names: readonly ProjectionName[], options: Options): Promise<void> {
  const registers = await registersOf(session, options.register)
  const projections = names.length === 0 ? NAMES : NAMES.filter((name) => names.includes(name))
  const questions = registers.flatMap((register) => projections.map((projection) => ({ register, projection })))
  const digests: ProjectionDigest[] = []
  const told = new Set<string>()
  const progress = showProgress('digest', questions.length, 'projections')
  for (const [index, { register, projection }] of questions.entries()) {
    const found = await digestOrReason(session, { register, projection, size: options.size })
    progress.update(index + 1, `${projection} of ${register}`)
    if (typeof found === 'string') {
      // The others are told all the same.
      if (!told.has(found)) process.stderr.write(`pledger: ${found}\n`)
      told.add(found)
      process.exitCode = 1
    } else if (options.json) digests.push(found)
    else {
      const { sha256, size, rows } = found
      await writeOut(`${sha256}  ${register} ${projection} at size ${counted(size)}, ${counted(rows)} rows\n`)
    }
  }
  progress.stop()
  if (options.json) await writeOut(`${JSON.stringify(digests, null, 2)}\n`)
}

export function digestCommand(program: Command): void {
  program
    .command('digest')
    .description('print the SHA-256 over the rows of projections; it does not depend on how they were built')
    .argument('[projection...]', 'the projections; all by default', projectionName)
    .option('--register <id>', 'only this register', registerOption)
    .option('--size <n>', 'the rows as known at this size; by default all that each projection has read', sizeNumber)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `\nTallies are summed up every ${counted(EPOCH)} events of a register. Before that there are 0 rows, and the digest is that\n` +
        'of nothing. The exit code is 1 if a projection has not read as much.',
    )
    .action((names: ProjectionName[] = [], options: Options) =>
      withDatabase((session) => digest(session, names, options)),
    )
}

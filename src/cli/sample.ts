// `pledger sample`: loads a sample register, or writes it as NDJSON.

import type { Command } from 'commander'
import { dayInZone, formatDay, parseDay } from '../kernel/plain-date.ts'
import type { SampleEvent } from '../samples/sample-event.ts'
import { checkSynthetic, type SyntheticOptions, syntheticEvents } from '../samples/synthetic.ts'
import { unionStateEvents } from '../samples/union-state.ts'
import { importInto } from './import.ts'
import { CommandError, registerOption, type Session, withDatabase, writeOut } from './program.ts'

/** The synthetic register that `serve --samples` loads: 310 commitments of which 125 are delivered and 14 late. */
export const SYNTHETIC_310: SyntheticOptions = {
  commitments: 310,
  delivered: 125,
  late: 14,
  seed: 1,
  asOf: '2026-02-26',
}

async function* chunks(events: Iterable<SampleEvent>): AsyncGenerator<Uint8Array> {
  for (const event of events) yield Buffer.from(`${JSON.stringify(event)}\n`)
}

/** Records a sample's events in its register; what is there already is not written again. */
export function loadSample(session: Session, register: string, events: Iterable<SampleEvent>): Promise<boolean> {
  return importInto(session, register, { chunks: chunks(events), bytes: 0 })
}

type Target = { register?: string; ndjson?: boolean }

async function sample(events: Iterable<SampleEvent>, register: string, { ndjson }: Target): Promise<void> {
  if (ndjson) {
    for (const event of events) await writeOut(`${JSON.stringify(event)}\n`)
    return
  }
  const isClean = await withDatabase((session) => loadSample(session, register, events))
  if (!isClean) process.exitCode = 1
}

type SyntheticFlags = Target & Record<'commitments' | 'delivered' | 'late' | 'seed', string> & { asOf: string }

function whole(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new CommandError(`${option} is "${text}"; expected a whole number`, 2)
}

function syntheticOptions(flags: SyntheticFlags): SyntheticOptions {
  const options: SyntheticOptions = {
    commitments: whole('--commitments', flags.commitments),
    delivered: whole('--delivered', flags.delivered),
    late: whole('--late', flags.late),
    seed: whole('--seed', flags.seed),
    asOf: flags.asOf,
  }
  const complaint = checkSynthetic(options)
  if (complaint !== null) throw new CommandError(complaint, 2)
  const today = dayInZone(Date.now(), 'UTC')
  if ((parseDay(options.asOf) ?? 0) > today) {
    throw new CommandError(`--as-of ${options.asOf} lies after today, ${formatDay(today)}: it has not happened yet`, 2)
  }
  return options
}

export function sampleCommand(program: Command): void {
  const command = program.command('sample').description('load a sample register, or write it as NDJSON')
  command
    .command('union-state')
    .description('31 real commitments of Belarus and Russia, with their sources')
    .option('--register <id>', 'the register to load it into', registerOption, 'union-state')
    .option('--ndjson', 'write the events to standard output instead')
    .action((target: Target) => sample(unionStateEvents(), target.register ?? 'union-state', target))
  command
    .command('synthetic')
    .description('a made-up register of any size; the same options give the same events')
    .option('--commitments <n>', 'how many commitments', String(SYNTHETIC_310.commitments))
    .option('--delivered <n>', 'how many of them are delivered', String(SYNTHETIC_310.delivered))
    .option('--late <n>', 'how many are late', String(SYNTHETIC_310.late))
    .option('--seed <n>', 'another seed gives other commitments', String(SYNTHETIC_310.seed))
    .option('--as-of <day>', 'the status date', SYNTHETIC_310.asOf)
    .option('--register <id>', 'the register to load it into (default: synthetic-<n>)', registerOption)
    .option('--ndjson', 'write the events to standard output instead')
    .action((flags: SyntheticFlags) => {
      const options = syntheticOptions(flags)
      return sample(syntheticEvents(options), flags.register ?? `synthetic-${options.commitments}`, flags)
    })
}

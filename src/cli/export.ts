// `pledger export`: a register's log as NDJSON, which `pledger import` takes back.

import { open, rm } from 'node:fs/promises'
import type { Command } from 'commander'
import { streamLines } from '../eventlog/feed.ts'
import { CommandError, counted, registerId, type Session, showProgress, withDatabase, writeOut } from './program.ts'

type Options = { register: string; output?: string }

/** Where lines go: standard output, or a new file that is not left behind half written. */
type Sink = { write: (line: string) => Promise<void>; end: () => Promise<void>; abandon: () => Promise<void> }

const STANDARD_OUTPUT: Sink = { write: writeOut, end: async () => {}, abandon: async () => {} }

async function newFile(path: string): Promise<Sink> {
  const handle = await open(path, 'wx').catch(({ code, message }: NodeJS.ErrnoException) => {
    throw new CommandError(code === 'EEXIST' ? `${path} is there already: nothing was written` : message)
  })
  return {
    async write(line) {
      await handle.write(line).catch((error: Error) => Promise.reject(new CommandError(error.message)))
    },
    end: () => handle.close(),
    async abandon() {
      await handle.close()
      await rm(path, { force: true })
    },
  }
}

async function exportRegister({ db, registers }: Session, { register, output }: Options): Promise<void> {
  const known = await registers.read(db, register)
  if (!known) throw new CommandError(`there is no register ${register}`)
  const sink = output === undefined ? STANDARD_OUTPUT : await newFile(output)
  const { size } = known.head
  const progress = showProgress(`export of ${register}`, size, 'events')
  try {
    for await (const { lines, last } of streamLines(db, { register, after: -1, until: size - 1 })) {
      await sink.write(lines)
      progress.update(last + 1, 'written')
    }
    await sink.end()
  } catch (error) {
    await sink.abandon()
    throw error
  } finally {
    progress.stop()
  }
  process.stderr.write(`${register}: ${counted(size)} events exported\n`)
}

export function exportCommand(program: Command): void {
  program
    .command('export')
    .description('write the log of a register as NDJSON')
    .requiredOption('--register <id>', 'the register', registerId)
    .option('--output <file>', 'a new file; standard output by default')
    .action((options: Options) => withDatabase((session) => exportRegister(session, options)))
}

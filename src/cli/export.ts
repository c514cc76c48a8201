// `pledger export`: a register's log as NDJSON, which `pledger import` takes back; or as a tree of files, which proves itself.

import { open, rm } from 'node:fs/promises'
import type { Command } from 'commander'
import { streamLines } from '../eventlog/feed-lines.ts'
import { ExportError, exportLog } from '../integrity/verifying/log-export.ts'
import { CommandError, counted, registerOption, type Session, showProgress, withDatabase, writeOut } from './program.ts'

type Options = { register: string; output?: string; tiles?: string }

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

async function exportTiles({ db, registers }: Session, register: string, directory: string): Promise<void> {
  const known = await registers.read(db, register)
  if (!known) throw new CommandError(`there is no register ${register}`)
  // Contents first, then leaves.
  const progress = showProgress(`export of ${register}`, 2 * known.head.size, 'contents and leaves')
  const update = (done: number, what: string) =>
    progress.update(what === 'leaves' ? known.head.size + done : done, `${what} written`)
  try {
    // One moment: what is redacted meanwhile would else be missing without the event that says so.
    const moment = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
    const { events, sealed } = await moment.execute((tx) => exportLog(tx, register, directory, update))
    progress.stop()
    process.stderr.write(`${register}: ${counted(events)} events exported, ${counted(sealed)} of them sealed\n`)
  } catch (error) {
    // What the file system refuses is for the user to mend.
    const isRefused = error instanceof ExportError || (error as NodeJS.ErrnoException).syscall !== undefined
    throw isRefused ? new CommandError((error as Error).message) : error
  } finally {
    progress.stop()
  }
}

async function run({ tiles, ...options }: Options): Promise<void> {
  if (tiles !== undefined && options.output !== undefined)
    throw new CommandError('--tiles writes a directory, --output a file: expected one of them', 2)
  await withDatabase((session) =>
    tiles === undefined ? exportRegister(session, options) : exportTiles(session, options.register, tiles),
  )
}

export function exportCommand(program: Command): void {
  program
    .command('export')
    .description('write the log of a register as NDJSON, or as a tree of files that prove it')
    .requiredOption('--register <id>', 'the register', registerOption)
    .option('--output <file>', 'a new file; standard output by default')
    .option('--tiles <directory>', 'a new or empty directory: checkpoint, tiles, keys and contents for any web server')
    .action(run)
}

// `pledger export`: a register's log as NDJSON, which `pledger import` takes back.

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import type { Command } from 'commander'
import { answerEvent } from '../domain/event-answer.ts'
import { streamFeed } from '../eventlog/feed.ts'
import { CommandError, counted, registerId, type Session, showProgress, withDatabase, writeOut } from './program.ts'

type Options = { register: string; output?: string }

async function exportRegister({ db, registers }: Session, { register, output }: Options): Promise<void> {
  const known = await registers.read(db, register)
  if (!known) throw new CommandError(`there is no register ${register}`)
  const file = output === undefined ? null : createWriteStream(output, { flags: 'wx' })
  if (file) await once(file, 'open').catch((error: Error) => Promise.reject(new CommandError(error.message)))
  const { size } = known.head
  const progress = showProgress(`export of ${register}`, size, 'events')
  let done = 0
  for await (const event of streamFeed(db, { register, after: -1, until: size - 1 })) {
    const line = `${JSON.stringify(answerEvent(event))}\n`
    if (!file) await writeOut(line)
    else if (!file.write(line)) await once(file, 'drain')
    done += 1
    if (done % 1_000 === 0) progress.update(done, 'written')
  }
  file?.end()
  if (file) await finished(file)
  progress.stop()
  process.stderr.write(`${register}: ${counted(done)} events exported\n`)
}

export function exportCommand(program: Command): void {
  program
    .command('export')
    .description('write the log of a register as NDJSON')
    .requiredOption('--register <id>', 'the register', registerId)
    .option('--output <file>', 'a new file; standard output by default')
    .action((options: Options) => withDatabase((session) => exportRegister(session, options)))
}

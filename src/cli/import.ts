// `pledger import`: a file of events, or standard input, into a register.

import { open as openFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { parseJson } from '../http/server/body.ts'
import { type ImportReport, importLines, NoRegisterError } from '../recording/import.ts'
import { CommandError, counted, registerOption, type Session, showProgress, withDatabase } from './program.ts'

type Source = { chunks: AsyncIterable<Uint8Array>; bytes: number; close?: () => Promise<void> }

function unreadable(file: string, { code, message }: NodeJS.ErrnoException): CommandError {
  if (code === 'ENOENT') return new CommandError(`there is no file ${file}`)
  return new CommandError(`cannot read ${file}: ${code === 'EACCES' ? 'permission denied' : message}`)
}

async function open(file: string): Promise<Source> {
  if (file === '-') return { chunks: process.stdin, bytes: 0 }
  const handle = await openFile(file).catch((error) => Promise.reject(unreadable(file, error)))
  const found = await handle.stat()
  if (found.isDirectory()) {
    await handle.close()
    throw new CommandError(`${file} is a directory`)
  }
  // Of a pipe nobody knows how long it is.
  return { chunks: handle.createReadStream(), bytes: found.isFile() ? found.size : 0, close: () => handle.close() }
}

/** Imports a stream and tells the terminal how it goes; true where no line was refused. */
export async function importInto(session: Session, register: string, source: Source): Promise<boolean> {
  const progress = showProgress(`import into ${register}`, source.bytes, 'bytes')
  try {
    const report = await importLines(source.chunks, {
      recorder: session.recorder,
      register,
      recordedBy: 'local',
      parseJson,
      onProgress: (soFar, bytes) => progress.update(bytes, `${counted(soFar.recorded)} recorded`),
    })
    if (!(await session.registers.read(session.db, register)))
      throw new NoRegisterError(register, report.refusals[0] ?? null)
    progress.stop()
    return printReport(register, report)
  } catch (error) {
    progress.stop()
    if (!(error instanceof NoRegisterError)) throw error
    throw new CommandError(error.message)
  }
}

function printReport(register: string, report: ImportReport): boolean {
  for (const { line, id, type, pointer, detail } of report.refusals) {
    const where = pointer === '' ? '' : ` at ${pointer}`
    process.stderr.write(
      `line ${line} refused: ${type.slice('/problems/'.length)}${where}: ${detail}${id ? ` (${id})` : ''}\n`,
    )
  }
  const untold = report.refused - report.refusals.length
  if (untold > 0) process.stderr.write(`and ${counted(untold)} more lines refused\n`)
  process.stdout.write(
    `${register}: ${counted(report.recorded)} recorded, ${counted(report.alreadyRecorded)} already recorded, ` +
      `${counted(report.refused)} refused\n`,
  )
  return report.refused === 0
}

export function importCommand(program: Command): void {
  program
    .command('import')
    .description('record the events of an NDJSON file, or of standard input (-), line by line')
    .argument('<file>', 'an NDJSON file, or -; a line is an event as exported, or as posted with its id')
    .requiredOption('--register <id>', 'the register; a first RegisterOpened opens it', registerOption)
    .action(async (file: string, { register }: { register: string }) => {
      const source = await open(file)
      try {
        const isClean = await withDatabase((session) => importInto(session, register, source))
        if (!isClean) process.exitCode = 1
      } finally {
        // Also of a database that cannot be reached: Node ends a process that leaves a file to its garbage collector.
        await source.close?.()
      }
    })
}

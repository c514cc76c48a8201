// The command line as one program: every command, in the order in which help lists them.

import { Command } from 'commander'
import { configHelp } from '../config.ts'
import { digestCommand } from './digest.ts'
import { doctorCommand } from './doctor.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { listCommand } from './list.ts'
import { migrateCommand } from './migrate.ts'
import { dropPreviousCommand, replayCommand } from './replay.ts'
import { sampleCommand } from './sample.ts'
import { sealCommand } from './seal.ts'
import { serveCommand } from './serve.ts'
import { showCommand } from './show.ts'
import { statusCommand } from './status.ts'
import { summaryCommand } from './summary.ts'
import { principalCommand, registerCommand, tokenCommand } from './token.ts'
import { verifyCommand } from './verify.ts'

/** The program with all its commands. It throws CommanderError instead of ending the process. */
export function commandLine(version: string): Command {
  const program = new Command('pledger')
    .description('Tracks commitments against delivery: a bitemporal, event-sourced register with a verifiable log')
    .version(version)
    .addHelpText('after', `\nEnvironment:\n${configHelp}`)
    .exitOverride()
  for (const add of [
    serveCommand,
    migrateCommand,
    importCommand,
    exportCommand,
    sampleCommand,
    summaryCommand,
    listCommand,
    showCommand,
    replayCommand,
    dropPreviousCommand,
    statusCommand,
    doctorCommand,
    digestCommand,
    verifyCommand,
    sealCommand,
    tokenCommand,
    registerCommand,
    principalCommand,
  ]) {
    add(program)
  }
  return program
}

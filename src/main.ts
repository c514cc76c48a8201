#!/usr/bin/env node
// The command line: one program, a file for each command. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 verification failed.

import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { digestCommand } from './cli/digest.ts'
import { doctorCommand } from './cli/doctor.ts'
import { exportCommand } from './cli/export.ts'
import { importCommand } from './cli/import.ts'
import { migrateCommand } from './cli/migrate.ts'
import { CommandError, Interrupted, OutputClosed } from './cli/program.ts'
import { dropPreviousCommand, replayCommand } from './cli/replay.ts'
import { sampleCommand } from './cli/sample.ts'
import { sealCommand } from './cli/seal.ts'
import { serveCommand } from './cli/serve.ts'
import { statusCommand } from './cli/status.ts'
import { principalCommand, registerCommand, tokenCommand } from './cli/token.ts'
import { verifyCommand } from './cli/verify.ts'
import { configHelp } from './config.ts'
import { UnusableDatabase } from './database/connect.ts'
import { EmbeddedError } from './database/embedded/server.ts'
import { isDatabaseUnavailable } from './database/unavailable.ts'

// Safe: our own package.json.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

function program(): Command {
  const program = new Command('pledger')
    .description('Tracks commitments against delivery: an event-sourced register of promises, as a REST service')
    .version(version)
    .addHelpText('after', `\nEnvironment:\n${configHelp}`)
    .exitOverride()
  for (const add of [
    serveCommand,
    migrateCommand,
    importCommand,
    exportCommand,
    sampleCommand,
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

const INSUFFICIENT_PRIVILEGE = '42501'

function explain(error: unknown): { message: string | null; exitCode: number } {
  if (error instanceof CommanderError) return { message: null, exitCode: error.exitCode === 0 ? 0 : 2 }
  if (error instanceof Interrupted) return { message: error.message, exitCode: error.exitCode }
  if (error instanceof OutputClosed) return { message: null, exitCode: 0 }
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode }
  if (error instanceof EmbeddedError || error instanceof UnusableDatabase)
    return { message: error.message, exitCode: 1 }
  const { message, stack, code } = error as Error & { code?: string }
  if (isDatabaseUnavailable(error))
    return { message: `the database cannot be reached: ${message || code}`, exitCode: 1 }
  if (code === INSUFFICIENT_PRIVILEGE)
    return { message: `${message}: it takes another role (docs/operations.md, Database roles)`, exitCode: 1 }
  return { message: stack ?? String(error), exitCode: 1 }
}

// Whoever writes notices by itself (writeOut) and closes what it has open.
process.stdout.on('error', () => {})

try {
  await program().parseAsync()
} catch (error) {
  const { message, exitCode } = explain(error)
  if (message !== null) process.stderr.write(`pledger: ${message}\n`)
  process.exitCode = exitCode
  // What was interrupted may still wait for its input.
  if (error instanceof Interrupted) process.exit()
}

#!/usr/bin/env node
// Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 3 verification failed.

import { readFileSync } from 'node:fs'
import { CommanderError } from 'commander'
import { commandLine } from './cli/command-line.ts'
import { CommandError, InterruptedError, OutputClosedError } from './cli/program.ts'
import { UnusableDatabaseError } from './database/connect.ts'
import { EmbeddedError } from './database/embedded/files.ts'
import { isDatabaseUnavailable } from './database/unavailable.ts'

// Safe: our own package.json.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const INSUFFICIENT_PRIVILEGE = '42501'

function explain(error: unknown): { message: string | null; exitCode: number } {
  if (error instanceof CommanderError) return { message: null, exitCode: error.exitCode === 0 ? 0 : 2 }
  if (error instanceof InterruptedError) return { message: error.message, exitCode: error.exitCode }
  if (error instanceof OutputClosedError) return { message: null, exitCode: 0 }
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode }
  if (error instanceof EmbeddedError || error instanceof UnusableDatabaseError)
    return { message: error.message, exitCode: 1 }
  const { message, stack, code } = error as Error & { code?: string }
  if (isDatabaseUnavailable(error))
    return { message: `the database cannot be reached: ${message || code}`, exitCode: 1 }
  if (code === INSUFFICIENT_PRIVILEGE)
    return { message: `${message}: it takes another role (docs/operations.md, Database roles)`, exitCode: 1 }
  return { message: stack ?? String(error), exitCode: 1 }
}

// A command notices a failed write by itself (writeOut) and closes its resources. A closed terminal refuses both.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})

try {
  await commandLine(version).parseAsync()
} catch (error) {
  const { message, exitCode } = explain(error)
  if (message !== null) process.stderr.write(`pledger: ${message}\n`)
  process.exitCode = exitCode
  // What was interrupted may still wait for its input.
  if (error instanceof InterruptedError) process.exit()
}

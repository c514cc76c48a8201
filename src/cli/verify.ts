// `pledger verify event | watch`: what anyone can check with a public key, of files and of a log that somebody serves.

import { hash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Checkpoint } from '../integrity/tlog/checkpoint.ts'
import type { Verifier } from '../integrity/tlog/note.ts'
import { UnavailableLogError, webFiles } from '../integrity/verifying/log-files.ts'
import { believeCheckpoint, isOfOtherLog, registerOfOrigin, VerificationError } from '../integrity/verifying/verify.ts'
import {
  type Proved,
  parseEventFile,
  readProof,
  UnreadableFileError,
  verifyEvent,
} from '../integrity/verifying/verify-event.ts'
import { type Watched, watchLog } from '../integrity/verifying/verify-watch.ts'
import { CommandError, counted, InterruptedError, positiveNumber, registerOption, writeOut } from './program.ts'
import { readKeysOption } from './public-keys.ts'
import { stopSignal } from './stop-signal.ts'
import { EXIT_CODES, verifyLogCommand } from './verify-log.ts'

async function readText(name: string): Promise<{ name: string; text: string }> {
  const bytes = await readFile(name).catch((error: Error) => Promise.reject(new CommandError(error.message)))
  try {
    // A byte that is no character would be read as one that looks like a damaged one.
    return { name, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch {
    throw new CommandError(`${name}: it is not UTF-8`)
  }
}

type EventOptions = { key: string; proof?: string; register?: string; redactedBy?: string }

/** The event of a file with its proof, from there or from a file of its own. */
async function readProved(file: string, proofFile?: string): Promise<Proved> {
  const { event, proof } = parseEventFile(await readText(file))
  if (proof === null && proofFile === undefined)
    throw new CommandError(`there is no proof: ${file} must hold {"event": …, "proof": …}, or give --proof`, 2)
  if (proof !== null && proofFile !== undefined)
    throw new CommandError(`there are two proofs: one in ${file}, and --proof ${proofFile}`, 2)
  return { event, proof: proof ?? readProof(await readText(proofFile as string)) }
}

async function verifyEventFile(file: string, { key, proof, register, redactedBy }: EventOptions): Promise<void> {
  const keys = await readKeysOption(key)
  try {
    const given = await readProved(file, proof)
    const redaction = redactedBy === undefined ? undefined : await readProved(redactedBy)
    const { event } = given
    const { holds, open, fault } = verifyEvent(given, { keys, register, redaction })
    await writeOut(`event ${event.id}, ${event.type} of ${event.stream}, position ${event.position}\n`)
    for (const one of holds) await writeOut(`  verified: ${one}\n`)
    if (fault !== null) throw new CommandError(`verification failed: ${fault}`, 3)
    for (const one of open) await writeOut(`  not verified: ${one}\n`)
  } catch (error) {
    if (error instanceof UnreadableFileError) throw new CommandError(error.message)
    if (error instanceof VerificationError) throw new CommandError(`verification failed: ${error.message}`, 3)
    throw error
  }
}

type WatchOptions = { key: string; state: string; interval?: number }

const REMEMBERED = 'checkpoint'

/** Written whole or not at all, also where the machine stops. */
async function writeWhole(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}.${randomUUID()}`
  await writeFile(draft, text, { flag: 'wx', flush: true })
  await rename(draft, file)
  const directory = await open(join(file, '..'))
  await directory.sync().finally(() => directory.close())
}

/**
 * The checkpoint seen last, believed anew for its signature. An attacker who changed the file could otherwise have an
 * honest log called a fork, or hide a fork.
 */
async function remembered(
  state: string,
  keys: readonly Verifier[],
): Promise<{ note: string; checkpoint: Checkpoint } | null> {
  const file = join(state, REMEMBERED)
  const note = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new CommandError(error.message)
  })
  if (note === null) return null
  const checkpoint = believeCheckpoint(note, keys)
  if (typeof checkpoint !== 'string') return { note, checkpoint }
  if (isOfOtherLog(note, keys)) throw new CommandError(`${file}: ${checkpoint}`, 2)
  const way = 'unless an earlier key signed it, which then is to be given as well'
  throw new CommandError(`${file}: ${checkpoint}: the checkpoint seen last is lost, ${way}`)
}

/** Keeps both notes, under names that their content gives: a fork that is seen again is kept once. */
async function keepBoth(state: string, before: string, shown: string): Promise<string[]> {
  const name = hash('sha256', `${before}${shown}`, 'hex').slice(0, 16)
  const files = [join(state, `fork-${name}.seen-before`), join(state, `fork-${name}.shown-now`)] as const
  await writeWhole(files[0], before)
  await writeWhole(files[1], shown)
  return [...files]
}

function wordsOf({ kind }: Watched, before: Checkpoint | null): string {
  const recomputed = 'its tiles give that root'
  if (kind === 'first') return `trusted on first use: ${recomputed}, and there is nothing yet to hold it against`
  if (kind === 'same') return `unchanged, ${recomputed}`
  return `proved to extend size ${counted(Number(before?.size ?? 0))}, ${recomputed}`
}

async function look(address: string, keys: readonly Verifier[], state: string): Promise<void> {
  const before = await remembered(state, keys)
  const watched = await watchLog(webFiles(address), keys, before?.checkpoint ?? null)
  const at = new Date().toISOString()
  // Another log than was watched before is one that was exchanged; at the first look it is the wrong key.
  if (watched.kind === 'refused' && !before && isOfOtherLog(watched.shown, keys)) throw new CommandError(watched.why, 2)
  if (watched.kind === 'refused') throw new CommandError(`verification failed: ${watched.why}`, 3)
  if (watched.kind === 'fork') {
    const kept = before ? await keepBoth(state, before.note, watched.shown) : []
    const proof = `both notes are signed and prove it: keep them, and show them to others: ${kept.join(', ')}`
    throw new CommandError(`FORK: ${address}: ${watched.why}; ${proof}`, 3)
  }
  if (watched.kind === 'older') {
    const kept = before ? await keepBoth(state, before.note, watched.shown) : []
    const doubt = 'a copy that is behind, or a log whose end was cut off: ask the log itself, and keep both notes'
    throw new CommandError(`OLDER: ${address}: ${watched.why}; ${doubt}: ${kept.join(', ')}`, 3)
  }
  const { origin, size, root } = watched.checkpoint
  if (watched.kind !== 'same') await writeWhole(join(state, REMEMBERED), watched.shown)
  const head = `${registerOfOrigin(origin)} at size ${counted(Number(size))}, root ${Buffer.from(root).toString('base64')}`
  await writeOut(`${at} ${head}: ${wordsOf(watched, before?.checkpoint ?? null)}\n`)
}

async function watchOnce(address: string, keys: readonly Verifier[], state: string): Promise<void> {
  await look(address, keys, state).catch((error: unknown) => {
    throw error instanceof UnavailableLogError ? new CommandError(error.message) : error
  })
}

async function watch(address: string, { key, state, interval }: WatchOptions): Promise<void> {
  if (!/^https?:\/\//.test(address) || !URL.canParse(address))
    throw new CommandError(`${address} is no http or https address`, 2)
  const keys = await readKeysOption(key)
  await mkdir(state, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(/EEXIST|ENOTDIR/.test(error.code ?? '') ? `--state ${state} is no directory` : error.message)
  })
  if (interval === undefined) return watchOnce(address, keys, state)
  const stopped = stopSignal().then((signal) => Promise.reject(new InterruptedError(signal)))
  stopped.catch(() => {})
  for (;;) {
    // A log that cannot be seen for a while is looked for again; one that lies ends the watch.
    const looked = look(address, keys, state).catch((error: unknown) => {
      if (!(error instanceof UnavailableLogError)) throw error
      process.stderr.write(`pledger: ${error.message}\n`)
    })
    await Promise.race([looked.then(() => sleep(interval * 1_000)), stopped])
  }
}

const KEY = [
  '--key <vkey>',
  'the public key of the log, or a file of them (one a line, or the JSON of R/keys)',
] as const

export function verifyCommand(program: Command): void {
  const verify = program
    .command('verify')
    .description('check an event, a log, or that a log only grows; exit code 3 if the check fails')
  verify
    .command('event')
    .description('check that an event is in a log, offline, with files and a public key')
    .argument('<file>', 'JSON: {"event": …, "proof": …}, or an event as R/events/{position} or export give it')
    .requiredOption(...KEY)
    .option('--proof <file>', 'its proof, as R/events/{position}/proof answers it, as JSON or text')
    .option('--redacted-by <file>', 'the EventRedacted that erased it, JSON: {"event": …, "proof": …}')
    .option('--register <id>', 'the register that the event must be of', registerOption)
    .addHelpText('after', EXIT_CODES)
    .action(verifyEventFile)
  verify
    .command('watch')
    .description('check that a log only grew since the last look')
    .argument('<url>', 'the register (http://host/v1/registers/demo) or an exported tree on a web server')
    .requiredOption(...KEY)
    .requiredOption('--state <directory>', 'where to keep the last checkpoint')
    .option('--interval <seconds>', 'repeat after so many seconds', positiveNumber)
    .addHelpText(
      'after',
      '\nEach look fetches the few tiles that the root depends on. `verify log` checks the leaves and all other tiles.\n' +
        EXIT_CODES,
    )
    .action(watch)
  verifyLogCommand(verify)
}

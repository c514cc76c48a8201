// `pledger seal`: the sealer without a service, as long as it is left to run; or once, up to the heads of the logs.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { destination, pino } from 'pino'
import { connect } from '../database/connect.ts'
import type { Database } from '../database/pool.ts'
import { listHeads } from '../eventlog/heads.ts'
import { announceKeys, RefusedToSignError, sealNext } from '../integrity/sealing/seal.ts'
import { type SealerOptions, sealOf, startSealer } from '../integrity/sealing/sealer.ts'
import { sealStates } from '../integrity/sealing/status.ts'
import {
  CommandError,
  configuration,
  counted,
  registerOption,
  sealerConfiguration,
  showProgress,
  withDatabase,
} from './program.ts'
import { sealingOf, tellNewKey, tellSealing } from './sealing.ts'
import { stopSignal } from './stop-signal.ts'

type Options = { register?: string; once?: boolean }
type Keys = Pick<SealerOptions, 'origin' | 'keys' | 'now'>

/** Origin and keys; throws CommandError where there are none, or the register is not there. */
async function prepare(db: Database, register: string | undefined): Promise<Keys> {
  const { origin, keys, why } = await sealingOf(configuration(), db)
  if (keys === null) throw new CommandError(`there are no keys to sign with: ${why}`)
  if (register !== undefined && !(await listHeads(db)).some((head) => head.register === register))
    throw new CommandError(`there is no register ${register}`)
  return { origin, keys, now: Date.now }
}

/** How soon a register is tried again that another process is sealing. */
const TURN_MS = 50

/**
 * Seals a register up to its head, even if other sealers work on it; returns its size then. Throws RefusedToSignError.
 */
async function sealToHead(db: Database, register: string, keys: Keys, onSize: (size: number) => void): Promise<number> {
  const seal = sealOf(register, keys)
  for (;;) {
    const sealed = await sealNext(db, register, seal)
    if (sealed) onSize(sealed.size)
    else await sleep(TURN_MS)
    if (sealed && !sealed.isBehind) return sealed.size
  }
}

async function sealOnce(db: Database, register: string | undefined): Promise<void> {
  const keys = await prepare(db, register)
  for (const { register: one, size: from, behindEvents } of await sealStates(db, Date.now())) {
    if (register !== undefined && one !== register) continue
    const progress = showProgress(`seal ${one}`, behindEvents, 'events')
    try {
      const added = await announceKeys(db, one, sealOf(one, keys))
      // It signs all that was not sealed yet, this turn included.
      for (const vkey of added) process.stdout.write(`${one}: a new key is listed, and signs from now on: ${vkey}\n`)
      const size = await sealToHead(db, one, keys, (size) => progress.update(size - from, `size ${counted(size)}`))
      progress.stop()
      process.stdout.write(`${one}: sealed at size ${counted(size)}, ${counted(size - from)} new\n`)
    } catch (error) {
      progress.stop()
      if (!(error instanceof RefusedToSignError)) throw error
      // The others are sealed all the same.
      process.stderr.write(`pledger: refuses to sign ${one}: ${error.message}\n`)
      process.exitCode = 1
    }
  }
}

async function sealOn(register: string | undefined): Promise<void> {
  const config = sealerConfiguration()
  const stop = stopSignal()
  const logger = pino({ level: config.logLevel, base: null }, destination(2))
  const { db, description, close } = await connect(config, {
    mode: 'attach',
    onError: (error) => logger.warn({ err: error }, 'a database connection broke'),
  })
  try {
    const keys = await prepare(db, register)
    const only = register === undefined ? {} : { only: register }
    const sealer = startSealer(db, { ...keys, ...only, onNewKey: tellNewKey(logger), onError: tellSealing(logger) })
    process.stdout.write(
      `Pledger seals ${register ?? 'every register'} in ${description} as ${keys.origin}/${register ?? '{register}'}. Ctrl-C stops.\n`,
    )
    logger.info({ signal: await stop }, 'stopping')
    await sealer.stop()
  } finally {
    await close()
  }
}

export function sealCommand(program: Command): void {
  program
    .command('seal')
    .description('sign checkpoints as the logs grow, without a service, until it is stopped')
    .option('--register <id>', 'only this register', registerOption)
    .option('--once', 'sign up to the heads of the logs, then end')
    .action(({ register, once }: Options) =>
      once ? withDatabase(({ db }) => sealOnce(db, register), { config: sealerConfiguration }) : sealOn(register),
    )
}

// With what a process seals: the origin of the checkpoints and the keys, from the configuration and what was sealed before.

import type { KeyObject } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Database } from '../database/pool.ts'
import { DEFAULT_ORIGIN, readKeys, readOrMakeKeys, UnusableKeysError } from '../integrity/sealing/keys.ts'
import { sealedOrigins } from '../integrity/sealing/status.ts'
import { CommandError } from './program.ts'

/** `keys` are null where this process is not to seal, and `why` says why. */
export type Sealing = { origin: string } & (
  | { keys: readonly KeyObject[]; file: string; why: null }
  | { keys: null; file: null; why: string }
)

/**
 * The configured origin, else the one that registers were sealed under before, else the default. Throws CommandError where
 * another is configured than a register was sealed under.
 */
async function originFor({ origin }: Config, db: Database): Promise<string> {
  const before = await sealedOrigins(db)
  // Where two services with two settings were first at the same time there are two: the sealer says so of those that it leaves.
  if (origin === null) return before[0]?.origin ?? DEFAULT_ORIGIN
  const other = before.find((one) => one.origin !== origin)
  if (!other) return origin
  throw new CommandError(
    `${other.register} is sealed as ${other.origin}, and PLEDGER_ORIGIN is ${origin}: the origin is fixed with the first ` +
      `checkpoint; set PLEDGER_ORIGIN=${other.origin} or leave it out`,
  )
}

/**
 * Origin and keys: those of PLEDGER_SIGNING_KEYS, or those beside the embedded database, made where there are none yet.
 * Throws CommandError where the origin is not the one that was sealed under before, or the keys cannot be used.
 */
export async function sealingOf(config: Config, db: Database): Promise<Sealing> {
  const origin = await originFor(config, db)
  const { signingKeyFile, databaseUrl, dataDir } = config
  try {
    if (signingKeyFile !== null)
      return { origin, keys: await readKeys(signingKeyFile), file: signingKeyFile, why: null }
    if (databaseUrl !== null) return { origin, keys: null, file: null, why: 'PLEDGER_SIGNING_KEYS is not set' }
    const file = join(dataDir, 'signing-keys.pem')
    if ((await sealedOrigins(db)).length > 0 && !(await isThere(file)))
      return { origin, keys: null, file: null, why: lost(file) }
    return { origin, keys: await readOrMakeKeys(file), file, why: null }
  } catch (error) {
    if (error instanceof UnusableKeysError) throw new CommandError(error.message)
    throw error
  }
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

/**
 * A new key in its place would look to every auditor as if somebody else went on with the log: only a person puts it
 * there.
 */
function lost(file: string): string {
  return `${file}, whose key has signed checkpoints, is gone: put it back, or put a new key there and tell everyone its vkey`
}

/** Logs a key that is new to a register: the operator has to tell it to everyone who verifies. */
export function tellNewKey(logger: Logger): (register: string, vkey: string) => void {
  return (register, vkey) =>
    logger.warn({ register, vkey }, `sealing: a new key of ${register} is listed, and signs from now on`)
}

/** Logs what keeps a sealer from sealing, loudest where it will not sign. */
export function tellSealing(logger: Logger): (error: unknown, register?: string) => void {
  return (error, register) => {
    if (register === undefined) return logger.error({ err: error }, 'sealing: will try again')
    const reason = (error as Error).message
    logger.error({ register, reason }, `sealing: REFUSES TO SIGN ${register}: ${reason}; see pledger verify log`)
  }
}

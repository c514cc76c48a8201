// The keys that sign checkpoints: a file of Ed25519 private keys. All of them sign, so that a new one is trusted before an old
// one goes; under each register's own origin, as the name of a key has to be.

import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { privateKeys } from '../tlog/note.ts'

/** The keys cannot be had; the message says why and of which file. */
export class UnusableKeysError extends Error {}

/** Where checkpoints are said to come from where nothing else is configured. */
export const DEFAULT_ORIGIN = 'pledger.localhost'

/** The origin of a register's checkpoints, which is also the name of its keys. */
export function originOf(origin: string, register: string): string {
  return `${origin}/${register}`
}

/** The private keys of a file, at least one. Throws UnusableKeysError. */
export async function readKeys(file: string): Promise<KeyObject[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : error.message
    throw new UnusableKeysError(`cannot read the signing keys in ${file}: ${why}`)
  })
  try {
    return privateKeys(text)
  } catch (error) {
    throw new UnusableKeysError(`cannot use the signing keys in ${file}: ${(error as Error).message}`)
  }
}

/** As readKeys; a file that is not there yet is made, with a new key, for its owner alone. */
export async function readOrMakeKeys(file: string): Promise<KeyObject[]> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  // Whole or not at all: of two services that start at once one makes it, and the other reads what that one made.
  const draft = `${file}.${process.pid}.${randomUUID()}`
  try {
    await writeFile(draft, pem, { mode: 0o600, flag: 'wx', flush: true })
    await link(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw new UnusableKeysError(`cannot make a signing key in ${file}: ${(error as Error).message}`)
  } finally {
    await rm(draft, { force: true })
  }
  return readKeys(file)
}

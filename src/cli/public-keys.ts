// Public keys as an option of a command: whom its user believes.

import { readFile } from 'node:fs/promises'
import { parseVkey, type Verifier } from '../integrity/tlog/note.ts'
import { parseKeys } from '../integrity/verifying/verify.ts'
import { CommandError } from './program.ts'

/** The keys of an option: a public key itself, or a file of them. Throws CommandError. */
export async function readKeysOption(text: string): Promise<Verifier[]> {
  const key = parseVkey(text)
  if (key) return [key]
  const contents = await readFile(text, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENAMETOOLONG') throw new CommandError(error.message)
    throw new CommandError(`--key ${JSON.stringify(text)} is no public key (name+id+base64) and no file`, 2)
  })
  const keys = parseKeys(contents)
  if (keys) return keys
  throw new CommandError(`${text} must hold public keys, one on each line, or the JSON of R/keys`)
}

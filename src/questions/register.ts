// What every question needs of the process that asks it, and the register that it is about.

import type { Database } from '../database/pool.ts'
import { isSlug } from '../domain/fields.ts'
import type { RegisterHeads } from '../projections/core/heads.ts'
import type { RegisterHead } from '../projections/core/register-head.ts'
import type { KnownRegister, Registers } from '../registers/registers.ts'
import { RefusalError } from './refusal.ts'

export type QuestionContext = {
  db: Database
  registers: Registers
  /** What is known in memory of how far every register and its projections are. */
  heads: RegisterHeads
  /** The clock: milliseconds since the epoch. */
  now: () => number
  /** Asks the projections to read the log now. */
  wake: () => void
}

/** A register that is asked about, with the head that the answer goes by. */
export type AskedRegister = KnownRegister & { head: RegisterHead }

/** The register of that id, as memory knows it where that is fresh; throws RefusalError `unknown-register`. */
export async function askedRegister(
  { db, registers, heads }: QuestionContext,
  register: string,
): Promise<AskedRegister> {
  const head = isSlug(register) ? (heads.peek(register) ?? (await heads.read(register))) : null
  if (!head) throw new RefusalError('unknown-register', { detail: `there is no register ${register}` })
  return registers.at(db, head)
}

// The registers that everyone may read: a short list that is kept in memory for some seconds.

import type { Database } from '../database/pool.ts'

const STALE_MS = 2_000

export type PublicRegisters = {
  /** Whether everyone may read a register, as far as memory knows; undefined where it has to be read. */
  peek: (register: string) => boolean | undefined
  has: (register: string) => Promise<boolean>
}

/** Opens a register for reading to everyone, or closes it again. That it is there is for the caller to know. */
export async function setPublic(db: Database, register: string, isPublic: boolean, now: number): Promise<void> {
  if (isPublic) {
    await db
      .insertInto('public_register')
      .values({ register, since: new Date(now) })
      .onConflict((on) => on.doNothing())
      .execute()
  } else await db.deleteFrom('public_register').where('register', '=', register).execute()
}

/** The registers that everyone may read. */
export async function listPublic(db: Database): Promise<Set<string>> {
  const rows = await db.selectFrom('public_register').select('register').execute()
  return new Set(rows.map(({ register }) => register))
}

/** The public registers of a database. */
export function createPublicRegisters(db: Database): PublicRegisters {
  let known = new Set<string>()
  let until = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null
  const read = async () => {
    known = await listPublic(db)
    until = performance.now() + STALE_MS
  }
  return {
    peek: (register) => (performance.now() < until ? known.has(register) : undefined),
    async has(register) {
      if (performance.now() >= until) {
        reading ??= read().finally(() => {
          reading = null
        })
        await reading
      }
      return known.has(register)
    },
  }
}

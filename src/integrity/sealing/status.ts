// How far every register is sealed, for operators, and under which origin.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { readEnvelopesAt } from '../../eventlog/events.ts'

export type SealState = {
  register: string
  /** The size of its newest checkpoint, 0 before the first, and when that was signed, milliseconds since the epoch. */
  size: number
  signedAt: number | null
  /** Events that no checkpoint covers yet, and for how long the first of them has been there. */
  behindEvents: number
  behindSeconds: number
  /** Why the sealer will not sign it; null where it does. */
  refusedBecause: string | null
}

type Row = {
  register: string
  total: number
  size: number
  signed_at: Date | null
  refused_because: string | null
}

/** How far every register with events is sealed, by register; `now` is in milliseconds. */
export async function sealStates(db: Queryable, now: number): Promise<SealState[]> {
  const { rows } = await sql<Row>`select r.register, r.size as total, coalesce(t.size, 0) as size, t.signed_at,
      t.refused_because
    from register r left join tree t on t.register = r.register where r.size > 0 order by r.register`.execute(db)
  const behind = rows.filter(({ size, total }) => size < total)
  const oldest = await readEnvelopesAt(
    db,
    behind.map(({ register, size }) => ({ register, position: size })),
  )
  const since = new Map(oldest.map(({ register, recordedAt }) => [register, recordedAt]))
  return rows.map(({ register, total, size, signed_at: signedAt, refused_because: refusedBecause }) => ({
    register,
    size,
    signedAt: signedAt?.getTime() ?? null,
    behindEvents: Math.max(0, total - size),
    behindSeconds: Math.max(0, Math.floor((now - (since.get(register) ?? now)) / 1_000)),
    refusedBecause,
  }))
}

export type SigningKey = { register: string; vkey: string }

/** The public keys that sign now, of every register. */
export async function signingKeys(db: Queryable): Promise<SigningKey[]> {
  return db
    .selectFrom('signing_key')
    .select(['register', 'vkey'])
    .where('to_size', 'is', null)
    .orderBy('register')
    .orderBy('from_size')
    .orderBy('vkey')
    .execute()
}

/** The origins under which registers were sealed, without the registers, each with one of them. */
export async function sealedOrigins(db: Queryable): Promise<{ origin: string; register: string }[]> {
  const { rows } = await sql<{ origin: string; register: string }>`
    select left(origin, length(origin) - length(register) - 1) as origin, min(register) as register
    from tree where size > 0 group by 1 order by 1`.execute(db)
  return rows
}

// Idempotency keys. A key is kept with the outcomes of its recording, in the same transaction.

import { sql } from 'kysely'
import type { Queryable } from '../database/pool.ts'

/** A key as its caller chose it, and the SHA-256 of the request that it came with. */
export type RecordingKey = { key: string; fingerprint: Buffer }

/** Another recording has taken the key since it was looked for. Nothing was recorded. */
export class KeyTakenError extends Error {}

/** How long a key is kept: the promised day, and another one for a clock that jumps by a day. */
const KEPT_MS = 48 * 3_600_000

/** A key that was kept, with the outcomes that `keepKeys` was given. */
export type KeptKey = { fingerprint: Buffer; outcomes: unknown }

/** The key of a caller if it is still kept, else null. `now` in milliseconds since the epoch. */
export async function findKey(
  db: Queryable,
  register: string,
  recordedBy: string,
  key: string,
  now: number,
): Promise<KeptKey | null> {
  const row = await db
    .selectFrom('idempotency_key')
    .select(['fingerprint', 'outcomes'])
    .where('register', '=', register)
    .where('recorded_by', '=', recordedBy)
    .where('key', '=', key)
    .where('kept_at', '>', new Date(now - KEPT_MS))
    .executeTakeFirst()
  return row ?? null
}

type Kept = { key: RecordingKey; recordedBy: string; outcomes: unknown }

/**
 * Keeps keys with the outcomes of their recordings. The caller's transaction holds the register's row. Returns the keys that
 * another recording has taken.
 */
export async function keepKeys(
  db: Queryable,
  register: string,
  kept: readonly Kept[],
  now: number,
): Promise<RecordingKey[]> {
  if (kept.length === 0) return []
  const rows = kept.map(({ key: { key, fingerprint }, recordedBy, outcomes }) => ({
    key,
    recorded_by: recordedBy,
    fingerprint: fingerprint.toString('hex'),
    outcomes,
  }))
  const { rows: written } = await sql<{ recorded_by: string; key: string }>`
    insert into idempotency_key as k (register, recorded_by, key, fingerprint, outcomes, kept_at)
    select ${register}, recorded_by, key, decode(fingerprint, 'hex'), outcomes, ${new Date(now)}
    from json_to_recordset(${JSON.stringify(rows)}::json)
      as row (recorded_by text, key text, fingerprint text, outcomes json)
    on conflict (register, recorded_by, key) do update
      set fingerprint = excluded.fingerprint, outcomes = excluded.outcomes, kept_at = excluded.kept_at
      where k.kept_at <= ${new Date(now - KEPT_MS)}
    returning recorded_by, key`.execute(db)
  const isWritten = new Set(written.map(({ recorded_by, key }) => `${recorded_by} ${key}`))
  return kept.filter(({ key, recordedBy }) => !isWritten.has(`${recordedBy} ${key.key}`)).map(({ key }) => key)
}

/**
 * Forgets the fingerprints of the recordings of some events, by the ids of the events: who guesses the content could check it
 * against the hash. The keys stay, so a request that is sent again is not recorded again.
 */
export async function forgetFingerprints(db: Queryable, register: string, ids: readonly string[]): Promise<void> {
  await sql`update idempotency_key set fingerprint = sha256(uuid_send(gen_random_uuid()))
    where register = ${register} and exists (
      select from json_array_elements(outcomes) outcome where outcome ->> 'id' = any(${[...ids]}::text[]))`.execute(db)
}

/** Forgets the keys of a register that are older than 48 hours. */
export async function forgetKeys(db: Queryable, register: string, now: number): Promise<void> {
  await db
    .deleteFrom('idempotency_key')
    .where('register', '=', register)
    .where('kept_at', '<=', new Date(now - KEPT_MS))
    .execute()
}

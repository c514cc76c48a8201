// Tokens: 256 random bits that are told once; kept is their SHA-256. Which one a request has is known from memory for some
// seconds, so a token that is revoked or created counts everywhere within that time.

import { hash, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Database } from '../database/pool.ts'
import { type Caller, type Grant, grant } from './grants.ts'

/** The prefix of every token, so that tools that search for leaked secrets find it. */
const PREFIX = 'pledger_'
const SHAPE = /^pledger_[A-Za-z0-9_-]{43}$/

/** How long memory may know a token differently from the database. */
const STALE_MS = 5_000
/** How often at most the last use of a token is written. */
const USED_EVERY_MS = 60_000
const MAX_KNOWN = 10_000

const ID_BYTES = 6

export type NewToken = { name: string; grants: readonly Grant[]; expiresAt: number | null; now: number }

/** A token without its secret; instants in milliseconds since the epoch. */
export type ListedToken = {
  id: string
  name: string | null
  grants: readonly Grant[]
  createdAt: number
  expiresAt: number | null
  revokedAt: number | null
  lastUsedAt: number | null
}

/** The `recordedBy` of what a token records. */
function callerId(id: string): string {
  return `token:${id}`
}

/** Creates a token; its text is returned here and nowhere else. */
export async function createToken(
  db: Database,
  { name, grants, expiresAt, now }: NewToken,
): Promise<{ id: string; text: string }> {
  const text = PREFIX + randomBytes(32).toString('base64url')
  const id = randomBytes(ID_BYTES).toString('hex')
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('principal')
      .values({ id: callerId(id), name })
      .execute()
    await tx
      .insertInto('token')
      .values({
        id,
        hash: hash('sha256', text, 'buffer'),
        grants: JSON.stringify(grants),
        created_at: new Date(now),
        expires_at: expiresAt === null ? null : new Date(expiresAt),
      })
      .execute()
  })
  return { id, text }
}

const grantList = z.array(grant)

/** All tokens, the newest first. */
export async function listTokens(db: Database): Promise<ListedToken[]> {
  const rows = await db
    .selectFrom('token')
    .leftJoin('principal', (join) => join.on('principal.id', '=', sql<string>`'token:' || token.id`))
    .select(['token.id', 'name', 'grants', 'created_at', 'expires_at', 'revoked_at', 'last_used_at'])
    .orderBy('created_at', 'desc')
    .orderBy('token.id')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    grants: grantList.parse(row.grants),
    createdAt: row.created_at.getTime(),
    expiresAt: row.expires_at?.getTime() ?? null,
    revokedAt: row.revoked_at?.getTime() ?? null,
    lastUsedAt: row.last_used_at?.getTime() ?? null,
  }))
}

/** Revokes a token for good; false where there is none of that id. One that was revoked before stays as it is. */
export async function revokeToken(db: Database, id: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('token')
    .set({ revoked_at: sql`coalesce(revoked_at, ${new Date(now)})` })
    .where('id', '=', id)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** The caller who has a token; null where nobody has it. */
type Known = { caller: Caller | null }

export type Tokens = {
  /** Who has this token, as far as memory knows; undefined where it has to be looked up, null where nobody has. */
  peek: (text: string) => Caller | null | undefined
  /** Who has this token; null where there is none, or it is expired or revoked. */
  read: (text: string) => Promise<Caller | null>
  /** Writes when tokens were last used and ends. */
  stop: () => Promise<void>
}

/** A text in which no token of ours can be read: for logs, and answers that quote what was asked. */
export function withoutTokens(text: string): string {
  return text.includes(PREFIX) ? text.replaceAll(/pledger_[A-Za-z0-9_-]{43}/g, 'pledger_…') : text
}

/** Whether a text can be a token of ours. */
export function isToken(text: string): boolean {
  return text.startsWith(PREFIX)
}

/** The tokens of a database; `now` is the service's clock. */
export function createTokens(db: Database, now: () => number, onError: (error: unknown) => void): Tokens {
  // By hash: a dump of this memory holds no token.
  const known = new LRUCache<string, Known>({ max: MAX_KNOWN, ttl: STALE_MS })
  const looking = new Map<string, Promise<Caller | null>>()
  const used = new Map<string, number>()
  const digest = (text: string) => hash('sha256', text, 'base64')
  const isExpired = ({ expiresAt }: Caller) => expiresAt !== null && now() >= expiresAt

  const look = async (key: string): Promise<Caller | null> => {
    const row = await db
      .selectFrom('token')
      .select(['id', 'grants', 'expires_at'])
      .where('hash', '=', Buffer.from(key, 'base64'))
      .where('revoked_at', 'is', null)
      .executeTakeFirst()
    const caller = row && {
      id: callerId(row.id),
      grants: grantList.parse(row.grants),
      expiresAt: row.expires_at?.getTime() ?? null,
    }
    known.set(key, { caller: caller ?? null })
    return caller ?? null
  }
  const valid = (caller: Caller | null) => {
    if (caller === null || isExpired(caller)) return null
    used.set(caller.id.slice(callerId('').length), now())
    return caller
  }
  const peek = (text: string) => {
    if (!SHAPE.test(text)) return null
    const found = known.get(digest(text))
    return found && valid(found.caller)
  }
  const writeUses = async () => {
    const [ids, times] = [[...used.keys()], [...used.values()].map((time) => new Date(time))]
    used.clear()
    if (ids.length === 0) return
    await sql`update token set last_used_at = n.used_at
      from unnest(${ids}::text[], ${times}::timestamptz[]) n (id, used_at)
      where token.id = n.id and (last_used_at is null or last_used_at < n.used_at)`
      .execute(db)
      .catch(onError)
  }
  const timer = setInterval(writeUses, USED_EVERY_MS).unref()
  return {
    peek,
    async read(text) {
      const soon = peek(text)
      if (soon !== undefined) return soon
      const key = digest(text)
      // Of many requests that come at once with a token one looks it up.
      const looked = looking.get(key) ?? look(key).finally(() => looking.delete(key))
      looking.set(key, looked)
      return valid(await looked)
    },
    async stop() {
      clearInterval(timer)
      await writeUses()
    },
  }
}

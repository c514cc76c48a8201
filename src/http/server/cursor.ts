// Cursors: where the next page of a list goes on. Opaque to callers; a cursor pins the whole question, clocks included.

import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { Problem } from './problem.ts'

/** What every pageable query has; these are not pinned. */
export type Paged = { cursor?: string | undefined; limit?: number | undefined; minSize?: number | undefined }
const UNPINNED = ['cursor', 'limit', 'minSize']

const VERSION = 3

function malformed(detail: string): Problem {
  return new Problem('malformed', { detail: `parameter cursor: ${detail}`, errors: [{ pointer: '/cursor', detail }] })
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return null
  }
}

/** A cursor that an earlier or later version of the service has given. */
function isOfOtherVersion(decoded: unknown): boolean {
  const version = (decoded as { v?: unknown } | null)?.v
  return typeof version === 'number' && version !== VERSION
}

export type Cursors<Query, Place> = {
  /** The cursor of the page that begins at a place; `pinned` are the parameters that clocks were resolved to. */
  write: (register: string, query: Query, pinned: Readonly<Record<string, string>>, place: Place) => string
  /**
   * The question to answer and where its page begins (null: at the first). Throws Problem `malformed` where the cursor is
   * not one of this list, or where a parameter beside it says otherwise than what it pins, and `cursor-expired`.
   */
  read: (register: string, query: Query, url: string) => { query: Query; place: Place | null }
}

/** The cursors of one list, whose parameters are parsed by `parameters` and whose pages begin at a `place`. */
export function cursors<Query extends Paged, Place>(
  list: string,
  parameters: z.ZodType<Query>,
  place: z.ZodType<Place>,
): Cursors<Query, Place> {
  const shape = z.strictObject({
    v: z.literal(VERSION),
    list: z.literal(list),
    register: z.string(),
    place,
    query: z.record(z.string(), z.unknown()),
  })
  return {
    write(register, query, pinned, place) {
      const kept = Object.entries({ ...query, ...pinned }).filter(([name]) => !UNPINNED.includes(name))
      const cursor = { v: VERSION, list, register, place, query: Object.fromEntries(kept) }
      return Buffer.from(JSON.stringify(cursor)).toString('base64url')
    },
    read(register, query, url) {
      if (query.cursor === undefined) return { query, place: null }
      const decoded = decode(query.cursor)
      if (isOfOtherVersion(decoded)) throw new Problem('cursor-expired', { detail: 'start again from the first page' })
      const parsed = shape.safeParse(decoded)
      if (!parsed.success) throw malformed('expected the next of a page of this list')
      const pinned = parameters.safeParse(parsed.data.query)
      if (!pinned.success || parsed.data.register !== register) throw malformed('it belongs to another list')
      const { cursor, limit, minSize } = query
      // Clients that build on the first address repeat its parameters: the same values say nothing new.
      for (const name of new URLSearchParams(url.split('?')[1]).keys()) {
        const key = name as keyof Query
        if (UNPINNED.includes(name) || JSON.stringify(query[key]) === JSON.stringify(pinned.data[key])) continue
        throw malformed(`it pins ${name}; ask without ${name}, or without the cursor`)
      }
      return { query: { ...pinned.data, cursor, limit, minSize }, place: parsed.data.place }
    },
  }
}

/** Says where the next page is in the way of RFC 8288, as the answer's `next` does. */
export function linkNext(reply: FastifyReply, path: string, next: string | null, limit: number | undefined): void {
  if (next === null) return
  const address = new URLSearchParams({ cursor: next, ...(limit === undefined ? {} : { limit: String(limit) }) })
  reply.header('link', `<${path}?${address}>; rel="next"`)
}

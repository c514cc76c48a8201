// The pages of the log that followers read. Followers at the head want the same page: it is read once, and put together once.

import type { Database } from '../../database/pool.ts'
import type { FeedQuery } from '../../eventlog/feed.ts'
import { type FeedLine, readFeedLines } from '../../eventlog/feed-lines.ts'
import { atMost } from '../../kernel/at-most.ts'

/** How many events, and about how many bytes, are read for a follower at once: each may hold as much, and there may be many. */
const PAGE = 250
const PAGE_BYTES = 128 * 1024
/** How many bytes are written before it is asked whether the client has taken them. */
const PIECE_BYTES = 64 * 1024
/** How many pages are read at once for all followers together, so that recording and answering keep their connections. */
const READS_AT_ONCE = 3

/** Which events a follower wants. */
export type Selection = Omit<FeedQuery, 'limit'>

/** The next events of a selection as frames, the position of the last of them, and how far the log was looked through. */
export type FeedPage = { pieces: readonly Uint8Array[]; last: number | null; upTo: number }

/** The next events of a selection after a position, up to and with another. */
export type ReadPage = (selection: Selection, after: number, until: number) => Promise<FeedPage>

/** Creates the reading of pages for the followers of a process. */
export function createPageReader(db: Database): ReadPage {
  const inTurn = atMost(READS_AT_ONCE)
  const read = (query: Selection) => inTurn(() => readFeedLines(db, { ...query, limit: PAGE }, PAGE_BYTES))
  const readShared = shared(read)
  /** The pieces of whole pages, put together once for all who take all of them. */
  const piecesOfPages = new WeakMap<readonly FeedLine[], readonly Uint8Array[]>()

  return async ({ register, streams = [], types = [] }, after, until) => {
    const isWhole = streams.length === 0 && types.length === 0
    if (!isWhole && until - after > PAGE) {
      const lines = await read({ register, after, until, streams, types })
      return pageOf(lines, piecesOf(lines), lines.at(-1)?.position ?? until)
    }
    const all = await readShared(register, after, until)
    const upTo = all.at(-1)?.position ?? until
    if (isWhole) {
      const pieces = piecesOfPages.get(all) ?? piecesOf(all)
      piecesOfPages.set(all, pieces)
      return pageOf(all, pieces, upTo)
    }
    const isWanted = ({ stream, type }: FeedLine) =>
      (streams.length === 0 || streams.includes(stream)) && (types.length === 0 || types.includes(type))
    const wanted = all.filter(isWanted)
    return pageOf(wanted, piecesOf(wanted), upTo)
  }
}

function pageOf(lines: readonly FeedLine[], pieces: readonly Uint8Array[], upTo: number): FeedPage {
  return { pieces, last: lines.at(-1)?.position ?? null, upTo }
}

/** Reads of the same page at the same time are one. */
function shared(read: (query: Selection) => Promise<FeedLine[]>) {
  const reads = new Map<string, Promise<FeedLine[]>>()
  return (register: string, after: number, until: number): Promise<FeedLine[]> => {
    const name = `${register} ${after} ${until}`
    const known = reads.get(name)
    if (known) return known
    const lines = read({ register, after, until }).finally(() => reads.delete(name))
    reads.set(name, lines)
    return lines
  }
}

/** An event as its follower gets it. Ids are numbers and lines hold no line break, so nothing can pass for another field. */
function frame({ position, line }: FeedLine): string {
  return `id: ${position}\ndata: ${line}\n\n`
}

/**
 * Frames as they go over the wire, in pieces. An event may have a megabyte, and even a slow client takes one piece in
 * time. A client that is cut off in the middle of an event begins it again.
 */
function piecesOf(lines: readonly FeedLine[]): Uint8Array[] {
  const bytes = Buffer.from(lines.map(frame).join(''))
  const count = Math.ceil(bytes.length / PIECE_BYTES)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES))
}

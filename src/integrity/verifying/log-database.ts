// A log as the database holds it, to be checked: rows as they stand there, not as the service would read them.

import { sql } from 'kysely'
import type { Queryable } from '../../database/pool.ts'
import { answerEvent } from '../../domain/event-answer.ts'
import { listRegistersWithEvents, readHead } from '../../eventlog/heads.ts'
import { readWithLeaves } from '../../eventlog/leaves.ts'
import { listCheckpoints, listKeys, newestCheckpoint } from '../sealing/stored.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { parseNote, parseVkey } from '../tlog/note.ts'
import type { TileId } from '../tlog/tiles.ts'
import { faultAt, VerificationError } from './verify.ts'
import type { ListedCheckpoint, LogEntry, LogSource } from './verify-log.ts'

const CHECKPOINTS_AT_ONCE = 1_000

/** One after the other: there is one connection, and one statement at a time on it. */
function takingTurns() {
  let turn: Promise<unknown> = Promise.resolve()
  return <T>(run: () => Promise<T>): Promise<T> => {
    const mine = turn.then(run)
    // The caller of that run gets the error.
    turn = mine.catch(() => {})
    return mine
  }
}

type InTurn = ReturnType<typeof takingTurns>

async function* entries(db: Queryable, register: string, inTurn: InTurn): AsyncGenerator<LogEntry[]> {
  const read = (after: number) => inTurn(() => readWithLeaves(db, register, after))
  let next = read(-1)
  for (let page = await next; page.length > 0; page = await next) {
    // The next is read while this one is checked.
    next = read(page.at(-1)?.event.position ?? 0)
    next.catch(() => {})
    yield page.map(({ event, leaf, inexact }) =>
      inexact === null ? { event: answerEvent(event), leaf } : faultAt(event.position, `its content: ${inexact}`),
    )
  }
}

async function* checkpoints(db: Queryable, register: string, inTurn: InTurn): AsyncGenerator<ListedCheckpoint> {
  for (let after = -1; ; ) {
    const page = await inTurn(() => listCheckpoints(db, register, { after, limit: CHECKPOINTS_AT_ONCE }))
    yield* page.map(({ size, root, note }) => ({ size, rootHash: root.toString('base64'), note }))
    const last = page.at(-1)
    if (!last || page.length < CHECKPOINTS_AT_ONCE) return
    after = last.size
  }
}

async function readTiles(db: Queryable, register: string, ids: readonly TileId[]): Promise<(Buffer | null)[]> {
  const [levels, indexes] = [ids.map(({ level }) => level), ids.map(({ index }) => index.toString())]
  const { rows } = await sql<{ hashes: Buffer | null }>`select t.hashes
    from unnest(${levels}::smallint[], ${indexes}::bigint[]) with ordinality n (level, index, place)
    left join tile t on t.register = ${register} and t.level = n.level and t.index = n.index
    order by n.place`.execute(db)
  return rows.map(({ hashes }) => hashes)
}

/** The newest note; throws VerificationError where the tree's row does not say what that says. */
async function newestNote(db: Queryable, register: string): Promise<string | null> {
  const newest = await newestCheckpoint(db, register)
  const tree = await db
    .selectFrom('tree')
    .select(['size', 'origin'])
    .where('register', '=', register)
    .executeTakeFirst()
  if ((tree?.size ?? 0) !== (newest?.size ?? 0))
    throw new VerificationError(
      'the tree',
      `it is of size ${tree?.size ?? 0}, its newest checkpoint of ${newest?.size ?? 0}`,
    )
  const origin = newest && parseCheckpoint(parseNote(newest.note)?.text ?? '')?.origin
  // A note that cannot be read is told of where it is checked.
  if (origin && tree?.origin !== origin)
    throw new VerificationError(
      'the tree',
      `its row says that it is ${tree?.origin}, its newest checkpoint that it is ${origin}`,
    )
  return newest?.note ?? null
}

/** The registers with events, or with a tree that was once made of events. */
export async function listLogs(db: Queryable): Promise<string[]> {
  const trees = await db.selectFrom('tree').select('register').execute()
  const events = await listRegistersWithEvents(db)
  return [...new Set([...events, ...trees.map(({ register }) => register)])].sort()
}

/**
 * The log of a register in a transaction, which is to see one moment (repeatable read). Throws VerificationError where
 * its newest checkpoint is not that of its tree.
 */
export async function databaseLog(db: Queryable, register: string): Promise<LogSource> {
  const inTurn = takingTurns()
  const head = await readHead(db, register)
  if (!head)
    throw new VerificationError(
      'the register',
      'its row is missing, or says that it is empty: nothing reads its log any more',
    )
  return {
    register,
    size: head.size,
    newest: await newestNote(db, register),
    listedKeys: (await listKeys(db, register)).flatMap(({ vkey }) => parseVkey(vkey) ?? []),
    head,
    entries: () => entries(db, register, inTurn),
    tiles: (ids) => inTurn(() => readTiles(db, register, ids)),
    checkpoints: () => checkpoints(db, register, inTurn),
    isGrowing: false,
    redactionsSince: async () => [],
  }
}

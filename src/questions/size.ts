// How much of the log a question is answered from: the size that it names, or what its source has read.

import { instant } from '../domain/fields.ts'
import { sizeAt } from '../eventlog/heads.ts'
import { dayInZone, endOfDayInZone, parseDay } from '../kernel/plain-date.ts'
import type { RegisterHeads } from '../projections/core/heads.ts'
import type { RegisterHead } from '../projections/core/register-head.ts'
import { type Basis, reachOf, type Source, stoppedBy } from './basis.ts'
import { malformed, RefusalError } from './refusal.ts'
import type { AskedRegister, QuestionContext } from './register.ts'

/** The clocks that a question names. */
export type ClockParameters = {
  /** The day that it is about, `YYYY-MM-DD`; today in the time zone of the register where it is left out. */
  asOf?: string | undefined
  /** Whose knowledge answers: a size, an instant (RFC 3339), or a day (its end); else everything recorded. */
  knownAt?: string | undefined
  /** The size that the answer has to know at least; it is waited for, up to 5 seconds. */
  minSize?: number | undefined
}

function isSize(knownAt: string): boolean {
  return /^\d+$/.test(knownAt)
}

function instantOf(text: string, parameter: string): number {
  if (instant.safeParse(text).success) return Date.parse(text)
  throw malformed(parameter, 'expected a size, a day (YYYY-MM-DD) or an instant (RFC 3339)')
}

/** The size that `knownAt` names; throws RefusalError `beyond-knowledge` or `malformed`. */
async function namedSize(
  { db, now, heads }: QuestionContext,
  known: AskedRegister,
  knownAt: string,
  parameter: string,
): Promise<number> {
  const { head, register, state } = known
  if (isSize(knownAt)) {
    const size = Number(knownAt)
    if (size <= head.size) return size
    // Another process may have told the caller of a size that memory does not know yet.
    const newest = (await heads.read(register)) ?? head
    if (size <= newest.size) return size
    throw new RefusalError('beyond-knowledge', { detail: `${register} holds ${newest.size} events, not ${knownAt}` })
  }
  const day = parseDay(knownAt)
  const today = dayInZone(now(), state.timeZone)
  if (day === today) return head.size
  const until = day === null ? instantOf(knownAt, parameter) : endOfDayInZone(day, state.timeZone)
  // What was recorded has been, also where the clock was set back since.
  if (until > Math.max(now(), head.recordedAt ?? 0))
    throw new RefusalError('beyond-knowledge', { detail: `${knownAt} lies in the future` })
  return sizeAt(db, register, until)
}

const WAIT_MS = 5_000
/** When to ask again where a projection has stopped: it tries again about so often. */
const STOPPED_SECONDS = 10

/**
 * The first head of a register at which the source has reached a size. It is looked for as long as a caller may wait,
 * and no longer once an event has stopped the source. Throws RefusalError `projection-behind`.
 */
function headWith(heads: RegisterHeads, register: string, source: Source, size: number) {
  return new Promise<RegisterHead>((resolve, reject) => {
    const refuse = (why: string, retryAfterSeconds: number) => {
      end()
      reject(new RefusalError('projection-behind', { detail: `size ${size} is not reached${why}`, retryAfterSeconds }))
    }
    const look = (head: RegisterHead | null) => {
      if (!head) return
      const stopped = stoppedBy(head, source)
      if (reachOf(head, source) >= size) {
        end()
        resolve(head)
      } else if (stopped !== null) refuse(`: ${stopped}`, STOPPED_SECONDS)
    }
    const unfollow = heads.follow(register, look)
    const tooLong = setTimeout(() => refuse(' yet', 1), WAIT_MS)
    const end = () => {
      unfollow()
      clearTimeout(tooLong)
    }
    // It may have come before it was followed.
    look(heads.peek(register))
  })
}

/** The first head by which the source has read as much as is wanted, where the known one says that it has not: waited for. */
async function awaitedHead(
  { heads, wake }: QuestionContext,
  register: string,
  source: Source,
  wanted: number,
): Promise<RegisterHead> {
  const newest = await heads.read(register)
  if (newest && reachOf(newest, source) >= wanted) return newest
  wake()
  return headWith(heads, register, source, wanted)
}

/** A size that is resolved, the register that it was resolved by, and what it rests on. */
export type Resolved = { size: number; known: AskedRegister; basis: Basis }

/**
 * The size that `knownAt`, which the question calls `parameter`, asks for, or else what the source has read, once the source
 * has read as much as is asked for. Throws RefusalError `projection-behind`, `beyond-knowledge` or `malformed`.
 */
export async function resolveSize(
  context: QuestionContext,
  asked: AskedRegister,
  source: Source,
  { asOf, knownAt, minSize = 0 }: ClockParameters,
  parameter = 'knownAt',
): Promise<Resolved> {
  // Where no size is named, a source that has not begun answers nothing.
  const wanted = Math.max(knownAt === undefined ? 1 : 0, minSize)
  const isReached = reachOf(asked.head, source) >= wanted
  const head = isReached ? asked.head : await awaitedHead(context, asked.register, source, wanted)
  const known = head === asked.head ? asked : await context.registers.at(context.db, head)
  const from = knownAt === undefined ? 'head' : isSize(knownAt) ? 'named' : 'instant'
  const dayIn = asOf === undefined || from === 'instant' ? known.state.timeZone : null
  const basis: Basis = { head, source, size: from, dayIn }
  if (knownAt === undefined) return { size: reachOf(head, source), known, basis }
  const size = await namedSize(context, known, knownAt, parameter)
  if (reachOf(known.head, source) < size) await awaitedHead(context, known.register, source, size)
  return { size, known, basis }
}

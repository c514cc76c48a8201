// What every route works with, and the two clocks of a question resolved.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Access } from '../../access/access.ts'
import type { Database } from '../../database/pool.ts'
import type { RegisterState } from '../../domain/register/state.ts'
import { sizeAt } from '../../eventlog/feed.ts'
import { recordedAtSize } from '../../eventlog/load.ts'
import { type Day, dayInZone, endOfDayInZone, formatDay, parseDay } from '../../kernel/plain-date.ts'
import type { Heads, RegisterHead } from '../../projections/core/heads.ts'
import type { Recorder } from '../../recording/recorder.ts'
import { type KnownRegister, type Registers, stateKnownAt } from '../../registers/registers.ts'
import { wholeNumber } from './parameters.ts'
import { type Basis, reachOf, type Source, stoppedBy } from './polls.ts'
import { Problem } from './problem.ts'

export type Context = {
  access: Access
  db: Database
  registers: Registers
  /** What is known in memory of how far every register and its projections are. */
  heads: Heads
  recorder: Recorder
  /** The service's clock: milliseconds since the epoch. */
  now: () => number
  /** Asks the projections to look at the log now. */
  wake: () => void
}

const SLUG = /^[a-z0-9][a-z0-9._-]{0,99}$/

/** True for what can be the id of a register or a commitment; anything else is simply not there. */
export function isSlug(text: string): boolean {
  return SLUG.test(text)
}

/** A register that is asked about, with the head that the answer goes by. */
export type AskedRegister = KnownRegister & { head: RegisterHead }

/** The register of a request, as memory knows it where that is fresh; throws Problem `unknown-register`. */
export async function registerOf({ db, registers, heads }: Context, request: FastifyRequest): Promise<AskedRegister> {
  const { register } = request.params as { register: string }
  const head = isSlug(register) ? (heads.peek(register) ?? (await heads.read(register))) : null
  if (!head) throw new Problem('unknown-register', { detail: `there is no register ${register}` })
  return registers.at(db, head)
}

export const asOfParameter = z
  .string()
  .refine((value) => parseDay(value) !== null, { error: 'expected an existing day, YYYY-MM-DD' })
  .optional()
  .meta({ description: 'The day the question is about, YYYY-MM-DD; today in the time zone of the register by default' })
export const knownAtParameter = z.string().optional().meta({
  description: 'Whose knowledge answers: a size, an instant, or a day (its end); everything recorded by default',
})
export const minSizeParameter = wholeNumber('expected a size', 0)
  .optional()
  .meta({ description: 'Waits until the answer knows this size, up to 5 seconds' })

export const clockParameters = { asOf: asOfParameter, knownAt: knownAtParameter, minSize: minSizeParameter }
type ClockParameters = { asOf?: string | undefined; knownAt?: string | undefined; minSize?: number | undefined }

/** A question's two clocks, resolved, and what the register defines as known then. */
export type Clocks = {
  register: string
  asOf: Day
  size: number
  knownAt: { size: number; recordedAt: string | null }
  timeZone: string
  state: RegisterState
  /** The register, known at least at that size. */
  known: AskedRegister
  basis: Basis
}

// Nearly every answer tells when the newest event was recorded.
let lastInstant = { epochMs: Number.NaN, text: '' }

/** An instant as answers give it: RFC 3339 in UTC with milliseconds. */
export function instantText(epochMs: number): string {
  if (lastInstant.epochMs !== epochMs) lastInstant = { epochMs, text: new Date(epochMs).toISOString() }
  return lastInstant.text
}

const INSTANT = z.iso.datetime({ offset: true })

/** The size that `knownAt` names; throws Problem `beyond-knowledge` or `malformed`. */
async function namedSize(
  { db, now, heads }: Context,
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
    throw new Problem('beyond-knowledge', { detail: `${register} holds ${newest.size} events, not ${knownAt}` })
  }
  const day = parseDay(knownAt)
  const today = dayInZone(now(), state.timeZone)
  if (day === today) return head.size
  const instant = day === null ? instantOf(knownAt, parameter) : endOfDayInZone(day, state.timeZone)
  // What was recorded has been, also where the clock was set back since.
  if (instant > Math.max(now(), head.recordedAt ?? 0))
    throw new Problem('beyond-knowledge', { detail: `${knownAt} lies in the future` })
  return sizeAt(db, register, instant)
}

function isSize(knownAt: string): boolean {
  return /^\d+$/.test(knownAt)
}

function instantOf(text: string, parameter: string): number {
  if (INSTANT.safeParse(text).success) return Date.parse(text)
  const detail = 'expected a size, a day (YYYY-MM-DD) or an instant (RFC 3339)'
  throw new Problem('malformed', {
    detail: `parameter ${parameter}: ${detail}`,
    errors: [{ pointer: `/${parameter}`, detail }],
  })
}

const WAIT_MS = 5_000
/** When to ask again where a projection has stopped: it tries again about so often. */
const STOPPED_SECONDS = 10

/**
 * The first head of a register by which the source has reached a size, looked for as long as a caller may wait, and no longer
 * where an event has stopped it; throws Problem `projection-behind`.
 */
function headWith(heads: Heads, register: string, source: Source, size: number) {
  return new Promise<RegisterHead>((resolve, reject) => {
    const refuse = (why: string, seconds: number) => {
      end()
      const detail = `size ${size} is not reached${why}`
      reject(new Problem('projection-behind', { detail, headers: { 'retry-after': String(seconds) } }))
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

/** The size that a caller wants to be known at least: `minSize`, or the `Pledger-Size` of a recording sent back. */
function wantedSize(request: FastifyRequest, query: ClockParameters): number {
  const header = request.headers['pledger-size']
  if (header === undefined) return query.minSize ?? 0
  if (typeof header !== 'string' || !/^\d{1,15}$/.test(header)) {
    throw new Problem('malformed', { detail: 'header Pledger-Size: expected a size' })
  }
  return Math.max(Number(header), query.minSize ?? 0)
}

/** The first head by which the source has read as much as is wanted, waited for; the one that is known where it has. */
async function reachedHead(
  { heads, wake }: Context,
  { register, head }: AskedRegister,
  source: Source,
  wanted: number,
): Promise<RegisterHead> {
  const isEnough = (other: RegisterHead) => reachOf(other, source) >= wanted
  if (isEnough(head)) return head
  const newest = await heads.read(register)
  if (newest && isEnough(newest)) return newest
  wake()
  return headWith(heads, register, source, wanted)
}

/** A size that is resolved, the register that it was resolved by, and what it rests on. */
export type Resolved = { size: number; known: AskedRegister; basis: Basis }

/**
 * The size that a parameter named `knownAt` or alike asks for, or else what the source has read, once the source has read
 * as much as is asked for. Throws Problem `projection-behind`.
 */
export async function resolveSize(
  context: Context,
  request: FastifyRequest,
  asked: AskedRegister,
  source: Source,
  knownAt: string | undefined,
  parameter = 'knownAt',
): Promise<Resolved> {
  // Safe: every route that asks this has these parameters in its schema.
  const query = request.query as ClockParameters
  // Where no size is named, a source that has not begun answers nothing.
  const wanted = Math.max(knownAt === undefined ? 1 : 0, wantedSize(request, query))
  const head = await reachedHead(context, asked, source, wanted)
  const known = head === asked.head ? asked : await context.registers.at(context.db, head)
  const from = knownAt === undefined ? 'head' : isSize(knownAt) ? 'named' : 'instant'
  const dayIn = query.asOf === undefined || from === 'instant' ? known.state.timeZone : null
  const basis: Basis = { head, source, size: from, dayIn }
  if (knownAt === undefined) return { size: reachOf(head, source), known, basis }
  const size = await namedSize(context, known, knownAt, parameter)
  await reachedHead(context, known, source, size)
  return { size, known, basis }
}

const MAX_INSTANTS = 5_000
const instants = new WeakMap<Heads, Map<string, number | null>>()

/** When the last event within a size was recorded: that never changes, and dashboards ask for the same all day. */
async function recordedAtOf({ db, heads }: Context, register: string, size: number): Promise<number | null> {
  const known = instants.get(heads) ?? new Map<string, number | null>()
  instants.set(heads, known)
  const name = `${register} ${size}`
  const found = known.get(name)
  if (found !== undefined) return found
  const recordedAt = await recordedAtSize(db, register, size)
  for (const oldest of known.keys()) if (known.size >= MAX_INSTANTS) known.delete(oldest)
  known.set(name, recordedAt)
  return recordedAt
}

/** The clocks of a day (today where none is given) and a size that has been resolved. */
export async function clocksAt(
  context: Context,
  asOf: string | undefined,
  { size, known, basis }: Resolved,
): Promise<Clocks> {
  const { register } = known
  const today = dayInZone(context.now(), known.state.timeZone)
  const newest = size > known.head.size ? await newestOf(context, known) : known
  const isHead = size === newest.head.size
  const recordedAt = isHead ? newest.head.recordedAt : await recordedAtOf(context, register, size)
  const state = stateKnownAt(newest, size)
  return {
    register,
    asOf: (asOf === undefined ? null : parseDay(asOf)) ?? today,
    size,
    knownAt: { size, recordedAt: recordedAt === null ? null : instantText(recordedAt) },
    timeZone: state.timeZone,
    state,
    known: newest,
    basis,
  }
}

/** The register at the head that it has now. */
async function newestOf({ db, registers, heads }: Context, known: AskedRegister): Promise<AskedRegister> {
  return registers.at(db, (await heads.read(known.register)) ?? known.head)
}

/** Resolves the clocks of a request about a register, waiting where it asks for more than the source has read. */
export async function resolveClocks(
  context: Context,
  request: FastifyRequest,
  known: AskedRegister,
  source: Source,
): Promise<Clocks> {
  // Safe: every route that asks this has these parameters in its schema.
  const { asOf, knownAt } = request.query as ClockParameters
  return clocksAt(context, asOf, await resolveSize(context, request, known, source, knownAt))
}

/** What every list says besides its items. */
export function listFrame({ asOf, knownAt }: Clocks) {
  return { asOf: formatDay(asOf), knownAt }
}

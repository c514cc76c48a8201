// What every route works with, and the two clocks of a question resolved.

import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Database } from '../database/pool.ts'
import type { RegisterState } from '../domain/register/state.ts'
import { sizeAt } from '../eventlog/feed.ts'
import type { Heads } from '../eventlog/heads.ts'
import { recordedAtSize } from '../eventlog/load.ts'
import { type Day, dayInZone, endOfDayInZone, formatDay, parseDay } from '../kernel/plain-date.ts'
import { leastSize } from '../projections/run.ts'
import type { Recorder } from '../record.ts'
import { type KnownRegister, type Registers, stateKnownAt } from '../registers.ts'
import { wholeNumber } from './parameters.ts'
import { Problem } from './problem.ts'

export type Context = {
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

/** The register of a request; throws Problem `unknown-register`. */
export async function registerOf({ db, registers }: Context, request: FastifyRequest): Promise<KnownRegister> {
  const { register } = request.params as { register: string }
  const known = isSlug(register) ? await registers.read(db, register) : null
  if (!known) throw new Problem('unknown-register', { detail: `there is no register ${register}` })
  return known
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
}

/** An instant as answers give it: RFC 3339 in UTC with milliseconds. */
export function instantText(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

const INSTANT = z.iso.datetime({ offset: true })

/** The size that `knownAt` names; throws Problem `beyond-knowledge` or `malformed`. */
async function namedSize(
  { db, now }: Context,
  known: KnownRegister,
  knownAt: string,
  parameter: string,
): Promise<number> {
  const { head, register, state } = known
  if (/^\d+$/.test(knownAt)) {
    const size = Number(knownAt)
    if (size <= head.size) return size
    throw new Problem('beyond-knowledge', { detail: `${register} holds ${head.size} events, not ${knownAt}` })
  }
  const day = parseDay(knownAt)
  const today = dayInZone(now(), state.timeZone)
  if (day === today) return head.size
  const instant = day === null ? instantOf(knownAt, parameter) : endOfDayInZone(day, state.timeZone)
  if (instant > now()) throw new Problem('beyond-knowledge', { detail: `${knownAt} lies in the future` })
  return Math.min(await sizeAt(db, register, instant), head.size)
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
const LOOK_EVERY_MS = 10

async function waitFor(reached: () => Promise<boolean>, size: number): Promise<void> {
  const until = performance.now() + WAIT_MS
  while (!(await reached())) {
    if (performance.now() >= until) {
      throw new Problem('projection-behind', {
        detail: `size ${size} is not reached yet`,
        headers: { 'retry-after': '1' },
      })
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
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

/** How the head of what answers is read: the log itself, or projections of it. */
type Source = 'log' | 'commitments' | 'periods' | readonly ('commitments' | 'periods')[]

async function reachedSize(context: Context, known: KnownRegister, source: Source, wanted: number): Promise<number> {
  let size = 0
  const look = async () => {
    if (source === 'log') size = (await context.registers.read(context.db, known.register))?.head.size ?? 0
    else size = await leastSize(context.db, known.register, [source].flat())
    return size >= wanted
  }
  if (!(await look())) {
    context.wake()
    await waitFor(look, wanted)
  }
  return size
}

/**
 * The size that a parameter named `knownAt` or alike asks for, or else what the source has read, once the source has read
 * as much as is asked for. Throws Problem `projection-behind`.
 */
export async function resolveSize(
  context: Context,
  request: FastifyRequest,
  known: KnownRegister,
  source: Source,
  knownAt: string | undefined,
  parameter = 'knownAt',
): Promise<number> {
  // Safe: every route that asks this has these parameters in its schema.
  const query = request.query as ClockParameters
  const named = knownAt === undefined ? null : await namedSize(context, known, knownAt, parameter)
  const reached = await reachedSize(context, known, source, Math.max(named ?? 1, wantedSize(request, query)))
  return named ?? reached
}

/** The clocks of a day (today where none is given) and a size that has been resolved. */
export async function clocksAt(
  context: Context,
  known: KnownRegister,
  asOf: string | undefined,
  size: number,
): Promise<Clocks> {
  const { register } = known
  const today = dayInZone(context.now(), known.state.timeZone)
  const newest = size > known.head.size ? ((await context.registers.read(context.db, register)) ?? known) : known
  const isHead = size === newest.head.size
  const recordedAt = isHead ? newest.head.recordedAt : await recordedAtSize(context.db, register, size)
  const state = stateKnownAt(newest, size)
  return {
    register,
    asOf: (asOf === undefined ? null : parseDay(asOf)) ?? today,
    size,
    knownAt: { size, recordedAt: recordedAt === null ? null : instantText(recordedAt) },
    timeZone: state.timeZone,
    state,
  }
}

/** Resolves the clocks of a request about a register, waiting where it asks for more than the source has read. */
export async function resolveClocks(
  context: Context,
  request: FastifyRequest,
  known: KnownRegister,
  source: Source,
): Promise<Clocks> {
  // Safe: every route that asks this has these parameters in its schema.
  const { asOf, knownAt } = request.query as ClockParameters
  return clocksAt(context, known, asOf, await resolveSize(context, request, known, source, knownAt))
}

/** What every list says besides its items. */
export function listFrame({ asOf, knownAt }: Clocks) {
  return { asOf: formatDay(asOf), knownAt }
}

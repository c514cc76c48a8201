// The two clocks of a question, resolved: the day that it is about, and how much of the log is known.

import { LRUCache } from 'lru-cache'
import type { RegisterState } from '../domain/register/state.ts'
import { recordedAtSize } from '../eventlog/heads.ts'
import { instantText } from '../kernel/instant.ts'
import { type Day, dayInZone, parseDay } from '../kernel/plain-date.ts'
import type { RegisterHeads } from '../projections/core/heads.ts'
import { stateKnownAt } from '../registers/registers.ts'
import type { Basis, Source } from './basis.ts'
import type { AskedRegister, QuestionContext } from './register.ts'
import { type ClockParameters, type Resolved, resolveSize } from './size.ts'

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

const MAX_INSTANTS = 5_000
const instants = new WeakMap<RegisterHeads, LRUCache<string, number>>()

/** When the last event within a size was recorded: that never changes, and dashboards ask for the same all day. */
async function recordedAtOf({ db, heads }: QuestionContext, register: string, size: number): Promise<number | null> {
  const known = instants.get(heads) ?? new LRUCache<string, number>({ max: MAX_INSTANTS })
  instants.set(heads, known)
  const name = `${register} ${size}`
  const found = known.get(name)
  if (found !== undefined) return found
  const recordedAt = await recordedAtSize(db, register, size)
  if (recordedAt !== null) known.set(name, recordedAt)
  return recordedAt
}

/** The register at the head that it has now. */
async function newestOf({ db, registers, heads }: QuestionContext, known: AskedRegister): Promise<AskedRegister> {
  return registers.at(db, (await heads.read(known.register)) ?? known.head)
}

/** The clocks of a day (today where none is given) and a size that has been resolved. */
export async function clocksAt(
  context: QuestionContext,
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

/** Resolves the clocks that a question names, waiting where it asks for more than the source has read. Throws RefusalError. */
export async function resolveClocks(
  context: QuestionContext,
  asked: AskedRegister,
  source: Source,
  parameters: ClockParameters,
): Promise<Clocks> {
  return clocksAt(context, parameters.asOf, await resolveSize(context, asked, source, parameters))
}

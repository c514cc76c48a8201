// What the facts about a register amount to: its title and time zone, and what it defines.

import type { z } from 'zod'
import { assertNever } from '../../kernel/assert-never.ts'
import type { Day } from '../../kernel/plain-date.ts'
import type { Citation, StoredEvent } from '../event.ts'
import {
  type Fact,
  knownFacts,
  type RedactedEvent,
  readingOf,
  redactedAmong,
  UnreadableEventError,
} from '../repairs.ts'
import {
  isRegisterFact,
  type REGISTER_EVENTS,
  type RegisterEventType,
  type RegisterPart,
  registerTypesThatMove,
} from './events.ts'

type DataOf<T extends RegisterEventType> = z.output<(typeof REGISTER_EVENTS)[T]['data']>
type RegisterFact = { [T in RegisterEventType]: Fact<T, DataOf<T>> }[RegisterEventType]

/**
 * A programme, source or party as defined from an effective day on. A further definition of the same id amends the one
 * before it, so the data are those of all definitions by then. Citations are those of all, each with the position of
 * its event.
 */
export type Definition<T> = {
  id: string
  on: Day
  position: number
  data: T
  citations: (Citation & { event: number })[]
}
export type ProgrammeData = DataOf<'ProgrammeDefined'>
export type SourceData = DataOf<'SourceAdded'>

/** A reported figure is no definition of anything, but known and cited like one; its date is kept as it was given. */
export type ReportedFigure = Definition<DataOf<'FigureReported'>> & { occurredOn: string }

export type RegisterState = {
  title: string
  timeZone: string
  /** By id, each with its definitions in order of (effective day, position). */
  parties: Map<string, Definition<{ id: string; name: string }>[]>
  programmes: Map<string, Definition<ProgrammeData>[]>
  sources: Map<string, Definition<SourceData>[]>
  /** In order of (effective day, position). */
  figures: ReportedFigure[]
  /** What it defined or reported, and was erased. */
  redacted: readonly RedactedEvent[]
}

function cited({ citations, position }: RegisterFact): Definition<unknown>['citations'] {
  return citations.map((citation) => ({ ...citation, event: position }))
}

function define<T>(definitions: Map<string, Definition<T>[]>, id: string, fact: RegisterFact, data: T): void {
  const earlier = definitions.get(id) ?? []
  const amended = earlier.at(-1)
  const definition = {
    id,
    on: fact.on,
    position: fact.position,
    data: { ...amended?.data, ...data },
    citations: [...(amended?.citations ?? []), ...cited(fact)],
  }
  definitions.set(id, [...earlier, definition])
}

/** Takes one more fact into a state that only this fold holds. Total: every fact can follow every state. */
function evolve(state: RegisterState, fact: RegisterFact): RegisterState {
  switch (fact.type) {
    case 'RegisterOpened':
      state.title = fact.data.title
      for (const party of fact.data.parties) define(state.parties, party.id, fact, party)
      return state
    case 'PartyAdded':
      define(state.parties, fact.data.id, fact, fact.data)
      return state
    case 'ProgrammeDefined':
      define(state.programmes, fact.data.programme, fact, fact.data)
      return state
    case 'SourceAdded':
      define(state.sources, fact.data.source, fact, fact.data)
      return state
    case 'FigureReported': {
      const { on, position, data, id, occurredOn } = fact
      state.figures.push({ id, on, position, data, citations: cited(fact), occurredOn: occurredOn.value })
      return state
    }
    default:
      return assertNever(fact)
  }
}

/** The register's time zone as known at a size: the facts are dated by it, so it is read before them. */
function timeZoneAt(events: readonly StoredEvent[], size: number): string {
  const opened = knownFacts(events, { size, timeZone: 'UTC' }).find((fact) => fact.type === 'RegisterOpened')
  // Safe: parsed by its schema when it was recorded.
  return (opened?.data as DataOf<'RegisterOpened'> | undefined)?.timeZone ?? 'UTC'
}

/**
 * The state of a register known at a size, from the events of its stream `$register`. It includes definitions whose
 * effective day is still to come; a question about a day picks by `on`. Throws UnreadableEventError.
 */
export function registerAt(events: readonly StoredEvent[], size: number): RegisterState {
  const known = events.filter(({ position }) => position < size)
  return readingOf(known, (readable) => fold(readable, size))
}

function fold(events: readonly StoredEvent[], size: number): RegisterState {
  const timeZone = timeZoneAt(events, size)
  const known = knownFacts(events, { size, timeZone })
  for (const fact of known) if (!isRegisterFact(fact.type)) throw new UnreadableEventError(fact)
  // Safe: the type is one of the register's, and its data was parsed by the schema of that type when it was recorded.
  const facts = known as RegisterFact[]
  facts.sort((a, b) => a.on - b.on || a.position - b.position)
  const empty: RegisterState = {
    title: '',
    timeZone,
    parties: new Map(),
    programmes: new Map(),
    sources: new Map(),
    figures: [],
    redacted: redactedAmong(events.filter(({ position }) => position < size)),
  }
  return facts.reduce(evolve, empty)
}

/**
 * The state with one more fact that defines something. For the question what is defined it comes last, at any
 * effective day. The given state is not changed.
 */
export function extended(state: RegisterState, event: StoredEvent): RegisterState {
  const [fact] = knownFacts([event], { size: Number.POSITIVE_INFINITY, timeZone: state.timeZone })
  const copy: RegisterState = {
    ...state,
    parties: new Map(state.parties),
    programmes: new Map(state.programmes),
    sources: new Map(state.sources),
    figures: [...state.figures],
  }
  // Safe: the caller has admitted it as a fact of the register.
  return fact ? evolve(copy, fact as RegisterFact) : copy
}

/** The definition in force as of a day; null before the first. */
export function definedAt<T>(definitions: readonly Definition<T>[] | undefined, asOf: Day): Definition<T> | null {
  return definitions?.findLast((definition) => definition.on <= asOf) ?? null
}

/** The same, or the first definition where none is in force yet: what something is called, whenever it is named. */
export function namedAt<T>(definitions: readonly Definition<T>[] | undefined, asOf: Day): Definition<T> | null {
  return definedAt(definitions, asOf) ?? definitions?.[0] ?? null
}

/** The parts that events refer to. */
export const DEFINITIONS: readonly RegisterPart[] = ['parties', 'programmes', 'sources']

/** The positions of redacted facts that can have moved these parts; of all redacted facts where no parts are given. */
export function redactedInRegister({ redacted }: RegisterState, parts?: readonly RegisterPart[]): number[] {
  // Safe: a wider list, to look for any text in it.
  const wanted = parts && (registerTypesThatMove(parts) as readonly string[])
  return redacted.filter(({ factType }) => !wanted || wanted.includes(factType)).map(({ position }) => position)
}

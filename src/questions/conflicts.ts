// Conflicts: everything in a register that cannot all hold, in commitments, definitions and reported figures.

import { z } from 'zod'
import type { Described } from '../domain/commitment/answer.ts'
import { conflictsOf, undefinedReferences } from '../domain/commitment/conflicts.ts'
import { statusDates } from '../domain/commitment/status.ts'
import { type ConflictKind, conflictAnswer } from '../domain/conflict.ts'
import { conflictsOfReport, differingReports } from '../domain/portfolio/report-conflicts.ts'
import { type ConflictsOf, conflictsOfDefinition, conflictsOfProgramme } from '../domain/register/conflicts.ts'
import { type Definition, definedAt, redactedInRegister } from '../domain/register/state.ts'
import { isRepair } from '../domain/repairs.ts'
import { commitments } from '../projections/commitments/projection.ts'
import { readCommitments, readStates } from '../projections/commitments/read.ts'
import { periods } from '../projections/periods/projection.ts'
import { ALL, readStatuses } from '../projections/periods/read.ts'
import type { Clocks } from './clocks.ts'
import { frameOf, listAnswer } from './frame.ts'
import type { PagedQuestion } from './question.ts'
import { answerRedacted, redactedAnswer } from './redacted.ts'
import type { QuestionContext } from './register.ts'

const about = z
  .union([
    z.strictObject({ commitment: z.string().meta({ description: 'The id of a commitment' }) }),
    z.strictObject({ programme: z.string().meta({ description: 'The id of a programme' }) }),
    z.strictObject({ source: z.string().meta({ description: 'The id of a source' }) }),
    z.strictObject({ party: z.string().meta({ description: 'The id of a party' }) }),
    z.strictObject({ figure: z.int().meta({ description: 'Position of the report; the first where several differ' }) }),
  ])
  .meta({ description: 'The object that the conflict concerns' })

const listedConflict = conflictAnswer
  .extend({
    about,
    title: z.string().meta({ description: 'Its title; for a reported figure its metric' }),
  })
  .meta({ id: 'ListedConflict', description: 'A conflict, with the object that it concerns' })
export type ListedConflict = z.output<typeof listedConflict>

export const conflictListAnswer = listAnswer(listedConflict).extend(redactedAnswer)
type ConflictPage = Omit<z.output<typeof conflictListAnswer>, 'next'> & { next: number | null }

/** Which conflicts are asked for: of these kinds, and of these commitments; where none is named, all. */
export type ConflictQuery = { kind: readonly ConflictKind[]; commitment: readonly string[] }

const AT_ONCE = 500

/**
 * The commitments of the day whose record may hold conflicts, those asked for or all. What is undefined shows in whole states
 * alone, so where a repair may have taken a definition back each of them is looked at.
 */
async function candidates(
  { db }: QuestionContext,
  clocks: Clocks,
  ids: readonly string[],
  hasRepairs: boolean,
): Promise<readonly { id: string }[]> {
  if (ids.length > 0) return [...new Set(ids)].map((id) => ({ id }))
  return hasRepairs ? readCommitments(db, clocks) : readStatuses(db, clocks, { ...ALL, isConflicted: true })
}

/** The states of commitments, some at a time. */
async function* statesOf(
  { db }: QuestionContext,
  clocks: Clocks,
  wanted: readonly { id: string }[],
): AsyncGenerator<Described, void> {
  for (let first = 0; first < wanted.length; first += AT_ONCE) {
    yield* await readStates(db, clocks, wanted.slice(first, first + AT_ONCE))
  }
}

async function inCommitments(
  context: QuestionContext,
  clocks: Clocks,
  wanted: readonly { id: string }[],
): Promise<ListedConflict[]> {
  const found: ListedConflict[] = []
  for await (const { id, states } of statesOf(context, clocks, wanted)) {
    const { latest } = states
    const conflicts = [
      ...conflictsOf(latest, statusDates(latest), clocks.asOf),
      ...undefinedReferences(latest, clocks.state),
    ]
    for (const conflict of conflicts) found.push({ ...conflict, about: { commitment: id }, title: latest.title })
  }
  return found
}

/** The conflicts of the definitions in force, of one kind of thing. */
function inDefinitions<T>(
  { state, asOf }: Clocks,
  definitions: ReadonlyMap<string, Definition<T>[]>,
  conflictsIn: ConflictsOf<T>,
  label: (id: string, data: T) => Pick<ListedConflict, 'about' | 'title'>,
): ListedConflict[] {
  return [...definitions].flatMap(([id, versions]) => {
    const inForce = definedAt(versions, asOf)
    if (!inForce) return []
    return conflictsIn(versions, inForce, state).map((conflict) => ({ ...conflict, ...label(id, inForce.data) }))
  })
}

/** What opens a register defines its parties together, so that a conflict of its citations would be one of each of them. */
function withoutRepeats(conflicts: readonly ListedConflict[]): ListedConflict[] {
  const byContent = new Map<string, ListedConflict>()
  for (const conflict of conflicts) {
    const content = JSON.stringify([conflict.kind, conflict.detail, conflict.events])
    if (!byContent.has(content)) byContent.set(content, conflict)
  }
  return [...byContent.values()]
}

function inRegister(clocks: Clocks): ListedConflict[] {
  const { programmes, sources, parties } = clocks.state
  return [
    ...inDefinitions(clocks, programmes, conflictsOfProgramme, (programme, { title }) => ({
      about: { programme },
      title,
    })),
    ...inDefinitions(clocks, sources, conflictsOfDefinition, (source, { title }) => ({ about: { source }, title })),
    ...withoutRepeats(
      inDefinitions(clocks, parties, conflictsOfDefinition, (party, { name }) => ({ about: { party }, title: name })),
    ),
  ]
}

function inFigures({ state, asOf }: Clocks): ListedConflict[] {
  const reports = state.figures.filter(({ on }) => on <= asOf)
  const metrics = new Map(reports.map(({ position, data }) => [position, data.metric]))
  const named = (position: number) => ({ about: { figure: position }, title: metrics.get(position) ?? '' })
  return [
    ...reports.flatMap((report) =>
      conflictsOfReport(report, state).map((conflict) => ({ ...conflict, ...named(report.position) })),
    ),
    // Safe: a conflict between reports names at least two.
    ...differingReports(reports).map((conflict) => ({ ...conflict, ...named(conflict.events[0] as number) })),
  ]
}

function compare(a: ListedConflict, b: ListedConflict): number {
  const [x, y] = [a.events[0] ?? 0, b.events[0] ?? 0]
  if (x !== y) return x - y
  const [first, second] = [JSON.stringify([a.kind, a.detail, a.about]), JSON.stringify([b.kind, b.detail, b.about])]
  return first < second ? -1 : Number(first > second)
}

/** Every conflict asked for, in order of the first event that each names. */
async function conflictsAt(
  context: QuestionContext,
  clocks: Clocks,
  { kind, commitment }: ConflictQuery,
  hasRepairs: boolean,
): Promise<ListedConflict[]> {
  const wanted = await candidates(context, clocks, commitment, hasRepairs)
  const all = [
    ...(await inCommitments(context, clocks, wanted)),
    ...(commitment.length === 0 ? [...inRegister(clocks), ...inFigures(clocks)] : []),
  ]
  return all.filter((conflict) => kind.length === 0 || kind.includes(conflict.kind)).sort(compare)
}

/** The redacted events that the conflicts asked for may lack: of their commitments, and of what the register defines and reports. */
function redactedOf({ known, size, state }: Clocks, { commitment }: ConflictQuery) {
  const isAsked = (stream: string) => commitment.length === 0 || commitment.includes(stream)
  const ofCommitments = known.redacted.filter(({ position, stream }) => position < size && isAsked(stream))
  return answerRedacted([...redactedInRegister(state), ...ofCommitments.map(({ position }) => position)])
}

/** A page of the conflicts; the place of the next page is how many come before it. */
export const conflicts: PagedQuestion<ConflictQuery, number, ConflictPage> = {
  source: ['commitments', 'periods'],
  // Of both folds that conflicts are read from.
  version: `${commitments.version}.${periods.version}`,
  async ask(context, clocks, query, { place, limit }) {
    const hasRepairs = clocks.known.events.some(({ type }) => isRepair(type))
    const all = await conflictsAt(context, clocks, query, hasRepairs)
    const first = place ?? 0
    const end = first + limit
    const next = end < all.length ? end : null
    return { items: all.slice(first, end), next, ...frameOf(clocks), ...redactedOf(clocks, query) }
  },
}

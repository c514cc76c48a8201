// The summary: the figures of a register or of some of its programmes, and of groups within them.

import { z } from 'zod'
import type { Queryable } from '../database/pool.ts'
import type { Measured } from '../domain/commitment/measure.ts'
import type { Membership } from '../domain/commitment/timeline.ts'
import { type FigureInputs, figureInputs, isEmpty } from '../domain/portfolio/figure-inputs.ts'
import { summariseInputs, summaryFigures } from '../domain/portfolio/summary.ts'
import { tallyOf } from '../domain/portfolio/tally.ts'
import { definedAt, namedAt } from '../domain/register/state.ts'
import { ALL, readStatuses } from '../projections/periods/read.ts'
import { readFigureInputs } from '../projections/tallies/newest.ts'
import { partsOf } from '../projections/tallies/parts.ts'
import type { Clocks } from './clocks.ts'
import { NONE, questionOf, redactedOfProgrammes, reportedScope, summaryFiguresAt, TALLY_VERSION } from './figures.ts'
import { frameAnswer, frameOf, registerId } from './frame.ts'
import { DIMENSIONS, type Dimension, listLink, type Narrowing } from './list-link.ts'
import type { Question } from './question.ts'
import { answerRedacted, redactedAnswer } from './redacted.ts'
import type { QuestionContext } from './register.ts'

const groupAnswer = z
  .strictObject({
    by: z.enum(DIMENSIONS).meta({ description: 'The dimension that the group belongs to' }),
    key: z.string().nullable().meta({
      description: 'The programme, theme or party of the group; null: the commitments without one',
    }),
    title: z.string().nullable().meta({
      description: 'The title of the programme, or the name of the party; null: none is defined',
    }),
    ...summaryFigures,
  })
  .meta({ id: 'Group', description: 'The figures of one programme, theme or party' })

export const summaryAnswer = z
  .strictObject({
    register: registerId,
    ...frameAnswer,
    ...summaryFigures,
    ...redactedAnswer,
    groups: z.array(groupAnswer).meta({ description: 'The groups of each dimension of `groupBy`; empty without it' }),
  })
  .meta({ id: 'Summary', description: 'The figures of a register or of some programmes, and of groups within them' })
export type SummaryAnswer = z.output<typeof summaryAnswer>

/** What a register defines belongs to the answer even where no commitment names it. */
function definedKeys({ state, asOf }: Clocks, by: Dimension): string[] {
  if (by === 'theme') return []
  const definitions = by === 'programme' ? state.programmes : state.parties
  return [...definitions.keys()].filter((id) => definedAt<unknown>(definitions.get(id), asOf))
}

function titleOf({ state, asOf }: Clocks, by: Dimension, key: string | null): string | null {
  if (key === null || by === 'theme') return null
  if (by === 'programme') return namedAt(state.programmes.get(key), asOf)?.data.title ?? null
  return namedAt(state.parties.get(key), asOf)?.data.name ?? null
}

function byKey(a: string | null, b: string | null): number {
  if (a === null) return 1
  if (b === null) return -1
  return a < b ? -1 : 1
}

/** What groups come to by key of a dimension; `null` for those that have none. */
type Groups = Map<string | null, FigureInputs>

/** The groups of a whole register, from its parts. */
async function groupsOfRegister(db: Queryable, clocks: Clocks, by: Dimension): Promise<Groups> {
  const parts = await readFigureInputs(db, questionOf(clocks, { each: by }))
  const known = parts.filter(({ inputs }) => !isEmpty(inputs))
  return new Map(known.map(({ part, inputs }) => [part === '' ? null : part, inputs]))
}

/** The groups within some programmes: no tally is kept of where two dimensions meet, so their commitments are counted. */
async function groupsWithin(
  db: Queryable,
  clocks: Clocks,
  by: Dimension,
  programmes: readonly string[],
): Promise<Groups> {
  const membership = ({ programme }: Membership) => programmes.includes(programme ?? '')
  const records = await readStatuses(db, clocks, { ...ALL, membership })
  const measured = new Map<string | null, Measured[]>()
  for (const record of records) {
    for (const { part } of partsOf(record).filter(({ partOf }) => partOf === by)) {
      const key = part === '' ? null : part
      const group = measured.get(key)
      if (group) group.push(record.measured)
      else measured.set(key, [record.measured])
    }
  }
  return new Map([...measured].map(([key, group]) => [key, figureInputs(tallyOf(group))]))
}

async function groupsBy(
  db: Queryable,
  clocks: Clocks,
  by: Dimension,
  programmes: readonly string[],
): Promise<SummaryAnswer['groups']> {
  const isWhole = programmes.length === 0
  const groups = isWhole ? await groupsOfRegister(db, clocks, by) : await groupsWithin(db, clocks, by, programmes)
  if (isWhole) for (const key of definedKeys(clocks, by)) if (!groups.has(key)) groups.set(key, NONE)
  const narrowed: Narrowing = by === 'programme' ? [] : programmes.map((programme) => ['programme', programme])
  return [...groups]
    .sort(([a], [b]) => byKey(a, b))
    .map(([key, inputs]) => {
      const scope = by === 'programme' && key !== null ? reportedScope(clocks, [key]) : null
      const link = listLink(clocks, [...narrowed, [by, key ?? '']])
      return { by, key, title: titleOf(clocks, by, key), ...summariseInputs(inputs, clocks.asOf, scope, link) }
    })
}

/** Which programmes are summarised (none named: the whole register), and what by. */
export type SummaryQuery = { programme: readonly string[]; groupBy: readonly Dimension[] }

async function ask(
  context: QuestionContext,
  clocks: Clocks,
  { programme: programmes, groupBy }: SummaryQuery,
): Promise<SummaryAnswer> {
  const groups: SummaryAnswer['groups'] = []
  for (const by of new Set(groupBy)) groups.push(...(await groupsBy(context.db, clocks, by, programmes)))
  return {
    register: clocks.register,
    ...frameOf(clocks),
    ...(await summaryFiguresAt(context, clocks, programmes)),
    ...answerRedacted(await redactedOfProgrammes(context, clocks, programmes)),
    groups,
  }
}

export const summary: Question<SummaryQuery, SummaryAnswer> = { source: 'periods', version: TALLY_VERSION, ask }

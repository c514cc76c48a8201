// The summary: the figures of a register or of some of its programmes, and of groups within them.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Queryable } from '../../database/pool.ts'
import { knownAtAnswer, RULES } from '../../domain/commitment/answer.ts'
import type { Membership } from '../../domain/commitment/timeline.ts'
import { slug } from '../../domain/event.ts'
import { type FigureInputs, figureInputs, isEmpty } from '../../domain/portfolio/figure-inputs.ts'
import type { Measured } from '../../domain/portfolio/figures.ts'
import { type ListLink, type SummaryFigures, summariseInputs, summaryFigures } from '../../domain/portfolio/summary.ts'
import { Tally, tallyOf } from '../../domain/portfolio/tally.ts'
import { definedAt, erasedPositions, namedAt } from '../../domain/register/state.ts'
import { type Day, formatDay } from '../../kernel/plain-date.ts'
import { buildOf } from '../../projections/core/live.ts'
import { periods } from '../../projections/periods/projection.ts'
import { ALL, readStatuses } from '../../projections/periods/read.ts'
import { type InputsQuestion, readFigureInputs, type TallySelection } from '../../projections/tallies/newest.ts'
import { type Part, partsOf, WHOLE } from '../../projections/tallies/project.ts'
import { tallies } from '../../projections/tallies/projection.ts'
import { type Clocks, type Context, clockParameters, registerOf, resolveClocks } from '../server/context.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { many } from '../server/parameters.ts'
import { problems } from '../server/problem.ts'
import { answerLosses, erasedOfCommitments, erasedPromises, lossAnswer } from './losses.ts'

const DIMENSIONS = ['programme', 'theme', 'party'] as const
type Dimension = (typeof DIMENSIONS)[number]

const groupBy = z
  .preprocess(
    (value) => [value].flat().flatMap((one) => (typeof one === 'string' ? one.split(',') : one)),
    z.array(z.enum(DIMENSIONS)).max(3),
  )
  .default([])
  .meta({ description: 'programme, theme, party: comma separated or repeated' })

/** Of both folds that a summary is read from. */
export const TALLY_VERSION = `${periods.version}.${tallies.version}`

export const programmeFilter = many(z.union([z.literal(''), slug])).meta({
  description: 'Only these programmes; empty: none',
})

const summaryParameters = z.strictObject({
  ...clockParameters,
  programme: programmeFilter,
  groupBy,
})
type SummaryQuery = z.output<typeof summaryParameters>

const summaryAnswer = z
  .strictObject({
    register: z.string(),
    asOf: z.string(),
    knownAt: knownAtAnswer,
    rules: z.string(),
    ...summaryFigures,
    ...lossAnswer,
    groups: z.array(
      z.strictObject({
        by: z.enum(DIMENSIONS),
        key: z.string().nullable().meta({ description: 'null: those that have none' }),
        title: z.string().nullable(),
        ...summaryFigures,
      }),
    ),
  })
  .meta({ id: 'Summary' })
export type SummaryAnswer = z.output<typeof summaryAnswer>

/** The parameters that narrow a list to a group; an empty value stands for those that have none. */
type Narrowing = [Dimension, string][]

/** The list links of what is counted at the clocks, narrowed to a group. */
export function listLink({ register, asOf, size }: Clocks, narrowing: Narrowing): ListLink {
  // Names of figures and clocks need no escaping, and an answer has a link for each of its figures.
  const rest = narrowing.length === 0 ? '' : `&${new URLSearchParams(narrowing)}`
  const clocks = `&asOf=${formatDay(asOf)}&knownAt=${size}${rest}`
  return (figure) => `/v1/registers/${register}/commitments?figure=${figure}${clocks}`
}

/** The scope that one programme reports, as of the day; null where it is none or several. */
function reportedScope({ state, asOf }: Clocks, programmes: readonly string[]): number | null {
  const [programme, ...others] = programmes
  if (programme === undefined || others.length > 0) return null
  return definedAt(state.programmes.get(programme), asOf)?.data.scope?.value ?? null
}

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

/** The definitions that scopes and the titles of groups come from. */
const NAMING = ['RegisterOpened', 'PartyAdded', 'ProgrammeDefined'] as const

/** What groups come to by key of a dimension; `null` for those that have none. */
type Groups = Map<string | null, FigureInputs>

const NONE = figureInputs(new Tally())

/** What is asked of what the newest knowledge comes to; of earlier knowledge nothing is kept. */
function questionOf({ register, size, asOf, basis: { head } }: Clocks, of: TallySelection): InputsQuestion {
  const newest = head.projections.get('periods')
  return { register, size, asOf, of, build: newest?.size === size ? buildOf(newest.generation, head.redactions) : null }
}

/** The parts that some programmes are, or the whole register where none is named. Programmes have nothing in common. */
export function partsOfProgrammes(programmes: readonly string[]): Part[] {
  return programmes.length === 0 ? [WHOLE] : [...new Set(programmes)].map((part) => ({ partOf: 'programme', part }))
}

/** What some programmes come to, or the whole register. */
export async function inputsOfProgrammes(
  db: Queryable,
  clocks: Clocks,
  programmes: readonly string[],
): Promise<FigureInputs> {
  const [sum] = await readFigureInputs(db, questionOf(clocks, { sumOf: partsOfProgrammes(programmes) }))
  return sum?.inputs ?? NONE
}

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

/** The register's own figures at the clocks, over all its commitments or those of some programmes. */
export async function summaryFiguresAt(
  { db }: Context,
  clocks: Clocks,
  programmes: readonly string[],
): Promise<SummaryFigures> {
  const inputs = await inputsOfProgrammes(db, clocks, programmes)
  const promises = programmes.length === 0 ? await erasedPromises(db, clocks) : () => 0
  return figuresOf(clocks, programmes, inputs, promises)
}

/**
 * The figures of what some programmes come to at the clocks, with the links of these programmes. Of what programme an erased
 * promise was nobody can tell: only the figures of a whole register count them.
 */
export function figuresOf(
  clocks: Clocks,
  programmes: readonly string[],
  inputs: FigureInputs,
  promises: (asOf: Day) => number,
): SummaryFigures {
  const narrowing: Narrowing = programmes.map((programme) => ['programme', programme])
  const erased = programmes.length === 0 ? promises(clocks.asOf) : 0
  const link = listLink(clocks, narrowing)
  return summariseInputs(inputs, clocks.asOf, reportedScope(clocks, programmes), link, erased)
}

/** The positions by which the figures of some programmes lost, as known at the clocks, whatever the day. */
export async function erasedOfProgrammes(
  { db }: Context,
  clocks: Clocks,
  programmes: readonly string[],
): Promise<number[]> {
  const isAmong = ({ programme }: Membership) => programmes.includes(programme ?? '')
  const ofCommitments = await erasedOfCommitments(db, clocks, programmes.length === 0 ? null : isAmong)
  return [...erasedPositions(clocks.state, NAMING), ...ofCommitments]
}

async function summary(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const clocks = await resolveClocks(context, request, known, 'periods')
  const asOf = formatDay(clocks.asOf)
  if (isUnchanged(request, reply, { size: clocks.size, asOf, projection: TALLY_VERSION, basis: clocks.basis }))
    return reply.send()
  // Safe: parsed by the schema of the route.
  const { programme: programmes, groupBy } = request.query as SummaryQuery
  const groups: SummaryAnswer['groups'] = []
  for (const by of new Set(groupBy)) groups.push(...(await groupsBy(context.db, clocks, by, programmes)))
  const answer: SummaryAnswer = {
    register: known.register,
    asOf,
    knownAt: clocks.knownAt,
    rules: RULES,
    ...(await summaryFiguresAt(context, clocks, programmes)),
    ...answerLosses(await erasedOfProgrammes(context, clocks, programmes)),
    groups,
  }
  return answer
}

export function summaryRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/summary',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Summarise a register',
        description: 'Every figure with numerator, denominator and the list of exactly what it counts.',
        tags: ['figures'],
        querystring: summaryParameters,
        response: { 200: summaryAnswer, ...problems },
      },
    },
    (request, reply) => summary(context, request, reply),
  )
}

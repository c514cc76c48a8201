// The summary: the figures of a register or of some of its programmes, and of groups within them.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { knownAtAnswer, RULES } from '../domain/commitment/answer.ts'
import { slug } from '../domain/event.ts'
import { measure } from '../domain/portfolio/figures.ts'
import {
  type ListLink,
  type Member,
  type SummaryFigures,
  summarise,
  summaryFigures,
} from '../domain/portfolio/summary.ts'
import { definedAt, namedAt } from '../domain/register/state.ts'
import { formatDay } from '../kernel/plain-date.ts'
import { commitments } from '../projections/commitments/projection.ts'
import { type CommitmentRecord, readCommitments } from '../projections/commitments/read.ts'
import { type Clocks, type Context, clockParameters, registerOf, resolveClocks } from './context.ts'
import { isUnchanged } from './negotiate.ts'
import { many } from './parameters.ts'
import { problems } from './problem.ts'

const DIMENSIONS = ['programme', 'theme', 'party'] as const
type Dimension = (typeof DIMENSIONS)[number]

const groupBy = z
  .preprocess(
    (value) => [value].flat().flatMap((one) => (typeof one === 'string' ? one.split(',') : one)),
    z.array(z.enum(DIMENSIONS)).max(3),
  )
  .default([])
  .meta({ description: 'programme, theme, party: comma separated or repeated' })

const summaryParameters = z.strictObject({
  ...clockParameters,
  programme: many(z.union([z.literal(''), slug])).meta({ description: 'Only these programmes; empty: none' }),
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
type SummaryAnswer = z.output<typeof summaryAnswer>

type Counted = { record: CommitmentRecord; member: Member }

/** The parameters that narrow a list to a group; an empty value stands for those that have none. */
type Narrowing = [Dimension, string][]

function listLink({ register, asOf, size }: Clocks, narrowing: Narrowing): ListLink {
  return (figure) => {
    const address = new URLSearchParams([
      ['figure', figure],
      ['asOf', formatDay(asOf)],
      ['knownAt', String(size)],
      ...narrowing,
    ])
    return `/v1/registers/${register}/commitments?${address}`
  }
}

/** The scope that one programme reports, as of the day; null where it is none or several. */
function reportedScope({ state, asOf }: Clocks, programmes: readonly string[]): number | null {
  const [programme, ...others] = programmes
  if (programme === undefined || others.length > 0) return null
  return definedAt(state.programmes.get(programme), asOf)?.data.scope?.value ?? null
}

function keysOf(record: CommitmentRecord, by: Dimension): (string | null)[] {
  const keys = by === 'programme' ? [record.programme] : by === 'theme' ? record.themes : record.parties
  return keys.length === 0 ? [null] : [...keys]
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

function groupsBy(
  clocks: Clocks,
  by: Dimension,
  counted: readonly Counted[],
  programmes: readonly string[],
): SummaryAnswer['groups'] {
  const groups = new Map<string | null, Member[]>()
  if (programmes.length === 0) for (const key of definedKeys(clocks, by)) groups.set(key, [])
  for (const { record, member } of counted) {
    for (const key of keysOf(record, by)) {
      const group = groups.get(key)
      if (group) group.push(member)
      else groups.set(key, [member])
    }
  }
  const narrowed: Narrowing = by === 'programme' ? [] : programmes.map((programme) => ['programme', programme])
  return [...groups.keys()].sort(byKey).map((key) => {
    const scope = by === 'programme' && key !== null ? reportedScope(clocks, [key]) : null
    const link = listLink(clocks, [...narrowed, [by, key ?? '']])
    const figures: SummaryFigures = summarise(groups.get(key) ?? [], clocks.asOf, scope, link)
    return { by, key, title: titleOf(clocks, by, key), ...figures }
  })
}

async function summary(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const clocks = await resolveClocks(context, request, known, 'commitments')
  const asOf = formatDay(clocks.asOf)
  if (isUnchanged(request, reply, { size: clocks.size, asOf, projection: commitments.version })) return reply.send()
  // Safe: parsed by the schema of the route.
  const { programme: programmes, groupBy } = request.query as SummaryQuery
  const records = await readCommitments(context.db, clocks)
  const counted = records
    .filter((record) => programmes.length === 0 || programmes.includes(record.programme ?? ''))
    .map((record) => ({ record, member: { ...measure(record.standing, clocks.asOf), isRedacted: record.isRedacted } }))
  const link = listLink(
    clocks,
    programmes.map((programme) => ['programme', programme]),
  )
  const members = counted.map(({ member }) => member)
  const answer: SummaryAnswer = {
    register: known.register,
    asOf,
    knownAt: clocks.knownAt,
    rules: RULES,
    ...summarise(members, clocks.asOf, reportedScope(clocks, programmes), link),
    groups: [...new Set(groupBy)].flatMap((by) => groupsBy(clocks, by, counted, programmes)),
  }
  return answer
}

export function summaryRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/summary',
    {
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

// The summary over time: the same figures on the last day of each step.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { knownAtAnswer, RULES } from '../../domain/commitment/answer.ts'
import { figureInputs } from '../../domain/portfolio/figure-inputs.ts'
import { summaryFigures } from '../../domain/portfolio/summary.ts'
import { Tally } from '../../domain/portfolio/tally.ts'
import { type Day, formatDay, LAST_DAY, lastDayOfMonth, monthOf, parseDay } from '../../kernel/plain-date.ts'
import { readTallies } from '../../projections/tallies/read.ts'
import {
  type Clocks,
  type Context,
  knownAtParameter,
  listFrame,
  minSizeParameter,
  registerOf,
  resolveClocks,
} from '../server/context.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { Problem, problems } from '../server/problem.ts'
import { answerLosses, erasedPromises, lossAnswer } from './losses.ts'
import { erasedOfProgrammes, figuresOf, partsOfProgrammes, programmeFilter, TALLY_VERSION } from './summary.ts'

const STEPS = ['day', 'week', 'month', 'quarter', 'year'] as const
type Step = (typeof STEPS)[number]
const MAX_ITEMS = 1_000

const error = 'expected an existing day, YYYY-MM-DD'
const day = z.string({ error }).refine((value) => parseDay(value) !== null, { error })

const seriesParameters = z.strictObject({
  from: day.meta({ description: 'First day, YYYY-MM-DD' }),
  to: day.meta({ description: 'Last day, YYYY-MM-DD' }),
  step: z
    .enum(STEPS)
    .default('month')
    .meta({ description: 'Items are as of the last day of each, weeks end on Sunday' }),
  programme: programmeFilter,
  knownAt: knownAtParameter,
  minSize: minSizeParameter,
})
type SeriesQuery = z.output<typeof seriesParameters>

const frame = { register: z.string(), asOf: z.string(), knownAt: knownAtAnswer, rules: z.string() }
const itemAnswer = z.strictObject({ ...frame, ...summaryFigures }).meta({ id: 'SeriesItem' })
const seriesAnswer = z.strictObject({
  items: z.array(itemAnswer),
  next: z.null(),
  asOf: z.string(),
  knownAt: knownAtAnswer,
  rules: z.string(),
  step: z.enum(STEPS),
  ...lossAnswer,
})

export type SeriesAnswer = z.output<typeof seriesAnswer>

/** The last day of the step that a day lies in. */
function endOfStep(day: Day, step: Step): Day {
  switch (step) {
    case 'day':
      return day
    case 'week':
      // 1970-01-04 was a Sunday.
      return day + ((((3 - day) % 7) + 7) % 7)
    case 'month':
      return lastDayOfMonth(monthOf(day))
    case 'quarter':
      return lastDayOfMonth(Math.floor(monthOf(day) / 3) * 3 + 2)
    case 'year':
      return lastDayOfMonth(Math.floor(monthOf(day) / 12) * 12 + 11)
  }
}

/** The days of a series; null where there would be too many. */
function daysOfSeries(from: Day, to: Day, step: Step): Day[] | null {
  const days: Day[] = []
  for (let start = from; start <= to; start = (days.at(-1) as Day) + 1) {
    if (days.length === MAX_ITEMS) return null
    days.push(Math.min(endOfStep(start, step), to, LAST_DAY))
  }
  return days
}

function askedDays({ from, to, step }: SeriesQuery): Day[] {
  // Safe: the schema accepts existing days alone.
  const [first, last] = [parseDay(from) as Day, parseDay(to) as Day]
  const malformed = (parameter: string, detail: string) =>
    new Problem('malformed', {
      detail: `parameter ${parameter}: ${detail}`,
      errors: [{ pointer: `/${parameter}`, detail }],
    })
  if (last < first) throw malformed('to', `lies before from, ${from}`)
  const days = daysOfSeries(first, last, step)
  if (!days) throw malformed('step', `more than ${MAX_ITEMS} items; ask for a longer step or a shorter span`)
  return days
}

async function series(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  // Safe: parsed by the schema of the route.
  const query = request.query as SeriesQuery
  const days = askedDays(query)
  const resolved = await resolveClocks(context, request, known, 'periods')
  const clocks: Clocks = { ...resolved, asOf: days.at(-1) as Day }
  const version = { size: clocks.size, asOf: formatDay(clocks.asOf), projection: TALLY_VERSION, basis: clocks.basis }
  if (isUnchanged(request, reply, version)) return reply.send()
  const { register, size, knownAt } = clocks
  const parts = partsOfProgrammes(query.programme)
  const found = await readTallies(context.db, { register, size, parts, days, withDays: true })
  const promises = await erasedPromises(context.db, clocks)
  const walks = found.map(({ walk }) => walk())
  const items = days.map((asOf) => {
    const tallies = walks.map((walk) => walk.next().value as Tally)
    const [only] = tallies
    // The walks go on from their tallies, so a sum is one of its own.
    const tally = tallies.length === 1 && only ? only : tallies.reduce((sum, one) => sum.plus(one), new Tally())
    const figures = figuresOf({ ...clocks, asOf }, query.programme, figureInputs(tally), promises)
    return { register, asOf: formatDay(asOf), knownAt, rules: RULES, ...figures }
  })
  const losses = answerLosses(await erasedOfProgrammes(context, clocks, query.programme))
  return { items, next: null, ...listFrame(clocks), rules: RULES, step: query.step, ...losses }
}

export function seriesRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/summary/series',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Summarise a register over time',
        description: 'The figures as of the last day of each step between two days, and of the last day itself.',
        tags: ['figures'],
        querystring: seriesParameters,
        response: { 200: seriesAnswer, ...problems },
      },
    },
    (request, reply) => series(context, request, reply),
  )
}

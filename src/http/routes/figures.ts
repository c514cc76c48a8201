// Reported figures: each beside the register's own value, with checks of its arithmetic and the bounds that it allows.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { RULES } from '../../domain/commitment/answer.ts'
import { placeOf, type Report, reportDay, scopeOf } from '../../domain/portfolio/report.ts'
import { differingReports } from '../../domain/portfolio/report-conflicts.ts'
import { describeReport, reportedFigureAnswer } from '../../domain/portfolio/reported.ts'
import type { ListLink, SummaryFigures } from '../../domain/portfolio/summary.ts'
import { erasedPositions } from '../../domain/register/state.ts'
import { formatDay } from '../../kernel/plain-date.ts'
import { type Clocks, type Context, clockParameters, listFrame, registerOf, resolveClocks } from '../server/context.ts'
import { isUnchanged } from '../server/negotiate.ts'
import { problems } from '../server/problem.ts'
import { listAnswer } from './commitments.ts'
import { answerLosses, lossAnswer } from './losses.ts'
import { erasedOfProgrammes, listLink, programmeFilter, summaryFiguresAt, TALLY_VERSION } from './summary.ts'

const figureParameters = z.strictObject({ ...clockParameters, programme: programmeFilter })

/** The clocks of the register's own value beside a report: the day of the report, at the knowledge of the question. */
function clocksOf(report: Report, clocks: Clocks): Clocks {
  return { ...clocks, asOf: reportDay(report) }
}

function programmesOf({ data }: Report): string[] {
  return data.programme === undefined ? [] : [data.programme]
}

function linkOf(report: Report, clocks: Clocks): ListLink {
  return listLink(
    clocksOf(report, clocks),
    programmesOf(report).map((programme) => ['programme', programme]),
  )
}

/** The register's own figures for a report, asked once for all reports of the same programme and day. */
function ownFigures(context: Context, clocks: Clocks): (report: Report) => Promise<SummaryFigures | null> {
  const asked = new Map<string, Promise<SummaryFigures>>()
  return async (report) => {
    // Neither named nor within a reported scope: nothing of the register is held against it.
    if (report.data.figure === undefined && !scopeOf(report, clocks.state)) return null
    const place = placeOf(report)
    const figures = asked.get(place) ?? summaryFiguresAt(context, clocksOf(report, clocks), programmesOf(report))
    asked.set(place, figures)
    return figures
  }
}

async function figures(context: Context, request: FastifyRequest, reply: FastifyReply) {
  const known = await registerOf(context, request)
  const clocks = await resolveClocks(context, request, known, 'periods')
  const { asOf, size, state } = clocks
  const version = { size, asOf: formatDay(asOf), projection: TALLY_VERSION, basis: clocks.basis }
  if (isUnchanged(request, reply, version)) return reply.send()
  // Safe: parsed by the schema of the route.
  const { programme: programmes } = request.query as z.output<typeof figureParameters>
  const reports = state.figures.filter(({ on }) => on <= asOf)
  const peers = Map.groupBy(reports, placeOf)
  const differing = differingReports(reports)
  const figuresOf = ownFigures(context, clocks)
  const items = []
  for (const report of reports) {
    const { programme = '' } = report.data
    if (programmes.length > 0 && !programmes.includes(programme)) continue
    const item = describeReport(report, {
      register: state,
      asOf,
      knownAt: clocks.knownAt,
      figures: await figuresOf(report),
      link: linkOf(report, clocks),
      peers: peers.get(placeOf(report)) ?? [],
      differing,
    })
    items.push(item)
  }
  // A report of no programme is held against the whole register.
  const isOfAll = programmes.includes('')
  const held = items.length === 0 ? [] : await erasedOfProgrammes(context, clocks, isOfAll ? [] : programmes)
  const losses = answerLosses([...erasedPositions(state), ...held])
  return { items, next: null, ...listFrame(clocks), rules: RULES, ...losses }
}

export function figureRoutes(app: FastifyInstance, context: Context): void {
  app.get(
    '/v1/registers/:register/figures',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'Hold reported figures against computed ones',
        description:
          'Each figure as reported, in order of the day on which it was, beside the register’s own value for the same ' +
          'figure, programme and day. What a report does not name is compared with nothing.',
        tags: ['figures'],
        querystring: figureParameters,
        response: { 200: listAnswer(reportedFigureAnswer).extend(lossAnswer), ...problems },
      },
    },
    (request, reply) => figures(context, request, reply),
  )
}

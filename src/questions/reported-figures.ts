// Reported figures: each beside the register's own value, with checks of its arithmetic and the bounds that it allows.

import type { z } from 'zod'
import { type Report, reportDay, scopeOf, scopePlaceOf } from '../domain/portfolio/report.ts'
import { differingReports } from '../domain/portfolio/report-conflicts.ts'
import { describeReport, reportedFigureAnswer } from '../domain/portfolio/reported.ts'
import type { ListLink, SummaryFigures } from '../domain/portfolio/summary.ts'
import { redactedInRegister } from '../domain/register/state.ts'
import type { Clocks } from './clocks.ts'
import { redactedOfProgrammes, summaryFiguresAt, TALLY_VERSION } from './figures.ts'
import { frameOf, listAnswer } from './frame.ts'
import { listLinkOf } from './list-link.ts'
import type { Question } from './question.ts'
import { answerRedacted, redactedAnswer } from './redacted.ts'
import type { QuestionContext } from './register.ts'

export const reportedFiguresAnswer = listAnswer(reportedFigureAnswer).extend(redactedAnswer)
type ReportedFiguresAnswer = z.output<typeof reportedFiguresAnswer>

/** The clocks of the register's own value beside a report: the day of the report, at the knowledge of the question. */
function clocksOf(report: Report, clocks: Clocks): Clocks {
  return { ...clocks, asOf: reportDay(report) }
}

function programmesOf({ data }: Report): string[] {
  return data.programme === undefined ? [] : [data.programme]
}

function linkOf(report: Report, clocks: Clocks): ListLink {
  return listLinkOf(clocksOf(report, clocks), programmesOf(report))
}

/** The register's own figures for a report, asked once for all reports of the same programme and day. */
function ownFigures(context: QuestionContext, clocks: Clocks): (report: Report) => Promise<SummaryFigures | null> {
  const asked = new Map<string, Promise<SummaryFigures>>()
  return async (report) => {
    // Neither named nor within a reported scope: nothing of the register is held against it.
    if (report.data.figure === undefined && !scopeOf(report, clocks.state)) return null
    const place = scopePlaceOf(report)
    const figures = asked.get(place) ?? summaryFiguresAt(context, clocksOf(report, clocks), programmesOf(report))
    asked.set(place, figures)
    return figures
  }
}

/** Which programmes the reports are about; an empty text stands for reports on no programme, and none named for all. */
type ReportedFiguresQuery = { programme: readonly string[] }

async function ask(
  context: QuestionContext,
  clocks: Clocks,
  { programme: programmes }: ReportedFiguresQuery,
): Promise<ReportedFiguresAnswer> {
  const { asOf, state } = clocks
  const reports = state.figures.filter(({ on }) => on <= asOf)
  const peers = Map.groupBy(reports, scopePlaceOf)
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
      peers: peers.get(scopePlaceOf(report)) ?? [],
      differing,
    })
    items.push(item)
  }
  // A report of no programme is held against the whole register.
  const isOfAll = programmes.includes('')
  const held = items.length === 0 ? [] : await redactedOfProgrammes(context, clocks, isOfAll ? [] : programmes)
  const redacted = answerRedacted([...redactedInRegister(state), ...held])
  return { items, next: null, ...frameOf(clocks), ...redacted }
}

export const reportedFigures: Question<ReportedFiguresQuery, ReportedFiguresAnswer> = {
  source: 'periods',
  version: TALLY_VERSION,
  ask,
}

// Reports that cannot all hold, and what one report says against itself.

import { formatDay } from '../../kernel/plain-date.ts'
import {
  type Conflict,
  conflictOf,
  differingCitations,
  ownCitations,
  undefinedReference,
  undefinedSources,
} from '../conflict.ts'
import type { RegisterState } from '../register/state.ts'
import { type Report, reportDay, scopePlaceOf } from './report.ts'

function factOf(report: Report) {
  return { position: report.position, citations: ownCitations(report) }
}

/** Whether a group gives different values of something. One that gives none agrees with all. */
function differ(group: readonly Report[], pick: (report: Report) => number | undefined): boolean {
  return new Set(group.map(pick).filter((value) => value !== undefined)).size > 1
}

function words({ data: { value, of } }: Report): string {
  return of === undefined ? String(value) : `${value} of ${of}`
}

/** The conflict of reports of one thing; none where they agree. */
function conflictAmong(group: readonly Report[]): Conflict[] {
  const [first] = group
  if (!first || (!differ(group, ({ data }) => data.value) && !differ(group, ({ data }) => data.of))) return []
  const said = [...new Set(group.map(words))].join(', or ')
  const detail = `"${first.data.metric}" as of ${formatDay(reportDay(first))} is ${said}`
  return [conflictOf('reports-differ', detail, group.map(factOf))]
}

/**
 * Reports that cannot all hold: of one programme and day, for one figure (or, where none is named, one metric in the same
 * words), with different values or wholes. One conflict for each such group. What is approximate contradicts nothing.
 */
export function differingReports(reports: readonly Report[]): Conflict[] {
  const exact = reports.filter(({ data }) => !data.approximate)
  const groups = Map.groupBy(exact, (report) => {
    const { figure, metric } = report.data
    return `${scopePlaceOf(report)} ${figure === undefined ? `metric ${metric}` : `figure ${figure}`}`
  })
  return [...groups.values()].flatMap(conflictAmong)
}

/** What one report says against itself: citations that differ, references to what the register does not define. */
export function conflictsOfReport(report: Report, register: RegisterState): Conflict[] {
  const { data, citations } = report
  const { programme } = data
  const isUndefined = programme !== undefined && !register.programmes.has(programme)
  return [
    ...differingCitations(citations),
    ...(isUndefined ? [undefinedReference(`programme ${programme}`, [factOf(report)])] : []),
    ...undefinedSources(citations, register),
  ]
}

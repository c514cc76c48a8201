// A reported figure: the day that it is about, the reports that it is read together with, and the scope of its programme.

import { type Day, lastDayOf } from '../../kernel/plain-date.ts'
import { definedAt, type ProgrammeData, type RegisterState, type ReportedFigure } from '../register/state.ts'

/** A reported figure in force. */
export type Report = ReportedFigure
export type Scope = NonNullable<ProgrammeData['scope']>

/**
 * The day that a report is about: the last day of its `asOf`, but never after its effective day, since a report knows
 * no later day. Without `asOf` it is its effective day.
 */
export function reportDay({ on, data }: Report): Day {
  return data.asOf === undefined ? on : Math.min(on, lastDayOf(data.asOf))
}

/** Reports of one programme and day have the same key: only they are read together. */
export function scopePlaceOf(report: Report): string {
  return `${reportDay(report)} ${report.data.programme ?? ''}`
}

/** The scope that the programme of a report reports on the report's day; null where it reports none. */
export function scopeOf(report: Report, register: RegisterState): Scope | null {
  const { programme } = report.data
  if (programme === undefined) return null
  return definedAt(register.programmes.get(programme), reportDay(report))?.data.scope ?? null
}

// Numbers and dates in the reader's locale. A day is a day: it has no time zone, and none may shift it.

import type { DateAnswer } from './answers.ts'

const LOCALE = navigator.language

const number = new Intl.NumberFormat(LOCALE)
const decimal = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const index = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 3, maximumFractionDigits: 3 })
const signed = new Intl.NumberFormat(LOCALE, { signDisplay: 'exceptZero' })
// Registers count days by the Gregorian calendar, whatever a locale is used to: a month of another is another stretch of days.
const calendar = 'gregory'
const dayFormat = new Intl.DateTimeFormat(LOCALE, { calendar, dateStyle: 'medium', timeZone: 'UTC' })
const yearFormat = new Intl.DateTimeFormat(LOCALE, { calendar, year: 'numeric', timeZone: 'UTC' })
const monthFormat = new Intl.DateTimeFormat(LOCALE, { calendar, year: 'numeric', month: 'short', timeZone: 'UTC' })
const instantFormat = new Intl.DateTimeFormat(LOCALE, { calendar, dateStyle: 'medium', timeStyle: 'medium' })
const timeFormat = new Intl.DateTimeFormat(LOCALE, { timeStyle: 'medium' })

const NBSP = '\u00a0'

export function formatNumber(value: number): string {
  return number.format(value)
}

/** With its sign: +12, −3, 0. */
export function formatSigned(value: number): string {
  return signed.format(value)
}

/** A percentage as the service gives it, with one decimal: 40.3 %. */
export function formatPercent(value: number | null): string {
  return value === null ? '–' : `${decimal.format(value)}${NBSP}%`
}

/** An index with three decimals: 0.899. */
export function formatIndex(value: number | null): string {
  return value === null ? '–' : index.format(value)
}

export function formatDay(iso: string): string {
  return dayFormat.format(new Date(`${iso}T00:00:00Z`))
}

function formatPart(text: string): string {
  if (/^\d{4}$/.test(text)) return yearFormat.format(new Date(`${text}-01-01T00:00:00Z`))
  if (/^\d{4}-\d{2}$/.test(text)) return monthFormat.format(new Date(`${text}-01T00:00:00Z`))
  return formatDay(text)
}

/** A date as precise as its source: a day, a month, a year, or the time between two of them. */
export function formatDate({ value }: Pick<DateAnswer, 'value'>): string {
  const [from, to] = value.split('/') as [string, string?]
  if (to === undefined) return formatPart(from)
  if (from === '..') return `… ${formatPart(to)}`
  if (to === '..') return `${formatPart(from)} …`
  return `${formatPart(from)} – ${formatPart(to)}`
}

export function formatInstant(iso: string): string {
  return instantFormat.format(new Date(iso))
}

export function formatTime(ms: number): string {
  return timeFormat.format(ms)
}

/** Milliseconds since 1970 of a day, for axes. */
export function dayMs(iso: string): number {
  return Date.parse(`${iso}T00:00:00Z`)
}

/** The first day of a month, counted from that of year 0; years below 100 are none of the twentieth century. */
export function monthMs(month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(Math.floor(month / 12), month % 12, 1)
  return date.getTime()
}

export function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

/** The day of an instant in a time zone, as the service takes it; today's where none is given. */
export function dayIn(timeZone: string, at: Date = new Date()): string {
  // Temporal is not in every browser yet; Canada writes days as ISO 8601 does.
  return new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(at)
}

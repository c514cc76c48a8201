// Days and imprecise dates. A day is a whole number of days since 1970-01-01 in the proleptic Gregorian calendar, so
// that comparing and subtracting cost nothing in the folds. Text appears only where a date comes in or goes out.

/** Days since 1970-01-01; 0001-01-01 is -719162. */
export type Day = number

/** Before every day that can be written: where an open start (`../B`) sorts. */
export const BEFORE_ALL_DAYS: Day = -1_000_000

/** 9999-12-31, the last day that can be written. */
export const LAST_DAY: Day = 2_932_896

/** A date as precise as its source: the text as given, its first day (null: open start) and last day (null: open end). */
export type DateRange = { value: string; first: Day | null; last: Day | null }

/** How answers give a date: the text, and its bounds as YYYY-MM-DD (null: open). */
export type DateBounds = { value: string; earliest: string | null; latest: string | null }

const DAY_MS = 86_400_000
// From 0000-03-01, the day before which the arithmetic below counts, to 1970-01-01.
const DAYS_BEFORE_1970 = 719_469
/** Days of the 400 years after which the calendar repeats. */
const DAYS_IN_ERA = 146_097
const SINGLE = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/

/**
 * The day number of a civil date; month 1..12. The caller has checked that the date exists. It is whole-number
 * arithmetic over years that begin in March, so that the leap day is the last of its year. A Date object costs many
 * times as much, and folds read thousands of dates.
 */
function dayNumber(year: number, month: number, day: number): Day {
  const marchYear = month > 2 ? year : year - 1
  const monthFromMarch = (month + 9) % 12
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + Math.floor((153 * monthFromMarch + 2) / 5) + day - DAYS_BEFORE_1970
}

function daysInMonth(year: number, month: number): number {
  return dayNumber(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - dayNumber(year, month, 1)
}

/** A day number from `YYYY-MM-DD`; null where the text is not an existing day of the years 0001 to 9999. */
export function parseDay(text: string): Day | null {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? (parseSingle(text)?.first ?? null) : null
}

/** A day number from text that is known to be a valid day, such as a stored one. Throws on anything else. */
export function dayOf(text: string): Day {
  const day = parseDay(text)
  if (day === null) throw new RangeError(`not a day: ${text}`)
  return day
}

/** `YYYY-MM-DD` of a day number. */
export function formatDay(day: Day): string {
  // Backwards through dayNumber, by years that begin in March: a Date costs many times as much.
  const sinceMarch = day + DAYS_BEFORE_1970 - 1
  const era = Math.floor(sinceMarch / DAYS_IN_ERA)
  const ofEra = sinceMarch - era * DAYS_IN_ERA
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  )
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * ofYear + 2) / 153)
  const date = ofYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const year = era * 400 + yearOfEra + (monthFromMarch > 9 ? 1 : 0)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return `${year < 1_000 ? String(year).padStart(4, '0') : year}-${month < 10 ? '0' : ''}${month}-${date < 10 ? '0' : ''}${date}`
}

/** The month of a day as one number: year * 12 + month - 1. */
export function monthOf(day: Day): number {
  const date = new Date(day * DAY_MS)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

/** The last day of a month that is given as one number. */
export function lastDayOfMonth(month: number): Day {
  const year = Math.floor(month / 12)
  return dayNumber(year, (month % 12) + 1, 1) + daysInMonth(year, (month % 12) + 1) - 1
}

function parseSingle(text: string): { first: Day; last: Day } | null {
  const match = SINGLE.exec(text)
  if (!match) return null
  const year = Number(match[1])
  if (year === 0) return null
  if (match[2] === undefined) return { first: dayNumber(year, 1, 1), last: dayNumber(year, 12, 31) }
  const month = Number(match[2])
  if (month < 1 || month > 12) return null
  const length = daysInMonth(year, month)
  if (match[3] === undefined) return { first: dayNumber(year, month, 1), last: dayNumber(year, month, length) }
  const date = Number(match[3])
  if (date < 1 || date > length) return null
  const day = dayNumber(year, month, date)
  return { first: day, last: day }
}

/**
 * Reads the accepted subset of EDTF (docs/contract.md#dates): `YYYY`, `YYYY-MM`, `YYYY-MM-DD`, `A/B`, `A/..`, `../B`, years 0001 to 9999.
 * Null for anything else, such as a day that does not exist or an interval that ends before it begins.
 */
export function parseDateRange(text: string): DateRange | null {
  const slash = text.indexOf('/')
  if (slash < 0) {
    const single = parseSingle(text)
    return single && { value: text, ...single }
  }
  const from = text.slice(0, slash)
  const to = text.slice(slash + 1)
  const start = from === '..' ? null : parseSingle(from)
  const end = to === '..' ? null : parseSingle(to)
  if ((from !== '..' && !start) || (to !== '..' && !end) || (!start && !end)) return null
  if (start && end && start.first > end.last) return null
  return { value: text, first: start?.first ?? null, last: end?.last ?? null }
}

/** A date range from text that is known to be valid, such as a stored one. Throws on anything else. */
export function dateRangeOf(text: string): DateRange {
  const range = parseDateRange(text)
  if (!range) throw new RangeError(`not a date: ${text}`)
  return range
}

/** The last day of a date that is known to have one, such as a stored due date. */
export function lastDayOf(text: string): Day {
  const { last } = dateRangeOf(text)
  if (last === null) throw new RangeError(`has no last day: ${text}`)
  return last
}

/** How an answer gives a date. */
export function answerDate(text: string): DateBounds {
  const { value, first, last } = dateRangeOf(text)
  return { value, earliest: first === null ? null : formatDay(first), latest: last === null ? null : formatDay(last) }
}

/** True where `a` lies wholly before `b`: its last day is before the other's first. An open bound is never before or after. */
export function isWhollyBefore(a: DateRange, b: DateRange): boolean {
  return a.last !== null && b.first !== null && a.last < b.first
}

/** True where the day lies within the range. */
export function contains(range: DateRange, day: Day): boolean {
  return (range.first === null || range.first <= day) && (range.last === null || day <= range.last)
}

/** True where the two ranges have a day in common. */
export function canBeSameDay(a: DateRange, b: DateRange): boolean {
  return !isWhollyBefore(a, b) && !isWhollyBefore(b, a)
}

/** A stretch of instants with one offset from UTC, all in milliseconds. */
type Offset = { from: number; to: number; offset: number }

const offsets = new Map<string, Offset[]>()

function findOffset(epochMs: number, timeZone: string): Offset {
  const there = Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone)
  return {
    // The transition itself belongs to what follows it.
    from:
      there.add({ nanoseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    to: there.getTimeZoneTransition('next')?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
    offset: there.offsetNanoseconds / 1e6,
  }
}

/** The calendar day of an instant (milliseconds since the epoch) in an IANA time zone. */
export function dayInZone(epochMs: number, timeZone: string): Day {
  if (timeZone === 'UTC') return Math.floor(epochMs / DAY_MS)
  // Folds date thousands of events, and offsets change twice a year at most: each is looked up once.
  const known = offsets.get(timeZone) ?? []
  let found = known.find(({ from, to }) => from <= epochMs && epochMs < to)
  if (!found) {
    found = findOffset(epochMs, timeZone)
    offsets.set(timeZone, [found, ...known])
  }
  return Math.floor((epochMs + found.offset) / DAY_MS)
}

/** The last millisecond of a day in an IANA time zone, in milliseconds since the epoch. */
export function endOfDayInZone(day: Day, timeZone: string): number {
  // Not formatDay(day + 1): the day after 9999-12-31 cannot be written.
  const next = Temporal.PlainDate.from(formatDay(day)).add({ days: 1 })
  return next.toZonedDateTime(timeZone).epochMilliseconds - 1
}

/** True where this runtime knows the IANA time zone. */
export function isTimeZone(timeZone: string): boolean {
  // The runtime takes an offset too, but an offset knows no summer time.
  if (/^[-+]/.test(timeZone)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone })
    return true
  } catch {
    return false
  }
}

/** A day as text; null where there is none. */
export function dayText(day: Day | null): string | null {
  return day === null ? null : formatDay(day)
}

/** A day from stored text; null where there is none. */
export function dayOrNull(text: string | null): Day | null {
  return text === null ? null : dayOf(text)
}

// Days, imprecise dates and instants: in the reader's locale, with the ISO form on hover and for machines.

import type { Precise } from '../answers.ts'
import { formatDate, formatDay, formatInstant } from '../format.ts'
import { shell } from '../strings.ts'

/** A day of the calendar, YYYY-MM-DD. */
export function Day({ on }: { on: string | null }) {
  if (on === null) return <span>{shell.none}</span>
  return (
    <time dateTime={on} title={on}>
      {formatDay(on)}
    </time>
  )
}

/** A date as precise as its source gave it. */
export function Imprecise({ date }: { date: Precise | null }) {
  if (date === null) return <span>{shell.none}</span>
  return <span title={date.value}>{formatDate(date)}</span>
}

/** An instant, in the reader's time zone. */
export function Instant({ at }: { at: string | null }) {
  if (at === null) return <span>{shell.none}</span>
  return (
    <time dateTime={at} title={at}>
      {formatInstant(at)}
    </time>
  )
}

const ISO_DAY = /(\b\d{4}-\d{2}-\d{2}\b)/

/** A sentence of the service, the days in it written as everywhere on the page. */
export function DatedText({ text }: { text: string }) {
  // A pattern with a group splits so that every second part is a day.
  const parts = text.split(ISO_DAY)
  return <>{parts.map((part, index) => (index % 2 === 1 && isDay(part) ? <Day on={part} /> : part))}</>
}

function isDay(text: string): boolean {
  return !Number.isNaN(Date.parse(`${text}T00:00:00Z`))
}

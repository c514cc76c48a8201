// The facts about a register itself: its parties, programmes, sources, and the figures that others report.

import { z } from 'zod'
import { isTimeZone } from '../../kernel/plain-date.ts'
import { date, dueDate, instant, listOf, name, number, slug, text, webAddress } from '../event.ts'
import { FIGURE_NAMES } from '../figures.ts'

const party = z.strictObject({ id: name, name: text() })

export const timeZone = z
  .string()
  .max(100)
  .refine(isTimeZone, { error: 'expected an IANA time zone, such as UTC or Europe/Minsk' })

/** What opens a register. */
export const registerOpened = z.strictObject({
  title: text(),
  parties: listOf(party).refine((parties) => new Set(parties.map(({ id }) => id)).size === parties.length, {
    error: 'two parties have the same id',
  }),
  timeZone,
})

export const registerEventData = {
  RegisterOpened: registerOpened,
  PartyAdded: party,
  ProgrammeDefined: z.strictObject({
    programme: slug,
    title: text(),
    parent: slug.optional(),
    period: date.optional(),
    scope: z.strictObject({ value: number.min(0), unit: text(100) }).optional(),
  }),
  SourceAdded: z.strictObject({
    source: name,
    title: text(),
    publisher: text().optional(),
    author: text().optional(),
    url: webAddress.optional(),
    publishedOn: date.optional(),
    retrievedAt: instant.optional(),
    contentHash: text(200).optional(),
    archivedUrl: webAddress.optional(),
  }),
  FigureReported: z.strictObject({
    programme: slug.optional(),
    metric: text(),
    figure: z.enum(FIGURE_NAMES).optional(),
    value: number,
    of: number.optional(),
    statedPercent: number.optional(),
    asOf: dueDate.optional(),
    approximate: z.boolean().optional(),
  }),
} as const

export type RegisterEventType = keyof typeof registerEventData

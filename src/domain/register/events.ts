// The types of facts about a register itself: its parties, programmes, sources, and the figures that others report.

import { z } from 'zod'
import { isTimeZone } from '../../kernel/plain-date.ts'
import type { EventEntry } from '../event-entry.ts'
import {
  date,
  dueDate,
  instant,
  listOf,
  newPartyId,
  newProgrammeId,
  newSourceId,
  number,
  programmeId,
  text,
  webAddress,
} from '../fields.ts'
import { FIGURE_NAMES } from '../figures.ts'

/** The parts of a register's state, by its members. */
export type RegisterPart = 'title' | 'timeZone' | 'parties' | 'programmes' | 'sources' | 'figures'

export type RegisterEntry = EventEntry & {
  /** All parts of the state that it can move. The fold moves no others: a property test holds it to that. */
  moves: readonly RegisterPart[]
}

const party = z.strictObject({ id: newPartyId, name: text().meta({ description: 'The name of the party' }) })

export const timeZone = z
  .string()
  .max(100)
  .refine(isTimeZone, { error: 'expected an IANA time zone, such as UTC or Europe/Minsk' })
  .meta({ description: 'The IANA time zone in which the register reckons days, such as UTC or Europe/Minsk' })

/** What opens a register. */
export const registerOpened = z.strictObject({
  title: text().meta({ description: 'The title of the register' }),
  parties: listOf(party)
    .refine((parties) => new Set(parties.map(({ id }) => id)).size === parties.length, {
      error: 'two parties have the same id',
    })
    .meta({ description: 'The parties that events may name; more can be added later' }),
  timeZone,
})

export const REGISTER_EVENTS = {
  RegisterOpened: {
    data: registerOpened,
    acts: 'onItsDay',
    moves: ['title', 'timeZone', 'parties'],
    states: 'title, parties, time zone',
    effect: 'first event of `$register`. Can be corrected, never retracted or redacted',
    title: 'Register opened',
  },
  PartyAdded: {
    data: party,
    acts: 'onItsDay',
    moves: ['parties'],
    states: 'a party',
    effect: 'events may name it from now on',
    title: 'Party added',
  },
  ProgrammeDefined: {
    data: z.strictObject({
      programme: newProgrammeId,
      title: text().meta({ description: 'The title of the programme' }),
      parent: programmeId.optional().meta({ description: 'The id of the programme that it belongs to' }),
      period: date.optional().meta({ description: 'The period that the programme is for, such as 2024/2026' }),
      scope: z
        .strictObject({
          value: number.min(0).meta({ description: 'The reported number, in `unit`' }),
          unit: text(100).meta({ description: 'The things that `value` counts, such as `measures`' }),
        })
        .optional()
        .meta({ description: 'How much the programme is said to hold' }),
    }),
    acts: 'onItsDay',
    moves: ['programmes'],
    states: 'a programme, its parent, period and *reported* scope',
    effect: 'events may name it. A further one of the same id [amends](#definitions) it',
    title: 'Programme defined',
  },
  SourceAdded: {
    data: z.strictObject({
      source: newSourceId,
      title: text().meta({ description: 'The title of the document' }),
      publisher: text().optional().meta({ description: 'Who published it' }),
      author: text().optional().meta({ description: 'Who wrote it' }),
      url: webAddress.optional().meta({ description: 'Its web address' }),
      publishedOn: date.optional().meta({ description: 'When it was published, as precise as is known' }),
      retrievedAt: instant
        .optional()
        .meta({ description: 'When it was retrieved: an instant with its offset from UTC' }),
      contentHash: text(200).optional().meta({ description: 'A hash of the document as retrieved' }),
      archivedUrl: webAddress.optional().meta({ description: 'The web address of an archived copy' }),
    }),
    acts: 'onItsDay',
    moves: ['sources'],
    states: 'a document',
    effect: 'citations may name it. A further one of the same id amends it',
    title: 'Source added',
  },
  FigureReported: {
    data: z.strictObject({
      programme: programmeId.optional().meta({ description: 'The id of the programme that the figure is about' }),
      metric: text().meta({ description: 'The things counted, in the words of the report' }),
      figure: z
        .enum(FIGURE_NAMES)
        .optional()
        .meta({ description: 'The figure of a summary that it can be compared with' }),
      value: number.meta({ description: 'The number as reported, in the unit of its metric' }),
      of: number.optional().meta({ description: 'The whole that `value` is said to be a part of' }),
      statedPercent: number.optional().meta({ description: 'The percentage as reported' }),
      asOf: dueDate.optional().meta({ description: 'The date that the figure is about. It counts by its last day' }),
      approximate: z.boolean().optional().meta({ description: 'Whether the report calls its numbers approximate' }),
    }),
    acts: 'onItsDay',
    moves: ['figures'],
    states: 'a figure that somebody published',
    effect: 'stands [beside](#reported-figures) what Pledger computes; changes no figure',
    title: 'Figure reported',
  },
} as const satisfies Record<string, RegisterEntry>

export type RegisterEventType = keyof typeof REGISTER_EVENTS

// Safe: these are the keys of the table.
const REGISTER_EVENT_TYPES = Object.keys(REGISTER_EVENTS) as RegisterEventType[]

/** True for the types that are facts about the register and stand in its own stream. */
export function isRegisterFact(type: string): type is RegisterEventType {
  return Object.hasOwn(REGISTER_EVENTS, type)
}

/** The types of facts that can move any of these parts of a register. */
export function registerTypesThatMove(parts: readonly RegisterPart[]): RegisterEventType[] {
  return REGISTER_EVENT_TYPES.filter((type) => {
    const { moves }: RegisterEntry = REGISTER_EVENTS[type]
    return parts.some((part) => moves.includes(part))
  })
}

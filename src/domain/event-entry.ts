// The table of event types: one entry for each, beside the facts that it is about (register/events.ts, commitment/events.ts,
// repairs.ts). What admission, folds, redaction, the generators of random logs, the page and the contract need to know of a
// type stands in its entry. CONTRIBUTING, "Add an event type", leads through it.

import type { z } from 'zod'

/** What the table says of every type of event. */
export type EventEntry = {
  /** The schema of `data`. Its ids say what they refer to (fields.ts). */
  data: z.ZodObject
  /** Whose place it takes in the fold: before all others, by its effective day, or none: it acts once it is known. */
  acts: 'first' | 'onItsDay' | 'onceKnown'
  /** What it states and what follows from it, each in a few words of Markdown, for docs/contract.md. */
  states: string
  effect: string
  /** What it is called on the page. */
  title: string
}

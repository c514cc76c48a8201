// The room of questions: what auditors and dashboards ask about a register at two clocks. Each file answers one of them, as a value
// of this type; `http` gives it a route, `cli` a command. It must not know requests, headers or the command line, and records
// nothing.

import type { Source } from './basis.ts'
import { type Clocks, resolveClocks } from './clocks.ts'
import { askedRegister, type QuestionContext } from './register.ts'
import type { ClockParameters } from './size.ts'

export type Question<Query, Answer> = {
  /** What the answer is read from, and so how far the log has to be read before it can be given. */
  source: Source
  /** The versions of the folds that the answer is read from; none where it is folded from the log itself. */
  version?: string | number
  /** Refuses parameters that contradict each other, before anything is read; throws RefusalError. */
  check?: (query: Query) => void
  /** The answer at clocks that are resolved. Throws RefusalError. */
  ask: (context: QuestionContext, clocks: Clocks, query: Query) => Promise<Answer>
}

/** Which page of a list is asked for: the place at which it begins (null: the first one) and how many items it has at most. */
export type Page<Place> = { place: Place | null; limit: number }

/** A question whose answer comes in pages. */
export type PagedQuestion<Query, Place, Answer extends { next: Place | null }> = {
  source: Source
  version: string | number
  /** The page at clocks that are resolved; `next` is where the page after it begins. Throws RefusalError. */
  ask: (context: QuestionContext, clocks: Clocks, query: Query, page: Page<Place>) => Promise<Answer>
}

/** Asks a question about a register from the beginning, both clocks included. Throws RefusalError. */
export async function ask<Query extends ClockParameters, Answer>(
  context: QuestionContext,
  register: string,
  question: Question<Query, Answer>,
  query: Query,
): Promise<Answer> {
  const asked = await askedRegister(context, register)
  question.check?.(query)
  return question.ask(context, await resolveClocks(context, asked, question.source, query), query)
}

// A question that cannot be answered says why with a word from the closed list of problems (kernel/problem-words.ts).

import type { ProblemWord } from '../kernel/problem-words.ts'

type RefusalDetails = {
  /** Why, in one sentence. */
  detail: string
  /** The parameter of the question that is wrong; `detail` then says what is wrong with it. */
  parameter?: string
  /** When the same question may be answered. */
  retryAfterSeconds?: number
  /** Positions of the redacted events that may be the reason. */
  redacted?: readonly number[]
}

/** A question is refused; thrown by the functions of this room, told to the caller by the room that asked. */
export class RefusalError extends Error {
  readonly word: ProblemWord
  readonly details: RefusalDetails

  constructor(word: ProblemWord, details: RefusalDetails) {
    super(details.detail)
    this.word = word
    this.details = details
  }
}

/** The refusal of a parameter that cannot be read, or that contradicts another. */
export function malformed(parameter: string, detail: string): RefusalError {
  return new RefusalError('malformed', { parameter, detail })
}

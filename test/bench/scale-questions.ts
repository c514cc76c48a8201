// Random questions about a register at scale, the same for a seed: the two clocks, and what of it is asked.

import type { Queryable } from '../../src/database/pool.ts'
import { readStreams } from '../../src/eventlog/streams.ts'
import { type Day, dayOf } from '../../src/kernel/plain-date.ts'
import { type Random, randomFrom } from '../../src/samples/random.ts'

/** A register as a row asks about it. */
export type Asked = { register: string; size: number; commitments: number }

/** The filter of a list: one status, or none. */
export type Filter = { schedule?: 'late' | 'onSchedule' | 'deliveredLate'; lifecycle?: 'delivered' | 'open' }

export type Question = Asked & { asOf: Day; knownAt: number; commitment: string; filter: Filter }

/** The days on which things happen in the log, and on which most due days lie. */
const FIRST_ON = dayOf('2018-01-01')
const LAST_ON = dayOf('2026-12-31')

const FILTERS: readonly Filter[] = [
  { schedule: 'late' },
  { schedule: 'onSchedule' },
  { schedule: 'deliveredLate' },
  { lifecycle: 'delivered' },
  { lifecycle: 'open' },
  {},
]

function question(random: Random, asked: Asked): Question {
  return {
    ...asked,
    asOf: random.int(FIRST_ON, LAST_ON),
    knownAt: random.int(1, asked.size),
    commitment: `commitment-${random.int(1, Math.max(1, asked.commitments))}`,
    filter: random.pick(FILTERS),
  }
}

/** Questions about random days, known at random sizes; other ones for another name. */
export function questions(name: string, asked: Asked, count: number): Question[] {
  const random = randomFrom(`questions ${name} ${asked.register}`)
  return Array.from({ length: count }, () => question(random, asked))
}

/** The same at the newest knowledge. */
export function newest(question: Question): Question {
  return { ...question, knownAt: question.size }
}

/**
 * The same at a size at which the commitment was recorded: one that is not known yet is answered by nothing, and half of
 * all random sizes would be such.
 */
export async function atKnown(db: Queryable, question: Question): Promise<Question> {
  const { register, commitment, size, knownAt } = question
  const [first] = await readStreams(db, register, [commitment], size)
  const from = (first?.position ?? 0) + 1
  return { ...question, knownAt: from + Math.floor((knownAt / size) * (size - from)) }
}

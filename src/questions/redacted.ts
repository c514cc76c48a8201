// What answers say about redacted events: the positions of those that the answer may lack, and how many commitments are in no
// count because their promise was redacted. Memory knows what was redacted, so a register without redactions costs nothing.

import { z } from 'zod'
import type { Queryable } from '../database/pool.ts'
import { typesThatMove } from '../domain/commitment/events.ts'
import type { Membership } from '../domain/commitment/timeline.ts'
import { type RedactedEvent, retractedIds } from '../domain/repairs.ts'
import { readRetractions } from '../eventlog/redacted.ts'
import type { Day } from '../kernel/plain-date.ts'
import { readBelongings } from '../projections/periods/read.ts'
import type { Clocks } from './clocks.ts'

/** An answer is no list of redactions: more positions than these nobody reads off it, and the log itself has them all. */
const MAX_POSITIONS = 1_000

export const redactedAnswer = {
  redacted: z.array(z.int()).max(MAX_POSITIONS).meta({
    description: 'Positions of redacted events that the answer may lack: the first 1,000',
  }),
  redactedCount: z.int().meta({ description: 'How many positions there are in all' }),
}

/** What an answer says about the redacted positions, given in any order and more than once. */
export function answerRedacted(positions: Iterable<number>) {
  const all = [...new Set(positions)].sort((a, b) => a - b)
  return { redacted: all.slice(0, MAX_POSITIONS), redactedCount: all.length }
}

/** Which commitments an answer is about; null: all of the register. */
export type Belongs = ((membership: Membership) => boolean) | null

/** Facts that say what a commitment belongs to: what is redacted of them may have said anything. */
const SAYS_MEMBERSHIP = new Set<string>(typesThatMove('membership'))

function redactedBy({ known, size }: Clocks): RedactedEvent[] {
  return known.redacted.filter(({ position }) => position < size)
}

/**
 * The redacted positions, below the size, of the commitments that an answer is about, for every day. That includes
 * commitments that belong there on any day, and those that may have, as far as is known by then.
 */
export async function redactedOfCommitments(db: Queryable, clocks: Clocks, belongs: Belongs): Promise<number[]> {
  const redacted = redactedBy(clocks)
  if (!belongs || redacted.length === 0) return redacted.map(({ position }) => position)
  const known = await readBelongings(db, clocks, [...new Set(redacted.map(({ stream }) => stream))])
  const byStream = Map.groupBy(redacted, ({ stream }) => stream)
  const mayBelong = (stream: string, ofStream: readonly RedactedEvent[]) => {
    const { memberships } = known.get(stream) ?? { memberships: [] }
    return (
      memberships.length === 0 ||
      memberships.some(belongs) ||
      ofStream.some(({ factType }) => SAYS_MEMBERSHIP.has(factType))
    )
  }
  return [...byStream].flatMap(([stream, ofStream]) =>
    mayBelong(stream, ofStream) ? ofStream.map(({ position }) => position) : [],
  )
}

/**
 * How many commitments are in no count as of a day because their promise was redacted. Three conditions: the promise
 * was recorded, it was not retracted, and no other promise of the commitment is in force. The day of the promise is
 * redacted as well, so knowledge alone decides.
 */
export async function redactedPromises(db: Queryable, clocks: Clocks): Promise<(asOf: Day) => number> {
  const promises = redactedBy(clocks).filter(({ type }) => type === 'CommitmentMade')
  if (promises.length === 0) return () => 0
  const streams = [...new Set(promises.map(({ stream }) => stream))]
  const retracted = retractedIds(await readRetractions(db, clocks.register, streams, clocks.size))
  const standing = promises.filter(({ id }) => !retracted.has(id))
  const known = await readBelongings(db, clocks, streams)
  const promised = [...new Set(standing.map(({ stream }) => stream))]
  return (asOf) => promised.filter((stream) => (known.get(stream)?.knownFrom ?? Number.POSITIVE_INFINITY) > asOf).length
}

// One commitment: what it is at two clocks, its periods, and its stream with the repairs marked.

import { z } from 'zod'
import { type CommitmentAnswer, describe } from '../domain/commitment/answer.ts'
import { answerTimeline, periodAnswer } from '../domain/commitment/timeline-answer.ts'
import type { StoredEvent } from '../domain/event.ts'
import { answerEvent, eventAnswer } from '../domain/event-answer.ts'
import { isSlug } from '../domain/fields.ts'
import { isInForce, redactedPositions, repairTarget, retractedIds } from '../domain/repairs.ts'
import { readRedacted } from '../eventlog/redacted.ts'
import { readStreams } from '../eventlog/streams.ts'
import { formatDay } from '../kernel/plain-date.ts'
import { projectAt } from '../projections/commitments/project.ts'
import { periods } from '../projections/periods/projection.ts'
import { readTimeline } from '../projections/periods/read.ts'
import type { Clocks } from './clocks.ts'
import { frameOf, listAnswer } from './frame.ts'
import type { Question } from './question.ts'
import { RefusalError } from './refusal.ts'
import type { QuestionContext } from './register.ts'

/** Which commitment is asked about. */
type OneQuery = { id: string }

/** The refusal of a commitment that is not known; redacted events may be the reason, and it names them. */
function notKnown(id: string, clocks?: Clocks, redacted: readonly number[] = []): RefusalError {
  const when = clocks ? ` as of ${formatDay(clocks.asOf)}, known at size ${clocks.size}` : ''
  const detail = `commitment ${id} is not known${when}`
  return new RefusalError('not-known', redacted.length === 0 ? { detail } : { detail, redacted })
}

function checkId({ id }: OneQuery): void {
  if (!isSlug(id)) throw notKnown(id)
}

/** One commitment at two clocks; refused with `not-known` where it is not made then. */
export const commitment: Question<OneQuery, CommitmentAnswer> = {
  source: 'log',
  check: checkId,
  async ask({ db }, clocks, { id }) {
    const events = await readStreams(db, clocks.register, [id], clocks.size)
    const row = projectAt(id, events, clocks, clocks.asOf)
    if (!row) throw notKnown(id, clocks, redactedPositions(events))
    return describe(row, { asOf: clocks.asOf, knownAt: clocks.knownAt, register: clocks.state })
  },
}

export const timelineAnswer = listAnswer(periodAnswer).extend({
  redacted: z.array(z.int()).meta({ description: 'Positions of redacted events' }),
})
type TimelineAnswer = z.output<typeof timelineAnswer>

/** The periods of one commitment, as known at a size; refused with `not-known` where it has none. */
export const timeline: Question<OneQuery, TimelineAnswer> = {
  source: ['periods'],
  version: periods.version,
  check: checkId,
  async ask({ db }, clocks, { id }) {
    const items = answerTimeline(await readTimeline(db, clocks, id))
    const redacted = redactedPositions(await readRedacted(db, clocks.register, id, clocks.size))
    if (items.length === 0) throw notKnown(id, undefined, redacted)
    return { items, next: null, ...frameOf(clocks), redacted }
  },
}

const repairAnswer = z.strictObject({
  event: z.int().meta({ description: 'Position of the repair' }),
  type: z.string().meta({ description: 'The type of the repair, such as `EventCorrected`' }),
  inForce: z.boolean().meta({ description: 'False if the repair was retracted, or if it is a redacted correction' }),
})
const markedEvent = eventAnswer.extend({
  repairs: z.array(repairAnswer).meta({ description: 'The repairs of this event' }),
  inForce: z.boolean().meta({
    description: 'False if the event was retracted or redacted; a redacted retraction still retracts its target',
  }),
})
export type MarkedEvent = z.output<typeof markedEvent>

export const streamAnswer = listAnswer(markedEvent)
type StreamAnswer = z.output<typeof streamAnswer>

function markRepairs(events: readonly StoredEvent[]): MarkedEvent[] {
  const retracted = retractedIds(events)
  const repairs = Map.groupBy(events, repairTarget)
  return events.map((event) => ({
    ...answerEvent(event),
    repairs: (repairs.get(event.id) ?? []).map((repair) => ({
      event: repair.position,
      type: repair.type,
      inForce: isInForce(repair, retracted),
    })),
    inForce: isInForce(event, retracted),
  }))
}

/** Which part of a stream is asked for: so many events after a revision. */
type StreamQuery = OneQuery & { after: number; limit: number }

async function askStream(
  { db }: QuestionContext,
  clocks: Clocks,
  { id, after, limit }: StreamQuery,
): Promise<StreamAnswer> {
  const events = await readStreams(db, clocks.register, [id], clocks.size)
  if (events.length === 0) throw notKnown(id, clocks)
  const items = markRepairs(events).slice(after, after + limit)
  const end = after + items.length
  return { items, next: end < events.length ? String(end) : null, ...frameOf(clocks) }
}

/** The stream of one commitment in order; `next` is the revision after which the next page begins. */
export const stream: Question<StreamQuery, StreamAnswer> = { source: 'log', check: checkId, ask: askStream }

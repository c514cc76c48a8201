// The one union of every event that can be recorded, as it is posted and as it stands on a line of an import.

import { z } from 'zod'
import { COMMITMENT_EVENTS } from '../commitment/events.ts'
import { type Citation, citations, REGISTER_STREAM } from '../event.ts'
import type { EventEntry } from '../event-entry.ts'
import { date, eventId, slug } from '../fields.ts'
import { REGISTER_EVENTS } from '../register/events.ts'
import { isRepair, REPAIR_EVENTS } from '../repairs.ts'
import { currentVersion, RETIRED_SHAPES } from '../retired-events.ts'

/** Every type of event, of the register, of commitments and of repairs, with its entry. */
export const EVENTS = { ...REGISTER_EVENTS, ...COMMITMENT_EVENTS, ...REPAIR_EVENTS } as const satisfies Record<
  string,
  EventEntry
>

export type EventType = keyof typeof EVENTS
type MembersOf<Data> = Data extends object ? keyof Data & string : never
/** The members that the data of some type has. */
export type EventField = { [T in EventType]: MembersOf<z.output<(typeof EVENTS)[T]['data']>> }[EventType]

// Safe: these are the keys of the table.
export const EVENT_TYPES = Object.keys(EVENTS) as EventType[]

/** True for a type that this version can record. */
export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENTS, type)
}

/** The schema of a type's data at a version; null where that version never was. */
export function dataSchema(type: EventType, version: number): z.ZodType | null {
  // The version of a correction is that of the data in it, which admission checks against what it corrects.
  if (isRepair(type) || version === currentVersion(type)) return EVENTS[type].data
  return RETIRED_SHAPES[type]?.[version - 1]?.schema ?? null
}

const stream = z.union([z.literal(REGISTER_STREAM), slug]).meta({
  id: 'EventStream',
  description: 'The id of a commitment, or `$register` for facts about the register. A repair names that of its event',
})

const envelope = {
  stream,
  occurredOn: date.meta({
    id: 'EventDate',
    description:
      'Valid time: when the fact became true, as precise as its source: YYYY, YYYY-MM, YYYY-MM-DD, A/B, A/.. or ../B',
  }),
  citations,
  id: eventId
    .optional()
    .meta({ id: 'EventId', description: 'The id of this event, a UUID; the service makes one where it is left out' }),
  expectedRevision: z.int().min(0).optional().meta({
    id: 'ExpectedRevision',
    description: 'The revision of the stream before this event, 0 for a new one; refused where it is another',
  }),
}

/** An event as posted, validated, with its defaults filled. */
export type PostedEvent = {
  stream: string
  type: EventType
  typeVersion: number
  occurredOn: string
  data: unknown
  citations: Citation[]
  id?: string | undefined
  expectedRevision?: number | undefined
}

function shapeOf<Type extends EventType>(type: Type, data: z.ZodType, extra: z.ZodRawShape = {}) {
  const literal = z.literal(type).meta({ description: 'The type of the event' })
  return z.strictObject({ type: literal, data, ...envelope, ...extra })
}

function unionOf(shapeOfType: (type: EventType) => z.ZodObject) {
  // Safe: a type list is never empty, and every member has the literal `type` that tells the members apart.
  const shapes = EVENT_TYPES.map(shapeOfType) as [z.ZodObject<{ type: z.ZodLiteral<EventType> }>]
  return z.discriminatedUnion('type', shapes)
}

/** An event in the body of `POST R/events`. */
export const postedEvent = unionOf((type) => {
  const { data, states } = EVENTS[type]
  const described = data.meta({ description: 'What the event says' })
  return shapeOf(type, described).meta({ id: type, description: `The event states ${states}` })
}).meta({ id: 'PostedEvent', description: 'An event to record, of any type' })

const ignored = z.unknown().optional()
const exportedFields = {
  id: eventId,
  typeVersion: z.int().min(1).optional(),
  position: ignored,
  revision: ignored,
  recordedAt: ignored,
  recordedBy: ignored,
  salt: ignored,
  bodyHash: ignored,
}

// The data of a line is checked by its own version, after the envelope.
const line = unionOf((type) => shapeOf(type, z.unknown(), exportedFields))

export type ParseIssue = { pointer: string; detail: string }
export type Parsed<T> = { ok: true; value: T } | { ok: false; issues: ParseIssue[] }

/** The issues of a failed parse, each with a JSON pointer (RFC 6901) below `base`. */
export function issuesOf(error: z.core.$ZodError, base = ''): ParseIssue[] {
  return error.issues.flatMap((issue) => {
    const at = issue.path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
    if (issue.code !== 'unrecognized_keys') return [{ pointer: base + at, detail: issue.message }]
    return issue.keys.map((key) => ({
      pointer: `${base}${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      detail: 'unknown field',
    }))
  })
}

/** Parses the data of a type at a version; issues are pointed to below `base`. */
export function parseData(type: EventType, version: number, data: unknown, base: string): Parsed<unknown> {
  const schema = dataSchema(type, version)
  if (!schema) return { ok: false, issues: [{ pointer: '/typeVersion', detail: `${type} has no version ${version}` }] }
  const parsed = schema.safeParse(data)
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, issues: issuesOf(parsed.error, base) }
}

/** Parses an event as posted. */
export function parsePosted(body: unknown, base = ''): Parsed<PostedEvent> {
  const parsed = postedEvent.safeParse(body)
  if (!parsed.success) return { ok: false, issues: issuesOf(parsed.error, base) }
  // Safe: the union above is made of exactly these fields.
  const event = parsed.data as Omit<PostedEvent, 'typeVersion'>
  return { ok: true, value: { ...event, typeVersion: currentVersion(event.type) } }
}

/** Parses a line of an import: an event as posted or as exported, with its id. Fields that the service sets are ignored. */
export function parseLine(body: unknown): Parsed<PostedEvent & { id: string }> {
  const parsed = line.safeParse(body)
  if (!parsed.success) return { ok: false, issues: issuesOf(parsed.error) }
  // Safe: the union above is made of these fields and those that are ignored.
  const { stream, type, occurredOn, citations, id, expectedRevision, typeVersion, data } =
    parsed.data as unknown as PostedEvent & { id: string; typeVersion?: number }
  const version = typeVersion ?? currentVersion(type)
  const body2 = parseData(type, version, data, '/data')
  if (!body2.ok) return body2
  return {
    ok: true,
    value: { stream, type, typeVersion: version, occurredOn, data: body2.value, citations, id, expectedRevision },
  }
}

// Every event of a commitment in the order in which it counts: what was said, by whom, where, and what was mended in the record.

import type { EventType, MarkedEvent, RegisterAnswer, SourceAnswer } from '../../answers.ts'
import { formatDay } from '../../format.ts'
import { Citations, citationsOf } from '../../parts/citations.tsx'
import { Imprecise, Instant } from '../../parts/dates.tsx'
import { EventData } from '../../parts/event-data.tsx'
import { Panel } from '../../parts/frame.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { RawEvent } from '../../parts/raw-event.tsx'
import { Badge, type Tone } from '../../parts/status.tsx'
import { eventPath } from '../../route.ts'
import { citations as citationWords, EVENT_WORDS, commitment as words } from '../../strings.ts'
import { effectiveDay, type Reading, readingOf } from './days.ts'

const TONES: Record<string, Tone> = {
  CommitmentRebaselined: 'warn',
  ForecastReported: 'calm',
  MilestoneMet: 'good',
  DeliveryReported: 'calm',
  DeliveryVerified: 'good',
  DeliveryDisputed: 'doubt',
  DeliveryReopened: 'warn',
  CommitmentNotDelivered: 'bad',
  CommitmentMade: 'calm',
} satisfies Partial<Record<EventType, Tone>>

type Line = { reading: Reading; day: string | null; repairs: Repair[] }
/** A repair with the repairs of itself. */
type Repair = { event: MarkedEvent; repairs: Repair[] }

function isRepair({ type }: MarkedEvent): boolean {
  return type === 'EventRetracted' || type === 'EventCorrected' || type === 'EventRedacted'
}

function repairsOf(event: MarkedEvent, byPosition: ReadonlyMap<number, MarkedEvent>): Repair[] {
  const repairs = event.repairs.map((repair) => byPosition.get(repair.event)).filter((one) => one !== undefined)
  return repairs.map((repair) => ({ event: repair, repairs: repairsOf(repair, byPosition) }))
}

/** Facts in the order in which they count, each with its repairs. */
export function linesOf(events: readonly MarkedEvent[], timeZone: string): Line[] {
  const byPosition = new Map(events.map((event) => [event.position, event]))
  const lines = events
    .filter((event) => !isRepair(event))
    .map((event) => {
      const repairs = repairsOf(event, byPosition)
      const corrections = repairs.map((repair) => repair.event).filter(({ type }) => type === 'EventCorrected')
      const reading = readingOf(event, corrections)
      return { reading, day: effectiveDay(reading, timeZone), repairs }
    })
  // What was erased has no day any more: it stands at its place in the log.
  return lines.sort((a, b) =>
    a.day === null || b.day === null || a.day === b.day
      ? a.reading.event.position - b.reading.event.position
      : a.day < b.day
        ? -1
        : 1,
  )
}

function isErased({ data }: MarkedEvent): boolean {
  return data === null
}

function Foot({ register, event }: { register: string; event: MarkedEvent }) {
  const href = useHref()
  return (
    <p class="foot">
      <Link href={href(eventPath(register, event.position))}>{citationWords.event(event.position)}</Link>
      {` · ${words.recorded} `}
      <Instant at={event.recordedAt} /> {words.recordedBy(event.recordedBy)}
    </p>
  )
}

function RepairLine({ register, of: { event, repairs } }: { register: RegisterAnswer; of: Repair }) {
  return (
    <li class={event.inForce ? 'repair' : 'repair is-retracted'}>
      <Badge tone={event.inForce ? 'warn' : 'gone'}>{EVENT_WORDS[event.type] ?? event.type}</Badge>
      {!event.inForce && <span class="id"> ({words.notInForce})</span>}
      {event.data && <EventData register={register} data={event.data} without={['event', 'data', 'citations']} />}
      <Foot register={register.id} event={event} />
      <Repairs register={register} of={repairs} />
    </li>
  )
}

function Repairs({ register, of }: { register: RegisterAnswer; of: readonly Repair[] }) {
  if (of.length === 0) return null
  return (
    <ul class="repair-list">
      {of.map((repair) => (
        <RepairLine key={repair.event.position} register={register} of={repair} />
      ))}
    </ul>
  )
}

function Marks({ line: { reading, day }, asOf }: { line: Line; asOf: string }) {
  const { event, changed } = reading
  return (
    <>
      {isErased(event) && <Badge tone="gone">{words.redacted}</Badge>}
      {!event.inForce && !isErased(event) && <Badge tone="gone">{words.retracted}</Badge>}
      {event.inForce && changed.length > 0 && <Badge tone="warn">{words.corrected}</Badge>}
      {event.inForce && day !== null && day > asOf && <Badge tone="gone">{words.later(formatDay(asOf))}</Badge>}
    </>
  )
}

/** What stood there before a correction, still readable. */
function Before({ register, reading }: { register: RegisterAnswer; reading: Reading }) {
  const { event, changed } = reading
  if (changed.length === 0 || event.data === null) return null
  return (
    <div class="instead">
      {words.instead}{' '}
      <s>
        {changed.includes('occurredOn') && event.occurredOn && <Imprecise date={{ value: event.occurredOn }} />}
        {changed.includes('data') && <EventData register={register} data={event.data} />}
      </s>
    </div>
  )
}

type ItemProps = {
  register: RegisterAnswer
  line: Line
  asOf: string
  sources: ReadonlyMap<string, SourceAnswer>
}

function headingOf({ event, data }: Reading): string {
  if (event.type === 'DeliveryReported' && data?.partial === true) return words.partialClaim
  return EVENT_WORDS[event.type] ?? event.type
}

function Item({ register, line, asOf, sources }: ItemProps) {
  const { reading, day, repairs } = line
  const { event, occurredOn, data, citations } = reading
  const isCounted = event.inForce && !isErased(event) && (day === null || day <= asOf)
  const by = [...new Set(citations?.map(({ claimedBy }) => claimedBy).filter((one) => one !== undefined))]
  return (
    <li
      class={`moment tone-${TONES[event.type] ?? 'gone'} ${isCounted ? '' : 'is-out'}`}
      id={`event-${event.position}`}
    >
      <div class="moment-day">{occurredOn === null ? '–' : <Imprecise date={{ value: occurredOn }} />}</div>
      <div class="moment-body">
        <h3>
          {event.inForce ? headingOf(reading) : <s>{headingOf(reading)}</s>}
          {by.length > 0 && <span class="by"> {words.claimedBy(by.join(', '))}</span>}
        </h3>
        <Marks line={line} asOf={asOf} />
        {data && (
          <EventData
            register={register}
            data={data}
            without={event.type === 'CommitmentMade' ? ['title', 'description'] : ['partial']}
          />
        )}
        <Before register={register} reading={reading} />
        {citations && (
          <Citations
            register={register.id}
            of={citationsOf({ ...event, citations })}
            sources={sources}
            hasEvent={false}
          />
        )}
        <Foot register={register.id} event={event} />
        <Repairs register={register} of={repairs} />
        <RawEvent event={event} />
      </div>
    </li>
  )
}

type Props = {
  register: RegisterAnswer
  lines: readonly Line[]
  asOf: string
  sources: ReadonlyMap<string, SourceAnswer>
}

export function History({ lines, ...rest }: Props) {
  return (
    <Panel title={words.history} note={words.historyNote} class="history">
      <ol class="moments">
        {lines.map((line) => (
          <Item key={line.reading.event.position} line={line} {...rest} />
        ))}
      </ol>
    </Panel>
  )
}

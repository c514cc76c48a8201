// One event: what it says, where it stands in the log, what was done to it later, and whether it verifies.

import './event.css'
import type { EventAnswer, ListAnswer, MarkedEvent, RegisterAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { formatNumber } from '../format.ts'
import { Citations, citationsOf, useSources } from '../parts/citations.tsx'
import { Imprecise, Instant } from '../parts/dates.tsx'
import { EventData } from '../parts/event-data.tsx'
import { Panel, Shown, Title } from '../parts/frame.tsx'
import { Link, useHref } from '../parts/link.tsx'
import { RawEvent } from '../parts/raw-event.tsx'
import { Badge } from '../parts/status.tsx'
import { Verify } from '../parts/verify.tsx'
import { commitmentPath, eventPath, pathOf } from '../route.ts'
import { commitment as commitmentWords, EVENT_WORDS, FIELD_WORDS, event as words } from '../strings.ts'

const OF_REGISTER = '$register'

function Neighbours({ register, position }: { register: RegisterAnswer; position: number }) {
  const href = useHref()
  return (
    <nav class="neighbours" aria-label={words.where}>
      {position > 0 && <Link href={href(eventPath(register.id, position - 1))}>← {words.before}</Link>}
      {position + 1 < register.size && <Link href={href(eventPath(register.id, position + 1))}>{words.after} →</Link>}
    </nav>
  )
}

/** What later events did to this one, where it is one of a commitment. */
function Repairs({ register, event }: { register: RegisterAnswer; event: EventAnswer }) {
  const href = useHref()
  const isOfCommitment = event.stream !== OF_REGISTER
  const stream = `/v1/registers/${register.id}/commitments/${event.stream}/events`
  const url = `${stream}?after=${event.revision - 1}&limit=1`
  const marked = useResource<ListAnswer<MarkedEvent>>(isOfCommitment ? url : null).data?.items[0]
  if (marked?.position !== event.position || (marked.repairs.length === 0 && marked.inForce)) return null
  return (
    <ul class="repairs">
      {marked.repairs.map((repair) => (
        <li key={repair.event}>
          <Badge tone="warn">{EVENT_WORDS[repair.type] ?? repair.type}</Badge>{' '}
          <Link href={href(eventPath(register.id, repair.event))}>{`${words.position} ${repair.event}`}</Link>
          {!repair.inForce && ` (${commitmentWords.notInForce})`}
        </li>
      ))}
    </ul>
  )
}

function Place({ register, event }: { register: RegisterAnswer; event: EventAnswer }) {
  const href = useHref()
  return (
    <Panel title={words.where}>
      <dl class="fields">
        <div>
          <dt>{words.position}</dt>
          <dd>{formatNumber(event.position)}</dd>
        </div>
        <div>
          <dt>{words.stream}</dt>
          <dd>
            {event.stream === OF_REGISTER ? (
              words.ofRegister
            ) : (
              <Link href={href(commitmentPath(register.id, event.stream))}>{event.stream}</Link>
            )}
            {`, ${words.revision.toLowerCase()} ${formatNumber(event.revision)}`}
          </dd>
        </div>
        <div>
          <dt>{words.type}</dt>
          <dd>
            {event.type}, {words.version(event.typeVersion)}
          </dd>
        </div>
        <div>
          <dt>{words.recordedAt}</dt>
          <dd>
            <Instant at={event.recordedAt} />
          </dd>
        </div>
        <div>
          <dt>{words.recordedBy}</dt>
          <dd>{event.recordedBy}</dd>
        </div>
        <div>
          <dt>{words.id}</dt>
          <dd class="mono">{event.id}</dd>
        </div>
        <div>
          <dt>{words.bodyHash}</dt>
          <dd class="mono">{event.bodyHash}</dd>
        </div>
      </dl>
    </Panel>
  )
}

function Content({ register, event }: { register: RegisterAnswer; event: EventAnswer }) {
  const sources = useSources(register.id)
  const { data, occurredOn } = event
  if (data === null) return <p class="losses">{commitmentWords.redacted}</p>
  return (
    <Panel title={words.says}>
      {occurredOn !== null && (
        <dl class="fields">
          <div>
            <dt>{FIELD_WORDS.occurredOn}</dt>
            <dd>
              <Imprecise date={{ value: occurredOn }} />
            </dd>
          </div>
        </dl>
      )}
      <EventData register={register} data={data} />
      {occurredOn === null && Object.keys(data).length === 0 && <p class="empty">{words.nothing}</p>}
      <h3>{words.sources}</h3>
      <Citations register={register.id} of={citationsOf(event)} sources={sources} hasEvent={false} />
    </Panel>
  )
}

function One({ register, event, position }: { register: RegisterAnswer; event: EventAnswer; position: number }) {
  return (
    <>
      <Title lead={<Repairs register={register} event={event} />}>
        {words.title(event.position, EVENT_WORDS[event.type] ?? event.type)}
      </Title>
      <Neighbours register={register} position={event.position} />
      <div class="grid">
        <Content register={register} event={event} />
        <Place register={register} event={event} />
      </div>
      <div class="stack event-evidence">
        <Verify key={event.position} register={register.id} events={[event]} asked={{ position }} />
        <RawEvent event={event} />
      </div>
    </>
  )
}

export function Event({ register, position }: { register: RegisterAnswer; position: string }) {
  const href = useHref()
  const isPosition = /^(?:0|[1-9]\d{0,15})$/.test(position)
  const resource = useResource<EventAnswer>(isPosition ? `/v1/registers/${register.id}/events/${position}` : null)
  if (!isPosition) {
    return (
      <>
        <Title>{words.noSuch}</Title>
        <Link href={href(pathOf(register.id, 'log'))}>{words.where}</Link>
      </>
    )
  }
  return (
    <Shown of={resource} title={words.at(position)}>
      {(event) => <One register={register} event={event} position={Number(position)} />}
    </Shown>
  )
}

// One commitment: where it stands, how it came there, and who says so.

import './commitment.css'
import './event.css'
import type { CommitmentAnswer, ListAnswer, MarkedEvent, PeriodAnswer, RegisterAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { useClocks } from '../clocks.ts'
import { formatDay } from '../format.ts'
import { address } from '../location.ts'
import { Citations, useSources } from '../parts/citations.tsx'
import { Day } from '../parts/dates.tsx'
import { Losses, Panel, Shown, Title } from '../parts/frame.tsx'
import { Link, useHref } from '../parts/link.tsx'
import { Lifecycle, Schedule, Verification } from '../parts/status.tsx'
import { Verify } from '../parts/verify.tsx'
import { eventPath } from '../route.ts'
import { CONFLICT_WORDS, citations as citationWords, commitment as words } from '../strings.ts'
import { Axis } from './commitment/axis.tsx'
import { About, Axes, Dates, Milestones, Slippage } from './commitment/facts.tsx'
import { History, linesOf } from './commitment/history.tsx'

const EVENTS = 1_000

type Sources = ReturnType<typeof useSources>

function Conflicts({ register, of, sources }: { register: string; of: CommitmentAnswer; sources: Sources }) {
  const href = useHref()
  if (of.conflicts.length === 0) return null
  return (
    <Panel title={words.conflicts} note={words.conflictsNote}>
      <ul class="conflict-list">
        {of.conflicts.map(({ kind, detail, events, citations }) => (
          <li key={`${kind} ${events.join()}`}>
            <h3>{CONFLICT_WORDS[kind] ?? kind}</h3>
            <p>
              {detail}{' '}
              {events.map((position) => (
                <span key={position}>
                  {' · '}
                  <Link href={href(eventPath(register, position))}>{citationWords.event(position)}</Link>
                </span>
              ))}
            </p>
            {citations.length > 0 && <Citations register={register} of={citations} sources={sources} />}
          </li>
        ))}
      </ul>
    </Panel>
  )
}

function Periods({ register, periods }: { register: string; periods: readonly PeriodAnswer[] }) {
  const href = useHref()
  return (
    <details class="periods">
      <summary>{words.periods}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section class="scroller" tabIndex={0} aria-label={words.timeline}>
        <table>
          <thead>
            <tr>
              <th scope="col">{words.period.from}</th>
              <th scope="col">{words.period.to}</th>
              <th scope="col">{words.period.lifecycle}</th>
              <th scope="col">{words.period.schedule}</th>
              <th scope="col">{words.verification}</th>
              <th scope="col">{words.period.begunBy}</th>
            </tr>
          </thead>
          <tbody>
            {periods.map(({ from, to, lifecycle, schedule, verification, begunBy }) => (
              <tr key={from}>
                <td>
                  <Day on={from} />
                </td>
                <td>{to === null ? words.lasts : <Day on={to} />}</td>
                <td>
                  <Lifecycle of={lifecycle} />
                </td>
                <td>
                  <Schedule of={schedule.current} isUncertain={schedule.uncertain} />
                </td>
                <td>
                  <Verification of={verification} />
                </td>
                <td>
                  {'event' in begunBy ? (
                    <Link href={href(eventPath(register, begunBy.event))}>{citationWords.event(begunBy.event)}</Link>
                  ) : (
                    `${words.dueDayPassed}, ${formatDay(begunBy.dueOn)}`
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  )
}

type EventsProps = { register: RegisterAnswer; of: CommitmentAnswer; events: ListAnswer<MarkedEvent>; sources: Sources }

function ThroughTime({ register, of, events, sources }: EventsProps) {
  const { knownAt } = useClocks()
  const timeline = useResource<ListAnswer<PeriodAnswer>>(
    address(`/v1/registers/${register.id}/commitments/${of.id}/timeline`, { knownAt }),
  )
  const lines = linesOf(events.items, register.timeZone)
  return (
    <div class="stack">
      <Panel title={words.timeline} note={words.timelineNote}>
        <Shown of={timeline}>
          {({ items }) => (
            <>
              <Axis of={of} periods={items} lines={lines} />
              <Periods register={register.id} periods={items} />
            </>
          )}
        </Shown>
      </Panel>
      <Conflicts register={register.id} of={of} sources={sources} />
      <History register={register} lines={lines} asOf={of.asOf} sources={sources} />
      {events.next !== null && <p class="note">{words.moreEvents(EVENTS)}</p>}
      <Verify key={of.id} register={register.id} events={events.items} asked={{ stream: of.id }} />
    </div>
  )
}

function One({ register, of }: { register: RegisterAnswer; of: CommitmentAnswer }) {
  const { knownAt } = useClocks()
  const sources = useSources(register.id)
  const stream = address(`/v1/registers/${register.id}/commitments/${of.id}/events`, { knownAt, limit: EVENTS })
  const events = useResource<ListAnswer<MarkedEvent>>(stream)
  return (
    <>
      <Title>{of.title}</Title>
      <Losses count={of.redacted.length} />
      <div class="stack commitment">
        <Axes of={of} />
        <div class="grid">
          <About register={register} of={of} />
          <Dates of={of} />
          <Slippage of={of} />
        </div>
        <Milestones of={of} />
        <Shown of={events}>
          {(answer) => <ThroughTime register={register} of={of} events={answer} sources={sources} />}
        </Shown>
      </div>
    </>
  )
}

export function Commitment({ register, id }: { register: RegisterAnswer; id: string }) {
  const { asOf, knownAt } = useClocks()
  const url = address(`/v1/registers/${register.id}/commitments/${encodeURIComponent(id)}`, { asOf, knownAt })
  return (
    <Shown of={useResource<CommitmentAnswer>(url)} title={id}>
      {(of) => <One register={register} of={of} />}
    </Shown>
  )
}

// One figure as reported: its number, the register's own, what lies between them, and what the report says of itself.

import type { ReportedFigureAnswer, SourceAnswer } from '../../answers.ts'
import { Citations } from '../../parts/citations.tsx'
import { ConflictKind } from '../../parts/conflict.tsx'
import { DatedText, Imprecise } from '../../parts/dates.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { Badge, type Tone } from '../../parts/status.tsx'
import { eventPath, pathOf } from '../../route.ts'
import { figures as words } from '../../strings.ts'
import { Beside } from './beside.tsx'

type Check = ReportedFigureAnswer['checks'][number]
type Bound = ReportedFigureAnswer['bounds'][number]

const CHECK_TONES: Record<Check['agrees'], Tone> = { exactly: 'good', whenRounded: 'good', no: 'warn' }

function Head({ register, of }: { register: string; of: ReportedFigureAnswer }) {
  const href = useHref()
  return (
    <header>
      <h2>{words.quoted(of.metric)}</h2>
      <p class="id">
        <Imprecise date={of.occurredOn} />
        {of.asOf && (
          <>
            {`, ${words.about} `}
            <Imprecise date={of.asOf} />
          </>
        )}
        {' · '}
        {of.programme === null ? (
          words.noProgramme
        ) : (
          <Link href={href(pathOf(register, 'commitments'), { programme: of.programme })}>
            {of.programmeTitle ?? of.programme}
          </Link>
        )}
        {' · '}
        <Link href={href(eventPath(register, of.event))}>{words.event(of.event)}</Link>
      </p>
    </header>
  )
}

function Checks({ of }: { of: readonly Check[] }) {
  if (of.length === 0) return null
  return (
    <section>
      <h3>{words.checks}</h3>
      <ul class="checks">
        {of.map(({ check, agrees, detail }) => (
          <li key={check}>
            <Badge tone={CHECK_TONES[agrees]}>{words.agrees[agrees]}</Badge> {detail}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The bounds that hold under one and the same assumption, which is said once. */
function Bounds({ register, of }: { register: string; of: readonly Bound[] }) {
  const href = useHref()
  if (of.length === 0) return null
  return (
    <section>
      <h3>{words.bounds}</h3>
      {[...Map.groupBy(of, ({ assumption }) => assumption)].map(([assumption, bounds]) => (
        <div class="bounds" key={assumption}>
          <ul>
            {bounds.map(({ detail }) => (
              <li key={detail}>{detail}</li>
            ))}
          </ul>
          <p class="id">
            {words.assumed} {assumption}.{' '}
            {(bounds[0]?.events ?? []).map((event) => (
              <span key={event}>
                {' · '}
                <Link href={href(eventPath(register, event))}>{words.event(event)}</Link>
              </span>
            ))}
          </p>
        </div>
      ))}
    </section>
  )
}

/** What contradicts the report, and which: in short, for both sides stand in the view of conflicts. */
function Conflicts({ register, of }: { register: string; of: ReportedFigureAnswer }) {
  const href = useHref()
  if (of.conflicts.length === 0) return null
  return (
    <section>
      <h3>{words.conflicts}</h3>
      <ul class="checks">
        {of.conflicts.map(({ kind, detail, events }) => (
          <li key={`${kind} ${events.join()} ${detail}`}>
            <Link href={href(pathOf(register, 'conflicts'), { kind })}>
              <ConflictKind of={kind} />
            </Link>{' '}
            <DatedText text={detail} />
            {events
              .filter((event) => event !== of.event)
              .map((event) => (
                <span key={event}>
                  {' · '}
                  <Link href={href(pathOf(register, 'figures'), { event })}>{words.event(event)}</Link>
                </span>
              ))}
          </li>
        ))}
      </ul>
    </section>
  )
}

type Props = {
  register: string
  of: ReportedFigureAnswer
  sources: ReadonlyMap<string, SourceAnswer>
  /** The address names this one. */
  isNamed: boolean
}

export function Report({ register, of, sources, isNamed }: Props) {
  return (
    <li class={isNamed ? 'panel report is-named' : 'panel report'} id={`report-${of.event}`}>
      <Head register={register} of={of} />
      <div class="report-body">
        <div class="report-side">
          <Beside of={of} />
          <Checks of={of.checks} />
        </div>
        <div class="report-side">
          <section>
            <h3>{words.whoSays}</h3>
            <Citations register={register} of={of.citations} sources={sources} hasEvent={false} />
          </section>
          <Bounds register={register} of={of.bounds} />
          <Conflicts register={register} of={of} />
        </div>
      </div>
    </li>
  )
}

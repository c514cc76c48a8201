// One commitment that stands otherwise: what it was, what it is, and because of which events.

import type { ComponentChildren } from 'preact'
import type { DifferenceAnswer, RegisterAnswer } from '../../answers.ts'
import { address } from '../../location.ts'
import { Instant } from '../../parts/dates.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { Badge, Lifecycle, Schedule, Verification } from '../../parts/status.tsx'
import { commitmentPath, eventPath } from '../../route.ts'
import { EVENT_WORDS, shell, changes as words } from '../../strings.ts'

type Item = DifferenceAnswer['items'][number]
type Status = NonNullable<Item['before']>

/** An axis of a status: what is the same of two statuses needs no showing. */
type Axis = { key: keyof typeof words.axes; text: (of: Status) => string; show: (of: Status) => ComponentChildren }

const AXES: readonly Axis[] = [
  { key: 'lifecycle', text: ({ lifecycle }) => lifecycle, show: ({ lifecycle }) => <Lifecycle of={lifecycle} /> },
  {
    key: 'current',
    text: ({ schedule }) => `${schedule.current} ${schedule.uncertain}`,
    show: ({ schedule }) => <Schedule of={schedule.current} isUncertain={schedule.uncertain} />,
  },
  {
    key: 'original',
    text: ({ schedule }) => schedule.original,
    show: ({ schedule }) => <Schedule of={schedule.original} />,
  },
  {
    key: 'verification',
    text: ({ verification }) => verification,
    show: ({ verification }) => <Verification of={verification} />,
  },
  { key: 'programme', text: ({ programme }) => programme ?? '', show: ({ programme }) => programme ?? shell.none },
]

/** What is told of a commitment of which nothing was known before, or is known no longer. */
const WHOLE = AXES.filter(({ key }) => key !== 'original' && key !== 'programme')

function Whole({ of, word, isGone }: { of: Status; word: string; isGone: boolean }) {
  return (
    <p class={isGone ? 'whole is-gone' : 'whole'}>
      <span class="whole-word">{word}</span>
      {WHOLE.map(({ key, show }) => (
        <span key={key}>{show(of)}</span>
      ))}
    </p>
  )
}

/** The axes on which two statuses differ; the schedule once where it changed alike against both dates. */
function changedAxes(before: Status, after: Status): readonly Axis[] {
  const changed = AXES.filter(({ text }) => text(before) !== text(after))
  const isAlike =
    before.schedule.original === before.schedule.current && after.schedule.original === after.schedule.current
  if (!isAlike) return changed
  return changed
    .filter(({ key }) => key !== 'original')
    .map((axis) => (axis.key === 'current' ? { ...axis, key: 'schedule' } : axis))
}

function Axes({ before, after }: { before: Status; after: Status }) {
  return (
    <dl class="axes-changed">
      {changedAxes(before, after).map(({ key, show }) => (
        <div key={key}>
          <dt>{words.axes[key]}</dt>
          <dd>
            {show(before)}
            <span aria-hidden="true">→</span>
            <span class="hidden">{words.became}</span>
            {show(after)}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Because({ register, of }: { register: string; of: Item['because'] }) {
  const href = useHref()
  return (
    <ul class="because" aria-label={words.because}>
      {of.map(({ event, type, recordedAt, kind }) => (
        <li key={event}>
          <Link href={href(eventPath(register, event))}>{words.cause(EVENT_WORDS[type] ?? type, event)}</Link>
          <span class="id">
            <Instant at={recordedAt} />
          </span>
          {kind === 'repair' && <Badge tone="warn">{words.repair}</Badge>}
        </li>
      ))}
    </ul>
  )
}

export function Changed({ register, of, answer }: { register: RegisterAnswer; of: Item; answer: DifferenceAnswer }) {
  const { id, title, before, after, because } = of
  // As it stands at the later size, or where it is known no longer at the earlier one.
  const { size } = after ? answer.to : answer.from
  const clocks = { asOf: answer.asOf, knownAt: size === register.size ? null : size }
  return (
    <li>
      <div class="changed-what">
        <Link href={address(commitmentPath(register.id, id), clocks)}>{title}</Link>
        <span class="id">{id}</span>
      </div>
      <div class="changed-how">
        {before && after && <Axes before={before} after={after} />}
        {!before && after && <Whole of={after} word={words.isNew} isGone={false} />}
        {before && !after && <Whole of={before} word={words.isGone} isGone />}
      </div>
      <Because register={register.id} of={because} />
    </li>
  )
}

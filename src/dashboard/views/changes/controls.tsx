// The controls of a comparison: the day, the two sizes, and the comparisons that are asked for most.

import type { DifferenceAnswer, RegisterAnswer } from '../../answers.ts'
import { nextCheckpoint } from '../../checkpoints.ts'
import { dayIn } from '../../clocks.ts'
import { go, useLocation, withParams } from '../../location.ts'
import { AsOf, Cite, SizeControl } from '../../parts/clock-bar.tsx'
import { Link } from '../../parts/link.tsx'
import { changes as words } from '../../strings.ts'
import type { Asked } from './sizes.ts'

const DAY_MS = 86_400_000

/** Comparisons by how far they reach back. */
function Since({ register, asked }: { register: RegisterAnswer; asked: Asked }) {
  const place = useLocation()
  const ago = (days: number) => dayIn(register.timeZone, new Date(Date.now() - days * DAY_MS))
  const choices = [
    { word: words.sinceCheckpoint, from: null },
    { word: words.sinceYesterday, from: ago(1) },
    { word: words.sinceWeek, from: ago(7) },
    { word: words.sinceMonth, from: ago(30) },
    { word: words.sinceBeginning, from: '0' },
  ]
  const current = asked.isFromNamed ? asked.from : null
  return (
    <nav class="since" aria-label={words.since}>
      <span>{words.since}</span>
      {choices.map(({ word, from }) => (
        <Link key={word} href={withParams(place, { from })} aria-current={current === from ? 'page' : undefined}>
          {word}
        </Link>
      ))}
    </nav>
  )
}

type SizeProps = { register: RegisterAnswer; asked: Asked; answer: DifferenceAnswer | undefined }

function From({ register, asked, answer }: SizeProps) {
  const place = useLocation()
  const set = (from: string | null) => go(withParams(place, { from }))
  const step = async (direction: 1 | -1) => {
    if (!answer) return
    const size = await nextCheckpoint(register.id, answer.from.size, direction).catch(() => null)
    if (size !== null && size <= answer.to.size) set(String(size))
    else if (direction === -1) set('0')
  }
  return (
    <SizeControl
      id="changes-from"
      label={words.from}
      asked={asked.isFromNamed ? asked.from : null}
      placeholder={asked.from === null ? words.sinceCheckpoint : words.lastCheckpoint(Number(asked.from))}
      onSet={set}
      onBack={answer && answer.from.size > 0 ? () => void step(-1) : null}
      onOn={answer && answer.from.size < answer.to.size ? () => void step(1) : null}
    />
  )
}

function To({ register, asked, answer }: SizeProps) {
  const place = useLocation()
  const set = (to: string | null) => {
    // An earlier size that is no longer earlier gives way to the checkpoint before.
    const isBehind = to !== null && answer !== undefined && Number(to) <= answer.from.size
    go(withParams(place, { to, ...(to === null ? { knownAt: null } : {}), ...(isBehind ? { from: null } : {}) }))
  }
  const step = async (direction: 1 | -1) => {
    if (!answer) return
    const size = await nextCheckpoint(register.id, answer.to.size, direction).catch(() => null)
    if (size !== null) set(String(size))
    else if (direction === 1) set(null)
  }
  return (
    <SizeControl
      id="changes-to"
      label={words.to}
      asked={asked.to}
      placeholder={words.everything(register.size)}
      onSet={set}
      onBack={answer ? () => void step(-1) : null}
      onOn={answer && asked.to !== null ? () => void step(1) : null}
    />
  )
}

export function Controls({ register, asked, answer }: SizeProps) {
  const today = dayIn(register.timeZone)
  const fixed = answer && { asOf: answer.asOf, from: String(answer.from.size), to: String(answer.to.size) }
  return (
    <section class="clocks changes-clocks" aria-label={words.controls}>
      <div class="clock-controls">
        <AsOf today={today} asOf={answer?.asOf ?? asked.asOf ?? today} />
        <From register={register} asked={asked} answer={answer} />
        <To register={register} asked={asked} answer={answer} />
        {fixed && <Cite fixed={fixed} />}
      </div>
      <Since register={register} asked={asked} />
    </section>
  )
}

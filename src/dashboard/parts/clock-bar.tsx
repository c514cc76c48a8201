// The control of the two clocks, on every view of a register, and the banner that says when either is not now.

import { useEffect, useState } from 'preact/hooks'
import type { ListAnswer, RegisterAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { nextCheckpoint } from '../checkpoints.ts'
import { useClocks } from '../clocks.ts'
import { dayIn, dayMs, formatDay, formatInstant, formatNumber, isoDay } from '../format.ts'
import { address, go, useLocation, withParams } from '../location.ts'
import { clocks as words } from '../strings.ts'
import { Link } from './link.tsx'

const DAY_MS = 86_400_000
const KNOWN_AT = /^(\d{1,15}|\d{4}-\d{2}-\d{2}(T.*(Z|[+-]\d{2}:\d{2}))?)$/
/** A size as the control itself writes it, in any locale. */
const GROUPED = /^\d{1,3}(?:[,.'’\s]\d{3})+$/

/** How the service reads the clocks of the address: as of which day, known at which size. */
type Resolved = { asOf: string; knownAt: { size: number; recordedAt: string | null } }

type Clocks = { resolved: Resolved | undefined; isBefore: boolean; isRefused: boolean }

function useResolvedClocks(register: string): Clocks {
  const asked = useClocks()
  // The smallest answer that resolves both clocks as the others do.
  const { data, failure, isBefore } = useResource<ListAnswer<unknown>>(
    address(`/v1/registers/${register}/commitments`, { limit: 1, asOf: asked.asOf, knownAt: asked.knownAt }),
  )
  const resolved = data && { asOf: data.asOf, knownAt: data.knownAt }
  return { resolved, isBefore, isRefused: failure?.kind === 'problem' }
}

export function AsOf({ today, asOf }: { today: string; asOf: string }) {
  const place = useLocation()
  const set = (day: string | null) => go(withParams(place, { asOf: day === today ? null : day }))
  const at = Number.isNaN(dayMs(asOf)) ? dayMs(today) : dayMs(asOf)
  const step = (days: number) => {
    const day = isoDay(at + days * DAY_MS)
    // No day is written before 0001-01-01 or after 9999-12-31.
    if (/^\d{4}-/.test(day) && day >= '0001') set(day)
  }
  return (
    <div class="clock">
      <label for="as-of">{words.asOf}</label>
      <span class="stepper">
        <button type="button" aria-label={words.previousDay} title={words.previousDay} onClick={() => step(-1)}>
          ‹
        </button>
        <input
          id="as-of"
          type="date"
          value={isoDay(at)}
          title={words.asOfHint}
          onChange={({ currentTarget }) => currentTarget.value && set(currentTarget.value)}
        />
        <button type="button" aria-label={words.nextDay} title={words.nextDay} onClick={() => step(1)}>
          ›
        </button>
      </span>
    </div>
  )
}

type SizeProps = {
  id: string
  label: string
  /** As in the address; null: what the placeholder says. */
  asked: string | null
  placeholder: string
  onSet: (value: string | null) => void
  /** To the checkpoint before or after; null where none can follow. */
  onBack: (() => void) | null
  onOn: (() => void) | null
}

/** A size of the log, a day or an instant: typed, or stepped through the checkpoints. */
export function SizeControl({ id, label, asked, placeholder, onSet, onBack, onOn }: SizeProps) {
  const [text, setText] = useState(asked ?? '')
  const [isWrong, setWrong] = useState(false)
  useEffect(() => {
    setText(asked ?? '')
    setWrong(false)
  }, [asked])
  const enter = (given: string) => {
    const value = GROUPED.test(given) ? given.replace(/\D/g, '') : given
    const isGood = value === '' || KNOWN_AT.test(value)
    setWrong(!isGood)
    if (isGood) onSet(value === '' ? null : value)
  }
  const button = (word: string, sign: string, step: (() => void) | null) => (
    <button type="button" aria-label={word} title={word} disabled={step === null} onClick={() => step?.()}>
      {sign}
    </button>
  )
  return (
    <div class="clock">
      <label for={id}>{label}</label>
      <span class="stepper">
        {button(words.previousCheckpoint, '‹', onBack)}
        <input
          id={id}
          type="text"
          inputMode="numeric"
          autocomplete="off"
          spellcheck={false}
          value={text}
          placeholder={placeholder}
          title={words.knownAtHint}
          aria-invalid={isWrong}
          aria-describedby={isWrong ? `${id}-wrong` : undefined}
          onChange={({ currentTarget }) => enter(currentTarget.value.trim())}
        />
        {button(words.nextCheckpoint, '›', onOn)}
      </span>
      {isWrong && (
        <span class="wrong" id={`${id}-wrong`} role="alert">
          {words.invalidKnownAt}
        </span>
      )}
    </div>
  )
}

function KnownAt({ register, known }: { register: RegisterAnswer; known: number }) {
  const place = useLocation()
  const asked = useClocks().knownAt
  const set = (value: string | null) => go(withParams(place, { knownAt: value }))
  const step = async (direction: 1 | -1) => {
    const size = await nextCheckpoint(register.id, known, direction).catch(() => null)
    if (size !== null) set(String(size))
    else if (direction === 1) set(null)
  }
  return (
    <SizeControl
      id="known-at"
      label={words.knownAt}
      asked={asked}
      placeholder={`${formatNumber(register.size)} · ${words.everything}`}
      onSet={set}
      onBack={() => void step(-1)}
      onOn={asked === null ? null : () => void step(1)}
    />
  )
}

/** Fixes the clocks in the address, so that it shows the same for ever. */
export function Cite({ fixed }: { fixed: Record<string, string> }) {
  const place = useLocation()
  const [said, setSaid] = useState('')
  useEffect(() => setSaid(''), [place.path])
  const cite = async () => {
    const href = withParams(place, fixed)
    go(href, { replace: true })
    const isCopied = await navigator.clipboard?.writeText(new URL(href, location.href).href).then(
      () => true,
      () => false,
    )
    setSaid(isCopied ? words.cited : words.citedNot)
  }
  return (
    <span class="cite">
      <button type="button" class="quiet" onClick={() => void cite()}>
        {words.cite}
      </button>
      <span role="status">{said}</span>
    </span>
  )
}

function Banner({ resolved, today, size }: { resolved: Resolved; today: string; size: number }) {
  const place = useLocation()
  const { asOf, knownAt } = resolved
  const isPast = asOf < today || knownAt.size < size
  if (!isPast && asOf === today) {
    return (
      <p class="on-paper">
        {words.bannerAsOf(formatDay(asOf))} ·{' '}
        {words.bannerKnownAt(knownAt.size, knownAt.recordedAt && formatInstant(knownAt.recordedAt))}
      </p>
    )
  }
  return (
    <div class="banner" role="status">
      <span>
        <strong>{isPast ? words.past : words.ahead}</strong>{' '}
        <span title={asOf}>{words.bannerAsOf(formatDay(asOf))}</span>
        {' · '}
        <span title={knownAt.recordedAt ?? undefined}>
          {words.bannerKnownAt(knownAt.size, knownAt.recordedAt && formatInstant(knownAt.recordedAt))}
        </span>
      </span>
      <Link href={withParams(place, { asOf: null, knownAt: null })}>{words.backToNow}</Link>
    </div>
  )
}

export function ClockBar({ register }: { register: RegisterAnswer }) {
  const { resolved, isBefore, isRefused } = useResolvedClocks(register.id)
  const asked = useClocks()
  const place = useLocation()
  const today = dayIn(register.timeZone)
  const asOf = asked.asOf ?? resolved?.asOf ?? today
  // A size is known before the service has confirmed it, so that a second step at once starts from there.
  const isSize = /^\d{1,15}$/.test(asked.knownAt ?? '')
  const known = isSize ? Number(asked.knownAt) : (resolved?.knownAt.size ?? register.size)
  return (
    <section class="clocks" aria-label={words.title}>
      <div class="clock-controls">
        <AsOf today={today} asOf={asOf} />
        <KnownAt register={register} known={known} />
        {/* Until the service has answered at these clocks, there is nothing of theirs to cite. */}
        {resolved && !isBefore && <Cite fixed={{ asOf: resolved.asOf, knownAt: String(resolved.knownAt.size) }} />}
        {isRefused && <Link href={withParams(place, { asOf: null, knownAt: null })}>{words.backToNow}</Link>}
      </div>
      {resolved && <Banner resolved={resolved} today={today} size={register.size} />}
    </section>
  )
}

// The control of the two clocks, on every view of a register, and the banner that says when either is not now.

import { useEffect, useState } from 'preact/hooks'
import type { CheckpointAnswer, ListAnswer, RegisterAnswer } from '../answers.ts'
import { askOnce, useResource } from '../api.ts'
import { dayIn, useClocks } from '../clocks.ts'
import { dayMs, formatDay, formatInstant, formatNumber, isoDay } from '../format.ts'
import { address, go, useLocation, withParams } from '../location.ts'
import { clocks as words } from '../strings.ts'
import { Link } from './link.tsx'

const DAY_MS = 86_400_000
const KNOWN_AT = /^(\d{1,15}|\d{4}-\d{2}-\d{2}(T.*Z)?)$/

/** How the service reads the clocks of the address: as of which day, known at which size. */
type Resolved = { asOf: string; knownAt: { size: number; recordedAt: string | null } }

export function useResolvedClocks(register: string): Resolved | undefined {
  const asked = useClocks()
  // The smallest answer that resolves both clocks as the others do.
  const { data } = useResource<ListAnswer<unknown>>(
    address(`/v1/registers/${register}/commitments`, { limit: 1, asOf: asked.asOf, knownAt: asked.knownAt }),
  )
  return data && { asOf: data.asOf, knownAt: data.knownAt }
}

function AsOf({ today, asOf }: { today: string; asOf: string }) {
  const place = useLocation()
  const set = (day: string | null) => go(withParams(place, { asOf: day === today ? null : day }))
  const step = (days: number) => set(isoDay(dayMs(asOf) + days * DAY_MS))
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
          value={asOf}
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

/** The size of the checkpoint next to a size; null where there is none. */
async function nextTo(register: string, size: number, direction: 1 | -1): Promise<number | null> {
  const base = `/v1/registers/${register}/checkpoints`
  if (direction === 1) {
    const { items } = await askOnce<ListAnswer<CheckpointAnswer>>(address(base, { after: size, limit: 1 }))
    return items[0]?.size ?? null
  }
  // Checkpoints are listed upwards; the one before is looked for in ever longer stretches below.
  for (let reach = 64; ; reach *= 8) {
    const after = Math.max(0, size - reach)
    let last: number | null = null
    for (let from = after; ; ) {
      const { items } = await askOnce<ListAnswer<CheckpointAnswer>>(address(base, { after: from, limit: 1_000 }))
      const below = items.filter((item) => item.size < size)
      last = below.at(-1)?.size ?? last
      if (below.length < items.length || items.length < 1_000) break
      from = items.at(-1)?.size ?? from
    }
    if (last !== null || after === 0) return last
  }
}

function KnownAt({ register, known }: { register: RegisterAnswer; known: number }) {
  const place = useLocation()
  const asked = useClocks().knownAt
  const [text, setText] = useState(asked ?? '')
  const [isWrong, setWrong] = useState(false)
  useEffect(() => {
    setText(asked ?? '')
    setWrong(false)
  }, [asked])
  const set = (value: string | null) => go(withParams(place, { knownAt: value }))
  const step = async (direction: 1 | -1) => {
    const size = await nextTo(register.id, known, direction).catch(() => null)
    if (size !== null) set(String(size))
    else if (direction === 1) set(null)
  }
  const enter = (value: string) => {
    const isGood = value === '' || KNOWN_AT.test(value)
    setWrong(!isGood)
    if (isGood) set(value === '' ? null : value)
  }
  return (
    <div class="clock">
      <label for="known-at">{words.knownAt}</label>
      <span class="stepper">
        <button
          type="button"
          aria-label={words.previousCheckpoint}
          title={words.previousCheckpoint}
          onClick={() => void step(-1)}
        >
          ‹
        </button>
        <input
          id="known-at"
          type="text"
          inputMode="numeric"
          autocomplete="off"
          spellcheck={false}
          value={text}
          placeholder={`${formatNumber(register.size)} · ${words.everything}`}
          title={words.knownAtHint}
          aria-invalid={isWrong}
          aria-describedby={isWrong ? 'known-at-wrong' : undefined}
          onChange={({ currentTarget }) => enter(currentTarget.value.trim())}
        />
        <button
          type="button"
          aria-label={words.nextCheckpoint}
          title={words.nextCheckpoint}
          disabled={asked === null}
          onClick={() => void step(1)}
        >
          ›
        </button>
      </span>
      {isWrong && (
        <span class="wrong" id="known-at-wrong" role="alert">
          {words.invalidKnownAt}
        </span>
      )}
    </div>
  )
}

/** Fixes both clocks in the address, so that it shows the same for ever. */
function Cite({ resolved }: { resolved: Resolved }) {
  const place = useLocation()
  const [said, setSaid] = useState('')
  useEffect(() => setSaid(''), [place.path])
  const cite = async () => {
    const href = withParams(place, { asOf: resolved.asOf, knownAt: String(resolved.knownAt.size) })
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
  if (!isPast && asOf === today) return null
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
  const resolved = useResolvedClocks(register.id)
  const asked = useClocks()
  const today = dayIn(register.timeZone)
  const asOf = resolved?.asOf ?? asked.asOf ?? today
  return (
    <section class="clocks" aria-label={words.title}>
      <div class="clock-controls">
        <AsOf today={today} asOf={asOf} />
        <KnownAt register={register} known={resolved?.knownAt.size ?? register.size} />
        {resolved && <Cite resolved={resolved} />}
      </div>
      {resolved && <Banner resolved={resolved} today={today} size={register.size} />}
    </section>
  )
}

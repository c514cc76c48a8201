// What the list is narrowed to: each filter is a parameter of the address under the API's own name.

import { useEffect, useState } from 'preact/hooks'
import type { ListAnswer, ProgrammeAnswer, RegisterAnswer, SummaryAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { useClocks } from '../../clocks.ts'
import { address, go, type Location, useLocation, withParams } from '../../location.ts'
import {
  FIGURE_WORDS,
  LIFECYCLE_WORDS,
  SCHEDULE_WORDS,
  VERIFICATION_WORDS,
  commitments as words,
} from '../../strings.ts'

const AXES = { lifecycle: LIFECYCLE_WORDS, schedule: SCHEDULE_WORDS, verification: VERIFICATION_WORDS } as const
export const FILTERS = [
  'lifecycle',
  'schedule',
  'scheduleOriginal',
  'verification',
  'programme',
  'theme',
  'party',
] as const
type Filter = (typeof FILTERS)[number]

const TYPING_MS = 250

function without(place: Location, name: string, value: string): string {
  return withParams(place, { [name]: place.params.getAll(name).filter((one) => one !== value) })
}

function withOneMore(place: Location, name: string, value: string): string {
  return withParams(place, { [name]: [...place.params.getAll(name).filter((one) => one !== value), value] })
}

function Axis({ name, options }: { name: keyof typeof AXES; options: Record<string, string> }) {
  const place = useLocation()
  const chosen = place.params.getAll(name)
  return (
    <fieldset>
      <legend>{words.axes[name]}</legend>
      {Object.entries(options).map(([value, word]) => (
        <label key={value}>
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={({ currentTarget }) =>
              go(currentTarget.checked ? withOneMore(place, name, value) : without(place, name, value))
            }
          />
          {word}
        </label>
      ))}
    </fieldset>
  )
}

type Option = { value: string; word: string }

function Choice({ name, options }: { name: 'programme' | 'theme' | 'party'; options: readonly Option[] }) {
  const place = useLocation()
  const chosen = place.params.getAll(name)
  const left = options.filter(({ value }) => !chosen.includes(value))
  return (
    <label class="choice">
      {words.axes[name]}
      <select
        value=""
        disabled={left.length === 0}
        onChange={({ currentTarget }) => {
          if (currentTarget.value !== '') go(withOneMore(place, name, currentTarget.value))
          currentTarget.value = ''
        }}
      >
        <option value="">{chosen.length === 0 ? words.any : words.oneMore}</option>
        {left.map(({ value, word }) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </label>
  )
}

export type Names = { programme: readonly Option[]; theme: readonly Option[]; party: readonly Option[] }

/** What programmes, themes and parties there are to choose from, by name. */
export function useNames(register: RegisterAnswer): Names {
  const { asOf, knownAt } = useClocks()
  const base = `/v1/registers/${register.id}`
  const programmes = useResource<ListAnswer<ProgrammeAnswer>>(address(`${base}/programmes`, { asOf, knownAt })).data
  const themes = useResource<SummaryAnswer>(address(`${base}/summary`, { asOf, knownAt, groupBy: 'theme' })).data
  return {
    programme: (programmes?.items ?? []).map(({ id, title }) => ({ value: id, word: title ?? id })),
    theme: (themes?.groups ?? []).flatMap(({ key }) => (key === null ? [] : [{ value: key, word: key }])),
    party: register.parties.map(({ id, name }) => ({ value: id, word: name })),
  }
}

function Search() {
  const place = useLocation()
  const asked = place.params.get('q') ?? ''
  const [text, setText] = useState(asked)
  useEffect(() => setText(asked), [asked])
  useEffect(() => {
    if (text.trim() === asked) return
    const timer = setTimeout(() => go(withParams(place, { q: text.trim() }), { replace: true }), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <label class="search">
      <span class="hidden">{words.search}</span>
      <input
        type="search"
        value={text}
        placeholder={words.search}
        maxLength={1_000}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
    </label>
  )
}

function wordOf(names: Names, filter: Filter, value: string): string {
  if (filter === 'scheduleOriginal')
    return words.original(SCHEDULE_WORDS[value as keyof typeof SCHEDULE_WORDS] ?? value)
  if (filter === 'programme' || filter === 'theme' || filter === 'party')
    return value === '' ? words.none[filter] : (names[filter].find((one) => one.value === value)?.word ?? value)
  // Safe: what is no value of the axis is shown as it is.
  return (AXES[filter] as Record<string, string>)[value] ?? value
}

function Chip({ href, children }: { href: string; children: string }) {
  return (
    <li>
      <button type="button" class="chip" aria-label={words.remove(children)} onClick={() => go(href)}>
        {children} <span aria-hidden="true">×</span>
      </button>
    </li>
  )
}

/** What is set, each to be taken away. */
function Chips({ names }: { names: Names }) {
  const place = useLocation()
  const { params } = place
  const set = FILTERS.flatMap((filter) => params.getAll(filter).map((value) => ({ filter, value })))
  const figure = params.get('figure')
  if (set.length === 0 && figure === null) return null
  const cleared = Object.fromEntries([...FILTERS, 'figure', 'denominator', 'q'].map((name) => [name, null]))
  return (
    <ul class="chips" aria-label={words.set}>
      {figure !== null && (
        <Chip href={withParams(place, { figure: null, denominator: null })}>
          {params.get('denominator') === 'true'
            ? words.countedOutOf(FIGURE_WORDS[figure] ?? figure)
            : words.counted(FIGURE_WORDS[figure] ?? figure)}
        </Chip>
      )}
      {set.map(({ filter, value }) => (
        <Chip key={`${filter} ${value}`} href={without(place, filter, value)}>
          {wordOf(names, filter, value)}
        </Chip>
      ))}
      <li>
        <button type="button" class="quiet" onClick={() => go(withParams(place, cleared))}>
          {words.clear}
        </button>
      </li>
    </ul>
  )
}

export function Filters({ names }: { names: Names }) {
  const { params } = useLocation()
  const count = FILTERS.reduce((sum, name) => sum + params.getAll(name).length, 0)
  return (
    <div class="filters">
      <Search />
      <details>
        <summary>{words.filters(count)}</summary>
        <div class="filter-grid">
          <Axis name="lifecycle" options={LIFECYCLE_WORDS} />
          <Axis name="schedule" options={SCHEDULE_WORDS} />
          <Axis name="verification" options={VERIFICATION_WORDS} />
          <div class="choices">
            <Choice name="programme" options={names.programme} />
            <Choice name="theme" options={names.theme} />
            <Choice name="party" options={names.party} />
          </div>
        </div>
      </details>
      <Chips names={names} />
    </div>
  )
}

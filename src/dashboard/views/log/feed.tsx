// The live feed: the newest events first, one line each, back to the first.

import { useEffect, useMemo, useState } from 'preact/hooks'
import type { EventAnswer, ListAnswer, RegisterAnswer } from '../../answers.ts'
import { askOnce, useResource } from '../../api.ts'
import { formatDate, formatNumber } from '../../format.ts'
import { address, go, useLocation, withParams } from '../../location.ts'
import { Instant } from '../../parts/dates.tsx'
import { FailureNote, Loading, Panel } from '../../parts/frame.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { Badge } from '../../parts/status.tsx'
import { commitmentPath, eventPath, pathOf } from '../../route.ts'
import { EVENT_WORDS, log as words } from '../../strings.ts'
import { type Backwards, useBackwards } from './backwards.ts'

const PAGE = 100
const LIMIT = 200
const REGISTER_STREAM = '$register'
const STREAM = /^(?:\$register|[a-z0-9][a-z0-9._-]{0,99})$/

/** Of an event only what its line shows is kept. */
type Line = Pick<EventAnswer, 'position' | 'id' | 'stream' | 'type' | 'recordedAt' | 'recordedBy'> & {
  gist: string | null
  /** The event that a repair is about. */
  about: string | null
  isRedacted: boolean
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : typeof value === 'number' ? formatNumber(value) : null
}

/** What an event says, in a few words: what it names, and the day that it sets. */
function gistOf({ type, data }: EventAnswer): string | null {
  if (data === null) return null
  const { title, name, metric, status, rating, milestone, value, of, percent, due, finish, note, reason } = data
  const named = [title, name, metric, status, rating, milestone].find((one) => one !== undefined)
  const number = textOf(value)
  const amount = number === null ? null : words.value(number, textOf(of))
  const share = typeof percent === 'number' ? `${formatNumber(percent)} %` : null
  const day = textOf(finish ?? due)
  const why = type.startsWith('Event') || named === undefined ? (note ?? reason) : undefined
  const parts = [textOf(named), amount, share, day && formatDate({ value: day }), textOf(why)].filter(Boolean)
  return parts.length === 0 ? null : parts.join(' · ')
}

function lineOf(event: EventAnswer): Line {
  const { position, id, stream, type, recordedAt, recordedBy, data, salt } = event
  const about = textOf(data?.event)
  return { position, id, stream, type, recordedAt, recordedBy, gist: gistOf(event), about, isRedacted: salt === null }
}

/** The words of an event type; of one that a newer service wrote its name. */
function wordOf(type: string): string {
  return EVENT_WORDS[type] ?? type
}

type Filter = { type: string | null; stream: string | null; from: number | null }

function filterOf(params: URLSearchParams): Filter {
  const from = params.get('from') ?? ''
  return {
    type: params.get('type') || null,
    stream: params.get('stream') || null,
    from: /^\d{1,15}$/.test(from) ? Number(from) : null,
  }
}

function useEvents(register: RegisterAnswer, { type, stream, from }: Filter): Backwards<Line> | undefined {
  const base = `/v1/registers/${register.id}/events`
  const isFiltered = type !== null || stream !== null
  return useBackwards<Line>({
    key: address(base, { type, stream, from }),
    first: 0,
    head: register.size - 1,
    from,
    numberOf: ({ position }) => position,
    page: PAGE,
    width: isFiltered ? PAGE * 4 : PAGE,
    read: async (after, until) => {
      const page = await askOnce<ListAnswer<EventAnswer>>(address(base, { after, until, limit: LIMIT, type, stream }))
      return { items: page.items.map(lineOf), isWhole: page.next === null }
    },
  })
}

/** Ids of what was erased since the view was opened: the log says so in events of its own, which a filter may leave out. */
function useErased({ id, size }: RegisterAnswer): ReadonlySet<string> {
  const [after] = useState(size - 1)
  const { data } = useResource<ListAnswer<EventAnswer>>(
    address(`/v1/registers/${id}/events`, { after, type: 'EventRedacted', limit: 1_000 }),
  )
  return useMemo(() => new Set(data?.items.flatMap((event) => textOf(event.data?.event) ?? [])), [data])
}

/** A correction goes with what it corrects. */
function isErased({ id, type, about, isRedacted }: Line, erased: ReadonlySet<string>): boolean {
  return isRedacted || erased.has(id) || (type === 'EventCorrected' && about !== null && erased.has(about))
}

type Href = (path: string) => string

function StreamLink({ register, stream, href }: { register: string; stream: string; href: Href }) {
  if (stream === REGISTER_STREAM) return <Link href={href(pathOf(register))}>{words.registerStream}</Link>
  return (
    <Link href={href(commitmentPath(register, stream))} title={stream}>
      {stream}
    </Link>
  )
}

type RowProps = { register: string; line: Line; href: Href; isErased: boolean; isNew: boolean }

function Row({ register, line, href, isErased, isNew }: RowProps) {
  const { position, type, stream, recordedAt, recordedBy, gist } = line
  return (
    <tr class={isNew ? 'is-new' : undefined}>
      <th scope="row" class="position">
        {formatNumber(position)}
      </th>
      <td class="event">
        <Link href={href(eventPath(register, position))}>{wordOf(type)}</Link>{' '}
        {isErased ? (
          <Badge tone="gone">{words.redacted}</Badge>
        ) : (
          <span class="gist" title={gist ?? undefined}>
            {gist}
          </span>
        )}
      </td>
      <td class="stream">
        <StreamLink register={register} stream={stream} href={href} />
      </td>
      <td class="recorded">
        <Instant at={recordedAt} />
      </td>
      <td class="by" title={recordedBy}>
        {recordedBy}
      </td>
    </tr>
  )
}

type BlockProps = { register: string; lines: readonly Line[]; erased: ReadonlySet<string>; newAbove: number }

/** Some lines, drawn again only where something of them is new: there may be thousands, and one more every second. */
function Block({ register, lines, erased, newAbove }: BlockProps) {
  const href = useHref()
  const first = lines[0]?.position ?? 0
  // Below it nothing is new, wherever that begins.
  const mark = Math.min(newAbove, first)
  return useMemo(
    () => (
      <tbody>
        {lines.map((line) => (
          <Row
            key={line.position}
            register={register}
            line={line}
            href={href}
            isErased={isErased(line, erased)}
            isNew={line.position > mark}
          />
        ))}
      </tbody>
    ),
    [register, lines.length, first, mark, erased],
  )
}

function Rows({ register, list }: { register: RegisterAnswer; list: Backwards<Line> }) {
  const erased = useErased(register)
  const newAbove = list.items[list.arrived]?.position ?? -1
  // By position, so that what is put in front moves no line into another block.
  const blocks = [...Map.groupBy(list.items, ({ position }) => Math.floor(position / PAGE))]
  return (
    <table class="log-table">
      <caption class="hidden">{words.feed}</caption>
      <thead>
        <tr>
          {Object.entries(words.columns).map(([key, word]) => (
            <th scope="col" key={key} class={key}>
              {word}
            </th>
          ))}
        </tr>
      </thead>
      {blocks.map(([block, lines]) => (
        <Block key={block} register={register.id} lines={lines} erased={erased} newAbove={newAbove} />
      ))}
    </table>
  )
}

function TypeChoice({ type }: { type: string | null }) {
  const place = useLocation()
  return (
    <label class="log-field">
      {words.type}
      <select
        value={type ?? ''}
        onChange={({ currentTarget }) => go(withParams(place, { type: currentTarget.value || null }))}
      >
        <option value="">{words.anyType}</option>
        {type !== null && !Object.hasOwn(EVENT_WORDS, type) && <option value={type}>{type}</option>}
        {Object.entries(EVENT_WORDS).map(([key, word]) => (
          <option key={key} value={key}>
            {word}
          </option>
        ))}
      </select>
    </label>
  )
}

function StreamChoice({ stream }: { stream: string | null }) {
  const place = useLocation()
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  useEffect(() => {
    setText(stream ?? '')
    setWrong(false)
  }, [stream])
  const enter = () => {
    const id = text.trim()
    const isGood = id === '' || STREAM.test(id)
    setWrong(!isGood)
    if (isGood) go(withParams(place, { stream: id || null }))
  }
  return (
    <label class="log-field stream">
      {words.stream}
      <input
        type="search"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={text}
        placeholder={words.streamHint}
        aria-invalid={isWrong}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onChange={enter}
      />
      {isWrong && (
        <span class="wrong" role="alert">
          {words.invalidStream}
        </span>
      )}
    </label>
  )
}

function Jump({ from, last }: { from: number | null; last: number }) {
  const place = useLocation()
  const [text, setText] = useState('')
  useEffect(() => setText(from === null ? '' : String(from)), [from])
  return (
    <form
      class="log-field position"
      onSubmit={(event) => {
        event.preventDefault()
        go(withParams(place, { from: text }))
      }}
    >
      <label for="log-from">{words.position}</label>
      <span class="stepper">
        <input
          id="log-from"
          type="number"
          min="0"
          max={last}
          value={text}
          placeholder={words.positionHint(last)}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <button type="submit">{words.jump}</button>
      </span>
    </form>
  )
}

function Controls({ filter, last }: { filter: Filter; last: number }) {
  const place = useLocation()
  const isSet = filter.type !== null || filter.stream !== null || filter.from !== null
  return (
    <search class="log-controls">
      <TypeChoice type={filter.type} />
      <StreamChoice stream={filter.stream} />
      <Jump from={filter.from} last={last} />
      {isSet && (
        <button
          type="button"
          class="quiet clear"
          onClick={() => go(withParams(place, { type: null, stream: null, from: null }))}
        >
          {words.clear}
        </button>
      )}
    </search>
  )
}

function countText(list: Backwards<Line>, { type, stream, from }: Filter, size: number): string {
  if (from !== null) return words.pinned(from)
  if (list.items.length === 0) return ''
  if (type === null && stream === null) return words.shown(list.items.length, size)
  return words.matching(list.items.length, list.isWhole)
}

/** Above the lines where the feed does not begin with the newest. */
function Upwards({ list, filter }: { list: Backwards<Line>; filter: Filter }) {
  const place = useLocation()
  if (filter.from === null) return null
  return (
    <div class="log-more">
      <Link href={withParams(place, { from: null })}>{words.newest}</Link>
      {list.above > 0 && (
        <button type="button" disabled={list.isBusy} onClick={list.newer}>
          {words.newer}
        </button>
      )}
    </div>
  )
}

function Downwards({ list }: { list: Backwards<Line> }) {
  if (list.failure?.kind === 'away' && list.items.length > 0) return <p class="log-end">{words.away}</p>
  if (list.failure) return <FailureNote failure={list.failure} retry={list.older} />
  if (list.isBusy) return <p class="log-end">{words.readingBack(list.down + 1)}</p>
  if (list.isWhole) return <p class="log-end">{list.items.length === 0 ? words.none : words.beginning}</p>
  return (
    <div class="log-more">
      <button type="button" onClick={list.older}>
        {words.older}
      </button>
    </div>
  )
}

export function Feed({ register }: { register: RegisterAnswer }) {
  const filter = filterOf(useLocation().params)
  const list = useEvents(register, filter)
  return (
    <Panel title={words.feed} class="log-feed" actions={list && <span>{countText(list, filter, register.size)}</span>}>
      <Controls filter={filter} last={register.size - 1} />
      <p class="hidden" role="status">
        {list && list.arrived > 0 ? words.arrived(list.arrived) : ''}
      </p>
      {!list && <Loading />}
      {list && (
        <>
          <Upwards list={list} filter={filter} />
          {list.items.length > 0 && <Rows register={register} list={list} />}
          <Downwards list={list} />
        </>
      )}
    </Panel>
  )
}

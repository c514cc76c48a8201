// The list of commitments: filtered, sorted, drawn only where it is looked at, so that a hundred thousand rows scroll as ten do.

import './commitments.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { RegisterAnswer, SummaryAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { useClocks } from '../clocks.ts'
import { formatDate, formatSigned } from '../format.ts'
import { address, go, useLocation, withParams } from '../location.ts'
import { FailureNote, Loading, Losses, Title } from '../parts/frame.tsx'
import { Link, useHref } from '../parts/link.tsx'
import { Badge, Lifecycle, Schedule, Verification } from '../parts/status.tsx'
import { commitmentPath } from '../route.ts'
import { shell, commitments as words } from '../strings.ts'
import { Downloads } from './commitments/downloads.tsx'
import { FILTERS, Filters, type Names, useNames } from './commitments/filters.tsx'
import { type Question, type Row, type Rows, useRows } from './commitments/rows.ts'

const DEFAULT_SORT = '-slippageDays.current'
const WIDE = { query: '(width >= 56rem)', rowPx: 62 }
const NARROW_ROW_PX = 160
const OVERSCAN = 12
/** How many rows before the last that is there the next ones are asked for. */
const AHEAD = 200

const COLUMNS = [
  { key: 'title', word: words.columns.title },
  { key: 'schedule.current', word: words.columns.status },
  { key: 'currentDue', word: words.columns.due },
  { key: 'actualFinish', word: words.columns.finish },
  { key: 'slippageDays.original', word: words.columns.slippageOriginal, isNumber: true },
  { key: 'slippageDays.current', word: words.columns.slippageCurrent, isNumber: true },
] as const

/** Filters of which the empty value asks for those that have none. */
const OF_NONE = new Set(['programme', 'theme', 'party'])

function questionOf(params: URLSearchParams): Question {
  const names = [...FILTERS, 'q', 'figure', 'denominator', 'asOf', 'knownAt']
  const given = (name: string) => params.getAll(name).filter((value) => value !== '' || OF_NONE.has(name))
  const asked = names.map((name) => [name, given(name)] as const).filter(([, values]) => values.length > 0)
  return { ...Object.fromEntries(asked), sort: params.get('sort') || DEFAULT_SORT }
}

type Counted = { count: number; of?: number }

/** How many the list holds, where a figure says it; null where only reading it to its end does. */
function totalOf(params: URLSearchParams, summary: SummaryAnswer | undefined): number | null {
  const isNarrowed = ['q', ...FILTERS].some((name) => name !== 'programme' && params.has(name))
  if (!summary || isNarrowed) return null
  const figure = params.get('figure')
  const { inScope, excluded, slippageDays, ...figures } = summary
  if (figure === null) return inScope + excluded.withdrawn + excluded.superseded
  const isDenominator = params.get('denominator') === 'true'
  if (figure === 'inScope' || figure === 'coverage') return inScope
  if (figure.startsWith('slippageDays.')) return slippageDays[figure.endsWith('original') ? 'original' : 'current'].of
  // Safe: every other figure of that name is a share.
  const share = (figures as unknown as Record<string, Counted>)[figure]
  return (isDenominator ? share?.of : share?.count) ?? null
}

function useIsWide(): boolean {
  const [list] = useState(() => matchMedia(WIDE.query))
  const [isWide, setWide] = useState(list.matches)
  useEffect(() => {
    const changed = () => setWide(list.matches)
    list.addEventListener('change', changed)
    return () => list.removeEventListener('change', changed)
  }, [list])
  return isWide
}

/** Which rows the reader sees, as the window scrolls. */
function useWindow(rowPx: number): { box: { current: HTMLDivElement | null }; first: number; last: number } {
  const box = useRef<HTMLDivElement>(null)
  const [seen, setSeen] = useState({ first: 0, last: 30 })
  useEffect(() => {
    let frame = 0
    const look = () => {
      frame = 0
      const top = box.current?.getBoundingClientRect().top ?? 0
      const first = Math.max(0, Math.floor(-top / rowPx))
      const last = Math.max(0, Math.ceil((innerHeight - top) / rowPx))
      setSeen((before) => (before.first === first && before.last === last ? before : { first, last }))
    }
    const soon = () => {
      frame ||= requestAnimationFrame(look)
    }
    look()
    addEventListener('scroll', soon, { passive: true })
    addEventListener('resize', soon)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', soon)
      removeEventListener('resize', soon)
    }
  }, [rowPx])
  return { box, ...seen }
}

function Slippage({ days, label }: { days: number | null; label: string }) {
  return (
    <div role="cell" class="number" data-label={label}>
      {days === null ? shell.none : formatSigned(days)}
    </div>
  )
}

function date(value: string | null): string {
  return value === null ? shell.none : formatDate({ value })
}

function Line({
  row,
  index,
  names,
  register,
  top,
}: {
  row: Row
  index: number
  names: Names
  register: string
  top: number
}) {
  const href = useHref()
  const programme = names.programme.find(({ value }) => value === row.programme)?.word ?? row.programme
  const parties = row.parties.map((id) => names.party.find(({ value }) => value === id)?.word ?? id)
  const about = [row.id, programme, parties.join(', ')].filter(Boolean).join(' · ')
  return (
    <div class="row" role="row" aria-rowindex={index + 2} style={{ transform: `translateY(${top}px)` }}>
      <div role="cell" class="what">
        <Link href={href(commitmentPath(register, row.id))} title={row.title}>
          {row.title}
        </Link>
        <span class="about" title={about}>
          {about}
        </span>
      </div>
      <div role="cell" class="status">
        <span>
          <Lifecycle of={row.lifecycle} /> {row.verification !== 'none' && <Verification of={row.verification} />}
        </span>
        <span>
          <Schedule of={row.schedule.current} isUncertain={row.schedule.uncertain} />{' '}
          {row.conflicts > 0 && <Badge tone="doubt">{words.conflicts(row.conflicts)}</Badge>}{' '}
          {row.isRedacted && <Badge tone="gone">{words.redacted}</Badge>}
        </span>
      </div>
      <div role="cell" data-label={words.columns.due} title={row.due ?? undefined}>
        {date(row.due)}
      </div>
      <div role="cell" data-label={words.columns.finish} title={row.finish ?? row.forecast ?? undefined}>
        {row.finish === null && row.forecast !== null ? words.expected(date(row.forecast)) : date(row.finish)}
      </div>
      <Slippage days={row.slippageDays.original} label={words.columns.shortOriginal} />
      <Slippage days={row.slippageDays.current} label={words.columns.shortCurrent} />
    </div>
  )
}

function Head({ sort }: { sort: string }) {
  const place = useLocation()
  return (
    <div class="row head" role="row" aria-rowindex={1}>
      {COLUMNS.map((column) => {
        const isUp = sort === column.key
        const isDown = sort === `-${column.key}`
        const next = isDown
          ? column.key
          : isUp
            ? `-${column.key}`
            : 'isNumber' in column
              ? `-${column.key}`
              : column.key
        return (
          <div
            key={column.key}
            role="columnheader"
            class={'isNumber' in column ? 'number' : undefined}
            aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}
          >
            <button type="button" class="sort" onClick={() => go(withParams(place, { sort: next }))}>
              {column.word} <span aria-hidden="true">{isUp ? '↑' : isDown ? '↓' : ''}</span>
            </button>
          </div>
        )
      })}
    </div>
  )
}

function SortChoice({ sort }: { sort: string }) {
  const place = useLocation()
  return (
    <label class="choice">
      {words.sort}
      <select
        value={words.sorts.some(([key]) => key === sort) ? sort : ''}
        onChange={({ currentTarget }) => go(withParams(place, { sort: currentTarget.value }))}
      >
        {!words.sorts.some(([key]) => key === sort) && <option value="">{sort}</option>}
        {words.sorts.map(([key, word]) => (
          <option key={key} value={key}>
            {word}
          </option>
        ))}
      </select>
    </label>
  )
}

type TableProps = { list: Rows; total: number | null; sort: string; names: Names; register: string }

function Table({ list, total, sort, names, register }: TableProps) {
  const { rows, isWhole, want } = list
  const isWide = useIsWide()
  const rowPx = isWide ? WIDE.rowPx : NARROW_ROW_PX
  const { box, first, last } = useWindow(rowPx)
  const count = isWhole ? rows.length : Math.max(total ?? 0, rows.length)
  useEffect(() => want(Math.min(last + AHEAD, count)), [last, rows.length, isWhole])
  const from = Math.max(0, first - OVERSCAN)
  const shown = rows.slice(from, last + OVERSCAN)
  const isBeyond = !isWhole && last > rows.length
  return (
    <div
      class="rows"
      role="table"
      aria-label={shell.views.commitments}
      aria-rowcount={isWhole || total !== null ? count + 1 : -1}
    >
      <div role="rowgroup" class="rows-head">
        <Head sort={sort} />
      </div>
      <div role="rowgroup" class="rows-body" ref={box} style={{ height: `${count * rowPx}px` }}>
        {shown.map((row, at) => (
          <Line key={row.id} row={row} index={from + at} names={names} register={register} top={(from + at) * rowPx} />
        ))}
      </div>
      {count > shown.length && <p class="on-paper">{words.onPaper(shown.length, count)}</p>}
      {isBeyond && (
        <p class="reading" role="status">
          {words.reading(rows.length, total)}
        </p>
      )}
      {list.failure && <FailureNote failure={list.failure} />}
    </div>
  )
}

function countText({ rows, isWhole }: Rows, total: number | null): string {
  if (isWhole) return words.count(rows.length)
  return total === null ? words.moreThan(rows.length) : words.count(total)
}

export function Commitments({ register }: { register: RegisterAnswer }) {
  const { params } = useLocation()
  const { asOf, knownAt } = useClocks()
  const question = questionOf(params)
  const base = `/v1/registers/${register.id}/commitments`
  const { rows: list, failure, isBefore } = useRows(base, question)
  const names = useNames(register)
  const programme = params.getAll('programme')
  const summary = useResource<SummaryAnswer>(
    address(`/v1/registers/${register.id}/summary`, { asOf, knownAt, programme }),
  ).data
  const total = totalOf(params, summary)
  const sort = params.get('sort') || DEFAULT_SORT
  const name = list ? `${register.id}-${list.asOf}-size-${list.knownAt.size}` : register.id
  // A file is of what is shown, also where the register has grown since.
  const pinned = list ? { ...question, asOf: list.asOf, knownAt: String(list.knownAt.size) } : question
  return (
    <>
      <Title>{shell.views.commitments}</Title>
      <Filters names={names} />
      <div class="list-head">
        <strong role="status">{list && !isBefore ? countText(list, total) : shell.loading}</strong>
        <SortChoice sort={sort} />
        <Downloads base={base} question={pinned} name={name} />
      </div>
      {list?.hasNews && (
        <p class="news" role="status">
          {words.news(Math.max(0, register.size - list.knownAt.size))}{' '}
          <button type="button" onClick={list.renew}>
            {words.showNews}
          </button>
        </p>
      )}
      <Losses count={list?.redactedCount} />
      {failure?.kind === 'problem' && <FailureNote failure={failure} />}
      {!list && !failure && <Loading />}
      {!list && failure?.kind === 'away' && <FailureNote failure={failure} />}
      {list && failure?.kind !== 'problem' && (
        <div class={isBefore ? 'before' : undefined} aria-busy={isBefore}>
          {list.rows.length === 0 ? (
            <p class="empty">{words.empty}</p>
          ) : (
            <Table list={list} total={total} sort={sort} names={names} register={register.id} />
          )}
        </div>
      )}
    </>
  )
}

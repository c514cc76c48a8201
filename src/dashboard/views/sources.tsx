// The documents that facts are cited from: who published them, when, and what copy of them is kept.

import './sources.css'
import type { ListAnswer, RegisterAnswer, SourceAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { useClocks } from '../clocks.ts'
import { address, go, useLocation, withParams } from '../location.ts'
import { Citations, useSources, WebLink } from '../parts/citations.tsx'
import { Imprecise, Instant } from '../parts/dates.tsx'
import { Losses, Shown, Title } from '../parts/frame.tsx'
import { Link, useHref } from '../parts/link.tsx'
import { useSlice } from '../parts/pages.tsx'
import { Badge } from '../parts/status.tsx'
import { eventPath, pathOf } from '../route.ts'
import { citations as citationWords, shell, sources as words } from '../strings.ts'
import { DEFAULT_SORT, holds, sorted, termsOf } from './sources/order.ts'

function Search({ q }: { q: string }) {
  const place = useLocation()
  return (
    <div class="search">
      <label class="hidden" for="source-q">
        {words.search}
      </label>
      <input
        id="source-q"
        type="search"
        placeholder={words.search}
        value={q}
        onInput={({ currentTarget }) => go(withParams(place, { q: currentTarget.value }), { replace: true })}
      />
    </div>
  )
}

function Column({ by, sort, word }: { by: string; sort: string; word: string }) {
  const place = useLocation()
  const isUp = sort === by
  const isDown = sort === `-${by}`
  // Days are looked for newest first, names from their beginning.
  const first = by === 'publishedOn' ? `-${by}` : by
  const next = isUp ? `-${by}` : isDown ? by : first
  return (
    <th scope="col" aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}>
      <button type="button" class="sort" onClick={() => go(withParams(place, { sort: next }))}>
        {word} <span aria-hidden="true">{isUp ? '↑' : isDown ? '↓' : ''}</span>
      </button>
    </th>
  )
}

function hasCopy({ archivedUrl, retrievedAt, contentHash }: SourceAnswer): boolean {
  return archivedUrl !== null || retrievedAt !== null || contentHash !== null
}

/** What is kept of a document, should its address no longer lead to it. */
function Kept({ of }: { of: SourceAnswer }) {
  const { archivedUrl, retrievedAt, contentHash } = of
  if (!hasCopy(of)) return <span>{shell.none}</span>
  return (
    <ul class="kept">
      {archivedUrl && (
        <li>
          <WebLink url={archivedUrl}>{citationWords.archived}</WebLink>
        </li>
      )}
      {retrievedAt && (
        <li>
          {words.retrieved} <Instant at={retrievedAt} />
        </li>
      )}
      {contentHash && (
        <li>
          <details>
            <summary>{words.hash}</summary>
            <code>{contentHash}</code>
          </details>
        </li>
      )}
    </ul>
  )
}

function Name({ of, register, all }: { of: SourceAnswer; register: string; all: ReadonlyMap<string, SourceAnswer> }) {
  const href = useHref()
  const title = of.title ?? citationWords.undefinedSource
  return (
    <>
      <div class="source-title">{of.url ? <WebLink url={of.url}>{title}</WebLink> : title}</div>
      <div class="id">
        {of.id}
        {of.event !== null && (
          <>
            {' · '}
            <Link href={href(eventPath(register, of.event))}>{words.event(of.event)}</Link>
          </>
        )}
        {of.url && ` · ${hostOf(of.url)}`}
      </div>
      {of.conflicts.length > 0 && (
        <Link href={href(pathOf(register, 'conflicts'), { kind: of.conflicts.map(({ kind }) => kind) })}>
          <Badge tone="doubt">{words.conflicts(of.conflicts.length)}</Badge>
        </Link>
      )}
      {of.citations.length > 0 && (
        <details class="source-from">
          <summary>{words.citedFrom}</summary>
          <Citations register={register} of={of.citations} sources={all} hasEvent={false} />
        </details>
      )}
    </>
  )
}

/** Where a link leads, said before it is followed. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url
}

type TableProps = { items: readonly SourceAnswer[]; sort: string; register: string }

function Table({ items, sort, register }: TableProps) {
  const all = useSources(register)
  return (
    <table class="sources">
      <thead>
        <tr>
          <Column by="title" sort={sort} word={words.columns.title} />
          <Column by="publisher" sort={sort} word={words.columns.publisher} />
          <Column by="publishedOn" sort={sort} word={words.columns.published} />
          <th scope="col" class="kept-head">
            {words.columns.kept}
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((source) => (
          <tr key={source.id}>
            <th scope="row">
              <Name of={source} register={register} all={all} />
            </th>
            <td class={source.publisher || source.author ? undefined : 'is-empty'}>
              {source.publisher ?? shell.none}
              {source.author && <div class="id">{words.by(source.author)}</div>}
            </td>
            <td class={source.publishedOn ? undefined : 'is-empty'}>
              <Imprecise date={source.publishedOn} />
            </td>
            <td class={hasCopy(source) ? undefined : 'is-empty'}>
              <Kept of={source} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function List({ all, register }: { all: readonly SourceAnswer[]; register: string }) {
  const { params } = useLocation()
  const q = params.get('q') ?? ''
  const sort = params.get('sort') || DEFAULT_SORT
  const terms = termsOf(q)
  const found = sorted(
    all.filter((source) => holds(source, terms)),
    sort,
    navigator.language,
  )
  const { shown, button } = useSlice(found, `${q} ${sort}`)
  return (
    <>
      <div class="list-head">
        <Search q={q} />
        <strong role="status">
          {terms.length === 0 ? words.count(all.length) : words.found(found.length, all.length)}
        </strong>
      </div>
      {found.length === 0 ? (
        <p class="empty">{all.length === 0 ? words.none : words.nothing}</p>
      ) : (
        <div class="panel">
          <Table items={shown} sort={sort} register={register} />
        </div>
      )}
      {button}
    </>
  )
}

export function Sources({ register }: { register: RegisterAnswer }) {
  const { asOf, knownAt } = useClocks()
  const resource = useResource<ListAnswer<SourceAnswer>>(
    address(`/v1/registers/${register.id}/sources`, { asOf, knownAt }),
  )
  return (
    <>
      <Title lead={words.lead}>{shell.views.sources}</Title>
      <Shown of={resource}>
        {({ items, redactedCount }) => (
          <>
            <Losses count={redactedCount} />
            <List all={items} register={register.id} />
          </>
        )}
      </Shown>
    </>
  )
}

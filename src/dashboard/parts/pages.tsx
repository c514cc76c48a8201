// Lists read page by page: the first is kept up to date, further ones belong to it, so that nothing moves under the reader.

import './pages.css'
import { useState } from 'preact/hooks'
import { askOnce, type Failure, isFailure, type Resource, useResource } from '../api.ts'
import { address } from '../location.ts'
import { shell, pages as words } from '../strings.ts'
import { FailureNote } from './frame.tsx'

const FURTHER = 200

type Page = { items: unknown[]; next: string | null }
type ItemOf<A extends Page> = A['items'][number]

/** What was read beyond a first page. */
type Further<A extends Page> = {
  url: string
  first: A
  items: ItemOf<A>[]
  next: string | null
  isBusy: boolean
  failure: Failure | null
}

export type Pages<A extends Page> = {
  /** The first page, with what stands around the items. */
  first: Resource<A>
  items: ItemOf<A>[]
  isWhole: boolean
  isBusy: boolean
  failure: Failure | null
  /** The list has changed since its further pages were read. */
  hasNews: boolean
  more: () => void
  renew: () => void
}

async function nextPage<A extends Page>(base: string, before: Further<A>): Promise<Further<A>> {
  try {
    const page = await askOnce<A>(address(base, { cursor: before.next, limit: FURTHER }))
    const items = [...before.items, ...page.items]
    return { ...before, items, next: page.next, isBusy: false, failure: null }
  } catch (error) {
    return { ...before, isBusy: false, failure: isFailure(error) ? error : { kind: 'away' } }
  }
}

/** A list of the service; null asks nothing. */
export function usePages<A extends Page>(
  base: string,
  question: Record<string, string | readonly string[] | null> | null,
): Pages<A> {
  const url = question && address(base, question)
  const resource = useResource<A>(url)
  const [kept, setKept] = useState<Further<A> | null>(null)
  const further = kept?.url === url ? kept : null
  const data = further?.first ?? resource.data
  const next = further ? further.next : (data?.next ?? null)
  const more = () => {
    if (url === null || data === undefined || next === null || further?.isBusy) return
    const begun = { url, first: data, items: further?.items ?? [], next, isBusy: true, failure: null }
    setKept(begun)
    // An answer to a question that the reader has left is dropped.
    void nextPage(base, begun).then((read) => setKept((now) => (now === begun ? read : now)))
  }
  return {
    first: { ...resource, data },
    items: [...(data?.items ?? []), ...(further?.items ?? [])],
    isWhole: next === null,
    isBusy: further?.isBusy ?? false,
    failure: further?.failure ?? null,
    hasNews: further !== null && resource.data !== undefined && resource.data !== further.first,
    more,
    renew: () => setKept(null),
  }
}

/** Says how many are there, and reads on. */
export function More<A extends Page>({ of, count }: { of: Pages<A>; count: (shown: number) => string }) {
  const { items, isWhole, isBusy, failure, hasNews, more, renew } = of
  const isExpired = failure?.kind === 'problem' && failure.word === 'cursor-expired'
  return (
    <div class="pages-more">
      {/* That the service is away is said above every view. */}
      {failure?.kind === 'problem' && !isExpired && <FailureNote failure={failure} />}
      {(hasNews || isExpired) && (
        <p role="status">
          {words.news}{' '}
          <button type="button" onClick={renew}>
            {words.renew}
          </button>
        </p>
      )}
      {!isWhole && !isExpired && (
        <>
          <button type="button" disabled={isBusy} onClick={more}>
            {isBusy ? shell.loading : shell.more}
          </button>
          <span role="status">{count(items.length)}</span>
        </>
      )}
    </div>
  )
}

const SLICE = 100

/** The beginning of a list that is here as a whole, and what shows more of it. */
export function useSlice<T>(items: readonly T[], key: string, size = SLICE) {
  const [shown, setShown] = useState({ key, count: size })
  const count = shown.key === key ? shown.count : size
  const more = () => setShown({ key, count: count + size })
  const rest = Math.max(0, items.length - count)
  const button =
    rest === 0 ? null : (
      <div class="pages-more">
        <button type="button" onClick={more}>
          {shell.more}
        </button>
        <span role="status">{words.rest(rest)}</span>
      </div>
    )
  return { shown: items.slice(0, count), button }
}

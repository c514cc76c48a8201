// The documents that something is cited from: where it stands, who says so and when, and what the source says instead.

import type { CitationAnswer, EventAnswer, ListAnswer, SourceAnswer } from '../answers.ts'
import { useResource } from '../api.ts'
import { useClocks } from '../clocks.ts'
import { formatDate } from '../format.ts'
import { address } from '../location.ts'
import { eventPath } from '../route.ts'
import { citations as words } from '../strings.ts'
import { Imprecise } from './dates.tsx'
import { Link, useHref } from './link.tsx'

/** The sources of a register by id, as known at the second clock; also of documents later than the day asked about. */
export function useSources(register: string): ReadonlyMap<string, SourceAnswer> {
  const { knownAt } = useClocks()
  const { data } = useResource<ListAnswer<SourceAnswer>>(address(`/v1/registers/${register}/sources`, { knownAt }))
  return new Map(data?.items.map((source) => [source.id, source]))
}

/** Leads out of the page only where the address is one of the web. */
export function WebLink({ url, children }: { url: string; children: string }) {
  if (!/^https?:\/\//i.test(url)) return <span>{children}</span>
  return (
    <a href={url} rel="noreferrer external">
      {children}
    </a>
  )
}

/** The title of a source, leading to the document where one is known. */
function SourceName({ id, source }: { id: string; source: SourceAnswer | undefined }) {
  const title = source?.title ?? `${id} (${words.undefinedSource})`
  return (
    <>
      {source?.url ? <WebLink url={source.url}>{title}</WebLink> : <span>{title}</span>}
      {source?.archivedUrl && (
        <>
          {' '}
          (<WebLink url={source.archivedUrl}>{words.archived}</WebLink>)
        </>
      )}
      <span class="id">
        {source?.publisher && ` · ${source.publisher}`}
        {source?.publishedOn && (
          <>
            {' · '}
            <Imprecise date={source.publishedOn} />
          </>
        )}
        {` · ${id}`}
      </span>
    </>
  )
}

/** The citations of one event, as answers give them. */
export function citationsOf({ position, citations }: EventAnswer): CitationAnswer[] {
  return (citations ?? []).map(({ source, locator, quote, claimedBy, claimedOn, differs }) => ({
    event: position,
    source,
    locator: locator ?? null,
    quote: quote ?? null,
    claimedBy: claimedBy ?? null,
    claimedOn: claimedOn ? { value: claimedOn, earliest: null, latest: null } : null,
    differs: differs ?? null,
  }))
}

function claimText({ claimedBy, claimedOn }: CitationAnswer): string | null {
  const day = claimedOn && formatDate(claimedOn)
  if (claimedBy) return day ? words.claimedOn(claimedBy, day) : words.claimed(claimedBy)
  return day ? words.saidOn(day) : null
}

type Props = {
  register: string
  of: readonly CitationAnswer[]
  sources: ReadonlyMap<string, SourceAnswer>
  /** Without the event that cites, where that is said anyway. */
  hasEvent?: boolean
}

export function Citations({ register, of, sources, hasEvent = true }: Props) {
  const href = useHref()
  if (of.length === 0) return <p class="empty">{words.none}</p>
  return (
    <ul class="citations">
      {of.map((citation) => (
        <li class="citation" key={`${citation.event}-${citation.source}-${citation.locator}`}>
          <SourceName id={citation.source} source={sources.get(citation.source)} />
          {citation.locator && <span class="id">{`, ${citation.locator}`}</span>}
          {citation.quote && <blockquote>{citation.quote}</blockquote>}
          <div class="claim" title={citation.claimedOn?.value}>
            {claimText(citation)}
            {hasEvent && (
              <>
                {claimText(citation) && ' · '}
                <Link href={href(eventPath(register, citation.event))}>{words.event(citation.event)}</Link>
              </>
            )}
          </div>
          {Object.entries(citation.differs ?? {}).map(([field, value]) => (
            <div class="differs" key={field}>
              {words.differs(field, String(value))}
            </div>
          ))}
        </li>
      ))}
    </ul>
  )
}

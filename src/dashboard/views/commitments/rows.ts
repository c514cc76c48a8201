// The rows of a list, read page by page as they are wanted: one snapshot, which the cursor pins, so that nothing moves under the
// reader. Of each commitment only what a row shows is kept.

import { useEffect, useRef, useState } from 'preact/hooks'
import type { CommitmentAnswer, KnownAt, ListAnswer } from '../../answers.ts'
import { askOnce, type Failure, isFailure, useResource } from '../../api.ts'
import { address } from '../../location.ts'

export type Row = Pick<
  CommitmentAnswer,
  'id' | 'title' | 'programme' | 'parties' | 'lifecycle' | 'schedule' | 'verification' | 'slippageDays'
> & {
  due: string | null
  finish: string | null
  forecast: string | null
  conflicts: number
  isRedacted: boolean
}

type Page = ListAnswer<CommitmentAnswer>

/** What is asked for: the parameters of the list under the API's own names, in order. */
export type Question = Record<string, string | readonly string[] | null>

const FIRST = 100
// Read and kept in well under the time of a few frames.
const FURTHER = 1_000

function rowOf(one: CommitmentAnswer): Row {
  const { id, title, programme, parties, lifecycle, schedule, verification, slippageDays, dates } = one
  return {
    id,
    title,
    programme,
    parties,
    lifecycle,
    schedule,
    verification,
    slippageDays,
    due: dates.currentDue?.value ?? null,
    finish: dates.actualFinish?.value ?? null,
    forecast: dates.forecastFinish?.value ?? null,
    conflicts: one.conflicts.length,
    isRedacted: one.redacted.length > 0,
  }
}

type Snapshot = {
  url: string
  first: Page
  rows: Row[]
  next: string | null
  failure: Failure | null
  isLoading: boolean
  /** How many rows somebody wants to see. */
  wanted: number
}

export type Rows = {
  rows: readonly Row[]
  /** All rows are there. */
  isWhole: boolean
  isLoading: boolean
  asOf: string
  knownAt: KnownAt
  redactedCount: number
  failure: Failure | null
  /** The list has changed since it was read. */
  hasNews: boolean
  /** Reads on until a row is there. */
  want: (index: number) => void
  /** Begins anew with what is known now. */
  renew: () => void
}

function snapshotOf(url: string, first: Page): Snapshot {
  return { url, first, rows: first.items.map(rowOf), next: first.next, failure: null, isLoading: false, wanted: 0 }
}

/** Reads pages until as many rows are there as are wanted. */
async function readOn(snapshot: Snapshot, base: string, isCurrent: () => boolean, changed: () => void): Promise<void> {
  snapshot.isLoading = true
  try {
    while (snapshot.next !== null && snapshot.rows.length < snapshot.wanted && isCurrent()) {
      const page = await askOnce<Page>(address(base, { cursor: snapshot.next, limit: FURTHER }))
      for (const one of page.items) snapshot.rows.push(rowOf(one))
      snapshot.next = page.next
      snapshot.failure = null
      changed()
    }
  } catch (error) {
    snapshot.failure = isFailure(error) ? error : { kind: 'away' }
  }
  snapshot.isLoading = false
  changed()
}

/** The rows of a list, and what reads on; undefined until the first page is there. */
export function useRows(
  base: string,
  question: Question,
): { rows: Rows | undefined; failure: Failure | null; isBefore: boolean } {
  const url = address(base, { ...question, limit: FIRST })
  const resource = useResource<Page>(url)
  const kept = useRef<Snapshot | null>(null)
  const [, again] = useState(0)
  const { data } = resource
  if (data && !resource.isBefore) {
    const { current } = kept
    // What fits a page is kept up to date; further down the reader says when.
    const isOnePage = current?.url === url && current.rows.length <= FIRST
    if (current?.url !== url || (current.first !== data && isOnePage)) kept.current = snapshotOf(url, data)
  }
  const isMounted = useRef(true)
  useEffect(
    () => () => {
      isMounted.current = false
    },
    [],
  )
  const { current } = kept
  if (!current) return { rows: undefined, failure: resource.failure, isBefore: false }
  const want = (index: number) => {
    current.wanted = Math.max(current.wanted, index + 1)
    const isWanting = current.next !== null && current.rows.length < current.wanted
    const isExpired = current.failure?.kind === 'problem' && current.failure.word === 'cursor-expired'
    if (isExpired) renew()
    else if (isWanting && !current.isLoading)
      void readOn(
        current,
        base,
        () => isMounted.current && kept.current === current,
        () => again((count) => count + 1),
      )
  }
  const renew = () => {
    if (data) kept.current = snapshotOf(url, data)
    again((count) => count + 1)
  }
  const { rows, next, first, failure, isLoading } = current
  return {
    rows: {
      rows,
      isWhole: next === null,
      isLoading,
      asOf: first.asOf,
      knownAt: first.knownAt,
      redactedCount: first.redactedCount ?? 0,
      failure,
      hasNews: current.url === url && data !== undefined && data !== first && !resource.isBefore,
      want,
      renew,
    },
    failure: resource.failure,
    isBefore: current.url !== url,
  }
}

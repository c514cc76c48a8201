// The page's only source: the REST API. Each answer is kept with its ETag and polled while a view shows it. An
// unchanged poll costs the service next to nothing, and the page draws nothing anew. If the service is away, the last
// answer stays.

import { useEffect, useState } from 'preact/hooks'
import { keep, kept } from './storage.ts'

export type Failure =
  | { kind: 'away' }
  | {
      kind: 'problem'
      status: number
      word: string
      title: string
      detail: string | null
      /** What else the problem tells (RFC 9457, extension members). */
      members: Record<string, unknown>
    }

type Entry = {
  url: string
  data: unknown
  etag: string | null
  failure: Failure | null
  /** When the service last said that this is so. */
  checkedAt: number | null
  nextAt: number
  everyMs: number
  busy: Promise<void> | null
  /** Whose token asked; an answer to somebody else is dropped. */
  epoch: number
  watchers: Set<() => void>
}

export type Service = {
  /** Since when nothing answers; null while it does. Milliseconds of this machine's clock. */
  awaySince: number | null
  /** When it last answered anything. */
  answeredAt: number | null
  /** Where a token is missing, or no longer good. */
  wantsToken: boolean
}

const POLL_MS = 5_000
const HIDDEN_POLL_MS = 60_000
const TIMEOUT_MS = 30_000
const TICK_MS = 500
const KEPT = 300
const TOKEN = 'pledger-token'

const entries = new Map<string, Entry>()
let epoch = 0
let service: Service = { awaySince: null, answeredAt: null, wantsToken: false }
const serviceWatchers = new Set<() => void>()

function setService(next: Partial<Service>): void {
  const before = service
  service = { ...service, ...next }
  const isFirst = before.answeredAt === null && service.answeredAt !== null
  if (isFirst || before.awaySince !== service.awaySince || before.wantsToken !== service.wantsToken)
    for (const watcher of serviceWatchers) watcher()
}

export function token(): string | null {
  return kept('sessionStorage', TOKEN)
}

/** Has the reader asked for a token, where being known would show more. */
export function wantToken(): void {
  setService({ wantsToken: true })
}

/** Asks with this token from now on, for as long as the tab is open; null: with none. */
export function setToken(text: string | null): void {
  keep('sessionStorage', TOKEN, text)
  epoch += 1
  setService({ wantsToken: false })
  for (const entry of entries.values()) Object.assign(entry, { data: undefined, etag: null, failure: null, nextAt: 0 })
  for (const entry of entries.values()) for (const watcher of entry.watchers) watcher()
  tick()
}

function headers(extra: Record<string, string> = {}): Record<string, string> {
  const bearer = token()
  return { accept: 'application/json', ...extra, ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) }
}

async function problemOf(response: Response): Promise<Failure> {
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null
  const text = (value: unknown) => (typeof value === 'string' ? value : null)
  return {
    kind: 'problem',
    status: response.status,
    word: text(body?.type)?.replace('/problems/', '') ?? 'unknown',
    title: text(body?.title) ?? response.statusText,
    detail: text(body?.detail),
    members: body ?? {},
  }
}

/** Answers that say that the service, or what it stands on, is not there: what was known is kept. */
function isAway(status: number): boolean {
  return status === 502 || status === 503 || status === 504
}

/** Sends a request and follows what it says of the service. Throws Failure. */
export async function ask(
  url: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Response> {
  const began = epoch
  let response: Response
  try {
    const signal = init.signal ?? AbortSignal.timeout(TIMEOUT_MS)
    response = await fetch(url, { cache: 'no-store', ...init, signal, headers: headers(init.headers) })
  } catch (error) {
    if (init.signal?.aborted) throw error
    setService({ awaySince: service.awaySince ?? Date.now() })
    throw { kind: 'away' } satisfies Failure
  }
  const answered = { answeredAt: Date.now() }
  if (response.ok || response.status === 304) {
    setService({ ...answered, awaySince: null })
    return response
  }
  const failure = await problemOf(response)
  const isGone = isAway(response.status) && failure.kind === 'problem' && failure.word !== 'projection-behind'
  setService(isGone ? { awaySince: service.awaySince ?? Date.now() } : { ...answered, awaySince: null })
  if (response.status === 401 && began === epoch) setService({ wantsToken: true })
  throw isGone ? ({ kind: 'away' } satisfies Failure) : failure
}

/** One JSON answer, not kept. Throws Failure. */
export async function askOnce<T>(
  url: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
): Promise<T> {
  // Safe: the service answers what its description says.
  return (await (await ask(url, init)).json()) as T
}

export function isFailure(error: unknown): error is Failure {
  return typeof error === 'object' && error !== null && 'kind' in error
}

async function refresh(entry: Entry): Promise<void> {
  const began = epoch
  try {
    const response = await ask(entry.url, { headers: entry.etag ? { 'if-none-match': entry.etag } : {} })
    const data = response.status === 304 ? entry.data : await response.json()
    if (began !== epoch) return
    const isNew = response.status !== 304 || entry.failure !== null
    Object.assign(entry, { data, etag: response.headers.get('etag'), failure: null, checkedAt: Date.now() })
    if (isNew) for (const watcher of entry.watchers) watcher()
  } catch (error) {
    if (began !== epoch) return
    const failure: Failure = isFailure(error) ? error : { kind: 'away' }
    const isSame = JSON.stringify(failure) === JSON.stringify(entry.failure)
    entry.failure = failure
    // What is no longer there, or no longer for this reader, is not shown on as if it were.
    if (failure.kind === 'problem' && [401, 403, 404].includes(failure.status)) entry.data = undefined
    if (!isSame) for (const watcher of entry.watchers) watcher()
  }
}

function poll(entry: Entry): void {
  entry.nextAt = Date.now() + (document.hidden ? HIDDEN_POLL_MS : entry.everyMs)
  entry.busy ??= refresh(entry).finally(() => {
    entry.busy = null
  })
}

function tick(): void {
  const due = [...entries.values()].filter(({ watchers, nextAt }) => watchers.size > 0 && nextAt <= Date.now())
  // While nothing answers, one question is enough to see whether it is back.
  if (service.awaySince === null) for (const entry of due) poll(entry)
  else if (due[0] && ![...entries.values()].some(({ busy }) => busy)) poll(due[0])
}

setInterval(tick, TICK_MS)
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return
  for (const entry of entries.values()) entry.nextAt = 0
  tick()
})
serviceWatchers.add(() => {
  if (service.awaySince !== null) return
  for (const entry of entries.values()) if (entry.failure) entry.nextAt = 0
})

function forgetOldest(): void {
  for (const [url, { watchers }] of entries) {
    if (entries.size <= KEPT) return
    if (watchers.size === 0) entries.delete(url)
  }
}

function entryOf(url: string): Entry {
  const found = entries.get(url)
  // The newest last, so that the oldest are forgotten first.
  if (found) entries.delete(url)
  const entry = found ?? {
    url,
    data: undefined,
    etag: null,
    failure: null,
    checkedAt: null,
    nextAt: 0,
    everyMs: POLL_MS,
    busy: null,
    epoch,
    watchers: new Set<() => void>(),
  }
  entries.set(url, entry)
  forgetOldest()
  return entry
}

export type Resource<T> = {
  data: T | undefined
  failure: Failure | null
  /** What is shown is the answer to the question before, until this one's arrives. */
  isBefore: boolean
}

function pathOnly(url: string): string {
  return url.split('?')[0] as string
}

/** An answer of the API, kept up to date while it is shown; null asks nothing. What moves quickly may be asked more often. */
export function useResource<T>(url: string | null, everyMs = POLL_MS): Resource<T> {
  const [shown, setShown] = useState<{ url: string; data: unknown } | null>(null)
  const [, again] = useState(0)
  useEffect(() => {
    if (url === null) return
    const entry = entryOf(url)
    const watcher = () => {
      if (entry.data !== undefined) setShown({ url, data: entry.data })
      again((count) => count + 1)
    }
    entry.watchers.add(watcher)
    entry.everyMs = everyMs
    entry.nextAt = Math.min(entry.nextAt, Date.now() + everyMs)
    if (entry.nextAt <= Date.now()) poll(entry)
    watcher()
    return () => {
      entry.watchers.delete(watcher)
    }
  }, [url, everyMs])
  if (url === null) return { data: undefined, failure: null, isBefore: false }
  const entry = entries.get(url)
  // Safe: the caller names the answer of the address it asks.
  if (entry?.data !== undefined) return { data: entry.data as T, failure: entry.failure, isBefore: false }
  const failure = entry?.failure ?? null
  const isBefore = shown !== null && pathOnly(shown.url) === pathOnly(url) && failure?.kind !== 'problem'
  return { data: isBefore ? (shown.data as T) : undefined, failure, isBefore }
}

/** Asks again now for what is shown, as after something was done. */
export function refreshAll(): void {
  for (const entry of entries.values()) entry.nextAt = 0
  tick()
}

/** How the service is, and when what is shown was last confirmed. */
export function useService(): Service & { checkedAt: number | null } {
  const [, again] = useState(0)
  useEffect(() => {
    const watcher = () => again((count) => count + 1)
    serviceWatchers.add(watcher)
    const timer = setInterval(watcher, 1_000)
    return () => {
      serviceWatchers.delete(watcher)
      clearInterval(timer)
    }
  }, [])
  const watched = [...entries.values()].filter(({ watchers }) => watchers.size > 0)
  const times = watched.map(({ checkedAt }) => checkedAt).filter((at) => at !== null)
  return { ...service, checkedAt: times.length === 0 ? null : Math.min(...times) }
}

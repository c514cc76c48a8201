// Views that come after the first one: each is a file of its own, so that what is looked at first arrives first. All are fetched
// as soon as the browser has nothing else to do, since a service that is away later has no files to give.

import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Failure } from '../api.ts'
import { keep, kept } from '../storage.ts'
import { failures } from '../strings.ts'
import { FailureNote, Loading } from './frame.tsx'

const MISSING: Failure = {
  kind: 'problem',
  status: 0,
  word: 'unknown',
  title: failures.missing,
  detail: failures.missingDetail,
  members: {},
}

type Load<P> = () => Promise<ComponentType<P>>

const waiting: (() => void)[] = []

const SOON_MS = 2_000

/** Fetches every view that was not looked at yet, once the first one stands and the browser is idle. */
export function fetchTheRest(): void {
  const fetchAll = () => {
    for (const fetchOne of waiting.splice(0)) fetchOne()
  }
  // Not every browser says when it is idle.
  setTimeout(() => ('requestIdleCallback' in globalThis ? requestIdleCallback(fetchAll) : fetchAll()), SOON_MS)
}

const LOOK_MS = 5_000
const RELOADED = 'pledger-reloaded'

/**
 * A browser asks for a file of code once. If it could not get the file, loading the page again gets it. That loses
 * nothing, as everything is in the address. It is not tried again and again, in case the file no longer exists.
 */
function useReload(isMissing: boolean): void {
  useEffect(() => {
    if (!isMissing) return
    const timer = setInterval(async () => {
      const isThere = await fetch('/livez', { cache: 'no-store' }).then(
        ({ ok }) => ok,
        () => false,
      )
      if (!isThere || Date.now() - Number(kept('sessionStorage', RELOADED) ?? 0) < 60_000) return
      keep('sessionStorage', RELOADED, String(Date.now()))
      location.reload()
    }, LOOK_MS)
    return () => clearInterval(timer)
  }, [isMissing])
}

/** A view that is fetched when it is looked at first. */
export function later<P extends object>(load: Load<P>): (props: P) => preact.VNode {
  let view: ComponentType<P> | null = null
  const fetchOnce = () =>
    load().then((loaded) => {
      view = loaded
      return loaded
    })
  waiting.push(() => void fetchOnce().catch(() => {}))
  return function Later(props: P) {
    const [View, setView] = useState(() => view)
    const [isMissing, setMissing] = useState(false)
    useReload(isMissing)
    useEffect(() => {
      if (View) return
      fetchOnce().then(
        (loaded) => setView(() => loaded),
        () => setMissing(true),
      )
    }, [View])
    if (View) return <View {...props} />
    return isMissing ? <FailureNote failure={MISSING} retry={() => location.reload()} /> : <Loading />
  }
}

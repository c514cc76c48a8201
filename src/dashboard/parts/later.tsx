// Views that come after the first one: each is a file of its own, so that what is looked at first arrives first. All are fetched
// as soon as the browser has nothing else to do, since a service that is away later has no files to give.

import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { FailureNote, Loading } from './frame.tsx'

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

/** A view that is fetched when it is looked at first; it is asked for again where it could not be had. */
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
    const look = () => {
      setMissing(false)
      fetchOnce().then(
        (loaded) => setView(() => loaded),
        () => setMissing(true),
      )
    }
    useEffect(() => {
      if (!View) look()
    }, [View])
    if (View) return <View {...props} />
    return isMissing ? <FailureNote failure={{ kind: 'away' }} retry={look} /> : <Loading />
  }
}

// Where the reader is: the address is the whole state of a view, so that any view can be cited and reopened.

import { useEffect, useState } from 'preact/hooks'

export type Location = { path: string; params: URLSearchParams }

function read(): Location {
  return { path: location.pathname, params: new URLSearchParams(location.search) }
}

let current = read()
const listeners = new Set<() => void>()

const SETTLED_MS = 150
let settling: ReturnType<typeof setTimeout> | undefined

// Views are drawn after the browser would scroll back: where one was is kept with the step, and gone to when it is there again.
history.scrollRestoration = 'manual'
addEventListener('scroll', () => {
  clearTimeout(settling)
  settling = setTimeout(() => history.replaceState({ y: scrollY }, ''), SETTLED_MS)
})

function changed(): void {
  clearTimeout(settling)
  current = read()
  for (const listener of listeners) listener()
}

addEventListener('popstate', changed)

/** How far down the reader was when this step was left; 0 at the first time. */
export function placeOfStep(): number {
  // Safe: the state of a step is this page's own.
  return (history.state as { y: number } | null)?.y ?? 0
}

/** The address, now and whenever it changes. */
export function useLocation(): Location {
  const [, again] = useState(current)
  useEffect(() => {
    const listener = () => again(current)
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }, [])
  return current
}

/** Goes to an address of the page; `replace` leaves no step to come back to, as while a filter is typed. */
export function go(href: string, { replace = false } = {}): void {
  if (href === location.pathname + location.search) return
  if (replace) history.replaceState(history.state, '', href)
  else {
    history.replaceState({ y: scrollY }, '')
    history.pushState(null, '', href)
  }
  changed()
}

/** An address with these parameters; null and empty ones are left out, lists are repeated, what is empty in them too: “none”. */
export function address(
  path: string,
  params: Record<string, string | number | readonly string[] | null | undefined> = {},
): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  return search.size === 0 ? path : `${path}?${search}`
}

/** The address of the view that the reader is at, with some parameters set, or dropped where they are null. */
export function withParams(
  { path, params }: Location,
  changes: Record<string, string | number | readonly string[] | null>,
): string {
  const search = new URLSearchParams(params)
  for (const [name, value] of Object.entries(changes)) {
    search.delete(name)
    if (value === null || value === '') continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  return search.size === 0 ? path : `${path}?${search}`
}

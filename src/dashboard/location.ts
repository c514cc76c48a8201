// Where the reader is: the address is the whole state of a view, so that any view can be cited and reopened.

import { useEffect, useState } from 'preact/hooks'

export type Location = { path: string; params: URLSearchParams }

function read(): Location {
  return { path: location.pathname, params: new URLSearchParams(location.search) }
}

let current = read()
const listeners = new Set<() => void>()

function changed(): void {
  current = read()
  for (const listener of listeners) listener()
}

addEventListener('popstate', changed)

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
  history[replace ? 'replaceState' : 'pushState'](null, '', href)
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

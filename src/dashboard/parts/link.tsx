// Links within the page: ordinary links, which the page follows itself where the browser would only load it again.

import type { ComponentChildren } from 'preact'
import { clocksOf } from '../clocks.ts'
import { address, go, useLocation } from '../location.ts'

type Props = {
  href: string
  class?: string
  title?: string
  'aria-current'?: 'page' | undefined
  'aria-label'?: string
  children: ComponentChildren
}

function isForThePage(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey
}

export function Link({ href, children, ...rest }: Props) {
  const follow = (event: MouseEvent) => {
    if (!isForThePage(event)) return
    event.preventDefault()
    go(href)
  }
  return (
    <a href={href} onClick={follow} {...rest}>
      {children}
    </a>
  )
}

/** The address of another view at the clocks of this one. */
export function useHref(): (
  path: string,
  params?: Record<string, string | number | readonly string[] | null>,
) => string {
  const { params } = useLocation()
  return (path, more = {}) => address(path, { ...more, ...clocksOf(params) })
}

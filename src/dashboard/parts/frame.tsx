// What views are put together from: a title, panels, and what stands in their place while nothing is known.

import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { type Failure, type Resource, refreshAll } from '../api.ts'
import { failures, losses, shell } from '../strings.ts'

/** The heading of a view; it takes the focus when the view is come to, so that a screen reader says where one is. */
export function Title({
  children,
  lead,
  over,
}: {
  children: string
  lead?: ComponentChildren
  over?: ComponentChildren
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${children} · ${shell.product}`
  }, [children])
  return (
    <header class="title">
      {over && <div class="over">{over}</div>}
      <h1 ref={heading} tabIndex={-1}>
        {children}
      </h1>
      {lead && <p class="lead">{lead}</p>}
    </header>
  )
}

type PanelProps = {
  title: string
  note?: ComponentChildren
  actions?: ComponentChildren
  class?: string
  children: ComponentChildren
}

export function Panel({ title, note, actions, children, ...rest }: PanelProps) {
  return (
    <section class={`panel ${rest.class ?? ''}`}>
      <div class="panel-head">
        <h2>{title}</h2>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {note && <p class="note">{note}</p>}
      {children}
    </section>
  )
}

export function FailureNote({ failure, retry = refreshAll }: { failure: Failure; retry?: () => void }) {
  const isAway = failure.kind === 'away'
  return (
    <div class="failure" role="alert">
      <strong>{isAway ? failures.away : failure.title}</strong>
      <p>{isAway ? failures.awayDetail : failure.detail}</p>
      <button type="button" onClick={retry}>
        {failures.retry}
      </button>
    </div>
  )
}

export function Loading() {
  return (
    <p class="loading" role="status">
      {shell.loading}
    </p>
  )
}

type ShownProps<T> = {
  of: Resource<T>
  /** Heads the view where there is nothing that would. */
  title?: string
  children: (data: T) => ComponentChildren
}

/** What an answer holds once it is there; dimmed while it still answers the question before. */
export function Shown<T>({ of, title, children }: ShownProps<T>) {
  const { data, failure, isBefore } = of
  if (data === undefined && failure) {
    return (
      <>
        {title && <Title>{title}</Title>}
        <FailureNote failure={failure} />
      </>
    )
  }
  if (data === undefined) return <Loading />
  return (
    <div class={isBefore ? 'before' : undefined} aria-busy={isBefore}>
      {children(data)}
    </div>
  )
}

/** Says that an answer lost something through redaction. */
export function Losses({ count }: { count: number | undefined }) {
  return count ? <p class="losses">{losses.some(count)}</p> : null
}

// What an answer rests on: how far its sources have read the log, and what can make the same question give another answer.

import type { RegisterHead } from '../projections/core/register-head.ts'

/** What an answer is read from: the log itself, or projections of it. */
export type Source = 'log' | 'commitments' | 'periods' | readonly ('commitments' | 'periods')[]

/** How far the source of an answer has read the log. */
export function reachOf(head: RegisterHead, source: Source): number {
  if (source === 'log') return head.size
  if (typeof source === 'string') return head.projections.get(source)?.size ?? 0
  return Math.min(...source.map((projection) => reachOf(head, projection)))
}

/** Which event has stopped the source of an answer, in words; null where it goes on. */
export function stoppedBy(head: RegisterHead, source: Source): string | null {
  if (source === 'log') return null
  const names = typeof source === 'string' ? [source] : source
  const [stopped] = names.flatMap((name) => {
    const because = head.projections.get(name)?.stopped ?? null
    return because === null ? [] : [`${name} has stopped: ${because}`]
  })
  return stopped ?? null
}

/**
 * The builds of its rows that the source of an answer has, and their redaction count. At any size and day, another
 * build may hold other rows, and a redaction may have emptied some.
 */
export function buildsOf({ projections, redactions }: RegisterHead, source: Source): string {
  if (source === 'log') return String(redactions)
  const generations = [source].flat().map((projection) => projections.get(projection)?.generation ?? 0)
  return [...generations, redactions].join('.')
}

/** What the clocks of an answer were resolved by, and so what can make the same question give another answer. */
export type Basis = {
  head: RegisterHead
  source: Source
  /** Where the size comes from: the head, a size that the question names, or an instant that it names. */
  size: 'head' | 'named' | 'instant'
  /** The time zone whose calendar day is part of the question, because it names none; null where it plays no part. */
  dayIn: string | null
}

/** What of a head the answer depends on, as one text. */
export function dependence(head: RegisterHead, { source, size, dayIn }: Omit<Basis, 'head'>): string {
  const builds = buildsOf(head, source)
  // The time zone that decides the day may be corrected by any event of the register's own.
  const zone = dayIn === null ? '' : head.ownRevision
  const reached = size === 'named' ? '' : reachOf(head, source)
  return `${builds} ${zone} ${reached} ${size === 'instant' ? head.size : ''}`
}

// The list that a figure counts, as the address that the REST API answers it at: a part of every answer with figures.

import type { ListLink } from '../domain/portfolio/summary.ts'
import { formatDay } from '../kernel/plain-date.ts'
import type { Clocks } from './clocks.ts'

/** What a summary can be grouped by. */
export const DIMENSIONS = ['programme', 'theme', 'party'] as const
export type Dimension = (typeof DIMENSIONS)[number]

/** The parameters that narrow a list to a group; an empty value stands for those that have none. */
export type Narrowing = [Dimension, string][]

/** The list links of what is counted at the clocks, narrowed to a group. */
export function listLink({ register, asOf, size }: Clocks, narrowing: Narrowing): ListLink {
  // Names of figures and clocks need no escaping, and an answer has a link for each of its figures.
  const rest = narrowing.length === 0 ? '' : `&${new URLSearchParams(narrowing)}`
  const clocks = `&asOf=${formatDay(asOf)}&knownAt=${size}${rest}`
  return (figure) => `/v1/registers/${register}/commitments?figure=${figure}${clocks}`
}

/** The same, narrowed to some programmes; to none where none is named. */
export function listLinkOf(clocks: Clocks, programmes: readonly string[]): ListLink {
  return listLink(
    clocks,
    programmes.map((programme) => ['programme', programme]),
  )
}

// Shared by the samples: events as the lines of an import, with ids that are the same on every machine. So loading a
// sample twice records nothing twice. Samples know the shapes of events, and no log, database or clock.

import { hash } from 'node:crypto'
import type { z } from 'zod'
import type { COMMITMENT_EVENTS } from '../domain/commitment/events.ts'
import type { Citation } from '../domain/event.ts'
import type { REGISTER_EVENTS } from '../domain/register/events.ts'

type Types = typeof REGISTER_EVENTS & typeof COMMITMENT_EVENTS

export type FactType = keyof Types

/** What a fact of a type may say when it is posted: defaults may be left out. */
export type FactData<T extends FactType> = z.input<Types[T]['data']>

/** A fact as it is posted, without its id; `type` tells the members apart. */
export type SampleFact = {
  [T in FactType]: { stream: string; type: T; occurredOn: string; data: FactData<T>; citations: Citation[] }
}[FactType]

/** A fact with its id: what a line of an import holds. */
export type SampleEvent = SampleFact & { id: string }

/** A fact of one stream. */
export function sampleFact<T extends FactType>(
  stream: string,
  type: T,
  occurredOn: string,
  data: FactData<T>,
  citations: Citation[],
): SampleFact {
  // Safe: `data` is that of `type`; TypeScript does not see through the generic that they are of one member.
  return { stream, type, occurredOn, data, citations } as SampleFact
}

/** The fact with its id, which is made of `name`: equal names have equal ids. */
export function withId(name: string, fact: SampleFact): SampleEvent {
  return { id: uuidOf(name), ...fact }
}

/** A UUID of version 8 made of a name by SHA-256, laid out as in RFC 9562, appendix B.2. */
function uuidOf(name: string): string {
  const hex = hash('sha256', name, 'hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

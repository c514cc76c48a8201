// An event as the service answers it, foldable, to copy.

import type { EventAnswer } from '../answers.ts'
import { commitment as words } from '../strings.ts'
import { Verbatim } from './copy.tsx'

export function RawEvent({ event }: { event: EventAnswer }) {
  return (
    <details class="raw">
      <summary>{words.raw}</summary>
      <Verbatim text={JSON.stringify(event, null, 2)} what={words.raw} />
    </details>
  )
}

// What cannot all hold: said in the service's words, with every event that takes part and what each is cited from.

import './conflict.css'
import type { Conflict, SourceAnswer } from '../answers.ts'
import { eventPath } from '../route.ts'
import { CONFLICT_WORDS, conflicts as words } from '../strings.ts'
import { Citations } from './citations.tsx'
import { DatedText } from './dates.tsx'
import { Link, useHref } from './link.tsx'
import { Badge } from './status.tsx'

export function ConflictKind({ of }: { of: Conflict['kind'] }) {
  return <Badge tone="doubt">{CONFLICT_WORDS[of] ?? of}</Badge>
}

type Props = { register: string; of: Conflict; sources: ReadonlyMap<string, SourceAnswer> }

/** The sides of a conflict beside each other; none is before another but by its place in the log. */
export function ConflictSides({ register, of, sources }: Props) {
  const href = useHref()
  return (
    <>
      <p class="conflict-detail">
        <DatedText text={of.detail} />
      </p>
      <ul class="sides">
        {of.events.map((event) => (
          <li key={event}>
            <Link href={href(eventPath(register, event))}>{words.event(event)}</Link>
            <Citations
              register={register}
              of={of.citations.filter((citation) => citation.event === event)}
              sources={sources}
              hasEvent={false}
            />
          </li>
        ))}
      </ul>
    </>
  )
}

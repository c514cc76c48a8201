// The first conflicts of a register, in short.

import type { ListAnswer, ListedConflict } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { useClocks } from '../../clocks.ts'
import { address } from '../../location.ts'
import { Panel } from '../../parts/frame.tsx'
import { Link, useHref } from '../../parts/link.tsx'
import { Badge } from '../../parts/status.tsx'
import { commitmentPath, pathOf } from '../../route.ts'
import { CONFLICT_WORDS, overview as words } from '../../strings.ts'

const FEW = 4
/** So many are counted; of more it is said that they are more. */
const COUNTED = 100

function aboutPath(register: string, { about }: ListedConflict): string {
  return 'commitment' in about ? commitmentPath(register, about.commitment) : pathOf(register, 'conflicts')
}

export function FirstConflicts({ register }: { register: string }) {
  const { asOf, knownAt } = useClocks()
  const href = useHref()
  const url = address(`/v1/registers/${register}/conflicts`, { asOf, knownAt, limit: COUNTED })
  const { data } = useResource<ListAnswer<ListedConflict>>(url)
  if (!data) return null
  const { items, next } = data
  return (
    <Panel
      title={words.conflicts}
      note={words.conflictsNote}
      actions={
        items.length > 0 && (
          <Link href={href(pathOf(register, 'conflicts'))}>{words.allConflicts(items.length, next !== null)}</Link>
        )
      }
    >
      {items.length === 0 && <p class="empty">{words.noConflicts}</p>}
      <ul class="first-conflicts">
        {items.slice(0, FEW).map((one) => (
          <li key={`${one.kind} ${one.events.join()}`}>
            <Badge tone="doubt">{CONFLICT_WORDS[one.kind] ?? one.kind}</Badge>{' '}
            <Link href={href(aboutPath(register, one))}>{one.title ?? Object.values(one.about).join()}</Link>
            <div class="id">{one.detail}</div>
          </li>
        ))}
      </ul>
    </Panel>
  )
}

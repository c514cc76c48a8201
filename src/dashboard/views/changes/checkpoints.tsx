// The checkpoints, newest first, each leading to what it added to the one before.

import { useState } from 'preact/hooks'
import type { CheckpointAnswer, DifferenceAnswer, ListAnswer, RegisterAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { formatNumber } from '../../format.ts'
import { address, useLocation, withParams } from '../../location.ts'
import { Instant } from '../../parts/dates.tsx'
import { Panel } from '../../parts/frame.tsx'
import { Link } from '../../parts/link.tsx'
import { shell, changes as words } from '../../strings.ts'
import { useCheckpoints } from './sizes.ts'

const FIRST = 8
const FURTHER = 40

/** Up to which size checkpoints are looked for: the whole log once it is sealed, so that the newest is seen as it comes. */
function useSealed({ id, size }: RegisterAnswer): number {
  const newest = address(`/v1/registers/${id}/checkpoints`, { after: Math.max(0, size - 1), limit: 1 })
  const { data, isBefore } = useResource<ListAnswer<CheckpointAnswer>>(newest)
  return isBefore || !data?.items.length ? Math.max(0, size - 1) : size
}

export function Checkpoints({ register, of }: { register: RegisterAnswer; of: DifferenceAnswer }) {
  const place = useLocation()
  const [count, setCount] = useState(FIRST)
  const upTo = useSealed(register)
  // One more tells what the last one shown added.
  const found = useCheckpoints(register.id, upTo, count + 1)?.items
  if (found === undefined) return null
  const shown = found.slice(0, count)
  return (
    <Panel class="changes-checkpoints-panel" title={words.checkpoints} note={words.checkpointsNote}>
      {shown.length === 0 && <p class="empty">{words.noCheckpoint}</p>}
      <ol class="changes-checkpoints">
        {shown.map(({ size, signedAt }, index) => {
          const before = found[index + 1]?.size ?? 0
          const isShown = of.from.size === before && of.to.size === size
          const href = withParams(place, { from: before, to: size })
          return (
            <li key={size}>
              <Link href={href} aria-current={isShown ? 'page' : undefined}>
                {words.size(size)}
              </Link>
              <span class="id">+{formatNumber(size - before)}</span>
              <Instant at={signedAt} />
            </li>
          )
        })}
      </ol>
      {found.length > count && (
        <button type="button" onClick={() => setCount(count + FURTHER)}>
          {shell.more}
        </button>
      )}
    </Panel>
  )
}

// The checkpoints, newest first, each leading to what it added to the one before.

import { useState } from 'preact/hooks'
import type { DifferenceAnswer, RegisterAnswer } from '../../answers.ts'
import { formatNumber } from '../../format.ts'
import { useLocation, withParams } from '../../location.ts'
import { Instant } from '../../parts/dates.tsx'
import { Panel } from '../../parts/frame.tsx'
import { Link } from '../../parts/link.tsx'
import { shell, changes as words } from '../../strings.ts'
import { useCheckpoints } from './sizes.ts'

const FIRST = 8
const FURTHER = 40

export function Checkpoints({ register, of }: { register: RegisterAnswer; of: DifferenceAnswer }) {
  const place = useLocation()
  const [count, setCount] = useState(FIRST)
  // One more tells what the last one shown added.
  const found = useCheckpoints(register.id, register.size, count + 1)
  if (found === undefined) return null
  const shown = found.slice(0, count)
  return (
    <Panel title={words.checkpoints} note={words.checkpointsNote}>
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

// How far a register is sealed, in a word.

import './seal.css'
import type { ReadyAnswer } from '../../answers.ts'
import { Badge } from '../../parts/status.tsx'
import { seal as words } from '../../strings.ts'

export type Sealing = ReadyAnswer['sealing'][number]

/** A checkpoint follows within a second; what takes as long as this is worth a look. */
const LONG_SECONDS = 10

/** Whether somebody should look at how a register is sealed. */
export function isSealTrouble({ refused, behindSeconds }: Sealing): boolean {
  return refused !== null || behindSeconds > LONG_SECONDS
}

export function SealBadge({ sealing }: { sealing: Sealing }) {
  const { size, behindEvents, behindSeconds, refused } = sealing
  if (refused !== null)
    return (
      <Badge tone="bad" title={refused}>
        {words.refused}
      </Badge>
    )
  if (behindEvents > 0)
    return (
      <>
        {isSealTrouble(sealing) ? <Badge tone="warn">{words.late}</Badge> : <Badge tone="calm">{words.signing}</Badge>}
        <span class="behind">{words.behind(behindEvents, behindSeconds)}</span>
      </>
    )
  if (size === 0) return <Badge tone="warn">{words.none}</Badge>
  return <Badge tone="good">{words.whole}</Badge>
}

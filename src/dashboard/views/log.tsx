// The log of a register as it grows, and what binds it: checkpoints, keys, and how anybody checks them.

import './log.css'
import type { RegisterAnswer } from '../answers.ts'
import { Panel, Title } from '../parts/frame.tsx'
import { log, seal, shell } from '../strings.ts'
import { Checkpoints } from './log/checkpoints.tsx'
import { Feed } from './log/feed.tsx'
import { Keys } from './log/keys.tsx'
import { VerifyPanel } from './log/verify.tsx'

/** Where one column is all there is, the way past a hundred events. */
const BESIDE = [
  ['seal', seal.checkpoints],
  ['keys', seal.keys],
  ['verify', seal.verify],
] as const

export function Log({ register }: { register: RegisterAnswer }) {
  return (
    <>
      <Title lead={log.lead}>{shell.views.log}</Title>
      <nav class="log-beside" aria-label={seal.beside}>
        {BESIDE.map(([id, word]) => (
          <a key={id} href={`#${id}`}>
            {word}
          </a>
        ))}
      </nav>
      <div class="log-page">
        <Feed register={register} />
        <div class="stack">
          <div class="stack" id="seal">
            <Checkpoints register={register} />
          </div>
          <div id="keys">
            <Panel title={seal.keys} note={seal.keysNote}>
              <Keys register={register.id} />
            </Panel>
          </div>
          <div id="verify">
            <VerifyPanel register={register.id} />
          </div>
        </div>
      </div>
    </>
  )
}

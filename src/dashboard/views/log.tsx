// The log of a register as it grows, and what binds it: checkpoints, keys, and how anybody checks them.

import './log.css'
import type { RegisterAnswer } from '../answers.ts'
import { Panel, Title } from '../parts/frame.tsx'
import { log, seal, shell } from '../strings.ts'
import { Checkpoints } from './log/checkpoints.tsx'
import { Feed } from './log/feed.tsx'
import { Keys } from './log/keys.tsx'
import { VerifyPanel } from './log/verify.tsx'

export function Log({ register }: { register: RegisterAnswer }) {
  return (
    <>
      <Title lead={log.lead}>{shell.views.log}</Title>
      <div class="log-page">
        <Feed register={register} />
        <div class="stack">
          <Checkpoints register={register} />
          <Panel title={seal.keys} note={seal.keysNote}>
            <Keys register={register.id} />
          </Panel>
          <VerifyPanel register={register.id} />
        </div>
      </div>
    </>
  )
}

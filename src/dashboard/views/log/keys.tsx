// The keys that sign a register's checkpoints, or did.

import './seal.css'
import type { KeysAnswer } from '../../answers.ts'
import { useResource } from '../../api.ts'
import { Copy } from '../../parts/copy.tsx'
import { Shown } from '../../parts/frame.tsx'
import { Badge } from '../../parts/status.tsx'
import { seal as words } from '../../strings.ts'

type Key = KeysAnswer['keys'][number]

function KeyLine({ vkey, fromSize, toSize }: Key) {
  return (
    <li class="key">
      <div class="key-head">
        {toSize === null ? <Badge tone="good">{words.active}</Badge> : <Badge tone="gone">{words.retired}</Badge>}
        <Copy text={vkey} what={vkey.split('+').slice(0, 2).join('+')} />
      </div>
      <code class="exact">{vkey}</code>
      <span class="id">{words.keyFrom(fromSize, toSize)}</span>
    </li>
  )
}

/** The keys, those in use first. */
export function Keys({ register }: { register: string }) {
  const resource = useResource<KeysAnswer>(`/v1/registers/${register}/keys`)
  return (
    <Shown of={resource}>
      {({ keys }) =>
        keys.length === 0 ? (
          <p class="empty">{words.noKeys}</p>
        ) : (
          <ul class="keys">
            {keys.toReversed().map((key) => (
              <KeyLine key={key.vkey} {...key} />
            ))}
          </ul>
        )
      }
    </Shown>
  )
}

// How to check the log without trusting the service that shows it.

import { Verbatim } from '../../parts/copy.tsx'
import { Panel } from '../../parts/frame.tsx'
import { seal as words } from '../../strings.ts'

export function VerifyPanel({ register }: { register: string }) {
  const url = `${location.origin}/v1/registers/${register}`
  const key = `${register}.vkey`
  const ways = [
    [words.watch, `pledger verify watch ${url} \\\n  --key ${key} --state ./watch-${register} --interval 60`],
    [words.whole_log, `pledger verify log ${url} \\\n  --key ${key}`],
    [
      words.one,
      `curl -s ${url}/events/0 > event.json\ncurl -s ${url}/events/0/proof > proof.json\npledger verify event event.json --proof proof.json \\\n  --key ${key}`,
    ],
  ] as const
  return (
    <Panel title={words.verify} note={words.verifyNote}>
      <dl class="ways">
        {ways.map(([what, command]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              <Verbatim text={command} what={what} />
            </dd>
          </div>
        ))}
      </dl>
      <p class="note">{words.keyHint(key)}</p>
      <a href="/docs">{words.more}</a>
    </Panel>
  )
}

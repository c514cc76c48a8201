// An event as the service answers it, foldable, to copy.

import { useState } from 'preact/hooks'
import type { EventAnswer } from '../answers.ts'
import { commitment as words } from '../strings.ts'

export function CopyButton({ text }: { text: string }) {
  const [said, setSaid] = useState<string>(words.copy)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid(words.copied)
    } catch {
      setSaid(words.copyFailed)
    }
  }
  return (
    <button type="button" class="quiet" aria-live="polite" onClick={copy}>
      {said}
    </button>
  )
}

export function RawEvent({ event, isOpen = false }: { event: EventAnswer; isOpen?: boolean }) {
  const text = JSON.stringify(event, null, 2)
  return (
    <details class="raw" open={isOpen}>
      <summary>{words.raw}</summary>
      <CopyButton text={text} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section tabIndex={0} aria-label={words.raw}>
        <pre>{text}</pre>
      </section>
    </details>
  )
}

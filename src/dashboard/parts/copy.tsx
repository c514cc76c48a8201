// Text that is to be taken elsewhere exactly as it is.

import './copy.css'
import { useEffect, useState } from 'preact/hooks'
import { seal as words } from '../strings.ts'

const SAID_MS = 4_000

/** Copies a text; says so, and where the browser does not permit it. */
export function Copy({ text, what }: { text: string; what: string }) {
  const [said, setSaid] = useState('')
  useEffect(() => {
    if (said === '') return
    const timer = setTimeout(() => setSaid(''), SAID_MS)
    return () => clearTimeout(timer)
  }, [said])
  const copy = async () => {
    // Absent where the page does not come over TLS or from this machine.
    const isCopied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    )
    setSaid(isCopied ? words.copied : words.copyFailed)
  }
  return (
    <span class="copy">
      <button type="button" class="quiet" aria-label={words.copyOf(what)} onClick={() => void copy()}>
        {words.copy}
      </button>
      <span role="status">{said}</span>
    </span>
  )
}

/** A block of text as it is, to be read, scrolled and copied. */
export function Verbatim({ text, what }: { text: string; what: string }) {
  return (
    <div class="verbatim">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard. */}
      <section tabIndex={0} aria-label={what}>
        <pre>{text}</pre>
      </section>
      <Copy text={text} what={what} />
    </div>
  )
}

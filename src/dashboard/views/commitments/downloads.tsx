// The current list as a file, all of it, with its filters at its clocks.

import { useRef, useState } from 'preact/hooks'
import type { CommitmentAnswer, ListAnswer } from '../../answers.ts'
import { ask, askOnce } from '../../api.ts'
import { formatNumber } from '../../format.ts'
import { address } from '../../location.ts'
import { commitments as words } from '../../strings.ts'
import type { Question } from './rows.ts'

type Page = ListAnswer<CommitmentAnswer>
type Said = (text: string) => void

const PAGE = 500

function save(parts: BlobPart[], type: string, name: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has its own hold on it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

async function readCsv(url: string, signal: AbortSignal, say: Said): Promise<BlobPart[]> {
  const response = await ask(url, { headers: { accept: 'text/csv' }, signal })
  const parts: BlobPart[] = []
  let bytes = 0
  if (!response.body) return [await response.blob()]
  const reader = response.body.getReader()
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    if (!value) continue
    parts.push(value)
    bytes += value.byteLength
    say(words.loadedBytes(formatNumber(Math.round(bytes / 1_000))))
  }
  return parts
}

/** All pages of the list as one answer of the same shape. */
async function readJson(base: string, question: Question, signal: AbortSignal, say: Said): Promise<BlobPart[]> {
  const parts: BlobPart[] = ['{"items":[']
  let count = 0
  let page = await askOnce<Page>(address(base, { ...question, limit: PAGE }), { signal })
  const { items: _items, next: _next, ...frame } = page
  for (;;) {
    if (page.items.length > 0) parts.push(count === 0 ? '' : ',', JSON.stringify(page.items).slice(1, -1))
    count += page.items.length
    say(words.loadedRows(formatNumber(count)))
    if (page.next === null) break
    page = await askOnce<Page>(address(base, { cursor: page.next, limit: PAGE }), { signal })
  }
  parts.push(`],"next":null,${JSON.stringify(frame).slice(1)}`)
  return parts
}

type Props = { base: string; question: Question; name: string }

export function Downloads({ base, question, name }: Props) {
  const [said, setSaid] = useState('')
  const running = useRef<AbortController | null>(null)
  const [isRunning, setRunning] = useState(false)
  const download = async (kind: 'csv' | 'json') => {
    const controller = new AbortController()
    running.current = controller
    setRunning(true)
    try {
      const { signal } = controller
      const parts =
        kind === 'csv'
          ? await readCsv(address(base, question), signal, setSaid)
          : await readJson(base, question, signal, setSaid)
      save(parts, kind === 'csv' ? 'text/csv' : 'application/json', `${name}.${kind}`)
      setSaid(words.saved(`${name}.${kind}`))
    } catch {
      setSaid(controller.signal.aborted ? words.cancelled : words.notSaved)
    }
    setRunning(false)
  }
  return (
    <div class="downloads">
      {isRunning ? (
        <button type="button" onClick={() => running.current?.abort()}>
          {words.cancel}
        </button>
      ) : (
        <>
          <button type="button" onClick={() => void download('csv')}>
            {words.csv}
          </button>
          <button type="button" onClick={() => void download('json')}>
            {words.json}
          </button>
        </>
      )}
      <span role="status">{said}</span>
    </div>
  )
}

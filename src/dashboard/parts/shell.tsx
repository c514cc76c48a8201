// What stands around every view: where one is, how fresh what is shown is, who asks, and in what colours.

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { CallerAnswer, ReadyAnswer } from '../answers.ts'
import { setToken, token, useResource, useService } from '../api.ts'
import { formatTime } from '../format.ts'
import { keep, kept } from '../storage.ts'
import { access, freshness, shell } from '../strings.ts'
import { Link } from './link.tsx'

const FRESH_SECONDS = 15

function Freshness() {
  const { awaySince, checkedAt } = useService()
  if (awaySince !== null) return <span class="fresh is-away">{freshness.awayShort}</span>
  if (checkedAt === null) return <span class="fresh">{freshness.waiting}</span>
  const seconds = Math.round((Date.now() - checkedAt) / 1_000)
  const text = seconds <= FRESH_SECONDS ? freshness.now : freshness.ago(seconds)
  return (
    <span class={seconds <= FRESH_SECONDS ? 'fresh is-fresh' : 'fresh'} title={freshness.at(formatTime(checkedAt))}>
      {text}
    </span>
  )
}

function Away() {
  const { awaySince } = useService()
  return (
    <div class="away-slot" role="alert">
      {awaySince !== null && <p class="away">{freshness.away(formatTime(awaySince))}</p>}
    </div>
  )
}

type Theme = 'auto' | 'light' | 'dark'
const THEMES = ['auto', 'light', 'dark'] as const
const THEME = 'pledger-theme'

function storedTheme(): Theme {
  return THEMES.find((one) => one === kept('localStorage', THEME)) ?? 'auto'
}

/** Puts the chosen colours on before anything is drawn. */
export function applyTheme(theme: Theme = storedTheme()): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme
  // Canvases read their colours once.
  dispatchEvent(new Event('pledger-theme'))
}

// Canvases are drawn once: on paper they are to be in the colours of paper.
addEventListener('beforeprint', () => {
  document.documentElement.dataset.theme = 'light'
  dispatchEvent(new Event('pledger-theme'))
})
addEventListener('afterprint', () => applyTheme())

function ThemeChoice() {
  const [theme, setTheme] = useState(storedTheme)
  const choose = (next: Theme) => {
    keep('localStorage', THEME, next === 'auto' ? null : next)
    applyTheme(next)
    setTheme(next)
  }
  return (
    <label class="theme">
      <span class="hidden">{shell.theme.label}</span>
      <select value={theme} onChange={({ currentTarget }) => choose(currentTarget.value as Theme)}>
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {shell.theme[one]}
          </option>
        ))}
      </select>
    </label>
  )
}

/** Asks for a token where the service wants one, or the reader has one to give. */
function TokenForm({ isOpen, onUsed }: { isOpen: boolean; onUsed: () => void }) {
  const { wantsToken } = useService()
  const [text, setText] = useState('')
  if (!wantsToken && !isOpen) return null
  const use = (event: Event) => {
    event.preventDefault()
    if (text.trim() !== '') setToken(text.trim())
    setText('')
    onUsed()
  }
  return (
    <form class="token" onSubmit={use}>
      <p>
        <strong>{wantsToken && token() !== null ? access.wrong : access.enter}</strong> {access.explain}
      </p>
      <label for="token">{access.label}</label>
      <input
        id="token"
        type="password"
        autocomplete="off"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="submit">{access.use}</button>
    </form>
  )
}

/** Where the service asks who one is: a way to say it, and to leave. */
function Who({ onEnter }: { onEnter: () => void }) {
  const { wantsToken } = useService()
  const control = useResource<CallerAnswer>('/v1/access').data?.control
  if (wantsToken) return null
  if (token() !== null) {
    return (
      <button type="button" class="quiet" onClick={() => setToken(null)}>
        {access.forget}
      </button>
    )
  }
  if (control === undefined || control === 'none') return null
  return (
    <button type="button" class="quiet" onClick={onEnter}>
      {access.enter}
    </button>
  )
}

/** What the service says of its own safety: that everybody may do everything, that its database is not safe. */
function Safety() {
  const { data } = useResource<CallerAnswer>('/v1/access')
  const ready = useResource<ReadyAnswer>('/readyz')
  const unsafe = ready.data?.unsafeDatabase ?? []
  if (data?.control !== 'none' && unsafe.length === 0) return null
  return (
    <p class="safety">
      {data?.control === 'none' && <span>{shell.openControl}</span>}
      {unsafe.length > 0 && <span>{shell.unsafe(unsafe)}</span>}
    </p>
  )
}

export function Shell({ children }: { children: ComponentChildren }) {
  const [isEntering, setEntering] = useState(false)
  return (
    <>
      <a class="skip" href="#content">
        {shell.skip}
      </a>
      <header class="top">
        <Link href="/" class="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M9 25V7h8.2a5.9 5.9 0 0 1 0 11.8H13" />
            <circle cx="23.5" cy="24" r="2.6" />
          </svg>
          {shell.product}
        </Link>
        <nav aria-label={shell.product}>
          <Link href="/">{shell.registers}</Link>
          <Link href="/operations">{shell.operations}</Link>
          <a href="/docs">{shell.api}</a>
        </nav>
        <div class="top-end">
          <Freshness />
          <Who onEnter={() => setEntering(true)} />
          <ThemeChoice />
        </div>
      </header>
      <Away />
      <TokenForm isOpen={isEntering} onUsed={() => setEntering(false)} />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <footer class="bottom">
        <span>{shell.tagline}</span>
        <Safety />
      </footer>
    </>
  )
}

// A browser on the page: Debian's Chromium where it is installed, told to talk to nobody but the service.

import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'
import { PATIENCE_MS } from './patience.ts'
import type { Ending } from './process.ts'

const PLACES = [
  process.env.PLEDGER_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]
const FOUND = PLACES.find((place) => place !== undefined && existsSync(place))

/** Why tests in a browser are skipped; false where they are not. */
export const NO_CHROMIUM: string | false =
  FOUND === undefined && 'no Chromium (apt-get install chromium, or PLEDGER_CHROMIUM=/path/to/it)'

const QUIET = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--force-prefers-reduced-motion',
]

export const WIDE = { width: 1280, height: 900 }
export const PHONE = { width: 390, height: 844 }

/** Starts the browser; it ends with the test. */
export async function openBrowser(t: Ending): Promise<Browser> {
  // In containers there is often no other user than root, for whom Chromium has no sandbox.
  const args = process.getuid?.() === 0 ? [...QUIET, '--no-sandbox'] : QUIET
  const browser = await chromium.launch({ ...(FOUND && { executablePath: FOUND }), args })
  t.teardown(() => browser.close())
  return browser
}

export type Watched = {
  page: Page
  /** What went wrong on it so far: errors, refused contents, requests to other hosts. */
  complaints: string[]
}

/** A page in a context of its own, of which everything that should not happen is kept. */
export async function openPage(
  browser: Browser,
  baseURL: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ baseURL, viewport: WIDE, locale: 'en-GB', timezoneId: 'UTC', ...options })
  context.setDefaultTimeout(PATIENCE_MS)
  const complaints: string[] = []
  context.on('request', (request) => {
    const url = new URL(request.url())
    if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== new URL(baseURL).origin)
      complaints.push(`request to ${url.origin}`)
  })
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  const page = await context.newPage()
  // As text: it runs in the browser, whose names are not those of here.
  await page.addInitScript(`addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    console.error('policy: ' + violatedDirective + ' ' + blockedURI))`)
  if (process.env.MOVED_CLOCK_MS !== undefined) await page.addInitScript(movedBy(process.env.MOVED_CLOCK_MS))
  return { page, complaints }
}

/** The clock of a page where that of the run is moved (test/support/on-day.ts). */
const movedBy = (ms: string) => `{
  const Unmoved = Date
  const now = () => Unmoved.now() + ${Number(ms)}
  globalThis.Date = new Proxy(Unmoved, {
    construct: (target, given, made) => Reflect.construct(target, given.length === 0 ? [now()] : given, made),
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  })
}`

/** Runs what a subtest does on a page of its own, and closes it; nothing may have gone wrong on it but what is expected. */
export async function withPage(
  t: Test,
  open: () => Promise<Watched>,
  run: (page: Page) => Promise<void>,
  expected?: RegExp,
): Promise<void> {
  const { page, complaints } = await open()
  try {
    await run(page)
    t.strictSame(
      complaints.filter((text) => !expected?.test(text)),
      [],
      'nothing to complain of',
    )
  } finally {
    await page.context().close()
  }
}

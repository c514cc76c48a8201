// Row `page-longest-task`: for how long the page keeps the reader waiting at most while a list of 100,000 commitments is
// scrolled, jumped through, sorted, filtered and searched in a browser, beside the 100 ms that a hand notices.

import type { Page } from 'playwright-core'
import { syntheticEvents } from '../../src/samples/synthetic.ts'
import { NO_CHROMIUM, openBrowser, openPage } from '../support/browser.ts'
import { type Measured, measured, type Tell } from './measure.ts'
import { importAll, settle } from './service.ts'
import type { Stage } from './stage.ts'

export const PAGE = 'page-longest-task'

const LIMIT_MS = 100
const REGISTER = 'bench-page'
const COMMITMENTS = 100_000
const OPTIONS = { commitments: COMMITMENTS, delivered: 40_000, late: 4_500, seed: 1, asOf: '2026-02-26' }
/** What the list shows; the rest of each story would only take longer to load. */
const SHOWN = /^(?:RegisterOpened|PartyAdded|ProgrammeDefined|SourceAdded|CommitmentMade|DeliveryReported)$/
const LINES = 20_000
const READING_MS = 20_000

async function load(service: string, tell: Tell): Promise<void> {
  let lines: string[] = []
  const send = async () => {
    await importAll(service, REGISTER, { body: Buffer.from(`${lines.join('\n')}\n`), count: lines.length })
    lines = []
  }
  for (const event of syntheticEvents(OPTIONS)) {
    if (!SHOWN.test(event.type)) continue
    lines.push(JSON.stringify(event))
    if (lines.length === LINES) await send()
  }
  if (lines.length > 0) await send()
  await settle(service, REGISTER)
  tell(`${PAGE}: ${COMMITMENTS} commitments are there`)
}

// Run in the browser: tasks of 50 ms and more are told, with what they belong to left to the reader of the remark.
const WATCH = `globalThis.longTasks = []
new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
  .observe({ type: 'longtask', buffered: true })`

/** The longest task since it was asked last; 0 where none took 50 ms. */
function longest(page: Page): Promise<number> {
  return page.evaluate<number>('Math.max(0, ...longTasks.splice(0))')
}

async function counted(page: Page, text: RegExp): Promise<void> {
  await page.getByText(text).first().waitFor({ timeout: 120_000 })
  await page.waitForTimeout(500)
}

/** What a reader does, each with a name. */
const ACTIONS: [string, (page: Page) => Promise<void>][] = [
  ['opening', (page) => counted(page, /^100,000 commitments$/)],
  [
    'scrolling',
    async (page) => {
      for (let turn = 0; turn < 60; turn += 1) {
        await page.mouse.wheel(0, 900)
        await page.waitForTimeout(30)
      }
    },
  ],
  [
    // Every row before the last is read on the way, in pages: as far as it comes in this time.
    'reading towards the end',
    async (page) => {
      await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
      await page.getByText(/^Reading on/).waitFor()
      await page.waitForTimeout(READING_MS)
    },
  ],
  [
    'sorting',
    async (page) => {
      await page.evaluate('scrollTo(0, 0)')
      await page.getByLabel('Sort by').selectOption('title')
      await counted(page, /^100,000 commitments$/)
    },
  ],
  [
    'filtering',
    async (page) => {
      await page.getByText('Filters', { exact: true }).click()
      await page.getByRole('group', { name: 'Lifecycle' }).getByLabel('Delivered', { exact: true }).check()
      await counted(page, /commitments$/)
      await page.waitForTimeout(1_500)
    },
  ],
  [
    'searching',
    async (page) => {
      await page.getByPlaceholder('Search titles').pressSequentially('grid conn', { delay: 60 })
      await page.waitForTimeout(2_000)
    },
  ],
]

/** Nothing where there is no browser, which is said. */
export async function pageRow(ending: AsyncDisposableStack, { service }: Stage, tell: Tell): Promise<Measured[]> {
  if (NO_CHROMIUM) {
    tell(`${PAGE}: left out, ${NO_CHROMIUM}`)
    return []
  }
  await load(service, tell)
  const browser = await openBrowser({
    teardown: (end: () => unknown) => void ending.defer(async () => void (await end())),
  })
  const { page } = await openPage(browser, service)
  await page.addInitScript(WATCH)
  await page.goto(`/registers/${REGISTER}/commitments?asOf=${OPTIONS.asOf}`)
  let most = 0
  for (const [name, action] of ACTIONS) {
    await action(page)
    const took = await longest(page)
    const reading = await page.getByText(/^Reading on/).allInnerTexts()
    if (reading.length > 0) tell(`${PAGE}: ${reading.join()}`)
    tell(`${PAGE}: ${name}, ${took === 0 ? 'no task of 50 ms' : `the longest task ${Math.round(took)} ms`}`)
    most = Math.max(most, took)
  }
  return [measured(PAGE, 'ms', most, LIMIT_MS)]
}

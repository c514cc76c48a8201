// Every view of the page: on a small phone, in light and dark, and under axe.

import { readFile } from 'node:fs/promises'
import type { BrowserContextOptions } from 'playwright-core'
import t from 'tap'
import { NO_CHROMIUM, openBrowser, openPage, PHONE, WIDE } from '../support/browser.ts'
import { temporaryDirectory } from '../support/serving.ts'
import { AS_OF, isUnexpected, SYNTHETIC, settled, UNION, withSamples } from './samples.ts'

/** To this width WCAG 2.2 (1.4.10) wants text to flow. */
const SMALL = { width: 320, height: 640 }

/** Every view, at clocks at which there is something to see. */
const VIEWS = [
  '/',
  '/operations',
  `${SYNTHETIC}?${AS_OF}`,
  `${UNION}?${AS_OF}`,
  `${UNION}/commitments?${AS_OF}`,
  `${UNION}/commitments?${AS_OF}&lifecycle=delivered&q=no+such+words`,
  `${UNION}/commitments/oreshnik?${AS_OF}`,
  `${UNION}/commitments/communication-tariffs?${AS_OF}&knownAt=100`,
  `${UNION}/commitments/no-such`,
  `${UNION}/events/83`,
  `${UNION}/figures?${AS_OF}`,
  `${UNION}/conflicts?${AS_OF}`,
  `${UNION}/sources?${AS_OF}`,
  `${UNION}/changes?${AS_OF}&from=50`,
  `${UNION}/log`,
  `${UNION}/no/such`,
]

if (NO_CHROMIUM) t.plan(0, NO_CHROMIUM)
else {
  const dir = await temporaryDirectory(t)
  const service = await withSamples(t, { PLEDGER_DATA: `${dir}/data` })
  const browser = await openBrowser(t)
  const open = (options?: BrowserContextOptions) => () => openPage(browser, service.address, options)

  t.test('no view is wider than a small phone, nor than a page at 400 %, and nothing on it complains', async (t) => {
    for (const path of VIEWS) {
      const { page, complaints } = await open({ viewport: SMALL, isMobile: true, hasTouch: true })()
      await page.goto(path)
      await settled(page)
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
      t.ok(wide <= SMALL.width, `${path}: ${wide} px`)
      t.strictSame(complaints.filter(isUnexpected), [], path)
      await page.context().close()
    }
  })

  t.test('axe finds nothing serious on any view, in light and wide, in dark and narrow', async (t) => {
    const axe = await readFile(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
    const looks = [
      { colorScheme: 'light', viewport: WIDE },
      { colorScheme: 'dark', viewport: PHONE },
    ] as const
    for (const look of looks) {
      const { page } = await open(look)()
      for (const path of VIEWS) {
        await page.goto(path)
        await settled(page)
        await page.evaluate(axe)
        const found = await page.evaluate<
          string[]
        >(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
          violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)).join(' | ')))`)
        t.strictSame(found, [], `${path} ${look.colorScheme}`)
      }
      await page.context().close()
    }
  })
}

// The page as people use it: in a browser, on the two samples, served by the service itself.

import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { NO_CHROMIUM, openBrowser, openPage, withPage } from '../support/browser.ts'
import { testDatabaseUrl } from '../support/database.ts'
import { pledger } from '../support/process.ts'
import { serving, signingKeys, soon, stopped, temporaryDirectory } from '../support/serving.ts'
import { AS_OF, isUnexpected, SYNTHETIC, settled, UNION, withSamples } from './samples.ts'

async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return String(address.port)
}

/** A day is typed as its parts are in British English. */
async function setAsOf(page: Page, day: string): Promise<void> {
  await page.getByLabel('As of').fill(day)
  await page.waitForURL((url) => url.searchParams.get('asOf') === day)
  await settled(page)
}

if (NO_CHROMIUM) t.plan(0, NO_CHROMIUM)
else {
  const dir = await temporaryDirectory(t)
  const port = await freePort()
  let service = await withSamples(t, { PLEDGER_DATA: `${dir}/data`, PLEDGER_PORT: port })
  const browser = await openBrowser(t)
  const open = (options?: BrowserContextOptions) => () => openPage(browser, service.address, options)

  t.test('from the registers to a late commitment and its sources', (t) =>
    withPage(t, open(), async (page) => {
      await page.goto('/')
      t.equal(await page.getByRole('heading', { level: 1 }).textContent(), 'Registers')
      await page.getByRole('link', { name: /Synthetic register/ }).click()
      await setAsOf(page, '2026-02-26')
      const headline = (await page.locator('.headline').innerText()).replace(/\s+/g, ' ')
      for (const said of ['310 in scope', '125 delivered, 40.3 %', '14 late, 4.5 %']) t.match(headline, said)
      await page.getByRole('link', { name: /^14 late/ }).click()
      await page.getByText('14 commitments', { exact: true }).waitFor()
      t.equal(await page.locator('.rows-body [role=row]').count(), 14)
      const first = page.locator('.rows-body [role=row]').first()
      t.match(await first.innerText(), /Late/)
      const title = (await first.getByRole('link').innerText()).trim()
      await first.getByRole('link').click()
      await settled(page)
      t.equal(await page.getByRole('heading', { level: 1 }).textContent(), title)
      t.ok((await page.locator('.history .citation').count()) > 0, 'its sources are there')
      t.match(await page.locator('.axes').innerText(), /Late/)
      await page.goBack()
      await page.getByText('14 commitments', { exact: true }).waitFor()
    }),
  )

  t.test('Oreshnik is claimed on the day, and disputed the day after', (t) =>
    withPage(t, open(), async (page) => {
      await page.goto(`${UNION}/commitments/oreshnik`)
      const verification = page.locator('.axes > div').filter({ hasText: 'Verification' })
      await setAsOf(page, '2025-12-17')
      t.match(await verification.innerText(), /Claimed/)
      await page.getByRole('button', { name: 'A day later' }).click()
      await page.waitForURL(/asOf=2025-12-18/)
      await settled(page)
      t.match(await verification.innerText(), /Disputed/)
      t.match(await page.locator('.history').innerText(), /preparations for combat duty still under way/)
      await setAsOf(page, '2025-12-17')
      t.match(await page.locator('#event-83').innerText(), /not counted at this as-of day/)
      await page.getByRole('link', { name: 'Back to now' }).click()
      await page.waitForURL((url) => url.search === '')
    }),
  )

  t.test('both clocks stay in the address from view to view, and fix what is cited', (t) =>
    withPage(t, open({ permissions: ['clipboard-read', 'clipboard-write'] }), async (page) => {
      await page.goto(`${UNION}?asOf=2025-12-18&knownAt=80`)
      await settled(page)
      t.match(await page.locator('.banner').innerText(), /as of 18 Dec 2025 · known at size 80/)
      for (const view of ['Commitments', 'Reported', 'Conflicts', 'Sources', 'Overview']) {
        await page.getByRole('link', { name: view, exact: true }).click()
        await settled(page)
        t.match(page.url(), /asOf=2025-12-18&knownAt=80$/, view)
      }
      await page.goto(`${UNION}/commitments`)
      await settled(page)
      await page.getByRole('button', { name: 'Cite this view' }).click()
      await page.waitForURL(/knownAt=108/)
      const today = new Date().toISOString().slice(0, 10)
      t.equal(new URL(page.url()).searchParams.get('asOf')?.slice(0, 4), today.slice(0, 4))
      t.equal(await page.evaluate('navigator.clipboard.readText()'), page.url())
      await soon('the size in its field', async () => (await page.getByLabel('Known at').inputValue()) === '108')
      await page.getByLabel('Known at').fill('yesterday')
      await page.getByLabel('Known at').press('Enter')
      await page.getByText('Expected a size (digits)').waitFor()
      await page.getByLabel('Known at').fill('50')
      await page.getByLabel('Known at').press('Enter')
      await page.waitForURL(/knownAt=50/)
      await page.getByRole('button', { name: 'The next checkpoint' }).click()
      await page.waitForURL(/knownAt=108/)
    }),
  )

  t.test('an event verifies in the browser, and a forged one does not', (t) =>
    withPage(
      t,
      open(),
      async (page) => {
        const verdict = page.locator('.verdict[data-outcome]')
        await page.goto(`${UNION}/events/83`)
        await page.getByRole('button', { name: 'Verify this event' }).click()
        await verdict.waitFor()
        t.match(await verdict.innerText(), /Everything that was checked holds/)
        t.equal(await page.locator('.step').count(), 5)
        await page.getByRole('button', { name: 'Verify again' }).click()
        await page.getByText('holds everything of the one that this browser saw before').waitFor()
        await page.goto(`${UNION}/commitments/oreshnik`)
        await page.getByRole('button', { name: 'Verify these 5 events' }).click()
        await verdict.waitFor()
        t.match(await verdict.innerText(), /Everything that was checked holds/)

        // Whoever stands between changes one word.
        await page.route('**/events/83', async (route) => {
          const response = await route.fetch()
          const body = (await response.text()).replace('still under way', 'long finished')
          await route.fulfill({ response, body })
        })
        await page.goto(`${UNION}/events/83`)
        await page.getByText('long finished').first().waitFor()
        await page.getByRole('button', { name: 'Verify this event' }).click()
        await verdict.waitFor()
        t.equal(await verdict.getAttribute('data-outcome'), 'failed')
        t.match(await page.locator('.steps').innerText(), /The content does not hash/)
        await page.unroute('**/events/83')

        // What is shown is what is checked, not what would be answered to the check.
        await page.route('**/commitments/oreshnik/events*', async (route) => {
          const response = await route.fetch()
          await route.fulfill({ response, body: (await response.text()).replace('still under way', 'long finished') })
        })
        await page.goto(`${UNION}/commitments/oreshnik`)
        await page.getByText('long finished').first().waitFor()
        await page.getByRole('button', { name: 'Verify these 5 events' }).click()
        await verdict.waitFor()
        t.equal(await verdict.getAttribute('data-outcome'), 'failed')
        await page.unroute('**/commitments/oreshnik/events*')
        await page.goto(`${UNION}/events/83`)

        // A service that lost the end of its log after this browser had seen it.
        await page.evaluate(`for (const name of Object.keys(localStorage)) if (name.startsWith('pledger-head'))
        localStorage.setItem(name, JSON.stringify({ ...JSON.parse(localStorage.getItem(name)), size: '500' }))`)
        await page.reload()
        await page.getByRole('button', { name: 'Verify this event' }).click()
        await verdict.waitFor()
        t.match(await page.locator('.steps').innerText(), /contradicts the one that this browser saw before/)
      },
      /status of 409/,
    ),
  )

  t.test('the list is narrowed, sorted, searched, and downloaded as it is', (t) =>
    withPage(t, open(), async (page) => {
      await page.goto(`${UNION}/commitments?${AS_OF}`)
      await page.getByText('31 commitments', { exact: true }).waitFor()
      await page.getByText('Filters', { exact: true }).click()
      await page.getByRole('group', { name: 'Lifecycle' }).getByLabel('Delivered', { exact: true }).check()
      await page.waitForURL(/lifecycle=delivered/)
      await page.getByText('15 commitments', { exact: true }).waitFor()
      await page.getByRole('combobox', { name: /^Theme/ }).selectOption('defence')
      await page.waitForURL(/theme=defence/)
      await page.getByText('4 commitments', { exact: true }).waitFor()
      const titles = () => page.locator('.rows-body [role=row] .what a').allInnerTexts()
      await page.getByRole('button', { name: /^Commitment/ }).click()
      await page.waitForURL(/sort=title/)
      await settled(page)
      t.strictSame(await titles(), (await titles()).toSorted())
      for (const [button, type] of [
        ['Download CSV', 'text/csv'],
        ['Download JSON', 'application/json'],
      ] as const) {
        const saved = page.waitForEvent('download')
        await page.getByRole('button', { name: button }).click()
        const download = await saved
        t.match(download.suggestedFilename(), /^union-state-2026-02-26-size-108\.(csv|json)$/)
        const text = await readFile(await download.path(), 'utf8')
        const question = `lifecycle=delivered&theme=defence&${AS_OF}&sort=title`
        const { text: expected, body } = await service.get(`/v1/registers/union-state/commitments?${question}`, {
          accept: type,
        })
        if (type === 'text/csv') t.equal(text, expected)
        else t.strictSame(JSON.parse(text), { ...body, next: null })
      }
      await page.getByRole('button', { name: 'Clear all' }).click()
      await page.getByText('31 commitments', { exact: true }).waitFor()
      await page.getByPlaceholder('Search titles').fill('oreshnik')
      await page.getByText('1 commitment', { exact: true }).waitFor()
      t.strictSame(await titles(), ['Deployment of the Oreshnik missile system in Belarus'])
      await page.goto(`${SYNTHETIC}/commitments?${AS_OF}&programme=`)
      await page.getByText('14 commitments', { exact: true }).waitFor()
    }),
  )

  t.test('what changed between two sizes is told with its events', (t) =>
    withPage(t, open(), async (page) => {
      await page.goto(`${UNION}/changes?${AS_OF}&from=82&to=84`)
      await settled(page)
      const said = await page.locator('main').innerText()
      t.match(said, /Deployment of the Oreshnik/)
      t.match(said, /Claimed[\s\S]*Disputed/)
      await page
        .getByRole('link', { name: /event 83/i })
        .first()
        .click()
      await page.waitForURL(/events\/83/)
    }),
  )

  t.test('an operator builds a projection anew, and sees it done', (t) =>
    withPage(t, open(), async (page) => {
      await page.goto('/operations')
      await settled(page)
      await page.getByRole('button', { name: /Start a replay/ }).click()
      const dialog = page.getByRole('dialog')
      await dialog.waitFor()
      await dialog
        .getByRole('button', { name: /start|build/i })
        .last()
        .click()
      await soon('the replay to be done', async () => {
        const { body } = await service.get('/v1/projections')
        const operations: { status: string }[] = body.operations
        return operations.length > 0 && operations.every(({ status }) => status !== 'running' && status !== 'waiting')
      })
      await page
        .getByText(/succeeded|done|built/i)
        .first()
        .waitFor()
    }),
  )

  t.test('by keyboard alone from the registers to a commitment', (t) =>
    withPage(t, open(), async (page) => {
      const tabTo = async (name: RegExp) => {
        for (let count = 0; count < 80; count += 1) {
          await page.keyboard.press('Tab')
          const focused = await page.evaluate<string>(
            `(document.activeElement?.getAttribute('aria-label') || document.activeElement?.innerText || '').trim()`,
          )
          if (name.test(focused)) return
        }
        throw new Error(`nothing that is focused is named ${name}`)
      }
      await page.goto('/')
      await settled(page)
      await page.keyboard.press('Tab')
      t.equal(await page.evaluate('document.activeElement?.innerText'), 'Skip to the content')
      await tabTo(/^Union State/)
      await page.keyboard.press('Enter')
      await page.waitForURL(`**${UNION}`)
      await settled(page)
      t.equal(await page.evaluate('document.activeElement?.id'), 'content', 'reading goes on at the content')
      await tabTo(/in scope$/)
      await page.keyboard.press('Enter')
      await page.waitForURL(/figure=inScope/)
      await settled(page)
      await tabTo(/Oreshnik/)
      const outline = await page.evaluate(`getComputedStyle(document.activeElement).outlineStyle`)
      t.equal(outline, 'solid', 'what has the focus is seen')
      await page.keyboard.press('Enter')
      await page.waitForURL(/commitments\/oreshnik/)
    }),
  )

  t.test('the Tab key walks along the lines of the milestone trend', (t) =>
    withPage(t, open(), async (page) => {
      await page.goto(`${UNION}?${AS_OF}`)
      await settled(page)
      const lines = page.locator('.trend-line')
      await lines.first().focus()
      const walked = [await page.locator('.trend-readout a').innerText()]
      for (let count = 1; count < (await lines.count()); count += 1) {
        await page.keyboard.press('Tab')
        walked.push(await page.locator('.trend-readout a').innerText())
      }
      t.ok(walked.length > 3)
      t.equal(new Set(walked).size, walked.length, 'each once')
    }),
  )

  t.test('the first view comes in one chain of requests and under 100 kB', async (t) => {
    for (const path of ['/', `${SYNTHETIC}?${AS_OF}`]) {
      const { page } = await open()()
      const sizes = new Map<string, number>()
      const session = await page.context().newCDPSession(page)
      const urls = new Map<string, string>()
      session.on('Network.responseReceived', ({ requestId, response }) => urls.set(requestId, response.url))
      session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
        sizes.set(urls.get(requestId) ?? '', encodedDataLength),
      )
      await session.send('Network.enable')
      await page.goto(path)
      await settled(page)
      const files = [...sizes].filter(([url]) => !url.includes('/v1/'))
      const [total, ofPage] = [sizes, files].map((some) => [...some].reduce((sum, [, bytes]) => sum + bytes, 0))
      t.comment(`${path}: ${ofPage} bytes of the page, ${total} with every answer, in ${sizes.size} requests`)
      t.ok((ofPage ?? 0) > 20_000 && (ofPage ?? 0) < 100_000, `${path}: ${ofPage} bytes`)
      if (path === '/') t.ok((total ?? 0) < 100_000, `${total} bytes in all`)
      await page.context().close()
    }
    const { headers } = await service.get('/')
    const policy = String(headers['content-security-policy'])
    t.match(policy, /script-src 'self'/)
    t.notMatch(policy, /unsafe-inline|unsafe-eval/)
  })

  t.test('a service that goes away is said to be, what was known stays, and it comes back by itself', async (t) => {
    const { page, complaints } = await open()()
    const further = page.waitForResponse(/\/assets\/further/)
    await page.goto(`${SYNTHETIC}?${AS_OF}`)
    await settled(page)
    // The other views come while the browser is idle, and are there when the service is not.
    await further
    await page.getByText('Up to date').waitFor()
    await stopped(service)
    await page.getByText('The service has been away since').waitFor()
    t.match(await page.locator('.headline').innerText(), /125/)
    // A view that was never looked at has nothing to show, and says so.
    await page.getByRole('link', { name: 'Sources', exact: true }).click()
    await page.getByText('The service does not answer').waitFor()
    await page.goBack()
    t.match(await page.locator('.headline').innerText(), /125/)
    service = await withSamples(t, { PLEDGER_DATA: `${dir}/data`, PLEDGER_PORT: port })
    await page.getByText('Up to date').waitFor()
    t.equal(await page.getByText('The service has been away since').count(), 0)
    t.strictSame(
      complaints.filter((text) => !/Failed to load resource|ERR_CONNECTION/.test(text)),
      [],
    )
    await page.context().close()
    await stopped(service)
  })

  t.test('where a token is needed it is asked for, used, and forgotten', (t) => withTokens(t, browser))
}

async function withTokens(t: Test, browser: Browser): Promise<void> {
  const url = await testDatabaseUrl(t)
  const keys = await signingKeys(await temporaryDirectory(t))
  const env = { PLEDGER_DATABASE_URL: url, PLEDGER_ACCESS: 'tokens', PLEDGER_SIGNING_KEYS: keys }
  const { address } = await serving(t, env)
  const made = await pledger(
    t,
    ['token', 'create', '--name', 'Test', '--role', 'auditor', '--register', '*', '--expires', '1d'],
    env,
  )
  const text = /\bpledger_\S+/.exec(made.out)?.[0] ?? ''
  t.not(text, '', made.err)
  const { page, complaints } = await openPage(browser, address)
  await page.goto('/')
  await page.getByText('No register is open to everyone').waitFor()
  await page.getByRole('button', { name: 'Enter a token' }).click()
  await page.getByLabel('Token').fill('not a token')
  await page.getByRole('button', { name: 'Use it' }).click()
  await page.getByText('The token is not known').waitFor()
  await page.getByLabel('Token').fill(text)
  await page.getByRole('button', { name: 'Use it' }).click()
  await page.getByRole('button', { name: 'Forget the token' }).waitFor()
  t.notOk(page.url().includes(text))
  t.equal(await page.evaluate(`Object.values(localStorage).join().includes('${text}')`), false, 'of this tab alone')
  await page.getByRole('button', { name: 'Forget the token' }).click()
  await page.getByRole('button', { name: 'Enter a token' }).waitFor()
  t.strictSame(complaints.filter(isUnexpected), [])
  await page.context().close()
}

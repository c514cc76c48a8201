// Takes every view of the page on the two samples, light and dark, wide and narrow, for people to look at:
// `node test/support/screenshots.ts DIR`. The three of the README are made anew by `--readme`.

import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { NO_CHROMIUM, openBrowser, openPage, PHONE } from './browser.ts'
import { serving, soon } from './serving.ts'

const WIDE = { width: 1280, height: 860 }
const AS_OF = 'asOf=2026-02-26'
const UNION = '/registers/union-state'

const VIEWS: Record<string, string> = {
  registers: '/',
  overview: `/registers/synthetic-310?${AS_OF}`,
  union: `${UNION}?${AS_OF}`,
  commitments: `/registers/synthetic-310/commitments?${AS_OF}&figure=late`,
  commitment: `${UNION}/commitments/oreshnik?${AS_OF}`,
  tariffs: `${UNION}/commitments/communication-tariffs?${AS_OF}`,
  event: `${UNION}/events/83`,
  reported: `${UNION}/figures?${AS_OF}`,
  conflicts: `${UNION}/conflicts?${AS_OF}`,
  sources: `${UNION}/sources?${AS_OF}`,
  changes: `${UNION}/changes?${AS_OF}&from=80`,
  log: `${UNION}/log`,
  operations: '/operations',
}

type Shot = { view: string; isDark: boolean; isPhone: boolean; isWhole: boolean }

async function take(browser: Browser, address: string, { view, isDark, isPhone, isWhole }: Shot, file: string) {
  const look = { viewport: isPhone ? PHONE : WIDE, colorScheme: isDark ? ('dark' as const) : ('light' as const) }
  const { page, complaints } = await openPage(browser, address, { ...look, deviceScaleFactor: isPhone ? 2 : 1 })
  await page.goto(VIEWS[view] ?? '/')
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  const loading = page.locator('main .loading, main .before')
  await soon(`${view} to be loaded`, async () => (await loading.count()) === 0)
  await page.getByText('Up to date').waitFor()
  if (view === 'event') {
    await page.getByRole('button', { name: 'Verify this event' }).click()
    await page.locator('.verdict[data-outcome]').waitFor()
  }
  await page.screenshot({ path: file, fullPage: isWhole })
  for (const complaint of complaints) console.error(`${file}: ${complaint}`)
  await page.context().close()
}

const README: [file: string, shot: Shot][] = [
  ['register.png', { view: 'overview', isDark: false, isPhone: false, isWhole: false }],
  ['commitment.png', { view: 'commitment', isDark: true, isPhone: false, isWhole: false }],
  ['phone.png', { view: 'union', isDark: false, isPhone: true, isWhole: false }],
]

function everyShot(): [string, Shot][] {
  return Object.keys(VIEWS).flatMap((view) =>
    [false, true].flatMap((isDark) =>
      [false, true].map((isPhone): [string, Shot] => [
        `${view}-${isDark ? 'dark' : 'light'}-${isPhone ? 'phone' : 'wide'}.png`,
        { view, isDark, isPhone, isWhole: true },
      ]),
    ),
  )
}

const [argument] = process.argv.slice(2)
if (NO_CHROMIUM || !argument) {
  console.error(NO_CHROMIUM || 'expected a directory, or --readme')
  process.exit(2)
}
const isReadme = argument === '--readme'
const out = isReadme ? join(import.meta.dirname, '../../docs/screenshots') : argument
const data = await mkdtemp(join(tmpdir(), 'pledger-screenshots-'))
await chmod(data, 0o755)
const ends: (() => unknown)[] = [() => rm(data, { recursive: true, force: true, maxRetries: 10 })]
const ending = { teardown: (end: () => unknown) => void ends.push(end) }
try {
  await mkdir(out, { recursive: true })
  const service = await serving(ending, { PLEDGER_DATA: data }, '--samples')
  await soon('both samples sealed', async () => {
    const sizes = await Promise.all(
      ['union-state', 'synthetic-310'].map((id) => service.get(`/v1/registers/${id}/checkpoint`)),
    )
    return sizes.every(({ status }) => status === 200)
  })
  const browser = await openBrowser(ending)
  for (const [file, shot] of isReadme ? README : everyShot())
    await take(browser, service.address, shot, join(out, file))
} finally {
  for (const end of ends.reverse()) await end()
}

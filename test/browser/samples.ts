// The service with both samples, for a browser to look at.

import type { Page } from 'playwright-core'
import type { Test } from 'tap'
import { type Serving, serving, soon } from '../support/serving.ts'

export const SYNTHETIC = '/registers/synthetic-310'
export const UNION = '/registers/union-state'
export const AS_OF = 'asOf=2026-02-26'

/** Starts it; returns when both registers are sealed. */
export async function withSamples(t: Test, env: Record<string, string>): Promise<Serving> {
  const service = await serving(t, env, '--samples')
  for (const register of ['union-state', 'synthetic-310']) {
    await soon(`${register} sealed`, async () => {
      const { status, text } = await service.get(`/v1/registers/${register}/checkpoint`)
      const size = Number((await service.get(`/v1/registers/${register}`)).body.size)
      return status === 200 && size > 100 && Number(text.split('\n')[1]) === size
    })
  }
  return service
}

/** Waits until nothing of a view is loading any more. */
export async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor()
  const loading = page.locator('main .loading, main .before')
  await soon('everything to be loaded', async () => (await loading.count()) === 0)
}

/** Refusals that a view is looked at for. */
export function isUnexpected(text: string): boolean {
  return !/status of 40[149]/.test(text)
}

// How long tests wait for what has to come.

import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Far beyond what any machine needs, however busy: it ends a wait for something that never comes, and measures nothing. How fast
 * something is, the bench measures.
 */
export const PATIENCE_MS = 300_000

/** Waits until something is so; throws where it never is. */
export async function until(what: string, isSo: () => unknown): Promise<void> {
  for (const from = performance.now(); !(await isSo()); await sleep(20))
    if (performance.now() - from > PATIENCE_MS) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`)
}

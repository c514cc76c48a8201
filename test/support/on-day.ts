// Runs the tests as on another day: node test/support/on-day.ts 2031-01-01 [what tap is given]. The clock of every Node process
// and page of the run is moved; PostgreSQL keeps its own, which says how long ago something was and no more.

import { spawn } from 'node:child_process'

const [day = '', ...given] = process.argv.slice(2)
const now = new Date()
const then = Date.parse(`${day}T${now.toISOString().slice(11)}`)
if (Number.isNaN(then)) throw new Error(`"${day}" is no day, YYYY-MM-DD`)
const env = {
  ...process.env,
  MOVED_CLOCK_MS: String(then - now.getTime()),
  NODE_OPTIONS: `--import=${new URL('moved-clock.ts', import.meta.url).href}`,
}
spawn('tap', given, { env, stdio: 'inherit' }).once('close', (code) => {
  process.exitCode = code ?? 1
})

// `pledger serve` as a process of its own, and what a test asks it.

import { generateKeyPairSync } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { PATIENCE_MS } from './patience.ts'
import { type Ending, importing, type Started, start } from './process.ts'
import { JSON_TYPE } from './register.ts'
import type { Answer } from './service.ts'

export type Serving = Started & {
  address: string
  get: (path: string, headers?: Record<string, string>) => Promise<Answer>
  post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Answer>
}

async function ask(url: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  const headers = Object.fromEntries(response.headers)
  return {
    status: response.status,
    headers,
    text,
    body: /json/.test(headers['content-type'] ?? '') ? JSON.parse(text) : text,
  }
}

/** Starts the service on any free port; it is killed with the test. */
export async function serving(t: Ending, env: Record<string, string>, ...flags: string[]): Promise<Serving> {
  const started = start(t, ['serve', '--unsafe-database', ...flags], { PLEDGER_PORT: '0', ...env })
  const [, address = ''] = await started.says(/listens on (http:\/\/127\.0\.0\.1:\d+)\n/)
  return {
    ...started,
    address,
    get: (path, headers = {}) => ask(`${address}${path}`, { headers }),
    post: (path, body, headers = JSON_TYPE) =>
      ask(`${address}${path}`, { method: 'POST', headers, body: JSON.stringify(body) }),
  }
}

/** Stops a service and says how it ended. */
export async function stopped({ child, ended }: Serving) {
  child.kill('SIGTERM')
  return ended
}

/** A directory that the user can reach under whom PostgreSQL runs; gone with the test. */
export async function temporaryDirectory(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'pledger-operations-'))
  await chmod(dir, 0o755)
  t.teardown(() => rm(dir, { recursive: true, force: true, maxRetries: 10 }))
  return dir
}

/** A file with a new key that signs checkpoints. */
export async function signingKeys(dir: string): Promise<string> {
  const file = join(dir, 'keys.pem')
  await writeFile(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return file
}

/** The environment of processes whose clock is this many milliseconds off; writing to the file `MOVED_CLOCK` moves it again. */
export async function clockOff(dir: string, offsetMs: number): Promise<Record<'MOVED_CLOCK' | 'NODE_OPTIONS', string>> {
  const file = join(dir, 'clock')
  await writeFile(file, String(offsetMs))
  return { MOVED_CLOCK: file, ...importing('moved-clock.ts') }
}

/** The environment of processes whose clock now stands at an instant, and goes on from there. */
export function clockAt(dir: string, instant: number): Promise<Record<string, string>> {
  return clockOff(dir, instant - Date.now())
}

/** What something comes to as soon as it is there, looked at again and again. */
export async function soon<T>(what: string, look: () => Promise<T | null | false>, withinMs = PATIENCE_MS): Promise<T> {
  for (const from = performance.now(); performance.now() - from < withinMs; await sleep(50)) {
    const found = await look()
    if (found !== null && found !== false) return found
  }
  throw new Error(`not within ${withinMs} ms: ${what}`)
}

// A service for a test file: the real application on a real database, with a clock that the test sets. Every answer is held
// against its schema.

import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { type AccessOptions, createAccess } from '../../src/access/access.ts'
import { type Database, openDatabase } from '../../src/database/pool.ts'
import { type AppOptions, buildApp } from '../../src/http/app.ts'
import { PROJECTIONS } from '../../src/projections/all.ts'
import { createRegisterHeads, type RegisterHeads } from '../../src/projections/core/heads.ts'
import { type Runner, startRunner } from '../../src/projections/core/run.ts'
import { createRecorder, type Recorder } from '../../src/recording/recorder.ts'
import { createRegisters, type Registers } from '../../src/registers/registers.ts'
import { asRole, ROLES, testDatabaseUrl } from './database.ts'
import { secretIn } from './secrets.ts'

export type TestService = {
  /** Ends it before the test does. */
  close: () => Promise<void>
  app: FastifyInstance
  /** The address of its database, for the superuser. */
  url: string
  /** The superuser's connection: for what the service's own role may not. */
  db: Database
  registers: Registers
  recorder: Recorder
  heads: RegisterHeads
  runner: Runner
  /** The service's clock; set `now` to move it. */
  clock: { now: number }
  get: (url: string, headers?: Record<string, string>) => Promise<Answer>
  /** Posts JSON (an object or array), or text as it is with the given headers. */
  post: (url: string, body: unknown, headers?: Record<string, string>) => Promise<Answer>
  /** The size of a register now; 0 where there is none. */
  size: (register: string) => Promise<number>
}

// biome-ignore lint/suspicious/noExplicitAny: what a test reads out of an answer is asserted, not typed.
export type Answer = { status: number; headers: Record<string, unknown>; body: any; text: string }

/** Noon UTC of a day, in milliseconds. */
export function noon(day: string): number {
  return Date.parse(`${day}T12:00:00.000Z`)
}

function answer(response: LightMyRequestResponse): Answer {
  const isJson =
    /json/.test(String(response.headers['content-type'])) && !/ndjson/.test(String(response.headers['content-type']))
  return {
    status: response.statusCode,
    headers: response.headers,
    body: isJson ? response.json() : response.payload,
    text: response.payload,
  }
}

/** Told of what its projections stumble over; without it nothing may. */
type Options = AppOptions & { onError?: (error: unknown) => void; access?: Partial<AccessOptions> }

/** Starts the service; it ends with the test. Its clock stands at noon of `today` until the test moves it. */
export async function testService(t: Test, today = '2026-03-01', options: Options = {}): Promise<TestService> {
  return serviceOn(t, await testDatabaseUrl(t), { now: noon(today) }, options)
}

/** Another process beside a service: its own connections and memory, and nothing tells it what the first one does. */
export function serviceBeside(t: Test, { url, clock }: TestService, options: Options = {}): Promise<TestService> {
  return serviceOn(t, url, clock, options)
}

async function serviceOn(t: Test, url: string, clock: TestService['clock'], options: Options): Promise<TestService> {
  const own = openDatabase({ connectionString: asRole(url, ROLES.service) })
  const db = openDatabase({ connectionString: url })
  const now = () => clock.now
  const registers = createRegisters()
  const heads = createRegisterHeads(own)
  const fails = (error: unknown) => t.error(error, 'the runner goes on without errors')
  const { onError = fails, access: given = {}, ...appOptions } = options
  const runner = startRunner(own, registers, PROJECTIONS, onError, heads.grew)
  const onRecorded = (register: string, size: number) => {
    heads.grew(register, size)
    runner.logGrew()
  }
  const recorder = createRecorder(own, registers, { now, onRecorded })
  const leaks: string[] = []
  // Nothing is printed, and everything is looked at.
  const write = (line: string) => void leaks.push(...[secretIn(line)].filter((one) => one !== null))
  const logger = pino({ level: 'trace' }, { write })
  const access = createAccess(own, { mode: 'none', oidc: null, recordReads: false, now, onError: fails, ...given })
  const context = { access, db: own, registers, recorder, heads, now, wake: runner.wake }
  const app = await buildApp(context, logger, { checkAnswers: true, ...appOptions })
  let closed: Promise<void> | undefined
  const close = async () => {
    await app.close()
    await access.stop()
    await runner.stop()
    await heads.stop()
    await own.destroy()
    await db.destroy()
    if (leaks.length > 0) throw new Error(`in a log of the service stands ${leaks[0]}`)
  }
  const closeOnce = () => {
    closed ??= close()
    return closed
  }
  t.teardown(closeOnce)
  const inject = async (options: InjectOptions) => answer(await app.inject(options))
  return {
    close: closeOnce,
    app,
    url,
    db,
    registers,
    recorder,
    heads,
    runner,
    clock,
    get: (url, headers = {}) => inject({ method: 'GET', url, headers }),
    post: (url, body, headers = { 'content-type': 'application/json' }) =>
      inject({ method: 'POST', url, headers, payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    size: async (register) => (await registers.read(db, register))?.head.size ?? 0,
  }
}

// The storm: several services on one database, writers that record through them, readers that follow and dashboards that
// poll, while any of them is killed at any moment and started again. In the end nothing may be lost, skipped or repeated.
// Used by a test, and for longer by the bench. The seed decides what is done; when it meets what is up to the machine.

import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '../../src/database/pool.ts'
import { type Random, randomFrom } from '../../src/samples/random.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import type { Ending } from '../support/process.ts'
import { JSON_TYPE } from '../support/register.ts'
import { type Crew, startCrew } from './crew.ts'
import { type Dashboard, watch } from './dashboard.ts'
import { type Fleet, startFleet } from './fleet.ts'
import { type Follower, follow } from './reader.ts'
import { replayThrough } from './replaying.ts'
import { type Sender, sender } from './send.ts'
import { opening, REGISTERS } from './story.ts'
import {
  answerProblems,
  bookProblems,
  lagging,
  logProblems,
  projectionProblems,
  readLog,
  strangers,
} from './verdict.ts'

export type StormOptions = {
  /** What the services connect to. */
  databaseUrl: string
  /** The database itself, where services reach it through a pooler. */
  directUrl?: string
  seconds: number
  seed: number
  services?: number
  writers?: number
  readers?: number
  dashboards?: number
  /** The longest pause of a writer between two requests. */
  pauseMs?: number
  /** Whether some requests are sent three times at once under one Idempotency-Key. */
  withKeys?: boolean
  /** How often a replay that runs while it storms is killed; without it there is none. */
  replayKills?: number
}

export type Report = {
  seed: number
  /** What must not have happened. Empty where all is well. */
  problems: string[]
  acknowledged: number
  events: number
  servicesKilled: number
  writersKilled: number
  /** How often readers were connected, and how many events each saw. */
  readings: number
  seen: number[]
  /** Answers to dashboards by status. */
  dashboards: Record<string, number>
}

type Scene = { fleet: Fleet; crew: Crew; followers: Follower[]; dashboards: Dashboard[]; tools: Sender }
type Rage = { until: number; writers: number }
type Killed = { services: number; writers: number }

async function post({ send }: Sender, address: string, path: string, body: unknown): Promise<number> {
  const answer = await send(address, { method: 'POST', path, headers: JSON_TYPE, body: JSON.stringify(body) })
  if (answer?.status !== 201) throw new Error(`POST ${path} answers ${answer?.status} ${JSON.stringify(answer?.body)}`)
  return answer.body.size
}

/** Opens the registers; returns how many events each then holds. */
export async function open(tools: Sender, address: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for (const register of REGISTERS) {
    const { open, events } = opening(register)
    await post(tools, address, '/v1/registers', open)
    sizes.set(register, await post(tools, address, `/v1/registers/${register}/events`, events))
  }
  return sizes
}

/** On a machine that is slow the storm lasts longer, until so much is acknowledged. */
const LEAST = 200

/** Kills one after the other until the time is over; one time in ten all services at once, else one is left to go on. */
async function rage({ fleet, crew }: Scene, random: Random, { until, writers }: Rage): Promise<Killed> {
  const killed: Killed = { services: 0, writers: 0 }
  const down = new Map<number, Promise<void>>()
  const services = fleet.addresses().length
  const strike = (index: number) => {
    if (down.has(index)) return
    killed.services += 1
    down.set(
      index,
      fleet.kill(index, random.int(0, 300)).finally(() => down.delete(index)),
    )
  }
  while (performance.now() < until || (crew.book.length < LEAST && performance.now() < until + PATIENCE_MS)) {
    await sleep(random.int(50, 600))
    // However slow the machine is, something is to happen in between.
    const goal = crew.book.length + random.int(1, 30)
    for (let waits = 0; waits < 20 && crew.book.length < goal; waits += 1) await sleep(50)
    const draw = random.int(1, 10)
    if (draw === 1) for (let index = 0; index < services; index += 1) strike(index)
    else if (draw <= 4) {
      killed.writers += 1
      await crew.kill(random.int(0, writers - 1))
    } else if (down.size < services - 1) strike(random.int(0, services - 1))
  }
  await Promise.all(down.values())
  return killed
}

/** Lets the readers come to the end of the log; what they saw wrong, or did not see by then. */
async function readToEnd(followers: readonly Follower[], sizes: readonly number[]): Promise<string[]> {
  const until = performance.now() + PATIENCE_MS
  const isAtEnd = (follower: Follower, index: number) =>
    follower.seen() === sizes[index] || follower.problems.length > 0
  while (!followers.every(isAtEnd) && performance.now() < until) await sleep(50)
  // Nothing more may come.
  await sleep(200)
  await Promise.all(followers.map(({ stop }) => stop()))
  const missing = followers.flatMap((follower, index) =>
    follower.seen() === sizes[index] ? [] : [`a reader saw ${follower.seen()} of ${sizes[index]} events`],
  )
  return [...followers.flatMap(({ problems }) => problems), ...missing]
}

/** Lets a storm loose on a migrated, empty database and judges what is left. */
export async function storm(ending: Ending, options: StormOptions): Promise<Report> {
  const { databaseUrl, directUrl = databaseUrl, seconds, seed } = options
  const { services = 3, writers = 8, readers = 3, dashboards = 2, pauseMs = 20, withKeys = true } = options
  const db = openDatabase({ connectionString: directUrl, max: 4 })
  ending.teardown(() => db.destroy())
  const tools = sender(8)
  ending.teardown(() => tools.close())
  let moved = (_: string[]) => {}
  const fleet = await startFleet(ending, { databaseUrl, count: services, onMoved: (list) => moved(list) })
  const addresses = fleet.addresses
  const opened = await open(tools, addresses()[0] as string)

  const story = { seed, writers }
  const crew = startCrew(ending, { ...story, withKeys, pauseMs, addresses: addresses() })
  moved = crew.moved
  const followed = Array.from({ length: readers }, (_, index) => REGISTERS[index % 3 === 2 ? 1 : 0])
  const chance = (what: string) => randomFrom(`${seed} ${what}`)
  const followers = followed.map((register, index) =>
    follow({ register, addresses, random: chance(`reader ${index}`) }),
  )
  const newest = () => crew.book.findLast(({ register }) => register === REGISTERS[0])?.size ?? 0
  const watchers = Array.from({ length: dashboards }, (_, index) =>
    watch({
      register: REGISTERS[0],
      addresses,
      random: chance(`dashboard ${index}`),
      send: tools.send,
      acknowledged: newest,
    }),
  )
  const scene: Scene = { fleet, crew, followers, dashboards: watchers, tools }

  const until = performance.now() + seconds * 1_000
  const { replayKills: kills } = options
  const meanwhile =
    kills === undefined ? [] : replayThrough(ending, { db, databaseUrl, random: chance('replay'), kills })
  const killed = await rage(scene, chance('rage'), { until, writers })
  const besides = await meanwhile
  await crew.end()
  await Promise.all(watchers.map(({ stop }) => stop()))

  const problems = [...crew.surprises, ...watchers.flatMap((watcher) => watcher.problems), ...besides]
  const logs = await Promise.all(REGISTERS.map((register) => readLog(db, register)))
  const sizes = followed.map((register) => logs.find((log) => log.register === register)?.events.length ?? 0)
  problems.push(...(await readToEnd(followers, sizes)))
  const told = { book: crew.book, story, withKeys }
  for (const log of logs) {
    problems.push(
      ...logProblems(log),
      ...bookProblems(log, told),
      ...strangers(log, told, opened.get(log.register) ?? 0),
    )
    problems.push(...(await lagging(db, log.register, log.events.length)))
    problems.push(...(await answerProblems(log, addresses()[0] as string, tools)))
  }
  problems.push(...(await fleet.stop()))
  for (const log of logs) problems.push(...(await projectionProblems(db, log)))
  return {
    seed,
    problems: problems.slice(0, 20),
    acknowledged: crew.book.length,
    events: logs.reduce((sum, { events }) => sum + events.length, 0),
    servicesKilled: killed.services,
    writersKilled: killed.writers,
    readings: followers.reduce((sum, follower) => sum + follower.connections(), 0),
    seen: followers.map((follower) => follower.seen()),
    dashboards: watchers.reduce<Record<string, number>>((sum, { answers }) => {
      for (const [status, count] of Object.entries(answers)) sum[status] = (sum[status] ?? 0) + count
      return sum
    }, {}),
  }
}

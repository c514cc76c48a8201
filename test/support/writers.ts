// Writers that record in a service until each event is acknowledged, whatever happens meanwhile.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../src/database/pool.ts'
import { type Answer, isLater, type Sender, type Sent, sender } from '../storm/send.ts'
import { logProblems, readLog } from '../storm/verdict.ts'
import { until } from './patience.ts'
import { JSON_TYPE, made, OPENED, posted, uuid } from './register.ts'

const REGISTER = 'demo'
export const EVENTS = `/v1/registers/${REGISTER}/events`

export function post(path: string, body: unknown, headers: Record<string, string> = {}): Sent {
  return { method: 'POST', path, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) }
}

type Acknowledged = { position: number; id: string; note: string }

export type Writers = {
  /** Resolves with the milliseconds until each of them has been acknowledged something sent from now on. */
  recovered: () => Promise<number>
  /** Lets each have its last event acknowledged, and ends. */
  end: () => Promise<void>
  /** Ends without waiting for what is not acknowledged. */
  giveUp: () => Promise<void>
  book: Acknowledged[]
  /** Answers that are neither an acknowledgement nor "later". */
  problems: string[]
}

function isInFlight({ status, body }: Answer): boolean {
  return status === 409 && body?.type === '/problems/in-flight'
}

/** Opens the register with a commitment for each writer. */
export async function openForWriters({ send }: Sender, address: string, count: number): Promise<void> {
  const commitments = Array.from({ length: count }, (_, writer) => made(`w${writer}`))
  const opened = await send(address, post('/v1/registers', { id: REGISTER, ...OPENED }))
  const promised = await send(address, post(EVENTS, commitments))
  if (opened?.status !== 201 || promised?.status !== 201) throw new Error(JSON.stringify([opened, promised]))
}

/** Starts writers; every other one gives its events ids of its own, the rest send an Idempotency-Key. */
export function startWriters(address: string, count: number): Writers {
  const { send, close } = sender(count)
  const [book, problems]: [Acknowledged[], string[]] = [[], []]
  const acknowledgedSince = new Set<number>()
  let startedBefore = 0
  let isEnding = false
  let isGivenUp = false

  /** Sends one event until it is acknowledged. */
  async function record(writer: number, number: number): Promise<void> {
    const note = `${writer} ${number}`
    const id = writer % 2 === 0 ? { id: uuid(writer * 1_000_000 + number) } : {}
    const event = posted(`w${writer}`, 'ProgressReported', '2026-01-02', { percent: number % 100, note }, id)
    const key = writer % 2 === 0 ? {} : { 'idempotency-key': `"${note}"` }
    while (!isGivenUp) {
      const answer = await send(address, post(EVENTS, event, key)).catch((error: Error) => {
        problems.push(error.message)
        return null
      })
      const [place] = answer?.body?.events ?? []
      if (answer && place) return void book.push({ position: place.position, id: place.id, note })
      if (answer && !isLater(answer) && !isInFlight(answer)) problems.push(JSON.stringify(answer))
      await sleep(25)
    }
  }

  async function write(writer: number): Promise<void> {
    for (let number = 0; !isEnding; number += 1) {
      const round = startedBefore
      await record(writer, number)
      if (round === startedBefore) acknowledgedSince.add(writer)
    }
  }

  const writing = Array.from({ length: count }, (_, writer) => write(writer))
  const end = async () => {
    isEnding = true
    await Promise.all(writing)
    close()
  }
  return {
    book,
    problems,
    async recovered() {
      const from = performance.now()
      startedBefore += 1
      acknowledgedSince.clear()
      await until('every writer goes on', () => acknowledgedSince.size === count)
      return performance.now() - from
    },
    end,
    giveUp: () => {
      isGivenUp = true
      return end()
    },
  }
}

/**
 * What is wrong with the log after writers have ended: lost, there twice, elsewhere than acknowledged, or out of order. Of those
 * that have given up each may have recorded one event more.
 */
export async function lossOf(
  db: Database,
  writers: number,
  { book, problems }: Writers,
  { hasGivenUp = false } = {},
): Promise<string[]> {
  const log = await readLog(db, REGISTER)
  const notes = new Map(
    log.events.map(({ position, id, data }) => [position, `${id} ${(data as { note?: string }).note}`]),
  )
  const wrong = book.filter(({ position, id, note }) => notes.get(position) !== `${id} ${note}`)
  const sent = [...notes.values()].filter((text) => !text.endsWith(' undefined'))
  const told = new Set(sent.map((text) => text.slice(text.indexOf(' ') + 1)))
  const more = told.size - book.length
  return [
    ...problems,
    ...logProblems(log),
    ...wrong.map((one) => `${JSON.stringify(one)} is ${notes.get(one.position)}`),
    ...(told.size === sent.length ? [] : [`${sent.length - told.size} are there twice`]),
    ...(more >= 0 && more <= (hasGivenUp ? writers : 0) ? [] : [`${more} more than were acknowledged`]),
  ]
}

// A writer of a storm, as a process of its own that can be killed at any moment. It sends its requests one after the other,
// each until it is acknowledged, to whichever service answers, and tells its parent every acknowledgement.

import { setTimeout as sleep } from 'node:timers/promises'
import { type Random, randomFrom } from '../../src/samples/random.ts'
import { JSON_TYPE } from '../support/register.ts'
import { type Answer, isLater, sender } from './send.ts'
import { nextCommitment, type Request, requestOf, type Story } from './story.ts'

export type WriterOptions = Story & { from: number; withKeys: boolean; pauseMs: number; addresses: string[] }
export type ToWriter = { addresses: string[] } | { end: true }

export type Place = { position: number; id: string; revision: number; recordedAt: string; recorded: boolean }
export type FromWriter =
  | { kind: 'acknowledged'; writer: number; step: number; register: string; size: number; events: Place[] }
  /** Anything that must not happen. */
  | { kind: 'surprise'; text: string }

// Safe: its parent starts it with these options.
const options = JSON.parse(process.argv[2] as string) as WriterOptions
const { send, close } = sender(3)
let addresses = options.addresses
let hasEnded = false
process.on('message', (message: ToWriter) => {
  if ('end' in message) hasEnded = true
  else addresses = message.addresses
})

process.on('disconnect', () => process.exit())

function tell(message: FromWriter): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()))
}

/** With a key, three times at once, to as many services as there are; else to any one. */
function targets(random: Random, key: string | null): string[] {
  if (key === null) return [random.pick(addresses)]
  return Array.from({ length: 3 }, (_, index) => addresses[index % addresses.length] as string)
}

/** What an answer that is no acknowledgement means: try again, or a surprise. */
function isToRepeat(answer: Answer | null, key: string | null): boolean {
  if (answer === null || isLater(answer)) return true
  return key !== null && answer.status === 409 && answer.body.type === '/problems/in-flight'
}

type Sending = { acknowledged: Answer | null; surprise: string | null }

async function attempt({ register, key, events }: Request, random: Random): Promise<Sending> {
  const headers = { ...JSON_TYPE, ...(key !== null && { 'idempotency-key': key }) }
  const body = JSON.stringify(events.length === 1 ? events[0] : events)
  const sent = { method: 'POST', path: `/v1/registers/${register}/events`, headers, body }
  const answers = await Promise.all(targets(random, key).map((address) => send(address, sent)))
  const isGood = (answer: Answer | null) => answer?.status === 200 || answer?.status === 201
  const wrong = answers.find((answer) => !isGood(answer) && !isToRepeat(answer, key))
  if (wrong) return { acknowledged: null, surprise: `${wrong.status} ${JSON.stringify(wrong.body)} to ${body}` }
  const good = answers.filter(isGood)
  const places = new Set(
    good.map((answer) => JSON.stringify(answer?.body.events.map(({ position }: Place) => position))),
  )
  if (places.size > 1) return { acknowledged: null, surprise: `${key} has several places: ${[...places]}` }
  return { acknowledged: good[0] ?? null, surprise: null }
}

/** Sends the request of a step until it is acknowledged; false where the answer was a surprise. */
async function record(step: number): Promise<boolean> {
  const random = randomFrom(`${options.seed} ${options.writer} ${step} ${process.pid}`)
  const request = requestOf(options, step, options.withKeys)
  for (let attempts = 1; ; attempts += 1) {
    const { acknowledged, surprise } = await attempt(request, random)
    if (surprise !== null) {
      const text = `writer ${options.writer}, step ${step}, attempt ${attempts}: ${surprise}`
      await tell({ kind: 'surprise', text })
      return false
    }
    if (acknowledged) {
      const { size, events } = acknowledged.body
      const { writer } = options
      await tell({ kind: 'acknowledged', writer, step, register: request.register, size, events })
      return true
    }
    await sleep(random.int(10, 60))
  }
}

async function run(): Promise<void> {
  const random = randomFrom(`${options.seed} ${options.writer} pauses`)
  for (let step = options.from; !hasEnded; ) {
    const isRecorded = await record(step)
    step = isRecorded ? step + 1 : nextCommitment(step)
    if (options.pauseMs > 0) await sleep(random.int(0, options.pauseMs))
  }
}

try {
  await run()
} catch (error) {
  await tell({ kind: 'surprise', text: `writer ${options.writer}: ${(error as Error).stack}` })
}
close()
process.disconnect?.()

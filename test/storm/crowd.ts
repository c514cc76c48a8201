// A crowd: two hundred connections at once, most of which poll and some of which record. Nobody may be answered anything but
// what was asked for, "unchanged" or "later"; and what was acknowledged is there.

import { randomUUID } from 'node:crypto'
import type { Random } from '../../src/samples/random.ts'
import { JSON_TYPE, posted } from '../support/register.ts'
import { type Answer, isLater, type Sender } from './send.ts'
import { SHARED } from './story.ts'

export type Crowd = {
  /** Answers by status. */
  answers: Record<string, number>
  problems: string[]
  /** Position and id of everything that was acknowledged. */
  acknowledged: { position: number; id: string }[]
}

export type CrowdOptions = {
  address: string
  register: string
  readers: number
  writers: number
  seconds: number
  random: Random
  send: Sender['send']
}

const POLLED = [
  '',
  '/summary',
  '/commitments?limit=10',
  '/events?limit=20',
  '/events?after=15',
  '/commitments/shared-1',
]

/** Lets the crowd loose on a service for some seconds. */
export async function crowd({
  address,
  register,
  readers,
  writers,
  seconds,
  random,
  send,
}: CrowdOptions): Promise<Crowd> {
  const found: Crowd = { answers: {}, problems: [], acknowledged: [] }
  const until = performance.now() + seconds * 1_000
  const at = `/v1/registers/${register}`

  /** Counts an answer; false where it is none that may be given. */
  const count = (answer: Answer | null, what: string): answer is Answer => {
    const status = String(answer?.status ?? 'none')
    found.answers[status] = (found.answers[status] ?? 0) + 1
    const isGood = answer !== null && (answer.status < 300 || answer.status === 304 || isLater(answer))
    if (!isGood) found.problems.push(`${what}: ${status} ${JSON.stringify(answer?.body)}`)
    return isGood
  }
  const read = async () => {
    const tags = new Map<string, string>()
    while (performance.now() < until) {
      const path = random.pick(POLLED)
      const tag = tags.get(path)
      const headers = tag === undefined ? {} : { 'if-none-match': tag }
      const answer = await send(address, { path: at + path, headers })
      if (count(answer, `GET ${path}`) && answer.headers.etag !== undefined) tags.set(path, answer.headers.etag)
    }
  }
  const write = async () => {
    while (performance.now() < until) {
      const id = randomUUID()
      const fact = posted(`shared-${random.int(0, SHARED - 1)}`, 'StatusReaffirmed', '2025-03-01', {}, { id })
      const body = JSON.stringify(fact)
      const answer = await send(address, { method: 'POST', path: `${at}/events`, headers: JSON_TYPE, body })
      if (!count(answer, `POST ${id}`) || answer.status !== 201) continue
      found.acknowledged.push({ position: answer.body.events[0].position, id })
    }
  }
  await Promise.all([...Array.from({ length: readers }, read), ...Array.from({ length: writers }, write)])
  return found
}

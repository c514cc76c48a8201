// A dashboard of a storm: asks for a register's summary again and again, with the tag of the last answer. Each service goes
// only forward, and answers nothing but what was asked, "unchanged" or "later".

import type { Random } from '../../src/samples/random.ts'
import { isLater, type Sender } from './send.ts'

export type DashboardOptions = {
  register: string
  addresses: () => string[]
  random: Random
  send: Sender['send']
  /** A size that was acknowledged: an answer must know it where it is asked to. */
  acknowledged: () => number
}
export type Dashboard = { answers: Record<string, number>; problems: string[]; stop: () => Promise<void> }

/** Begins to ask, one question after the other. */
export function watch({ register, addresses, random, send, acknowledged }: DashboardOptions): Dashboard {
  const answers: Record<string, number> = {}
  const problems: string[] = []
  const known = new Map<string, { size: number; etag: string }>()
  let isStopped = false

  const ask = async () => {
    const address = random.pick(addresses())
    const before = known.get(address)
    const minSize = random.chance(0.3) ? acknowledged() : 0
    const headers = before ? { 'if-none-match': before.etag } : {}
    const answer = await send(address, { path: `/v1/registers/${register}/summary?minSize=${minSize}`, headers })
    const status = String(answer?.status ?? 'none')
    answers[status] = (answers[status] ?? 0) + 1
    if (answer === null || isLater(answer)) return
    if (answer.status === 304) {
      if (before && before.size < minSize) problems.push(`unchanged at ${before.size}, asked for ${minSize}`)
      return
    }
    if (answer.status !== 200) return void problems.push(`a dashboard got ${status}: ${JSON.stringify(answer.body)}`)
    const { size } = answer.body.knownAt
    if (size < Math.max(minSize, before?.size ?? 0)) {
      problems.push(`a summary known at ${size} after ${before?.size} where ${minSize} was asked for`)
    }
    known.set(address, { size, etag: String(answer.headers.etag) })
  }
  const loop = async () => {
    while (!isStopped && problems.length < 5) {
      await ask().catch((error: Error) => problems.push(error.message))
      await new Promise((resolve) => setTimeout(resolve, random.int(1, 20)))
    }
  }
  const ended = loop()
  return {
    answers,
    problems,
    async stop() {
      isStopped = true
      await ended
    },
  }
}

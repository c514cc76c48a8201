// A reader of a storm: follows a register's events as they come and, whenever its service dies or it has had enough of it,
// goes on at another one from the last event that it has seen. It must see every position once, in order.

import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Random } from '../../src/samples/random.ts'

export type Follower = {
  /** How many positions it has seen: the next one that it waits for. */
  seen: () => number
  /** How often it was connected. */
  connections: () => number
  problems: string[]
  stop: () => Promise<void>
}

export type FollowerOptions = { register: string; addresses: () => string[]; random: Random }

/** The fields of one event of an event stream; comments are left out. */
function fieldsOf(block: string): Record<string, string> {
  const lines = block.split('\n').filter((line) => !line.startsWith(':'))
  return Object.fromEntries(lines.map((line) => line.split(/: ?(.*)/s, 2)))
}

/** Begins to follow; it ends when it is stopped. */
export function follow({ register, addresses, random }: FollowerOptions): Follower {
  const agent = new Agent({ keepAlive: false })
  const problems: string[] = []
  let next = 0
  let connections = 0
  let isStopped = false
  let current: ClientRequest | null = null

  const take = (block: string) => {
    const { id, event = 'message', data } = fieldsOf(block)
    if (data === undefined) return
    if (event === 'problem') problems.push(`a problem in the stream: ${data}`)
    else if (Number(id) !== next) problems.push(`position ${id} where ${next} comes next`)
    else if (JSON.parse(data).position !== next) problems.push(`event ${id} has other content: ${data}`)
    else next += 1
  }
  const read = async (response: IncomingMessage) => {
    connections += 1
    let rest = ''
    for await (const chunk of response.setEncoding('utf8')) {
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) take(block)
    }
  }
  const connect = (address: string) =>
    new Promise<void>((resolve) => {
      const headers = { accept: 'text/event-stream', ...(next > 0 && { 'last-event-id': String(next - 1) }) }
      const sending = request(`${address}/v1/registers/${register}/events`, { headers, agent })
      current = sending
      const bored = setTimeout(() => sending.destroy(), random.int(100, 2_500))
      sending.on('close', () => clearTimeout(bored))
      sending.on('error', () => resolve())
      sending.on('response', (response) => {
        if (response.statusCode !== 200) {
          if (response.statusCode !== 503) problems.push(`the event stream answers ${response.statusCode}`)
          response.resume()
          resolve()
        } else read(response).then(resolve, () => resolve())
      })
      sending.end()
    })
  const loop = async () => {
    while (!isStopped && problems.length < 5) {
      await connect(random.pick(addresses()))
      await sleep(random.int(5, 50))
    }
  }
  const ended = loop()
  return {
    seen: () => next,
    connections: () => connections,
    problems,
    async stop() {
      isStopped = true
      current?.destroy()
      await ended
      agent.destroy()
    },
  }
}

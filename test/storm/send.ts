// One HTTP request as the storm sends them: over kept connections, with a time limit, and with every way of getting no answer
// told apart from an answer.

import { Agent, type IncomingMessage, request } from 'node:http'
import { PATIENCE_MS } from '../support/patience.ts'

export type Sent = { method?: string; path: string; headers?: Record<string, string>; body?: string }
// biome-ignore lint/suspicious/noExplicitAny: what is read out of an answer is compared, not typed.
export type Answer = { status: number; headers: IncomingMessage['headers']; body: any }

/** A sender with connections of its own, at most so many to each service. */
export function sender(connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })

  /** The answer; null where the connection was refused or broke. Throws where there is none for too long. */
  function send(address: string, { method = 'GET', path, headers = {}, body }: Sent): Promise<Answer | null> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(PATIENCE_MS)
      const broken = () =>
        signal.aborted
          ? reject(new Error(`${method} ${address}${path}: no answer in ${PATIENCE_MS} ms`))
          : resolve(null)
      const sending = request(`${address}${path}`, { method, headers, agent, signal })
      sending.on('error', broken)
      sending.on('response', async (response) => {
        response.on('error', broken)
        try {
          let text = ''
          for await (const chunk of response.setEncoding('utf8')) text += chunk
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(response, text) })
        } catch {
          broken()
        }
      })
      sending.end(body)
    })
  }
  return { send, close: () => agent.destroy() }
}

export type Sender = ReturnType<typeof sender>

function parsed({ headers }: IncomingMessage, text: string): unknown {
  return /[/+]json/.test(headers['content-type'] ?? '') && text !== '' ? JSON.parse(text) : text
}

/** Whether an answer says "not now": the caller is to try again. */
export function isLater({ status, headers }: Answer): boolean {
  return status === 503 && headers['retry-after'] !== undefined
}

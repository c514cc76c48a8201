// A client of server-sent events for tests: it reads what comes to the letter, and cuts it into frames.

import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { PATIENCE_MS } from './patience.ts'

type Frame = { id?: string; event?: string; data?: string; retry?: string; comment?: string }

export type Listener = {
  response: IncomingMessage
  frames: Frame[]
  /** The positions of the events so far. */
  positions: () => number[]
  /** Resolves as soon as the frames are as wanted; rejects after ten seconds. */
  until: (isEnough: (frames: readonly Frame[]) => boolean) => Promise<void>
  /** Resolves when the answer has ended: true where it ended whole. */
  ended: Promise<boolean>
  close: () => void
}

/** The fields of a frame; a comment is what stands after a colon. */
function frameOf(block: string): Frame {
  const fields = block.split('\n').map((line): [string, string] => {
    const [, name = '', value = ''] = /^([^:]*): ?(.*)$/s.exec(line) ?? []
    return [name === '' ? 'comment' : name, value]
  })
  return Object.fromEntries(fields)
}

/** Sends a GET and resolves with its answer, whose body has not been read yet. */
export async function ask(
  url: string,
  headers: Record<string, string>,
): Promise<{ sent: ClientRequest; response: IncomingMessage }> {
  const sent = request(url, { headers, agent: false })
  sent.end()
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  // Whoever looks is told by `complete`.
  response.on('error', () => {})
  sent.on('error', () => {})
  return { sent, response }
}

/** Begins to listen; `isPaused` leaves what comes unread until the response is resumed. */
export async function listen(
  url: string,
  headers: Record<string, string> = {},
  { isPaused = false } = {},
): Promise<Listener> {
  const { sent, response } = await ask(url, { accept: 'text/event-stream', ...headers })
  const frames: Frame[] = []
  let rest = ''
  let look = () => {}
  const ended = new Promise<boolean>((resolve) => response.on('close', () => resolve(response.complete)))
  response.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n')
    rest = blocks.pop() ?? ''
    frames.push(...blocks.map(frameOf))
    look()
  })
  if (isPaused) response.pause()
  return {
    response,
    frames,
    positions: () => frames.flatMap(({ id, data }) => (data === undefined ? [] : [Number(id)])),
    until: (isEnough) =>
      new Promise((resolve, reject) => {
        const told = () => `${frames.length} frames, the last ${JSON.stringify(frames.slice(-3)).slice(0, 500)}`
        const late = setTimeout(() => reject(new Error(`not within ${PATIENCE_MS} ms: ${told()}`)), PATIENCE_MS)
        look = () => {
          if (!isEnough(frames)) return
          clearTimeout(late)
          resolve()
        }
        look()
      }),
    ended,
    close: () => sent.destroy(),
  }
}

// One HTTP/1.1 connection of the load: raw, kept alive, one request at a time. It looks for the status and the length of an
// answer and for nothing else, because the load shares its two cores with what it measures; what a complete client costs is
// told in docs/performance.md.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export type HttpRequest = {
  /** GET where there is none. */
  method?: string
  path: string
  headers?: Record<string, string>
  body?: string
}

export type Connection = {
  /** Sends one request, encoded, and returns the status of its answer once all of it is there. */
  ask: (request: Buffer) => Promise<number>
  close: () => void
}

/** A request as it goes over the wire. */
export function encodeRequest({ host }: URL, { method = 'GET', path, headers = {}, body }: HttpRequest): Buffer {
  const length = body === undefined ? [] : [`content-length: ${Buffer.byteLength(body)}`]
  const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  const head = [`${method} ${path} HTTP/1.1`, `host: ${host}`, ...own, ...length]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body ?? ''}`)
}

const HEAD_END = '\r\n\r\n'
/** Where the three digits of the status stand: after `HTTP/1.1 `. */
const STATUS_AT = 9

type Head = { status: number; bytes: number }

/** Status and whole length of the answer that a text begins with; null where its head is not all there yet. */
function readHead(received: Buffer): Head | null {
  const end = received.indexOf(HEAD_END)
  if (end < 0) return null
  const head = received.toString('latin1', 0, end)
  const status = Number(head.slice(STATUS_AT, STATUS_AT + 3))
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined && status !== 304 && status !== 204)
    throw new Error(`an answer without content-length, which the load cannot read: ${head.slice(0, 200)}`)
  const body = status === 304 || status === 204 ? 0 : Number(length)
  return { status, bytes: end + HEAD_END.length + body }
}

type Asking = { received: Buffer | null; head: Head | null; resolve: (status: number) => void; reject: Reject }
type Reject = (error: Error) => void

/** Connects; every later failure of the connection is that of the request under way. */
export async function openConnection({ hostname, port }: URL): Promise<Connection> {
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  await once(socket, 'connect')
  let asking: Asking | null = null
  const fail = (error: Error) => asking?.reject(error)
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('the server closed the connection')))
  socket.on('data', (chunk: Buffer) => {
    if (asking && take(asking, chunk)) asking = null
  })
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        asking = { received: null, head: null, resolve, reject }
        socket.write(request)
      }),
    close: () => end(socket),
  }
}

/** Adds what has come to an answer; whether it is all there. */
function take(asking: Asking, chunk: Buffer): boolean {
  asking.received = asking.received === null ? chunk : Buffer.concat([asking.received, chunk])
  try {
    asking.head ??= readHead(asking.received)
  } catch (error) {
    asking.reject(error as Error)
    return true
  }
  if (asking.head === null || asking.received.length < asking.head.bytes) return false
  asking.resolve(asking.head.status)
  return true
}

function end(socket: Socket): void {
  socket.removeAllListeners('close')
  socket.destroy()
}

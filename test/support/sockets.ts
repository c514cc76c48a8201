// Connections as a hostile client has them: bytes as they are, at any pace.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { PATIENCE_MS } from './patience.ts'

export type Heard = { statuses: number[]; text: string }

/** The answers that have come on a connection so far. */
function heard(text: string): Heard {
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status)), text }
}

/** Opens a connection; what breaks it shows in what is heard. */
export async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Everything that comes on a connection until the other side ends it, or it has been so long. */
export function listenTo(socket: Socket, ms = PATIENCE_MS): Promise<Heard> {
  return new Promise((resolve) => {
    let text = ''
    const tooLong = setTimeout(() => socket.destroy(), ms)
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
    })
    socket.on('close', () => {
      clearTimeout(tooLong)
      resolve(heard(text))
    })
  })
}

/** What a service says to bytes that are sent to it as they are. */
export async function say(port: number, bytes: string | Uint8Array): Promise<Heard> {
  const socket = await open(port)
  const all = listenTo(socket)
  socket.write(bytes)
  return all
}

/** Sends pieces as fast as they are taken, until there are no more or the connection is gone; how many bytes went. */
export async function pour(socket: Socket, piece: Uint8Array, bytes: number): Promise<number> {
  let sent = 0
  while (sent < bytes && !socket.destroyed && socket.writable) {
    sent += piece.length
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain').catch(() => {}), once(socket, 'close')])
  }
  return sent
}

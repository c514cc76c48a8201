// A database that goes away and comes back, as its clients see it.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'

/** A way to a database that can be closed and opened again. */
export async function gate(t: Test, address: string) {
  const { hostname, port: beyond } = new URL(address)
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const onward = connect(Number(beyond), hostname)
    for (const end of [socket, onward]) {
      sockets.add(end)
      end.on('error', () => {})
    }
    socket.pipe(onward).pipe(socket)
  })
  const open = async (port = 0) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
    // Until the pool has heard of it.
    await sleep(50)
  }
  await open()
  t.teardown(close)
  // Safe: a TCP server has an address of this kind.
  const { port } = server.address() as AddressInfo
  const here = new URL(address)
  here.host = `127.0.0.1:${port}`
  return { address: here.href, close, reopen: () => open(port) }
}

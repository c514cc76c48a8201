// A way to a database that fails as networks do: a TCP proxy whose manner can be changed while connections are open.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ending } from './process.ts'

/**
 * `pass`: as if it were not there. `blackHole`: takes connections and what is said, hands nothing on and says nothing; what it
 * holds comes through when it passes again. `refuse`: no connections. `reset`: breaks each when something is said.
 */
type Manner = 'pass' | 'blackHole' | 'refuse' | 'reset'

export type FaultProxy = {
  /** The database's address by this way. */
  address: string
  become: (manner: Manner) => Promise<void>
  /** Hands on what the database says so much later. */
  delay: (ms: number) => void
  /** Cuts the connection of the next append when it is durable, before the answer to that is handed on; resolves then. */
  cutNextCommit: () => Promise<void>
  /** How many connections clients hold open. */
  open: () => number
}

/** What the database says when a statement is through and no transaction is open. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

type Way = { inner: Socket; outer: Socket; isAppending: boolean }

/** Opens a proxy before the database of an address; it ends with the test. */
export async function faultProxy(t: Ending, address: string): Promise<FaultProxy> {
  const { hostname, port: beyond } = new URL(address)
  const ways = new Set<Way>()
  let manner: Manner = 'pass'
  let delayMs = 0
  let passing = Promise.withResolvers<void>()
  passing.resolve()
  let cut: (() => void) | null = null

  const held = () => manner === 'blackHole'

  /** What comes on a socket, when it may go on. */
  async function* arriving(socket: Socket): AsyncGenerator<Buffer> {
    for await (const chunk of socket) {
      while (held()) await passing.promise
      yield chunk as Buffer
    }
  }

  async function toDatabase(way: Way): Promise<void> {
    for await (const chunk of arriving(way.inner)) {
      if (manner === 'reset') return end(way)
      way.isAppending ||= chunk.includes('append_events')
      if (!way.outer.write(chunk)) await once(way.outer, 'drain')
    }
    while (held()) await passing.promise
    way.outer.end()
  }

  async function toClient(way: Way): Promise<void> {
    for await (const chunk of arriving(way.outer)) {
      const isDurable = way.isAppending && chunk.includes(READY)
      if (isDurable) way.isAppending = false
      if (isDurable && cut !== null) {
        cut()
        cut = null
        return end(way)
      }
      if (delayMs > 0) await sleep(delayMs)
      while (held()) await passing.promise
      if (!way.inner.write(chunk)) await once(way.inner, 'drain')
    }
    way.inner.end()
  }

  function end(way: Way): void {
    ways.delete(way)
    // One that is ending cannot be reset any more: Node would wait for its end for ever.
    if (way.inner.writableEnded) way.inner.destroy()
    else way.inner.resetAndDestroy()
    way.outer.destroy()
  }

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (inner) => {
    const outer = connect({ port: Number(beyond), host: hostname, noDelay: true, allowHalfOpen: true })
    const way: Way = { inner, outer, isAppending: false }
    ways.add(way)
    // In a black hole nobody hears that the other end has gone.
    const gone = async () => {
      while (held()) await passing.promise
      end(way)
    }
    for (const socket of [inner, outer]) socket.on('error', gone)
    inner.on('close', () => ways.delete(way))
    Promise.all([toDatabase(way), toClient(way)]).catch(gone)
  })
  const listen = async (port = 0) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listen()
  // Safe: a TCP server has an address of this kind.
  const { port } = server.address() as AddressInfo
  const here = new URL(address)
  here.host = `127.0.0.1:${port}`

  async function become(next: Manner): Promise<void> {
    manner = next
    if (held()) passing = Promise.withResolvers()
    else passing.resolve()
    if (next === 'refuse' || next === 'reset') for (const way of [...ways]) end(way)
    if (next === 'refuse' && server.listening) await new Promise((resolve) => server.close(resolve))
    if (next !== 'refuse' && !server.listening) await listen(port)
  }
  t.teardown(() => become('refuse'))
  return {
    address: here.href,
    become,
    delay(ms) {
      delayMs = ms
    },
    cutNextCommit: () => new Promise((resolve) => (cut = resolve)),
    open: () => ways.size,
  }
}

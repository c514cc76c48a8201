// Telling other processes that a log grew or a projection moved, and hearing it from them: by NOTIFY, gathered, in
// statements of their own. What is lost is found by polling.

import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type pg from 'pg'
import { type Database, newClient } from '../../database/pool.ts'

export type Notifications = {
  /** Tells others of a register; `isAppend` where its log grew. */
  tell: (register: string, isAppend: boolean) => void
  stop: () => Promise<void>
}

export type NotificationOptions = {
  connectionString?: string
  /** Another process has appended. */
  onAppend?: () => void
  /** Another process has changed something of these registers. */
  onRegisters: (registers: readonly string[]) => void
  onError: (error: unknown) => void
}

const CHANNEL = 'pledger_heads'
/** How long news is gathered: a process tells at most so often, however fast it writes. */
const GATHER_MS = 25
/** A notification carries less than 8,000 bytes, an id at most a hundred. */
const MAX_TOLD = 50
const RECONNECT_MS = 5_000

type Message = { by: string; isAppend: boolean; registers: string[] }

function messageOf(payload: string | undefined): Message | null {
  try {
    // Safe: nobody else uses the channel, and a payload of another shape is ignored below.
    const message = JSON.parse(payload ?? '') as Message
    return Array.isArray(message.registers) ? message : null
  } catch {
    return null
  }
}

type Listening = { stop: () => Promise<void> }

/** Listens to the channel, and connects again after a while where the connection breaks. */
function listen(
  address: string,
  hear: (payload: string | undefined) => void,
  onError: (error: unknown) => void,
): Listening {
  let client: pg.Client | null = null
  let reconnecting: NodeJS.Timeout | null = null
  let isStopped = false

  function lost(which: pg.Client): void {
    if (client !== which || isStopped) return
    client = null
    reconnecting = setTimeout(open, RECONNECT_MS).unref()
  }

  async function open(): Promise<void> {
    const opened = newClient(address)
    client = opened
    opened.on('notification', ({ payload }) => hear(payload))
    opened.on('error', (error) => {
      onError(error)
      lost(opened)
    })
    opened.on('end', () => lost(opened))
    try {
      await opened.connect()
      await opened.query(`listen ${CHANNEL}`)
    } catch (error) {
      onError(error)
      await opened.end().catch(() => {})
      lost(opened)
    }
  }

  const opening = open()
  return {
    async stop() {
      isStopped = true
      if (reconnecting !== null) clearTimeout(reconnecting)
      await opening
      await client?.end().catch(() => {})
    },
  }
}

/** Gathers what there is to tell and sends it in statements of its own. */
function createTeller(db: Database, self: string, onError: (error: unknown) => void): Notifications {
  const news = new Set<string>()
  let isAppend = false
  let gathering: NodeJS.Timeout | null = null
  let telling: Promise<unknown> = Promise.resolve()
  let isStopped = false

  function send(): void {
    gathering = null
    const message: Message = { by: self, isAppend, registers: [...news].slice(0, MAX_TOLD) }
    news.clear()
    isAppend = false
    // Nothing waits for this to be durable, and the disk is for the appends.
    const later = sql`set_config('synchronous_commit', 'off', true)`
    telling = sql`select ${later}, pg_notify(${CHANNEL}, ${JSON.stringify(message)})`.execute(db).catch(onError)
  }

  return {
    tell(register, appended) {
      if (isStopped) return
      news.add(register)
      isAppend ||= appended
      gathering ??= setTimeout(send, GATHER_MS).unref()
    },
    async stop() {
      isStopped = true
      if (gathering !== null) clearTimeout(gathering)
      await telling
    },
  }
}

/** Opens the channel; listens only where there is an address to connect to. */
export function openNotifications(
  db: Database,
  { connectionString, onAppend, onRegisters, onError }: NotificationOptions,
): Notifications {
  const self = randomUUID()
  const hear = (payload: string | undefined) => {
    const message = messageOf(payload)
    if (!message || message.by === self) return
    if (message.isAppend) onAppend?.()
    onRegisters(message.registers)
  }
  const teller = createTeller(db, self, onError)
  const listening = connectionString === undefined ? null : listen(connectionString, hear, onError)
  return {
    tell: teller.tell,
    async stop() {
      await Promise.all([listening?.stop(), teller.stop()])
    },
  }
}

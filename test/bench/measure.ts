// Measuring: a value and its limit by turns, and HTTP load of a fixed number of requests.

import { goalOf } from './goals.ts'
import { type Connection, encodeRequest, type HttpRequest, openConnection } from './http-connection.ts'

/** One line of the table. `value` and `limit` each do a bounded amount of work and return how much they did in a second. */
export type Row = {
  row: string
  unit: string
  value: () => Promise<number>
  limit: () => Promise<number>
  /** How many rounds are enough, where it takes long. */
  rounds?: number
  /** Each turn is a process of its own: there is nothing to warm up. */
  isCold?: boolean
  /** What there is to say besides, once all is measured. */
  remark?: () => string
}

export type Measured = {
  row: string
  unit: string
  value: number
  limit: number
  /** value / limit */
  ratio: number
  /** What the ratio is to reach; null where nothing is asked of it. */
  goal: number | null
  /** Whether a smaller ratio is better. */
  atMost: boolean
}

/** A row's figures, with what is asked of their ratio. */
export function measured(row: string, unit: string, value: number, limit: number): Measured {
  const { goal, atMost } = goalOf(row) ?? { goal: null, atMost: false }
  return { row, unit, value, limit, ratio: value / limit, goal, atMost }
}

/** The value and the limit by turns, so that whatever else the machine does meets both; the median of each. */
export async function measure(wanted: Row, usual: number, tell: Tell): Promise<Measured> {
  const { row, unit, value, limit, rounds = usual, isCold = false, remark } = wanted
  // The first of each warms code, connections and caches up, and counts for nothing.
  if (!isCold) {
    await value()
    await limit()
  }
  const values: number[] = []
  const limits: number[] = []
  for (let round = 1; round <= rounds; round += 1) {
    values.push(await value())
    limits.push(await limit())
    tell(
      `${row} ${round}/${rounds}: ${Math.round(values.at(-1) ?? 0)} beside ${Math.round(limits.at(-1) ?? 0)} ${unit}`,
    )
  }
  if (remark) tell(`${row}: ${remark()}`)
  return measured(row, unit, median(values), median(limits))
}

export type Tell = (line: string) => void

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[middle]]
  return (low + high) / 2
}

/** The value that a share of the numbers does not exceed, by the nearest rank. */
export function percentile(numbers: readonly number[], share: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.ceil(share * numbers.length) - 1] ?? Number.NaN
}

/** Does the work and returns how many of `count` it did in a second. */
export async function perSecond(count: number, work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - from)
}

export type Load = {
  address: string
  connections: number
  /** How many requests in all. */
  amount: number
  /** The requests, sent in this order over and over, each by the connection that is free first. */
  requests: readonly HttpRequest[]
  /** Sent with each request, before its own. */
  headers?: Record<string, string>
  /** The status that every answer has to have; any 2xx where there is none. */
  status?: number
}

/**
 * Sends the load and returns the answers in a second, connections being open already. Throws where an answer has another
 * status than it is to have.
 */
export async function fire({ address, connections, amount, requests, headers = {}, status }: Load): Promise<number> {
  const url = new URL(address)
  const encoded = requests.map((request) =>
    encodeRequest(url, { ...request, headers: { ...headers, ...request.headers } }),
  )
  const open = await Promise.all(Array.from({ length: connections }, () => openConnection(url)))
  const isExpected = (got: number) => (status === undefined ? got >= 200 && got < 300 : got === status)
  let next = 0
  const one = async ({ ask }: Connection) => {
    while (next < amount) {
      // Safe: there is at least one request.
      const got = await ask(encoded[next++ % encoded.length] as Buffer)
      if (!isExpected(got)) throw new Error(`${address} answered ${got}; expected ${status ?? '2xx'}`)
    }
  }
  try {
    return await perSecond(amount, () => Promise.all(open.map(one)))
  } finally {
    for (const { close } of open) close()
  }
}
